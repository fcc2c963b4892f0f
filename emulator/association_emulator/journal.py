"""The journal: every call that reached an emulated service, attempt by attempt, in the order of arrival."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self, TypeVar

Entry = TypeVar("Entry", bound="JournalEntry")


@dataclass
class JournalEntry:
    """One attempt. An SDK's retry is an entry of its own."""

    number: int
    """Counts from 1, over all services."""
    time: float
    """When it arrived: the service clock, seconds since the epoch."""
    service: str
    """botocore's name of the service."""
    operation: str | None
    """The API's name of the operation; None if the request names none."""
    parameters: dict[str, Any]
    """The input members, as they arrived, without the client token."""
    client_token: str | None
    caller: str
    """iam, unsigned, or what the service calls credentials of its own."""
    access_key_id: str | None
    region: str | None
    """The region that the request was signed for."""
    status: int | None = None
    """The HTTP status that was answered; None while the call runs, and if the connection was cut."""
    error_code: str | None = None
    """The error code that was answered."""
    fault: str | None = None
    """The fault that was played, as kind:when, for instance cut:after."""
    replayed: bool = False
    """Whether the answer was a remembered one, by client token, without effect."""
    changed: bool = False
    """Whether the call changed something in the service, whatever was answered. Not known of calls left to moto."""
    by_moto: bool = False
    """Whether moto answered, as it is."""
    finished: bool = False
    """Whether the call is over."""

    @classmethod
    def of(cls, known: Mapping[str, Any]) -> Self:
        """Return the entry that ``to_dict`` told of; what a service added to it is left out."""
        names = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in known.items() if name in names})

    def to_dict(self) -> dict[str, Any]:
        """Return the entry as JSON types."""
        return asdict(self)


@dataclass
class Journal:
    """The entries since the last reset."""

    entries: list[JournalEntry] = field(default_factory=list)
    _count: int = 0

    def open(self, kind: type[Entry], **known: Any) -> Entry:
        """Add an entry for a call that has just arrived."""
        self._count += 1
        entry = kind(number=self._count, **known)
        self.entries.append(entry)
        return entry

    def of(self, service: str | None) -> list[JournalEntry]:
        """Return the entries of a service; None: of all."""
        return [entry for entry in self.entries if service in (None, entry.service)]

    def clear(self, service: str | None = None) -> None:
        """Forget the entries of a service, or of all; numbers go on."""
        self.entries = [entry for entry in self.entries if service not in (None, entry.service)]
