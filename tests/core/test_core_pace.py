"""When to look: what earlier waits took is expected of the next one, and does no harm if it is wrong."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from aws_associations.lifecycle import How, Removal
from aws_associations.waiting import Deadline, Pace
from tests.core.world import ASSOCIATE, DISASSOCIATE, ENVIRONMENT, LOOK, USER, WORDS, World

_LONGEST = 5.0


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.time = 1_700_000_000.0

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


def wait(pace: Pace, takes: float, *, call: float = 0.1, timeout: float = 3600) -> tuple[int, float]:
    """Wait for what takes so long, with looks of so long: how many there were, and how late the last one was."""
    clock = Clock()
    deadline = Deadline(clock, timeout)
    begun, early = clock.time, None
    for looks, delay in enumerate(pace.delays(deadline), 1):
        clock.sleep(delay)
        looked = clock.time - begun
        clock.sleep(call)
        if looked >= takes:
            pace.learn(early, looked)
            return looks, looked - takes
        early = looked
    raise AssertionError("delays are endless")


def polled(takes: float) -> tuple[int, float]:
    """The same as without experience: what nobody has learned."""
    return wait(Pace(), takes)


def test_the_first_wait_polls_as_ever() -> None:
    """Without experience the first look comes at once, the others after growing delays."""
    looks, late = polled(2.0)

    assert 5 <= looks <= 7
    assert 0 <= late < 2


@pytest.mark.parametrize("takes", [0.3, 2.0, 4.5, 30.0])
def test_later_waits_look_when_it_is_time(takes: float) -> None:
    """What always takes the same is looked for about once or twice when it is time, and found soon after."""
    pace = Pace()
    for _ in range(8):
        wait(pace, takes)

    waits = [wait(pace, takes) for _ in range(100)]

    looks = sum(looks for looks, _ in waits) / 100 - int(takes / _LONGEST)
    assert looks <= 2
    assert sum(late for _, late in waits) / 100 <= max(0.1, takes / 20)


@pytest.mark.parametrize("before", [0.0, 0.5, 2.0, 40.0, 4000.0])
@pytest.mark.parametrize("now", [0.0, 0.3, 2.0, 7.0, 33.0])
def test_a_wrong_expectation_does_no_harm(before: float, now: float) -> None:
    """However long it took before, it is seen no later than delays would see it, plus one longest delay."""
    pace = Pace()
    for _ in range(3):
        wait(pace, before)

    _, late = wait(pace, now)

    assert late <= polled(now)[1] + _LONGEST * 1.25


@pytest.mark.parametrize("before", [2.0, 60.0])
def test_what_becomes_quicker_is_noticed(before: float) -> None:
    """What took long once and takes nothing any more is soon looked for at once, without a pause."""
    pace = Pace()
    wait(pace, before)
    waits = [wait(pace, 0.0) for _ in range(30)]

    assert waits[-1] == (1, 0.0)
    assert pace.expected == 0


def test_thousands_of_waits_are_as_good_as_ten() -> None:
    """What is final at once stays so, however many waits there were."""
    pace = Pace()

    assert {wait(pace, 0.0) for _ in range(3000)} == {(1, 0.0)}


def test_a_first_look_comes_in_half_of_the_time_at_the_latest() -> None:
    """A deadline that is nearer than what is expected leaves time to look, and to say what was seen."""
    pace = Pace()
    wait(pace, 4.0)

    assert next(pace.delays(Deadline(Clock(), 3.0))) == 1.5


def test_close_looks_become_rare() -> None:
    """It takes much longer than expected: looks do not stay close."""
    pace = Pace()
    for _ in range(5):
        wait(pace, 2.0)

    assert wait(pace, 60.0)[0] <= wait(Pace(), 60.0)[0] + 5


def _grant_and_revoke(world: World, user: str) -> tuple[int, int]:
    """The looks that a create and a delete took."""
    world.add("group", user)
    identity = world.identity("group", user)
    world.control.clear_journal()
    assert world.create(identity=identity).how is How.CREATED
    created = world.calls().count(LOOK)
    world.control.clear_journal()
    assert world.delete(world.id(group="group", user=user)) is Removal.REVOKED
    return created, world.calls().count(LOOK)


def test_creates_and_deletes_learn_from_those_before(inner: World) -> None:
    """Each of the two has its own time: of the tenth pair of them none takes more than two looks after its write."""
    inner.control.configure(addition_seconds=2, removal_seconds=4)
    first = _grant_and_revoke(inner, "user0")
    for number in range(1, 9):
        _grant_and_revoke(inner, f"user{number}")
    tenth = _grant_and_revoke(inner, "user9")

    assert first[0] > 5
    assert first[1] > 5
    assert tenth[0] <= 3  # one before the associate
    assert tenth[1] <= 2


def test_a_replay_without_effect_is_still_found_out(inner: World) -> None:
    """A wait that is expected to be long makes absence last no shorter: the second token is sent as ever."""
    inner.control.configure(addition_seconds=4)
    inner.create()
    inner.delete()
    inner.control.configure(addition_seconds=0)

    assert inner.create().how is How.CREATED
    assert inner.effects(ASSOCIATE) == 2
    assert inner.calls().count(ASSOCIATE) == 3


@pytest.mark.parametrize("operation", ["create", "delete"])
def test_what_is_waited_for_is_told(inner: World, operation: str) -> None:
    """Before every pause the host hears for how long, for what, and the status; the host says it now and then."""
    inner.control.configure(addition_seconds=20, removal_seconds=20)
    told: list[tuple[float, dict[str, object]]] = []
    if operation == "delete":
        inner.control.grant(ENVIRONMENT, inner.identity()["permission_group_id"], USER)
    inner.host.waiting = lambda seconds, fields: told.append((seconds, dict(fields)))  # type: ignore[method-assign]
    act: Callable[[], object] = inner.create if operation == "create" else inner.delete
    act()

    seconds = [each for each, _ in told]
    assert seconds == sorted(seconds)
    assert seconds[-1] > 10
    adding = "ADDITION_IN_PROGRESS (being added)"
    status = adding if operation == "create" else "REMOVAL_IN_PROGRESS (being removed)"
    assert told[-1][1] == {
        "association": WORDS.named(inner.identity()),
        "until": "granted" if operation == "create" else "removed",
        "status": status,
        "seconds": round(seconds[-1]),
    }
    assert {DISASSOCIATE, ASSOCIATE} & {*inner.calls()}
