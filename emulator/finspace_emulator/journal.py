"""The journal: every call that reached the service, attempt by attempt, in the order of arrival."""

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass
class JournalEntry:
    """One attempt. An SDK's retry is an entry of its own."""

    number: int
    """Counts from 1."""
    time: float
    """When it arrived: the service clock, seconds since the epoch."""
    operation: str | None
    """The API's name of the operation; None if method and path name none."""
    parameters: dict[str, Any]
    """The input members by their names on the wire, as they arrived, without clientToken."""
    client_token: str | None
    caller: str
    """iam, finspace (credentials that the emulator issued, expired or not) or unsigned."""
    access_key_id: str | None
    region: str | None
    """The region that the request was signed for."""
    environment_id: str | None
    """The environment that the caller's FinSpace credentials are for."""
    status: int | None = None
    """The HTTP status that was answered; None while the call runs, and if the connection was cut."""
    error_code: str | None = None
    """The error code that was answered."""
    fault: str | None = None
    """The fault that was played, as kind:when, for instance cut:after."""
    replayed: bool = False
    """Whether the answer was a remembered one, by clientToken, without effect."""
    changed: bool = False
    """Whether the call changed something in the service, whatever was answered."""
    finished: bool = False
    """Whether the call is over."""

    def to_dict(self) -> dict[str, Any]:
        """Return the entry as JSON types."""
        return asdict(self)


@dataclass
class Journal:
    """The entries since the last reset."""

    entries: list[JournalEntry] = field(default_factory=list)
    _count: int = 0

    def open(self, **known: Any) -> JournalEntry:
        """Add an entry for a call that has just arrived."""
        self._count += 1
        entry = JournalEntry(number=self._count, **known)
        self.entries.append(entry)
        return entry

    def clear(self) -> None:
        """Forget the entries; numbers go on."""
        self.entries.clear()
