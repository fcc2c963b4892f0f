"""Delete: what was never created, what is gone, what is not ours, and what stays an error."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aws_associations.errors import InvalidRequest
from aws_associations.lifecycle import Removal
from tests.core.world import DISASSOCIATE, GROUP, LOOK, USER, World


def test_an_ordinary_delete_costs_two_calls(world: World) -> None:
    """A delete disassociates and looks, and nothing more."""
    text = world.create().id.text
    world.control.clear_journal()

    assert world.delete(text) is Removal.REVOKED
    assert world.calls() == [DISASSOCIATE, LOOK]
    assert world.members() == set()


@pytest.mark.parametrize(
    "text",
    [
        "mystack-Membership-1ABC2DEF",
        "",
        "2026/11/22/[$LATEST]0123456789abcdef",
        "iot-thing-group-membership/v1/123456789012/us-east-1/env1/analysts/alice",
        "finspace-permission-group-membership/v2/123456789012/us-east-1/env1/analysts/alice",
        "finspace-permission-group-membership/v1/123456789012/us-east-1/env1/analysts/alice?Adopted",
        "finspace-permission-group-membership/v1/123456789012/us-east-1/env1/analysts/%61lice",
        "finspace-permission-group-membership/v1/123456789012/us-east-1/env1/analysts/alice/",
        "finspace-permission-group-membership/v1/123456789012/us-east-1/env1/analysts",
    ],
)
def test_an_id_that_is_not_ours_is_not_acted_upon(inner: World, text: str) -> None:
    """An id that CloudFormation invented, or of another kind or spelling: success, no call, and a line to match."""
    inner.grant_as_others_do()

    assert inner.delete(text) is Removal.NEVER_CREATED
    assert inner.control.journal() == []
    assert [event for event, _ in inner.host.notes] == ["not-our-id"]
    assert inner.host.warnings == []
    assert inner.members() == {(GROUP, USER)}


def test_the_wrong_account_is_an_error_before_any_call(world: World) -> None:
    """With another account's credentials everything looks absent, so nothing is concluded and nothing is sent."""
    world.grant_as_others_do()
    elsewhere = replace(world.request(), account="999999999999")

    for attempt in (
        lambda: world.delete(request=elsewhere),
        lambda: world.create(elsewhere),
        lambda: world.lifecycle.read(world.identity(), elsewhere),
        lambda: world.update(world.id(), world.identity(), elsewhere),
        lambda: world.update(world.id(), world.identity(), elsewhere, heal=True),
        lambda: world.update(world.id(user="bob"), world.identity(), elsewhere),
    ):
        with pytest.raises(InvalidRequest, match=r"account 123456789012.*account 999999999999"):
            attempt()
    assert world.control.journal() == []


@pytest.mark.parametrize("adopted", [False, True])
def test_an_id_that_the_ledger_does_not_know_is_a_claim(inner: World, adopted: bool) -> None:
    """The table was lost or is new: what the stack has is believed, and its text tells whether it was adopted."""
    inner.grant_as_others_do()
    inner.host.completed = False

    removal = inner.delete(inner.id(adopted=adopted))

    assert removal is (Removal.RELEASED if adopted else Removal.REVOKED)
    assert inner.members() == ({(GROUP, USER)} if adopted else set())


def test_a_delete_never_looks_before_it_writes(inner: World) -> None:
    """A list that lags behind the grant must not make a delete believe in absence."""
    inner.control.configure(list_lag_seconds=60)
    inner.create(inner.request(seconds=300))
    inner.control.clear_journal()

    inner.delete()

    assert inner.calls()[0] == DISASSOCIATE
    assert inner.members() == set()


def test_a_refusal_after_a_lost_removal_is_unknown(inner: World) -> None:
    """First lost, then denied for good: the first one may have taken effect, so the error must not sound definite."""
    inner.grant_as_others_do()
    inner.control.add_fault("cut", operation=DISASSOCIATE, count=5)
    inner.control.add_fault(
        "answer", operation=DISASSOCIATE, status=403, error_code="AccessDeniedException", body="{}", count=None
    )

    with pytest.raises(Exception, match="AccessDenied") as caught:
        inner.delete()

    assert getattr(caught.value, "outcome_unknown", None) is True


def test_a_busy_party_is_waited_for(inner: World) -> None:
    """Conflict while it is still granted is repeated under the same token, until the service accepts it."""
    inner.grant_as_others_do()
    inner.control.add_fault(
        "answer", operation=DISASSOCIATE, status=409, error_code="ConflictException", body="{}", count=2
    )

    assert inner.delete() is Removal.REVOKED
    assert len({*inner.tokens(DISASSOCIATE)}) == 1


def test_a_conflict_for_ever_is_an_error(inner: World) -> None:
    """Conflict without end is a definite failure: it is still granted, and the error says why."""
    inner.grant_as_others_do()
    inner.control.add_fault(
        "answer",
        operation=DISASSOCIATE,
        status=409,
        error_code="ConflictException",
        body='{"message": "busy", "reason": "BUSY"}',
        count=None,
    )

    with pytest.raises(Exception, match=r"ConflictException, busy \(BUSY\)") as caught:
        inner.delete()

    assert getattr(caught.value, "outcome_unknown", None) is False
    assert inner.clock.now() - inner.control.journal()[0].time < 30
