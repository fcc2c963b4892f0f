"""Exceptions raised for QuickSight's group memberships: the published shapes and HTTP status."""

from uuid import uuid4

from association_emulator.exceptions import ServiceError


class QuickSightError(ServiceError):
    """An error answer that carries a message and the request's id."""

    def __init__(self, message: str = "") -> None:
        super().__init__(Message=message, RequestId=str(uuid4()))


class ResourceError(QuickSightError):
    """An error answer that tells the type of a resource, if the service wants to."""

    def __init__(self, message: str = "", resource_type: str | None = None) -> None:
        super().__init__(message)
        if resource_type is not None:
            self.values["ResourceType"] = resource_type


class AccessDeniedException(QuickSightError):
    """The caller may not do this. The published status is 401."""

    code = 401


class InvalidNextTokenException(QuickSightError):
    """The NextToken is not a token of this list."""

    code = 400


class InvalidParameterValueException(QuickSightError):
    """The input breaks a constraint of the service model."""

    code = 400


class PreconditionNotMetException(QuickSightError):
    """The state of the membership forbids this."""

    code = 400


class ResourceExistsException(ResourceError):
    """The membership exists."""

    code = 409


class ResourceNotFoundException(ResourceError):
    """The group, user or membership does not exist."""

    code = 404
