"""Which status and id each outcome answers: the table of docs/ownership.md, request by request."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from engines.response_sink import Event, RequestType
from tests.handlers.stage import ASSOCIATE, GROUP, LOOK, MARKER, USER, Stage, shown

GETATT = {"PermissionGroupId", "UserId", "EnvironmentId", "MembershipStatus", "StatusCode"}


# -- Create ------------------------------------------------------------------------------------------------------------


def test_a_create_waits_until_the_service_says_so(stage: Stage) -> None:
    """SUCCESS is answered only once the membership's own status says ADDITION_SUCCESS."""
    stage.control.configure(addition_seconds=20)

    assert stage.create().data["MembershipStatus"] == "ADDITION_SUCCESS"
    assert stage.calls().count(LOOK) > 2


def test_a_missing_party_fails_a_create_with_a_marker(stage: Stage) -> None:
    """A definite rejection of the service grants nothing, so nothing is left to clean up."""
    answer = stage.create(stage.properties(user="nobody"))

    assert shown(answer) == ("FAILED", MARKER)
    assert "NotFound" in str(answer.reason)
    assert "nobody" in str(answer.reason)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_create_of_unknown_outcome_is_settled_by_its_delete(stage: Stage, when: Any) -> None:
    """The answer is the marker all the same: the ledger knows what may remain, and the rollback's Delete revokes it."""
    stage.control.add_fault("internal_error", operation=ASSOCIATE, when=when, count=None)
    stage.control.add_fault("internal_error", operation=LOOK, skip=1, count=None)

    answer = stage.create()

    assert shown(answer) == ("FAILED", MARKER)
    assert "Whether it took effect is not known" in str(answer.reason)
    stage.control.clear_faults()
    assert shown(stage.delete(MARKER)) == ("SUCCESS", MARKER)
    assert stage.members() == set()
    assert stage.stacks.asked == []


def test_a_write_without_an_answer_that_took_effect_is_a_success(stage: Stage) -> None:
    """A connection that is cut after the effect ends in SUCCESS, because the look shows the membership."""
    stage.control.add_fault("cut", operation=ASSOCIATE, when="after", count=None)

    assert shown(stage.create()) == ("SUCCESS", stage.id())


def test_a_create_that_never_settles_is_settled_by_its_delete(stage: Stage) -> None:
    """An addition that outlasts the invocation fails with its last status, and the Delete of the marker ends it."""
    stage.control.configure(addition_seconds=600)

    answer = stage.create()

    assert shown(answer) == ("FAILED", MARKER)
    assert "NotStabilized" in str(answer.reason)
    assert "ADDITION_IN_PROGRESS" in str(answer.reason)
    stage.control.advance(600)
    assert shown(stage.delete(MARKER)) == ("SUCCESS", MARKER)
    assert stage.members() == set()


# -- Update, same identity ---------------------------------------------------------------------------------------------


def test_an_adopted_membership_stays_adopted(stage: Stage) -> None:
    """An Update that drops OnExisting echoes the flag: the text of an id never changes."""
    stage.grant()

    answer = stage.update(stage.id(adopted=True), stage.properties(), stage.properties(OnExisting="Adopt"))

    assert shown(answer) == ("SUCCESS", stage.id(adopted=True))


def test_a_changed_revision_grants_again(stage: Stage) -> None:
    """A membership that was revoked behind the stack's back is granted again by a changed Revision only."""
    stage.create()
    stage.control.revoke(stage.environment, GROUP, USER)
    assert shown(stage.update(stage.id(), stage.properties(OnExisting="Adopt"))) == ("SUCCESS", stage.id())
    assert stage.members() == set()

    answer = stage.update(stage.id(), stage.properties(Revision="2"))

    assert shown(answer) == ("SUCCESS", stage.id())
    assert answer.data["StatusCode"] == "200"
    assert stage.members() == {(GROUP, USER)}


# -- Update to another identity ----------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("then", ["the reverse", "a Delete"])
def test_an_update_of_unknown_outcome_is_settled_by_what_follows(stage: Stage, then: str) -> None:
    """The old id is answered; the reverse of the Update, or the Delete of the stack, revokes what may remain."""
    stage.add(GROUP, "bob")
    stage.create()
    stage.control.add_fault("internal_error", operation=ASSOCIATE, when="after", count=None)
    stage.control.add_fault("internal_error", operation=LOOK, skip=1, count=None)

    answer = stage.update(stage.id(), stage.properties(user="bob"))

    assert shown(answer) == ("FAILED", stage.id())
    assert stage.members() == {(GROUP, USER), (GROUP, "bob")}
    stage.control.clear_faults()
    if then == "the reverse":
        after = stage.update(stage.id(), stage.properties(), stage.properties(user="bob"))
        assert stage.members() == {(GROUP, USER)}
    else:
        after = stage.delete(stage.id())
        assert stage.members() == set()
    assert shown(after) == ("SUCCESS", stage.id())
    assert stage.stacks.asked == []


@pytest.mark.parametrize("taken", [True, False])
def test_what_an_update_answered_is_dropped_unless_its_stack_took_it(stage: Stage, taken: bool) -> None:
    """SUCCESS was answered, too late perhaps: the reverse asks CloudFormation once whether the new id was taken."""
    stage.add(GROUP, "bob")
    stage.create()
    stage.update(stage.id(), stage.properties(user="bob"))
    stage.stack.happens(
        "UPDATE_COMPLETE" if taken else "UPDATE_FAILED", "Membership", stage.id(user="bob" * taken or USER)
    )

    reverse = stage.update(stage.id(), stage.properties(), stage.properties(user="bob"))

    assert shown(reverse) == ("SUCCESS", stage.id())
    assert stage.members() == {(GROUP, USER)} | ({(GROUP, "bob")} if taken else set())
    assert stage.stacks.asked[0] == "DescribeStackResource"


def test_the_identity_of_the_id_decides_not_the_old_properties(stage: Stage) -> None:
    """In a half-applied state OldResourceProperties lie; the id tells what the resource is."""
    stage.add(GROUP, "bob")
    stage.create()

    answer = stage.update(stage.id(), stage.properties(), stage.properties(user="bob"))

    assert shown(answer) == ("SUCCESS", stage.id())
    assert stage.calls().count(ASSOCIATE) == 1


# -- Delete ------------------------------------------------------------------------------------------------------------


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
    """An id that CloudFormation made up for a Create without an answer is echoed with SUCCESS and a line."""
    stage.grant()

    assert shown(stage.delete(physical_id)) == ("SUCCESS", physical_id)
    assert stage.members() == {(GROUP, USER)}
    assert stage.control.journal() == []
    assert stage.lines.named("not-our-id")


def test_a_delete_after_the_parties_succeeds(stage: Stage) -> None:
    """A stack stays deletable when user and group were removed before."""
    stage.create()
    stage.control.remove_user(stage.environment, USER)
    stage.control.remove_permission_group(stage.environment, GROUP)

    assert shown(stage.delete(stage.id())) == ("SUCCESS", stage.id())


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


def test_an_id_of_a_kind_that_is_not_served_is_not_let_go(stage: Stage) -> None:
    """A function rolled back to an older version fails the Delete of a newer kind instead of leaking its grant."""
    physical_id = "kind-of-tomorrow/v1/123456789012/us-east-1/meters/meter"

    answer = stage.delete(physical_id, resource_type="Custom::KindOfTomorrow")

    assert shown(answer) == ("FAILED", physical_id)


# -- delivered again, or too late --------------------------------------------------------------------------------------


def requests(stage: Stage) -> dict[str, tuple[Event, tuple[str, str]]]:
    """One request of each type, to be sent in this order, and what it answers."""
    stage.add(GROUP, "bob")
    bob, alice = stage.properties(user="bob"), stage.properties()
    update = {"physical_resource_id": stage.id(), "old_properties": alice}
    return {
        "Create": (stage.event("Create"), ("SUCCESS", stage.id())),
        "failed Create": (stage.event("Create", stage.properties(user="nobody")), ("FAILED", MARKER)),
        "Update": (stage.event("Update", bob, **update), ("SUCCESS", stage.id(user="bob"))),
        "failed Update": (stage.event("Update", stage.properties(user="nobody"), **update), ("FAILED", stage.id())),
        "Delete": (stage.event("Delete", physical_resource_id=stage.id()), ("SUCCESS", stage.id())),
    }


@pytest.mark.parametrize("name", ["Create", "failed Create", "Update", "failed Update", "Delete"])
def test_a_request_that_is_delivered_again_gets_the_recorded_answer(stage: Stage, name: str) -> None:
    """The answer was lost: Lambda delivers again, and the answer is there at once, whatever the service says by now."""
    event, expected = requests(stage)[name]
    if name != "failed Create" and name != "Create":
        stage.create()
    stage.lose(event)
    stage.control.clear_journal()
    stage.control.add_fault("throttled", count=None)

    again = stage.redeliver(event)

    assert shown(again) == expected
    assert stage.control.journal() == []
    assert stage.stacks.asked == []
    lost = [answer for answer in stage.sink.answers(event) if not answer.stored]
    assert {(answer.reason, str(answer.data)) for answer in lost} == {(again.reason, str(again.data))}


@pytest.mark.parametrize("name", ["Create", "Update"])
def test_a_request_that_a_newer_one_has_replaced_is_refused(stage: Stage, name: RequestType) -> None:
    """First delivered after the Delete that ended it: nothing is written, and what others granted since stays."""
    long_ago = datetime.datetime.now(datetime.UTC) - datetime.timedelta(minutes=3)
    stage.create(signed_at=long_ago - datetime.timedelta(minutes=1))
    physical_id = stage.id() if name == "Update" else None
    late = stage.event(name, physical_resource_id=physical_id, old_properties=stage.properties(), signed_at=long_ago)
    stage.delete(stage.id())
    stage.control.clear_journal()

    answer = stage.answer(late)

    assert shown(answer) == ("FAILED", stage.id() if name == "Update" else MARKER)
    assert "the deployment no longer waits for this request" in str(answer.reason)
    assert stage.control.journal() == []
