"""The promises hold in every lifecycle under Pulumi that chance can think of, beyond the documented limits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from aws_associations.errors import NotStabilized
from aws_associations.kinds import KINDS
from aws_associations.removal import Removal, Revocation
from pulumi_aws_associations.ledger import Ledger
from tests.model.pulumi_limits import openings
from tests.model.pulumi_play import Theatre, theatre
from tests.model.pulumi_script import Member, Script, Up, scripts, smaller
from tests.model.script import At, Others
from tests.model.shrink import shrunk

_LIFECYCLES = 8
"""Of each kind; the soak plays as many as one likes."""

_KIND = "quicksight-group-membership"


@pytest.fixture(scope="module")
def pulumi() -> Iterator[Theatre]:
    """Where scripts are played."""
    with theatre() as made:
        yield made


@pytest.mark.parametrize("kind", [kind.name for kind in KINDS])
def test_the_promises_hold_in_every_lifecycle(pulumi: Theatre, kind: str) -> None:
    """Nothing is lost, nothing leaks, nobody else's grant is revoked, and ``pulumi up --refresh`` heals."""
    failing: list[Script] = []

    @settings(
        max_examples=_LIFECYCLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(scripts((kind,), openings((kind,))))
    def lifecycle(script: Script) -> None:
        if not failing and pulumi.play(script).broken:
            failing.append(script)

    lifecycle()
    for script in failing:
        smallest = shrunk(script, smaller, lambda tried: bool(pulumi.play(tried).broken))
        pytest.fail(f"the smallest script that breaks a promise:\n\n{pulumi.play(smallest)}")


_ALONE = {"a": Member(0)}
_SHARED = {"a": Member(0), "b": Member(0)}


# -- the model itself: it sees what it is there to see ----------------------------------------------------------------


def test_a_grant_that_is_lost_is_seen(pulumi: Theatre, monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider that asks nobody who else holds a pair breaks the first promise on a rename with adoption."""
    monkeypatch.setattr(Revocation, "_to_release", lambda _: False)

    broken = pulumi.play(Script(_KIND, (Up(1, _ALONE), Up(1, {"b": Member(0, adopt=True)})))).broken

    assert any(text.startswith("promise 1") for text in broken)


def test_a_grant_that_is_left_behind_is_seen(pulumi: Theatre, monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider that answers every delete with success and does nothing breaks the second promise."""
    monkeypatch.setattr(Revocation, "run", lambda _: Removal.REVOKED)

    assert any(text.startswith("promise 2") for text in pulumi.play(Script(_KIND, (Up(1, _ALONE),))).broken)


def test_a_revocation_of_what_others_granted_is_seen(pulumi: Theatre, monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider that takes whatever is there for its own breaks the third promise."""
    monkeypatch.setattr(Ledger, "may_have_granted", lambda *_: True)

    broken = pulumi.play(Script(_KIND, (Others(0, grant=True), Up(1, _ALONE)))).broken

    assert any(text.startswith("promise 3") for text in broken)


def test_what_cannot_be_recovered_is_seen(pulumi: Theatre, monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider that fails every delete breaks the sixth promise."""

    def fail(_: object) -> None:
        raise NotStabilized("it does not work")

    monkeypatch.setattr(Revocation, "run", fail)

    assert any(text.startswith("promise 6") for text in pulumi.play(Script(_KIND, (Up(1, _ALONE),))).broken)


_GUARDS: dict[str, tuple[Callable[[pytest.MonkeyPatch], None], tuple[object, ...]]] = {
    "what is deleted holds no more": (
        lambda patch: patch.setattr(Ledger, "released", lambda *_: True),
        (Up(1, _SHARED), Up(1, {}, refresh=True)),
    ),
    "one at a time with an association": (
        lambda patch: patch.setattr(Ledger, "turn", lambda *_: nullcontext()),
        (
            Up(1, _ALONE),
            Up(1, {"a": Member(1), "b": Member(0)}, refresh=True, mishaps=(At("write", 1, "slow before", 3),)),
        ),
    ),
    "a diff waits for a delete that may not know of it": (
        lambda patch: patch.setattr(Ledger, "must_grant_again", lambda self, entry: entry.id.identity in self._revoked),
        (
            Up(1, _SHARED),
            Up(1, {"a": Member(1), "b": Member(0)}, mishaps=(At("write", 1, "slow before", 3),)),
        ),
    ),
    "what was revoked for another is granted again": (
        lambda patch: patch.setattr(Ledger, "must_grant_again", lambda *_: False),
        (Up(1, _SHARED), Up(1, {"a": Member(1), "b": Member(0)})),
    ),
}


@pytest.mark.parametrize("guard", _GUARDS)
def test_a_guard_of_the_ledger_is_missed(pulumi: Theatre, monkeypatch: pytest.MonkeyPatch, guard: str) -> None:
    """With it no order of the engine breaks a promise, without it some order does."""
    remove, steps = _GUARDS[guard]
    played = [Script(_KIND, steps, seed) for seed in range(6)]  # type: ignore[arg-type]
    assert [pulumi.play(script).broken for script in played] == [[]] * len(played)

    remove(monkeypatch)

    assert any(pulumi.play(script).broken for script in played)
