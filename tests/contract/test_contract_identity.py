"""Replacement, id round trips, spellings, defaults, and the region of a global service: the same for every kind."""

from __future__ import annotations

import itertools

import pytest

from aws_associations.errors import AccessDenied, InvalidRequest, NotFound
from aws_associations.identity import AssociationId, parse, parse_or_none
from aws_associations.kind import Asked
from aws_associations.kinds import KINDS
from aws_associations.lifecycle import Desired, How, Removal
from aws_associations.properties import violations
from tests.contract.cases import case, case_of_each_part, compares
from tests.contract.stage import Stage
from tests.core.world import ACCOUNT, REGION, WORDS

ODD = ("a/b", "50%", "a b", "?adopted", "ü", "a&b=c", "x" * 40, "a+b", "#1")


@case_of_each_part("replacement of")
def test_another_value_of_a_part_is_a_replacement(stage: Stage, part: str) -> None:
    """Created under another id before the old one goes; then only the new one is granted."""
    old, other = stage.create(), stage.other(part)

    new = stage.update(old.id.text, other)

    assert (new.how, new.id.identity) == (How.CREATED, other)
    assert new.id.text != old.id.text
    assert stage.granted() == {stage.identity(), other}
    assert stage.delete(old.id.text) is Removal.REVOKED
    assert stage.granted() == {other}


@case_of_each_part("replacement of")
def test_a_replacement_that_fails_leaves_the_old_one(stage: Stage, part: str) -> None:
    """Denied, in an update: an error, nothing of the new one remains, and the old one stays granted."""
    old, other = stage.create(), stage.other(part)
    stage.fault("error", stage.kind.associate, error_code="AccessDeniedException", status=403, count=None)
    request = stage.request()

    with pytest.raises(AccessDenied):
        stage.update(old.id.text, other, request=request)

    assert stage.pending() == set()
    assert stage.granted() == {stage.identity()}


@case_of_each_part("id of")
def test_an_id_is_read_back_whatever_a_part_holds(stage: Stage, part: str) -> None:
    """Text and back, adopted or not, and no two values share an id."""
    texts = set()
    for value, adopted in itertools.product(ODD, (False, True)):
        written = AssociationId(stage.identity(**{part: value}), adopted)

        assert parse(stage.kind, written.text) == written
        assert parse(stage.kind, written.text).identity.values == written.identity.values
        assert written.text.isascii()
        texts.add(written.text)
    assert len(texts) == 2 * len(ODD)


@case_of_each_part("id of")
def test_what_no_id_can_hold_is_refused_by_name(stage: Stage, part: str) -> None:
    """Nothing, or what a path would take for another resource: refused before any call."""
    name = part.replace("_", " ")
    for value in ("", ".", ".."):
        with pytest.raises(InvalidRequest, match=f": the {name} must not be"):
            stage.identity(**{part: value})
    assert stage.journal() == []


@case_of_each_part("id of")
def test_what_the_service_would_refuse_is_refused_by_its_own_model(stage: Stage, part: str) -> None:
    """The values that the tests use are good; ten thousand odd characters are not."""
    services = stage.world.services

    assert violations(services, stage.kind, stage.scenery.values, WORDS) == {}
    assert violations(services, stage.kind, stage.scenery.others, WORDS) == {}
    assert set(violations(services, stage.kind, {part: "\u2028" * 10_000}, WORDS)) == {part}
    assert set(violations(services, stage.kind, {part: 7}, WORDS)) == {part}


@case("id")
def test_an_id_holds_kind_version_account_region_and_every_part(stage: Stage) -> None:
    """In that order; the grammar is final."""
    region = stage.world.services.region_of(stage.kind, REGION)

    assert stage.id().split("/") == [
        stage.kind.name,
        "v1",
        ACCOUNT,
        region,
        *(stage.scenery.values[part.name] for part in stage.kind.parts),
    ]


@case("id")
def test_an_id_is_none_of_another_kinds(stage: Stage) -> None:
    """Deleting it there does nothing."""
    granted = stage.create()
    others = [kind for kind in KINDS if kind is not stage.kind]

    assert [kind for kind in others if parse_or_none(kind, granted.id.text)] == []
    for kind in others:
        request = stage.request(owner="Other")
        request.physical_id = granted.id.text
        deleted = stage.world.lifecycle.delete(kind, request)
        assert deleted is Removal.NEVER_CREATED
    assert stage.granted() == {stage.identity()}


@case_of_each_part("spelling of")
def test_another_spelling_is_the_same_association_only_where_the_service_says_so(stage: Stage, part: str) -> None:
    """The same: kept under the first one's id, found, and deleted. Another: another identity."""
    spellings = stage.scenery.spellings.get(part, ())
    assert bool(spellings) is compares(stage.kind, part)
    first = stage.create()

    for spelling in spellings:
        other = stage.identity(**{part: spelling})

        assert (other, hash(other)) == (stage.identity(), hash(stage.identity()))
        kept = stage.update(first.id.text, other, heal=True)
        assert (kept.how, kept.id.text) == (How.KEPT, first.id.text)
        assert stage.read(other) is not None
    if spellings:
        assert stage.delete(stage.id(stage.identity(**{part: spellings[0]}))) is Removal.REVOKED
        assert stage.granted() == set()
    else:
        written = stage.scenery.values[part]
        assert stage.identity(**{part: f"{written}x"}) != stage.identity()
        assert stage.identity(**{part: f"{written}X"}) != stage.identity(**{part: f"{written}x"})


@case("default")
def test_a_default_left_out_means_the_same_as_written_out(stage: Stage) -> None:
    """Whoever tells it: one identity, one id that holds it, and a question only if there is somebody to ask."""
    defaults = {part.name: part.default for part in stage.kind.parts if part.default is not None}
    given = {name: value for name, value in stage.scenery.values.items() if name not in defaults}

    meant = stage.identify(given)

    asked = [default.operation for default in defaults.values() if isinstance(default, Asked)]
    assert [entry.operation for entry in stage.journal()] == asked
    assert AssociationId(meant).text == stage.id()
    for name in defaults:
        for spelling in (stage.scenery.values[name], *stage.scenery.spellings.get(name, ())):
            written = stage.identify({**given, name: spelling})
            assert written == meant
            assert written[name] == spelling
    assert [entry.operation for entry in stage.journal()] == asked


@case("default")
def test_a_default_left_out_is_never_a_replacement(stage: Stage) -> None:
    """Left out, then written out: kept under its id, with no other write."""
    defaults = [part.name for part in stage.kind.parts if part.default is not None]
    given = {name: value for name, value in stage.scenery.values.items() if name not in defaults}
    request = stage.request()
    meant = stage.identify(given)
    granted = stage.world.lifecycle.create(Desired(meant), request)

    assert stage.update(granted.id.text).id == granted.id
    assert stage.writes() == [stage.kind.associate]


@case("default")
def test_a_default_is_not_asked_for_again_in_an_update_that_leaves_it_out(stage: Stage) -> None:
    """What it meant it goes on meaning, with nobody to ask; another scope is another question."""
    defaults = {part.name: part.default for part in stage.kind.parts if part.default is not None}
    given = {name: value for name, value in stage.scenery.values.items() if name not in defaults}
    granting = stage.kind.parties[0].name
    moved = {**given, granting: stage.scenery.others[granting]}

    meant = stage.identify(moved, before=(stage.identity(), given))

    assert meant == stage.other(granting)
    assert stage.journal() == []
    asked = [default.operation for default in defaults.values() if isinstance(default, Asked)]
    for scope in (part.name for part in stage.kind.scope if part.name in given):
        stage.control.clear_journal()
        elsewhere = {**given, scope: stage.scenery.others[scope]}
        assert stage.identify(elsewhere, before=(stage.identity(), given)) == (stage.other(scope))
        assert [entry.operation for entry in stage.journal()] == asked


@case("default")
def test_a_default_that_cannot_be_told_is_an_error_with_the_known_parts(stage: Stage) -> None:
    """The member is unknown, say: what was being asked of what, and nothing was written. A fixed one needs nobody."""
    defaults = {part.name: part.default for part in stage.kind.parts if part.default is not None}
    given = {name: value for name, value in stage.scenery.values.items() if name not in defaults}
    stage.scenery.remove(stage.kind.parties[1].name)

    if not any(isinstance(default, Asked) for default in defaults.values()):
        assert stage.identify(given) == stage.identity()
        return
    with pytest.raises(NotFound) as caught:
        stage.identify(given)

    assert str(caught.value).startswith(f"reading the defaults of {stage.kind.noun} its member_name ")
    assert not any(name in caught.value.action for name in defaults)
    assert not caught.value.outcome_unknown


@case("id")
def test_a_region_is_part_of_the_identity_unless_the_service_is_global(stage: Stage) -> None:
    """Declared from two regions: two associations, or one."""
    one, two = (stage.identify(stage.scenery.values, region) for region in ("us-east-1", "eu-west-1"))

    assert (one == two) is stage.kind.is_global


@case("global")
def test_a_global_service_is_called_in_one_region_from_everywhere(stage: Stage) -> None:
    """Created from one region, found and deleted from another: signed for the partition's own, each time."""
    here, there = (stage.identify(stage.scenery.values, region) for region in ("eu-west-1", "us-west-2"))

    granted = stage.create(identity=here)

    assert stage.read(there) is not None
    assert granted.id.text == AssociationId(there).text == stage.id()
    assert stage.delete(AssociationId(there).text) is Removal.REVOKED
    assert {entry.region for entry in stage.journal()} == {"us-east-1"}
    china = stage.identify(stage.scenery.values, "cn-north-1")
    assert china.region == "cn-northwest-1"
    assert china != here
