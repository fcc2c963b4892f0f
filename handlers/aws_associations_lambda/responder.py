"""crhelper, hardened in one subclass: exactly one valid answer for every request, and nothing kept between requests.

crhelper 2.0.12 is pinned because the methods overridden here are private. What each override cures was measured;
docs/decisions/0002-crhelper.md lists it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from crhelper import CfnResource

from aws_associations.errors import (
    AlreadyExists,
    AssociationError,
    InvalidRequest,
    LedgerUnavailable,
    NotFound,
    NotStabilized,
    ResourceConflict,
    Superseded,
)
from aws_associations.identity import marker
from aws_associations_lambda import log
from aws_associations_lambda.answer import FAILED, SUCCESS, body
from aws_associations_lambda.event import Event, MalformedEventError, read
from aws_associations_lambda.transport import NotDeliveredError, put
from aws_associations_lambda.words import DOING, WORDS

_LONGEST_DELIVERY = 30.0

_OF_USERS = (InvalidRequest, NotFound, AlreadyExists, ResourceConflict, Superseded)
"""Errors that whoever deploys a stack can mend, and an operator of the function cannot."""


class AnswerNotDeliveredError(Exception):
    """Fails the invocation on purpose, so that Lambda delivers the same event again and it can still be answered."""


class Responder(CfnResource):
    """One answer for every request of CloudFormation.

    Register the three handlers with ``create``, ``update`` and ``delete``; each is called with the :class:`Event` and
    Lambda's context and returns the physical id. They set ``Data`` (strings) and ``stop``, by which the guard's thread
    ends their work. A failed Create answers the marker, a failed Update or Delete the id that the resource has.
    """

    @property
    def _sam_local(self) -> str:
        """crhelper builds clients for lambda, events and logs unless it believes that it runs in SAM.

        They serve polling only, which is not used, and cost up to 100 ms of every cold start (measured).
        """
        return "no clients"

    @_sam_local.setter
    def _sam_local(self, value: str | None) -> None:
        """crhelper sets it from the environment."""

    def __init__(self) -> None:
        """Ready for the first event; makes no client and no call."""
        super().__init__(json_logging=False, log_level="INFO", boto_level="WARNING", sleep_on_delete=0)
        self._lock = threading.Lock()
        self._forget()

    def _forget(self) -> None:
        """Nothing of the previous request may reach this one."""
        self._answered = False
        self._undelivered: str | None = None
        self._request: Event | None = None
        self._response_url = ""
        self.Status, self.Reason, self.PhysicalResourceId = SUCCESS, "", ""
        self.Data: dict[str, str] = {}
        self.stop: Callable[[], None] = lambda: None

    # -- one request ------------------------------------------------------------------------------------------------

    def __call__(self, event: object, context: Any) -> None:
        """Serve one event.

        Raises:
            AnswerNotDeliveredError: the answer is ready and nobody takes it.
        """
        self._forget()
        log.keep_libraries_quiet()
        try:
            request = read(event, str(getattr(context, "invoked_function_arn", "")))
        except MalformedEventError as refusal:
            log.line("refused-event", warning=True, cause=str(refusal))
            return
        self._request, self._context = request, context
        self._response_url = request.response_url
        if request.request_type not in {"Create", "Update", "Delete"}:
            self._send(FAILED, f"InvalidRequest: the request type {request.request_type!r} is not known.")
        else:
            # Only what crhelper needs: members of its own (CrHelperPoll, say) in a forged event would steer it.
            try:
                super().__call__(
                    {
                        "RequestType": request.request_type,
                        "ResponseURL": request.response_url,
                        "StackId": request.stack_id,
                        "RequestId": request.request_id,
                        "LogicalResourceId": request.logical_id,
                    },
                    context,
                )
            finally:
                # The guard may be answering: Lambda stops every thread when this returns, until the next request.
                if self._timer is not None and self._timer.is_alive():
                    self._timer.cancel()
                    self._timer.join()
        if self._undelivered is not None:
            raise AnswerNotDeliveredError(self._undelivered)

    def _log_setup(self, _event: object, _context: object) -> None:
        """crhelper sets the root logger to its level here, for every library."""

    def _wrap_function(self, func: Callable[[Event, Any], str]) -> None:
        """Run a handler; whatever it raises, SystemExit too, becomes an answer."""
        assert self._request is not None
        try:
            self.PhysicalResourceId = func(self._request, self._context)
        except BaseException as error:  # noqa: BLE001 - an unanswered request blocks a stack for an hour
            if isinstance(error, AssociationError) and not error.action:
                self._tell(error)
            if isinstance(error, LedgerUnavailable) and self._request.is_young(time.time()):
                self._let_deliver_again(str(error))
                return
            self.Status = FAILED
            self.Reason = str(error) if isinstance(error, AssociationError) else _defect(error)
            # A mistake of whoever deploys is in the stack's events; what a Delete leaves may be in nobody's.
            warning = not isinstance(error, _OF_USERS) or self._request.request_type == "Delete"
            log.line("failed", warning=warning, error=type(error).__name__, reason=self.Reason, **self._names())

    def _tell(self, error: AssociationError) -> None:
        """Say in an error what was being done, where the core has not."""
        assert self._request is not None
        request = self._request
        what = f"{request.resource_type} {request.logical_id}"
        WORDS.tell(error, DOING[request.request_type], what, request.kind_if_served)

    def _let_deliver_again(self, cause: str) -> None:
        """Answer nothing: Lambda delivers the request again after one and two minutes."""
        with self._lock:
            if not self._answered:
                self._answered, self._undelivered = True, cause
                log.line("tried-again-later", warning=True, cause=cause, **self._names())

    # -- the deadline guard -----------------------------------------------------------------------------------------

    def _set_timeout(self) -> None:
        """Answer while there is still time to, even if the work is stuck."""
        seconds = self._remaining() - self.answering_seconds(self._remaining())
        self._timer = threading.Timer(max(0.05, seconds), self._timeout)
        self._timer.daemon = True
        self._timer.start()

    @staticmethod
    def answering_seconds(remaining: float) -> float:
        """How much of an invocation's time is kept for delivering its answer."""
        return min(12.0, 0.3 * remaining)

    def _timeout(self) -> None:
        self.stop()
        error = NotStabilized("the function's time is over, and the service has not answered", outcome_unknown=True)
        self._tell(error)
        self._send(FAILED, str(error))

    def _remaining(self) -> float:
        return float(self._context.get_remaining_time_in_millis()) / 1000.0

    # -- the answer -------------------------------------------------------------------------------------------------

    def generate_physical_id(self, event: Mapping[str, object]) -> str:
        """The id where no handler named one: the resource's own; of what was never created, one that Delete knows."""
        assert self._request is not None
        return self._request.physical_id or marker(self._request.logical_id)

    def _send(self, status: str | None = None, reason: str = "", _send_response: object = None) -> None:
        """Answer, once. Everything that crhelper says goes through here."""
        request = self._request
        assert request is not None
        with self._lock:
            if self._answered:
                return
            self._answered = True
            status = status or self.Status
            reason = reason or self.Reason
            physical_id = self.PhysicalResourceId if status == SUCCESS else ""
            physical_id = physical_id or self.generate_physical_id({})
            answer = body(request, status, physical_id, reason, self.Data)
        try:
            attempts = put(self._response_url, answer, min(_LONGEST_DELIVERY, self._remaining() - 1.0))
        except NotDeliveredError as error:
            told = {"status": status, "id": physical_id, "cause": str(error)}
            log.line("answer-not-delivered", warning=True, **told, **self._names())
            if not error.refused:
                self._undelivered = f"the answer could not be delivered: {error}"
            return
        log.line("answered", status=status, id=physical_id, attempts=attempts, **self._names())

    def _names(self) -> dict[str, Any]:
        assert self._request is not None
        request = self._request
        return {
            "request_type": request.request_type,
            "stack": request.stack_id,
            "logical_id": request.logical_id,
            "request": request.request_id,
        }


def _defect(error: BaseException) -> str:
    # Not its text alone: that of SystemExit(1) is "1". Nor any more than its text: a traceback shows values.
    return f"InternalFailure: the function ended with {type(error).__name__}: {error}"
