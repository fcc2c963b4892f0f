"""Exceptions raised for OpenSearch's packages: the published status; a message, which few of the shapes publish."""

from association_emulator.exceptions import ServiceError


class OpenSearchError(ServiceError):
    """An error answer that carries a message."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message=message)


class ConflictException(OpenSearchError):
    """The package is in use, or its association is in a state that forbids this."""

    code = 409


class ResourceAlreadyExistsException(OpenSearchError):
    """A package of this name exists."""

    code = 409


class ResourceNotFoundException(OpenSearchError):
    """The package, domain or association does not exist. The published status is 409."""

    code = 409


class ValidationException(OpenSearchError):
    """The input breaks a constraint of the service model."""

    code = 400
