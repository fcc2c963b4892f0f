"""The promises hold in every lifecycle that hypothesis can think of, beyond the documented limits."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from aws_associations.errors import NotStabilized
from aws_associations.grant import Grant
from aws_associations.kinds import KINDS
from aws_associations.records import Basis
from aws_associations.revoke import Removal, Revocation
from aws_associations_lambda import responder
from tests.contract.scenery import Values
from tests.model.draw import by_chance, scripts
from tests.model.play import Theatre
from tests.model.script import At, Deploy, Member, Others, Remove, Script
from tests.model.shrink import shrunk, smaller

_DRAWN, _BY_CHANCE = 10, 25
"""Lifecycles of each kind, drawn by hypothesis and by chance; ``make soak`` plays as many as one likes."""


@pytest.mark.parametrize("kind", [kind.name for kind in KINDS])
def test_the_promises_hold_in_every_lifecycle(stage: Theatre, kind: str) -> None:
    """Nothing is lost, nothing leaks, nobody else's grant is revoked, every request is answered, everything heals."""
    failing: list[Script] = []

    def play(script: Script) -> None:
        if not failing and stage.play(script).broken:
            failing.append(script)

    @settings(
        max_examples=_DRAWN,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(scripts((kind,)))
    def drawn(script: Script) -> None:
        play(script)

    drawn()
    for number in range(_BY_CHANCE):
        play(by_chance(number, (kind,)))
    for script in failing:
        smallest = shrunk(script, smaller, lambda tried: bool(stage.play(tried).broken))
        pytest.fail(f"the smallest script that breaks a promise:\n\n{stage.play(smallest)}")


# -- the model itself: it sees what it is there to see ----------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])
def test_the_truth_is_the_services_own(stage: Theatre, kind: object) -> None:
    """What the model takes for granted is what everybody else sees of the service."""
    world = stage.made.new(kind)  # type: ignore[arg-type]
    for values in world.pairs[:2]:
        world.others_grant(values)

    def as_identities(found: list[Values]) -> frozenset[object]:
        return frozenset(map(world.identity, found))

    assert world.granted() == as_identities(world.scenery.granted()) == as_identities(world.pairs[:2])


def test_a_grant_that_others_revoke_for_us_is_a_loss_only_if_we_did_it(stage: Theatre) -> None:
    """Drift breaks no promise, and a new Revision heals it."""
    outcome = stage.play(Script("quicksight-group-membership", (Deploy(1, {"A": Member(0)}), Others(0, grant=False))))

    assert outcome.broken == []
    assert outcome.changes[-1] == ("others", "revoked", 1)


def test_a_revocation_of_what_others_granted_is_seen(stage: Theatre, monkeypatch: pytest.MonkeyPatch) -> None:
    """A function that takes whatever is there for its own breaks the third promise."""
    monkeypatch.setattr(Grant, "_basis", lambda _: Basis.GRANTED)
    script = Script("quicksight-group-membership", (Others(0, grant=True), Deploy(1, {"A": Member(0)}), Remove(1)))

    assert any(text.startswith("promise 3") for text in stage.play(script).broken)


def test_a_grant_that_is_left_behind_is_seen(stage: Theatre, monkeypatch: pytest.MonkeyPatch) -> None:
    """A function that answers every Delete with success and does nothing breaks the second promise."""
    monkeypatch.setattr(Revocation, "run", lambda _: Removal.REVOKED)
    script = Script("quicksight-group-membership", (Deploy(1, {"A": Member(0)}), Remove(1)))

    assert any(text.startswith("promise 2") for text in stage.play(script).broken)


def test_a_grant_that_is_lost_is_seen(stage: Theatre, monkeypatch: pytest.MonkeyPatch) -> None:
    """A function that asks nobody who else holds a pair breaks the first promise on a rename."""
    monkeypatch.setattr(Revocation, "_why_kept", lambda _: None)
    script = Script("quicksight-group-membership", (Deploy(1, {"A": Member(0)}), Deploy(1, {"B": Member(0)})))

    assert any(text.startswith("promise 1") for text in stage.play(script).broken)


def test_an_answer_that_never_comes_is_seen(stage: Theatre, monkeypatch: pytest.MonkeyPatch) -> None:
    """A function that ends without an answer breaks the fifth promise."""
    monkeypatch.setattr(responder, "put", lambda *_: 1)
    script = Script("quicksight-group-membership", (Deploy(1, {"A": Member(0)}),))

    assert any(text.startswith("promise 5") for text in stage.play(script).broken)


def test_what_cannot_be_recovered_is_seen(stage: Theatre, monkeypatch: pytest.MonkeyPatch) -> None:
    """A function that fails every Delete breaks the sixth promise."""

    def fail(_: object) -> None:
        raise NotStabilized("it does not work")

    monkeypatch.setattr(Revocation, "run", fail)
    script = Script("quicksight-group-membership", (Deploy(1, {"A": Member(0)}),))

    assert any(text.startswith("promise 6") for text in stage.play(script).broken)


def test_a_killed_process_has_no_effect_any_more(stage: Theatre) -> None:
    """Killed before its write, it writes nothing; the delivery after it does."""
    script = Script(
        "quicksight-group-membership", (Deploy(1, {"A": Member(0)}, mishaps=(At("write", 1, "kill before"),)),)
    )
    outcome = stage.play(script)

    assert outcome.changes == [("function", "granted", 1)]
    assert outcome.seen["deliveries killed"] == 1
