"""DynamoDB's one table in virtual time, as far as the ledger asks it.

Sources: BatchGetItem and TransactWriteItems, Amazon DynamoDB API Reference.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Mapping
from typing import Any

from tests.model.aws import AwsError
from tests.model.simulation import Simulation

NAME = "associations"
HOUR = 3600.0
_TOKEN_LASTS = 600.0
_MOST_BYTES = 400_000

Item = Mapping[str, Any]


class Table:
    """One table.

    Attributes:
        calls: how many calls of each operation arrived.
        lost: when it was emptied or restored, and since when what was written is gone.
        fails_until, throttles_until: until then no call succeeds.
    """

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._items: dict[str, Item] = {}
        self._past: list[tuple[float, str, Item | None]] = []
        self._tokens: dict[str, tuple[float, Any]] = {}
        self.calls: Counter[str] = Counter()
        self.lost: list[tuple[float, float]] = []
        self.fails_until = self.throttles_until = 0.0

    @property
    def trouble(self) -> str:
        """The fault that every call meets now; empty: none."""
        if self._simulation.now < self.fails_until:
            return "internal_error"
        return "throttled" if self._simulation.now < self.throttles_until else ""

    # -- what happens to it -------------------------------------------------------------------------------------------

    def empty(self) -> None:
        """All items are gone."""
        self.lost.append((self._simulation.now, float("-inf")))
        for key in list(self._items):
            self._store(key, None)

    def restore(self, moment: float) -> None:
        """It is as it was then."""
        self.lost.append((self._simulation.now, moment))
        then: dict[str, Item | None] = {}
        for when, key, item in self._past:
            if when <= moment:
                then[key] = item
        for key in then.keys() | self._items.keys():
            if then.get(key) != self._items.get(key):
                self._store(key, then.get(key))

    def recover(self) -> None:
        """It answers again."""
        self.fails_until = self.throttles_until = 0.0

    def _store(self, key: str, item: Item | None) -> None:
        if item is None:
            self._items.pop(key, None)
        else:
            self._items[key] = item
        self._past.append((self._simulation.now, key, item))

    # -- its API ------------------------------------------------------------------------------------------------------

    def __call__(self, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        self.calls[operation] += 1
        if operation == "BatchGetItem":
            return self._read(parameters["RequestItems"])
        if operation == "TransactWriteItems":
            return self._write(parameters["TransactItems"], parameters.get("ClientRequestToken", ""))
        raise AwsError("AccessDeniedException", f"not authorized to perform dynamodb:{operation}")

    def _read(self, requests: Mapping[str, Any]) -> dict[str, Any]:
        ((name, request),) = requests.items()
        _must_be(name)
        assert request["ConsistentRead"] is True, "what was written last may be missing in such an answer"
        keys = [_key(each) for each in request["Keys"]]
        if len(keys) != len(set(keys)) or not 1 <= len(keys) <= 100:
            raise AwsError("ValidationException", "Provided list of item keys is empty, too long or has duplicates")
        found = [copy.deepcopy(self._items[key]) for key in keys if key in self._items]
        return {"Responses": {name: found}, "UnprocessedKeys": {}}

    def _write(self, actions: list[dict[str, Any]], token: str) -> dict[str, Any]:
        now = self._simulation.now
        since, before = self._tokens.get(token, (float("-inf"), None))
        if token and now - since < _TOKEN_LASTS:
            if before != actions:
                raise AwsError("IdempotentParameterMismatchException", "The token was used with other parameters")
            return {}
        changes = [_change(action) for action in actions]
        if len({key for key, _, _ in changes}) != len(changes):
            raise AwsError("ValidationException", "Transaction request cannot include multiple operations on one item")
        reasons = [self._refusal(key, version) for key, version, _ in changes]
        if any(reason["Code"] != "None" for reason in reasons):
            codes = ", ".join(reason["Code"] for reason in reasons)
            raise AwsError(
                "TransactionCanceledException",
                f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]",
                more={"CancellationReasons": reasons},
            )
        for key, _, item in changes:
            self._store(key, item)
        if token:
            self._tokens[token] = (now, copy.deepcopy(actions))
        return {}

    def _refusal(self, key: str, version: str | None) -> dict[str, Any]:
        """Why the item's condition does not hold; the code ``None``: it holds."""
        stored = self._items.get(key)
        if (stored["version"]["S"] if stored else None) == version:
            return {"Code": "None"}
        shown = {"Item": copy.deepcopy(stored)} if stored else {}
        return {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed", **shown}


def _change(action: Mapping[str, Any]) -> tuple[str, str | None, Item | None]:
    """Key, the version that must be stored (None: nothing must be), and the new item (None: it is removed)."""
    ((verb, parameters),) = action.items()
    _must_be(parameters["TableName"])
    assert parameters["ExpressionAttributeNames"] == {"#version": "version"}
    condition = parameters["ConditionExpression"]
    if condition == "#version = :version":
        version: str | None = parameters["ExpressionAttributeValues"][":version"]["S"]
    else:
        assert condition == "attribute_not_exists(#version)", condition
        version = None
    if verb == "Delete":
        return _key(parameters["Key"]), version, None
    assert verb == "Put", verb
    item = parameters["Item"]
    assert len(str(item)) < _MOST_BYTES, "an item is 400 KB at most"
    return _key({"key": item["key"]}), version, copy.deepcopy(item)


def _key(key: Mapping[str, Any]) -> str:
    ((name, value),) = key.items()
    text = str(value["S"])
    if name != "key" or not 1 <= len(text.encode()) <= 2048:
        raise AwsError("ValidationException", "The provided key element does not match the schema")
    return text


def _must_be(name: str) -> None:
    if name != NAME:
        raise AwsError("ResourceNotFoundException", "Requested resource not found")
