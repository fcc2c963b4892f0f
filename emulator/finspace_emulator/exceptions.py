"""Exceptions raised by the finspacedata service: the published shapes and HTTP status, and what AWS answers for all."""

import json

from moto.core.exceptions import JsonRESTError


class FinSpaceDataError(JsonRESTError):
    """An error answer: a class name that is the error code, an HTTP status, and the members its shape publishes."""

    code = 400
    members: tuple[str, ...] = ("message",)

    def __init__(self, message: str = "", reason: str = "") -> None:
        super().__init__(type(self).__name__, message)
        texts = {"message": message, "reason": reason}
        self.description: str = json.dumps({member: texts[member] for member in self.members})

    @property
    def error_code(self) -> str:
        """The code in the x-amzn-ErrorType header."""
        return type(self).__name__


class ValidationException(FinSpaceDataError):
    """The input breaks a constraint of the service model."""

    code = 400
    members = ("message", "reason")


class LimitExceededException(FinSpaceDataError):
    """A service quota would be exceeded. The emulator has no quotas; a fault can answer this."""

    code = 400


class AccessDeniedException(FinSpaceDataError):
    """The credentials do not allow the operation."""

    code = 403


class ResourceNotFoundException(FinSpaceDataError):
    """The user, permission group or membership does not exist."""

    code = 404
    members = ("message", "reason")


class ConflictException(FinSpaceDataError):
    """The request contradicts the state of the membership, or an earlier call."""

    code = 409
    members = ("message", "reason")


class ThrottlingException(FinSpaceDataError):
    """Too many requests. The published shape is empty."""

    code = 429
    members = ()


class InternalServerException(FinSpaceDataError):
    """The service failed."""

    code = 500


# What every AWS service answers before a request reaches the operation; not in the service model.


class UnknownOperationException(FinSpaceDataError):
    """No operation has this method and path."""

    code = 404


class MissingAuthenticationTokenException(FinSpaceDataError):
    """The request is not signed."""

    code = 403


class InvalidSignatureException(FinSpaceDataError):
    """The signature is for another service or region."""

    code = 403


class ExpiredTokenException(FinSpaceDataError):
    """The session token has expired."""

    code = 403
