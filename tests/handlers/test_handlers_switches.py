"""No power by accident: a kind serves only where it is enabled, and grants only for the parties that are listed."""

from __future__ import annotations

import re
from typing import Any

import pytest

from aws_associations.kinds import KINDS
from engines.response_sink import Answer
from tests.contract.scenery import SCENERY, module_of
from tests.handlers.kinds import kind, kinds, parts, replaceable
from tests.handlers.stage import MARKER, TYPE, USER, KindStage, Stage, shown

SWITCH = TYPE.removeprefix("Custom::")
INVENTED = "team-Membership-1X2Y3Z4A5B6C"


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Set a parameter of the function's template, None: leave it out."""

    def set_parameter(patterns: str | None, name: str = SWITCH) -> None:
        if patterns is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, patterns)

    return set_parameter


def granting(stage: KindStage) -> str:
    """The value of the party that grants, in the association that the tests declare."""
    return stage.values()[stage.kind.parties[0].name]


def elsewhere(stage: KindStage) -> str:
    """Another value of the party that grants."""
    return stage.scenery.others[stage.kind.parties[0].name]


def refused(stage: Stage | KindStage, answer: Answer, physical_id: str, switch: str) -> str:
    """Expect a refusal that made no call and names the parameter; return what it says."""
    assert shown(answer) == ("FAILED", physical_id)
    assert "AccessDenied" in str(answer.reason)
    assert re.search(rf"parameter {switch}\b", str(answer.reason))
    assert stage.control.journal() == []
    return str(answer.reason)


# -- enabled or not ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [None, "", " ", " , ,"])
@kinds()
def test_a_kind_that_is_not_enabled_is_refused(kind_stage: KindStage, serve: Any, value: str | None) -> None:
    """Create, Update and the Delete of a real id make no call and name the parameter that would enable it."""
    stage, switch = kind_stage, kind_stage.kind.switch
    serve(value, switch)

    created = stage.create()
    updated = stage.update(stage.id(), stage.properties(OnExisting="Adopt"))
    deleted = stage.delete(stage.id())

    assert refused(stage, created, MARKER, switch) == (
        f"creating {stage.kind.cloudformation_type} Membership: AccessDenied: {stage.kind.cloudformation_type} is not"
        f" enabled in this function. In the function's own stack set the parameter {switch}, then deploy again."
    )
    refused(stage, updated, stage.id(), switch)
    refused(stage, deleted, stage.id(), switch)


@pytest.mark.parametrize("physical_id", [MARKER, INVENTED])
@kinds()
def test_what_was_never_granted_can_always_be_deleted(kind_stage: KindStage, serve: Any, physical_id: str) -> None:
    """A refused Create leaves a stack that can be rolled back: markers and invented ids succeed without a call."""
    serve(None, kind_stage.kind.switch)

    assert shown(kind_stage.delete(physical_id)) == ("SUCCESS", physical_id)
    assert kind_stage.control.journal() == []


@kinds()
def test_one_enabled_kind_enables_no_other(kind_stage: KindStage, serve: Any) -> None:
    """With this one enabled alone each other one is refused under its own parameter, and this one works."""
    stage = kind_stage
    others = [other for other in KINDS if other is not stage.kind]
    for other in others:
        serve(None, other.switch)

    for other in others:
        refused(stage, stage.create({}, resource_type=other.cloudformation_type), MARKER, other.switch)

    assert shown(stage.create()) == ("SUCCESS", stage.id())
    assert stage.granted() == [stage.values()]


# -- which parties may grant -------------------------------------------------------------------------------------------


LITERALS = ["[ab]nalysts", "a.b", "a*b", "a(b|c)+$", "a\\d", "two words"]
WILD = "* an* *ysts a*y*s analyst? ???????? traders,analysts traders,,analysts,"
NOT_IT = r"analyst nalysts analysts? ??????? Analysts [ab]nalysts [!x]nalysts a.alysts .* (analysts) \w+ t*analysts"


@pytest.mark.parametrize(
    ("patterns", "group"),
    [
        *((pattern, "analysts") for pattern in [*WILD.split(), " traders , analysts "]),
        *((text, text) for text in LITERALS),
        ("*", "line\nbreak"),
        ("line?break", "line\nbreak"),
    ],
)
def test_a_listed_party_may_grant(stage: Stage, serve: Any, patterns: str, group: str) -> None:
    """Patterns with * and ?, each for a whole value, separated by commas; spaces around them do not count."""
    stage.add(group, USER)
    serve(patterns)

    assert shown(stage.create(stage.properties(group))) == ("SUCCESS", stage.id(group))


@pytest.mark.parametrize(
    ("patterns", "group"),
    [
        *((pattern, "analysts") for pattern in [*NOT_IT.split(), "traders, brokers", "analysts|x", "analysts traders"]),
        ("analysts", "analysts\n"),
        ("analysts", " analysts"),
    ],
)
def test_any_other_party_may_not(stage: Stage, serve: Any, patterns: str, group: str) -> None:
    """Part of a value, another case, brackets and everything else of a regular expression match only themselves."""
    stage.add(group, USER)
    serve(patterns)

    said = refused(stage, stage.create(stage.properties(group)), MARKER, SWITCH)

    listed = ", ".join(pattern.strip() for pattern in patterns.split(","))
    assert said == (
        f"creating {TYPE} Membership: AccessDenied: this function may not grant for PermissionGroupId {group!r}."
        f" Its stack's parameter {SWITCH} lists what it may: {listed}."
    )


@pytest.mark.parametrize("patterns", ["TRADERS", "traders", "tRa*", "T?aders"])
@pytest.mark.parametrize("group", ["traders", "TRADERS"])
@kind("DirectoryGroupMembership")
def test_directory_groups_match_without_case(kind_stage: KindStage, serve: Any, patterns: str, group: str) -> None:
    """Names that the service compares without case match a pattern in any case."""
    stage = kind_stage
    serve(patterns, stage.kind.switch)
    values = stage.values(group_name=group)

    assert shown(stage.create(stage.properties(values))) == ("SUCCESS", stage.id(values))


@kinds()
def test_each_kind_grants_for_its_listed_parties_only(kind_stage: KindStage, serve: Any) -> None:
    """It is the granting party's value that is listed, of whatever kind; the other party's does not count."""
    stage, switch = kind_stage, kind_stage.kind.switch
    member = stage.values()[stage.kind.parties[1].name]
    serve(f"{member},not-{granting(stage)}", switch)
    if granting(stage).casefold() != elsewhere(stage).casefold():
        serve(f"{member},{elsewhere(stage)}", switch)

    refused(stage, stage.create(), MARKER, switch)

    serve(granting(stage), switch)
    assert shown(stage.create()) == ("SUCCESS", stage.id())
    assert stage.granted() == [stage.values()]


@kinds(lambda kind: any(part.default is not None for part in kind.parts))
def test_an_unlisted_party_is_refused_before_a_default_is_asked_for(kind_stage: KindStage, serve: Any) -> None:
    """With a part left out, too, no call is made for a party outside the list: on Create, on Update, to heal."""
    stage, switch = kind_stage, kind_stage.kind.switch
    required = {part.name for part in stage.kind.parts if part.default is None}

    def short(values: dict[str, str], **more: str) -> dict[str, Any]:
        return stage.properties({name: value for name, value in values.items() if name in required}, **more)

    serve(granting(stage), switch)
    other = stage.values(stage.kind.parties[0].name)

    refused(stage, stage.create(short(other)), MARKER, switch)
    refused(stage, stage.update(stage.id(), short(other)), stage.id(), switch)
    refused(stage, stage.update(INVENTED, short(other)), INVENTED, switch)
    serve(elsewhere(stage), switch)
    refused(stage, stage.update(stage.id(), short(stage.values(), Revision="2")), stage.id(), switch)


@parts(lambda kind, part: part == kind.parties[0].name and replaceable(kind, part))
def test_an_update_to_an_unlisted_party_is_refused(kind_stage: KindStage, serve: Any, part: str) -> None:
    """The old id is answered, nothing is called, and the association is as it was."""
    stage, switch = kind_stage, kind_stage.kind.switch
    stage.create()
    stage.control.clear_journal()
    serve(granting(stage), switch)

    refused(stage, stage.update(stage.id(), stage.properties(stage.values(part))), stage.id(), switch)

    assert stage.granted() == [stage.values()]
    serve(f"{granting(stage)},{elsewhere(stage)}", switch)
    assert stage.update(stage.id(), stage.properties(stage.values(part))).status == "SUCCESS"


@parts(lambda kind, name: next(part.default is not None for part in kind.parts if part.name == name))
def test_an_unlisted_party_takes_nobody_by_a_default(kind_stage: KindStage, serve: Any, part: str) -> None:
    """An Update that only drops a property may be a replacement, as its default tells: refused, nothing written."""
    stage, switch = kind_stage, kind_stage.kind.switch
    before = stage.values(part)
    after = {name: value for name, value in before.items() if name != part}
    assert stage.create(stage.properties(before)).status == "SUCCESS"
    serve("nobody", switch)

    answer = stage.update(stage.id(before), stage.properties(after), stage.properties(before))

    assert shown(answer) == ("FAILED", stage.id(before))
    assert f"parameter {switch} lists what it may" in str(answer.reason)
    assert stage.granted() == [before]
    assert len(stage.writes()) == 1


@parts(lambda kind, part: part in SCENERY[module_of(kind)].spellings)
def test_another_spelling_of_an_unlisted_party_is_kept(kind_stage: KindStage, serve: Any, part: str) -> None:
    """An Update to a spelling that means the same grants nothing, so the list does not stand in its way."""
    stage = kind_stage
    stage.create()
    serve("nobody", stage.kind.switch)

    for spelling in stage.scenery.spellings[part]:
        answer = stage.update(stage.id(), stage.properties(stage.values(**{part: spelling})))
        assert shown(answer) == ("SUCCESS", stage.id())


def test_a_create_that_claims_to_be_there_is_a_create(stage: Stage, serve: Any) -> None:
    """An id in a Create, which CloudFormation never sends, does not pass for something that was granted before."""
    serve("traders")

    refused(stage, stage.create(PhysicalResourceId=stage.id()), MARKER, SWITCH)


@kinds()
def test_an_unlisted_party_is_not_granted_again(kind_stage: KindStage, serve: Any) -> None:
    """A changed Revision asks to grant what is gone, so the list holds for it: refused before any call."""
    stage, switch = kind_stage, kind_stage.kind.switch
    serve("nobody", switch)

    refused(stage, stage.update(stage.id(), stage.properties(Revision="2")), stage.id(), switch)
    assert stage.granted() == []


@kinds()
def test_what_was_granted_while_it_was_listed_can_be_kept_and_deleted(kind_stage: KindStage, serve: Any) -> None:
    """Striking a party from the list blocks no stack: an Update that grants nothing and any Delete go on working."""
    stage = kind_stage
    stage.create()
    serve("nobody", stage.kind.switch)

    kept = stage.update(stage.id(), stage.properties(OnExisting="Adopt"))
    assert shown(kept) == ("SUCCESS", stage.id())
    assert len(stage.writes()) == 1

    assert shown(stage.delete(stage.id())) == ("SUCCESS", stage.id())
    assert stage.granted() == []
