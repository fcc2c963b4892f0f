"""Child programs: started with their output collected, stopped with everything they started."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Protocol, Self

LineCallback = Callable[[str], None]


class ProgramFailed(RuntimeError):
    """A program did not start, ended too early, or did not do in time what was waited for.

    The message ends with the tail of the program's output.
    """


def free_port() -> int:
    """Return a TCP port number that is free on 127.0.0.1 at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def hermetic_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return this process's environment without what could lead to a real account, plus `extra`.

    Dropped is every AWS_ and PULUMI_ variable; the AWS files in the home folder and the instance metadata service are
    out of reach, and requests to this machine bypass any proxy.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PULUMI_"))}
    environment |= {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "localhost,127.0.0.1",
        "no_proxy": "localhost,127.0.0.1",
    }
    return environment | dict(extra or {})


class Process(Protocol):
    """What Program needs of subprocess.Popen."""

    @property
    def pid(self) -> int:
        """The process id."""

    @property
    def stdout(self) -> IO[bytes] | None:
        """The reading end of its output."""

    def poll(self) -> int | None:
        """Return the exit status, negative for a signal; None while it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit status when there is one; raises subprocess.TimeoutExpired."""


class Program:
    """A running child program; a context manager that ends with the program and all its children gone.

    Standard output and standard error are read together, line by line, for as long as the program runs. `env` is the
    whole environment. `on_line` is called with each line (no line end) from the reading thread. `popen` starts the
    process as subprocess.Popen does.

    Raises ProgramFailed if the program cannot be executed.
    """

    def __init__(
        self,
        argv: Sequence[str | Path],
        *,
        env: Mapping[str, str],
        cwd: Path | None = None,
        name: str | None = None,
        on_line: LineCallback | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
        popen: Callable[..., Process] = subprocess.Popen,
    ) -> None:
        self.name = name or Path(argv[0]).name
        self._stop_signal = stop_signal
        self._on_line = on_line
        self._lines: list[str] = []
        self._news = threading.Condition()
        self._output_ended = False
        try:
            # A session of its own: one signal reaches the children too, and a Ctrl-C at the terminal reaches only us,
            # who then stop the program in order.
            self._process = popen(
                [str(part) for part in argv],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=dict(env),
                cwd=cwd,
                start_new_session=True,
            )
        except OSError as error:
            raise ProgramFailed(f"starting {self.name}: {error}") from error
        self._reader = threading.Thread(target=self._read, name=f"output of {self.name}", daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The process id, which is the id of its session and process group as well."""
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """The exit status, negative for a signal; None while the program runs."""
        return self._process.poll()

    @property
    def output(self) -> str:
        """Everything the program has written so far."""
        with self._news:
            return "".join(line + "\n" for line in self._lines)

    def tail(self, lines: int = 30) -> str:
        """Return the last lines of the output, or a remark that there is none."""
        with self._news:
            return "\n".join(self._lines[-lines:]) or "(no output)"

    def failure(self, what: str) -> ProgramFailed:
        """Build the error that says what failed and ends with the tail of the output."""
        status = self.returncode
        state = "" if status is None else f" (exit status {status})"
        return ProgramFailed(f"{self.name}: {what}{state}; its output ends with:\n{self.tail()}")

    def ending(self, patience: float = 2.0) -> str:
        """Say how the program ended, or that it has not, with the tail of its output.

        Waits up to `patience` seconds for the exit status, which comes a little later than the last sign of life.
        """
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(patience)
        self.settle()
        state = "is still running" if self.returncode is None else f"ended with exit status {self.returncode}"
        return f"{self.name} {state}; its output ends with:\n{self.tail()}"

    def wait_for_line(self, pattern: str, timeout: float) -> re.Match[str]:
        """Wait for the first line, from the start of the output, in which `pattern` is found.

        Raises ProgramFailed when the output ends, or `timeout` seconds pass, without such a line.
        """
        seen = 0
        deadline = time.monotonic() + timeout
        with self._news:
            while True:
                while seen < len(self._lines):
                    match = re.search(pattern, self._lines[seen])
                    if match:
                        return match
                    seen += 1
                remaining = deadline - time.monotonic()
                if self._output_ended or remaining <= 0:
                    break
                self._news.wait(remaining)
        if self._output_ended:
            # The output ends a moment before the exit status is known, and the message should show the status.
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(1)
            raise self.failure(f"ended without a line like {pattern!r}")
        raise self.failure(f"no line like {pattern!r} within {timeout:g} s")

    def wait_until(self, ready: Callable[[], bool], timeout: float, what: str) -> None:
        """Ask `ready` again and again until it is true; `what` completes the sentence "did not ...".

        Raises ProgramFailed when the program ends or `timeout` seconds pass first.
        """
        deadline = time.monotonic() + timeout
        pause = 0.01
        while not ready():
            if self.returncode is not None:
                raise self.failure(f"ended and did not {what}")
            if time.monotonic() > deadline:
                raise self.failure(f"did not {what} within {timeout:g} s")
            time.sleep(pause)
            pause = min(pause * 1.5, 0.1)

    def wait(self, timeout: float) -> int:
        """Wait for the program's own end and return its exit status.

        Raises ProgramFailed after `timeout` seconds; the program is still running then.
        """
        try:
            status = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise self.failure(f"still running after {timeout:g} s") from None
        # A child left in the background may hold the output open: everything of the program itself is there by now.
        self._reader.join(1)
        return status

    def settle(self, quiet: float = 0.01, timeout: float = 0.5) -> None:
        """Wait until no line has arrived for `quiet` seconds: what the program has written is in `output` then."""
        deadline = time.monotonic() + timeout
        with self._news:
            while self._news.wait(quiet) and time.monotonic() < deadline:
                pass

    def interrupt(self) -> None:
        """Send SIGINT to the program and its children, as one Ctrl-C at a terminal does."""
        self.signal(signal.SIGINT)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the program and its children; nothing happens if they are gone."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    def kill(self) -> None:
        """Kill the program and its children at once."""
        self.signal(signal.SIGKILL)
        for pid in _session_members(self.pid):
            # Children that made process groups of their own, as Pulumi's plugins do.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()

    def stop(self, grace: float = 5.0) -> None:
        """End the program and its children: asked first, killed after `grace` seconds. Does nothing the second time."""
        try:
            if self._process.poll() is None:
                self.signal(self._stop_signal)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(grace)
        finally:
            # Also after an orderly end: children may have outlived their parent.
            self.kill()
            self._reader.join(2)
            if self._process.stdout is not None and not self._reader.is_alive():
                self._process.stdout.close()

    def _read(self) -> None:
        stdout = self._process.stdout
        if stdout is None:
            return
        try:
            for raw in stdout:
                line = raw.decode("utf-8", "replace").rstrip("\r\n")
                with self._news:
                    self._lines.append(line)
                    self._news.notify_all()
                if self._on_line is not None:
                    self._on_line(line)
        finally:
            with self._news:
                self._output_ended = True
                self._news.notify_all()


def _session_members(session: int) -> list[int]:
    """Return the ids of all processes of a session; on systems without /proc, none."""
    members = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = entry.read_text()
        except OSError:
            # It ended while we looked.
            continue
        # "pid (name) state parent group session ...": the name may hold anything, so count from its end.
        if int(text.rpartition(")")[2].split()[3]) == session:
            members.append(int(entry.parent.name))
    return members
