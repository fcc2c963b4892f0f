"""One attempt: in the journal when it arrives, answered, met by its fault, whoever makes the answer."""

import socket
import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ConnectionClosedError

from .answer import Answer, on_demand
from .emulation import EmulatedService, emulation, wake
from .faults import Fault
from .journal import JournalEntry
from .wire import Call, Signature


def attend(
    service: EmulatedService[Any],
    request: Any,
    call: Call,
    produce: Callable[[JournalEntry], Answer],
    **described: Any,
) -> Answer:
    """Journal a call, answer it by ``produce``, and play the fault that it meets. Faults wait outside the lock.

    ``described``: fields of the journal entry that the service knows better.
    """
    wake()
    with emulation.lock:
        entry = emulation.journal.open(service.entry_type, **(_describe(service, request, call) | described))
        fault = emulation.faults.take(service.name, call.operation_name)
    answer: Answer | None = None
    try:
        if fault is not None:
            entry.fault = fault.label
        if fault is not None and fault.when == "before":
            answer = _play(fault, service, request)
        if answer is None:
            answer = produce(entry)
            if fault is not None and fault.when == "after":
                # Not the answer that was made, should the connection be cut.
                made, answer = answer, None
                answer = _play(fault, service, request) or made
    finally:
        with emulation.lock:
            if answer is not None:
                entry.status, entry.error_code = answer.status, answer.error_code
            entry.finished = True
    return answer


def _describe(service: EmulatedService[Any], request: Any, call: Call) -> dict[str, Any]:
    parameters = dict(call.parameters)
    signature = Signature.read(request.headers)
    return {
        "time": emulation.clock.now(),
        "service": service.name,
        "operation": call.operation_name,
        "client_token": parameters.pop(call.token_member, None) if call.token_member else None,
        "parameters": parameters,
        "caller": "unsigned" if signature is None else "iam",
        "access_key_id": signature.access_key_id if signature else None,
        "region": signature.region if signature else None,
    }


def _play(fault: Fault, service: EmulatedService[Any], request: Any) -> Answer | None:
    """Let a fault strike. Returns the answer to give; None: the usual one."""
    time.sleep(fault.seconds)
    if fault.kind == "cut":
        _cut(request)
    if fault.kind == "answer":
        headers = {"Content-Type": fault.content_type}
        if fault.error_code is not None:
            headers["x-amzn-ErrorType"] = fault.error_code
        return Answer(fault.status or 500, fault.body, fault.error_code, headers)
    codes = {"throttled": service.throttled, "internal_error": service.internal_error, "error": fault.error_code}
    error_code = codes.get(fault.kind)
    if error_code is None:
        return None
    status = 500 if fault.kind == "internal_error" else fault.status
    return Answer.of_error(
        service.model, error_code, on_demand(service.model, error_code, fault.members), status=status
    )


def _cut(request: Any) -> None:
    """End the connection without an answer."""
    if not request.from_wsgi_server:
        # moto runs inside botocore's "before-send" event: botocore treats what is raised here as its own.
        raise ConnectionClosedError(endpoint_url=request.url_root.rstrip("/"))
    connection: socket.socket | None = request.environ.get("werkzeug.socket")
    if connection is not None:
        connection.shutdown(socket.SHUT_RDWR)
    # werkzeug takes this for a client that went away, and writes nothing.
    raise ConnectionAbortedError("cut on demand")
