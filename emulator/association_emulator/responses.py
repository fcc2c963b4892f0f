"""EmulatedResponse: what the responses.py of every service is built on, strict where moto is lenient."""

import json
from dataclasses import dataclass, field
from typing import Any, ClassVar

from botocore.exceptions import EndpointConnectionError
from moto.core.common_types import TYPE_RESPONSE
from moto.core.responses import BaseResponse
from moto.core.utils import camelcase_to_underscores
from moto.utilities.aws_headers import gen_amzn_requestid_long

from .answer import Answer
from .attempt import attend
from .emulation import EmulatedService
from .exceptions import (
    InvalidSignatureException,
    MissingAuthenticationTokenException,
    ServiceError,
    UnknownOperationException,
)
from .journal import JournalEntry
from .wire import Call, Signature


@dataclass(frozen=True)
class Outcome:
    """What an operation answers, and what it did."""

    answer: dict[str, Any] = field(default_factory=dict)
    changed: bool = False
    replayed: bool = False


class EmulatedResponse(BaseResponse):
    """Handler for requests of one service: a method per operation, by its name in snake case, returns an Outcome."""

    service: ClassVar[EmulatedService[Any]]
    use_raw_body = True

    def __init__(self) -> None:
        super().__init__(service_name=self.service.name)

    @classmethod
    def serves(cls, operation: str | None) -> bool:
        """Tell whether there is a method for an operation."""
        return operation is not None and callable(getattr(cls, camelcase_to_underscores(operation), None))

    def refusal(self, message: str) -> ServiceError:
        """Return the service's error for input that breaks its model."""
        raise NotImplementedError

    def described(self) -> dict[str, Any]:
        """Return fields of the journal entry that only the service knows."""
        return {}

    def call_action(self) -> TYPE_RESPONSE:
        """Answer the call, in the journal and with its fault."""
        request = self.normalized_request
        self.call = Call.read(self.service.model, request, self.raw_body)
        self.signature = Signature.read(self.headers)
        if self.signature is not None and not self._resolves(self.signature.region) and not request.from_wsgi_server:
            # The name of the regional endpoint would not resolve. Over HTTP the request is answered, below.
            raise EndpointConnectionError(endpoint_url=f"{self.parsed_url.scheme}://{self.parsed_url.netloc}")
        answer = attend(self.service, request, self.call, self._answer, **self.described())
        headers = {**self.response_headers, **answer.headers}
        gen_amzn_requestid_long(headers)
        return answer.status, headers, answer.body

    def authenticate(self, signature: Signature) -> None:
        """Raise unless the request is signed for this service in one of its regions."""
        expected = self.service.model.signing_name
        if signature.service != expected:
            raise InvalidSignatureException(message=f"Credential should be scoped to correct service: '{expected}'.")
        if not self._resolves(signature.region):
            raise InvalidSignatureException(message="Credential should be scoped to a valid region.")
        self.region = signature.region

    def _answer(self, entry: JournalEntry) -> Answer:
        try:
            if self.signature is None:
                raise MissingAuthenticationTokenException(message="Missing Authentication Token")
            self.authenticate(self.signature)
            operation = self.call.operation_name
            if operation is None or not self.serves(operation):
                raise UnknownOperationException(message=f"No operation is {self.method} {self.raw_path}.")
            if self.call.problems:
                count = len(self.call.problems)
                errors = "error" if count == 1 else "errors"
                raise self.refusal(f"{count} validation {errors} detected: {'; '.join(self.call.problems)}")
            outcome: Outcome = getattr(self, camelcase_to_underscores(operation))()
        except ServiceError as error:
            return Answer.of_error(self.service.model, error.error_code, error.values, status=error.code)
        entry.changed, entry.replayed = outcome.changed, outcome.replayed
        return Answer(200, json.dumps(outcome.answer))

    def _resolves(self, region: str) -> bool:
        return self.service.regions is None or region in self.service.regions

    def _get_param(self, param_name: str, if_none: Any = None) -> Any:
        return self.call.parameters.get(param_name, if_none)
