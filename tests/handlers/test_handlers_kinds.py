"""Every kind through the function: what it answers, what GetAtt serves, and what is granted in truth."""

from __future__ import annotations

import datetime
import time
import types
from collections import deque
from typing import Any

import botocore.endpoint
import pytest

from aws_associations.host import Holders, Remainder
from aws_associations.identity import Identity
from aws_associations.kind import property_name
from aws_associations_lambda import index
from aws_associations_lambda.host import CloudFormationHost
from aws_associations_lambda.responder import AnswerNotDeliveredError
from tests.contract.scenery import SCENERY, client, module_of
from tests.handlers.kinds import can_fail, has_status, kind, kinds, parts, replaceable
from tests.handlers.stage import ACCOUNT, MARKER, REGION, KindStage, shown


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
    """Whatever changes beside the identity, the id stays, every attribute is served, and nothing is written."""
    stage = kind_stage
    created = stage.create()
    stage.control.clear_journal()

    answer = stage.update(stage.id(), stage.properties(OnExisting="Adopt"))

    assert shown(answer) == ("SUCCESS", stage.id())
    assert answer.data == {**created.data, "StatusCode": ""}
    assert stage.writes() == []


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
def test_a_changed_revision_grants_again(kind_stage: KindStage) -> None:
    """What was revoked behind the stack's back is granted again under the same id."""
    stage = kind_stage
    stage.create()
    stage.scenery.revoke(stage.values())
    stage.control.advance(601)  # past the life of a token that is the same in every deployment

    answer = stage.update(stage.id(), stage.properties(Revision="2"))

    assert shown(answer) == ("SUCCESS", stage.id())
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


@parts(lambda kind, name: next(part.default is None for part in kind.parts if part.name == name))
def test_a_missing_part_is_named(kind_stage: KindStage, part: str) -> None:
    """Whatever has no default is required, and refused by its CloudFormation name before any call."""
    stage = kind_stage
    values = stage.values()
    (missing,) = stage.properties({part: values.pop(part)})

    answer = stage.create(stage.properties(values))

    assert shown(answer) == ("FAILED", MARKER)
    assert f"InvalidRequest: property {missing} is missing" in str(answer.reason)
    assert stage.control.journal() == []


@pytest.mark.parametrize("value", ["", "x" * 1100, ["list"], {"a": "map"}], ids=["empty", "long", "list", "map"])
@parts()
def test_a_wrong_value_of_any_part_is_refused(kind_stage: KindStage, part: str, value: object) -> None:
    """Type and length of each part are checked against the service's model, and the id's length, before any call."""
    stage = kind_stage
    (name,) = stage.properties({part: "x"})

    answer = stage.create({**stage.properties(), name: value})

    assert shown(answer) == ("FAILED", MARKER)
    assert "InvalidRequest" in str(answer.reason)
    assert name in str(answer.reason) or "the resource id would have" in str(answer.reason)
    assert stage.control.journal() == []


@kinds()
def test_an_unknown_property_is_refused_with_all_that_are_known(kind_stage: KindStage) -> None:
    """The message lists the kind's own properties, options too, then those of every kind."""
    stage = kind_stage

    answer = stage.create(stage.properties(Qqq="x"))

    parts = [part.property_name for part in stage.kind.parts]
    known = [*parts, *(option.property_name for option in stage.kind.options)]
    assert f"property Qqq is not known. Known are: {', '.join([*known, 'OnExisting', 'Revision'])}." in str(
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


@pytest.mark.parametrize("value", ["yes", "1", "", ["true"], {"a": "true"}, 1])
@kind("IotThingGroupMembership")
def test_anything_else_is_no_truth_value(kind_stage: KindStage, value: object) -> None:
    """It is refused with the property's name, before any call."""
    event = kind_stage.event("Create")
    event["ResourceProperties"]["OverrideDynamicGroups"] = value

    answer = kind_stage.answer(event)

    assert shown(answer) == ("FAILED", MARKER)
    assert "property OverrideDynamicGroups must be true or false" in str(answer.reason)
    assert kind_stage.control.journal() == []


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
        (PREREQUISITES, [["F111111111"]], "[0] must be a string, not list"),
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


@kinds(lambda kind: any(not option.lasting for option in kind.options))
def test_changed_passing_options_are_nobodys_business(kind_stage: KindStage) -> None:
    """An option that only says how one request goes may change without a warning."""
    stage = kind_stage
    options = {option.property_name: option.example for option in stage.kind.options if not option.lasting}
    stage.create(stage.properties(**options))

    assert shown(stage.update(stage.id(), stage.properties(), stage.properties(**options))) == ("SUCCESS", stage.id())
    assert stage.lines.named("options-not-applied") == []


@kinds(lambda kind: any(option.lasting for option in kind.options))
def test_old_properties_that_no_longer_are_any_do_not_matter(kind_stage: KindStage) -> None:
    """Whatever an older version of the function took for an option, an Update away from it succeeds."""
    stage = kind_stage
    stage.create()
    old = {option.property_name: "of an older version" for option in stage.kind.options}

    answer = stage.update(stage.id(), stage.properties(), stage.properties(**old, Gone="x"))

    assert shown(answer) == ("SUCCESS", stage.id())


# -- what takes time ---------------------------------------------------------------------------------------------------


@kinds(has_status)
def test_a_create_that_outlasts_the_function_answers_the_real_id(kind_stage: KindStage) -> None:
    """NotStabilized with the last status and the id, so that the Delete of a rollback revokes it, and does."""
    stage = kind_stage
    stage.scenery.slow(adding=60)

    answer = stage.create()

    assert shown(answer) == ("FAILED", stage.id())
    assert "NotStabilized" in str(answer.reason)
    (adding,) = (word for word, state in stage.kind.look.states.items() if state.value == "being added")
    assert adding in str(answer.reason)
    assert stage.granted() == [stage.values()]
    assert shown(stage.delete(stage.id())) == ("SUCCESS", stage.id())
    assert stage.granted() == []


@kinds(has_status)
def test_an_update_that_outlasts_the_function_leaves_the_old_one(kind_stage: KindStage) -> None:
    """A replacement that never settles is undone, or named for the cleanup; the old association is as it was."""
    stage = kind_stage
    (_, member) = stage.kind.parties
    new = stage.values(member.name)
    stage.create()
    stage.scenery.slow(adding=3600)

    answer = stage.update(stage.id(), stage.properties(new))

    assert answer.status == "FAILED"
    assert "NotStabilized" in str(answer.reason)
    assert answer.physical_resource_id == (stage.id(new) if new in stage.granted() else stage.id())
    assert stage.values() in stage.granted()


@kinds(has_status)
def test_a_delete_that_outlasts_the_function_keeps_the_id(kind_stage: KindStage) -> None:
    """A removal that is not over in time fails with the id; deleted again, it is waited for to its end."""
    stage = kind_stage
    stage.create()
    stage.scenery.slow(removing=50)

    answer = stage.delete(stage.id())

    assert shown(answer) == ("FAILED", stage.id())
    assert "NotStabilized" in str(answer.reason)
    assert shown(stage.delete(stage.id())) == ("SUCCESS", stage.id())
    assert stage.granted() == []


@kinds(can_fail)
def test_a_failed_association_says_why_and_is_cleaned_up(kind_stage: KindStage) -> None:
    """The service's failure ends the wait at once with its details and the real id, which Delete then removes."""
    stage = kind_stage
    stage.scenery.fail("The dictionary has a syntax error in line 3", adding=True)

    answer = stage.create()

    assert shown(answer) == ("FAILED", stage.id())
    assert "NotStabilized" in str(answer.reason)
    assert "The dictionary has a syntax error in line 3" in str(answer.reason)
    assert shown(stage.delete(stage.id())) == ("SUCCESS", stage.id())
    assert stage.granted() == []


@kinds(can_fail)
def test_a_failed_removal_says_why_and_keeps_the_id(kind_stage: KindStage) -> None:
    """A removal that the service gives up on stays in the stack, to be deleted again."""
    stage = kind_stage
    stage.create()
    stage.scenery.fail("An index uses the package", removing=True)

    answer = stage.delete(stage.id())

    assert shown(answer) == ("FAILED", stage.id())
    assert "An index uses the package" in str(answer.reason)


# -- of one kind only --------------------------------------------------------------------------------------------------


@kinds(lambda kind: kind.is_global)
def test_a_global_association_is_the_same_from_every_region(kind_stage: KindStage) -> None:
    """Declared from eu-west-1 the id holds the endpoint's region, us-east-1; Delete from there revokes it."""
    stage = kind_stage

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


@kind("IotThingGroupMembership")
def test_any_other_association_is_of_the_functions_region(kind_stage: KindStage) -> None:
    """Calls go to the region in the function's ARN, and the id holds it."""
    stage = kind_stage

    answer = stage.answer(stage.event("Create", region="eu-west-1"), region="eu-west-1")

    assert answer.status == "FAILED"  # the thing is in us-east-1 only
    assert "eu-west-1" in str(answer.reason)
    assert {entry.region for entry in stage.journal()} == {"eu-west-1"}


@kinds(lambda kind: kind.look.exclusive)
def test_what_another_party_holds_is_refused_naming_it(kind_stage: KindStage) -> None:
    """A thing in another billing group is not moved, not even with OnExisting: Adopt; the message names the group."""
    stage = kind_stage
    granting = stage.kind.parties[0].name
    stage.scenery.grant(stage.values(granting))

    for on_existing in ("Fail", "Adopt"):
        answer = stage.create(stage.properties(OnExisting=on_existing))
        assert shown(answer) == ("FAILED", MARKER)
        assert f"'{stage.values(granting)[granting]}'" in str(answer.reason)
    assert stage.granted() == [stage.values(granting)]
    assert stage.writes() == []


@kind("DirectoryGroupMembership")
def test_the_realm_is_asked_for_once(kind_stage: KindStage) -> None:
    """Without MemberRealm one more call tells the directory's own domain, which the id then holds."""
    stage = kind_stage
    short = {name: value for name, value in stage.properties().items() if name != "MemberRealm"}

    answer = stage.create(short)

    assert shown(answer) == ("SUCCESS", stage.id(stage.values(member_realm="corp.example.com")))
    assert answer.data["MemberRealm"] == "corp.example.com"
    assert stage.calls() == ["ListGroupsForMember", "ListGroupsForMember", "AddGroupMember", "ListGroupsForMember"]


@kind("DirectoryGroupMembership")
def test_a_realm_that_was_left_out_is_not_asked_for_again(kind_stage: KindStage) -> None:
    """An Update that still leaves it out makes the look only, and does not fail where even that is refused."""
    stage = kind_stage
    short = {name: value for name, value in stage.properties().items() if name != "MemberRealm"}
    stage.create(short)
    stage.control.clear_journal()

    assert shown(stage.update(stage.id(), {**short, "OnExisting": "Adopt"}, short)) == ("SUCCESS", stage.id())
    (seen,) = stage.journal()
    assert seen.parameters["MemberRealm"] == "corp.example.com"

    stage.control.add_fault("internal_error", service="ds-data", count=None)
    assert shown(stage.update(stage.id(), {**short, "OnExisting": "Adopt"}, short)) == ("SUCCESS", stage.id())
    assert stage.lines.named("not-seen")[0]["level"] == "WARNING"


@kind("DirectoryGroupMembership")
def test_a_realm_that_cannot_be_asked_for_fails_before_anything_is_granted(kind_stage: KindStage) -> None:
    """The question's own failure answers a marker, or the old id, and says what was being read."""
    stage = kind_stage
    short = {name: value for name, value in stage.properties().items() if name != "MemberRealm"}
    stage.control.add_fault(
        "error",
        service="ds-data",
        error_code="AccessDeniedException",
        members={"Reason": "DATA_DISABLED", "Message": "x"},
        count=None,
    )

    created = stage.create(short)
    updated = stage.update(stage.id(), short | {"GroupName": "Another"})

    assert shown(created) == ("FAILED", MARKER)
    assert shown(updated) == ("FAILED", stage.id())
    assert str(created.reason).startswith("reading the defaults of directory group membership MemberName 'bob'")
    assert "enable-directory-data-access" in str(created.reason)
    assert stage.writes() == []


@kind("DirectoryGroupMembership")
@pytest.mark.parametrize("code", ["AccessDeniedException", "ThrottlingException"])
def test_a_delivery_that_cannot_ask_takes_nothing_back(kind_stage: KindStage, code: str) -> None:
    """Granted, the answer lost, and the realm cannot be asked for any more: the id stays real, for the rollback."""
    stage = kind_stage
    short = {name: value for name, value in stage.properties().items() if name != "MemberRealm"}
    event = stage.event("Create", short)
    stage.sink.refuse(503, times=50)
    with pytest.raises(AnswerNotDeliveredError):
        stage.deliver(event, seconds=4)
    stage.sink.forgive()
    stage.control.add_fault("error", service="ds-data", error_code=code, count=None)

    stage.deliver(event, seconds=30)

    (stored,) = [answer for answer in stage.sink.answers(event) if answer.stored]
    assert shown(stored) == ("FAILED", stage.id())


def log(stage: KindStage) -> None:
    """Keep what the last invocation wrote where the function reads its own log group."""
    logs = client("logs")
    names = {"logGroupName": "/aws/lambda/aws-associations", "logStreamName": "of-another-process"}
    logs.create_log_group(logGroupName=names["logGroupName"])
    logs.create_log_stream(**names)
    now = int(time.time() * 1000)
    logs.put_log_events(
        **names, logEvents=[{"timestamp": now, "message": line} for line in stage.lines.text.splitlines()]
    )


@kind("DirectoryGroupMembership")
def test_another_process_that_cannot_ask_answers_what_the_log_tells(
    kind_stage: KindStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Granted by one process, delivered again to another, and the realm cannot be asked for: the id is real."""
    stage = kind_stage
    short = {name: value for name, value in stage.properties().items() if name != "MemberRealm"}
    event = stage.event("Create", short)
    stage.deliver(event)
    log(stage)
    monkeypatch.setattr(index, "_begun", deque())
    stage.control.add_fault("error", service="ds-data", error_code="AccessDeniedException", count=None)

    stage.deliver(event)

    assert shown(stage.sink.answers(event)[-1]) == ("FAILED", stage.id())
    assert stage.lines.named("may-remain") == []


@kind("DirectoryGroupMembership")
def test_a_late_delivery_that_can_ask_nobody_says_what_may_remain(kind_stage: KindStage) -> None:
    """Neither the realm nor the log: a marker is answered, and an alarm can match the line with what was declared."""
    stage = kind_stage
    short = {name: value for name, value in stage.properties().items() if name != "MemberRealm"}
    stage.control.add_fault("error", service="ds-data", error_code="AccessDeniedException", count=None)
    long_ago = datetime.datetime.now(datetime.UTC) - datetime.timedelta(minutes=3)

    answer = stage.create(short, signed_at=long_ago)

    assert shown(answer) == ("FAILED", MARKER)
    (line,) = stage.lines.named("may-remain")
    assert line["level"] == "WARNING"
    assert line["declared"] == {part: value for part, value in stage.values().items() if part != "member_realm"}


# -- what an update left that was given up, where it left out a default ------------------------------------------------

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


def nobody_holds(stage: KindStage, monkeypatch: pytest.MonkeyPatch, values: dict[str, str], *, announced: bool) -> None:
    """What the stack and the log say: no resource has what the update may have left."""
    left = Identity.of(stage.kind, ACCOUNT, REGION, values)
    remainders = (Remainder(left, sure=True),) if announced else ()
    monkeypatch.setattr(CloudFormationHost, "holders", lambda *_: Holders(rolling_back=True))
    monkeypatch.setattr(CloudFormationHost, "left_behind", lambda *_: remainders)
    monkeypatch.setattr(CloudFormationHost, "live", lambda _: True)


@pytest.mark.parametrize("announced", [True, False])
@pytest.mark.parametrize("given_before", [True, False])
@defaulted
def test_a_reverse_ends_what_an_update_left_that_left_out_a_default(
    kind_stage: KindStage, monkeypatch: pytest.MonkeyPatch, given_before: bool, announced: bool
) -> None:
    """Whether the resource gives the part or not: what is surely of that update is revoked, any other is told."""
    stage = kind_stage
    group = stage.kind.parties[0].name
    if given_before:  # the update left the part out
        own, left, before = stage.values(default_of(stage)), stage.values(), shortly(stage)
        now = stage.properties(own)
    else:  # it names another group, and left the part out as the resource does
        own, left, now, before = stage.values(), stage.values(group), shortly(stage), shortly(stage, group)
    stage.scenery.grant(own)
    stage.scenery.grant(left)
    nobody_holds(stage, monkeypatch, left, announced=announced)

    answer = stage.update(stage.id(own), now, before)

    assert shown(answer) == ("SUCCESS", stage.id(own))
    assert own in stage.granted()
    assert (left in stage.granted()) is not announced
    assert len(stage.lines.named("may-remain")) == (0 if announced else 1)


@pytest.mark.parametrize("changed", ["nothing", "group", "default"])
@defaulted
def test_an_ordinary_update_asks_and_says_nothing_of_a_default_that_was_left_out(
    kind_stage: KindStage, monkeypatch: pytest.MonkeyPatch, changed: str
) -> None:
    """What it goes away from is the resource's own: no call beside those of the update itself, and no line."""
    stage = kind_stage
    part = {"nothing": (), "group": (stage.kind.parties[0].name,), "default": (default_of(stage),)}[changed]
    stage.create(shortly(stage))
    nobody_holds(stage, monkeypatch, stage.values(), announced=False)
    new = stage.properties(stage.values(*part)) if changed == "default" else shortly(stage, *part)
    stage.control.clear_journal()

    answer = stage.update(stage.id(), {**new, "OnExisting": "Adopt"}, shortly(stage))

    assert shown(answer) == ("SUCCESS", stage.id(stage.values(*part)))
    look = stage.kind.look.operation
    assert stage.calls() == ([look] if changed == "nothing" else [look, stage.kind.associate, look])
    assert stage.lines.named("may-remain") == []


@kind("DirectoryGroupMembership")
def test_a_reverse_goes_on_where_nobody_tells_what_a_default_meant(
    kind_stage: KindStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line with what that update declared, and a tenth of the time at most: the reverse must not fail for it."""
    stage = kind_stage
    own = stage.values(default_of(stage))
    stage.scenery.grant(own)
    stage.control.add_fault("throttled", service="ds-data", count=None)
    # What counts is for how long it is asked again, not how long the SDK happens to wait between its attempts.
    monkeypatch.setattr(botocore.endpoint, "time", types.SimpleNamespace(sleep=lambda _: None))
    begun = stage.control.now()

    answer = stage.update(stage.id(own), stage.properties(own), shortly(stage))

    assert shown(answer) == ("SUCCESS", stage.id(own))
    (line,) = stage.lines.named("may-remain")
    assert line["level"] == "WARNING"
    assert line["declared"] == {part: value for part, value in stage.values().items() if part != "member_realm"}
    assert stage.control.now() - begun < 10


@defaulted
def test_what_could_never_be_named_was_not_left(kind_stage: KindStage) -> None:
    """The failed update was refused for a value that no id has room for: its reverse has nothing to tell."""
    stage = kind_stage
    stage.create()

    answer = stage.update(stage.id(), stage.properties(), stage.properties(stage.values(member_name="x" * 1100)))

    assert shown(answer) == ("SUCCESS", stage.id())
    assert stage.lines.named("may-remain") == []


@kind("DirectoryGroupMembership")
def test_what_was_to_be_in_nothing_that_exists_was_not_left(
    kind_stage: KindStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The failed update named a directory that there is not, so that no default could be told: nothing remains."""
    stage = kind_stage
    own = stage.values(default_of(stage))
    stage.scenery.grant(own)
    nobody_holds(stage, monkeypatch, own, announced=False)
    stage.control.add_fault("error", service="ds-data", error_code="ResourceNotFoundException")

    answer = stage.update(stage.id(own), stage.properties(own), shortly(stage))

    assert shown(answer) == ("SUCCESS", stage.id(own))
    assert stage.lines.named("may-remain") == []
