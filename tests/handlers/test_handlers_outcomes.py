"""Which status and id each outcome answers: the table of docs/ownership.md, request by request."""

from __future__ import annotations

from typing import Any

import pytest

from aws_associations_lambda.responder import AnswerNotDeliveredError
from tests.handlers.stage import ASSOCIATE, DISASSOCIATE, GROUP, LOOK, MARKER, USER, Stage, shown

GETATT = {"PermissionGroupId", "UserId", "EnvironmentId", "MembershipStatus", "StatusCode"}


# -- Create ------------------------------------------------------------------------------------------------------------


def test_a_create_grants_and_answers_the_association(stage: Stage) -> None:
    """A created membership answers SUCCESS with its id, and GetAtt serves both parties, status and status code."""
    answer = stage.create()

    assert shown(answer) == ("SUCCESS", stage.id())
    assert answer.data == {
        "EnvironmentId": stage.environment,
        "PermissionGroupId": GROUP,
        "UserId": USER,
        "MembershipStatus": "ADDITION_SUCCESS",
        "StatusCode": "200",
    }
    assert answer.reason == "Created"
    assert stage.members() == {(GROUP, USER)}
    assert stage.calls() == [LOOK, ASSOCIATE, LOOK]


def test_a_create_waits_until_the_service_says_so(stage: Stage) -> None:
    """SUCCESS is answered only once the membership's own status says ADDITION_SUCCESS."""
    stage.control.configure(addition_seconds=20)

    assert stage.create().data["MembershipStatus"] == "ADDITION_SUCCESS"
    assert stage.calls().count(LOOK) > 2


def test_a_present_membership_is_not_taken(stage: Stage) -> None:
    """Somebody else's membership fails a Create with a marker, so that the rollback cannot revoke it."""
    stage.grant()

    answer = stage.create()

    assert shown(answer) == ("FAILED", MARKER)
    assert "AlreadyExists" in str(answer.reason)
    assert "OnExisting: Adopt" in str(answer.reason)
    assert stage.delete(MARKER).status == "SUCCESS"
    assert stage.members() == {(GROUP, USER)}


def test_a_present_membership_is_adopted_on_request(stage: Stage) -> None:
    """OnExisting: Adopt answers SUCCESS with the adopted flag, the same GetAtt members, and writes nothing."""
    stage.grant()

    answer = stage.create(stage.properties(OnExisting="Adopt"))

    assert shown(answer) == ("SUCCESS", stage.id(adopted=True))
    assert answer.data.keys() == GETATT
    assert (answer.data["MembershipStatus"], answer.data["StatusCode"]) == ("ADDITION_SUCCESS", "")
    assert ASSOCIATE not in stage.calls()


def test_a_malformed_property_fails_a_create_with_a_marker(stage: Stage) -> None:
    """Validation fails before any call, with an id that Delete ignores."""
    answer = stage.create(stage.properties(user="x" * 27))

    assert shown(answer) == ("FAILED", MARKER)
    assert "property UserId must have 1 to 26 characters" in str(answer.reason)
    assert stage.control.journal() == []


def test_a_missing_party_fails_a_create_with_a_marker(stage: Stage) -> None:
    """A definite rejection of the service grants nothing, so nothing is left to clean up."""
    answer = stage.create(stage.properties(user="nobody"))

    assert shown(answer) == ("FAILED", MARKER)
    assert "NotFound" in str(answer.reason)
    assert "nobody" in str(answer.reason)


def test_a_denied_caller_fails_a_create_with_a_marker(stage: Stage) -> None:
    """Access denied before the first write names what the caller needs."""
    stage.control.configure(allowed_access_keys=[])

    answer = stage.create()

    assert shown(answer) == ("FAILED", MARKER)
    assert "AccessDenied" in str(answer.reason)
    assert "finspace-api:GetProgrammaticAccessCredentials" in str(answer.reason)
    assert stage.calls() == []


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_unknown_outcome_of_a_create_answers_the_real_id(stage: Stage, when: Any) -> None:
    """A write that only ever answers 500, and cannot be seen either, keeps its id: the rollback's Delete cleans up."""
    stage.control.add_fault("internal_error", operation=ASSOCIATE, when=when, count=None)
    stage.control.add_fault("internal_error", operation=LOOK, skip=1, count=None)

    answer = stage.create()

    assert shown(answer) == ("FAILED", stage.id())
    assert "Whether it took effect is not known" in str(answer.reason)
    stage.control.clear_faults()
    assert shown(stage.delete(stage.id())) == ("SUCCESS", stage.id())
    assert stage.members() == set()


def test_a_write_without_an_answer_that_took_effect_is_a_success(stage: Stage) -> None:
    """A connection that is cut after the effect ends in SUCCESS, because the look shows the membership."""
    stage.control.add_fault("cut", operation=ASSOCIATE, when="after", count=None)

    assert shown(stage.create()) == ("SUCCESS", stage.id())


def test_a_create_that_never_settles_answers_the_real_id(stage: Stage) -> None:
    """An addition that outlasts the invocation fails with its last status and an id that Delete revokes."""
    stage.control.configure(addition_seconds=3600)

    answer = stage.create()

    assert shown(answer) == ("FAILED", stage.id())
    assert "NotStabilized" in str(answer.reason)
    assert "ADDITION_IN_PROGRESS" in str(answer.reason)


# -- Update, same identity ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("changed", [{"OnExisting": "Adopt"}, {"ServiceTimeout": "900"}, {"OnExisting": "Fail"}])
def test_an_update_of_anything_else_echoes_the_id(stage: Stage, changed: dict[str, str]) -> None:
    """Whatever changes beside the identity, the id stays and nothing is written."""
    stage.create()
    stage.control.clear_journal()

    answer = stage.update(stage.id(), stage.properties(**changed))

    assert shown(answer) == ("SUCCESS", stage.id())
    assert answer.data.keys() == GETATT
    assert stage.calls() == [LOOK]


def test_an_adopted_membership_stays_adopted(stage: Stage) -> None:
    """An Update that drops OnExisting echoes the flag: the id text is what tells a grant from an adoption."""
    stage.grant()

    answer = stage.update(stage.id(adopted=True), stage.properties(), stage.properties(OnExisting="Adopt"))

    assert shown(answer) == ("SUCCESS", stage.id(adopted=True))


def test_a_changed_revision_grants_again(stage: Stage) -> None:
    """A membership that was revoked behind the stack's back is granted again by a changed Revision."""
    stage.create()
    stage.control.revoke(stage.environment, GROUP, USER)

    answer = stage.update(stage.id(), stage.properties(Revision="2"))

    assert shown(answer) == ("SUCCESS", stage.id())
    assert answer.data["StatusCode"] == "200"
    assert stage.members() == {(GROUP, USER)}


def test_without_a_changed_revision_nothing_is_granted(stage: Stage) -> None:
    """An Update with the same Revision keeps the id, writes nothing and warns of the missing membership."""
    properties = stage.properties(Revision="1")

    answer = stage.update(stage.id(), {**properties, "OnExisting": "Adopt"}, properties)

    assert shown(answer) == ("SUCCESS", stage.id())
    assert answer.data["MembershipStatus"] == ""
    assert stage.members() == set()
    assert stage.lines.named("declared-but-not-granted")[0]["level"] == "WARNING"


def test_an_update_that_heals_nothing_survives_a_blind_look(stage: Stage) -> None:
    """A reverse Update of a rollback must not fail because a look that nobody asked for does."""
    stage.control.add_fault("internal_error", operation=LOOK, count=None)

    assert shown(stage.update(stage.id(), stage.properties(OnExisting="Adopt"))) == ("SUCCESS", stage.id())


@pytest.mark.parametrize("adopted", [False, True])
def test_a_heal_of_unknown_outcome_keeps_the_id(stage: Stage, adopted: bool) -> None:
    """A failing grant of the same identity answers the very id it had, so that no replacement comes of it."""
    stage.control.add_fault("internal_error", operation=ASSOCIATE, count=None)
    stage.control.add_fault("internal_error", operation=LOOK, skip=1, count=None)

    answer = stage.update(stage.id(adopted=adopted), stage.properties(Revision="2"))

    assert shown(answer) == ("FAILED", stage.id(adopted=adopted))


# -- Update to another identity ----------------------------------------------------------------------------------------


def test_an_update_to_another_identity_leaves_the_old_one(stage: Stage) -> None:
    """A replacement grants the new membership and answers its id; the old one is CloudFormation's to delete."""
    stage.add(GROUP, "bob")
    stage.create()

    answer = stage.update(stage.id(), stage.properties(user="bob"))

    assert shown(answer) == ("SUCCESS", stage.id(user="bob"))
    assert (answer.data["UserId"], answer.data["StatusCode"]) == ("bob", "200")
    assert stage.members() == {(GROUP, USER), (GROUP, "bob")}
    assert shown(stage.delete(stage.id())) == ("SUCCESS", stage.id())
    assert stage.members() == {(GROUP, "bob")}


def test_an_update_can_adopt(stage: Stage) -> None:
    """OnExisting: Adopt takes a present membership on an Update too, with the flag in the new id."""
    stage.add(GROUP, "bob")
    stage.grant(user="bob")

    answer = stage.update(stage.id(), stage.properties(user="bob", OnExisting="Adopt"))

    assert shown(answer) == ("SUCCESS", stage.id(user="bob", adopted=True))


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"UserId": "nobody"}, "NotFound"),
        ({"UserId": "x" * 27}, "InvalidRequest"),
        ({"UserId": "bob"}, "AlreadyExists"),
    ],
    ids=["missing party", "malformed", "present"],
)
def test_a_definite_failure_of_an_update_answers_the_old_id(stage: Stage, changed: dict[str, str], code: str) -> None:
    """An Update that certainly granted nothing keeps the old id, and both memberships stay as they were."""
    stage.add(GROUP, "bob")
    stage.grant(user="bob")
    stage.create()

    answer = stage.update(stage.id(), {**stage.properties(), **changed})

    assert shown(answer) == ("FAILED", stage.id())
    assert code in str(answer.reason)
    assert stage.members() == {(GROUP, USER), (GROUP, "bob")}


def test_an_unknown_outcome_of_an_update_is_undone(stage: Stage) -> None:
    """A new membership that may have been granted is revoked before the old id is answered."""
    stage.add(GROUP, "bob")
    stage.create()
    stage.control.add_fault("internal_error", operation=ASSOCIATE, when="after", count=None)
    stage.control.add_fault("error", operation=LOOK, error_code="AccessDeniedException", skip=1)

    answer = stage.update(stage.id(), stage.properties(user="bob"))

    assert shown(answer) == ("FAILED", stage.id())
    assert stage.members() == {(GROUP, USER)}
    assert stage.lines.named("undone")


def test_an_update_that_cannot_be_undone_answers_the_new_id(stage: Stage) -> None:
    """A new membership that may remain is named, and the reversed Update and the Delete that follow put it right."""
    stage.add(GROUP, "bob")
    stage.create()
    stage.control.add_fault("internal_error", operation=ASSOCIATE, when="after", count=None)
    stage.control.add_fault("internal_error", operation=DISASSOCIATE, count=None)
    stage.control.add_fault("internal_error", operation=LOOK, skip=1, count=None)

    answer = stage.update(stage.id(), stage.properties(user="bob"))

    assert shown(answer) == ("FAILED", stage.id(user="bob"))
    assert stage.lines.named("may-remain")
    assert stage.members() == {(GROUP, USER), (GROUP, "bob")}
    stage.control.clear_faults()
    assert shown(stage.delete(stage.id(user="bob"))) == ("SUCCESS", stage.id(user="bob"))
    assert stage.members() == {(GROUP, USER)}


def test_a_reversed_update_keeps_the_old_id(stage: Stage) -> None:
    """After a failed Update the same change the other way round finds the old identity and keeps it."""
    stage.create()
    stage.update(stage.id(), stage.properties(user="nobody"))

    answer = stage.update(stage.id(), stage.properties(), stage.properties(user="nobody"))

    assert shown(answer) == ("SUCCESS", stage.id())
    assert stage.members() == {(GROUP, USER)}


def test_the_identity_of_the_id_decides_not_the_old_properties(stage: Stage) -> None:
    """In a half-applied state OldResourceProperties lie; the id tells what the resource is."""
    stage.add(GROUP, "bob")
    stage.create()

    answer = stage.update(stage.id(), stage.properties(), stage.properties(user="bob"))

    assert shown(answer) == ("SUCCESS", stage.id())
    assert ASSOCIATE not in stage.calls()[3:]


# -- Delete ------------------------------------------------------------------------------------------------------------


def test_a_delete_revokes(stage: Stage) -> None:
    """Delete of a granted membership revokes it, waits for its end, and answers the same id."""
    stage.control.configure(removal_seconds=20)
    stage.create()
    stage.control.clear_journal()

    assert shown(stage.delete(stage.id())) == ("SUCCESS", stage.id())
    assert stage.members() == set()
    assert stage.calls()[0] == DISASSOCIATE


def test_a_delete_of_a_marker_touches_nothing(stage: Stage) -> None:
    """The rollback of a Create that failed succeeds without a call, though the membership is there."""
    stage.grant()

    assert shown(stage.delete(MARKER)) == ("SUCCESS", MARKER)
    assert stage.members() == {(GROUP, USER)}
    assert stage.control.journal() == []


@pytest.mark.parametrize(
    "physical_id",
    ["team-Membership-1X2Y3Z4A5B6C", "2026/11/22/[$LATEST]0123456789abcdef", "x", "a" * 1024, "é\U0001f600\u0001 |%"],
    ids=["of CloudFormation", "of a log stream", "short", "long", "any text"],
)
def test_a_delete_of_an_invented_id_touches_nothing(stage: Stage, physical_id: str) -> None:
    """An id that CloudFormation made up for a Create without an answer is echoed with SUCCESS and a warning."""
    stage.grant()

    assert shown(stage.delete(physical_id)) == ("SUCCESS", physical_id)
    assert stage.members() == {(GROUP, USER)}
    assert stage.control.journal() == []
    assert stage.lines.named("not-our-id")[0]["level"] == "WARNING"


def test_a_second_delete_succeeds(stage: Stage) -> None:
    """A Delete that is delivered again, or comes after somebody else's, finds nothing and succeeds."""
    stage.create()
    event = stage.event("Delete", physical_resource_id=stage.id())
    stage.answer(event)

    again = stage.event("Delete", physical_resource_id=stage.id(), RequestId=event["RequestId"])

    assert shown(stage.answer(again)) == ("SUCCESS", stage.id())
    assert shown(stage.delete(stage.id())) == ("SUCCESS", stage.id())


def test_a_delete_after_the_parties_succeeds(stage: Stage) -> None:
    """A stack stays deletable when user and group were removed before."""
    stage.create()
    stage.control.remove_user(stage.environment, USER)
    stage.control.remove_permission_group(stage.environment, GROUP)

    assert shown(stage.delete(stage.id())) == ("SUCCESS", stage.id())


def test_an_adopted_membership_outlives_its_stack_while_nobody_knows(stage: Stage) -> None:
    """Delete of an adopted membership releases it, as long as the host cannot tell whether its deployment completed."""
    stage.grant()

    assert shown(stage.delete(stage.id(adopted=True))) == ("SUCCESS", stage.id(adopted=True))
    assert stage.members() == {(GROUP, USER)}
    assert stage.lines.named("released")


def test_a_delete_that_fails_keeps_the_id(stage: Stage) -> None:
    """A service that fails leaves the resource in the stack, under its id, to be deleted again."""
    stage.create()
    stage.control.add_fault("internal_error", count=None)

    assert shown(stage.delete(stage.id())) == ("FAILED", stage.id())
    stage.control.clear_faults()
    assert shown(stage.delete(stage.id())) == ("SUCCESS", stage.id())


@pytest.mark.parametrize(
    "properties",
    [
        {},
        {"UserId": ["a", "list"]},
        {"EnvironmentId": "e", "PermissionGroupId": "g", "UserId": "u" * 400},
        {"OnExisting": "Perhaps", "Usr": "alice", "Revision": {"a": "map"}},
    ],
    ids=["none", "wrong type", "too long", "unknown"],
)
def test_a_delete_does_not_look_at_properties(stage: Stage, properties: dict[str, Any]) -> None:
    """Properties of an older version, or none, never keep a Delete from revoking what the id names."""
    stage.create()

    assert shown(stage.delete(stage.id(), properties)) == ("SUCCESS", stage.id())
    assert stage.members() == set()


@pytest.mark.parametrize("value", [None, "text", ["list"]])
def test_a_delete_needs_no_map_of_properties(stage: Stage, value: object) -> None:
    """Delete succeeds even when ResourceProperties is missing or no map at all."""
    stage.create()

    assert stage.delete(stage.id(), ResourceProperties=value).status == "SUCCESS"
    assert stage.members() == set()


def test_an_unknown_outcome_whose_answer_was_lost_is_known_again(stage: Stage) -> None:
    """A FAILED with the real id that nobody took: the same request, delivered again, takes up what it began."""
    stage.control.configure(addition_seconds=600)
    event = stage.event("Create")
    stage.sink.refuse(503, times=50)
    with pytest.raises(AnswerNotDeliveredError):
        stage.deliver(event, seconds=6)
    stage.sink.forgive()
    stage.control.advance(600)

    stage.deliver(event)

    assert [(a.status, a.physical_resource_id) for a in stage.sink.answers(event) if a.stored] == [
        ("SUCCESS", stage.id())
    ]


def test_a_delete_ends_what_this_process_remembers(stage: Stage) -> None:
    """A Create delivered again after its Delete does not take somebody else's membership for its own."""
    event = stage.event("Create")
    stage.deliver(event)
    stage.delete(stage.id())
    stage.grant()

    stage.deliver(event)

    assert stage.lines.named("answered")[-1]["id"] == MARKER


@pytest.mark.parametrize("request_type", ["Create", "Update"])
def test_a_retry_that_fails_does_not_forget_what_was_granted(stage: Stage, request_type: Any) -> None:
    """Granted, the answer lost, and the retry is throttled: the answer is FAILED with the real id, to be cleaned up."""
    stage.add(GROUP, "bob")
    stage.create(stage.properties(user="bob"))
    more: dict[str, Any] = {}
    if request_type == "Update":
        more = {"physical_resource_id": stage.id(user="bob"), "old_properties": stage.properties(user="bob")}
    event = stage.event(request_type, **more)
    stage.sink.refuse(503, times=50)
    with pytest.raises(AnswerNotDeliveredError):
        stage.deliver(event, seconds=6)
    stage.sink.forgive()
    stage.control.add_fault("throttled", operation=LOOK, count=None)

    stage.deliver(event)

    (stored,) = [answer for answer in stage.sink.answers(event) if answer.stored]
    assert shown(stored) == ("FAILED", stage.id())


def test_an_id_of_a_kind_that_is_not_served_is_not_let_go(stage: Stage) -> None:
    """A function rolled back to an older version fails the Delete of a newer kind instead of leaking its grant."""
    physical_id = "kind-of-tomorrow/v1/123456789012/us-east-1/meters/meter"

    answer = stage.delete(physical_id, resource_type="Custom::KindOfTomorrow")

    assert shown(answer) == ("FAILED", physical_id)
