"""Every kind through the function: what it answers, what GetAtt serves, and what is granted in truth."""

from __future__ import annotations

from typing import Any

import pytest

from aws_associations.kind import property_name
from tests.contract.scenery import SCENERY, module_of
from tests.handlers.kinds import can_fail, has_status, kind, kinds, parts, replaceable
from tests.handlers.stage import MARKER, KindStage, shown


def status_property(stage: KindStage) -> str:
    """What GetAtt calls the service's status."""
    return property_name(stage.kind.status_name, None)


# -- create, replace, delete -------------------------------------------------------------------------------------------


@kinds()
def test_a_create_grants_and_serves_every_attribute(kind_stage: KindStage) -> None:
    """SUCCESS with the id; GetAtt serves each part, the status of a service that has one, and the status code."""
    stage = kind_stage

    answer = stage.create()

    assert shown(answer) == ("SUCCESS", stage.id())
    status = {status_property(stage): answer.data.get(status_property(stage))} if has_status(stage.kind) else {}
    assert answer.data == {**stage.properties(), **status, "StatusCode": "200"}
    assert all(stage.kind.look.states[str(word)].value == "present" for word in status.values())
    assert answer.reason == "Created"
    assert stage.granted() == [stage.values()]


@parts(replaceable)
def test_another_value_of_any_part_is_a_replacement(kind_stage: KindStage, part: str) -> None:
    """An Update grants the new one and answers its id; the Delete of the old id, which follows, leaves just that."""
    stage = kind_stage
    stage.create()

    answer = stage.update(stage.id(), stage.properties(stage.values(part)))

    assert shown(answer) == ("SUCCESS", stage.id(stage.values(part)))
    assert stage.properties(stage.values(part)).items() <= answer.data.items()
    assert sorted(map(str, stage.granted())) == sorted(map(str, [stage.values(), stage.values(part)]))
    stage.stack.happens("UPDATE_COMPLETE", "Membership", stage.id(stage.values(part)))
    assert shown(stage.delete(stage.id())) == ("SUCCESS", stage.id())
    assert stage.granted() == [stage.values(part)]


@parts(lambda kind, part: not replaceable(kind, part))
def test_what_cannot_be_replaced_is_refused_and_kept(kind_stage: KindStage, part: str) -> None:
    """Where the old association stands in the new one's way, an Update fails, names it, and nothing has changed."""
    stage = kind_stage
    stage.create()

    answer = stage.update(stage.id(), stage.properties(stage.values(part)))

    assert shown(answer) == ("FAILED", stage.id())
    assert f"'{stage.values()[part]}'" in str(answer.reason)
    assert stage.granted() == [stage.values()]


@kinds()
def test_an_update_of_nothing_else_keeps_it(kind_stage: KindStage) -> None:
    """Whatever changes beside the identity, the id stays, every attribute is served, and no call is made."""
    stage = kind_stage
    created = stage.create()
    stage.control.clear_journal()

    answer = stage.update(stage.id(), stage.properties(OnExisting="Adopt"))

    assert shown(answer) == ("SUCCESS", stage.id())
    assert answer.data == {**created.data, "StatusCode": ""}
    assert stage.calls() == []


@parts(lambda kind, part: part in SCENERY[module_of(kind)].spellings)
def test_another_spelling_is_the_same_association(kind_stage: KindStage, part: str) -> None:
    """An Update to a spelling that the service does not tell apart keeps the id and writes nothing."""
    stage = kind_stage
    stage.create()
    stage.control.clear_journal()

    for spelling in stage.scenery.spellings[part]:
        answer = stage.update(stage.id(), stage.properties(stage.values(**{part: spelling})))
        assert shown(answer) == ("SUCCESS", stage.id())

    assert stage.writes() == []
    assert stage.granted() == [stage.values()]


@kinds()
def test_a_delete_revokes_and_may_come_twice(kind_stage: KindStage) -> None:
    """Delete answers the same id, whether there is something to revoke or not, and with whatever properties."""
    stage = kind_stage
    stage.create()

    answers = [stage.delete(stage.id()), stage.delete(stage.id(), {}), stage.delete(stage.id(), {"Old": ["x"]})]

    assert [shown(answer) for answer in answers] == [("SUCCESS", stage.id())] * 3
    # A service that takes any removal for a success does not tell whether there was something to remove.
    assert answers[0].reason == "Revoked"
    assert {answer.reason for answer in answers[1:]} <= {"Revoked", "Was absent already"}
    assert stage.granted() == []


@kinds()
def test_what_others_granted_fails_a_create_or_is_adopted(kind_stage: KindStage) -> None:
    """A present one fails with a marker, whose Delete leaves it; with OnExisting: Adopt it is taken, with a flag."""
    stage = kind_stage
    stage.scenery.grant(stage.values())

    failed = stage.create()
    assert shown(failed) == ("FAILED", MARKER)
    assert "AlreadyExists" in str(failed.reason)
    assert shown(stage.delete(MARKER)) == ("SUCCESS", MARKER)

    adopted = stage.create(stage.properties(OnExisting="Adopt"))
    assert shown(adopted) == ("SUCCESS", stage.id(adopted=True))
    assert stage.properties().items() <= adopted.data.items()
    assert adopted.data["StatusCode"] == ""
    assert stage.granted() == [stage.values()]


# -- properties --------------------------------------------------------------------------------------------------------


@kinds()
def test_an_unknown_property_is_refused_with_all_that_are_known(kind_stage: KindStage) -> None:
    """The message lists the kind's own properties, options too, then those of every kind."""
    stage = kind_stage

    answer = stage.create(stage.properties(Qqq="x"))

    parts = [part.property_name for part in stage.kind.parts]
    known = [*parts, *(option.property_name for option in stage.kind.options)]
    assert f"property Qqq is not known. Known are: {', '.join([*known, 'OnExisting', 'Revision'])}. Correct" in str(
        answer.reason
    )
    assert stage.control.journal() == []


@kinds(lambda kind: any(part.default is not None for part in kind.parts))
def test_a_part_left_out_means_its_default(kind_stage: KindStage) -> None:
    """The id and GetAtt hold the value that was meant; written out or left out, it is the same association."""
    stage = kind_stage
    required = {part.name for part in stage.kind.parts if part.default is None}
    short = stage.properties({name: value for name, value in stage.values().items() if name in required})
    assert len(short) < len(stage.properties())

    created = stage.create(short)

    assert shown(created) == ("SUCCESS", stage.id())
    assert stage.properties().items() <= created.data.items()
    assert stage.granted() == [stage.values()]
    assert shown(stage.update(stage.id(), stage.properties(), short)) == ("SUCCESS", stage.id())
    assert shown(stage.update(stage.id(), short)) == ("SUCCESS", stage.id())
    assert len(stage.writes()) == 1


# -- options -----------------------------------------------------------------------------------------------------------


def as_cloudformation_says(value: Any) -> Any:
    """The value as an event has it: every scalar is a string."""
    if isinstance(value, dict):
        return {name: as_cloudformation_says(item) for name, item in value.items()}
    if isinstance(value, list):
        return [as_cloudformation_says(item) for item in value]
    return str(value).lower() if isinstance(value, bool) else str(value)


@kinds(lambda kind: kind.options)
def test_options_arrive_as_the_api_has_them(kind_stage: KindStage) -> None:
    """What CloudFormation made strings of is sent with the types of the service's model, and is no part of the id."""
    stage = kind_stage
    options = {option.property_name: option.example for option in stage.kind.options}
    event = stage.event("Create", stage.properties(**options))
    said = {name: event["ResourceProperties"][name] for name in options}
    assert said == {name: as_cloudformation_says(value) for name, value in options.items()}

    answer = stage.answer(event)

    assert shown(answer) == ("SUCCESS", stage.id())
    (sent,) = stage.journal(stage.kind.associate)
    assert {option.wire: sent.parameters[option.wire] for option in stage.kind.options} == {
        option.wire: option.example for option in stage.kind.options
    }
    assert stage.properties().keys() <= answer.data.keys()
    assert not options.keys() & answer.data.keys()


@pytest.mark.parametrize(("said", "sent"), [("true", True), ("false", False), ("True", True), (True, True)])
@kind("IotThingGroupMembership")
def test_a_truth_value_may_be_spelt_as_in_yaml_or_json(kind_stage: KindStage, said: object, sent: bool) -> None:
    """Both words in any case, and a JSON boolean, are sent as a boolean."""
    event = kind_stage.event("Create")
    event["ResourceProperties"]["OverrideDynamicGroups"] = said

    assert kind_stage.answer(event).status == "SUCCESS"
    (entry,) = kind_stage.journal("AddThingToThingGroup")
    assert entry.parameters["overrideDynamicGroups"] is sent


CONFIGURATION, PREREQUISITES = "AssociationConfiguration", "PrerequisitePackageIDList"


@pytest.mark.parametrize("request_type", ["Create", "Update"])
@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        (CONFIGURATION, {"KeyStore": {}}, "has no member 'KeyStore'; known are KeyStoreAccessOption"),
        (CONFIGURATION, {"KeyStoreAccessOption": {}}, "KeyStoreAccessOption lacks the member KeyStoreAccessEnabled"),
        (CONFIGURATION, {"KeyStoreAccessOption": "true"}, "KeyStoreAccessOption must be an object with"),
        (
            CONFIGURATION,
            {"KeyStoreAccessOption": {"KeyStoreAccessEnabled": "maybe"}},
            "KeyStoreAccessOption.KeyStoreAccessEnabled must be true or false, is 'maybe'",
        ),
        (CONFIGURATION, "text", "must be an object with KeyStoreAccessOption"),
        (CONFIGURATION, [{}], "must be an object with KeyStoreAccessOption"),
        (PREREQUISITES, "F111111111", "must be a list"),
        (PREREQUISITES, ["F111111111", "G 1"], "[1] must match the pattern"),
        (PREREQUISITES, [["F111111111"]], "[0] must be a string, is ['F111111111']"),
    ],
    ids=str,
)
@kind("OpenSearchPackageAssociation")
def test_a_wrong_option_is_named(
    kind_stage: KindStage, request_type: Any, name: str, value: object, problem: str
) -> None:
    """An unknown member, a wrong type or pattern is refused with the property's name and the place, before any call."""
    stage = kind_stage
    event = stage.event(
        request_type,
        stage.properties(**{name: value}),
        physical_resource_id=stage.id() if request_type == "Update" else None,
        old_properties=stage.properties(),
    )

    answer = stage.answer(event)

    assert shown(answer) == ("FAILED", stage.id() if request_type == "Update" else MARKER)
    assert f"property {name} {problem}" in str(answer.reason)
    assert stage.control.journal() == []


@kinds(lambda kind: any(option.lasting for option in kind.options))
def test_changed_lasting_options_are_left_with_a_warning(kind_stage: KindStage) -> None:
    """An Update that would need a new association for the same identity succeeds, writes nothing, and warns by name."""
    stage = kind_stage
    options = {option.property_name: option.example for option in stage.kind.options if option.lasting}
    stage.create(stage.properties(**options))
    stage.control.clear_journal()

    same = stage.update(stage.id(), stage.properties(**options, OnExisting="Adopt"), stage.properties(**options))
    assert shown(same) == ("SUCCESS", stage.id())
    assert stage.lines.named("options-not-applied") == []

    for before, after in [(options, {}), ({}, options)]:
        changed = stage.update(stage.id(), stage.properties(**after), stage.properties(**before))
        assert shown(changed) == ("SUCCESS", stage.id())
        (line,) = stage.lines.named("options-not-applied")
        assert line["level"] == "WARNING"
        assert set(line["options"].split(", ")) == set(options)
    assert stage.writes() == []


# -- what takes time ---------------------------------------------------------------------------------------------------


@kinds(can_fail)
def test_a_failed_association_says_why_and_is_cleaned_up(kind_stage: KindStage) -> None:
    """The service's failure ends the wait at once with its details; the marker's Delete removes it."""
    stage = kind_stage
    stage.scenery.fail("The dictionary has a syntax error in line 3", adding=True)

    answer = stage.create()

    assert shown(answer) == ("FAILED", MARKER)
    assert "NotStabilized" in str(answer.reason)
    assert "The dictionary has a syntax error in line 3" in str(answer.reason)
    assert shown(stage.delete(MARKER)) == ("SUCCESS", MARKER)
    assert stage.granted() == []


# -- of one kind only --------------------------------------------------------------------------------------------------


@kinds(lambda kind: kind.is_global)
def test_a_global_association_is_the_same_from_every_region(kind_stage: KindStage) -> None:
    """Declared from eu-west-1 the id holds the endpoint's region, us-east-1; Delete from there revokes it."""
    stage = kind_stage
    for region in ("eu-west-1", "ap-south-1"):
        stage.make_table(region)

    created = stage.answer(stage.event("Create", region="eu-west-1"), region="eu-west-1")

    assert shown(created) == ("SUCCESS", stage.id(region="us-east-1"))
    assert {entry.region for entry in stage.journal()} == {"us-east-1"}
    kept = stage.event(
        "Update", physical_resource_id=stage.id(), old_properties=stage.properties(), region="ap-south-1"
    )
    assert shown(stage.answer(kept, region="ap-south-1")) == ("SUCCESS", stage.id())
    delete = stage.event("Delete", physical_resource_id=stage.id(), region="eu-west-1")
    deleted = stage.answer(delete, region="eu-west-1")
    assert shown(deleted) == ("SUCCESS", stage.id())
    assert stage.granted() == []


@kind("DirectoryGroupMembership")
@pytest.mark.parametrize("code", ["AccessDeniedException", "ThrottlingException"])
def test_a_delivery_that_cannot_ask_repeats_what_was_answered(kind_stage: KindStage, code: str) -> None:
    """Granted, the answer lost, and the realm cannot be asked for any more: the recorded answer is sent."""
    stage = kind_stage
    short = {name: value for name, value in stage.properties().items() if name != "MemberRealm"}
    event = stage.event("Create", short)
    stage.lose(event)
    stage.control.add_fault("error", service="ds-data", error_code=code, count=None)

    again = stage.redeliver(event)

    assert shown(again) == ("SUCCESS", stage.id())
    assert again.data["MemberRealm"] == stage.values()["member_realm"]


# -- an update that left out a default ---------------------------------------------------------------------------------

defaulted = kinds(lambda kind: any(part.default is not None for part in kind.parts))


def default_of(stage: KindStage) -> str:
    """The part that may be left out."""
    (name,) = (part.name for part in stage.kind.parts if part.default is not None)
    return name


def shortly(stage: KindStage, *others: str) -> dict[str, Any]:
    """Properties that leave that part out."""
    values = stage.values(*others)
    del values[default_of(stage)]
    return stage.properties(values)


@pytest.mark.parametrize("changed", ["nothing", "group", "default"])
@defaulted
def test_an_update_asks_nothing_for_a_default_that_was_left_out_before(kind_stage: KindStage, changed: str) -> None:
    """What a default meant once it goes on meaning: no call beside those of the update itself."""
    stage = kind_stage
    part = {"nothing": (), "group": (stage.kind.parties[0].name,), "default": (default_of(stage),)}[changed]
    stage.create(shortly(stage))
    new = stage.properties(stage.values(*part)) if changed == "default" else shortly(stage, *part)
    stage.control.clear_journal()

    answer = stage.update(stage.id(), {**new, "OnExisting": "Adopt"}, shortly(stage))

    assert shown(answer) == ("SUCCESS", stage.id(stage.values(*part)))
    look = stage.kind.look.operation
    assert stage.calls() == ([] if changed == "nothing" else [look, stage.kind.associate, look])


@kind("DirectoryGroupMembership")
def test_a_reverse_goes_on_where_nobody_tells_what_a_default_means(kind_stage: KindStage) -> None:
    """The failed update gave the part, its reverse leaves it out: what is still there is kept, with a line."""
    stage = kind_stage
    other = stage.properties(stage.values(default_of(stage)))
    stage.create(shortly(stage))
    stage.control.add_fault("error", service="ds-data", error_code="AccessDeniedException", count=None)

    answer = stage.update(stage.id(), shortly(stage), other)

    assert shown(answer) == ("SUCCESS", stage.id())
    assert stage.lines.named("default-not-told")[0]["level"] == "WARNING"
    assert len(stage.writes()) == 1
