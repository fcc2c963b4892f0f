"""What every control can do: faults, journal, clock, reset. Talks to the emulator of this process, or over HTTP.

Loads nothing but the standard library until it talks to the emulator of its own process.
"""

import json
from typing import Any, ClassVar
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

from .faults import FaultKind, When
from .journal import Entry, JournalEntry

_TIMEOUT_SECONDS = 30


class ControlError(ValueError):
    """The emulator refused a control request. The message says what it would have taken."""


class RemoteControl:
    """A part of the control API, by its prefix.

    ``url``: where the emulator listens; None: the emulator in this process, under ``mock_aws()`` or not.
    ``region`` and ``account_id``: where the things are that the methods name; the account is moto's default.
    """

    prefix: ClassVar[str]

    def __init__(self, url: str | None = None, *, region: str = "us-east-1", account_id: str = "123456789012") -> None:
        self._url = url.rstrip("/") if url is not None else None
        self._place = {"region": region, "account_id": account_id}

    def reset(self) -> None:
        """Forget everything, in all of moto's services too, and return to the real time and the default settings."""
        self._send("POST", "reset")

    def settings(self) -> dict[str, Any]:
        """Return every switch and setting by name."""
        return dict(self._send("GET", "settings"))

    def add_fault(
        self,
        kind: FaultKind,
        *,
        operation: str | None = None,
        service: str | None = None,
        when: When = "before",
        count: int | None = 1,
        skip: int = 0,
        lasts: float | None = None,
        seconds: float = 0.0,
        status: int | None = None,
        error_code: str | None = None,
        members: dict[str, Any] | None = None,
        body: str = "",
        content_type: str = "application/json",
    ) -> None:
        """Queue a fault behind the others. The fields are those of ``association_emulator.faults.Fault``.

        A control of one service adds faults for that service, whatever ``service`` says.
        """
        self._send(
            "POST",
            "faults",
            kind=kind,
            operation=operation,
            service=service,
            when=when,
            count=count,
            skip=skip,
            lasts=lasts,
            seconds=seconds,
            status=status,
            error_code=error_code,
            members=members or {},
            body=body,
            content_type=content_type,
        )

    def faults(self) -> list[dict[str, Any]]:
        """Return the faults that are still to come, in order."""
        return list(self._send("GET", "faults"))

    def clear_faults(self) -> None:
        """Forget the faults to come."""
        self._send("DELETE", "faults")

    def clear_journal(self) -> None:
        """Forget the calls received so far."""
        self._send("DELETE", "journal")

    def now(self) -> float:
        """Return the service's time, in seconds since the epoch."""
        return float(self._send("GET", "clock")["now"])

    def advance(self, seconds: float) -> None:
        """Move the service's clock forward."""
        self._send("POST", "clock", advance=seconds)

    def freeze(self) -> None:
        """Stop the service's clock; ``advance`` still moves it."""
        self._send("POST", "clock", frozen=True)

    def unfreeze(self) -> None:
        """Let the service's clock run on."""
        self._send("POST", "clock", frozen=False)

    def _journal(self, kind: type[Entry], operation: str | None) -> list[Entry]:
        entries = [kind.of(entry) for entry in self._send("GET", "journal")]
        return [entry for entry in entries if operation in (None, entry.operation)]

    def _send_place(self, method: str, resource: str, /, **body: Any) -> Any:
        """Send a request about something in this control's region and account."""
        return self._send(method, resource, **self._place, **body)

    def _send(self, method: str, resource: str, /, **body: Any) -> Any:
        path = f"{self.prefix}{resource}"
        # Through JSON in both cases, so that neither can do what the other cannot.
        content = json.dumps(body).encode()
        status, answer = (
            _in_process(method, path, content) if self._url is None else self._over_http(method, path, content)
        )
        decoded = json.loads(answer)
        if status != 200:
            raise ControlError(decoded["message"])
        return decoded

    def _over_http(self, method: str, path: str, content: bytes) -> tuple[int, bytes]:
        request = Request(f"{self._url}{path}", content, {"Content-Type": "application/json"}, method=method)  # noqa: S310
        try:
            # No proxy: the emulator is on this machine.
            with build_opener(ProxyHandler({})).open(request, timeout=_TIMEOUT_SECONDS) as response:
                return response.status, response.read()
        except HTTPError as error:
            with error:
                return error.code, error.read()


class ServiceControl(RemoteControl):
    """The control of one service."""

    def journal(self, operation: str | None = None) -> list[JournalEntry]:
        """Return the calls that the service received, in order; of one operation if it is named."""
        return self._journal(JournalEntry, operation)


def _in_process(method: str, path: str, content: bytes) -> tuple[int, bytes]:
    from .control_api import handle

    status, answer = handle(method, path, json.loads(content))
    return status, json.dumps(answer).encode()
