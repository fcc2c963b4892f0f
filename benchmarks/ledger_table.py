"""The DynamoDB that ``tests/model`` plays, over HTTP: one table in memory, and a record of what was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from tests.model.aws import AwsError
from tests.model.simulation import Simulation
from tests.model.table import Table


class LedgerTable:
    """An endpoint of DynamoDB with one table; a context manager.

    Attributes:
        asked: the operations, in the order in which they arrived.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._table = Table(Simulation(0.0))
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="DynamoDB")
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        """The endpoint."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def answer(self, operation: str, parameters: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        """The status and the body of an answer."""
        with self._lock:
            self.asked.append(operation)
            try:
                return 200, self._table(operation, parameters)
            except AwsError as error:
                return error.status, {"__type": error.code, "message": str(error), **error.more}


class _Server(ThreadingHTTPServer):
    # Clients keep their connections open: nobody waits for those.
    daemon_threads = True
    block_on_close = False

    def __init__(self, table: LedgerTable) -> None:
        self.table = table
        super().__init__(("127.0.0.1", 0), _Requests)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: the client is a process that is killed."""


class _Requests(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_POST(self) -> None:
        operation = self.headers["X-Amz-Target"].rpartition(".")[2]
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status, answer = self.server.table.answer(operation, asked)
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        """Write nothing."""
