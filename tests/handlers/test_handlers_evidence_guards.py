"""The guards of the function's evidence, one by one: each is needless until its history is seen."""

from __future__ import annotations

import datetime
import itertools
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from aws_associations.errors import Throttling
from aws_associations.host import Remainder
from aws_associations.identity import AssociationId, Identity
from aws_associations.kinds.directory_group_membership import KIND as DIRECTORY
from aws_associations.kinds.finspace_permission_group_membership import KIND
from aws_associations.removal import Removal
from aws_associations.waiting import Deadline, SystemClock
from aws_associations_lambda import asking, host
from aws_associations_lambda.asking import Asking, CannotTellError, pages
from aws_associations_lambda.event import Event
from aws_associations_lambda.host import CloudFormationHost
from aws_associations_lambda.own_log import OwnLog
from aws_associations_lambda.own_stack import OwnStack
from tests.handlers.test_handlers_own_stack import BEGIN, PARENT, STACK, History, identity, text

GRANDPARENT = "arn:aws:cloudformation:us-east-1:123456789012:stack/everything/3"
NESTED = "arn:aws:cloudformation:us-east-1:123456789012:stack/team-Nested/4"


# -- is the request still waited for? ---------------------------------------------------------------------------------


def test_a_nested_stacks_rollback_is_not_the_stacks_own() -> None:
    """A nested stack's event is one of another resource: it ends nobody's request but its own."""
    history = History().stack("UPDATE_IN_PROGRESS").resource("A", "CREATE_IN_PROGRESS")
    history.now += datetime.timedelta(seconds=30)
    history.stack("UPDATE_IN_PROGRESS")  # of its own
    history.events[STACK][0].update(LogicalResourceId="Nested", PhysicalResourceId=NESTED)
    history.events[STACK][0]["ResourceStatus"] = "UPDATE_ROLLBACK_IN_PROGRESS"

    assert history.own("A").waits_for("Create", history.at(2)) is True


@pytest.mark.parametrize("seconds", [1, 15])
def test_a_delete_whose_event_is_a_little_newer_is_waited_for(seconds: float) -> None:
    """CloudFormation writes the event after it signed the URL: taken for over, the grant would stay."""
    history = History().stack("DELETE_IN_PROGRESS").resource("A", "DELETE_IN_PROGRESS", text("p1"))

    assert history.own("A").waits_for("Delete", history.now - datetime.timedelta(seconds=seconds)) is True


@pytest.mark.parametrize("status", ["DELETE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS"])
def test_a_create_is_over_when_the_stack_turns_back(status: str) -> None:
    """Whether it rolls back or is deleted, the create is not waited for; a Delete that follows is."""
    history = History().stack("CREATE_IN_PROGRESS").resource("A", "CREATE_IN_PROGRESS")
    history.now += datetime.timedelta(seconds=30)
    history.stack(status)

    assert history.own("A").waits_for("Create", history.at(2)) is False


def test_a_rollback_that_begins_after_a_delete_does_not_end_it() -> None:
    """A resource is deleted in a cleanup, and the stack's own event of the same turn is newer."""
    history = History().stack("UPDATE_IN_PROGRESS").resource("A", "DELETE_IN_PROGRESS", text("p1"))
    signed = history.now
    history.now += datetime.timedelta(seconds=30)
    history.stack("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")

    assert history.own("A").waits_for("Delete", signed) is True


# -- was its adoption completed? --------------------------------------------------------------------------------------


@pytest.mark.parametrize("created", [True, False])
def test_a_completion_before_the_adoption_does_not_settle_it(created: bool) -> None:
    """The stack completed, adopted later, and failed: what was there before must stay."""
    history = adopted(created=created).stack("UPDATE_ROLLBACK_IN_PROGRESS")

    assert history.own("A").settled(identity("p1")) is False


@pytest.mark.parametrize("created", [True, False])
def test_the_newest_completion_settles_an_adoption(created: bool) -> None:
    """An older one before the adoption does not count against it."""
    history = adopted(created=created).stack("UPDATE_COMPLETE", "UPDATE_IN_PROGRESS")

    assert history.own("A").settled(identity("p1")) is True


def adopted(*, created: bool) -> History:
    """A stack that completed; then a new resource, or one that held something else, adopts the pair in an update."""
    history = History().stack("CREATE_IN_PROGRESS")
    if not created:
        history.resource("A", "CREATE_COMPLETE", text("p2"))
    history.stack("CREATE_COMPLETE", "UPDATE_IN_PROGRESS")
    return history.resource("A", "CREATE_COMPLETE" if created else "UPDATE_COMPLETE", text("p1", adopted=True))


def test_an_updates_cleanup_comes_after_its_completion() -> None:
    """The Deletes of a cleanup are deliberate, although the update's last event is still to come."""
    history = History().stack("CREATE_IN_PROGRESS").resource("A", "CREATE_COMPLETE", text("p1", adopted=True))
    history.stack("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")

    assert history.own("A").settled(identity("p1")) is True


@pytest.mark.parametrize(
    ("before", "after", "settled"),
    [
        ([], ["UPDATE_COMPLETE"], True),
        (["UPDATE_COMPLETE"], ["UPDATE_IN_PROGRESS"], False),
        ([], ["UPDATE_COMPLETE", "UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS"], True),
        ([], ["CREATE_IN_PROGRESS"], False),
    ],
    ids=["completed", "before the adoption", "later rolls back", "never"],
)
@pytest.mark.parametrize("around", [PARENT, GRANDPARENT])
def test_every_stack_around_it_must_have_completed(
    around: str, before: list[str], after: list[str], settled: bool
) -> None:
    """The parent or its parent fails: its rollback must not revoke what the nested stack adopted."""
    history = History()
    history.parents = {STACK: PARENT, PARENT: GRANDPARENT}
    history.stack(*before, stack_id=around)
    history.stack("CREATE_IN_PROGRESS").resource("A", "CREATE_COMPLETE", text("p1", adopted=True))
    history.stack("CREATE_COMPLETE")
    for stack_id in (PARENT, GRANDPARENT):
        history.stack(*(after if stack_id == around else ["UPDATE_COMPLETE"]), stack_id=stack_id)

    assert history.own("A").settled(identity("p1")) is settled


def test_a_ring_of_parents_comes_to_an_end() -> None:
    """Whatever DescribeStacks answers, no stack is asked for ever."""
    history = History()
    history.parents = {STACK: PARENT, PARENT: PARENT}
    history.stack("CREATE_IN_PROGRESS").resource("A", "CREATE_COMPLETE", text("p1", adopted=True))
    history.stack("CREATE_COMPLETE").stack("UPDATE_COMPLETE", stack_id=PARENT)
    asked = itertools.count()

    def ask(operation: str, **parameters: object) -> Mapping[str, Any]:
        assert next(asked) < 20
        return history(operation, **parameters)

    assert OwnStack(STACK, "A", ask).settled(identity("p1")) is True


def test_events_are_read_again_after_a_wait() -> None:
    """A delete that waited must learn that the stack has turned back meanwhile."""
    history = History().stack("UPDATE_IN_PROGRESS").resource("A", "UPDATE_IN_PROGRESS", text("p1"))
    seconds = iter([0.0, 0.0, 30.0, 30.0])
    own = OwnStack(STACK, "B", history, lambda: next(seconds))

    assert not own.holders(identity("p1")).rolling_back
    history.stack("UPDATE_ROLLBACK_IN_PROGRESS")
    assert own.holders(identity("p1")).rolling_back


# -- asking -----------------------------------------------------------------------------------------------------------


class Client:
    """A client of CloudFormation that fails as it is told, in turn, and then answers."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.calls = 0

    def describe_stack_events(self, **_: object) -> Mapping[str, Any]:
        self.calls += 1
        if self.failures:
            raise self.failures.pop(0)
        return {"StackEvents": []}


class Quickly:
    """A clock that sleeping moves."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


DENIED = ClientError({"Error": {"Code": "AccessDenied"}}, "DescribeStackEvents")
SLOWER = ClientError({"Error": {"Code": "Throttling"}}, "DescribeStackEvents")


@pytest.mark.parametrize("failure", [DENIED, EndpointConnectionError(endpoint_url="https://cloudformation.example")])
def test_whatever_an_api_answers_instead_is_cannot_tell(monkeypatch: pytest.MonkeyPatch, failure: Exception) -> None:
    """Every decision has a rule for that, an error of the SDK would fail the request; and no waiting mends it."""
    client = Client(failure, failure)
    monkeypatch.setattr(asking, "_client", lambda *_: client)

    with pytest.raises(CannotTellError, match="DescribeStackEvents") as caught:
        Asking("cloudformation", "us-east-1", Deadline(Quickly(), 60))("DescribeStackEvents")

    assert not caught.value.passing
    assert client.calls == 1


def test_a_throttled_question_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """For a part of the time; then it may be told later, which is not the same as that nobody can tell."""
    client = Client(SLOWER, ReadTimeoutError(endpoint_url="https://cloudformation.example"))
    monkeypatch.setattr(asking, "_client", lambda *_: client)
    assert Asking("cloudformation", "us-east-1", Deadline(Quickly(), 60))("DescribeStackEvents")

    monkeypatch.setattr(asking, "_client", lambda *_: Client(*[SLOWER] * 1000))
    clock = Quickly()
    with pytest.raises(CannotTellError) as caught:
        Asking("cloudformation", "us-east-1", Deadline(clock, 60))("DescribeStackEvents")
    assert caught.value.passing
    assert clock.seconds < 30


def test_nothing_is_asked_once_the_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer would come too late, and the function would be killed without one of its own."""
    monkeypatch.setattr(asking, "_client", lambda *_: pytest.fail("asked"))

    with pytest.raises(CannotTellError, match="no time left"):
        Asking("cloudformation", "us-east-1", Deadline(SystemClock(), 0))("DescribeStackEvents")


def test_a_history_that_is_not_read_to_its_end_tells_nothing() -> None:
    """A holder could be on the next page; and no history is read without end."""
    asked = itertools.count(1)

    def ask(operation: str, **parameters: object) -> Mapping[str, Any]:
        assert next(asked) <= 1000, (operation, parameters)
        return {"Items": [], "Token": "more"}

    with pytest.raises(CannotTellError, match="pages"):
        list(pages(ask, "DescribeStackEvents", "Items", "Token"))


# -- what the host makes of it ----------------------------------------------------------------------------------------


class Told:
    """A host over a history and some log lines; what it may not ask is in ``history.denied``.

    Attributes:
        seconds: when lines are written, since the request was made; long before it, where that does not matter.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, logical_id: str = "A") -> None:
        self.history = History().stack("UPDATE_IN_PROGRESS").resource(logical_id, "CREATE_IN_PROGRESS")
        self.lines: list[dict[str, object]] = []
        self.seconds = -86400.0
        self.logical_id = logical_id
        monkeypatch.setattr(host, "Asking", lambda service, *_: self.log if service == "logs" else self.history)
        monkeypatch.setenv("AWS_LAMBDA_LOG_GROUP_NAME", "a-group")

    def log(self, operation: str, **_: object) -> Mapping[str, Any]:
        if operation in self.history.denied:
            raise CannotTellError(f"{operation} answered AccessDenied")
        return {"events": [{"message": json.dumps(line), "timestamp": line.get("at", 0)} for line in self.lines]}

    def say(self, event: str, user: str = "p1", delivery: str = "earlier", **names: str) -> None:
        whose = {"stack": STACK, "logical_id": self.logical_id, "request": "r1", **names}
        when = int((BEGIN.timestamp() + self.seconds) * 1000)
        self.lines.append({"event": event, "delivery": delivery, "id": text(user), **whose, "at": when})

    def host(
        self,
        *,
        signed: bool = True,
        request_type: str = "Create",
        physical_id: str = "",
        user: str = "",
        now: float = 0.0,
    ) -> CloudFormationHost:
        query = f"?X-Amz-Date={BEGIN:%Y%m%dT%H%M%SZ}" if signed else ""
        url = f"https://cloudformation-custom-resource-response-useast1.s3.amazonaws.com/{query}"
        given = {"UserId": user} if user else {}
        event = Event(request_type, url, STACK, "r1", self.logical_id, physical_id, KIND.cloudformation_type, given, {})
        deadline = Deadline(SystemClock(), 60)
        return CloudFormationHost(
            event,
            "123456789012",
            "us-east-1",
            deadline,
            granted_here=lambda _: False,
            utc_now=lambda: BEGIN + datetime.timedelta(seconds=now),
        )


def remaining(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """The lines that say what may remain."""
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [line for line in lines if line["event"] == "may-remain"]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    """A create is under way."""
    return Told(monkeypatch)


@pytest.mark.parametrize(("late", "lives"), [(True, False), (False, None)])
def test_a_delivery_that_may_not_ask_is_over_only_if_it_is_late(told: Told, late: bool, lives: bool | None) -> None:
    """A late one may be a repetition that nobody waits for; a young one is what CloudFormation waits for."""
    told.history.denied = {"DescribeStackEvents"}
    asking_host = told.host()
    asking_host.late = late

    assert asking_host.live() is lives


def test_what_may_not_be_asked_is_said_once_and_kept_for_the_message(
    told: Told, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line that an alarm can match, and the words for whoever is refused for want of it."""
    told.history.denied = {"ListStackResources"}
    asking_host = told.host()
    asking_host.holders(identity("p1"))
    asking_host.holders(identity("p1"))

    assert capsys.readouterr().out.count('"cannot-tell"') == 1
    assert "AccessDenied" in asking_host.untold["which resources of the stack hold it"]


@pytest.mark.parametrize(
    ("names", "announced"),
    [
        ({}, True),
        ({"request": "r0"}, False),
        ({"logical_id": "B"}, False),
        ({"stack": PARENT}, False),
        ({"user": "p2"}, False),
    ],
    ids=["earlier delivery", "another request", "another resource", "another stack", "another pair"],
)
def test_only_another_delivery_of_this_request_announced_it(told: Told, names: dict[str, str], announced: bool) -> None:
    """Any other line is no evidence that this request granted this pair."""
    told.say("associating", **names)

    assert told.host().announced(identity("p1")) is announced


def test_ones_own_announcement_is_no_evidence(told: Told, capsys: pytest.CaptureFixture[str]) -> None:
    """It was written before a stranger's grant, and says nothing of who granted it."""
    asking_host = told.host()
    asking_host.note("associating", {"id": text("p1")})
    told.lines.append(json.loads(capsys.readouterr().out))

    assert asking_host.announced(identity("p1")) is False


def by_a_resource(told: Told) -> None:
    """A resource of the stack is granted it."""
    told.history.resource("B", "CREATE_COMPLETE", text("p1"))


def by_another_request(told: Told) -> None:
    """A request of another stack announces it."""
    told.say("associating", stack=PARENT, logical_id="B", request="r2")


def by_this_request(told: Told) -> None:
    """An earlier delivery of this request announces it; the resource is still being created."""
    told.history.resources[told.logical_id] = ("", "CREATE_IN_PROGRESS")
    told.say("associating")


def by_nobody_any_more(told: Told) -> None:
    """This request announced it, and another one has revoked it since: what is there now is others'."""
    by_this_request(told)
    told.say("revoked", stack=PARENT, logical_id="B", request="r2", delivery="later")


@pytest.mark.parametrize(
    ("take", "claimed"),
    [(by_a_resource, True), (by_another_request, True), (by_this_request, False), (by_nobody_any_more, True)],
)
def test_stack_and_log_tell_who_took_it_since(told: Told, take: Callable[[Told], None], claimed: bool) -> None:
    """A redeployed resource, or another request anywhere; what this request announced itself is no claim."""
    take(told)

    assert told.host().claimed_since(identity("p1")) is claimed


def test_what_was_revoked_before_this_delivery_announced_it_is_no_claim(told: Told) -> None:
    """Its own line is not shown yet: what others revoked before its write tells nothing of what it granted."""
    told.history.resources[told.logical_id] = ("", "CREATE_IN_PROGRESS")
    told.say("revoked", stack=PARENT, logical_id="B", request="r2", delivery="earlier")
    host = told.host()
    assert host.claimed_since(identity("p1")) is True
    host.note("associating", {"id": text("p1")})
    assert host.claimed_since(identity("p1")) is False


def test_what_another_delivery_of_this_request_undid_is_no_claim(told: Told) -> None:
    """It took back its own grant; what this one grants after that is this request's too."""
    told.history.resources[told.logical_id] = ("", "CREATE_IN_PROGRESS")
    told.say("undone", delivery="other")

    assert told.host().claimed_since(identity("p1")) is False


@pytest.mark.parametrize(
    ("at", "names", "claimed"),
    [
        (5, {"request": "r2"}, True),
        (1, {"request": "r2"}, False),
        (5, {"request": "r1"}, False),
        (5, {"request": "r2", "user": "p2"}, False),
    ],
    ids=["claim", "before its write", "by this request", "of another pair"],
)
def test_a_removal_that_another_request_has_begun_is_a_claim(
    told: Told, at: float, names: dict[str, str], claimed: bool
) -> None:
    """It may take effect before this one's, and what is there after it is others'; it is announced at 3 seconds."""
    told.history.resources[told.logical_id] = ("", "CREATE_IN_PROGRESS")
    asking_host = told.host(now=3)
    asking_host.note("associating", {"id": text("p1")})
    told.seconds = at
    told.say("disassociating", delivery="other", **names)

    assert asking_host.claimed_since(identity("p1")) is claimed


def test_the_end_of_another_pair_is_no_claim(told: Told) -> None:
    """What was revoked of another association tells nothing of this one."""
    told.history.resources[told.logical_id] = ("", "CREATE_IN_PROGRESS")
    told.say("revoked", "p2", stack=PARENT, logical_id="B", request="r2", delivery="other")

    assert told.host().claimed_since(identity("p1")) is False


@pytest.mark.parametrize(
    ("deleted", "announced", "claimed"),
    [(0.5, None, False), (5.0, None, True), (5.0, 8.0, False)],
    ids=["as the request was made", "after it", "before its write"],
)
def test_a_delete_of_its_resource_ends_only_what_was_granted_before_it(
    told: Told, deleted: float, announced: float | None, claimed: bool
) -> None:
    """An earlier resource of the name may go as this one comes; and a slow create may announce after its own end."""
    told.history = History()
    told.history.now = told.history.at(deleted - 2)
    told.history.stack("UPDATE_IN_PROGRESS").resource(told.logical_id, "DELETE_COMPLETE", text("p1"))
    told.seconds = 2
    told.say("associating")
    asking_host = told.host(now=announced or 0)
    if announced is not None:
        asking_host.note("associating", {"id": text("p1")})

    assert asking_host.claimed_since(identity("p1")) is claimed


@pytest.mark.parametrize(
    ("logical_id", "ever"), [("B", True), ("A", False)], ids=["another resource", "its own Delete"]
)
def test_what_another_resource_revoked_was_announced_once(told: Told, logical_id: str, ever: bool) -> None:
    """The write may come after that; its own resource's Delete is the end of it."""
    told.say("associating")
    told.say("revoked", logical_id=logical_id, request="r2", delivery="other")

    assert told.host().announced(identity("p1")) is False
    assert told.host().announced(identity("p1"), ever=True) is ever


def test_all_that_other_deliveries_announced_of_a_kind_is_told(told: Told) -> None:
    """One that fails before it knows what is meant has no pair to ask for; what has ended is not among them."""
    told.say("associating", "p1")
    told.say("associating", "p2")
    told.say("associating", "p3", request="r0")
    told.say("associating", "p4")
    told.say("revoked", "p4", logical_id="B", request="r2", delivery="other")

    assert told.host().announced_of(KIND) == (identity("p1"), identity("p2"))
    told.history.denied = {"FilterLogEvents"}
    assert told.host().announced_of(KIND) is None


def test_an_unsigned_request_cannot_tell_who_took_it(told: Told) -> None:
    """Since when is not known, so nothing may be revoked on a guess."""
    assert told.host(signed=False).claimed_since(identity("p1")) is None


def granted_before(told: Told) -> None:
    """An earlier request of this resource announced it and said that it granted it."""
    told.say("associating", request="r0")
    told.say("granted", request="r0")


def announced_before(told: Told) -> None:
    """An earlier request of this resource announced it, and nothing more is known."""
    told.say("associating", request="r0")


def granted_elsewhere_since(told: Told) -> None:
    """Afterwards a request of another stack announces it; this one has a resource of that name, long deleted."""
    granted_before(told)
    told.say("associating", delivery="other", stack=PARENT, logical_id="B", request="r2")


def announced_by_one_at_work(told: Told) -> None:
    """Afterwards a resource of the stack that is still being created announces it."""
    granted_before(told)
    told.history.resources["B"] = ("", "CREATE_IN_PROGRESS")
    told.say("associating", delivery="other", logical_id="B", request="r2")


def announced_by_one_that_was_given_up(told: Told) -> None:
    """Afterwards a resource of the stack announces it, and fails."""
    granted_before(told)
    told.history.resources["B"] = ("", "CREATE_FAILED")
    told.say("associating", delivery="other", logical_id="B", request="r2")


def taken_by_the_stack(told: Told) -> None:
    """Afterwards another resource has it."""
    granted_before(told)
    told.history.resources["B"] = (text("p1"), "CREATE_COMPLETE")


def granted_for_another_resource(told: Told) -> None:
    """Another resource's create granted it."""
    told.say("associating", logical_id="B", request="r2")
    told.say("granted", logical_id="B", request="r2")


@pytest.mark.parametrize(
    ("happen", "sure"),
    [
        (granted_before, [True]),
        (announced_by_one_that_was_given_up, [True]),
        (announced_before, [False]),
        (granted_elsewhere_since, [False]),
        (announced_by_one_at_work, [False]),
        (taken_by_the_stack, [False]),
        (granted_for_another_resource, []),
        (by_this_request, []),
    ],
)
def test_what_a_request_left_behind_is_sure_only_if_nobody_took_it(
    told: Told, happen: Callable[[Told], None], sure: list[bool]
) -> None:
    """Granted, and said so, by an earlier request of this resource; nobody has it, or may get it, since."""
    happen(told)

    expected = tuple(Remainder(identity("p1"), each) for each in sure)
    assert told.host(request_type="Delete").left_behind(KIND) == expected


@pytest.mark.parametrize(
    ("at", "names", "sure"),
    [
        (9, {"logical_id": "B"}, False),
        (9, {"stack": PARENT}, False),
        (2, {"logical_id": "B"}, True),
        (9, {"request": "r3"}, True),
    ],
    ids=["since", "since, in another stack", "before", "its own"],
)
def test_a_remainder_is_unsure_once_another_resource_began_to_remove_it(
    told: Told, at: float, names: dict[str, str], sure: bool
) -> None:
    """Granted at 3 seconds: what is there after another one's removal is others'; its own first try takes nothing."""
    told.seconds = 3
    granted_before(told)
    told.seconds = at
    told.say("disassociating", delivery="other", **{"request": "r2", **names})

    assert told.host(request_type="Delete").left_behind(KIND) == (Remainder(identity("p1"), sure),)


def test_a_remainder_is_of_the_creation_that_failed_and_not_of_the_next(told: Told) -> None:
    """With a disabled rollback the first creation is deleted after the second, which granted p2, has been answered."""
    history = told.history.resource("A", "CREATE_FAILED", "team-A-1A2B3C").stack("UPDATE_FAILED", "UPDATE_IN_PROGRESS")
    history.resource("A", "CREATE_IN_PROGRESS").resource("A", "CREATE_COMPLETE", text("p2"))
    history.stack("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
    for user, request, told.seconds in (("p1", "r0", 3.0), ("p2", "r2", 7.0)):
        told.say("associating", user, request=request)
        told.say("granted", user, request=request)

    asking_host = told.host(request_type="Delete", physical_id="team-A-1A2B3C")
    assert asking_host.left_behind(KIND) == (Remainder(identity("p1"), sure=True),)


def test_a_remainder_that_cannot_be_told_is_warned_of(told: Told, capsys: pytest.CaptureFixture[str]) -> None:
    """A role that may not read the log leaves a line that an alarm can match, with what the resource declares."""
    told.history.denied = {"FilterLogEvents"}

    assert told.host(request_type="Delete", user="p1").left_behind(KIND) is None
    (line,) = remaining(capsys)
    assert line["declared"] == {"user_id": "p1"}


def test_holders_that_may_be_told_later_are_a_throttled_request(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    """To go on as if nobody held it would revoke what another resource declares."""

    def later(operation: str, **_: object) -> Mapping[str, Any]:
        raise CannotTellError(f"{operation} answered Throttling", passing=True)

    monkeypatch.setattr(host, "Asking", lambda *_: later)

    with pytest.raises(Throttling, match="which resources of the stack hold it"):
        told.host().holders(identity("p1"))


def test_a_resource_that_was_answered_left_nothing_behind(told: Told) -> None:
    """What an earlier life of the name announced is no remainder of a create that got its answer."""
    granted_before(told)
    told.history.resource("A", "CREATE_COMPLETE", "somebody-elses-id")

    assert told.host(request_type="Delete").left_behind(KIND) == ()


def test_lines_of_another_kind_say_nothing_of_this_one() -> None:
    """An id that is none of this kind's neither announces nor ends anything of it."""
    values = {"directory_id": "d-1234567890", "member_realm": "r", "group_name": "g", "member_name": "m"}
    other = AssociationId(Identity.of(DIRECTORY, "123456789012", "us-east-1", values)).text
    lines = [
        {"event": "associating", "delivery": "one", "id": text("p1")},
        {"event": "revoked", "delivery": "two", "id": other},
        {"event": "refused", "delivery": "one", "id": "no-id-at-all"},
    ]
    log = OwnLog("a-group", lambda *_, **__: {"events": [{"message": json.dumps(line)} for line in lines]})

    assert [each.delivery for each in log.said(KIND, BEGIN).announcements] == ["one"]


# -- what ended together with the request, and before it --------------------------------------------------------------


def test_a_create_that_was_answered_within_a_second_is_over() -> None:
    """Its beginning and its end are within the tolerance of the clocks: delivered again, it is not waited for."""
    history = History().stack("CREATE_IN_PROGRESS").resource("A", "CREATE_IN_PROGRESS")
    history.resource("A", "CREATE_COMPLETE", text("p1"))

    assert history.own("A").waits_for("Create", history.at(2)) is False


def test_the_end_of_the_operation_before_is_not_this_requests() -> None:
    """The request's own event is not shown yet: that cannot be told from what is there."""
    history = History().stack("CREATE_IN_PROGRESS").resource("A", "CREATE_IN_PROGRESS").resource("A", "CREATE_FAILED")

    assert history.own("A").waits_for("Create", history.at(10)) is None


def test_an_updates_own_event_may_not_be_shown_yet() -> None:
    """What is newest is the end of the update before: no reason to let the reverse of this one fail."""
    history = History().stack("UPDATE_IN_PROGRESS").resource("A", "UPDATE_IN_PROGRESS", text("p1"))
    history.resource("A", "UPDATE_COMPLETE", text("p1"))

    assert history.own("A").waits_for("Update", history.at(3)) is None


def test_a_long_history_is_not_read_to_tell_who_is_waited_for() -> None:
    """What is older than the request says nothing of it."""
    history = History(page=1)
    for _ in range(40):
        history.resource("B", "UPDATE_IN_PROGRESS", text("p2"))
    history.now += datetime.timedelta(seconds=60)
    signed = history.now

    assert history.own("A").waits_for("Create", signed) is None
    assert len(history.asked) < 5


@pytest.mark.parametrize(
    ("query", "signed"),
    [
        ("?X-Amz-Date=20261122T120000Z", BEGIN),
        ("?Expires=1795356000", datetime.datetime.fromtimestamp(1795356000 - 7200, datetime.UTC)),
        ("?X-Amz-Date=yesterday", None),
        ("?Expires=soon", None),
        ("?Expires=99999999999999999999", None),
        ("", None),
    ],
)
def test_the_urls_signature_tells_when_the_request_was_made(query: str, signed: datetime.datetime | None) -> None:
    """Or it does not tell, and then the request is as young as any."""
    event = Event("Create", f"https://bucket.example/{query}", STACK, "r1", "A", "", KIND.cloudformation_type, {}, {})

    assert event.signed == signed
    assert (event.age(BEGIN) == 0.0) is (signed is None or signed >= BEGIN)


# -- what is known of the past, and what is not -----------------------------------------------------------------------


def test_a_history_that_throttles_is_told_later() -> None:
    """Who holds it now is known; who held it at the start may be known in a moment, and a rollback needs that."""
    history = History().stack("CREATE_COMPLETE").resource("B", "CREATE_COMPLETE", text("p1"))

    def ask(operation: str, **parameters: object) -> Mapping[str, Any]:
        if operation == "DescribeStackEvents":
            raise CannotTellError("DescribeStackEvents answered Throttling", passing=True)
        return history(operation, **parameters)

    with pytest.raises(CannotTellError):
        OwnStack(STACK, "A", ask).holders(identity("p1"))


def test_an_earlier_resource_of_the_name_settles_nothing() -> None:
    """It adopted the pair, the stack completed, it was deleted; the new one of the name adopts in a failing update."""
    history = History().stack("CREATE_IN_PROGRESS").resource("A", "CREATE_COMPLETE", text("p1", adopted=True))
    history.stack("CREATE_COMPLETE", "UPDATE_IN_PROGRESS").resource("A", "DELETE_COMPLETE", text("p1", adopted=True))
    history.stack("UPDATE_COMPLETE", "UPDATE_IN_PROGRESS").resource("A", "UPDATE_COMPLETE", text("p2"))
    history.resource("A", "UPDATE_IN_PROGRESS", text("p1", adopted=True)).stack("UPDATE_ROLLBACK_IN_PROGRESS")

    assert history.own("A").settled(identity("p1")) is not True


def test_what_was_created_anew_was_taken_then() -> None:
    """An earlier resource of the name took the pair long ago, and its deletion is no longer in the history."""
    history = History().stack("CREATE_IN_PROGRESS").resource("A", "CREATE_COMPLETE", text("p1", adopted=True))
    history.stack("CREATE_COMPLETE", "UPDATE_IN_PROGRESS").resource("A", "CREATE_COMPLETE", text("p1", adopted=True))
    history.stack("UPDATE_ROLLBACK_IN_PROGRESS")

    assert history.own("A").settled(identity("p1")) is False


@pytest.mark.parametrize("how", [Removal.ABSENT, Removal.REVOKED])
def test_only_its_own_delete_ends_an_announcement_by_finding_nothing(told: Told, how: Removal) -> None:
    """The write may still appear, and another resource's Delete knows nothing of it; its own one is the end of it."""
    told.say("associating")
    told.say("revoked", delivery="another", logical_id="B", request="r2", how=how.value)
    assert told.host().announced(identity("p1")) is (how is Removal.ABSENT)

    told.say("revoked", delivery="another", request="r2", how=how.value)
    assert told.host().announced(identity("p1")) is False


@pytest.mark.parametrize("passing", [True, False])
def test_a_late_delete_that_cannot_ask_is_not_simply_over(
    told: Told, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], passing: bool
) -> None:
    """A success would leave its grant: it fails if that can be told later, else a line says what may remain."""

    def silent(operation: str, **_: object) -> Mapping[str, Any]:
        raise CannotTellError(f"{operation} answered nothing", passing=passing)

    monkeypatch.setattr(host, "Asking", lambda *_: silent)
    asking_host = told.host(request_type="Delete", physical_id=text("p1"))
    asking_host.late = True

    if passing:
        with pytest.raises(Throttling):
            asking_host.live()
    else:
        assert asking_host.live() is False
        (line,) = remaining(capsys)
        assert line["association"] == str(identity("p1"))


def test_a_late_delete_of_which_no_event_tells_says_what_may_remain(
    told: Told, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing was denied, and still nobody can say whether it is over: answered with success, its grant may stay."""
    asking_host = told.host(request_type="Delete", physical_id=text("p1"))
    asking_host.late = True

    assert asking_host.live() is False
    (line,) = remaining(capsys)
    assert line["association"] == str(identity("p1"))


def test_what_was_given_up_before_the_request_is_no_claim() -> None:
    """A resource held the pair long ago: a cancelled create may undo its own grant of it."""
    history = History().stack("CREATE_IN_PROGRESS").resource("B", "CREATE_COMPLETE", text("p1"))
    history.stack("CREATE_COMPLETE", "UPDATE_IN_PROGRESS").resource("B", "UPDATE_COMPLETE", text("p2"))
    history.now += datetime.timedelta(seconds=60)
    history.stack("UPDATE_COMPLETE", "UPDATE_IN_PROGRESS")

    assert history.own("A").taken_since(identity("p1"), history.now) is False
