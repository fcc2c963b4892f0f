"""Credentials: exchanged once, renewed before they end, and plain IAM signs nothing but the exchange."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from aws_associations.errors import AccessDenied
from aws_associations.identity import Identity
from aws_associations.kinds.finspace_permission_group_membership import KIND as PERMISSION_GROUP_MEMBERSHIP
from tests.core.world import ACCOUNT, ENVIRONMENT, EXCHANGE, GROUP, REGION, USER, World


def test_one_exchange_serves_every_call(world: World) -> None:
    """Create, read and delete of several memberships in one environment: one exchange, for one hour."""
    world.add(GROUP, "bob")
    for user in (USER, "bob"):
        world.create(identity=world.identity(user=user))
        world.read()
        world.delete(world.id(user=user))

    (exchange,) = world.control.journal(EXCHANGE)
    assert exchange.parameters == {"environmentId": ENVIRONMENT, "durationInMinutes": 60}


def test_plain_iam_signs_nothing_but_the_exchange(world: World) -> None:
    """The caller's own credentials sign the exchange, the exchanged ones everything else."""
    world.delete(world.create().id.text)

    signed = {(entry.operation == EXCHANGE, entry.caller) for entry in world.control.journal()}
    assert signed == {(True, "iam"), (False, "finspace")}


def test_each_environment_and_region_has_an_exchange_of_its_own(world: World) -> None:
    """Credentials of one environment or region are never used in another."""
    world.add(GROUP, USER, "env2")
    values = {"environment_id": ENVIRONMENT, "permission_group_id": GROUP, "user_id": USER}
    in_europe = Identity.of(PERMISSION_GROUP_MEMBERSHIP, ACCOUNT, "eu-west-1", values)
    for identity in (world.identity(), world.identity(environment="env2"), in_europe) * 2:
        world.lifecycle.read(identity, world.request())

    exchanges = [(entry.parameters["environmentId"], entry.region) for entry in world.control.journal(EXCHANGE)]
    assert sorted(exchanges) == [("env1", "eu-west-1"), ("env1", "us-east-1"), ("env2", "us-east-1")]


def test_eight_threads_share_one_exchange(world: World) -> None:
    """Eight first calls at the same time make one exchange, and all of them succeed."""
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: world.read(), range(8)))

    assert found == [None] * 8
    assert len(world.control.journal(EXCHANGE)) == 1


@pytest.mark.parametrize("minutes", [46, 51])
@pytest.mark.parametrize("expired", ["access_denied", "expired_token"])
def test_credentials_are_renewed_before_they_end(world: World, minutes: int, expired: Any) -> None:
    """Within the last quarter of their hour they are exchanged anew, and no call is ever refused for their age."""
    world.control.configure(expired_credentials=expired)
    world.read()
    world.control.advance(minutes * 60)

    world.read()
    world.control.advance((61 - minutes) * 60)
    world.read()

    assert len(world.control.journal(EXCHANGE)) == 2
    assert {entry.status for entry in world.control.journal()} == {200}


def test_credentials_are_not_renewed_long_before_they_end(inner: World) -> None:
    """For three quarters of their hour they are used as they are."""
    inner.read()
    inner.control.advance(44 * 60)
    inner.read()

    assert len(inner.control.journal(EXCHANGE)) == 1


def test_credentials_that_ended_long_ago_are_renewed_first(world: World) -> None:
    """After a night's pause (a warm Lambda) the first call exchanges anew instead of being refused."""
    world.read()
    world.control.advance(12 * 3600)

    world.create()

    assert len(world.control.journal(EXCHANGE)) == 2
    assert {entry.status for entry in world.control.journal()} == {200}


def test_a_renewal_that_fails_early_does_no_harm(inner: World) -> None:
    """Ten minutes ahead of the end a failed renewal is not needed yet: the old credentials still serve."""
    inner.read()
    inner.control.advance(46 * 60)
    inner.control.add_fault("internal_error", operation=EXCHANGE, count=None)

    assert inner.read() is None


def test_credentials_of_a_short_life_are_believed(inner: World) -> None:
    """The service grants less than the hour that was asked for: its answer decides when to renew."""
    inner.read()
    issued = '{"credentials": {"accessKeyId": "AKIA", "secretAccessKey": "s", "sessionToken": "t"}, '
    inner.control.advance(59 * 60)
    inner.control.add_fault("answer", operation=EXCHANGE, status=200, body=issued + '"durationInMinutes": 4}')
    with pytest.raises(AccessDenied):
        inner.read()  # the emulator does not know these
    inner.control.advance(3.5 * 60)

    assert inner.read() is None
    assert len(inner.control.journal(EXCHANGE)) == 3


def test_a_caller_who_may_not_exchange_is_told_what_is_needed(world: World) -> None:
    """AccessDenied of the exchange names the exchange, the IAM action, and the registration as a FinSpace user."""
    world.control.configure(allowed_access_keys=[])

    with pytest.raises(AccessDenied) as caught:
        world.create()

    message = str(caught.value)
    for words in (EXCHANGE, "finspace-api:GetProgrammaticAccessCredentials", "apiAccessPrincipalArn"):
        assert words in message
    assert not caught.value.outcome_unknown
    assert world.writes() == []


def test_a_failed_exchange_is_not_remembered(inner: World) -> None:
    """Once the caller is registered, the next call works."""
    inner.control.configure(allowed_access_keys=[])
    with pytest.raises(AccessDenied):
        inner.read()
    inner.control.configure(allowed_access_keys=None)

    assert inner.read() is None


def test_the_account_is_asked_for_once(world: World) -> None:
    """One GetCallerIdentity for the life of the services."""
    deadline = world.request().deadline

    assert world.services.account(REGION, deadline) == ACCOUNT
    deadline.end_now()
    assert world.services.account(REGION, deadline) == ACCOUNT


@pytest.mark.parametrize("code", ["AccessDeniedException", "ExpiredTokenException", "UnrecognizedClientException"])
def test_credentials_withdrawn_early_are_exchanged_anew(inner: World, code: str) -> None:
    """After the service has denied them, the next request does not go on with the same credentials."""
    inner.create()
    denied = {"status": 403, "error_code": code, "body": "{}"}
    inner.control.add_fault("answer", operation="ListPermissionGroupsByUser", count=1, **denied)  # type: ignore[arg-type]
    with pytest.raises(AccessDenied):
        inner.read()
    exchanges = len(inner.control.journal(EXCHANGE))

    assert inner.read() is not None
    assert len(inner.control.journal(EXCHANGE)) == exchanges + 1
