"""The function's entry point, ``aws_associations_lambda.index.handler``, and what each request does.

Which id and status each outcome answers is the table in docs/ownership.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aws_associations.errors import AssociationError, InvalidRequest
from aws_associations.host import Owner, Request, UnknowingHost
from aws_associations.identity import AssociationId, is_marker, marker
from aws_associations.lifecycle import Granted, Lifecycle
from aws_associations.service import READ_TIMEOUT, Services
from aws_associations.waiting import Deadline, SystemClock
from aws_associations_lambda import log
from aws_associations_lambda.event import Event
from aws_associations_lambda.responder import Responder

_services = Services()
_lifecycle = Lifecycle(_services)
handler = Responder()


class _Host(UnknowingHost):
    """What this function knows of its stack, and where its notes go."""

    def __init__(self, event: Event) -> None:
        self._event = event

    def note(self, event: str, fields: Mapping[str, object], *, warning: bool = False) -> None:
        """Write a log line."""
        names = {"stack": self._event.stack_id, "logical_id": self._event.logical_id, "request": self._event.request_id}
        log.line(event, warning=warning, **{**names, **fields})


@handler.create
def create(event: Event, context: Any) -> str:
    """Grant, and answer the association's id."""
    request = _request(event, context, fallback=marker(event.logical_id))
    try:
        granted = _lifecycle.create(event.desired(_services, *_place(context)), request)
    except AssociationError as error:
        handler.PhysicalResourceId = _remains(error, request) or marker(event.logical_id)
        raise
    return _answer(granted)


@handler.update
def update(event: Event, context: Any) -> str:
    """Keep, or grant another association and let CloudFormation delete the old one."""
    request = _request(event, context, fallback=event.physical_id)
    try:
        desired = event.desired(_services, *_place(context))
        granted = _lifecycle.update(event.physical_id, desired, request, heal=event.asks_to_heal)
    except AssociationError as error:
        handler.PhysicalResourceId = _remains(error, request) or event.physical_id
        raise
    return _answer(granted)


@handler.delete
def delete(event: Event, context: Any) -> str:
    """Revoke what the id names. Properties are not looked at: they may be of an older version of this function."""
    handler.PhysicalResourceId = event.physical_id
    if is_marker(event.physical_id):
        log.line("nothing-to-delete", id=event.physical_id, logical_id=event.logical_id)
    else:
        removal = _lifecycle.delete(event.kind, event.physical_id, _request(event, context, fallback=event.physical_id))
        handler.Reason = removal.value.capitalize()
    return event.physical_id


def _request(event: Event, context: Any, fallback: str) -> Request:
    """The core's view of this invocation. ``fallback`` is the id to answer if it is cut short before any write."""
    remaining = float(context.get_remaining_time_in_millis()) / 1000.0
    # An attempt that begins at the last moment must have ended before the answer is due.
    last_call = min(READ_TIMEOUT, 0.2 * remaining)
    deadline = Deadline(SystemClock(), remaining - handler.answering_seconds(remaining) - last_call)
    request = Request(
        owner=Owner(("cloudformation", event.stack_id, event.logical_id)),
        request_id=event.request_id,
        account=_place(context)[0],
        deadline=deadline,
        host=_Host(event),
    )
    handler.stop = deadline.end_now
    handler.id_if_cut_short = lambda: AssociationId(request.may_exist).text if request.may_exist else fallback
    return request


def _place(context: Any) -> tuple[str, str]:
    """Account and region, from the function's own ARN."""
    fields = str(context.invoked_function_arn).split(":")
    if len(fields) < 7:
        raise InvalidRequest("the context of the invocation names no function")
    return fields[4], fields[3]


def _remains(error: AssociationError, request: Request) -> str:
    """The id of what may have been granted although the request failed, so that a rollback revokes it."""
    if error.outcome_unknown and request.may_exist is not None:
        return AssociationId(request.may_exist).text
    return ""


def _answer(granted: Granted) -> str:
    """Fill in what GetAtt serves. The same members always: a missing one would fail whoever refers to it."""
    identity = granted.id.identity
    handler.Data = {
        **{part.property_name: identity[part.name] for part in identity.kind.parts},
        "MembershipStatus": granted.status,
        "StatusCode": "" if granted.status_code is None else str(granted.status_code),
    }
    handler.Reason = granted.how.value.capitalize()
    return granted.id.text
