"""The promises hold in every lifecycle under Pulumi that chance can think of, beyond the documented limits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import pytest

from aws_associations.errors import NotStabilized
from aws_associations.grant import Grant
from aws_associations.kind import State
from aws_associations.kinds import KINDS
from aws_associations.lifecycle import Lifecycle
from aws_associations.look import Sighting
from aws_associations.records import Basis
from aws_associations.revoke import Removal, Revocation
from pulumi_aws_associations.run import Run
from tests.model import pulumi_promises as limits
from tests.model.pulumi_limits import NEAR, Near, openings
from tests.model.pulumi_play import Theatre, theatre
from tests.model.pulumi_script import Member, Script, Up, by_chance, smaller
from tests.model.script import At, Others, Step
from tests.model.shrink import shrunk

_LIFECYCLES = 8
"""Of each kind; the soak plays as many as one likes."""


@pytest.fixture(scope="module")
def pulumi() -> Iterator[Theatre]:
    """Where scripts are played."""
    with theatre() as made:
        yield made


@pytest.mark.parametrize("table", [False, True], ids=["memory", "table"])
@pytest.mark.parametrize("kind", [kind.name for kind in KINDS])
def test_the_promises_hold_in_every_lifecycle(pulumi: Theatre, kind: str, table: bool) -> None:
    """Nothing is lost, nothing leaks, nobody else's grant is revoked, and ``pulumi up --refresh`` heals."""
    for number in range(_LIFECYCLES // 2):
        script = replace(by_chance(number, (kind,), openings((kind,))), table=table)
        if pulumi.play(script).broken:
            smallest = shrunk(script, smaller, lambda tried: bool(pulumi.play(tried).broken))
            pytest.fail(f"the smallest script that breaks a promise:\n\n{pulumi.play(smallest)}")


# -- limits -----------------------------------------------------------------------------------------------------------

of_every_limit = pytest.mark.parametrize("near", NEAR, ids=lambda near: f"{near.limit}, unless {near.differs}")


@of_every_limit
def test_a_limit_is_met_once_and_not_by_its_near_miss(pulumi: Theatre, near: Near) -> None:
    """It breaks nothing; with the one thing changed that decides, or a table that helps, nothing is to be excused."""
    helped = {} if near.limit in limits.IN_MEMORY else {near.limit: 1}
    for script, expected in (
        (near.script(), {near.limit: 1}),
        (near.script(meeting=False), {}),
        (near.script(table=True), helped),
    ):
        outcome = pulumi.play(script)
        assert not outcome.broken, f"\n{outcome}"
        assert outcome.limits == expected, f"\n{outcome}"


def test_every_limit_has_its_scripts() -> None:
    """None is left out."""
    assert {near.limit for near in NEAR} == set(limits.LIMITS)


# -- the model itself: it sees what it is there to see ----------------------------------------------------------------

_KIND = "quicksight-group-membership"
_ONE, _ADOPTED = Member(0), Member(0, adopt=True)
_ALONE, _SHARED = {"a": _ONE}, {"a": _ONE, "b": _ONE}
_DELETED_FIRST = {"a": Member(1, delete_first=True), "b": _ONE}
_NEAR = {near.limit: near for near in NEAR}


def _fail(_: Revocation) -> Removal:
    raise NotStabilized("it did not work")


def _revoke_and_fail(self: Revocation) -> Removal:
    _run(self)
    raise NotStabilized("it did not work")


_run = Revocation.run
_PRESENT = Sighting(State.PRESENT)

_WRONG: dict[str, tuple[int, tuple[type, str, Callable[..., object]], Sequence[Step]]] = {
    "asks nobody who else holds it": (
        1,
        (Run, "stands", lambda *_: False),
        (Up(1, _ALONE), Up(1, {"b": _ADOPTED})),
    ),
    "says in a refresh that it is there": (
        1,
        (Lifecycle, "read", lambda *_, **__: _PRESENT),
        (Up(1, _ALONE), Others(0, grant=False), Up(1, _ALONE, refresh=True)),
    ),
    "fails without saying that it is not known": (1, (Revocation, "run", _revoke_and_fail), _NEAR[limits.TOLD].misses),
    "forgets what it revoked for another resource": (
        1,
        (Run, "was_revoked", lambda *_: False),
        (Up(1, _SHARED), Up(1, _DELETED_FIRST)),
    ),
    "does not wait for a delete that may not know of a resource": (
        1,
        (Run, "was_revoked", lambda self, identity: identity in self._revoked),
        (Up(1, _SHARED), Up(1, _DELETED_FIRST, mishaps=(At("write", 1, "slow before", 3),))),
    ),
    "revokes nothing": (2, (Revocation, "run", lambda _: Removal.REVOKED), (Up(1, _ALONE),)),
    "says in every refresh that it is gone": (
        2,
        (Lifecycle, "read", lambda *_, **__: None),
        (Up(1, _ALONE), Up(1, {}, refresh=True)),
    ),
    "takes what is there": (3, (Grant, "_basis", lambda _: Basis.GRANTED), (Others(0, grant=True), Up(1, _ALONE))),
    "fails every delete": (6, (Revocation, "run", _fail), (Up(1, _ALONE),)),
    "forgets what the state shows": (
        6,
        (Lifecycle, "show", lambda *_: None),
        (Up(1, _ALONE), Up(1, {"b": _ONE}, refresh=True)),
    ),
}


@pytest.mark.parametrize("wrong", _WRONG)
def test_a_wrong_provider_is_seen(pulumi: Theatre, monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    """A provider that does this breaks the promise in some order of the engine; without it none is broken."""
    promise, patch, steps = _WRONG[wrong]
    scripts = [Script(_KIND, tuple(steps), seed) for seed in range(6)]
    assert [pulumi.play(script).broken for script in scripts] == [[]] * len(scripts)

    monkeypatch.setattr(*patch)

    assert any(text.startswith(f"promise {promise}") for script in scripts for text in pulumi.play(script).broken)
