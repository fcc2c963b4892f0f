"""Every failure a host can meet, in the words of CloudFormation's handler error codes.

One class a code, so that a host can tell them apart by type. Errors of botocore become these in one place,
:func:`from_botocore`, with the original kept as ``__cause__``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import ClassVar


class AssociationError(Exception):
    """A lifecycle operation failed.

    ``str(error)`` is the whole message for a user: what was being done to which association, the cause, and what to do.
    It never holds a credential, a token or a URL.

    Attributes:
        code: the CloudFormation handler error code, for example ``AlreadyExists``.
        cause: what went wrong, one sentence without a full stop.
        advice: what to do next, one or more sentences; may be empty.
        outcome_unknown: True if a write was sent and nobody can say whether it took effect. False means that nothing
            of this operation remains.
        gone: the endpoint cannot be reached at all, or answers nothing that the API published.
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
    default_advice = "Correct the value and deploy again."


class NotFound(AssociationError):
    """A party of the association does not exist."""

    code = "NotFound"
    default_advice = "Create the missing party first, or correct its id."


class AlreadyExists(AssociationError):
    """The association is present and nothing shows that it is ours."""

    code = "AlreadyExists"
    default_advice = ""


class ResourceConflict(AssociationError):
    """The service refuses the change in the present state."""

    code = "ResourceConflict"
    default_advice = "Wait until other changes to the same parties have ended, then deploy again."


class AccessDenied(AssociationError):
    """The caller may not do this, or has no credentials."""

    code = "AccessDenied"
    default_advice = "Give the caller the permission that the message names, then deploy again."


class Throttling(AssociationError):
    """The service asked to slow down, and kept asking through all retries."""

    code = "Throttling"
    default_advice = "Deploy again; if it recurs, change fewer associations at once."


class NotStabilized(AssociationError):
    """The service did not reach the wanted state before the deadline."""

    code = "NotStabilized"
    default_advice = "Deploy again, with a longer timeout if the service is slow."


class ServiceUnavailable(AssociationError):
    """The service failed, could not be reached, or has ended."""

    code = "ServiceUnavailable"
    default_advice = "Deploy again when the service answers."


class InternalFailure(AssociationError):
    """A defect of this software, or an answer that the published API does not have."""


class Superseded(AssociationError):
    """The host no longer waits for this operation, so it must not write any more."""

    code = "ResourceConflict"
    default_advice = "Nothing needs to be done: the deployment has moved on."


class DeadlinePassed(Exception):
    """The host's time is over; raised instead of sending one more request."""


_COMMON_ERRORS: Mapping[str, type[AssociationError]] = {
    # Answered by AWS in front of every service (documented: "Common Error Types").
    "AccessDenied": AccessDenied,
    "AccessDeniedException": AccessDenied,
    "ExpiredToken": AccessDenied,
    "ExpiredTokenException": AccessDenied,
    "IncompleteSignature": AccessDenied,
    "InternalFailure": ServiceUnavailable,
    "InvalidClientTokenId": AccessDenied,
    "InvalidSignatureException": AccessDenied,
    "MissingAuthenticationToken": AccessDenied,
    "MissingAuthenticationTokenException": AccessDenied,
    "NotAuthorized": AccessDenied,
    "OptInRequired": AccessDenied,
    "RequestExpired": AccessDenied,
    "ServiceUnavailable": ServiceUnavailable,
    "SignatureDoesNotMatch": AccessDenied,
    "Throttling": Throttling,
    "ThrottlingException": Throttling,
    "UnrecognizedClientException": AccessDenied,
    "ValidationError": InvalidRequest,
}


_QUOTING_ERRORS = frozenset({"IncompleteSignature", "InvalidSignatureException", "SignatureDoesNotMatch"})
"""Errors whose message quotes the request that was signed, its session token included (observed on AWS)."""


def from_botocore(
    error: Exception,
    operation: str,
    *,
    meanings: Mapping[str, type[AssociationError]],
    advice: Mapping[type[AssociationError], str],
    sent: int,
    ended: str | None = None,
    operations: Collection[str] = (),
    host: str = "",
) -> AssociationError:
    """Translate what a botocore call raised.

    Args:
        error: what botocore raised.
        operation: the API operation that was called.
        meanings: the service's error codes, as its API reference names them, and the class that each means.
        advice: what to do next where the service needs a word of its own.
        sent: how many times the request left this process. Zero makes every error a definite one; more than one makes
            even a rejection an unknown outcome, because an earlier attempt may have taken effect (measured: botocore
            retries a cut connection by itself and then reports the rejection of the retry).
        ended: what to say of a service that has ended, when its endpoint is gone or answers nothing published.
        operations: the service's own; what another one answers, in the caller's chain of credentials say, tells nothing
            of the service.
        host: where the last attempt was sent to; another endpoint that cannot be reached is not the service's.

    Returns:
        The error, its ``outcome_unknown`` set as if the request were a write.
    """
    # Imported here: a program that only declares associations never loads botocore.
    from botocore import exceptions as boto
    from botocore.parsers import ResponseParserError

    failure: type[AssociationError]
    gone = False
    words: str | None = None
    if isinstance(error, boto.ClientError):
        code, status, cause = _service_answer(error, operation)
        published = meanings.get(code) or _COMMON_ERRORS.get(code)
        failure = published or _by_status(status)
        unknown = sent > 1 or status >= 500
        if published is None:
            cause = f"{cause} (HTTP {status}, an error that the published API does not have)"
            if ended is not None and getattr(error, "operation_name", operation) in operations:
                failure, gone = ServiceUnavailable, True
    elif isinstance(error, DeadlinePassed):
        failure, cause, unknown = NotStabilized, "the time for this operation is over", sent > 0
    elif isinstance(
        error,
        (
            boto.NoCredentialsError,
            boto.PartialCredentialsError,
            boto.CredentialRetrievalError,
            boto.SSOError,
            boto.TokenRetrievalError,
        ),
    ):
        failure, unknown = AccessDenied, sent > 0
        cause = f"no usable AWS credentials were found ({_first_line(error)})"
        words = "Give the caller credentials through the environment, a profile or a role, or sign in again."
    elif isinstance(error, (boto.NoRegionError, boto.InvalidRegionError)):
        failure, cause, unknown = InvalidRequest, "no AWS region is set", sent > 0
    elif isinstance(error, (boto.ParamValidationError, boto.ProfileNotFound, boto.ConfigParseError)):
        failure, cause, unknown = InvalidRequest, _first_line(error), sent > 0
    elif isinstance(error, (boto.EndpointConnectionError, boto.ConnectTimeoutError)):
        failure, cause = ServiceUnavailable, f"{operation} cannot reach {_host(error)}"
        gone = _host(error) == host
        unknown = sent > 1
    elif isinstance(error, (boto.HTTPClientError, boto.ConnectionError)):
        failure, unknown = ServiceUnavailable, sent > 0
        cause = f"{operation} lost the connection before an answer arrived ({type(error).__name__})"
    elif isinstance(error, boto.BotoCoreError) and sent == 0:
        # Nothing left this machine: what botocore refuses to work with is its configuration (a CA bundle, say).
        failure, cause, unknown = InvalidRequest, f"the AWS configuration cannot be used ({_first_line(error)})", False
    elif isinstance(error, boto.BotoCoreError):
        failure, cause, unknown = InternalFailure, f"{operation} failed in botocore, {_first_line(error)}", sent > 0
    elif isinstance(error, ResponseParserError):
        # A web page, say, where the published API has JSON.
        failure, cause, gone = ServiceUnavailable, f"{operation} got an answer that is not the API's", bool(host)
        unknown = sent > 0
    else:
        failure, cause, unknown = InternalFailure, f"{operation} failed with {type(error).__name__}", sent > 0
    words = ended if gone and ended is not None else words or advice.get(failure)
    translated = failure(cause, advice=words, outcome_unknown=unknown and sent > 0)
    translated.gone = gone
    translated.__cause__ = error
    return translated


def _service_answer(error: Exception, operation: str) -> tuple[str, int, str]:
    response: Mapping[str, Mapping[str, object]] = getattr(error, "response", {})
    described = response.get("Error", {})
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    code = str(described.get("Code", "Unknown"))
    message = " ".join(str(described.get("Message", "")).split()).rstrip(".")
    if message.startswith("<") or code in _QUOTING_ERRORS:
        message = ""  # a web page, or what must not be repeated
    reason = str(response.get("reason", "")).strip()
    # An exchange of credentials fails inside the call that needed it: name the operation that really failed.
    cause = f"{getattr(error, 'operation_name', operation)} answered {code}" + (f", {message}" if message else "")
    if reason and reason not in cause:
        cause = f"{cause} ({reason})"
    return code, status if isinstance(status, int) else 0, cause[:600]


def _by_status(status: int) -> type[AssociationError]:
    """What a status means when its body names no published error (a proxy, or a decommissioned endpoint)."""
    by_status: dict[int, type[AssociationError]] = {
        400: InvalidRequest,
        401: AccessDenied,
        403: AccessDenied,
        404: ServiceUnavailable,
        409: ResourceConflict,
        410: ServiceUnavailable,
        429: Throttling,
    }
    if status >= 500 or status == 0:
        return ServiceUnavailable
    return by_status.get(status, InternalFailure)


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:300] if str(error).strip() else type(error).__name__


def _host(error: Exception) -> str:
    """The host name only: a whole URL can hold ids and signatures."""
    from urllib.parse import urlsplit

    url = str(getattr(error, "kwargs", {}).get("endpoint_url", ""))
    return urlsplit(url).hostname or "unknown host"
