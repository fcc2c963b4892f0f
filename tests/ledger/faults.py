"""A table, and what can go wrong between it and the ledger."""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectionClosedError
from botocore.httpsession import URLLib3Session

from aws_associations.dynamodb import DynamoDBLedger
from aws_associations.service import Services

Fault = Callable[[Any], AWSResponse | None]


@dataclass
class Table:
    """A table named ``associations`` and the ledger in it.

    Attributes:
        ledger: in this table, through ``services``.
        client: another client of the table, which meets no faults.
        arn: of the table.
        verify: file of the certificate of the service; empty: it has none.
        sent: operations that the ledger has sent, one for each attempt.
    """

    services: Services
    ledger: DynamoDBLedger
    client: Any
    arn: str
    verify: str
    sent: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._faults: dict[str, Iterator[Fault]] = {}
        self.services.ledger_client(self.ledger.region).meta.events.register_first("before-send", self._meet)

    def meet(self, operation: str, *faults: Fault) -> None:
        """The next attempts of this operation meet these faults, one each."""
        self._faults[operation] = iter(faults)

    def always_meet(self, operation: str, fault: Fault) -> None:
        """Every attempt of this operation meets this fault."""
        self._faults[operation] = itertools.repeat(fault)

    def cut_after_effect(self, request: Any) -> None:
        """The request takes effect, and its answer is lost."""
        response = URLLib3Session(verify=self.verify or True).send(request)
        assert response.status_code == 200, response.text
        raise ConnectionClosedError(endpoint_url=request.url)

    def _meet(self, event_name: str, request: Any, **_: object) -> AWSResponse | None:
        operation = event_name.rpartition(".")[2]
        self.sent.append(operation)
        fault = next(self._faults.get(operation, iter(())), None)
        return fault(request) if fault else None


def answers(status: int, text: str) -> Fault:
    """The service answers this, and does nothing."""

    def fault(request: Any) -> AWSResponse:
        return AWSResponse(request.url, status, {"Content-Type": "application/x-amz-json-1.0"}, _Body(text.encode()))

    return fault


def refuses(code: str, message: str = "", **members: object) -> Fault:
    """The service answers this error."""
    return answers(400, json.dumps({"__type": f"com.amazonaws#{code}", "message": message, **members}))


def cancels(*codes: str) -> Fault:
    """The service cancels the transaction for these reasons."""
    return refuses("TransactionCanceledException", "cancelled", CancellationReasons=[{"Code": code} for code in codes])


class _Body(io.BytesIO):
    def stream(self) -> Iterator[bytes]:
        yield self.read()
