"""Errors that a service answers, and those that AWS answers for every service before a request reaches an operation."""

from typing import Any


class ServiceError(Exception):
    """An error answer: its code is the name of the class, its members are those of the shape of that name."""

    code = 400
    """The HTTP status."""

    def __init__(self, **values: Any) -> None:
        """``values``: the members by their API names."""
        super().__init__(values.get("message", values.get("Message", "")))
        self.values = values

    @property
    def message(self) -> str:
        """What happened, in words."""
        return str(self)

    @property
    def error_code(self) -> str:
        """The code on the wire."""
        return type(self).__name__


class UnknownOperationException(ServiceError):
    """The request names no operation."""

    code = 404


class MissingAuthenticationTokenException(ServiceError):
    """The request is not signed."""

    code = 403


class InvalidSignatureException(ServiceError):
    """The signature is for another service or region."""

    code = 403
