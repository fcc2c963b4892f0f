"""Delete: what was never created, what is gone, what is not ours, and what stays an error."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from aws_associations.errors import InvalidRequest
from aws_associations.identity import marker
from aws_associations.kinds.finspace_permission_group_membership import KIND as PERMISSION_GROUP_MEMBERSHIP
from aws_associations.lifecycle import Removal
from tests.core.world import DISASSOCIATE, ENVIRONMENT, GROUP, LOOK, USER, World


def test_an_ordinary_delete_costs_two_calls(world: World) -> None:
    """A delete disassociates and looks, and nothing more."""
    text = world.create().id.text
    world.control.clear_journal()

    assert world.delete(text) is Removal.REVOKED
    assert world.calls() == [DISASSOCIATE, LOOK]
    assert world.members() == set()


def test_a_marker_was_never_created(world: World) -> None:
    """The id of a create that failed is deleted without a call and without a warning."""
    world.grant_as_others_do()

    assert world.delete(marker("Membership")) is Removal.NEVER_CREATED
    assert world.control.journal() == []
    assert world.host.warnings == []


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
    """An id that CloudFormation invented, or of another kind or spelling: success, no call, and a warning to match."""
    inner.grant_as_others_do()

    assert inner.delete(text) is Removal.NEVER_CREATED
    assert inner.control.journal() == []
    assert inner.host.warnings == ["not-our-id"]
    assert inner.members() == {(GROUP, USER)}


@pytest.mark.parametrize("non_member", ["not_found", "conflict", "succeed"])
def test_deleting_twice_succeeds_twice(world: World, non_member: Any) -> None:
    """Missing is normal: what is gone already is deleted."""
    world.control.configure(disassociate_non_member=non_member)
    text = world.create().id.text

    assert world.delete(text) is Removal.REVOKED
    assert world.delete(text) in {Removal.ABSENT, Removal.REVOKED}
    assert world.members() == set()


@pytest.mark.parametrize("party", ["user", "group", "both"])
def test_a_party_that_is_gone_took_the_membership_along(world: World, party: str) -> None:
    """User, group or both were removed: the delete succeeds, and a read finds nothing."""
    text = world.create().id.text
    if party in ("user", "both"):
        world.control.remove_user(ENVIRONMENT, USER)
    if party in ("group", "both"):
        world.control.remove_permission_group(ENVIRONMENT, GROUP)

    assert world.read() is None
    assert world.delete(text) is Removal.ABSENT


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


def test_what_others_granted_after_our_delete_took_effect_is_left_alone(world: World) -> None:
    """The answer was lost, others granted it again, the delete is retried: success, a warning, and no revocation."""
    text = world.create().id.text
    request = world.request("delete-1")
    world.delete(text, request)
    world.grant_as_others_do()
    written = len(world.writes())

    assert world.delete(text, world.request("delete-1")) is Removal.GRANTED_AGAIN
    assert "granted-again-by-others" in world.host.warnings
    assert world.writes()[written:] == [DISASSOCIATE]
    assert world.members() == {(GROUP, USER)}


def test_a_new_delete_revokes_it_again(inner: World) -> None:
    """A new request to delete is a new wish: its token is another one, so that it takes effect."""
    text = inner.create().id.text
    inner.delete(text)
    inner.create()

    assert inner.delete(text) is Removal.REVOKED
    assert inner.members() == set()


def test_a_delete_never_looks_before_it_writes(inner: World) -> None:
    """A list that lags behind the grant must not make a delete believe in absence."""
    inner.control.configure(list_lag_seconds=60)
    inner.create(inner.request(seconds=300))
    inner.control.clear_journal()

    inner.delete()

    assert inner.calls()[0] == DISASSOCIATE
    assert inner.members() == set()


def test_an_unknown_outcome_is_not_repeated_by_a_request_that_is_over(
    inner: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disassociate was lost and the request died meanwhile: an error, and no second round."""
    inner.grant_as_others_do()
    inner.control.add_fault("cut", operation=DISASSOCIATE, count=None)
    answers = iter([True, False])
    monkeypatch.setattr(inner.host, "live", lambda: next(answers))

    with pytest.raises(Exception, match="lost the connection"):
        inner.delete()

    assert inner.calls().count(DISASSOCIATE) == 5


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


def test_every_identity_is_deleted_as_itself(inner: World) -> None:
    """Deleting one membership leaves the user's others and the group's others alone."""
    for group, user in ((GROUP, "bob"), ("traders", USER)):
        inner.add(group, user)
        inner.grant_as_others_do(group, user)
    inner.grant_as_others_do()

    inner.delete()

    assert inner.members() == {(GROUP, "bob"), ("traders", USER)}
    assert PERMISSION_GROUP_MEMBERSHIP.name in inner.id()
