"""Every kind through the real host of dynamic providers: what holds for one holds for all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from aws_associations.kind import Kind, Option, Part
from aws_associations.kinds import KINDS
from engines.pulumi_host import UNKNOWN, Difference, HostError, PulumiHost, serialize_provider
from generation.facts import option_shape
from pulumi_aws_associations.words import WORDS
from tests.provider.declared import aws_environment
from tests.provider.kinds import Declared, documented_outputs, every_kind, provider_of

NOTHING = (False, ())
UPDATED = (True, ())
INTERNAL = {"declared_by", "defaulted", "request_id"}
"""What the state holds that is no output of the resource."""


def told(difference: Difference) -> tuple[bool | None, tuple[str, ...]]:
    """Whether it changes, and which properties replace it."""
    return difference.changes, difference.replaces


@every_kind
def test_what_is_declared_is_granted_and_what_others_revoke_is_gone(
    kind: Kind, declared_kind: Declared, emulated: str
) -> None:
    """Create and read tell the same complete outputs; a read after others revoked it drops it; delete then succeeds."""
    it = declared_kind
    created = it.create()

    assert created.id == it.id()
    assert it.granted() == {it.identity(it.scenery.values)}
    found = it.read(created)
    assert (found.id, found.outputs) == (created.id, created.outputs)

    it.scenery.revoke(it.scenery.values)
    with PulumiHost(provider_of(kind), environment=aws_environment(emulated)) as later:
        assert later.read(created.id, created.outputs).gone  # every refresh has a host of its own
    it.delete(created)
    assert it.granted() == set()


@every_kind
def test_the_state_holds_what_is_documented_and_no_secret(kind: Kind, declared_kind: Declared) -> None:
    """Every output of the kind's page has its value, and nothing is stored beyond those and the inputs."""
    it = declared_kind
    outputs = it.create().outputs

    assert set(outputs) - INTERNAL == documented_outputs(kind) | set(it.inputs()) - INTERNAL
    assert {name: outputs[name] for name in it.scenery.values} == it.scenery.values
    assert (outputs["account"], outputs["region"]) == ("123456789012", "us-east-1")
    assert (outputs["adopted"], outputs["status_code"]) == (False, 200)
    status = [word for word, state in kind.look.states.items() if state.name == "PRESENT"]
    assert [outputs[kind.status_name]] == status if kind.look.status else kind.status_name not in outputs
    assert "testing" not in json.dumps(outputs)


@every_kind
def test_another_value_of_any_part_replaces(kind: Kind, declared_kind: Declared) -> None:
    """Each part of the identity replaces, known or not; the new one is created first, unless only one can be there."""
    it = declared_kind
    first = current = it.create()

    assert told(it.diff(first)) == NOTHING
    for part in kind.parts:
        assert told(it.diff(first, **{part.name: UNKNOWN})) == (True, (part.name,))
        difference = it.diff(first, **it.other(part.name))
        assert told(difference) == (True, (part.name,))
        assert difference.delete_before_replace == kind.look.exclusive

        it.delete(current)
        current = it.create(**it.other(part.name))
        assert it.granted() == {it.identity(it.other(part.name))}
    it.delete(current)
    assert it.granted() == set()


@every_kind
def test_another_spelling_is_a_change_only_where_the_service_compares_it(kind: Kind, declared_kind: Declared) -> None:
    """Parts that the service compares without case keep the resource and its id; all others replace it."""
    it = declared_kind
    created = it.create()

    for part in kind.parts:
        same = it.scenery.spellings.get(part.name, ())
        for spelling in same:
            assert told(it.diff(created, **{part.name: spelling})) == NOTHING
        swapped = it.scenery.values[part.name].swapcase()
        if not same and swapped != it.scenery.values[part.name]:
            assert told(it.diff(created, **{part.name: swapped})) == (True, (part.name,))


@every_kind
def test_what_grants_nothing_else_is_an_update_without_a_call(kind: Kind, declared_kind: Declared) -> None:
    """Whatever a delete reads from the state gets there: time-out, on_existing, options, who declares it."""
    it = declared_kind
    created = it.create()
    it.control.clear_journal()
    passing = {option.name: option.example for option in kind.options if not option.lasting}
    changes: tuple[dict[str, Any], ...] = (
        {"timeout_seconds": 7},
        {"on_existing": "adopt"},
        {"declared_by": ["organization", "renamed", "dev", "", "example"]},
        *({name: value} for name, value in passing.items()),
    )
    for change in changes:
        assert told(it.diff(created, **change)) == UPDATED
        assert it.host.update(created.id, created.outputs, it.inputs(**change)) == {**created.outputs, **change}
    assert told(it.diff(created, timeout_seconds=UNKNOWN)) == UPDATED
    assert told(it.diff(created, region="us-east-1")) == NOTHING
    assert it.calls() == []


@every_kind
def test_another_revision_grants_again_what_is_gone(declared_kind: Declared) -> None:
    """A changed ``revision`` is an update that looks: others' removal is made good, and the id stays."""
    it = declared_kind
    created = it.create(revision="1")
    it.scenery.revoke(it.scenery.values)

    assert told(it.diff(created, revision="1")) == NOTHING
    assert told(it.diff(created, revision="2")) == UPDATED
    outputs = it.host.update(created.id, created.outputs, it.inputs(revision="2"))

    assert outputs == {**created.outputs, "revision": "2"}
    assert it.granted() == {it.identity(it.scenery.values)}


@every_kind
def test_check_refuses_each_part_by_its_name(kind: Kind, idle_host: PulumiHost) -> None:
    """A part that is empty, no text, a step in a path or missing is refused before any call; an unknown one is not."""
    provider = serialize_provider(provider_of(kind))
    valid: dict[str, Any] = {part.name: part.example for part in kind.parts}
    assert idle_host.check(valid, provider=provider).failures == ()
    assert idle_host.check(dict.fromkeys(valid, UNKNOWN), provider=provider).failures == ()

    for part in kind.parts:
        for value in ("", "..", 7, 1.5, True, ["x"], *(() if part.default is not None else (None,))):
            failures = idle_host.check({**valid, part.name: value}, provider=provider).failures
            assert [failure.property for failure in failures] == [part.name], value
        assert idle_host.check({**valid, part.name: UNKNOWN}, provider=provider).inputs[part.name] is UNKNOWN


@every_kind
def test_check_refuses_an_id_that_has_no_room(kind: Kind, idle_host: PulumiHost) -> None:
    """Where the service publishes no maximum of a name, the room in the id is the limit, and a preview says so."""
    provider = serialize_provider(provider_of(kind))
    valid = {part.name: part.example for part in kind.parts}
    for part in kind.parts:
        endless = part.example + part.example[-1] * 1100
        (failure,) = idle_host.check({**valid, part.name: endless}, provider=provider).failures
        assert failure.property == part.name
        assert len(failure.reason) < 250


OPTIONS = [(kind, option) for kind in KINDS for option in kind.options]
every_option = pytest.mark.parametrize(("kind", "option"), OPTIONS, ids=lambda value: value.name)


def other_value(value: Any) -> Any:
    """A value of the same shape that says something else."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, str):
        return f"{value}0"
    if isinstance(value, Mapping):
        return {name: other_value(item) for name, item in value.items()}
    return [other_value(item) for item in value]


def unknown_within(value: Any) -> Any:
    """The same with nothing known but the shape."""
    if isinstance(value, Mapping):
        return {name: unknown_within(item) for name, item in value.items()}
    return [unknown_within(item) for item in value] if isinstance(value, list) else UNKNOWN


@every_option
def test_an_option_reaches_the_service_and_replaces_if_it_lasts(
    kind: Kind, option: Option, declared_kind: Declared
) -> None:
    """An option is sent as the API takes it; another value, or none, replaces what keeps it and nothing else."""
    it = declared_kind
    created = it.create(**{option.name: option.example})

    sent = [entry for entry in it.control.journal(kind.associate) if entry.access_key_id == "testing"]
    assert [entry.parameters[option.wire] for entry in sent] == [option.example]
    assert created.outputs[option.name] == option.example
    assert it.read(created).outputs == created.outputs

    expected = (True, (option.name,)) if option.lasting else UPDATED
    assert told(it.diff(created, **{option.name: option.example})) == NOTHING
    for value in (other_value(option.example), unknown_within(option.example), UNKNOWN, None):
        assert told(it.diff(created, **{option.name: value})) == expected, value

    # The same pair cannot be there twice; another one is created first, so that a failure changes nothing.
    part = kind.parties[1].name
    assert it.diff(created).delete_before_replace == option.lasting
    assert not it.diff(created, **it.other(part)).delete_before_replace

    outputs = it.host.update(created.id, created.outputs, it.inputs())
    assert option.name not in outputs


@every_option
def test_check_looks_into_an_option_as_far_as_it_is_known(kind: Kind, option: Option, idle_host: PulumiHost) -> None:
    """What is unknown at whatever depth is let through and kept; a wrong shape is refused by the option's name."""
    provider = serialize_provider(provider_of(kind))
    valid = {part.name: part.example for part in kind.parts}

    for value in (UNKNOWN, unknown_within(option.example)):
        checked = idle_host.check({**valid, option.name: value}, provider=provider)
        assert checked.failures == ()
        assert checked.inputs[option.name] == value
    wrong = {"Surely": "not"} if option_shape(kind, option).type_name != "list" else [{"Surely": "not"}]
    (failure,) = idle_host.check({**valid, option.name: wrong}, provider=provider).failures
    assert failure.property == option.name


DEFAULTS = [(kind, part) for kind in KINDS for part in kind.parts if part.default is not None]


@pytest.mark.parametrize(("kind", "part"), DEFAULTS, ids=lambda value: value.name)
def test_a_default_is_the_same_left_out_or_written_out(part: Part, declared_kind: Declared) -> None:
    """The id holds what was meant, so that writing it out, or leaving it out again, changes nothing."""
    it = declared_kind
    left_out = it.create(**{part.name: None})

    assert left_out.id == it.id()
    assert left_out.outputs[part.name] == it.scenery.values[part.name]
    assert left_out.outputs["defaulted"] == [part.name]
    assert told(it.diff(left_out, **{part.name: None})) == NOTHING
    assert told(it.diff(left_out)) == NOTHING
    assert told(it.diff(left_out, **it.other(part.name))) == (True, (part.name,))
    same = {**left_out.outputs, "defaulted": []}
    assert told(it.host.diff(left_out.id, same, it.inputs(**{part.name: None}))) == NOTHING
    assert it.read(left_out).outputs == left_out.outputs
    it.delete(left_out)

    written_out = it.create(**it.other(part.name))
    assert written_out.outputs["defaulted"] == []
    assert told(it.diff(written_out, **{part.name: None})) == (True, (part.name,))
    it.delete(written_out)
    assert it.granted() == set()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.is_global], ids=lambda kind: kind.name)
def test_a_global_association_is_the_same_from_every_region(kind: Kind, emulated: str) -> None:
    """It has one id wherever it is declared, and a program in another region reads and deletes it."""
    regions = {name: {**aws_environment(emulated), "AWS_REGION": name} for name in ("eu-west-1", "ap-southeast-2")}
    with PulumiHost(provider_of(kind), environment=regions["eu-west-1"]) as host:
        it = Declared(kind, host)
        created = it.create()
    assert (created.id, created.outputs["region"]) == (it.id(), "us-east-1")

    with PulumiHost(provider_of(kind), environment=regions["ap-southeast-2"]) as it.host:
        assert told(it.diff(created)) == NOTHING
        assert it.read(created).outputs == created.outputs
        it.delete(created)
    assert it.granted() == set()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if not kind.is_global], ids=lambda kind: kind.name)
def test_another_region_replaces(declared_kind: Declared) -> None:
    """A region that is written out is part of the identity, known or not; one that is not is that of creation."""
    it = declared_kind
    created = it.create()

    for region in ("eu-west-1", UNKNOWN):
        assert told(it.diff(created, region=region)) == (True, ("region",))


@every_kind
def test_a_party_that_is_missing_is_a_short_message(kind: Kind, declared_kind: Declared) -> None:
    """A user reads what was being created, in the words of the kind, and nothing of the SDK."""
    it = declared_kind
    it.scenery.remove(kind.parties[1].name)

    with pytest.raises(HostError) as failed:
        it.create()

    assert f"creating {kind.noun} {WORDS.named(it.identity(it.scenery.values))}" in failed.value.message
    assert len(failed.value.details.splitlines()) <= 12
    assert "botocore" not in failed.value.details
