"""Each documented limit of Pulumi occurs, is counted, and excuses no more than its sentence says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from aws_associations.errors import NotStabilized
from aws_associations.kind import State
from aws_associations.lifecycle import Lifecycle
from aws_associations.look import Sighting
from aws_associations.removal import Removal, Revocation
from pulumi_aws_associations.ledger import Entry, Ledger
from tests.model import pulumi_promises as limits
from tests.model.pulumi_limits import NEAR, Near, openings
from tests.model.pulumi_play import Theatre, theatre
from tests.model.pulumi_script import Destroy, Member, Script, Up, by_chance
from tests.model.script import At, Others, Step


@pytest.fixture(scope="module")
def pulumi() -> Iterator[Theatre]:
    """Where scripts are played."""
    with theatre() as made:
        yield made


of_every_limit = pytest.mark.parametrize("near", NEAR, ids=lambda near: f"{near.limit}, unless {near.differs}")


@of_every_limit
def test_a_limit_is_met_once_and_breaks_nothing(pulumi: Theatre, near: Near) -> None:
    """What stays impossible is told apart from what is broken, and counted once."""
    outcome = pulumi.play(near.script())

    assert not outcome.broken, f"\n{outcome}"
    assert outcome.limits == dict.fromkeys((near.limit, *near.also), 1), f"\n{outcome}"


@of_every_limit
def test_a_near_miss_meets_no_limit(pulumi: Theatre, near: Near) -> None:
    """With the one thing changed that decides, nothing is to be excused."""
    outcome = pulumi.play(near.script(meeting=False))

    assert not outcome.broken, f"\n{outcome}"
    assert not outcome.limits, f"\n{outcome}"


def test_every_limit_has_its_scripts() -> None:
    """None is left out."""
    assert {near.limit for near in NEAR} == set(limits.LIMITS)


def test_chance_begins_with_each_of_them() -> None:
    """So that a soak counts no limit as never met."""
    drawn = [by_chance(number, (), openings()) for number in range(2_000)]

    for opening in openings():
        assert any(
            script.kind == opening.kind and script.steps[: len(opening.steps)] == opening.steps for script in drawn
        )


# -- a wrong provider finds no excuse -------------------------------------------------------------------------------

_QUICKSIGHT = "quicksight-group-membership"
_P1 = Member(0)


def _revoke_and_fail(self: Revocation) -> Removal:
    _run(self)
    raise NotStabilized("it did not work")


def _revoke_twice(self: Revocation) -> Removal:
    removal = _run(self)
    _revoke(self)
    return removal


def _forget(self: Ledger, entry: Entry) -> tuple[Entry, ...]:
    _created(self, entry)
    return ()


_created = Ledger.created
_run, _revoke = Revocation.run, Revocation._revoke


@dataclass(frozen=True)
class _Wrong:
    """A provider that does it wrong, in a script near a limit.

    Attributes:
        does: in words.
        patch: owner, attribute and what it is instead.
        steps: of a script; none: those of the near miss.
        breaks: the promise.
    """

    limit: str
    does: str
    patch: tuple[object, str, Callable[..., Any]]
    breaks: int
    steps: tuple[Step, ...] = ()


_PRESENT = Sighting(State.PRESENT)

_WRONG = (
    _Wrong(
        limits.DRIFT,
        "says in a refresh that it is there",
        (Lifecycle, "read", lambda *_, **__: _PRESENT),
        1,
        (Up(1, {"a": _P1}), Others(0, grant=False), Up(1, {"a": _P1}, refresh=True)),
    ),
    _Wrong(
        limits.KILLED_DELETE,
        "says in a refresh that it is there",
        (Lifecycle, "read", lambda *_, **__: _PRESENT),
        1,
        (Up(1, {"a": _P1}), Destroy(1, mishaps=(At("write", 1, "kill after"),))),
    ),
    _Wrong(limits.WINDOW, "takes what is there", (Ledger, "may_have_granted", lambda *_: True), 3),
    _Wrong(limits.UNKNOWN, "takes what is there", (Ledger, "may_have_granted", lambda *_: True), 3),
    _Wrong(limits.HALF_REPLACED, "takes what is there", (Ledger, "may_have_granted", lambda *_: True), 3),
    _Wrong(
        limits.REPEATED_DELETE,
        "repeats a delete that was answered",
        (Revocation, "run", _revoke_twice),
        3,
        (Up(1, {"a": _P1}), Destroy(1, mishaps=(At("write", 2, "others grant", 0),))),
    ),
    _Wrong(limits.KILLED_CREATE, "revokes nothing", (Revocation, "run", lambda _: Removal.REVOKED), 2),
    _Wrong(limits.TOLD, "fails without saying that it is not known", (Revocation, "run", _revoke_and_fail), 1),
    _Wrong(
        limits.RENAMED,
        "forgets what a refresh shows",
        (Ledger, "show", lambda *_: None),
        6,
        (Up(1, {"a": _P1}), Up(1, {"b": _P1}, refresh=True)),
    ),
    _Wrong(limits.LEFT, "forgets what was left to what it replaces", (Ledger, "created", _forget), 2),
    _Wrong(limits.TARGETED, "asks nobody who else holds it", (Revocation, "_to_release", lambda _: False), 1),
    _Wrong(limits.SHARED, "asks nobody who else holds it", (Revocation, "_to_release", lambda _: False), 1),
    _Wrong(
        limits.REFRESHED_EARLY, "says in every refresh that it is gone", (Lifecycle, "read", lambda *_, **__: None), 2
    ),
)


@pytest.mark.parametrize("wrong", _WRONG, ids=lambda wrong: f"{wrong.limit}: {wrong.does}")
def test_a_wrong_provider_is_not_excused(pulumi: Theatre, monkeypatch: pytest.MonkeyPatch, wrong: _Wrong) -> None:
    """What the limit does not say breaks the promise."""
    near = next(near for near in NEAR if near.limit == wrong.limit)
    script = Script(_QUICKSIGHT, wrong.steps) if wrong.steps else near.script(meeting=False)
    monkeypatch.setattr(*wrong.patch)

    broken = pulumi.play(script).broken

    assert any(text.startswith(f"promise {wrong.breaks}") for text in broken)
