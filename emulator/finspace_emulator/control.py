"""EmulatorControl: switches, faults, journal, clock and state of an emulator, in this process or over HTTP.

Loads nothing but the standard library until it talks to the emulator of its own process.
"""

import json
from dataclasses import dataclass
from typing import Any, Unpack
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

from .faults import FaultKind, When
from .journal import JournalEntry
from .settings import SettingsChange

_TIMEOUT_SECONDS = 30


class ControlError(ValueError):
    """The emulator refused a control request. The message says what it would have taken."""


@dataclass(frozen=True)
class CurrentMembership:
    """A membership as it is now, whatever the API's lists show."""

    account_id: str
    region: str
    environment_id: str
    permission_group_id: str
    user_id: str
    membership_status: str


class EmulatorControl:
    """Everything about an emulator that its API cannot do.

    ``url``: where the emulator listens; None: the emulator in this process, under ``mock_aws()`` or not.
    ``region`` and ``account_id``: where the environments are that the methods name; the account is moto's default.
    """

    def __init__(self, url: str | None = None, *, region: str = "us-east-1", account_id: str = "123456789012") -> None:
        self._url = url.rstrip("/") if url is not None else None
        self._place = {"region": region, "account_id": account_id}

    def reset(self) -> None:
        """Forget everything, in all of moto's services too, and return to the real time and the default settings."""
        self._send("POST", "reset")

    def settings(self) -> dict[str, Any]:
        """Return every switch and setting by name."""
        return dict(self._send("GET", "settings"))

    def configure(self, **changes: Unpack[SettingsChange]) -> dict[str, Any]:
        """Change switches and settings; all of them, or none if one is wrong. Returns them all."""
        return dict(self._send("PATCH", "settings", **changes))

    def add_fault(
        self,
        kind: FaultKind,
        *,
        operation: str | None = None,
        when: When = "before",
        count: int | None = 1,
        skip: int = 0,
        seconds: float = 0.0,
        status: int = 500,
        error_code: str | None = None,
        body: str = "",
        content_type: str = "application/json",
    ) -> None:
        """Queue a fault behind the others. The fields are those of ``finspace_emulator.faults.Fault``."""
        self._send(
            "POST",
            "faults",
            kind=kind,
            operation=operation,
            when=when,
            count=count,
            skip=skip,
            seconds=seconds,
            status=status,
            error_code=error_code,
            body=body,
            content_type=content_type,
        )

    def faults(self) -> list[dict[str, Any]]:
        """Return the faults that are still to come, in order."""
        return list(self._send("GET", "faults"))

    def clear_faults(self) -> None:
        """Forget the faults to come."""
        self._send("DELETE", "faults")

    def journal(self, operation: str | None = None) -> list[JournalEntry]:
        """Return the calls received, in order; of one operation if it is named."""
        entries = [JournalEntry(**entry) for entry in self._send("GET", "journal")]
        return [entry for entry in entries if operation in (None, entry.operation)]

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

    def memberships(self, environment_id: str | None = None) -> list[CurrentMembership]:
        """Return the memberships there really are, of every account and region; of one environment if it is named."""
        found = [CurrentMembership(**membership) for membership in self._send("GET", "memberships")]
        return [membership for membership in found if environment_id in (None, membership.environment_id)]

    def grant(
        self, environment_id: str, permission_group_id: str, user_id: str, *, in_progress_seconds: float = 0
    ) -> bool:
        """Make a user a member as somebody else would, with no call in the journal. False: already a member."""
        return self._change("POST", environment_id, permission_group_id, user_id, in_progress_seconds)

    def revoke(
        self, environment_id: str, permission_group_id: str, user_id: str, *, in_progress_seconds: float = 0
    ) -> bool:
        """End a membership as somebody else would, with no call in the journal. False: there was none."""
        return self._change("DELETE", environment_id, permission_group_id, user_id, in_progress_seconds)

    def add_environment(self, environment_id: str) -> None:
        """Make an environment; needed only when ``implicit_environments`` is off."""
        self._send("POST", "environments", **self._place, environment_id=environment_id)

    def add_user(self, environment_id: str, user_id: str, **fields: str) -> None:
        """Put a user with a chosen id into an environment, made if it is new.

        ``fields``: email_address, type, first_name, last_name, api_access, api_access_principal_arn, status.
        """
        self._send("POST", "users", **self._place, environment_id=environment_id, user_id=user_id, **fields)

    def remove_user(self, environment_id: str, user_id: str) -> None:
        """Remove a user completely, memberships included."""
        self._send("DELETE", "users", **self._place, environment_id=environment_id, user_id=user_id)

    def add_permission_group(self, environment_id: str, permission_group_id: str, *, name: str | None = None) -> None:
        """Put a permission group with a chosen id into an environment, made if it is new."""
        group = {"permission_group_id": permission_group_id, "name": name or permission_group_id}
        self._send("POST", "permission-groups", **self._place, environment_id=environment_id, **group)

    def remove_permission_group(self, environment_id: str, permission_group_id: str) -> None:
        """Remove a permission group completely, memberships included."""
        group = {"environment_id": environment_id, "permission_group_id": permission_group_id}
        self._send("DELETE", "permission-groups", **self._place, **group)

    def _change(self, method: str, environment_id: str, permission_group_id: str, user_id: str, seconds: float) -> bool:
        answer = self._send(
            method,
            "memberships",
            **self._place,
            environment_id=environment_id,
            permission_group_id=permission_group_id,
            user_id=user_id,
            in_progress_seconds=seconds,
        )
        return bool(answer["changed"])

    def _send(self, method: str, resource: str, /, **body: Any) -> Any:
        path = f"/_finspace/{resource}"
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


def _in_process(method: str, path: str, content: bytes) -> tuple[int, bytes]:
    from .control_api import handle

    status, answer = handle(method, path, json.loads(content))
    return status, json.dumps(answer).encode()
