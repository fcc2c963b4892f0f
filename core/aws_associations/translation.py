"""What an error of botocore means: one of ours, with the original kept as ``__cause__``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from aws_associations.endpoint import address
from aws_associations.errors import (
    AccessDenied,
    AssociationError,
    DeadlinePassed,
    InternalFailure,
    InvalidRequest,
    NotFound,
    NotStabilized,
    Passing,
    ResourceConflict,
    ServiceUnavailable,
    Throttling,
)
from aws_associations.kind import Kind, Rejection

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


_DENIALS = frozenset({"AccessDenied", "AccessDeniedException", "NotAuthorized", "UnauthorizedException"})
"""Denials of a permission, which may be in effect some seconds later; the others are of credentials."""

_SIGN_IN = "Give the caller credentials through the environment, a profile or a role, or sign in again. Then {again}."
_RENEW = "Sign in again or renew the caller's credentials, then {again}."
_SIGNED_WRONG = "Check the secret key of the caller's credentials and the clock of this machine, then {again}."

_CREDENTIAL_ADVICE: Mapping[str, str] = {
    "ExpiredToken": _RENEW,
    "ExpiredTokenException": _RENEW,
    "IncompleteSignature": _SIGNED_WRONG,
    "InvalidClientTokenId": f"{_RENEW} A region that the account has not enabled answers so, too.",
    "InvalidSignatureException": _SIGNED_WRONG,
    "MissingAuthenticationToken": _SIGN_IN,
    "MissingAuthenticationTokenException": _SIGN_IN,
    "OptInRequired": "Sign the account up for the service, or enable the region, then {again}.",
    "RequestExpired": _SIGNED_WRONG,
    "SignatureDoesNotMatch": _SIGNED_WRONG,
    "UnrecognizedClientException": f"{_RENEW} A region that the account has not enabled answers so, too.",
}
"""Error code → what to do: no permission of a kind mends what is wrong with credentials."""

_NO_REGION = "Set AWS_REGION or a region in the AWS profile, then {again}."

_QUOTING_ERRORS = frozenset({"IncompleteSignature", "InvalidSignatureException", "SignatureDoesNotMatch"})
"""Errors whose message quotes the request that was signed, its session token included (observed on AWS)."""


def from_botocore(
    error: Exception,
    operation: str,
    *,
    kind: Kind | None,
    sent: int,
    host: str = "",
    set_by: str = "",
) -> AssociationError:
    """Translate what a botocore call raised.

    Args:
        error: what botocore raised.
        operation: the API operation that was called.
        kind: whose error codes, advice and end apply; None for calls that belong to no kind.
        sent: how many attempts may have taken effect, the last one included. Zero makes every error a definite one;
            more than one makes even a rejection an unknown outcome, because an earlier attempt may have taken effect
            (measured: botocore retries a cut connection by itself and then reports the rejection of the retry).
        host: address to which the last attempt was sent; another one that cannot be reached is not the service's.
        set_by: the caller's setting that named this address, for the message; empty: none did.

    Returns:
        The error, its ``outcome_unknown`` set as if the request were a write.
    """
    # Imported here: a program that only declares associations never loads botocore.
    from botocore.exceptions import ClientError

    answered = isinstance(error, ClientError)
    meaning = _answered(error, operation, kind) if answered else _unanswered(error, operation, sent, host, set_by)
    # A failure that the service answered has arrived; every attempt before it was not answered.
    unknown = sent > meaning.definite
    advice = (kind.advice if kind else {}).get(meaning.failure) if meaning.advice is None else meaning.advice
    if meaning.gone and kind is not None and kind.retirement is not None:
        advice = kind.retirement.notice
    translated = meaning.failure(meaning.cause, advice=advice, outcome_unknown=unknown)
    translated.gone, translated.lost = meaning.gone, unknown and not (answered and sent == 1)
    outage = meaning.failure in (Throttling, ServiceUnavailable) and not meaning.gone
    translated.passing = meaning.passing or (Passing.OUTAGE if outage else None)
    translated.__cause__ = error
    return translated


@dataclass(frozen=True, slots=True)
class _Meaning:
    """What an error of botocore means.

    Attributes:
        definite: how many attempts are known to have had no effect.
        gone: the endpoint is not there, or what answers is not the API.
        passing: why the kind says that it passes by itself.
    """

    failure: type[AssociationError]
    cause: str
    definite: int = 0
    advice: str | None = None
    gone: bool = False
    passing: Passing | None = None


def _answered(error: Exception, operation: str, kind: Kind | None) -> _Meaning:
    """An error that the service, or something in its place, answered."""
    code, reason, status, cause = _service_answer(error, operation)
    advice = _CREDENTIAL_ADVICE.get(code) or (kind.advised(cause, reason, code) if kind else None)
    definite = int(refused(kind, status, code, reason))
    published = (kind.errors.get(code) if kind else None) or _COMMON_ERRORS.get(code)
    if published is not None:
        return _Meaning(published, cause, definite, advice, passing=_passing(error, kind, published, code, reason))
    cause = f"{cause} (HTTP {status}, an error that the published API does not have)"
    # What another service answers, in the caller's chain of credentials say, tells nothing of this one.
    if kind is not None and kind.retirement and getattr(error, "operation_name", operation) in kind.operations:
        return _Meaning(ServiceUnavailable, cause, definite, advice, gone=True)
    return _Meaning(_by_status(status), cause, definite, advice)


def _passing(
    error: Exception, kind: Kind | None, meaning: type[AssociationError], code: str, reason: str
) -> Passing | None:
    """Why a rejection may pass by itself, as the kind declares it."""
    if kind is None:
        return None
    message = str(getattr(error, "response", {}).get("Error", {}).get("Message", ""))

    def declared(rejections: Iterable[Rejection]) -> bool:
        return any(rejection.fits(code, reason, message) for rejection in rejections)

    if declared(kind.busy):
        return Passing.BUSY
    if declared(kind.lasting):
        return None
    if meaning is NotFound or declared(kind.unseen):
        return Passing.PARTY
    return Passing.PERMISSION if meaning is AccessDenied and code in _DENIALS else None


def _unanswered(error: Exception, operation: str, sent: int, host: str, set_by: str) -> _Meaning:
    """An error of botocore itself."""
    from botocore import exceptions as boto
    from botocore.parsers import ResponseParserError

    first_line, name = _first_line(error), type(error).__name__
    at = unreachable(error)
    unreached, advice = f"{operation} cannot reach {at or 'an unknown host'}", None
    if set_by and at == host:
        unreached += f", which {set_by} names"
        advice = f"Start what is to listen there, or correct or unset {set_by}. Then {{again}}."
    lost = f"{operation} lost the connection before an answer arrived ({name})"
    # The first row that fits; a class of botocore comes after those that derive from it.
    rows: tuple[tuple[tuple[type[Exception], ...], _Meaning], ...] = (
        ((DeadlinePassed,), _Meaning(NotStabilized, "the time for this operation is over")),
        (_credentials(), _Meaning(AccessDenied, f"no usable AWS credentials were found ({first_line})", 0, _SIGN_IN)),
        ((boto.NoRegionError,), _Meaning(InvalidRequest, "no AWS region is set", advice=_NO_REGION)),
        (
            (boto.ParamValidationError, boto.ProfileNotFound, boto.ConfigParseError),
            _Meaning(InvalidRequest, first_line),
        ),
        (
            (boto.EndpointConnectionError, boto.ConnectTimeoutError),
            _Meaning(ServiceUnavailable, unreached, 1, advice, gone=at == host),
        ),
        ((boto.HTTPClientError, boto.ConnectionError), _Meaning(ServiceUnavailable, lost)),
        # A web page, say, where the published API has JSON.
        (
            (ResponseParserError,),
            _Meaning(ServiceUnavailable, f"{operation} got an answer that is not the API's", gone=bool(host)),
        ),
        (
            (boto.BotoCoreError,),
            # Nothing left this machine: what botocore refuses to work with is its configuration (a CA bundle, say).
            _Meaning(InternalFailure, f"{operation} failed in botocore, {first_line}")
            if sent
            else _Meaning(InvalidRequest, f"the AWS configuration cannot be used ({first_line})"),
        ),
    )
    found = (meaning for classes, meaning in rows if isinstance(error, classes))
    return next(found, _Meaning(InternalFailure, f"{operation} failed with {name}"))


def _credentials() -> tuple[type[Exception], ...]:
    from botocore import exceptions as boto

    missing = (boto.NoCredentialsError, boto.PartialCredentialsError, boto.CredentialRetrievalError)
    return (*missing, boto.SSOError, boto.TokenRetrievalError)


def refused(kind: Kind | None, status: int, code: str, reason: str) -> bool:
    """Whether the service says that it did nothing; otherwise nobody can say what the attempt did.

    A failure of the service is no refusal, whatever its status, unless the kind declares the reason as one.
    """
    if not 400 <= status < 500 or status == 408:
        return False
    meaning = (kind.errors.get(code) if kind else None) or _COMMON_ERRORS.get(code)
    return meaning is not ServiceUnavailable or (kind is not None and reason in kind.refusals)


def final(kind: Kind | None, code: str, reason: str) -> bool:
    """Whether the kind declares other reasons of this error as passing, so that this one is not."""
    passing = kind.transient.get(code) if kind else None
    return bool(passing) and reason not in (passing or ())


def service_words(answer: Mapping[str, Any]) -> tuple[str, str]:
    """The error code and the reason, or the type of what is missing, in an error answer; a reason may be empty."""
    reason = answer.get("reason") or answer.get("Reason") or answer.get("ResourceType") or ""
    return str(answer.get("Error", {}).get("Code", "Unknown")), str(reason).strip()


def _service_answer(error: Exception, operation: str) -> tuple[str, str, int, str]:
    response: Mapping[str, Any] = getattr(error, "response", {})
    described = response.get("Error", {})
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    code, reason = service_words(response)
    message = " ".join(str(described.get("Message", "")).split()).rstrip(".")
    if message.startswith("<") or code in _QUOTING_ERRORS:
        message = ""  # a web page, or what must not be repeated
    # An exchange of credentials fails inside the call that needed it: name the operation that really failed.
    cause = f"{getattr(error, 'operation_name', operation)} answered {code}" + (f", {message}" if message else "")
    if reason and reason not in cause:
        cause = f"{cause} ({reason})"
    return code, reason, status if isinstance(status, int) else 0, cause[:600]


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


def unreachable(error: Exception) -> str:
    """The address of the endpoint that an error of botocore names; empty if it names none."""
    return address(str((getattr(error, "kwargs", None) or {}).get("endpoint_url", "")))
