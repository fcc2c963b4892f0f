"""The ledger in a DynamoDB table, which several functions, programs and accounts can share.

An item holds one record: ``key`` (text, the partition key), ``version`` (text), ``record`` (the content as JSON) and,
if the record has one, ``expires`` (number, the attribute for the table's time to live).
"""

from __future__ import annotations

import enum
import itertools
import json
import re
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aws_associations.errors import AccessDenied, InvalidRequest, LedgerUnavailable
from aws_associations.ledger import ChangedError, Record, stored_as
from aws_associations.service import Services
from aws_associations.translation import from_botocore, unreachable
from aws_associations.waiting import delays

_NAME = r"[A-Za-z0-9_.-]{3,255}"
_ARN = re.compile(rf"arn:aws[a-z-]*:dynamodb:([a-z0-9-]+):\d{{12}}:table/{_NAME}")
_TRIES = 4
"""How often a part that DynamoDB throttled is sent; the SDK does not repeat it."""

_ACTIONS = {"BatchGetItem": "dynamodb:BatchGetItem", "TransactWriteItems": "dynamodb:PutItem and dynamodb:DeleteItem"}
"""Operation → the IAM actions that it needs (documented: "IAM and transactions", DynamoDB Developer Guide)."""

_ADVICE = {
    "ResourceNotFoundException": "Create or restore the table, or correct its name, account and region. Then {again}.",
    "ValidationException": "The table needs the partition key 'key' of type text and no sort key. Then {again}.",
}
"""Error code → what to do."""


class _Cancellation(enum.Enum):
    """Why a transaction did not write, from the code of its reasons: DynamoDB, API reference of TransactWriteItems."""

    WRITTEN = "an earlier attempt of the same write had taken effect, its answer was lost"
    CHANGED = "somebody else wrote"
    THROTTLED = "the table has no capacity at the moment"
    OTHER = "the table cannot store it"


class DynamoDBLedger:
    """A :class:`~aws_associations.ledger.Ledger` in one table.

    Attributes:
        name: for messages.
        region: in which the table is.
    """

    def __init__(self, services: Services, table: str, region: str) -> None:
        """Args: table: name or ARN; region: of a table that is named, an ARN tells its own. Raises InvalidRequest."""
        arn = _ARN.fullmatch(table)
        if arn is None and not re.fullmatch(_NAME, table):
            raise InvalidRequest(
                f"{table!r} is neither the name nor the ARN of a DynamoDB table",
                advice="Give a name such as associations, or arn:aws:dynamodb:REGION:ACCOUNT:table/NAME.",
            )
        self.name = f"DynamoDB table {table}"
        self.region = arn[1] if arn else region
        self._services, self._table = services, table

    def read(self, *keys: str) -> tuple[Record, ...]:
        """See :meth:`Ledger.read`. At most 100 keys."""
        found: dict[str, Record] = {}
        wanted = [{"key": {"S": key}} for key in dict.fromkeys(keys)]
        for _ in _tries():
            asked = {"Keys": wanted, "ConsistentRead": True}
            answer = self._call("BatchGetItem", {"RequestItems": {self._table: asked}})
            for item in itertools.chain.from_iterable(answer["Responses"].values()):
                found[item["key"]["S"]] = _record(item)
            wanted = [key for left in answer.get("UnprocessedKeys", {}).values() for key in left["Keys"]]
            if not wanted:
                return tuple(found.get(key, Record(key)) for key in keys)
        raise LedgerUnavailable(f"{self.name} in {self.region} is throttled and left BatchGetItem unfinished")

    def write(self, *records: Record) -> tuple[Record, ...]:
        """See :meth:`Ledger.write`. At most 100 records, each at most 400 KB.

        The SDK repeats what was not answered with the same request token, so that it is written once. The version
        tells the same from a store that does not remember tokens, unless all of the records are removed.
        """
        version = uuid.uuid4().hex
        written = stored_as(version, records)
        actions = [self._action(old, new) for old, new in zip(records, written, strict=True)]
        for _ in _tries():
            try:
                self._call("TransactWriteItems", {"TransactItems": actions})
                return written
            except LedgerUnavailable as error:
                failure, why = error, _cancellation(error, version)
            if why is _Cancellation.WRITTEN:
                return written
            if why is _Cancellation.CHANGED:
                raise ChangedError(f"{self.name} has another version of a record") from failure
            if why is _Cancellation.OTHER:
                raise failure
        raise LedgerUnavailable(f"{self.name} in {self.region} is throttled and left TransactWriteItems unfinished")

    def _action(self, old: Record, new: Record) -> dict[str, Any]:
        """Replace what was read by what is new, if it is still what was read."""
        action: dict[str, Any] = {
            "TableName": self._table,
            "ConditionExpression": "#version = :version" if old.version else "attribute_not_exists(#version)",
            "ExpressionAttributeNames": {"#version": "version"},
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        if old.version:
            action["ExpressionAttributeValues"] = {":version": {"S": old.version}}
        if not new.version:
            return {"Delete": {**action, "Key": {"key": {"S": new.key}}}}
        item = {"key": {"S": new.key}, "version": {"S": new.version}, "record": {"S": new.text}}
        if new.expires is not None:
            item["expires"] = {"N": str(new.expires)}
        return {"Put": {**action, "Item": item}}

    def _call(self, operation: str, parameters: Mapping[str, object]) -> dict[str, Any]:
        """Call the table's service. Raises LedgerUnavailable, its cause the error of botocore."""
        from botocore import xform_name
        from botocore.parsers import ResponseParserError

        try:
            client = self._services.ledger_client(self.region)
            answer: dict[str, Any] = getattr(client, xform_name(operation))(**parameters)
            if operation == "BatchGetItem" and "Responses" not in answer:
                raise ResponseParserError("the answer has no records")
        except Exception as error:  # every error of a library becomes one of ours, here and nowhere else
            raise self._unavailable(error, operation) from error
        return answer

    def _unavailable(self, error: Exception, operation: str) -> LedgerUnavailable:
        at = unreachable(error)
        set_by = self._services.set_by("dynamodb", at)
        told = from_botocore(error, operation, kind=None, sent=1, host=at, set_by=set_by)
        code = _response(error).get("Error", {}).get("Code", "")
        advice = _ADVICE.get(code)
        if code.startswith("AccessDenied"):
            advice = f"Allow {_ACTIONS[operation]} on the table, and the use of its key if it has one. Then {{again}}."
        elif advice is None and (set_by or isinstance(told, (AccessDenied, InvalidRequest))):
            advice = told.advice
        # The translation knows the errors of the services that kinds declare; it calls others unpublished.
        cause = told.cause.partition(" (HTTP ")[0]
        return LedgerUnavailable(f"{self.name} in {self.region} cannot be used: {cause}", advice=advice)


def _record(item: Mapping[str, Any]) -> Record:
    expires = int(item["expires"]["N"]) if "expires" in item else None
    return Record(item["key"]["S"], item["version"]["S"], json.loads(item["record"]["S"]), expires)


def _response(error: BaseException | None) -> Mapping[str, Any]:
    """What the service answered; empty if it did not. botocore gives a lost connection a response that is None."""
    return getattr(error, "response", None) or {}


def _cancellation(failure: LedgerUnavailable, version: str) -> _Cancellation:
    reasons: Sequence[Mapping[str, Any]] = _response(failure.__cause__).get("CancellationReasons", ())
    codes = {reason.get("Code", "None") for reason in reasons} - {"None"}
    if any(reason.get("Item", {}).get("version", {}).get("S") == version for reason in reasons):
        return _Cancellation.WRITTEN
    if codes and codes <= {"ConditionalCheckFailed", "TransactionConflict"}:
        return _Cancellation.CHANGED
    passing = {"ProvisionedThroughputExceeded", "ThrottlingError", "ConditionalCheckFailed", "TransactionConflict"}
    return _Cancellation.THROTTLED if codes and codes <= passing else _Cancellation.OTHER


def _tries() -> Iterator[None]:
    """Some tries, with growing pauses between them."""
    yield
    for pause in itertools.islice(delays(), _TRIES - 1):
        time.sleep(pause)
        yield
