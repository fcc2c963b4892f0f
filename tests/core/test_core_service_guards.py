"""The guards of a call, of its translation and of what is asked, one by one."""

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
    InternalFailure,
    NotFound,
    ServiceUnavailable,
)
from aws_associations.kind import State
from aws_associations.kinds.directory_group_membership import KIND as DIRECTORY_GROUP_MEMBERSHIP
from aws_associations.kinds.finspace_permission_group_membership import KIND as PERMISSION_GROUP_MEMBERSHIP
from aws_associations.properties import violations
from aws_associations.service import keep_sdk_quiet
from aws_associations.translation import from_botocore
from aws_associations.waiting import Deadline
from tests.core.test_core_creation_guards import DIRECTORY, Directory
from tests.core.world import ASSOCIATE, EXCHANGE, GROUP, LOOK, World

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


def test_a_refusal_after_a_failure_with_400_is_unknown(inner: World) -> None:
    """The first attempt failed after its effect with a 400, the second is denied: the first may have granted it."""
    directory = Directory(inner)
    directory.control.add_fault(
        "error",
        service="ds-data",
        operation="AddGroupMember",
        error_code="DirectoryUnavailableException",
        members={"Reason": "DIRECTORY_TIMEOUT"},
    )
    directory.control.add_fault(
        "answer", service="ds-data", operation="AddGroupMember", status=403, error_code="AccessDeniedException", count=9
    )

    with pytest.raises(AccessDenied) as caught:
        directory.create(inner.request())

    assert caught.value.outcome_unknown


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


def test_a_denied_look_is_not_repeated(inner: World) -> None:
    """What no waiting mends ends a healing at once."""
    inner.control.add_fault(
        "answer", operation=LOOK, status=403, error_code="AccessDeniedException", body="{}", count=None
    )

    with pytest.raises(AccessDenied):
        inner.update(inner.id(), inner.identity(), heal=True)

    assert inner.calls() == [LOOK]


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


@pytest.mark.parametrize("case", ["cut", "empty"])
def test_a_default_that_is_not_told_leaves_nothing_and_is_no_guess(inner: World, case: str) -> None:
    """A question writes nothing, and an answer without the value is no part of an id."""
    directory = Directory(inner)
    (asked,) = [part.default for part in DIRECTORY_GROUP_MEMBERSHIP.parts if part.default is not None]
    operation = getattr(asked, "operation", "")
    if case == "cut":
        directory.control.add_fault("cut", service="ds-data", operation=operation, count=None)
    else:
        directory.control.add_fault("answer", service="ds-data", operation=operation, status=200, body="{}", count=9)
    values = {"directory_id": DIRECTORY, "group_name": "Admins", "member_name": "alice"}

    with pytest.raises(InternalFailure if case == "empty" else ServiceUnavailable) as caught:
        inner.lifecycle.identify(
            DIRECTORY_GROUP_MEMBERSHIP, "123456789012", "us-east-1", values, Deadline(inner.clock, 60)
        )

    assert not caught.value.outcome_unknown


@pytest.mark.parametrize("value", [5, ["alice"], None])
def test_what_is_no_text_is_no_name(inner: World, value: object) -> None:
    """Sent as its text, another pair would be granted."""
    found = violations(inner.services, PERMISSION_GROUP_MEMBERSHIP, {"user_id": value})

    assert found["user_id"].startswith("must be a string")


def test_a_loggers_own_level_lets_nothing_of_the_sdk_through() -> None:
    """Set by a configuration, it would win over that of its library: at DEBUG botocore logs credentials."""
    own = logging.getLogger("botocore.guarded")
    own.setLevel(logging.DEBUG)

    keep_sdk_quiet()

    assert own.level == logging.WARNING


def test_a_directory_that_was_stopped_meanwhile_did_nothing(inner: World) -> None:
    """It answered the look and refuses the write, for a reason that it declares as a refusal: definite."""
    directory = Directory(inner)
    directory.control.add_fault(
        "error",
        service="ds-data",
        operation="AddGroupMember",
        error_code="DirectoryUnavailableException",
        members={"Reason": "INVALID_DIRECTORY_STATE"},
        count=None,
    )

    with pytest.raises(AssociationError, match="INVALID_DIRECTORY_STATE") as caught:
        directory.create(inner.request())

    assert not caught.value.outcome_unknown
