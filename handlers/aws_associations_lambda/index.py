"""The function's entry point, ``aws_associations_lambda.index.handler``, and what each request does."""

from __future__ import annotations

import functools
import os
from typing import Any

from aws_associations.dynamodb import DynamoDBLedger
from aws_associations.errors import AssociationError, InvalidRequest, LedgerUnavailable
from aws_associations.host import Request
from aws_associations.identity import Identity, parse_or_none, resembles_id
from aws_associations.kind import Kind, property_name
from aws_associations.lifecycle import Desired, Granted, Lifecycle
from aws_associations.records import Owner
from aws_associations.service import READ_TIMEOUT, Services
from aws_associations.waiting import Deadline, SystemClock
from aws_associations_lambda import log, switches
from aws_associations_lambda.event import Event
from aws_associations_lambda.responder import Responder
from aws_associations_lambda.stack import CloudFormationHost, moment_of

LEDGER_TABLE = "LEDGER_TABLE"
"""The environment variable that names the ledger's table."""

_services = Services()
handler = Responder()


@functools.cache
def _lifecycle(region: str) -> Lifecycle:
    """Made for the first request, so that a function without its table answers with what is missing."""
    table = os.environ.get(LEDGER_TABLE, "")
    if not table:
        raise LedgerUnavailable(
            f"the function's environment variable {LEDGER_TABLE} names no table",
            advice="Deploy the function with its own template, or set the variable to the table's name.",
        )
    return Lifecycle(_services, DynamoDBLedger(_services, table, region))


@handler.create
def create(event: Event, context: Any) -> str:
    """Grant, and answer the association's id."""
    request = _request(event, context)
    granted = _recorded_or_declared(event, context, request, grants=True)
    if isinstance(granted, Desired):
        granted = _lifecycle(_place(context)[1]).create(granted, request)
    return _answer(granted)


@handler.update
def update(event: Event, context: Any) -> str:
    """Keep, or grant another association and let CloudFormation delete the old one."""
    request = _request(event, context)
    granted = _recorded_or_declared(event, context, request, grants=event.asks_to_heal)
    if isinstance(granted, Desired):
        if _own(event.kind, event) != granted.identity:
            switches.check_may_grant(event.kind, granted.identity.parts())
        granted = _lifecycle(_place(context)[1]).update(
            granted, request, heal=event.asks_to_heal, options_before=event.options_before(_services)
        )
    return _answer(granted)


@handler.delete
def delete(event: Event, context: Any) -> str:
    """Revoke what the id names. Properties are not looked at: they may be of an older version of this function."""
    try:
        kind = event.kind
    except InvalidRequest:
        if resembles_id(event.physical_id):
            raise  # of a kind that another version of this function serves
        # Nothing was ever granted under this id, and refusing would only make the stack undeletable.
        log.line("not-our-id", id=event.physical_id, **_names(event))
        return event.physical_id
    if _own(kind, event) is not None:
        switches.check_served(kind)
    removal = _lifecycle(_place(context)[1]).delete(kind, _request(event, context))
    handler.Reason = removal.value.capitalize()
    return event.physical_id


def _request(event: Event, context: Any) -> Request:
    """The core's view of this invocation."""
    remaining = float(context.get_remaining_time_in_millis()) / 1000.0
    # An attempt that begins at the last moment must have ended before the answer is due.
    last_call = min(READ_TIMEOUT, 0.2 * remaining)
    deadline = Deadline(SystemClock(), remaining - handler.answering_seconds(remaining) - last_call)
    handler.stop = deadline.end_now
    account, region = _place(context)
    now = _services.utc_now()
    return Request(
        owner=Owner("cloudformation", (event.stack_id,), (event.logical_id,)),
        request_id=event.request_id,
        account=account,
        deadline=deadline,
        host=CloudFormationHost(event, account, region, now),
        signed=moment_of(event, now),
        physical_id=event.physical_id,
    )


def _recorded_or_declared(event: Event, context: Any, request: Request, *, grants: bool) -> Granted | Desired:
    """What the properties declare, refused before any call if it must not be granted.

    A delivery that cannot tell any more what was meant repeats what an earlier one answered.
    """
    try:
        return _desired(event, context, request, grants=grants)
    except AssociationError:
        recorded = _lifecycle(_place(context)[1]).recorded(event.kind, request)
        if recorded is None:
            raise
        return recorded


def _desired(event: Event, context: Any, request: Request, *, grants: bool) -> Desired:
    switches.check_served(event.kind)
    declared = event.declared(_services)
    own = _own(event.kind, event)
    if grants or own is None or not own.may_be(declared.values):
        switches.check_may_grant(event.kind, declared.values)
    before = (own, event.values_before) if own else None
    account, region = _place(context)
    identity = _lifecycle(region).identify(
        event.kind, account, region, declared.values, request.deadline, request.host, before=before
    )
    return Desired(identity, declared.on_existing, declared.options)


def _place(context: Any) -> tuple[str, str]:
    """Account and region, from the function's own ARN."""
    fields = str(context.invoked_function_arn).split(":")
    if len(fields) < 7:
        raise InvalidRequest("the context of the invocation names no function")
    return fields[4], fields[3]


def _own(kind: Kind, event: Event) -> Identity | None:
    """The identity that the resource has so far; None if its id is none of this kind."""
    known = parse_or_none(kind, event.physical_id)
    return known.identity if known else None


def _names(event: Event) -> dict[str, Any]:
    return {"stack": event.stack_id, "logical_id": event.logical_id, "request": event.request_id}


def _answer(granted: Granted) -> str:
    """Fill in what GetAtt serves. The same members always: a missing one would fail whoever refers to it."""
    identity = granted.id.identity
    kind = identity.kind
    handler.Data = {
        **{part.property_name: identity[part.name] for part in kind.parts},
        **({property_name(kind.status_name, None): granted.status} if kind.look.status else {}),
        "StatusCode": "" if granted.status_code is None else str(granted.status_code),
    }
    handler.Reason = granted.how.value.capitalize()
    return granted.id.text
