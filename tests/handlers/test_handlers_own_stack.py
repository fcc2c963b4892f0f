"""What the function reads from its own stack, on histories as CloudFormation writes them."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from aws_associations.host import Holder
from aws_associations.identity import AssociationId, Identity
from aws_associations.kinds.finspace_permission_group_membership import KIND
from aws_associations_lambda.asking import CannotTellError
from aws_associations_lambda.own_stack import LATEST, OwnStack

STACK = "arn:aws:cloudformation:us-east-1:123456789012:stack/team/1"
PARENT = "arn:aws:cloudformation:us-east-1:123456789012:stack/all/2"
BEGIN = datetime.datetime(2026, 11, 22, 12, tzinfo=datetime.UTC)


def identity(user: str) -> Identity:
    """One membership a user."""
    values = {"environment_id": "env1", "permission_group_id": "analysts", "user_id": user}
    return Identity.of(KIND, "123456789012", "us-east-1", values)


def text(user: str, *, adopted: bool = False) -> str:
    """Its physical id."""
    return AssociationId(identity(user), adopted).text


class History:
    """A stack's events and resources, written one a second; answers what a function may ask."""

    def __init__(self, page: int = 100) -> None:
        self.page = page
        self.events: dict[str, list[dict[str, Any]]] = {}
        self.resources: dict[str, tuple[str, str]] = {}
        self.parents: dict[str, str] = {}
        self.asked: list[str] = []
        self.denied: set[str] = set()
        self.status = ""
        self.now = BEGIN

    def at(self, seconds: float) -> datetime.datetime:
        return BEGIN + datetime.timedelta(seconds=seconds)

    def stack(self, *statuses: str, stack_id: str = STACK) -> History:
        for status in statuses:
            self._write(stack_id, "team", stack_id, "AWS::CloudFormation::Stack", status)
        return self

    def resource(self, logical_id: str, status: str, physical_id: str = "") -> History:
        self._write(STACK, logical_id, physical_id, KIND.cloudformation_type, status)
        if physical_id:
            self.resources[logical_id] = (physical_id, status)
        return self

    def _write(self, stack_id: str, logical_id: str, physical_id: str, resource_type: str, status: str) -> None:
        self.now += datetime.timedelta(seconds=1)
        event = {
            "Timestamp": self.now,
            "LogicalResourceId": logical_id,
            "PhysicalResourceId": physical_id,
            "ResourceType": resource_type,
            "ResourceStatus": status,
        }
        self.events.setdefault(stack_id, []).insert(0, event)

    def own(self, logical_id: str) -> OwnStack:
        return OwnStack(STACK, logical_id, self)

    def __call__(self, operation: str, **parameters: object) -> Mapping[str, Any]:
        self.asked.append(operation)
        if operation in self.denied:
            raise CannotTellError(f"{operation} answered AccessDenied")
        stack_id = str(parameters["StackName"])
        if operation == "DescribeStacks":
            status = next(
                event["ResourceStatus"] for event in self.events[stack_id] if event["PhysicalResourceId"] == stack_id
            )
            status = self.status or status
            return {"Stacks": [{"StackId": stack_id, "StackStatus": status, "ParentId": self.parents.get(stack_id)}]}
        if operation == "DescribeStackEvents":
            return self._paged("StackEvents", self.events.get(stack_id, []), parameters)
        assert operation == "ListStackResources"
        summaries = [
            {"LogicalResourceId": name, "PhysicalResourceId": physical, "ResourceStatus": status}
            for name, (physical, status) in self.resources.items()
        ]
        return self._paged("StackResourceSummaries", summaries, parameters)

    def _paged(self, items: str, whole: list[dict[str, Any]], parameters: Mapping[str, object]) -> Mapping[str, Any]:
        start = int(str(parameters.get("NextToken", "0")))
        rest = {"NextToken": str(start + self.page)} if start + self.page < len(whole) else {}
        return {items: whole[start : start + self.page], **rest}


def names(holders: Iterable[Holder]) -> set[str]:
    """Logical ids; the request's own with a star."""
    return {f"{holder.name}{'*' * holder.own}" for holder in holders}


# -- who holds it -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", [1, 2, 100])
def test_a_renamed_resource_finds_its_old_name(page: int) -> None:
    """Create of A2 with A's pair: A holds it, over any number of pages."""
    history = History(page).stack("CREATE_IN_PROGRESS").resource("A", "CREATE_COMPLETE", text("p1"))
    history.stack("CREATE_COMPLETE", "UPDATE_IN_PROGRESS").resource("A2", "CREATE_IN_PROGRESS")

    found = history.own("A2").holders(identity("p1"))

    assert names(found.now) == names(found.at_start) == {"A"}
    assert not found.rolling_back


@pytest.mark.parametrize(("seconds", "current"), [(5, True), (6, True), (7.5, False)])
def test_holders_are_of_the_operation_that_shows_the_request(seconds: float, current: bool) -> None:
    """A2 is begun 5 seconds after the start of this history; a request that was signed later is not shown yet."""
    history = History().stack("CREATE_IN_PROGRESS").resource("A", "CREATE_COMPLETE", text("p1"))
    history.stack("CREATE_COMPLETE", "UPDATE_IN_PROGRESS").resource("A2", "CREATE_IN_PROGRESS")

    assert history.own("A2").holders(identity("p1"), history.at(seconds)).current is current


@pytest.mark.parametrize(("seconds", "taken"), [(4.5, False), (3.5, True)])
def test_what_was_retained_before_is_taken_by_nobody_since(seconds: float, taken: bool) -> None:
    """A's pair is left in place 4 seconds after the start of this history; B's request for it was made then."""
    history = History().stack("CREATE_COMPLETE", "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
    history.resource("A", "DELETE_SKIPPED", text("p1"))
    del history.resources["A"]

    assert history.own("B").taken_since(identity("p1"), history.at(seconds)) is taken


def test_whether_a_request_is_waited_for_is_never_told_from_an_earlier_reading() -> None:
    """It is asked after a write, too: what was read before it tells nothing of now."""
    history = History().stack("CREATE_IN_PROGRESS").resource("A", "CREATE_IN_PROGRESS")
    own = history.own("A")
    assert own.waits_for("Create", history.now) is True

    history.resource("A", "CREATE_FAILED", "not-created/A")

    assert own.waits_for("Create", history.at(2)) is not True


def test_a_swap_is_seen_although_nobody_holds_the_pair_now() -> None:
    """A holds p2 already when B asks for p1: A held p1 when the update began."""
    history = History().stack("CREATE_IN_PROGRESS").resource("A", "CREATE_COMPLETE", text("p1"))
    history.resource("B", "CREATE_COMPLETE", text("p2")).stack("CREATE_COMPLETE", "UPDATE_IN_PROGRESS")
    history.resource("A", "UPDATE_IN_PROGRESS", text("p1")).resource("A", "UPDATE_COMPLETE", text("p2"))
    history.resource("B", "UPDATE_IN_PROGRESS", text("p2"))

    found = history.own("B").holders(identity("p1"))

    assert names(found.now) == set()
    assert names(found.at_start) == {"A"}
    assert names(history.own("B").holders(identity("p2")).now) == {"A", "B*"}


def test_a_reverse_update_finds_what_it_held_itself() -> None:
    """A went from p1 to p2 and has to go back: its own first event of the operation says that p1 was its own."""
    history = History().stack("UPDATE_IN_PROGRESS").resource("A", "UPDATE_IN_PROGRESS", text("p1", adopted=True))
    history.resource("A", "UPDATE_COMPLETE", text("p2")).stack("UPDATE_ROLLBACK_IN_PROGRESS")
    history.resource("A", "UPDATE_IN_PROGRESS", text("p2"))

    found = history.own("A").holders(identity("p1"))

    had = Holder("A", adopted=True, own=True, id=AssociationId(identity("p1"), adopted=True))
    assert (found.now, found.at_start, found.rolling_back) == ((), (had,), True)
    assert history.own("A").operation_begun() == history.at(1)


def test_what_is_being_deleted_holds_nothing() -> None:
    """A whole stack that goes shields nothing, whichever resource goes first."""
    history = History().stack("DELETE_IN_PROGRESS").resource("A", "DELETE_IN_PROGRESS", text("p1"))
    history.resource("B", "DELETE_IN_PROGRESS", text("p1"))

    assert history.own("A").holders(identity("p1")).now == ()


def test_ids_are_compared_as_identities() -> None:
    """The flag of an adopted one is no other identity; another kind's id, or anything else, is none."""
    history = History().stack("UPDATE_IN_PROGRESS").resource("A", "UPDATE_COMPLETE", text("p1", adopted=True))
    history.resource("Bucket", "CREATE_COMPLETE", "a-bucket").resource("B", "CREATE_COMPLETE", text("p2"))

    (holder,) = history.own("C").holders(identity("p1")).now

    assert (holder.name, holder.adopted) == ("A", True)


# -- is it waited for -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_type", "after", "signed", "expected"),
    [
        ("Create", ["A CREATE_IN_PROGRESS"], 1, True),
        ("Delete", ["A CREATE_IN_PROGRESS"], 1, None),
        ("Create", ["A CREATE_IN_PROGRESS", "- ROLLBACK_IN_PROGRESS"], 1, True),
        ("Create", ["A CREATE_IN_PROGRESS", "B x", "B x", "- ROLLBACK_IN_PROGRESS"], 1, False),
        ("Delete", ["A DELETE_IN_PROGRESS", "B x", "B x", "- DELETE_FAILED"], 1, True),
        ("Create", ["A CREATE_IN_PROGRESS", "B x", "B x", "A DELETE_IN_PROGRESS"], 1, False),
        ("Update", ["- UPDATE_ROLLBACK_IN_PROGRESS", "A UPDATE_IN_PROGRESS"], 2, True),
        ("Update", ["A UPDATE_IN_PROGRESS", "B x", "B x", "A UPDATE_IN_PROGRESS"], 1, False),
        ("Delete", ["A CREATE_COMPLETE", "B x", "B x"], 5, None),
        ("Create", [], 1, None),
    ],
)
def test_a_request_is_over_only_if_something_newer_says_so(
    request_type: str, after: list[str], signed: int, expected: bool | None
) -> None:
    """The newest event of the resource is the request's, or a later one ended it; an event may come late itself."""
    history = History()
    for line in after:
        logical_id, status = line.split()
        _ = history.stack(status) if logical_id == "-" else history.resource(logical_id, status, text("p1"))

    assert history.own("A").waits_for(request_type, history.at(signed)) is expected


def test_a_late_delete_of_what_was_declared_anew_is_over() -> None:
    """Deleted, declared again minutes later, and then Lambda delivers the Delete once more."""
    history = History().resource("A", "DELETE_IN_PROGRESS", text("p1")).resource("A", "DELETE_COMPLETE", text("p1"))
    history.now += datetime.timedelta(minutes=3)
    history.stack("UPDATE_IN_PROGRESS").resource("A", "CREATE_COMPLETE", text("p1"))

    assert history.own("A").waits_for("Delete", history.at(1)) is False


def test_a_delete_that_is_tried_again_is_waited_for_though_its_first_try_is_long_ago() -> None:
    """Of the later tries no event need tell; only what a stack did before bounds the search."""
    history = History().stack("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS").resource("A", "DELETE_IN_PROGRESS", text("p1"))
    history.resource("B", "DELETE_IN_PROGRESS", text("p2"))
    assert history.own("A").waits_for("Delete", history.at(100), text("p1")) is True
    assert history.own("A").waits_for("Update", history.at(100), text("p1")) is None

    history.stack("UPDATE_COMPLETE")
    assert history.own("A").waits_for("Delete", history.at(100), text("p1")) is None


def test_a_delete_is_over_as_soon_as_its_resource_is_declared_anew() -> None:
    """Deleted, declared again seconds later, and the Delete is delivered once more."""
    history = History().resource("A", "DELETE_IN_PROGRESS", text("p1")).resource("A", "DELETE_COMPLETE", text("p1"))
    history.stack("UPDATE_IN_PROGRESS").resource("A", "CREATE_IN_PROGRESS")

    assert history.own("A").waits_for("Delete", history.at(1)) is False


def test_a_url_that_does_not_tell_its_time_proves_nothing() -> None:
    """Without a time there is no newer."""
    assert History().resource("A", "CREATE_COMPLETE", text("p1")).own("A").waits_for("Delete", None) is None


# -- was the adoption completed ---------------------------------------------------------------------------------------


def adopted(*statuses: str) -> History:
    """A stack in which A took p1 by adoption, and what happened to the stack after that."""
    history = History().stack("CREATE_IN_PROGRESS").resource("A", "CREATE_IN_PROGRESS")
    return history.resource("A", "CREATE_COMPLETE", text("p1", adopted=True)).stack(*statuses)


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (["CREATE_COMPLETE", "DELETE_IN_PROGRESS"], True),
        (["CREATE_COMPLETE", "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"], True),
        (["ROLLBACK_IN_PROGRESS"], False),
        (["CREATE_FAILED", "DELETE_IN_PROGRESS"], False),
        ([], False),
    ],
)
def test_an_adoption_is_settled_when_its_stack_completed(after: list[str], expected: bool) -> None:
    """Deleted later is deleted on purpose; taken back with its deployment is not."""
    history = adopted(*after).resource("A", "DELETE_IN_PROGRESS", text("p1", adopted=True))

    assert history.own("A").settled(identity("p1")) is expected


def test_an_adopted_one_that_was_replaced_was_replaced_on_purpose() -> None:
    """In the cleanup the resource has another id already; what counts is when it took the old one."""
    history = adopted("CREATE_COMPLETE", "UPDATE_IN_PROGRESS").resource("A", "UPDATE_COMPLETE", text("p2"))
    history.stack("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS").resource("A", "DELETE_IN_PROGRESS", text("p1", adopted=True))

    assert history.own("A").settled(identity("p1")) is True


def test_an_adoption_in_a_nested_stack_is_settled_when_every_ancestor_completed() -> None:
    """The nested stack completed, and the stack around it failed afterwards."""
    history = adopted("CREATE_COMPLETE")
    history.parents[STACK] = PARENT
    history.stack("CREATE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS", stack_id=PARENT)
    assert history.own("A").settled(identity("p1")) is False

    history = adopted("CREATE_COMPLETE")
    history.parents[STACK] = PARENT
    history.stack("CREATE_IN_PROGRESS", "CREATE_COMPLETE", "DELETE_IN_PROGRESS", stack_id=PARENT)
    assert history.own("A").settled(identity("p1")) is True


def test_an_adoption_that_was_settled_stays_so_while_a_stack_around_it_goes_back() -> None:
    """Adopted long ago in a nested stack; now a later update of the stack around it is rolled back."""
    history = adopted("CREATE_COMPLETE")
    history.parents[STACK] = PARENT
    history.stack("CREATE_IN_PROGRESS", "CREATE_COMPLETE", stack_id=PARENT).stack("UPDATE_IN_PROGRESS")
    history.stack("UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS", stack_id=PARENT)

    assert history.own("A").settled(identity("p1")) is True


@pytest.mark.parametrize("skipped", [True, False])
def test_a_rollback_around_a_nested_stack_completes_what_was_there_before_it(skipped: bool) -> None:
    """A skipped resource keeps what it adopted in the operation that its parent took back; older ones are settled."""
    history = History().stack("CREATE_COMPLETE")
    history.parents[STACK] = PARENT
    if skipped:
        history.stack("UPDATE_IN_PROGRESS", stack_id=PARENT).stack("UPDATE_IN_PROGRESS")
        history.resource("A", "UPDATE_IN_PROGRESS", text("p2"))
    history.resource("A", "UPDATE_COMPLETE", text("p1", adopted=True)).stack("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
    if not skipped:
        history.stack("UPDATE_IN_PROGRESS", stack_id=PARENT)
    history.stack("UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE", stack_id=PARENT)

    assert history.own("A").settled(identity("p1")) is not skipped


def test_an_adoption_that_a_rollback_went_back_to_is_settled() -> None:
    """Replaced, and replaced back because something else failed: deleted later, it is deleted on purpose."""
    history = adopted("CREATE_COMPLETE", "UPDATE_IN_PROGRESS")
    history.resource("A", "UPDATE_IN_PROGRESS", text("p1", adopted=True)).resource("A", "UPDATE_COMPLETE", text("p2"))
    history.stack("UPDATE_ROLLBACK_IN_PROGRESS").resource("A", "UPDATE_COMPLETE", text("p1", adopted=True))
    history.stack("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
    assert history.own("A").settled(identity("p1")) is True

    history.stack("UPDATE_ROLLBACK_COMPLETE", "DELETE_IN_PROGRESS")
    assert history.own("A").settled(identity("p1")) is True


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ([], False),
        (["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"], True),
        (["UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE"], True),
    ],
)
def test_an_adoption_that_a_rollback_skipped_is_settled_by_the_next_update(after: list[str], expected: bool) -> None:
    """It adopted p1 in an update that failed; it could not be changed back, and the user had it skipped."""
    history = History().stack("UPDATE_COMPLETE", "UPDATE_IN_PROGRESS").resource("A", "UPDATE_IN_PROGRESS", text("p2"))
    history.resource("A", "UPDATE_COMPLETE", text("p1", adopted=True)).stack("UPDATE_ROLLBACK_IN_PROGRESS")
    history.resource("A", "UPDATE_FAILED", text("p1", adopted=True)).stack("UPDATE_ROLLBACK_FAILED")
    history.stack("UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE", *after, "DELETE_IN_PROGRESS")

    assert history.own("A").settled(identity("p1")) is expected


def test_what_is_declared_anew_after_it_was_retained_was_adopted_then() -> None:
    """An earlier resource of the name left p1 in place; the next one adopts it in an update that fails."""
    history = adopted("CREATE_COMPLETE", "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
    history.resource("A", "DELETE_SKIPPED", text("p1", adopted=True)).stack("UPDATE_COMPLETE", "UPDATE_IN_PROGRESS")
    history.resource("A", "CREATE_IN_PROGRESS").resource("A", "CREATE_COMPLETE", text("p1", adopted=True))
    history.stack("UPDATE_ROLLBACK_IN_PROGRESS")

    assert history.own("A").settled(identity("p1")) is False


def test_what_was_retained_and_adopted_again_was_taken_then() -> None:
    """An update to p2 left p1 in place; the next one goes back to p1, which it finds there, and fails."""
    history = adopted("CREATE_COMPLETE", "UPDATE_IN_PROGRESS")
    history.resource("A", "UPDATE_IN_PROGRESS", text("p1", adopted=True)).resource("A", "UPDATE_COMPLETE", text("p2"))
    history.stack("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS").resource("A", "DELETE_SKIPPED", text("p1", adopted=True))
    history.stack("UPDATE_COMPLETE", "UPDATE_IN_PROGRESS").resource("A", "UPDATE_IN_PROGRESS", text("p2"))
    history.resource("A", "UPDATE_COMPLETE", text("p1", adopted=True)).stack("UPDATE_ROLLBACK_IN_PROGRESS")

    assert history.own("A").settled(identity("p1")) is False


def test_a_completion_that_is_older_than_the_adoption_does_not_settle_it() -> None:
    """Events lag: the beginning of the update that adopted it is not shown, the end of the one before is."""
    history = History().stack("CREATE_COMPLETE", "UPDATE_IN_PROGRESS").resource("A", "UPDATE_IN_PROGRESS", text("p3"))
    history.resource("A", "UPDATE_COMPLETE", text("p2")).stack("UPDATE_COMPLETE")
    history.resource("A", "UPDATE_COMPLETE", text("p1", adopted=True))

    assert history.own("A").settled(identity("p1")) is False


def test_what_a_resource_had_before_the_last_operation_is_not_what_it_had_last() -> None:
    """It had p1, then p2, and adopts p1 in an update that fails; an engine that names no id at its beginning."""
    history = adopted("CREATE_COMPLETE", "UPDATE_IN_PROGRESS")
    history.resource("A", "UPDATE_IN_PROGRESS", text("p1", adopted=True)).resource("A", "UPDATE_COMPLETE", text("p2"))
    history.stack("UPDATE_COMPLETE", "UPDATE_IN_PROGRESS").resource("A", "UPDATE_IN_PROGRESS")
    history.resource("A", "UPDATE_COMPLETE", text("p1", adopted=True)).stack("UPDATE_ROLLBACK_IN_PROGRESS")

    assert history.own("A").settled(identity("p1")) is False


def test_what_it_had_before_is_looked_for_past_operations_of_others() -> None:
    """A took no part in the update before this one; an engine that names no id at its beginning."""
    history = adopted("CREATE_COMPLETE", "UPDATE_IN_PROGRESS").resource("B", "CREATE_COMPLETE", text("p2"))
    history.stack("UPDATE_COMPLETE", "UPDATE_IN_PROGRESS").resource("A", "UPDATE_IN_PROGRESS")
    history.resource("A", "UPDATE_COMPLETE", text("p1", adopted=True)).stack("UPDATE_ROLLBACK_IN_PROGRESS")

    assert history.own("A").settled(identity("p1")) is True


def test_what_a_cleanup_deleted_is_not_what_a_resource_had_last() -> None:
    """A left p2 for p1, and the cleanup deleted p2 after that; an engine that names no id at the next beginning."""
    history = History().stack("CREATE_COMPLETE", "UPDATE_IN_PROGRESS").resource("A", "UPDATE_IN_PROGRESS", text("p2"))
    history.resource("A", "UPDATE_COMPLETE", text("p1", adopted=True)).stack("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
    history.resource("A", "DELETE_COMPLETE", text("p2")).stack("UPDATE_COMPLETE", "UPDATE_IN_PROGRESS")
    history.resource("A", "UPDATE_IN_PROGRESS").resource("A", "UPDATE_COMPLETE", text("p1", adopted=True))
    history.stack("UPDATE_ROLLBACK_IN_PROGRESS")

    assert history.own("A").settled(identity("p1")) is True


def test_a_cleanup_of_an_id_that_the_resource_has_no_more_ends_no_life() -> None:
    """A creation that failed left p1, the next one adopted that, and the cleanup deleted the first one's id."""
    history = History().stack("CREATE_COMPLETE", "UPDATE_IN_PROGRESS").resource("A", "CREATE_IN_PROGRESS")
    history.resource("A", "CREATE_FAILED", text("p1")).stack("UPDATE_FAILED", "UPDATE_IN_PROGRESS")
    history.resource("A", "CREATE_IN_PROGRESS").resource("A", "CREATE_COMPLETE", text("p1", adopted=True))
    history.stack("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS").resource("A", "DELETE_COMPLETE", text("p1"))
    history.stack("UPDATE_COMPLETE", "DELETE_IN_PROGRESS")

    assert history.own("A").settled(identity("p1")) is True


def test_an_older_operation_that_names_no_id_does_not_unsettle_an_adoption() -> None:
    """An update of A was rolled back at once, by an engine that names no id; A is deleted long after."""
    history = adopted("CREATE_COMPLETE", "UPDATE_IN_PROGRESS").resource("A", "UPDATE_IN_PROGRESS")
    history.resource("A", "UPDATE_FAILED").stack("UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE")
    history.stack("DELETE_IN_PROGRESS").resource("A", "DELETE_IN_PROGRESS", text("p1", adopted=True))

    assert history.own("A").settled(identity("p1")) is True


@pytest.mark.parametrize(("had", "expected"), [("p1", True), ("p2", False)])
def test_an_update_that_names_no_id_at_its_beginning_took_what_the_resource_had_not_before(
    had: str, expected: bool
) -> None:
    """As an engine tells it (ministack): what it had is known from the operation before."""
    history = History().stack("CREATE_IN_PROGRESS").resource("A", "CREATE_COMPLETE", text(had, adopted=True))
    history.stack("CREATE_COMPLETE", "UPDATE_IN_PROGRESS").resource("A", "UPDATE_IN_PROGRESS")
    history.resource("A", "UPDATE_COMPLETE", text("p1", adopted=True)).stack("UPDATE_ROLLBACK_IN_PROGRESS")

    assert history.own("A").settled(identity("p1")) is expected


def test_an_adoption_that_a_rollback_goes_back_to_was_not_made_in_it() -> None:
    """B has the pair only until it is taken back, and A has it from before: it is A's, already while it goes back."""
    history = adopted("CREATE_COMPLETE", "UPDATE_IN_PROGRESS").resource("B", "CREATE_COMPLETE", text("p1"))
    history.resource("A", "UPDATE_IN_PROGRESS", text("p1", adopted=True)).resource("A", "UPDATE_COMPLETE", text("p2"))
    history.stack("UPDATE_ROLLBACK_IN_PROGRESS").resource("A", "UPDATE_COMPLETE", text("p1", adopted=True))

    holders = history.own("B").holders(identity("p1"))

    assert {holder.name: holder.unsettled for holder in holders.at_start} == {"A": False, "B": False}
    assert history.own("A").settled(identity("p1")) is True


def test_of_what_was_had_before_all_that_is_kept_nobody_knows_when_it_was_adopted() -> None:
    """A went away from p1 and back in this update; older events are not kept any more."""
    history = History().stack("UPDATE_IN_PROGRESS").resource("A", "UPDATE_IN_PROGRESS", text("p1", adopted=True))
    history.resource("A", "UPDATE_COMPLETE", text("p2")).stack("UPDATE_ROLLBACK_IN_PROGRESS")
    history.resource("A", "UPDATE_COMPLETE", text("p1", adopted=True))

    assert history.own("A").settled(identity("p1")) is None


@pytest.mark.parametrize(
    "born",
    [("CREATE_IN_PROGRESS",), ("REVIEW_IN_PROGRESS", "CREATE_IN_PROGRESS"), ()],
    ids=["newest", "newest, created by a change set", "its beginning"],
)
def test_an_adoption_that_is_not_shown_yet_is_not_settled(born: tuple[str, ...]) -> None:
    """Events lag: all is shown but what is newest, by a change set or not, or the resource's own beginning."""
    history = History()
    if born:
        history.stack(*born, "DELETE_IN_PROGRESS")
    else:
        history.stack("UPDATE_COMPLETE", "UPDATE_IN_PROGRESS").resource("A", "CREATE_IN_PROGRESS")

    assert history.own("A").settled(identity("p1")) is False


def test_an_adoption_that_no_event_tells_of_cannot_be_known() -> None:
    """CloudFormation keeps events for ninety days."""
    assert History().stack("DELETE_IN_PROGRESS").own("A").settled(identity("p1")) is None


# -- what it costs ----------------------------------------------------------------------------------------------------


def test_a_decision_reads_one_page_of_events_and_the_resources() -> None:
    """A delete asks whether it is waited for and who else holds it: two calls in a stack with a short history."""
    history = adopted("CREATE_COMPLETE", "DELETE_IN_PROGRESS").resource("A", "DELETE_IN_PROGRESS", text("p1"))
    own = history.own("A")

    own.waits_for("Delete", history.at(5))
    own.holders(identity("p1"))

    assert history.asked == ["DescribeStackEvents", "ListStackResources"]


def test_a_stack_of_five_hundred_resources_is_read_to_its_end() -> None:
    """Pages are followed."""
    history = History().stack("UPDATE_IN_PROGRESS")
    for number in range(500):
        history.resource(f"R{number}", "CREATE_COMPLETE", text(f"u{number}"))

    assert names(history.own("A").holders(identity("u499")).now) == {"R499"}


def test_what_is_denied_is_said_and_not_guessed() -> None:
    """No answer is no evidence: the caller hears which call it was."""
    history = adopted()
    history.denied.add("ListStackResources")

    with pytest.raises(CannotTellError, match="ListStackResources answered AccessDenied"):
        history.own("B").holders(identity("p1"))


# -- what engines leave out, and who has taken it since ---------------------------------------------------------------


def test_an_event_without_an_id_is_filled_in_from_before() -> None:
    """Not every engine names the old id when an update begins: the last one before it counts."""
    history = History().stack("CREATE_IN_PROGRESS").resource("A", "CREATE_COMPLETE", text("p1"))
    history.resource("C", "CREATE_COMPLETE", text("p1")).resource("C", "DELETE_COMPLETE", text("p1"))
    history.stack("CREATE_COMPLETE", "UPDATE_IN_PROGRESS").resource("A", "UPDATE_IN_PROGRESS")
    history.resource("A", "UPDATE_COMPLETE", text("p2")).resource("C", "UPDATE_IN_PROGRESS")

    assert names(history.own("B").holders(identity("p1")).at_start) == {"A"}


def test_what_is_created_in_this_operation_held_nothing_before() -> None:
    """A create has no id yet, and what its name held in an earlier life is over; nothing older is read for it."""
    history = History(1).stack("CREATE_IN_PROGRESS").resource("A", "CREATE_COMPLETE", text("p1"))
    history.resource("A", "DELETE_COMPLETE", text("p1")).stack("UPDATE_COMPLETE", "UPDATE_IN_PROGRESS")
    history.resource("A", "CREATE_IN_PROGRESS")

    assert history.own("B").holders(identity("p1")).at_start == ()
    assert history.asked.count("DescribeStackEvents") == 3


def test_an_adopter_whose_deployment_never_completed_is_told_from_one_whose_did() -> None:
    """What is taken back with its deployment shields nothing."""
    history = adopted().resource("B", "CREATE_COMPLETE", text("p1")).stack("ROLLBACK_IN_PROGRESS")
    found = history.own("B").holders(identity("p1"))
    assert [(holder.name, holder.unsettled) for holder in found.now] == [("A", True), ("B", False)]
    assert (found.rolling_back, found.deleting) == (True, False)

    history = adopted("CREATE_COMPLETE", "DELETE_IN_PROGRESS").resource("B", "DELETE_IN_PROGRESS", text("p2"))
    found = history.own("B").holders(identity("p1"))
    assert [(holder.name, holder.unsettled) for holder in found.now] == [("A", False)]
    assert (found.rolling_back, found.deleting) == (False, True)


def test_an_adoption_is_told_of_the_id_that_has_it() -> None:
    """A creation of A failed and left p1, the next one adopted that, and both are deleted with the stack."""
    history = adopted("UPDATE_FAILED", "DELETE_IN_PROGRESS").resource("A", "DELETE_IN_PROGRESS", text("p1"))
    history.resources["A"] = (text("p1", adopted=True), "CREATE_COMPLETE")
    found = history.own("A").holders(identity("p1"))

    assert [holder.unsettled for holder in found.now] == [True]
    assert [(holder.id, holder.unsettled) for holder in found.at_start] == [(AssociationId(identity("p1")), False)]


def test_a_creation_that_never_got_an_id_is_known_by_its_beginning() -> None:
    """It is what a Delete with an invented id is for; one that got its id is deleted under that."""
    history = History().stack("CREATE_IN_PROGRESS").resource("A", "CREATE_IN_PROGRESS")
    history.resource("B", "CREATE_FAILED").resource("A", "DELETE_IN_PROGRESS", "team-A-1A2B3C")
    assert history.own("A").creation_begun() == (history.at(2), LATEST)

    history = History().resource("A", "CREATE_IN_PROGRESS").resource("A", "CREATE_COMPLETE", text("p1"))
    assert history.own("A").creation_begun() is None
    assert History().own("A").creation_begun() is None


@pytest.mark.parametrize("failed", ["team-A-1A2B3C", ""])
def test_a_creation_that_failed_and_was_made_anew_is_bounded_by_the_next_one(failed: str) -> None:
    """With a disabled rollback what failed may be deleted after the next creation; some engines name no id for it."""
    history = History().stack("CREATE_IN_PROGRESS").resource("A", "CREATE_IN_PROGRESS")
    history.resource("A", "CREATE_FAILED", failed).stack("CREATE_FAILED", "UPDATE_IN_PROGRESS")
    history.resource("A", "CREATE_IN_PROGRESS").resource("A", "CREATE_COMPLETE", text("p1"))
    history.stack("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS").resource("A", "DELETE_IN_PROGRESS", "team-A-1A2B3C")

    assert history.own("A").creation_begun("team-A-1A2B3C") == (history.at(2), history.at(6))


def test_each_of_two_creations_that_failed_is_known_by_its_id() -> None:
    """Both were given up, one after the other, and both are deleted with the stack."""
    history = History().stack("CREATE_IN_PROGRESS").resource("A", "CREATE_IN_PROGRESS")
    history.resource("A", "CREATE_FAILED", "team-A-1").stack("CREATE_FAILED", "UPDATE_IN_PROGRESS")
    history.resource("A", "CREATE_IN_PROGRESS").resource("A", "CREATE_FAILED", "team-A-2")
    history.stack("UPDATE_FAILED", "DELETE_IN_PROGRESS")

    assert history.own("A").creation_begun("team-A-1") == (history.at(2), history.at(6))
    assert history.own("A").creation_begun("team-A-2") == (history.at(6), LATEST)


def test_a_creation_that_answered_its_marker_left_nothing() -> None:
    """It failed definitely and said so; a Delete with another id is not about it."""
    history = History().stack("CREATE_IN_PROGRESS").resource("A", "CREATE_IN_PROGRESS")
    history.resource("A", "CREATE_FAILED", "not-created/A").stack("ROLLBACK_IN_PROGRESS")

    assert history.own("A").creation_begun("team-A-1A2B3C") is None


@pytest.mark.parametrize(
    ("status", "user", "expected"),
    [
        ("CREATE_COMPLETE", "p1", True),
        ("CREATE_COMPLETE", "p2", False),
        ("DELETE_SKIPPED", "p1", True),
        ("DELETE_COMPLETE", "p1", False),
    ],
)
def test_what_a_resource_took_since_is_not_surely_ours(status: str, user: str, expected: bool) -> None:
    """Whoever's it is, unless it was deleted after that; older events are not read."""
    history = History().resource("A", "CREATE_COMPLETE", text("p1")).resource("A", "DELETE_COMPLETE", text("p1"))
    history.now += datetime.timedelta(minutes=1)
    asked_at = history.now
    history.resource("B", "CREATE_IN_PROGRESS").resource("A", status, text(user))
    history.resources.clear()

    assert history.own("B").taken_since(identity("p1"), asked_at) is expected


@pytest.mark.parametrize(
    ("logical_id", "seconds", "expected"), [("A", 1, True), ("A", 3, False), ("A", 4, False), ("B", 1, False)]
)
def test_what_a_delete_of_the_resource_ended_is_not_surely_ours(
    logical_id: str, seconds: float, expected: bool
) -> None:
    """A create that is delivered twice: one granted it, and A was deleted since. What it announces later is its own."""
    history = History().resource("A", "CREATE_COMPLETE", text("p1")).resource("A", "DELETE_IN_PROGRESS", text("p1"))
    history.resource("A", "DELETE_COMPLETE", text("p1")).resources.clear()

    taken = history.own(logical_id).taken_since(identity("p1"), history.at(0), history.at(seconds))
    assert taken is expected


def test_what_was_adopted_and_let_go_of_ended_nothing() -> None:
    """A Delete of an adopted id in a rollback revokes nothing: what is there is still what the request granted."""
    history = History().resource("A", "CREATE_COMPLETE", text("p1", adopted=True))
    history.resource("A", "DELETE_COMPLETE", text("p1", adopted=True)).resources.clear()

    assert history.own("A").taken_since(identity("p1"), history.at(0), history.at(1)) is False


def test_what_a_resource_has_is_not_surely_ours() -> None:
    """Its event may be older than the request, or not be shown yet."""
    history = History().resource("A", "CREATE_COMPLETE", text("p1"))

    assert history.own("B").taken_since(identity("p1"), history.at(60)) is True


# -- what an independent review found ---------------------------------------------------------------------------------


def test_an_adoption_is_not_settled_by_what_its_name_had_in_an_earlier_life() -> None:
    """The same pair under the same name, deleted, then granted by others and adopted by a deployment that fails."""
    history = (
        History().stack("CREATE_IN_PROGRESS").resource("A", "CREATE_COMPLETE", text("p1")).stack("CREATE_COMPLETE")
    )
    history.stack("UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
    history.resource("A", "DELETE_IN_PROGRESS", text("p1")).resource("A", "DELETE_COMPLETE", text("p1"))
    history.stack("UPDATE_COMPLETE", "UPDATE_IN_PROGRESS").resource("A", "CREATE_IN_PROGRESS")
    history.resource("A", "CREATE_COMPLETE", text("p1", adopted=True)).stack("UPDATE_ROLLBACK_IN_PROGRESS")
    history.resource("A", "DELETE_IN_PROGRESS", text("p1", adopted=True))

    assert history.own("A").settled(identity("p1")) is False


def test_who_holds_it_now_is_told_although_the_events_are_denied() -> None:
    """A renamed resource's new name shields the pair; only where nobody has it the missing events matter."""
    history = History().stack("UPDATE_IN_PROGRESS").resource("New", "CREATE_COMPLETE", text("p1"))
    history.denied.add("DescribeStackEvents")

    assert names(history.own("Old").holders(identity("p1")).now) == {"New"}
    with pytest.raises(CannotTellError, match="DescribeStackEvents"):
        history.own("Old").holders(identity("p2"))
    with pytest.raises(CannotTellError, match="DescribeStackEvents"):
        history.own("New").holders(identity("p1"))


def test_what_was_read_before_a_failure_is_not_taken_for_all_of_it() -> None:
    """The question after one that failed asks anew."""
    history = History(1).stack("UPDATE_IN_PROGRESS").resource("A", "UPDATE_IN_PROGRESS", text("p1"))
    history.resource("A", "UPDATE_COMPLETE", text("p2")).stack("UPDATE_ROLLBACK_IN_PROGRESS")
    history.resource("B", "UPDATE_IN_PROGRESS", text("p3"))
    own = history.own("C")
    ask, asked = history._paged, iter(range(9))

    def fail_once(*arguments: Any) -> Mapping[str, Any]:
        if next(asked) == 1:
            raise CannotTellError("DescribeStackEvents answered Throttling", passing=True)
        return ask(*arguments)

    history._paged = fail_once  # type: ignore[method-assign, assignment]
    with pytest.raises(CannotTellError):
        own.creation_begun()
    history._paged = ask  # type: ignore[method-assign]

    assert names(own.holders(identity("p1")).at_start) == {"A"}


def test_a_delete_of_another_id_of_the_same_name_ends_nothing() -> None:
    """Two old ids of one resource are cleaned up, one after the other."""
    history = History().resource("A", "UPDATE_COMPLETE", text("p3")).resource("A", "DELETE_IN_PROGRESS", text("p1"))
    history.resource("A", "DELETE_IN_PROGRESS", text("p2")).resource("A", "DELETE_COMPLETE", text("p2"))

    assert history.own("A").waits_for("Delete", history.at(2), text("p1")) is True
    assert history.own("A").waits_for("Delete", history.at(3), text("p2")) is False


@pytest.mark.parametrize(("signed", "expected"), [(2, True), (5, True), (8, True), (-20, False)])
def test_a_request_is_known_by_its_beginning_though_clocks_differ(signed: float, expected: bool) -> None:
    """The event may come some seconds after the signature; what began before that is not it."""
    history = History()
    history.now += datetime.timedelta(seconds=6)
    history.resource("A", "CREATE_IN_PROGRESS")

    assert history.own("A").waits_for("Create", history.at(signed)) is expected


def test_a_create_is_over_if_another_life_began_after_it() -> None:
    """Created, deleted and declared anew within seconds: the first one's duplicate is not the second."""
    history = History().resource("A", "CREATE_IN_PROGRESS").resource("A", "CREATE_COMPLETE", text("p1"))
    history.resource("A", "DELETE_COMPLETE", text("p1"))
    history.now += datetime.timedelta(seconds=3)
    history.resource("A", "CREATE_IN_PROGRESS")

    assert history.own("A").waits_for("Create", history.at(1)) is False


def test_a_status_that_is_repeated_in_the_midst_is_no_beginning() -> None:
    """CONFIGURATION_COMPLETE comes as a detail of the same status."""
    history = History().stack("CREATE_IN_PROGRESS").resource("A", "CREATE_IN_PROGRESS")
    history.stack("CREATE_IN_PROGRESS")
    history.events[STACK][0]["DetailedStatus"] = "CONFIGURATION_COMPLETE"
    history.resource("A", "CREATE_COMPLETE", text("p1")).stack("ROLLBACK_IN_PROGRESS")
    history.resource("A", "DELETE_IN_PROGRESS", text("p1"))

    assert history.own("B").holders(identity("p1")).at_start == ()
    assert history.own("B").operation_begun() == history.at(1)


def test_a_rollback_that_has_ended_shields_nothing_though_events_lag() -> None:
    """The stack is being deleted, and the events still show the rollback before that."""
    history = History().stack("UPDATE_IN_PROGRESS").resource("A", "UPDATE_IN_PROGRESS", text("p1"))
    history.resource("A", "UPDATE_COMPLETE", text("p2")).stack("UPDATE_ROLLBACK_IN_PROGRESS")
    found = history.own("B").holders(identity("p1"))
    assert (names(found.at_start), found.rolling_back) == ({"A"}, True)

    history.status = "DELETE_IN_PROGRESS"
    assert not history.own("B").holders(identity("p1")).rolling_back


def test_a_reverse_update_is_not_over_because_its_own_event_lags() -> None:
    """The update that it takes back began, and failed, just before: its events are all that is shown."""
    history = History().resource("A", "UPDATE_IN_PROGRESS", text("p1")).resource("A", "UPDATE_FAILED", text("p1"))

    assert history.own("A").waits_for("Update", history.at(3)) is None


# -- a rollback that is disabled: several updates are one operation ----------------------------------------------------


def continued() -> History:
    """A had p1 when the stack was last complete; two updates in turn gave it p2 and p3, and both failed elsewhere."""
    history = History().stack("CREATE_IN_PROGRESS").resource("A", "CREATE_COMPLETE", text("p1"))
    history.stack("CREATE_COMPLETE", "UPDATE_IN_PROGRESS").resource("A", "UPDATE_IN_PROGRESS", text("p1"))
    history.resource("A", "UPDATE_COMPLETE", text("p2")).stack("UPDATE_FAILED", "UPDATE_IN_PROGRESS")
    history.resource("A", "UPDATE_IN_PROGRESS", text("p2")).resource("A", "UPDATE_COMPLETE", text("p3"))
    return history.stack("UPDATE_FAILED")


@pytest.mark.parametrize(("user", "at_start", "since"), [("p1", {"A*"}, set()), ("p2", set(), {"A*"})])
def test_a_rollback_goes_back_past_every_update_that_was_not_completed(
    user: str, at_start: set[str], since: set[str]
) -> None:
    """RollbackStack goes back to the last completed operation: what an update between had is no state to go back to."""
    found = continued().stack("UPDATE_ROLLBACK_IN_PROGRESS").own("A").holders(identity(user))

    assert (names(found.at_start), names(found.since), names(found.now)) == (at_start, since, set())


def test_a_creation_that_was_continued_began_with_it() -> None:
    """A stack in CREATE_FAILED is updated until it is complete: nothing was there before its creation."""
    history = History().stack("CREATE_IN_PROGRESS").resource("A", "CREATE_IN_PROGRESS")
    history.resource("A", "CREATE_COMPLETE", text("p1")).stack("CREATE_FAILED", "UPDATE_IN_PROGRESS")
    history.resource("A", "UPDATE_IN_PROGRESS", text("p1")).resource("A", "UPDATE_COMPLETE", text("p2"))

    assert history.own("B").holders(identity("p1")).at_start == ()
    assert history.own("A").operation_begun() == history.at(1)


def test_what_was_deleted_meanwhile_was_not_held_since() -> None:
    """What could not be created is deleted by the next operation, and is nobody's evidence after that."""
    history = History().stack("UPDATE_IN_PROGRESS").resource("A", "CREATE_COMPLETE", text("p1"))
    history.stack("UPDATE_FAILED", "UPDATE_IN_PROGRESS").resource("A", "DELETE_COMPLETE", text("p1"))
    history.resources.clear()

    assert history.own("B").holders(identity("p1")).since == ()


@pytest.mark.parametrize("before", ["UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE"])
def test_an_operation_begins_after_the_last_completed_one(before: str) -> None:
    """An earlier update that failed, and was rolled back or repaired, is no part of this one."""
    history = History().stack("UPDATE_IN_PROGRESS").resource("A", "UPDATE_IN_PROGRESS", text("p1"))
    history.resource("A", "UPDATE_COMPLETE", text("p2")).stack("UPDATE_FAILED", before, "UPDATE_IN_PROGRESS")
    began = history.now
    history.resource("A", "UPDATE_IN_PROGRESS", text("p2")).resource("A", "UPDATE_COMPLETE", text("p3"))

    assert history.own("A").operation_begun() == began
    assert history.own("B").holders(identity("p1")).at_start == ()
    assert names(history.own("B").holders(identity("p2")).at_start) == {"A"}


def test_a_deletion_is_an_operation_of_its_own() -> None:
    """What a failed update began is no part of it, and pages of that are not read for it."""
    history = History(2).stack("UPDATE_COMPLETE", "UPDATE_IN_PROGRESS").resource("A", "UPDATE_IN_PROGRESS", text("p1"))
    history.resource("A", "UPDATE_COMPLETE", text("p2")).stack("UPDATE_FAILED", "DELETE_IN_PROGRESS")
    history.resource("A", "DELETE_IN_PROGRESS", text("p2"))

    assert history.own("B").holders(identity("p1")).at_start == ()
    assert history.asked.count("DescribeStackEvents") == 1


# -- a Delete of what the resource itself goes on holding --------------------------------------------------------------


def cleanup_of(*took: str, status: str = "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS") -> History:
    """A took these one after the other in one update, and the cleanup deletes p1 under its name."""
    history = History().stack("UPDATE_COMPLETE", "UPDATE_IN_PROGRESS")
    for user in took:
        history.resource("A", "UPDATE_COMPLETE", text(user))
    history.stack(status)
    history.resources["A"] = (text(took[-1]), "UPDATE_COMPLETE")
    return history


def stays(history: History) -> bool:
    """Whether A is told to keep p1."""
    (holder,) = history.own("A").holders(identity("p1")).now
    return holder.stays


def test_what_an_update_gave_its_resource_survives_the_cleanup_of_an_old_id_of_it() -> None:
    """CloudFormation cleans up an id that means the same, or a creation that had failed: the resource has it now."""
    assert stays(cleanup_of("p1"))


def test_what_a_resource_had_before_goes_with_it() -> None:
    """Removed from the template: it is listed with its id, and the update did not give it that."""
    history = History().stack("CREATE_IN_PROGRESS").resource("A", "CREATE_COMPLETE", text("p1"))
    history.stack("CREATE_COMPLETE", "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")

    assert not stays(history)


def test_what_a_continued_update_removes_is_revoked() -> None:
    """An update that failed gave it p1; the next one has it no more, and its cleanup takes it."""
    history = History().stack("UPDATE_COMPLETE", "UPDATE_IN_PROGRESS").resource("A", "CREATE_COMPLETE", text("p1"))
    history.stack("UPDATE_FAILED", "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")

    assert not stays(history)


def test_a_resource_stays_only_while_the_cleanup_lasts() -> None:
    """Events lag: the stack is being deleted already."""
    history = cleanup_of("p1")
    history.status = "DELETE_IN_PROGRESS"

    assert not stays(history)


def test_what_a_rollback_goes_back_to_survives_its_cleanup() -> None:
    """A went back to p1 under another spelling, and the old one is deleted; what is new in it goes."""
    history = History().stack("UPDATE_COMPLETE", "UPDATE_IN_PROGRESS").resource("A", "UPDATE_IN_PROGRESS", text("p1"))
    history.resource("A", "UPDATE_COMPLETE", text("p2")).stack("UPDATE_ROLLBACK_IN_PROGRESS")
    history.resource("A", "UPDATE_COMPLETE", text("p1")).stack("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
    assert stays(history)

    history.status = "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"
    assert not stays(history)

    created = History().stack("UPDATE_COMPLETE", "UPDATE_IN_PROGRESS").resource("A", "CREATE_COMPLETE", text("p1"))
    created.events[STACK].insert(1, {**created.events[STACK][0], "ResourceStatus": "CREATE_IN_PROGRESS"})
    created.events[STACK][1]["PhysicalResourceId"] = ""
    assert not stays(created.stack("UPDATE_ROLLBACK_IN_PROGRESS"))


# -- an update that is cancelled at once -------------------------------------------------------------------------------


def cancelled() -> History:
    """An update of A, cancelled and reversed within its second."""
    history = History().stack("UPDATE_COMPLETE", "UPDATE_IN_PROGRESS").resource("A", "UPDATE_IN_PROGRESS", text("p1"))
    history.stack("UPDATE_ROLLBACK_IN_PROGRESS").resource("A", "UPDATE_IN_PROGRESS", text("p1"))
    for number, event in enumerate(reversed(history.events[STACK])):
        event["Timestamp"] = history.at(10 + number / 4)
    return history


def test_an_update_that_is_cancelled_at_once_is_over() -> None:
    """No time tells it from its reverse, but a reverse never leads away from what the resource had."""
    own = cancelled().own("A")

    assert own.waits_for("Update", History().at(10), text("p1"), leads_away=True) is False
    assert own.waits_for("Update", History().at(10), text("p1")) is True


def test_the_reverse_of_an_update_that_ended_at_once_is_waited_for() -> None:
    """It leads away from what the update gave the resource: that is where the rollback goes."""
    history = cancelled()
    history.events[STACK][0]["PhysicalResourceId"] = text("p2")

    assert history.own("A").waits_for("Update", history.at(10), text("p2"), leads_away=True) is True


def test_an_update_is_not_over_for_a_rollback_before_it() -> None:
    """Deployed again seconds after a rollback, whose events are the newest that are shown."""
    history = cancelled()

    assert history.own("A").waits_for("Update", history.at(14), text("p1"), leads_away=True) is not False


def test_who_adopted_it_in_a_stack_that_is_deleted_lets_go_though_events_lag() -> None:
    """The deletion has begun, and the newest events that are shown are those of the creation."""
    history = adopted().resource("B", "CREATE_COMPLETE", text("p1"))
    assert not history.own("B").holders(identity("p1")).deleting

    history.status = "DELETE_IN_PROGRESS"
    assert history.own("B").holders(identity("p1")).deleting
    assert history.own("A").holders(identity("p1")).deleting


def test_what_a_resource_has_itself_is_let_go_of_in_a_rollback_though_events_lag() -> None:
    """The rollback has begun, and the newest event that is shown is the failure before it."""
    history = History().stack("UPDATE_IN_PROGRESS").resource("A", "CREATE_COMPLETE", text("p1")).stack("UPDATE_FAILED")
    assert not history.own("A").holders(identity("p1")).rolling_back

    history.status = "UPDATE_ROLLBACK_IN_PROGRESS"
    assert history.own("A").holders(identity("p1")).rolling_back
