"""Exceptions raised by the dsdata service: the published shapes and HTTP status."""

from association_emulator.exceptions import ServiceError


class DirectoryDataError(ServiceError):
    """An error answer that carries a message."""

    def __init__(self, message: str = "") -> None:
        super().__init__(Message=message)


class ReasonedError(DirectoryDataError):
    """An error answer that carries a message and a reason."""

    def __init__(self, message: str = "", reason: str = "") -> None:
        super().__init__(message)
        self.values["Reason"] = reason


class AccessDeniedException(ReasonedError):
    """The caller may not do this, the directory does not exist, or its data access is disabled."""

    code = 403


class ConflictException(DirectoryDataError):
    """The object or membership exists, or the ClientToken was used for another call."""

    code = 409


class DirectoryUnavailableException(ReasonedError):
    """The directory cannot serve the request in its present state."""

    code = 400


class InternalServerException(DirectoryDataError):
    """The service failed."""

    code = 500


class ResourceNotFoundException(DirectoryDataError):
    """The group, member or membership does not exist."""

    code = 404


class ThrottlingException(DirectoryDataError):
    """Too many requests."""

    code = 429


class ValidationException(ReasonedError):
    """The input breaks a constraint of the service model, or names an unknown realm or page."""

    code = 400
