"""One list of a party answers everybody who waits for it, and is never evidence from before one's own write."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from aws_associations.errors import AccessDenied, AssociationError, DeadlinePassed, NotFound, NotStabilized, Throttling
from aws_associations.identity import Identity
from aws_associations.kind import Kind, State
from aws_associations.kinds.directory_group_membership import KIND as DIRECTORY_GROUP_MEMBERSHIP
from aws_associations.kinds.finspace_permission_group_membership import KIND
from aws_associations.lifecycle import Lifecycle
from aws_associations.look import look, look_lately, write
from aws_associations.service import Services, _Exchange
from aws_associations.waiting import Deadline, SystemClock
from tests.core.world import ACCOUNT, ASSOCIATE, ENVIRONMENT, GROUP, LOOK, REGION, USER, World

_LONG = 20.0
"""Seconds after which a test that hangs fails."""


class Service(Services):
    """A service whose lists answer when a test lets them, with what was so when they were asked."""

    def __init__(self) -> None:
        super().__init__()
        self.members: set[str] = set()
        self.page_size = 100
        self.asked: list[Mapping[str, object]] = []
        self.held = threading.Semaphore(1_000)
        self.fail: Callable[[Deadline], None] = lambda _: None
        self._news = threading.Condition()

    def call(
        self, kind: Kind, identity: Identity, operation: str, parameters: Mapping[str, object], deadline: Deadline
    ) -> dict[str, Any]:
        if operation != LOOK:
            return {}
        if deadline.remaining <= 0:
            raise NotStabilized("the time for this operation is over") from DeadlinePassed()
        begin = int(str(parameters.get("nextToken", 0)))
        groups = [{"permissionGroupId": name, "membershipStatus": "ADDITION_SUCCESS"} for name in sorted(self.members)]
        with self._news:
            self.asked.append({**parameters})
            self._news.notify_all()
        assert self.held.acquire(timeout=_LONG)
        self.fail(deadline)
        page, rest = groups[begin : begin + self.page_size], groups[begin + self.page_size :]
        return {"permissionGroups": page, **({"nextToken": str(begin + self.page_size)} if rest else {})}

    def hold(self) -> None:
        """Let no list be answered until :meth:`release`."""
        self.held = threading.Semaphore(0)

    def release(self, lists: int = 1_000) -> None:
        self.held.release(lists)

    def wait_for(self, asked: int) -> None:
        """Wait until so many pages were asked for."""
        with self._news:
            assert self._news.wait_for(lambda: len(self.asked) >= asked, _LONG / 4)


def _identity(group: str = GROUP, user: str = USER, environment: str = ENVIRONMENT) -> Identity:
    return Identity.of(
        KIND, ACCOUNT, REGION, {"environment_id": environment, "permission_group_id": group, "user_id": user}
    )


def _deadline(seconds: float = 300) -> Deadline:
    return Deadline(SystemClock(), seconds)


@pytest.fixture
def service() -> Service:
    """A service that answers at once."""
    return Service()


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    """More than any test needs."""
    with ThreadPoolExecutor(12) as pool:
        yield pool


def _waiting(threads: ThreadPoolExecutor, service: Service, looks: int, **more: Any) -> list[Future[State]]:
    """So many looks that came while another was being read, and wait."""
    arrived = threading.Barrier(looks + 1)

    def looking() -> State:
        arrived.wait(_LONG)
        return look(service, _identity(), _deadline(**more)).state

    futures = [threads.submit(looking) for _ in range(looks)]
    arrived.wait(_LONG)
    time.sleep(0.2)  # they are about to wait: nothing tells from outside that they do
    return futures


def test_a_read_that_began_before_the_write_is_not_evidence(service: Service, threads: ThreadPoolExecutor) -> None:
    """A list is being read while somebody associates: that list may not show it, so the next one is waited for."""
    service.hold()
    before = threads.submit(lambda: look(service, _identity("others"), _deadline()).state)
    service.wait_for(1)
    service.members.add(GROUP)
    after = threads.submit(lambda: look(service, _identity(), _deadline()).state)
    time.sleep(0.2)

    assert len(service.asked) == 1  # one at a time
    service.release()

    assert before.result(_LONG) is State.ABSENT
    assert after.result(_LONG) is State.PRESENT
    assert len(service.asked) == 2


def test_everybody_who_waits_is_answered_by_one_list(service: Service, threads: ThreadPoolExecutor) -> None:
    """Eight looks come while a list is being read: one more list answers all of them, each about its own group."""
    service.members = {GROUP}
    service.hold()
    first = threads.submit(lambda: look(service, _identity(), _deadline()).state)
    service.wait_for(1)
    waiting = _waiting(threads, service, 8)
    service.release()

    assert {future.result(_LONG) for future in [first, *waiting]} == {State.PRESENT}
    assert len(service.asked) == 2


def test_other_parties_are_not_waited_for(service: Service) -> None:
    """Another user, environment or account has a list of its own, which is read at the same time."""
    others = [_identity(user="bob"), _identity(environment="env2")]
    others.append(Identity.of(KIND, "999999999999", REGION, _identity().parts()))
    others.append(Identity.of(KIND, ACCOUNT, "eu-west-1", _identity().parts()))
    service.hold()
    with ThreadPoolExecutor(len(others) + 1) as threads:
        for identity in [_identity(), *others]:
            threads.submit(look, service, identity, _deadline())
        try:
            service.wait_for(len(others) + 1)
        finally:
            service.release()


def test_spellings_that_mean_the_same_party_share() -> None:
    """A directory compares names without case: a write to ``ALICE`` is one to ``alice``, whose list it outdates."""
    values = {"directory_id": "d-1234567890", "member_realm": "corp.example.com", "group_name": "analysts"}

    def of(name: str) -> Identity:
        return Identity.of(DIRECTORY_GROUP_MEMBERSHIP, ACCOUNT, REGION, {**values, "member_name": name})

    asked = []

    class Directory(Services):
        def call(self, kind: Kind, identity: Identity, operation: str, *_: object) -> dict[str, Any]:
            asked.append(operation)
            return {"Groups": [{"SAMAccountName": "analysts"}]}

    directory = Directory()
    for name in ("alice", "Alice"):
        assert look_lately(directory, of(name), _deadline()).state is State.PRESENT
    write(directory, of("ALICE"), "AddGroupMember", {}, _deadline())
    look_lately(directory, of("alice"), _deadline())

    assert asked == ["ListGroupsForMember", "AddGroupMember", "ListGroupsForMember"]


@pytest.mark.parametrize(
    ("error", "cause", "seconds"),
    [
        (NotStabilized("the time for this operation is over"), DeadlinePassed(), 300),
        (Throttling("Rate exceeded"), KeyError("cause"), 300),
    ],
    ids=["out of time", "throttled"],
)
def test_who_runs_out_of_time_fails_nobody_else(
    service: Service, threads: ThreadPoolExecutor, error: AssociationError, cause: Exception, seconds: float
) -> None:
    """Whoever reads for all gives up for want of time, or fails: the next one reads anew, and gets the answer."""
    service.members = {GROUP}
    failing = [error]

    def out_of_time(_: Deadline) -> None:
        if failing:
            raise failing.pop() from cause

    service.hold()
    first = threads.submit(lambda: look(service, _identity(), _deadline()).state)
    service.wait_for(1)
    waiting = _waiting(threads, service, 3, seconds=seconds)
    service.release(1)
    first.result(_LONG)
    service.fail = out_of_time
    service.release()

    errors = [future.exception(_LONG) for future in waiting]
    assert [each for each in errors if each is not None] == [error]
    assert {future.result() for future in waiting if future.exception() is None} == {State.PRESENT}
    assert len(service.asked) == 3


@pytest.mark.parametrize("page_size", [100, 1])
def test_what_the_service_refuses_it_refuses_to_all(
    service: Service, threads: ThreadPoolExecutor, page_size: int
) -> None:
    """Who waits is not made to ask again, and each gets an error of its own, which others do not change."""
    service.members, service.page_size = {GROUP, "a"}, page_size
    service.hold()
    first = threads.submit(lambda: look(service, _identity(), _deadline()).state)
    service.wait_for(1)
    waiting = _waiting(threads, service, 4)
    service.release(2 if page_size == 1 else 1)  # the first look has all its pages
    first.result(_LONG)

    def refuse(_: Deadline) -> None:
        raise AccessDenied("not allowed") from KeyError("cause")

    service.fail = refuse
    service.release()

    errors = [future.exception(_LONG) for future in waiting]
    assert {type(error) for error in errors} == {AccessDenied}
    assert len({id(error) for error in errors}) == 4
    assert {type(error.__cause__) for error in errors if error} == {KeyError}
    assert not any(error.outcome_unknown for error in errors if isinstance(error, AssociationError))
    assert len(service.asked) == (3 if page_size == 1 else 2)


def test_a_party_that_is_not_there_is_an_answer_to_all(service: Service, threads: ThreadPoolExecutor) -> None:
    """Not found means absent for everybody who waits, by one call."""

    def missing(_: Deadline) -> None:
        raise NotFound("no such user")

    service.fail = missing
    service.hold()
    first = threads.submit(lambda: look(service, _identity(), _deadline()).state)
    service.wait_for(1)
    waiting = _waiting(threads, service, 4)
    service.release()

    assert {future.result(_LONG) for future in [first, *waiting]} == {State.ABSENT}
    assert len(service.asked) == 2


def test_who_waits_has_a_deadline_of_his_own(service: Service, threads: ThreadPoolExecutor) -> None:
    """Somebody's list is not answered for long: who has less time is told so in time."""
    service.hold()
    first = threads.submit(lambda: look(service, _identity(), _deadline()).state)
    service.wait_for(1)

    waiting = threads.submit(look, service, _identity(), _deadline(0.3))
    try:
        with pytest.raises(NotStabilized):
            waiting.result(_LONG / 2)
    finally:
        service.release()
        first.result(_LONG)


def test_pages_are_shared_one_by_one(service: Service, threads: ThreadPoolExecutor) -> None:
    """Who needs a page that nobody has read reads it for all; nobody reads further than he needs."""
    service.members, service.page_size = {"a", "b", "c", "d"}, 1
    service.hold()
    first = threads.submit(lambda: look(service, _identity("a"), _deadline()).state)
    service.wait_for(1)
    wanted = [threads.submit(look, service, _identity(name), _deadline()) for name in ("a", "b", "c", "c")]
    time.sleep(0.3)
    service.release()

    assert first.result(_LONG) is State.PRESENT
    assert {future.result(_LONG).state for future in wanted} == {State.PRESENT}
    assert [asked.get("nextToken") for asked in service.asked] == [None, None, "1", "2"]


def test_a_refresh_asks_once_for_each_party(world: World) -> None:
    """Reads within ten seconds are answered by one list of the user; then the service is asked again."""
    for group in ("a", "b"):
        world.add(group, USER)
        world.grant_as_others_do(group)

    def read(group: str) -> object:
        return world.lifecycle.read(world.identity(group), world.request(), lately=True)

    assert read("a") is not None
    assert read("b") is not None
    assert world.calls() == [LOOK]
    world.clock.sleep(10.1)
    assert read("a") is not None
    assert world.calls() == [LOOK] * 2


def test_a_list_of_before_never_says_that_something_is_gone(world: World) -> None:
    """A refresh forgets what is absent: that is asked of the service now."""
    world.add("other", USER)

    def read() -> object:
        return world.lifecycle.read(world.identity(), world.request(), lately=True)

    assert read() is None
    world.grant_as_others_do()
    assert read() is not None
    assert world.calls() == [LOOK] * 2


def test_a_list_of_before_a_write_answers_nobody_after_it(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was listed before a write of this process is not shown once it is sent, nor what was listed meanwhile."""
    asked = []

    def read() -> None:
        look_lately(service, _identity(), _deadline())
        asked.append(len(service.asked))

    def call(*arguments: Any) -> dict[str, Any]:
        if arguments[2] == ASSOCIATE:
            read()
        return Service.call(service, *arguments)

    service.members = {GROUP}
    monkeypatch.setattr(service, "call", call)
    read()
    write(service, _identity("other"), ASSOCIATE, {}, _deadline())
    read()
    read()

    assert asked == [1, 2, 3, 3]


def test_what_this_process_revoked_is_gone_in_the_next_refresh(world: World) -> None:
    """The list from before a delete of this process shows it, and is not asked any more."""
    world.grant_as_others_do()

    def read() -> object:
        return world.lifecycle.read(world.identity(), world.request(), lately=True)

    assert read() is not None
    world.delete()
    assert read() is None


def test_a_list_that_failed_answers_nobody_who_asks_later(service: Service) -> None:
    """A read that was refused is repeated by the next one."""

    def refuse(_: Deadline) -> None:
        raise AccessDenied("not allowed")

    service.members, service.fail = {GROUP}, refuse
    with pytest.raises(AccessDenied):
        look_lately(service, _identity(), _deadline())
    service.fail = lambda _: None

    assert look_lately(service, _identity(), _deadline()).state is State.PRESENT


def test_creates_never_use_a_list_of_before(world: World) -> None:
    """A create looks for itself, whatever a refresh has just seen."""
    world.lifecycle.read(world.identity(), world.request(), lately=True)
    world.grant_as_others_do()
    world.control.configure(duplicate_associate="succeed")

    with pytest.raises(AssociationError, match="AlreadyExists"):
        world.create()


def test_a_slow_exchange_of_credentials_delays_its_own_environment_only(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two environments: the first one's credentials take their time, and the second one's calls do not wait."""
    world.add(GROUP, USER, "slow")
    world.read()
    begun, go_on = threading.Event(), threading.Event()
    load = _Exchange.load_credentials

    def slow(self: _Exchange) -> Any:
        if self._parameters["environmentId"] == "slow":
            begun.set()
            assert go_on.wait(_LONG)
        return load(self)

    monkeypatch.setattr(_Exchange, "load_credentials", slow)
    lifecycle = Lifecycle(world.services, world.ledger)
    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(lifecycle.read, world.identity(environment="slow"), world.request())
        assert begun.wait(_LONG)
        world.add(GROUP, USER, "env3")
        try:
            assert lifecycle.read(world.identity(environment="env3"), world.request()) is None
        finally:
            go_on.set()
        waiting.result(_LONG)
