"""CloudFormation as a Delete asks it: a stack that is deleting its one resource, and a record of what was asked."""

from __future__ import annotations

import datetime
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from xml.sax.saxutils import escape

_STACK = "AWS::CloudFormation::Stack"


class DeletingStack:
    """An endpoint of CloudFormation; a context manager. Whatever stack is asked for, it is this one."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._events: list[dict[str, str]] = []
        self._resource: dict[str, str] = {}

    def __enter__(self) -> Self:
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="CloudFormation")
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

    def delete(self, event: dict[str, Any]) -> None:
        """Show a stack whose deletion has just begun with the resource of this Delete."""
        stack = {"LogicalResourceId": "memberships", "PhysicalResourceId": event["StackId"], "ResourceType": _STACK}
        resource = {
            "LogicalResourceId": event["LogicalResourceId"],
            "PhysicalResourceId": event["PhysicalResourceId"],
            "ResourceType": event["ResourceType"],
        }
        now = datetime.datetime.now(datetime.UTC)
        moments = [(now - datetime.timedelta(seconds=age)).isoformat() for age in (0, 0, 600, 601, 602, 603)]
        told = [
            {**resource, "ResourceStatus": "DELETE_IN_PROGRESS"},
            {**stack, "ResourceStatus": "DELETE_IN_PROGRESS"},
            {**stack, "ResourceStatus": "CREATE_COMPLETE"},
            {**resource, "ResourceStatus": "CREATE_COMPLETE"},
            {**resource, "ResourceStatus": "CREATE_IN_PROGRESS", "PhysicalResourceId": ""},
            {**stack, "ResourceStatus": "CREATE_IN_PROGRESS"},
        ]
        self._events = [
            {"EventId": str(number), "Timestamp": when, "StackId": event["StackId"], **each}
            for number, (when, each) in enumerate(zip(moments, told, strict=True))
        ]
        self._resource = {**resource, "ResourceStatus": "DELETE_IN_PROGRESS", "LastUpdatedTimestamp": moments[0]}

    def answer(self, operation: str) -> str:
        """The body of an answer."""
        self.asked.append(operation)
        lists = {
            "DescribeStackEvents": ("StackEvents", self._events),
            "ListStackResources": ("StackResourceSummaries", [self._resource]),
        }
        name, members = lists[operation]
        told = "".join(f"<member>{_elements(member)}</member>" for member in members)
        result = f"<{operation}Result><{name}>{told}</{name}></{operation}Result>"
        return f'<{operation}Response xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/">{result}</{operation}Response>'


def _elements(values: dict[str, str]) -> str:
    return "".join(f"<{name}>{escape(value)}</{name}>" for name, value in values.items())


class _Server(ThreadingHTTPServer):
    # Clients keep their connections open: nobody waits for those.
    daemon_threads = True
    block_on_close = False

    def __init__(self, stack: DeletingStack) -> None:
        self.stack = stack
        super().__init__(("127.0.0.1", 0), _Requests)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: the client is a process that is killed."""


class _Requests(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_POST(self) -> None:
        form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        body = self.server.stack.answer(form["Action"][0]).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        """Write nothing."""
