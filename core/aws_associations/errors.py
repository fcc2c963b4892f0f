"""Every failure a host can meet, in the words of CloudFormation's handler error codes.

One class a code, so that a host can tell them apart by type. Errors of botocore become these in ``translation.py``.
"""

from __future__ import annotations

import enum
from typing import ClassVar


class Passing(enum.Enum):
    """Why a failure may pass by itself: what is waited for."""

    OUTAGE = "the service is throttled or does not answer"
    BUSY = "the service is busy with another change"
    PARTY = "a resource that was created a moment ago is not visible yet"
    PERMISSION = "a permission that was given a moment ago is not in effect yet"


class AssociationError(Exception):
    """A lifecycle operation failed.

    ``str(error)`` is the whole message for a user: what was being done to which association, the cause, and what to do.
    It never holds a credential, a token or a URL.

    Attributes:
        code: the CloudFormation handler error code, for example ``AlreadyExists``.
        cause: what went wrong, one sentence without a full stop.
        advice: what to do next, one or more sentences; may be empty. Until ``action`` is set it names in braces what
            hosts call otherwise (see ``vocabulary.py``).
        outcome_unknown: True if a write was sent and nobody can say whether it took effect. False means that nothing
            of this operation remains.
        gone: the endpoint cannot be reached at all, or answers nothing that the API published.
        lost: an attempt was not answered, so that it may still arrive.
        passing: why it may pass by itself; None: it does not.
    """

    code: ClassVar[str] = "InternalFailure"
    default_advice: ClassVar[str] = (
        "Report this with the log lines of the operation; it is a defect of aws-associations."
    )

    def __init__(self, cause: str, *, advice: str | None = None, outcome_unknown: bool = False) -> None:
        super().__init__(cause)
        self.cause = cause.rstrip(". \n")
        self.advice = self.default_advice if advice is None else advice
        self.outcome_unknown = outcome_unknown
        self.gone = False
        self.lost = False
        self.passing: Passing | None = None
        self.action = ""

    def __str__(self) -> str:
        """The whole message on one line, for example ``creating X: AlreadyExists: cause. Advice.`` in that order."""
        text = f"{self.code}: {self.cause}."
        if self.action:
            text = f"{self.action}: {text}"
        if self.outcome_unknown:
            text += " Whether it took effect is not known."
        return f"{text} {self.advice}".rstrip()


class InvalidRequest(AssociationError):
    """A property or an id is malformed, or the service refused the values."""

    code = "InvalidRequest"
    default_advice = "Correct what this message names, then {again}."


class NotFound(AssociationError):
    """A party of the association does not exist."""

    code = "NotFound"
    default_advice = "Create the missing party first, or correct its name, then {again}."


class AlreadyExists(AssociationError):
    """The association is present and nothing shows that it is ours."""

    code = "AlreadyExists"
    default_advice = (
        "To let this resource own it, declare {adopt}. To leave it to its owner, remove this resource. To grant it"
        " anew, revoke it first, then {again}."
    )


class ResourceConflict(AssociationError):
    """The service refuses the change in the present state."""

    code = "ResourceConflict"
    default_advice = "Wait until other changes to the same parties have ended, then {again}."


class AccessDenied(AssociationError):
    """The caller may not do this, or has no credentials."""

    code = "AccessDenied"
    default_advice = "Give the caller the permission that the message names, then {again}."


class Throttling(AssociationError):
    """The service asked to slow down, and kept asking through all retries."""

    code = "Throttling"
    default_advice = "Wait a minute, then {again}; if it recurs, change fewer associations at once."


class NotStabilized(AssociationError):
    """The service did not reach the wanted state before the deadline."""

    code = "NotStabilized"
    default_advice = "If the service is only slow, {more_time}. Then {again}."


class GaveUp(NotStabilized):
    """The service itself ended the change as failed: more time changes nothing."""

    default_advice = "Mend what the service says; more time does not help. Then {again}."


class ServiceUnavailable(AssociationError):
    """The service failed, could not be reached, or has ended."""

    code = "ServiceUnavailable"
    default_advice = "Wait until the service answers, then {again}."


class LedgerUnavailable(ServiceUnavailable):
    """The ledger did not answer, so nobody knows whether what was to be recorded is recorded."""

    default_advice = "Wait until the ledger answers, then {again}: what was begun is settled then."


class InternalFailure(AssociationError):
    """A defect of this software, or an answer that the published API does not have."""


class Superseded(AssociationError):
    """The host no longer waits for this operation, so it must not write any more."""

    code = "ResourceConflict"
    default_advice = "Nothing needs to be done: the deployment has moved on."


class CannotAsk(AssociationError):
    """Nobody who could answer a question may be asked: no permission, or another account."""

    code = "AccessDenied"
    default_advice = "Give the caller the permission that the message names, then {again}."


class LeaseLost(AssociationError):
    """Another delivery works on the association, so what was decided here counts no more."""

    code = "ResourceConflict"
    default_advice = "Wait until that one has ended, then {again}."


INTERRUPTED = (LeaseLost, LedgerUnavailable, Superseded)
"""The work ends here: what was decided counts no more, and nothing more is recorded."""


class DeadlinePassed(Exception):
    """The host's time is over; raised instead of sending one more request."""
