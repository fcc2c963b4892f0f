"""A create that fails before it is known what is meant: what another delivery of it granted is not forgotten."""

from __future__ import annotations

import pytest

from aws_associations.errors import AccessDenied, AssociationError, InvalidRequest
from aws_associations.host import Request
from aws_associations.identity import Identity
from aws_associations.kind import Kind
from aws_associations.kinds.directory_group_membership import KIND as DIRECTORY_GROUP_MEMBERSHIP
from tests.core.world import ACCOUNT, REGION, World, after_seconds

VALUES = {"directory_id": "d-1234567890", "group_name": "Admins", "member_name": "alice"}
MEANT = Identity.of(DIRECTORY_GROUP_MEMBERSHIP, ACCOUNT, REGION, {**VALUES, "member_realm": "corp.example.com"})


def fail(world: World, request: Request, error: AssociationError | None = None) -> AssociationError:
    """The realm is left out and cannot be asked for: what a host does then."""
    error = error or AccessDenied("directory data access is disabled")
    world.lifecycle.forget_nothing(DIRECTORY_GROUP_MEMBERSHIP, VALUES, request, error)
    return error


@pytest.mark.parametrize("announced", [True, False])
def test_a_late_delivery_answers_what_an_earlier_one_announced(inner: World, announced: bool) -> None:
    """It has had time to be shown, so nothing is waited for; if nothing was announced, nothing remains."""
    inner.host.intents = (MEANT,) if announced else ()
    request, begun = inner.request(late=True), inner.clock.now()

    error = fail(inner, request)

    assert request.may_exist == (MEANT if announced else None)
    assert error.outcome_unknown is announced
    assert inner.clock.now() == begun
    assert inner.host.notes == []


@pytest.mark.parametrize("announced", [True, False])
def test_a_young_delivery_waits_for_what_another_one_may_announce(
    inner: World, monkeypatch: pytest.MonkeyPatch, announced: bool
) -> None:
    """Two may run at once, and the failure of one is the answer to both."""
    inner.host.intents = ()
    if announced:
        after_seconds(inner, monkeypatch, 1, lambda: setattr(inner.host, "intents", (MEANT,)))
    request, begun = inner.request(), inner.clock.now()

    error = fail(inner, request)

    assert request.may_exist == (MEANT if announced else None)
    assert error.outcome_unknown is announced
    assert inner.clock.now() - begun > 5


def test_an_invalid_request_of_a_young_delivery_asks_nobody(inner: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every delivery is refused the same: it is said at once."""
    asked: list[Kind] = []
    monkeypatch.setattr(inner.host, "announced_of", asked.append)
    begun = inner.clock.now()

    assert not fail(inner, inner.request(), InvalidRequest("property MemberName is missing")).outcome_unknown

    assert asked == []
    assert inner.clock.now() == begun


def test_an_invalid_request_of_a_late_delivery_may_have_been_valid_to_an_earlier_one(inner: World) -> None:
    """The function was updated, or its patterns narrowed, in between: what was granted before is answered."""
    inner.host.intents = (MEANT,)
    request = inner.request(late=True)

    assert fail(inner, request, InvalidRequest("the group is not allowed")).outcome_unknown
    assert request.may_exist == MEANT


def test_where_the_log_cannot_be_read_a_young_failure_is_not_delayed(inner: World) -> None:
    """A role that may not read it fails at once, and nothing hints at an earlier delivery."""
    request, begun = inner.request(), inner.clock.now()

    assert not fail(inner, request).outcome_unknown

    assert inner.clock.now() == begun
    assert inner.host.notes == []


def test_where_the_log_cannot_be_read_a_late_failure_says_what_was_declared(inner: World) -> None:
    """It has no id to name, so the line has the parts that were given, and the cause."""
    request = inner.request(late=True)

    assert not fail(inner, request).outcome_unknown

    assert request.may_exist is None
    assert inner.host.warnings == ["may-remain"]
    ((_, fields),) = inner.host.notes
    assert fields["declared"] == VALUES
    assert "directory data access is disabled" in str(fields["cause"])


def test_a_log_that_cannot_be_read_any_more_is_told(inner: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was readable before the wait, so others may run: what they do now cannot be told."""
    inner.host.intents = ()
    after_seconds(inner, monkeypatch, 1, lambda: setattr(inner.host, "intents", None))

    fail(inner, inner.request())

    assert inner.host.warnings == ["may-remain"]


def test_a_line_about_what_nobody_has_checked_stays_short(inner: World) -> None:
    """A value may be as long as an event: two hundred characters of it are enough to find it."""
    long = {**VALUES, "group_name": "g" * 5000}
    error, request = AccessDenied("no"), inner.request(late=True)

    inner.lifecycle.forget_nothing(DIRECTORY_GROUP_MEMBERSHIP, long, request, error)

    assert inner.host.notes[0][1]["declared"] == {**VALUES, "group_name": "g" * 200}
