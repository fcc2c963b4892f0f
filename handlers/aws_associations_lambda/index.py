"""The function's entry point, ``aws_associations_lambda.index.handler``, and what each request does.

Which id and status each outcome answers is the table in docs/ownership.md.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aws_associations.errors import AlreadyExists, AssociationError, InvalidRequest, NotFound
from aws_associations.host import Owner, Request
from aws_associations.identity import AssociationId, Identity, is_marker, marker, parse_or_none, resembles_id
from aws_associations.kind import Kind, property_name
from aws_associations.lifecycle import Desired, Granted, How, Lifecycle, Removal
from aws_associations.service import READ_TIMEOUT, Services
from aws_associations.waiting import Deadline, SystemClock
from aws_associations_lambda import log, switches
from aws_associations_lambda.event import Event
from aws_associations_lambda.host import CloudFormationHost
from aws_associations_lambda.responder import Responder

_services = Services()
_lifecycle = Lifecycle(_services)
handler = Responder()
_DEFAULTS_SHARE = 0.1
"""The part of the time in which it is asked what a default meant that was declared before."""

# What this process granted, or may have granted, for which request: one that is delivered again because its answer was
# lost knows its work.
_begun: deque[tuple[tuple[str, str, str], Identity]] = deque(maxlen=100)


@handler.create
def create(event: Event, context: Any) -> str:
    """Grant, and answer the association's id."""
    request = _request(event, context, fallback=marker(event.logical_id))
    with _forgetting_nothing(event, request):
        desired = _desired(event, context, request, grants=True)
    with _saying_what_was_not_told(request):
        granted = _lifecycle.create(desired, request)
    return _answer(granted, event)


@handler.update
def update(event: Event, context: Any) -> str:
    """Keep, or grant another association and let CloudFormation delete the old one."""
    request = _request(event, context, fallback=event.physical_id)
    desired = _desired(event, context, request, grants=event.asks_to_heal)
    if _own(event.kind, event) != desired.identity:
        switches.check_may_grant(event.kind, desired.identity.parts())
    with _saying_what_was_not_told(request):
        granted = _lifecycle.update(
            event.physical_id,
            desired,
            request,
            heal=event.asks_to_heal,
            options_before=event.options_before(_services),
            left=_left(event, context, desired.identity, request),
        )
    return _answer(granted, event)


@handler.delete
def delete(event: Event, context: Any) -> str:
    """Revoke what the id names. Properties are not looked at: they may be of an older version of this function."""
    handler.PhysicalResourceId = event.physical_id
    if is_marker(event.physical_id):
        log.line("nothing-to-delete", id=event.physical_id, **_names(event))
        return event.physical_id
    try:
        kind = event.kind
    except InvalidRequest:
        if resembles_id(event.physical_id):
            raise  # of a kind that another version of this function serves
        # Nothing was ever granted under this id, and refusing would only make the stack undeletable.
        log.line("not-our-id", warning=True, id=event.physical_id, **_names(event))
        return event.physical_id
    if _own(kind, event) is not None:
        switches.check_served(kind)
    removal = _lifecycle.delete(kind, event.physical_id, _request(event, context, fallback=event.physical_id))
    if removal in {Removal.REVOKED, Removal.ABSENT, Removal.GRANTED_AGAIN}:
        gone = _own(kind, event)
        for begun in [begun for begun in _begun if begun[1] == gone]:
            _begun.remove(begun)
    handler.Reason = removal.value.capitalize()
    return event.physical_id


def _request(event: Event, context: Any, fallback: str) -> Request:
    """The core's view of this invocation. ``fallback`` is the id to answer if it fails and nothing of it remains."""
    remaining = float(context.get_remaining_time_in_millis()) / 1000.0
    # An attempt that begins at the last moment must have ended before the answer is due.
    last_call = min(READ_TIMEOUT, 0.2 * remaining)
    deadline = Deadline(SystemClock(), remaining - handler.answering_seconds(remaining) - last_call)

    def granted_here(identity: Identity) -> bool:
        return (_request_of(event), identity) in _begun

    age = event.age(_services.utc_now())
    host = CloudFormationHost(event, *_place(context), deadline, granted_here=granted_here, utc_now=_services.utc_now)
    request = Request(
        owner=Owner(("cloudformation", event.stack_id, event.logical_id)),
        request_id=event.request_id,
        account=_place(context)[0],
        deadline=deadline,
        host=host,
        age=age,
    )
    host.late = request.late
    handler.stop = deadline.end_now
    # No failure takes back what an earlier delivery of this request may have granted, unless it is undone.
    begun = next((_text(event, identity) for request_of, identity in _begun if request_of == _request_of(event)), "")
    handler.id_if_failed = lambda: _remains(event, request) or (fallback if request.undone else begun) or fallback
    return request


def _desired(event: Event, context: Any, request: Request, *, grants: bool) -> Desired:
    """What the properties declare, of a kind that is served; refused before any call if it must not be granted."""
    switches.check_served(event.kind)
    declared = event.declared(_services)
    own = _own(event.kind, event)
    if grants or own is None or not own.may_be(declared.values):
        switches.check_may_grant(event.kind, declared.values)
    before = (own, event.values_before) if own else None
    identity = _lifecycle.identify(
        event.kind, *_place(context), declared.values, request.deadline, before=before, host=request.host
    )
    return Desired(identity, declared.on_existing, declared.options)


@contextmanager
def _saying_what_was_not_told(request: Request) -> Iterator[None]:
    """Where nothing shows that it is ours, say what could not be asked: it might have."""
    host = request.host
    try:
        yield
    except AlreadyExists as error:
        if isinstance(host, CloudFormationHost) and host.untold:
            error.cause += "; it could not be told " + ", ".join(f"{what}: {why}" for what, why in host.untold.items())
            if request.late:
                # An earlier delivery of this request may have granted it, and nobody will revoke it.
                host.note("may-remain", {"association": error.action, "cause": error.cause}, warning=True)
        raise


@contextmanager
def _forgetting_nothing(event: Event, request: Request) -> Iterator[None]:
    """A delivery that fails before it knows what is meant answers what another one may have granted."""
    try:
        yield
    except AssociationError as error:
        _lifecycle.forget_nothing(event.kind, event.values, request, error)
        raise


def _left(event: Event, context: Any, desired: Identity, request: Request) -> Identity | None:
    """What a failed update was to grant, if this is its reverse: not the resource's own, nor what it goes back to."""
    own, values = _own(event.kind, event), event.values_before
    if any(part.default is None and part.name not in values for part in event.kind.parts):
        return None
    # A default meant what it means to the resource now, unless that has had the part given since.
    known = (desired, event.values) if own in (desired, None) else (own, values)
    try:
        before = _lifecycle.identify(
            event.kind, *_place(context), values, request.deadline.part(_DEFAULTS_SHARE), before=known
        )
    except (InvalidRequest, NotFound):
        return None  # it can never have been granted
    except AssociationError as error:
        _lifecycle.note_unnamed(values, request, f"what the last update was to grant cannot be told: {error.cause}")
        return None
    return None if before in (desired, own) else before


def _place(context: Any) -> tuple[str, str]:
    """Account and region, from the function's own ARN."""
    fields = str(context.invoked_function_arn).split(":")
    if len(fields) < 7:
        raise InvalidRequest("the context of the invocation names no function")
    return fields[4], fields[3]


def _remains(event: Event, request: Request) -> str:
    """The id of what may have been granted although the request failed, so that a rollback revokes it."""
    identity = request.may_exist
    if identity is None:
        return ""
    _begun.append((_request_of(event), identity))
    return _text(event, identity)


def _text(event: Event, identity: Identity) -> str:
    # The resource's own id as it is, its flag and spelling included: another text would be a replacement.
    return event.physical_id if _own(identity.kind, event) == identity else AssociationId(identity).text


def _own(kind: Kind, event: Event) -> Identity | None:
    """The identity that the resource has so far; None if its id is none of this kind."""
    known = parse_or_none(kind, event.physical_id)
    return known.identity if known else None


def _request_of(event: Event) -> tuple[str, str, str]:
    """What is the same in every delivery of one request, and of no other."""
    return (event.stack_id, event.logical_id, event.request_id)


def _names(event: Event) -> dict[str, Any]:
    return {"stack": event.stack_id, "logical_id": event.logical_id, "request": event.request_id}


def _answer(granted: Granted, event: Event) -> str:
    """Fill in what GetAtt serves. The same members always: a missing one would fail whoever refers to it."""
    identity = granted.id.identity
    kind = identity.kind
    if granted.how is How.CREATED:
        _begun.append((_request_of(event), identity))
    handler.Data = {
        **{part.property_name: identity[part.name] for part in kind.parts},
        **({property_name(kind.status_name, None): granted.status} if kind.look.status else {}),
        "StatusCode": "" if granted.status_code is None else str(granted.status_code),
    }
    handler.Reason = granted.how.value.capitalize()
    return granted.id.text
