"""The three questions to CloudFormation that no record answers, put by the SDK's own client to stacks of a test."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError

from aws_associations_lambda import index
from engines.response_sink import Answer
from tests.handlers.stacks import Fault
from tests.handlers.stage import ACCOUNT, GROUP, MARKER, STACK, USER, Stage, shown

OTHER = STACK.replace("memberships", "traders")
PARENT = STACK.replace("memberships", "everything")
GRANDPARENT = STACK.replace("memberships", "organization")
THEIRS = STACK.replace(ACCOUNT, "999999999999")
THROTTLED: Fault = (400, "Throttling")
DENIED: Fault = (400, "AccessDenied")
BOB = {(GROUP, "bob")}
BOTH = {(GROUP, USER), (GROUP, "bob")}


def adopt(stage: Stage, **more: Any) -> Answer:
    """Create a resource that adopts."""
    return stage.create(stage.properties(OnExisting="Adopt"), **more)


# -- nothing is asked --------------------------------------------------------------------------------------------------


def test_an_ordinary_life_asks_nothing(stage: Stage) -> None:
    """Created, kept, healed, failed, rolled back and deleted: no stack is asked about."""
    stage.create()
    stage.update(stage.id(), stage.properties(OnExisting="Adopt"))
    stage.update(stage.id(), stage.properties(Revision="2"))
    stage.update(stage.id(), stage.properties(user="nobody"))
    stage.update(stage.id(), stage.properties(), stage.properties(user="nobody"))
    failed = stage.create(stage.properties(user="nobody"), LogicalResourceId="Another")
    stage.delete(str(failed.physical_resource_id), LogicalResourceId="Another")

    assert stage.delete(stage.id()).status == "SUCCESS"
    assert stage.members() == set()
    assert stage.stacks.asked == []


# -- was the new id taken? ---------------------------------------------------------------------------------------------


def replaced(stage: Stage) -> None:
    """An Update gave the resource another membership; what CloudFormation does next is the clean-up of the old one."""
    stage.add(GROUP, "bob")
    stage.create()
    assert stage.update(stage.id(), stage.properties(user="bob")).status == "SUCCESS"


def test_the_cleanup_of_a_replacement_asks_once(stage: Stage) -> None:
    """One DescribeStackResource tells that the new id was taken, and no later request asks that again."""
    replaced(stage)
    stage.stack.happens("UPDATE_COMPLETE", "Membership", stage.id(user="bob"))

    assert shown(stage.delete(stage.id())) == ("SUCCESS", stage.id())
    assert stage.members() == BOB
    assert stage.delete(stage.id(user="bob")).status == "SUCCESS"
    assert stage.members() == set()
    assert stage.stacks.asked == ["DescribeStackResource"]


@pytest.mark.parametrize(
    ("status", "ago", "taken"),
    [("UPDATE_COMPLETE", -1.0, True), ("UPDATE_COMPLETE", 60.0, False), ("UPDATE_FAILED", -1.0, False)],
)
def test_an_id_that_the_resource_had_since_counts_as_taken(stage: Stage, status: str, ago: float, taken: bool) -> None:
    """An event says that the resource was complete with it after the request was made, though it has another by now."""
    replaced(stage)
    stage.stack.happens(status, "Membership", stage.id(user="bob"), ago=ago)
    stage.stack.happens("UPDATE_COMPLETE", "Membership", stage.id(), ago=ago)

    assert stage.delete(stage.id()).status == "SUCCESS"
    assert stage.members() == (BOB if taken else set())


@pytest.mark.parametrize(("fault", "warnings"), [(THROTTLED, 0), ((503, "ServiceUnavailable"), 0), (DENIED, 1)])
def test_what_cannot_be_asked_is_put_off(stage: Stage, fault: Fault, warnings: int) -> None:
    """The clean-up succeeds and leaves the new one; a warning only if waiting mends nothing. The next request asks."""
    replaced(stage)
    stage.stack.happens("UPDATE_FAILED", "Membership", stage.id())
    stage.stacks.always_fail("DescribeStackResource", fault)

    assert shown(stage.delete(stage.id())) == ("SUCCESS", stage.id())
    assert stage.members() == BOB
    told = stage.lines.named("may-remain")
    assert [line["level"] for line in told] == ["WARNING"] * warnings
    assert all("cloudformation:DescribeStackResource" in line["cause"] for line in told)

    stage.stacks.heal()
    assert stage.delete(stage.id()).status == "SUCCESS"
    assert stage.members() == set()


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url="https://cloudformation.example"),
        ConnectTimeoutError(endpoint_url="https://cloudformation.example"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_network_that_leads_nowhere_fails_no_request(stage: Stage, error: Exception) -> None:
    """Each question is tried three times at most, and then there is no answer."""
    replaced(stage)
    stage.stacks.always_fail("DescribeStackResource", error)

    assert stage.delete(stage.id()).status == "SUCCESS"
    assert stage.members() == BOB
    assert len(stage.stacks.asked) <= 3


def test_an_answer_that_is_older_than_every_event_stays(stage: Stage) -> None:
    """Retained, and declared again with another user after CloudFormation has forgotten its events."""
    replaced(stage)
    stage.stack.happens("UPDATE_COMPLETE", "Membership", stage.id())
    aged(stage, 91)

    assert stage.update(stage.id(), stage.properties(user="nobody")).status == "FAILED"
    assert stage.members() == BOTH
    (line,) = stage.lines.named("may-remain")
    assert "90 days" in line["cause"]


def aged(stage: Stage, days: int) -> None:
    """So long after; CloudFormation has no event of before."""
    index._services.utc_now.__self__.sleep(days * 86_400)  # type: ignore[attr-defined]
    stage.stack.events.clear()


# -- does another one still declare it? --------------------------------------------------------------------------------


def declared_by_another(stage: Stage) -> None:
    """Another stack granted the membership, and CloudFormation shows it there."""
    stage.create(LogicalResourceId="Theirs", StackId=OTHER)
    stage.stacks.add(OTHER).happens("CREATE_COMPLETE", "Theirs", stage.id()).happens("CREATE_COMPLETE")


def test_what_another_stack_declares_is_refused_naming_it(stage: Stage) -> None:
    """The message names the other stack and its resource, and how to share; the marker's Delete revokes nothing."""
    declared_by_another(stage)

    answer = stage.create()

    assert shown(answer) == ("FAILED", MARKER)
    assert f"AlreadyExists: resource Theirs of stack {OTHER} declares it already." in str(answer.reason)
    assert "OnExisting: Adopt" in str(answer.reason)
    assert stage.delete(MARKER).status == "SUCCESS"
    assert stage.members() == {(GROUP, USER)}


def test_two_stacks_share_and_the_last_one_revokes(stage: Stage) -> None:
    """With OnExisting: Adopt both have it; whichever goes first lets go, and says that it is still granted."""
    declared_by_another(stage)
    shared = adopt(stage)
    assert shown(shared) == ("SUCCESS", stage.id())
    assert shared.reason == "Shared with another resource"
    stage.stack.happens("CREATE_COMPLETE", "Membership", stage.id()).happens("CREATE_COMPLETE")

    first = stage.delete(stage.id(), LogicalResourceId="Theirs", StackId=OTHER)
    assert first.reason == "Released, still granted"
    assert stage.members() == {(GROUP, USER)}

    assert stage.delete(stage.id()).reason == "Revoked"
    assert stage.members() == set()


@pytest.mark.parametrize("status", ["DELETE_COMPLETE", "DELETE_SKIPPED", "gone", "another id", "no such stack"])
def test_a_claim_that_no_longer_stands_goes(stage: Stage, status: str) -> None:
    """Deleted, retained, replaced or unknown to CloudFormation: the new stack takes it over, and alone revokes it."""
    stage.create(LogicalResourceId="Theirs", StackId=OTHER)
    if status != "no such stack":
        theirs = stage.stacks.add(OTHER)
        theirs.happens(status, "Theirs", stage.id(user="bob") if status == "another id" else stage.id())
        theirs.happens("UPDATE_COMPLETE")
        if status == "gone":
            theirs.resources.clear()

    assert shown(stage.create()) == ("SUCCESS", stage.id())
    assert stage.delete(stage.id()).reason == "Revoked"
    assert stage.members() == set()


@pytest.mark.parametrize(
    ("logical_id", "status", "user", "stands"),
    [
        ("Theirs", "UPDATE_IN_PROGRESS", "", True),
        ("Theirs", "DELETE_IN_PROGRESS", USER, True),
        ("Theirs", "DELETE_COMPLETE", "bob", True),
        ("Theirs", "DELETE_COMPLETE", USER, False),
        ("Theirs", "DELETE_COMPLETE", "", False),
        ("Another", "UPDATE_IN_PROGRESS", USER, False),
    ],
)
def test_a_claim_stands_while_an_operation_deals_with_it(
    stage: Stage, logical_id: str, status: str, user: str, stands: bool
) -> None:
    """In the midst of an operation nobody knows what the other stack will have, unless it has deleted just that."""
    stage.create(LogicalResourceId="Theirs", StackId=OTHER)
    theirs = stage.stacks.add(OTHER).happens("UPDATE_COMPLETE", ago=-10).happens("UPDATE_IN_PROGRESS", ago=-20)
    theirs.happens(status, logical_id, stage.id(user=user) if user else MARKER, ago=-21)
    theirs.happens("UPDATE_IN_PROGRESS", "Last", "", ago=-22).resources.clear()
    stage.stacks.page = 1

    assert stage.create().status == ("FAILED" if stands else "SUCCESS")


def test_a_claim_stands_while_its_resource_is_being_changed(stage: Stage) -> None:
    """What it will have is not known yet, even if the stack is shown as complete by the next answer."""
    stage.create(LogicalResourceId="Theirs", StackId=OTHER)
    stage.stacks.add(OTHER).happens("UPDATE_IN_PROGRESS", "Theirs", stage.id(user="bob")).happens("UPDATE_COMPLETE")

    assert stage.create().status == "FAILED"


@pytest.mark.parametrize("fault", [THROTTLED, DENIED])
def test_a_claim_that_cannot_be_asked_for_stands_and_is_named(stage: Stage, fault: Fault) -> None:
    """A Create fails with what could not be asked; a Delete lets go, with the same in a warning."""
    declared_by_another(stage)
    stage.stacks.always_fail("DescribeStackResource", fault)

    assert f"DescribeStackResource answered {fault[1]}" in str(stage.create().reason)  # type: ignore[index]

    assert adopt(stage).status == "SUCCESS"
    assert stage.delete(stage.id()).reason == "Released, still granted"
    (line,) = stage.lines.named("released")
    assert line["level"] == "WARNING"
    assert f"resource Theirs of stack {OTHER}" in line["cause"]


def test_a_stack_of_another_account_is_served_and_its_claims_stand(stage: Stage) -> None:
    """The function may be shared between accounts; asked here, CloudFormation could only speak of this account's."""
    theirs = stage.create(LogicalResourceId="Theirs", StackId=THEIRS)
    assert shown(theirs) == ("SUCCESS", stage.id())

    refused = stage.create()

    assert refused.status == "FAILED"
    assert f"resource Theirs of stack {THEIRS} declares it already" in str(refused.reason)
    assert "is in account 999999999999" in str(refused.reason)
    assert stage.delete(stage.id(), LogicalResourceId="Theirs", StackId=THEIRS).reason == "Revoked"
    assert stage.members() == set()
    assert stage.stacks.asked == []


def test_a_resource_of_the_same_stack_shares_without_a_question(stage: Stage) -> None:
    """A rename, a swap, or a pair declared twice: asked is only whether the other one stands when one of them goes."""
    stage.create()
    renamed = stage.create(LogicalResourceId="Renamed")
    assert shown(renamed) == ("SUCCESS", stage.id())
    assert stage.stacks.asked == []

    stage.stack.happens("CREATE_COMPLETE", "Renamed", stage.id()).happens("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
    assert stage.delete(stage.id()).reason == "Released, still granted"
    assert stage.members() == {(GROUP, USER)}
    assert stage.delete(stage.id(), LogicalResourceId="Renamed").reason == "Revoked"
    assert stage.members() == set()


# -- was the deployment that adopted it completed? ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statuses", "revoked"),
    [
        (["CREATE_COMPLETE", "DELETE_IN_PROGRESS"], True),
        (["UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_COMPLETE", "UPDATE_IN_PROGRESS"], True),
        (["CREATE_COMPLETE", "UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS"], True),
        (["ROLLBACK_IN_PROGRESS"], False),
        (["CREATE_FAILED", "DELETE_IN_PROGRESS"], False),
        (["UPDATE_ROLLBACK_COMPLETE", "DELETE_IN_PROGRESS"], False),
        (["UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"], False),
    ],
    ids=lambda value: str(value),
)
def test_an_adopted_membership_is_revoked_if_its_deployment_completed(
    stage: Stage, statuses: list[str], revoked: bool
) -> None:
    """Deleted later it is deleted on purpose; taken back with its own deployment it was never the stack's."""
    stage.grant()
    stage.stack.happens("CREATE_COMPLETE", ago=3600).happens("UPDATE_IN_PROGRESS", ago=60)
    adopt(stage)
    for number, status in enumerate(statuses, start=1):
        stage.stack.happens(status, ago=-number)
    for number, status in enumerate(["CREATE_COMPLETE", "UPDATE_IN_PROGRESS"], start=11):
        stage.stack.happens(status, "Another", "an-id", ago=-number)  # that says nothing of the stack
    stage.stacks.page = 1

    answer = stage.delete(stage.id(adopted=True))

    assert shown(answer) == ("SUCCESS", stage.id(adopted=True))
    assert answer.reason == ("Revoked" if revoked else "Released, still granted")
    assert stage.members() == (set() if revoked else {(GROUP, USER)})
    assert [line["level"] for line in stage.lines.named("released")] == ([] if revoked else ["INFO"])


@pytest.mark.parametrize("around", [PARENT, GRANDPARENT])
@pytest.mark.parametrize("completed", [True, False])
def test_every_stack_around_it_must_have_completed(stage: Stage, around: str, completed: bool) -> None:
    """A nested stack completed, and one around it did not: its rollback must not revoke what was there before."""
    stage.grant()
    stage.stacks.add(STACK, PARENT)
    stage.stacks.add(PARENT, GRANDPARENT)
    for stack in (STACK, PARENT, GRANDPARENT):
        stage.stacks.add(stack).happens("CREATE_IN_PROGRESS", ago=60)
    adopt(stage)
    for stack in (STACK, PARENT, GRANDPARENT):
        ended = "CREATE_COMPLETE" if completed or stack != around else "CREATE_FAILED"
        stage.stacks.add(stack).happens(ended, ago=-1).happens("DELETE_IN_PROGRESS", ago=-2)

    assert stage.delete(stage.id(adopted=True)).reason == ("Revoked" if completed else "Released, still granted")


def test_an_adoption_of_which_nobody_can_tell_is_let_go_with_a_warning(stage: Stage) -> None:
    """Revoking could take somebody else's grant: it stays, and the line says why, the permission included."""
    stage.grant()
    adopt(stage)
    stage.stacks.always_fail("DescribeStackEvents", DENIED)

    assert stage.delete(stage.id(adopted=True)).reason == "Released, still granted"
    assert stage.members() == {(GROUP, USER)}
    (line,) = stage.lines.named("released")
    assert line["level"] == "WARNING"
    assert "cloudformation:DescribeStackEvents" in line["cause"]


@pytest.mark.parametrize(("days", "revoked"), [(89, False), (91, True)])
def test_an_adoption_that_is_older_than_every_event_completed(stage: Stage, days: int, revoked: bool) -> None:
    """Deleted after a year it is deleted on purpose: no operation lasts that long."""
    stage.grant()
    adopt(stage)
    aged(stage, days)
    stage.stack.happens("DELETE_IN_PROGRESS")

    assert stage.delete(stage.id(adopted=True)).reason == ("Revoked" if revoked else "Released, still granted")
