"""The ledger: records under keys, changed only by who has read them last. Here its protocol and the one in memory."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


class ChangedError(Exception):
    """A record has another version than the one that was read: nothing was written."""


@dataclass(frozen=True, slots=True)
class Record:
    """What a ledger stores under one key.

    Attributes:
        key: for example ``association/...`` or ``resource/...``; 1 to 2048 bytes.
        version: random text that the store gives at each write; empty: nothing is stored under the key.
        content: values of JSON only; empty: nothing is stored, or is to be stored any more.
        expires: epoch seconds; a store may remove the record after that.
    """

    key: str
    version: str = ""
    content: Mapping[str, Any] = field(default_factory=dict)
    expires: int | None = None

    @property
    def text(self) -> str:
        """The content as compact JSON, the same text for equal contents."""
        return json.dumps(self.content, sort_keys=True, separators=(",", ":"))


class Ledger(Protocol):
    """A store with compare-and-swap. Safe to share between threads.

    Attributes:
        name: for messages, for example ``DynamoDB table associations``.
    """

    name: str

    def read(self, *keys: str) -> tuple[Record, ...]:
        """The records, in the order of the keys, each as it is stored now. One round trip.

        Raises:
            LedgerUnavailable: the store did not answer.
        """

    def write(self, *records: Record) -> tuple[Record, ...]:
        """Store all of these records or none, and return them with their new versions. One round trip.

        Each is compared with the stored version. Empty content removes what is stored. No two may have the same key.

        Raises:
            ChangedError: a stored version is not the record's.
            LedgerUnavailable: the store did not answer; nobody knows whether the records were written.
        """


class ProcessMemory:
    """A ledger that lasts as long as this process."""

    name = "process memory"

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # Contents as text: nobody changes what is stored through what was read or written.
        self._stored: dict[str, tuple[str, str, int | None]] = {}

    def read(self, *keys: str) -> tuple[Record, ...]:
        """See :meth:`Ledger.read`."""
        with self._lock:
            found = [self._stored.get(key, ("", "{}", None)) for key in keys]
        return tuple(
            Record(key, version, json.loads(text), expires)
            for key, (version, text, expires) in zip(keys, found, strict=True)
        )

    def write(self, *records: Record) -> tuple[Record, ...]:
        """See :meth:`Ledger.write`."""
        written = stored_as(uuid.uuid4().hex, records)
        texts = [record.text for record in written]
        with self._lock:
            for record in records:
                if self._stored.get(record.key, ("",))[0] != record.version:
                    raise ChangedError(f"{self.name} has another version of {record.key}")
            for record, text in zip(written, texts, strict=True):
                if record.version:
                    self._stored[record.key] = (record.version, text, record.expires)
                else:
                    self._stored.pop(record.key, None)
        return written


def stored_as(version: str, records: tuple[Record, ...]) -> tuple[Record, ...]:
    """The records as a write with this version leaves them: one that has no content is not stored."""
    return tuple(
        Record(record.key, version, json.loads(record.text), record.expires) if record.content else Record(record.key)
        for record in records
    )
