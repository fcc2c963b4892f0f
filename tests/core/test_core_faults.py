"""Throttling, failures and lost answers: granted and ours, or an error that knows what may remain."""

from __future__ import annotations

from typing import Any

import pytest

import aws_associations.service
from aws_associations.errors import (
    AssociationError,
    InvalidRequest,
    NotStabilized,
    ResourceConflict,
    ServiceUnavailable,
    Throttling,
)
from aws_associations.lifecycle import How, Removal
from aws_associations.records import HoldState
from tests.core.world import ASSOCIATE, DISASSOCIATE, EXCHANGE, GROUP, LOOK, USER, World, after_seconds

FAULTS: dict[str, dict[str, Any]] = {
    "throttled": {"kind": "throttled"},
    "500 before the effect": {"kind": "internal_error"},
    "500 after the effect": {"kind": "internal_error", "when": "after"},
    "cut before the effect": {"kind": "cut"},
    "cut after the effect": {"kind": "cut", "when": "after"},
    "slow": {"kind": "slow", "seconds": 0.01},
}
BROKEN = {name: fault for name, fault in FAULTS.items() if name != "slow"}

faults = pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
broken = pytest.mark.parametrize("fault", BROKEN.values(), ids=BROKEN)


@faults
def test_an_associate_survives_any_single_fault(world: World, fault: dict[str, Any]) -> None:
    """One fault on the associate is retried under the same token: granted once, and as created."""
    world.control.add_fault(operation=ASSOCIATE, **fault)

    granted = world.create()

    assert granted.how is How.CREATED
    assert world.members() == {(GROUP, USER)}
    assert world.effects(ASSOCIATE) == 1
    assert len({*world.tokens(ASSOCIATE)}) == 1


@broken
@pytest.mark.parametrize(
    ("operation", "skip"), [(LOOK, 0), (LOOK, 1), (EXCHANGE, 0)], ids=["first look", "second look", "exchange"]
)
def test_a_create_survives_a_single_fault_around_it(
    inner: World, fault: dict[str, Any], operation: str, skip: int
) -> None:
    """One fault on a look or on the exchange is retried, and the associate is sent once."""
    inner.control.add_fault(operation=operation, skip=skip, **fault)

    assert inner.create().how is How.CREATED
    assert inner.members() == {(GROUP, USER)}
    assert inner.calls().count(ASSOCIATE) == 1


@faults
@pytest.mark.parametrize("operation", [DISASSOCIATE, LOOK, EXCHANGE])
def test_a_delete_survives_any_single_fault(inner: World, fault: dict[str, Any], operation: str) -> None:
    """One fault on one call of a delete is retried: revoked, once."""
    inner.grant_as_others_do()
    inner.control.add_fault(operation=operation, **fault)

    assert inner.delete() is Removal.REVOKED
    assert inner.members() == set()
    assert inner.effects(DISASSOCIATE) == 1


@broken
@pytest.mark.parametrize("operation", [LOOK, EXCHANGE])
def test_a_create_that_cannot_begin_leaves_nothing(inner: World, fault: dict[str, Any], operation: str) -> None:
    """Where the first look or the exchange fails for good, nothing was written, and the error says so."""
    inner.control.add_fault(operation=operation, count=None, **fault)

    with pytest.raises((Throttling, ServiceUnavailable)) as caught:
        inner.create()

    assert not caught.value.outcome_unknown
    assert "not known" not in str(caught.value)
    assert inner.holds() == {}
    assert inner.writes() == []


@pytest.mark.parametrize("name", ["500 after the effect", "cut after the effect"])
@pytest.mark.parametrize("duplicate", ["conflict", "succeed"])
def test_an_effect_whose_answers_are_all_lost_is_ours(inner: World, name: str, duplicate: Any) -> None:
    """An associate that took effect and never answered ends as created: the look shows it."""
    inner.control.configure(duplicate_associate=duplicate)
    inner.control.add_fault(operation=ASSOCIATE, count=None, **FAULTS[name])

    assert inner.create().how is How.CREATED
    assert inner.members() == {(GROUP, USER)}


@broken
def test_a_grant_that_cannot_be_seen_has_an_unknown_outcome(inner: World, fault: dict[str, Any]) -> None:
    """Where the look after a success fails for good, the membership may remain, and the error says so."""
    inner.control.add_fault(operation=LOOK, skip=1, count=None, **fault)

    with pytest.raises((Throttling, ServiceUnavailable)) as caught:
        inner.create()

    assert caught.value.outcome_unknown
    assert inner.holds() == {inner.id(): HoldState.PENDING}
    assert inner.members() == {(GROUP, USER)}


@pytest.mark.parametrize("when", ["before", "after"])
def test_nothing_answers_any_more_after_the_associate_was_sent(inner: World, when: Any) -> None:
    """An associate and every look after it are lost: unknown, and the ledger keeps what may remain."""
    inner.control.add_fault("cut", operation=ASSOCIATE, when=when, count=None)
    inner.control.add_fault("throttled", operation=LOOK, skip=1, count=None)

    with pytest.raises(ServiceUnavailable, match="could not be seen afterwards either") as caught:
        inner.create()

    assert caught.value.outcome_unknown
    assert inner.holds() == {inner.id(): HoldState.PENDING}


@pytest.mark.parametrize("duplicate", ["conflict", "succeed"])
def test_a_conflict_after_the_sdks_own_retry_is_not_foreign(world: World, duplicate: Any) -> None:
    """The first attempt is cut after its effect, the SDK's retry gets Conflict: ours, never AlreadyExists."""
    world.control.configure(duplicate_associate=duplicate)
    world.control.add_fault("cut", operation=ASSOCIATE, when="after")
    world.control.add_fault("answer", operation=ASSOCIATE, status=409, error_code="ConflictException", body="{}")

    assert world.create().how is How.CREATED
    assert world.members() == {(GROUP, USER)}


def test_a_conflict_after_a_retry_without_effect_is_unknown(inner: World) -> None:
    """The same without an effect: a rejection that came after a retry proves nothing, so it is not a definite one."""
    inner.control.add_fault("cut", operation=ASSOCIATE)
    inner.control.add_fault(
        "answer", operation=ASSOCIATE, status=409, error_code="ConflictException", body="{}", count=None
    )

    with pytest.raises(ResourceConflict) as caught:
        inner.create()

    assert caught.value.outcome_unknown
    assert inner.holds() == {inner.id(): HoldState.PENDING}


def test_a_refusal_after_a_retry_is_unknown(inner: World) -> None:
    """A rejection of the second attempt says nothing of the first, which was lost."""
    inner.control.add_fault("cut", operation=ASSOCIATE)
    inner.control.add_fault("answer", operation=ASSOCIATE, status=400, error_code="ValidationException", body="{}")

    with pytest.raises(InvalidRequest) as caught:
        inner.create()

    assert caught.value.outcome_unknown


def test_a_refusal_after_a_lost_effect_ends_as_created(inner: World) -> None:
    """The first attempt took effect, the second was denied: the look shows what the denial hides."""
    inner.control.add_fault("cut", operation=ASSOCIATE, when="after")
    inner.control.add_fault("answer", operation=ASSOCIATE, status=403, error_code="AccessDeniedException", body="{}")

    assert inner.create().how is How.CREATED


@pytest.mark.parametrize(
    "refusal",
    [
        {"kind": "answer", "status": 403, "error_code": "AccessDeniedException", "body": "{}"},
        {"kind": "cut"},
        {"kind": "answer", "body": '{"credentials": {}}', "status": 200},
    ],
    ids=["denied", "cut", "empty"],
)
def test_a_renewal_that_fails_between_two_attempts_leaves_the_outcome_unknown(
    inner: World, monkeypatch: pytest.MonkeyPatch, refusal: dict[str, Any]
) -> None:
    """The exchange is not an attempt of the write, but the write's lost attempt was one: unknown."""
    import botocore.endpoint

    inner.read()
    inner.control.add_fault("cut", operation=ASSOCIATE)
    inner.control.add_fault(operation=EXCHANGE, count=None, **refusal)

    class Slowly:
        def sleep(self, _: float) -> None:
            inner.control.advance(3590)

    monkeypatch.setattr(botocore.endpoint, "time", Slowly())

    with pytest.raises(AssociationError) as caught:
        inner.create(inner.request(seconds=100_000))

    assert inner.calls().count(ASSOCIATE) == 1
    assert caught.value.outcome_unknown


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_answer_that_is_too_slow_counts_as_lost(outer: World, monkeypatch: pytest.MonkeyPatch, when: Any) -> None:
    """An attempt without a byte for the read time-out is given up, and the retry repeats the same token."""
    monkeypatch.setattr(aws_associations.service, "READ_TIMEOUT", 0.2)
    outer.control.add_fault("slow", operation=ASSOCIATE, when=when, seconds=0.5)

    assert outer.create().how is How.CREATED
    assert outer.calls().count(ASSOCIATE) == 2
    assert len({*outer.tokens(ASSOCIATE)}) == 1


def test_no_retry_of_the_sdk_is_sent_after_the_deadline(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK's wait before its retry lasts over the deadline: the retry is not sent, and the outcome is unknown."""
    import botocore.endpoint

    world.control.add_fault("cut", operation=ASSOCIATE)

    class Slowly:
        def sleep(self, _: float) -> None:
            world.control.advance(61)

    monkeypatch.setattr(botocore.endpoint, "time", Slowly())

    with pytest.raises(AssociationError) as caught:
        world.create(world.request(seconds=60))

    assert world.calls().count(ASSOCIATE) == 1
    assert world.members() == set()
    assert caught.value.outcome_unknown
    assert "in time" in str(caught.value)


def test_a_host_that_is_cut_short_ends_every_part_of_an_operation(
    inner: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ending the host's deadline ends an update's share of it too, so that nothing is sent afterwards."""
    request = inner.request()
    inner.grant_as_others_do()
    inner.revoke_as_others_do(seconds=10)
    after_seconds(inner, monkeypatch, 1, request.deadline.end_now)

    with pytest.raises(NotStabilized):
        inner.update(inner.id(user="bob"), inner.identity(), request)

    assert {*inner.calls()} == {LOOK}


# -- delete -----------------------------------------------------------------------------------------------------------


@broken
def test_a_removal_that_cannot_be_seen_has_an_unknown_outcome(inner: World, fault: dict[str, Any]) -> None:
    """Where the look after the disassociate fails for good, the delete is an error: never absence."""
    inner.grant_as_others_do()
    inner.control.add_fault(operation=LOOK, count=None, **fault)

    with pytest.raises((Throttling, ServiceUnavailable)) as caught:
        inner.delete()

    assert caught.value.outcome_unknown


@broken
def test_a_delete_that_cannot_begin_is_a_definite_error(inner: World, fault: dict[str, Any]) -> None:
    """Where the exchange of credentials fails for good, nothing was sent."""
    inner.grant_as_others_do()
    inner.control.add_fault(operation=EXCHANGE, count=None, **fault)

    with pytest.raises((Throttling, ServiceUnavailable)) as caught:
        inner.delete()

    assert not caught.value.outcome_unknown
    assert inner.writes() == []
    assert inner.members() == {(GROUP, USER)}


@pytest.mark.parametrize("name", ["500 before the effect", "cut before the effect"])
@pytest.mark.parametrize("lag", [3.0, 5.0])
def test_absence_on_a_list_that_lags_is_no_proof_of_a_lost_removal(inner: World, name: str, lag: float) -> None:
    """Granted a moment ago, not listed yet, the disassociate lost without effect: the delete never says revoked."""
    inner.control.configure(list_lag_seconds=lag)
    inner.control.add_fault(operation=DISASSOCIATE, count=None, **FAULTS[name])
    inner.control.advance(lag)
    inner.grant_as_others_do()

    with pytest.raises(ServiceUnavailable) as caught:
        inner.delete()

    assert caught.value.outcome_unknown
    assert inner.members() == {(GROUP, USER)}


# -- read -------------------------------------------------------------------------------------------------------------


@broken
@pytest.mark.parametrize("operation", [LOOK, EXCHANGE])
def test_a_read_that_fails_is_never_absence(inner: World, fault: dict[str, Any], operation: str) -> None:
    """A look that was throttled, failed or lost raises, and promises nothing of a write that never was."""
    inner.control.add_fault(operation=operation, count=None, **fault)

    with pytest.raises((Throttling, ServiceUnavailable)) as caught:
        inner.read()

    assert not caught.value.outcome_unknown
    assert str(caught.value).startswith("reading FinSpace permission group membership")
