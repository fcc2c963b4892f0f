"""The Lambda service around one function: the runtime API over HTTP, served to the real runtime client."""

import contextlib
import importlib.metadata
import json
import os
import queue
import re
import shutil
import signal
import sys
import tempfile
import threading
import time
import uuid
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from engines.processes import LineCallback, Program

RUNTIME_PACKAGES = ("awslambdaric", "boto3")
"""The distributions, with what they require, that the managed runtime brings beside the standard library."""

FUNCTION_ARN = "arn:aws:lambda:us-east-1:123456789012:function:aws-associations"

_API = "/2018-06-01/runtime"
# How long a function that is not killed at its time-out may go on before the test is called stuck.
_OVERTIME_SECONDS = 30.0


@dataclass(frozen=True)
class Invocation:
    """What came of one event.

    `response` is what the handler returned, decoded from JSON. `error` is the payload that Lambda reports instead: a
    dict with errorMessage and errorType. `log` is what was written in the meantime, `cold` whether a process was
    started for it.
    """

    request_id: str
    response: Any
    error: Mapping[str, Any] | None
    timed_out: bool
    cold: bool
    seconds: float
    log: str


@dataclass(frozen=True)
class _Pending:
    request_id: str
    body: bytes
    deadline_ms: int
    function_arn: str


@dataclass(frozen=True)
class _Report:
    kind: Literal["response", "error", "init error"]
    request_id: str
    body: bytes


class LambdaRuntime:
    """One execution environment of a function; a context manager that ends with its process and files gone.

    `handler` is "module.function"; `code` a zip file, or a folder, of which a copy is made. As on Lambda the process
    inherits nothing from this one: it gets Lambda's variables, dummy credentials and `environment`, which wins. It can
    import the code, the standard library and `packages`; None makes everything of this interpreter importable.

    The process starts with the first event and serves one after the other. It is killed when `timeout` seconds have
    passed, unless `kill_at_timeout` is false. With `freeze` it is stopped between events, as Lambda does, so that
    threads it left behind run on only during the next one.
    """

    def __init__(
        self,
        handler: str,
        code: Path,
        *,
        environment: Mapping[str, str] | None = None,
        timeout: float = 60.0,
        function_arn: str = FUNCTION_ARN,
        memory_megabytes: int = 256,
        packages: Sequence[str] | None = RUNTIME_PACKAGES,
        python: Path | str = sys.executable,
        kill_at_timeout: bool = True,
        freeze: bool = False,
        on_line: LineCallback | None = None,
    ) -> None:
        self._handler = handler
        self._code = code
        self._environment = dict(environment or {})
        self._timeout = timeout
        self._function_arn = function_arn
        self._memory = memory_megabytes
        self._packages = packages
        self._python = python
        self._kill_at_timeout = kill_at_timeout
        self._freeze = freeze
        self._on_line = on_line
        self._guard = threading.Lock()
        self._program: Program | None = None
        self._api: _RuntimeApi | None = None
        self._past_output = ""

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="lambda-")
        try:
            self._task = Path(self._folder.name, "task")
            if self._code.is_dir():
                shutil.copytree(self._code, self._task)
            else:
                with zipfile.ZipFile(self._code) as archive:
                    archive.extractall(self._task)
            self._runtime = Path(self._folder.name, "runtime")
            self._runtime.mkdir()
            for name in self._packages or ():
                _link_distribution(name, self._runtime)
            for name in ("home", "tmp"):
                Path(self._folder.name, name).mkdir()
        except BaseException:
            self._folder.cleanup()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._end_process()
        finally:
            self._folder.cleanup()

    @property
    def pid(self) -> int | None:
        """The id of the function's process, None while there is none."""
        return None if self._program is None else self._program.pid

    @property
    def log(self) -> str:
        """Everything that the function's processes have written so far."""
        if self._program is None:
            return self._past_output
        self._program.settle()
        return self._past_output + self._program.output

    def invoke(
        self,
        event: Any,
        *,
        timeout: float | None = None,
        remaining: float | None = None,
        request_id: str | None = None,
        function_arn: str | None = None,
    ) -> Invocation:
        """Run the handler once with the event, which must be JSON.

        `timeout` (seconds) replaces the function's for this event; `remaining` is the time that the handler is told it
        has, if it is to be another. `request_id` and `function_arn` are what the context shows. Never raises for what
        the function does: see `Invocation.error`. Raises ProgramFailed if its process cannot be started, or does not
        end long after a time-out at which it is not killed.
        """
        allowed = self._timeout if timeout is None else timeout
        with self._guard:
            cold = self._program is None or self._program.returncode is not None
            if cold:
                self._start_process()
            program, api = self._program, self._api
            if program is None or api is None:
                raise AssertionError("the process was just started")
            if self._freeze:
                program.signal(signal.SIGCONT)
            before = len(program.output)
            started = time.monotonic()
            told = allowed if remaining is None else remaining
            pending = _Pending(
                request_id or str(uuid.uuid4()),
                json.dumps(event).encode(),
                int((time.time() + told) * 1000),
                function_arn or self._function_arn,
            )
            api.events.put(pending)
            report = self._await_report(program, api, pending.request_id, allowed)
            seconds = time.monotonic() - started
            program.settle()
            response, error = _read_report(report, program.returncode, pending.request_id, allowed)
            timed_out = report is None and program.returncode is None
            if timed_out or program.returncode is not None:
                self._end_process()
            elif self._freeze:
                program.signal(signal.SIGSTOP)
            log = program.output[before:]
            return Invocation(pending.request_id, response, error, timed_out, cold, seconds, log)

    def _await_report(self, program: Program, api: "_RuntimeApi", request_id: str, allowed: float) -> _Report | None:
        """Return the report on the request, or None when the process ended without one or its time is over."""
        patience = allowed if self._kill_at_timeout else allowed + _OVERTIME_SECONDS
        deadline = time.monotonic() + patience
        ended = False
        while True:
            with contextlib.suppress(queue.Empty):
                report = api.reports.get(timeout=0.02)
                if report.kind == "init error" or report.request_id == request_id:
                    return report
            # One more look after the end: the report may have come just before it.
            if ended:
                return None
            ended = program.returncode is not None
            if time.monotonic() > deadline:
                if self._kill_at_timeout:
                    return None
                raise program.failure(f"gave no answer within {patience:g} s")

    def _start_process(self) -> None:
        self._end_process()
        self._api = _RuntimeApi()
        hidden = ["-S"] if self._packages is not None else []
        self._program = Program(
            [self._python, *hidden, "-m", "awslambdaric", self._handler],
            env=self._whole_environment(self._api.address),
            cwd=self._task,
            name="awslambdaric",
            on_line=self._on_line,
        )

    def _end_process(self) -> None:
        program, api = self._program, self._api
        self._program = self._api = None
        try:
            if program is not None:
                # As Lambda does, and a frozen process cannot be asked.
                program.kill()
                program.stop()
                self._past_output += program.output
        finally:
            if api is not None:
                api.close()

    def _whole_environment(self, address: str) -> dict[str, str]:
        name = self._function_arn.split(":")[6]
        region = self._function_arn.split(":")[3]
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "HOME": str(Path(self._folder.name, "home")),
            "TMPDIR": str(Path(self._folder.name, "tmp")),
            "LAMBDA_TASK_ROOT": str(self._task),
            "_HANDLER": self._handler,
            "AWS_LAMBDA_RUNTIME_API": address,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_python{sys.version_info.major}.{sys.version_info.minor}",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_FUNCTION_NAME": name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self._memory),
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": f"2026/01/01/[$LATEST]{uuid.uuid4().hex}",
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_ACCESS_KEY_ID": "ASIAEXAMPLEOFTHEROLE",
            "AWS_SECRET_ACCESS_KEY": "nothing-secret",
            "AWS_SESSION_TOKEN": "nothing-secret-either",
        }
        if self._packages is not None:
            environment["PYTHONPATH"] = str(self._runtime)
        return environment | self._environment


class _RuntimeApi:
    """The HTTP side for one process: hands out `events`, collects `reports`."""

    def __init__(self) -> None:
        self.events: queue.Queue[_Pending | None] = queue.Queue()
        self.reports: queue.Queue[_Report] = queue.Queue()
        self._server = _ApiServer(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="Lambda runtime API")
        self._thread.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        """End the server; the process must be gone, so that no more than one request can be waiting."""
        self.events.put(None)
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _ApiServer(ThreadingHTTPServer):
    daemon_threads = False
    block_on_close = True

    def __init__(self, api: _RuntimeApi) -> None:
        self.api = api
        super().__init__(("127.0.0.1", 0), _ApiRequests)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: the client is a process that is killed when its time is over."""


class _ApiRequests(BaseHTTPRequestHandler):
    # The client keeps no connection, and one left open would hold up the end.
    protocol_version = "HTTP/1.0"
    server: _ApiServer

    def do_GET(self) -> None:
        if self.path != f"{_API}/invocation/next":
            self._reply(404, b"{}")
            return
        pending = self.server.api.events.get()
        if pending is None:
            self._reply(500, b"{}")
            return
        self._reply(
            200,
            pending.body,
            {
                "Lambda-Runtime-Aws-Request-Id": pending.request_id,
                "Lambda-Runtime-Deadline-Ms": str(pending.deadline_ms),
                "Lambda-Runtime-Invoked-Function-Arn": pending.function_arn,
                "Lambda-Runtime-Trace-Id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0",
            },
        )

    def do_POST(self) -> None:
        body = self._body()
        if self.path == f"{_API}/init/error":
            report = _Report("init error", "", body)
        elif match := re.fullmatch(rf"{_API}/invocation/([^/]+)/(response|error)", self.path):
            report = _Report("response" if match[2] == "response" else "error", match[1], body)
        else:
            self._reply(404, b"{}")
            return
        self._reply(202, b'{"status":"OK"}')
        self.server.api.reports.put(report)

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length")
        if length is not None:
            return self.rfile.read(int(length))
        # Large answers come in chunks.
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _reply(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        """Write nothing: the invocations are the record."""


def _read_report(
    report: _Report | None, returncode: int | None, request_id: str, allowed: float
) -> tuple[Any, Mapping[str, Any] | None]:
    """Return response and error, in the words that Lambda uses where the function gave none."""
    if report is None:
        if returncode is None:
            message, error_type = f"Task timed out after {allowed:.2f} seconds", "Sandbox.Timedout"
        else:
            how = f"exit status {returncode}" if returncode >= 0 else f"signal: {signal.Signals(-returncode).name}"
            message, error_type = f"Error: Runtime exited with error: {how}", "Runtime.ExitError"
        return None, {"errorType": error_type, "errorMessage": f"RequestId: {request_id} {message}"}
    content = json.loads(report.body)
    return (content, None) if report.kind == "response" else (None, content)


def _link_distribution(name: str, folder: Path) -> None:
    """Make the distribution, and all that it requires, importable from `folder`.

    Raises PackageNotFoundError if it is not installed.
    """
    distribution = importlib.metadata.distribution(name)
    for file in distribution.files or ():
        top = file.parts[0]
        link = folder / top
        if top not in ("..", "__pycache__") and not link.exists():
            link.symlink_to(Path(str(distribution.locate_file(top))).resolve())
    for requirement in distribution.requires or ():
        match = re.match(r"[A-Za-z0-9._-]+", requirement)
        if match and "extra ==" not in requirement:
            # What is required on other platforms only is not installed.
            with contextlib.suppress(importlib.metadata.PackageNotFoundError):
                _link_distribution(match[0], folder)
