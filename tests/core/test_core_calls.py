"""Calls that failed, looks in vain, and the level of the SDK's loggers: what each means, and for how long."""

from __future__ import annotations

import json
import logging

import pytest
from botocore import exceptions as boto
from botocore.parsers import ResponseParserError

from aws_associations.errors import (
    AccessDenied,
    AssociationError,
    DeadlinePassed,
    NotFound,
    ServiceUnavailable,
)
from aws_associations.kind import State
from aws_associations.kinds.directory_group_membership import KIND as DIRECTORY_GROUP_MEMBERSHIP
from aws_associations.kinds.finspace_permission_group_membership import KIND as PERMISSION_GROUP_MEMBERSHIP
from aws_associations.lifecycle import How, Removal
from aws_associations.properties import violations
from aws_associations.service import keep_sdk_quiet
from aws_associations.translation import from_botocore
from aws_associations.waiting import Deadline
from tests.core.world import ASSOCIATE, DISASSOCIATE, EXCHANGE, GROUP, LOOK, WORDS, World

ENDPOINT = "https://ds-data.us-east-1.amazonaws.com/a/path?X-Amz-Signature=secret"


def answered(status: int, code: str = "Unknown") -> boto.ClientError:
    """An error that a service answered."""
    return boto.ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "AddGroupMember")


def translated(error: Exception, sent: int, host: str = "") -> AssociationError:
    """What it means for an associate of a directory."""
    return from_botocore(error, "AddGroupMember", kind=DIRECTORY_GROUP_MEMBERSHIP, sent=sent, host=host)


@pytest.mark.parametrize(
    ("error", "sent", "unknown"),
    [
        (boto.EndpointConnectionError(endpoint_url=ENDPOINT), 1, False),
        (boto.EndpointConnectionError(endpoint_url=ENDPOINT), 2, True),
        (ResponseParserError("a page"), 1, True),
        (answered(500), 0, False),
        (answered(500), 1, True),
        (answered(408), 1, True),
        (answered(403, "AccessDeniedException"), 1, False),
        (answered(403, "AccessDeniedException"), 2, True),
        (DeadlinePassed(), 0, False),
        (DeadlinePassed(), 1, True),
    ],
)
def test_an_error_is_definite_only_if_nothing_can_have_happened(error: Exception, sent: int, unknown: bool) -> None:
    """Not sent, not connected, or refused at the first attempt; anything else may have taken effect."""
    assert translated(error, sent).outcome_unknown is unknown


def test_an_unpublished_404_is_no_absence() -> None:
    """A proxy or a wrong endpoint: read as NotFound, every association would count as gone."""
    assert not isinstance(translated(answered(404), 1), NotFound)


def test_an_unreachable_endpoint_is_named_by_its_host_only() -> None:
    """A whole URL can hold ids and signatures."""
    message = str(translated(boto.EndpointConnectionError(endpoint_url=ENDPOINT), 1))

    assert "ds-data.us-east-1.amazonaws.com" in message
    assert "path" not in message
    assert "secret" not in message


def test_a_time_that_ends_after_a_refusal_is_definite(inner: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Throttled, and the SDK's wait lasts over the deadline: that attempt did nothing, and no other was made."""
    import botocore.endpoint

    inner.control.add_fault("throttled", operation=ASSOCIATE)

    class Slowly:
        def sleep(self, _: float) -> None:
            inner.control.advance(61)

    monkeypatch.setattr(botocore.endpoint, "time", Slowly())

    with pytest.raises(AssociationError, match="time for this operation is over") as caught:
        inner.create(inner.request(seconds=60))

    assert not caught.value.outcome_unknown


def test_an_exchange_without_credentials_is_a_denial(inner: World) -> None:
    """Nothing is signed with what is not there."""
    inner.control.add_fault("answer", operation=EXCHANGE, status=200, body="{}", count=None)

    with pytest.raises(AccessDenied, match="answered no credentials"):
        inner.create()


def test_a_status_that_nobody_knows_is_waited_out(inner: World) -> None:
    """A later version of the service has it: neither granted nor gone."""
    listed = {"permissionGroups": [{"permissionGroupId": GROUP, "membershipStatus": "PAUSED"}]}
    inner.control.add_fault("answer", operation=LOOK, status=200, body=json.dumps(listed))

    sighting = inner.read()

    assert sighting is not None
    assert (sighting.state, sighting.status) == (State.ADDING, "PAUSED")


def test_patience_ends_with_the_services_own_error(inner: World) -> None:
    """A healing that looks in vain says what the service said, and leaves time for whoever called it."""
    inner.control.add_fault("internal_error", operation=LOOK, count=None)
    request = inner.request(seconds=20)

    with pytest.raises(ServiceUnavailable):
        inner.update(inner.id(), inner.identity(), request, heal=True)

    assert request.deadline.remaining > 0


def test_a_service_that_has_ended_is_not_looked_at_for_long(inner: World) -> None:
    """Its endpoint answers nothing that the API has: an update waits for nothing."""
    inner.control.add_fault("answer", operation=LOOK, status=404, body="<html>gone</html>", count=None)
    begun = inner.clock.now()

    inner.update(inner.id(), inner.identity(), heal=True)

    assert inner.clock.now() - begun < 60


def test_no_sleep_outlasts_the_deadline(inner: World) -> None:
    """A function that sleeps on is killed without an answer."""
    begun = inner.clock.now()

    Deadline(inner.clock, 10).sleep(1000)

    assert inner.clock.now() - begun <= 10


@pytest.mark.parametrize("value", [5, ["alice"], None])
def test_what_is_no_text_is_no_name(inner: World, value: object) -> None:
    """Sent as its text, another pair would be granted."""
    found = violations(inner.services, PERMISSION_GROUP_MEMBERSHIP, {"user_id": value}, WORDS)

    assert found["user_id"].startswith("must be a string")


def test_a_loggers_own_level_lets_nothing_of_the_sdk_through() -> None:
    """Set by a configuration, it would win over that of its library: at DEBUG botocore logs credentials."""
    own = logging.getLogger("botocore.guarded")
    own.setLevel(logging.DEBUG)

    keep_sdk_quiet()

    assert own.level == logging.WARNING


def test_what_the_sdks_own_retry_does_not_find_was_revoked(inner: World) -> None:
    """Cut after the effect, and the retry finds nothing: revoked by this delete."""
    inner.grant_as_others_do()
    inner.control.add_fault("cut", operation=DISASSOCIATE, when="after")
    inner.control.add_fault("error", operation=DISASSOCIATE, error_code="ResourceNotFoundException", status=404)

    assert inner.delete() is Removal.REVOKED


def test_a_removal_that_runs_after_a_lost_answer_is_sent_once(inner: World) -> None:
    """Every answer was lost and the removal is under way: waited for, not sent again."""
    inner.grant_as_others_do()
    inner.control.configure(removal_seconds=120)
    inner.control.add_fault("cut", operation=DISASSOCIATE, when="after", count=5)

    assert inner.delete() is Removal.REVOKED
    assert inner.calls().count(DISASSOCIATE) == 5


def test_a_conflict_of_a_remembered_token_is_not_a_strangers(inner: World) -> None:
    """Rejected, and nothing is there: the token's own past was the conflict, and the next one grants."""
    inner.control.add_fault("error", operation=ASSOCIATE, error_code="ConflictException", status=409)

    assert inner.create().how is How.CREATED
    assert len({*inner.tokens(ASSOCIATE)}) == 2
