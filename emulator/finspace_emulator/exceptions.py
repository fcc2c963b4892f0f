"""Exceptions raised by the finspacedata service: the published shapes and HTTP status."""

from association_emulator.exceptions import ServiceError


class FinSpaceDataError(ServiceError):
    """An error answer, with the members that its shape publishes."""

    members: tuple[str, ...] = ("message",)

    def __init__(self, message: str = "", reason: str = "") -> None:
        texts = {"message": message, "reason": reason}
        super().__init__(**{member: texts[member] for member in self.members})


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


# What AWS answers for every service; not in the service model.


class ExpiredTokenException(FinSpaceDataError):
    """The session token has expired."""

    code = 403
