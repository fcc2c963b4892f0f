"""FinSpace, as much of it as memberships need, in a process of its own: ``python -m benchmarks.finspace``.

It costs next to nothing by itself, so that what is measured is the caller: each call takes as long as it is told, a
status becomes final after as long as it is told, and each party answers as many calls a second as it is told. It counts
every call that arrives. Not strict: that is what the emulator is for.
"""

from __future__ import annotations

import json
import signal
import sys
import threading
import time
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from engines.processes import Program, hermetic_environment

_CONTROL = "/_benchmark"
_IDENTITY = (
    '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
    "<Arn>arn:aws:iam::123456789012:user/benchmark</Arn><UserId>AIDA</UserId><Account>123456789012</Account>"
    "</GetCallerIdentityResult></GetCallerIdentityResponse>"
)


@dataclass(frozen=True)
class Settings:
    """How the service behaves.

    Attributes:
        latency: seconds that each call takes until it has its effect.
        final: seconds until a status is final.
        rate: calls a second that each party answers; 0: any number.
    """

    latency: float = 0.0
    final: float = 0.0
    rate: float = 0.0


@dataclass(frozen=True)
class Counted:
    """What arrived since the last reset, and what is so now.

    Attributes:
        calls: operation → number of attempts, refused ones too.
        throttled: how many of them were refused for their number.
        members: how many memberships there are.
    """

    calls: Mapping[str, int]
    throttled: int
    members: int

    @property
    def total(self) -> int:
        """All calls."""
        return sum(self.calls.values())


class FinSpaceService:
    """The running service, as who measures sees it."""

    def __init__(self, url: str) -> None:
        self.url = url

    def reset(self, settings: Settings) -> None:
        """Forget everything, and behave like that."""
        self._send(json.dumps(asdict(settings)).encode())

    def count(self) -> Counted:
        """What has been counted; counting starts anew."""
        return Counted(**self._send(None))

    def _send(self, body: bytes | None) -> Any:
        # The address is this process's own program's.
        with urllib.request.urlopen(f"{self.url}{_CONTROL}", body, timeout=60) as answer:  # noqa: S310
            return json.load(answer)


@contextmanager
def finspace() -> Any:
    """Yield a running service."""
    program = [sys.executable, "-m", "benchmarks.finspace"]
    with Program(program, env=hermetic_environment(), name="finspace") as running:
        yield FinSpaceService(running.wait_for_line("^http://.*", 60).string)


class _State:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.reset(Settings())

    def reset(self, settings: Settings) -> None:
        self.settings = settings
        self.members: dict[str, dict[str, tuple[bool, float]]] = {}
        self.calls: Counter[str] = Counter()
        self.throttled = 0
        self._buckets: dict[str, tuple[float, float]] = {}

    def allows(self, party: str) -> bool:
        """Whether a party answers one more call now: as many as it answers in a second may come at once."""
        rate, now = self.settings.rate, time.monotonic()
        left, since = self._buckets.get(party, (rate, now))
        left = min(rate, left + (now - since) * rate)
        self._buckets[party] = (max(0.0, left - 1), now)
        self.throttled += rate > 0 and left < 1
        if rate and left < 1:
            self._buckets[party] = (left, now)
        return not rate or left >= 1

    def status(self, user: str, group: str) -> str | None:
        present, since = self.members.get(user, {}).get(group, (False, 0.0))
        final = time.monotonic() - since >= self.settings.final
        if present:
            return "ADDITION_SUCCESS" if final else "ADDITION_IN_PROGRESS"
        return None if final else "REMOVAL_IN_PROGRESS"

    def answer(self, method: str, path: str) -> tuple[str, int, dict[str, Any] | str]:
        """The operation, the status and the body; an error's code if the body is a text."""
        match [urllib.parse.unquote(part) for part in path.split("/")[1:]]:
            case ["credentials", "programmatic"]:
                keys = dict.fromkeys(("accessKeyId", "secretAccessKey", "sessionToken"), "benchmark")
                return "GetProgrammaticAccessCredentials", 200, {"credentials": keys, "durationInMinutes": 60}
            case ["user", user, "permission-groups"]:
                operation = "ListPermissionGroupsByUser"
                if not self.allows(f"user {user}"):
                    return operation, 429, "ThrottlingException"
                told = [(group, self.status(user, group)) for group in self.members.get(user, {})]
                groups = [{"permissionGroupId": group, "membershipStatus": word} for group, word in told if word]
                return operation, 200, {"permissionGroups": groups}
            case ["permission-group", group, "users", user]:
                adding = method == "POST"
                operation = "AssociateUserToPermissionGroup" if adding else "DisassociateUserFromPermissionGroup"
                if not self.allows(f"group {group}"):
                    return operation, 429, "ThrottlingException"
                there = (self.status(user, group) or "").startswith("ADDITION")
                if there and adding:
                    return operation, 409, "ConflictException"
                if not there and not adding:
                    return operation, 404, "ResourceNotFoundException"
                self.members.setdefault(user, {})[group] = (adding, time.monotonic())
                return operation, 200, {"statusCode": 200}
        return path, 404, "ResourceNotFoundException"


class _Server(ThreadingHTTPServer):
    # Clients keep their connections open: nobody waits for those.
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: the client is a process that is killed."""


class _Requests(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    state = _State()

    def do_GET(self) -> None:
        """Answer."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self.path.partition("?")[0]
        state = self.state
        if path == _CONTROL:
            with state.lock:
                if body:
                    state.reset(Settings(**json.loads(body)))
                members = sum(present for groups in state.members.values() for present, _ in groups.values())
                counted = Counted(dict(state.calls), state.throttled, members)
                state.calls, state.throttled = Counter(), 0
            self._send(200, json.dumps(asdict(counted)))
        elif path == "/":
            with state.lock:
                state.calls["GetCallerIdentity"] += 1
            self._send(200, _IDENTITY)
        else:
            time.sleep(state.settings.latency)
            with state.lock:
                operation, status, answer = state.answer(self.command, path)
                state.calls[operation] += 1
            if isinstance(answer, str):
                self._send(status, json.dumps({"message": "Rate exceeded" if status == 429 else answer}), answer)
            else:
                self._send(status, json.dumps(answer))

    def do_POST(self) -> None:
        """Answer."""
        self.do_GET()

    def do_DELETE(self) -> None:
        """Answer."""
        self.do_GET()

    def _send(self, status: int, text: str, error: str = "") -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/xml" if text.startswith("<") else "application/json")
        self.send_header("Content-Length", str(len(body)))
        if error:
            self.send_header("x-amzn-ErrorType", error)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        """Write nothing."""


def main() -> None:
    """Serve until terminated."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with _Server(("127.0.0.1", 0), _Requests) as server:
        sys.stdout.write(f"http://127.0.0.1:{server.server_address[1]}\n")
        sys.stdout.flush()
        server.serve_forever()


if __name__ == "__main__":
    main()
