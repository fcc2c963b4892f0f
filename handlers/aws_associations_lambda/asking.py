"""Read-only questions to CloudFormation and CloudWatch Logs, within the time of a request."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from aws_associations.errors import DeadlinePassed
from aws_associations.service import new_session
from aws_associations.waiting import Deadline, delays

_IAM_PREFIX = {"cloudformation": "cloudformation", "logs": "logs"}
_THROTTLED = frozenset({"Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequestsException"})

_PATIENCE = 0.3
"""The part of the time that is left in which a question that was throttled is repeated."""

_MOST_PAGES = 50
"""Pages that are read at most: 5,000 events of a stack."""


class CannotTellError(Exception):
    """There was no answer: throttled, not permitted, no time. The message is one sentence that says what is needed."""

    def __init__(self, cause: str, *, passing: bool = False) -> None:
        """Args: passing: it may be told later."""
        super().__init__(cause)
        self.passing = passing


class Ask(Protocol):
    """One call of an API; raises CannotTellError."""

    def __call__(self, operation: str, **parameters: object) -> Mapping[str, Any]:
        """The answer."""


class Asking:
    """Calls of one service with the function's own credentials."""

    def __init__(self, service: str, region: str, deadline: Deadline) -> None:
        """Args: service: botocore's name; deadline: after it nothing is asked any more."""
        self._service = service
        self._region = region
        self._deadline = deadline

    def __call__(self, operation: str, **parameters: object) -> Mapping[str, Any]:
        """Call one operation, patiently; raises CannotTellError."""
        patience = self._deadline.part(_PATIENCE)
        for delay in delays():
            try:
                return self._call(operation, parameters)
            except CannotTellError as error:
                if not error.passing or patience.remaining <= delay:
                    raise
            patience.sleep(delay)
        raise AssertionError("delays are endless")

    def _call(self, operation: str, parameters: Mapping[str, object]) -> Mapping[str, Any]:
        from botocore import xform_name
        from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, EndpointConnectionError

        try:
            self._deadline.check()
            call = getattr(_client(self._service, self._region), xform_name(operation))
            answer: Mapping[str, Any] = call(**parameters)
        except DeadlinePassed:
            raise CannotTellError(f"there was no time left for {operation}") from None
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "Unknown")
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            if status >= 500 or status == 429 or code in _THROTTLED:
                raise CannotTellError(f"{operation} answered {code}", passing=True) from error
            raise CannotTellError(
                f"{operation} answered {code} (the function's role needs {_IAM_PREFIX[self._service]}:{operation})"
            ) from error
        except (EndpointConnectionError, ConnectTimeoutError) as error:
            # From a network without a way there, it will not be reached later either.
            raise CannotTellError(f"{operation} cannot reach {self._service} in {self._region}") from error
        except BotoCoreError as error:
            raise CannotTellError(f"{operation} failed with {type(error).__name__}", passing=True) from error
        return answer


def pages(ask: Ask, operation: str, items: str, token: str, **parameters: object) -> Iterator[Mapping[str, Any]]:
    """Every item of every page; ``token`` is the member that asks for, and is answered with, the next one."""
    for _ in range(_MOST_PAGES):
        page = ask(operation, **parameters)
        yield from page.get(items) or ()
        if not page.get(token):
            return
        parameters[token] = page[token]
    raise CannotTellError(f"{operation} has more than {_MOST_PAGES} pages")


@functools.cache
def _client(service: str, region: str) -> Any:
    from botocore.config import Config

    # Short: a decision waits for it, and "cannot tell" is an answer that every decision has a rule for.
    config = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})
    return new_session().create_client(service, region_name=region, config=config)
