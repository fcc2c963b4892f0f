"""EmulatorServer: the emulated services, all of moto's other ones and the control API on one port."""

import json
from threading import Thread
from types import TracebackType
from typing import Any, Self

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import BaseWSGIServer, make_server
from werkzeug.wrappers import Request, Response

from .control import EmulatorControl
from .control_api import handle, is_control
from .plugin import register


class EmulatorApplication(DomainDispatcherApplication):
    """moto's WSGI application with the control API in front."""

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Answer one HTTP request."""
        if is_control(environ.get("PATH_INFO", "")):
            return _answer_control(Request(environ))(environ, start_response)
        return super().__call__(environ, start_response)


class EmulatorRequestHandler(MotoRequestHandler):
    """One HTTP connection, without a log line for each request: that is what the journal is for."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Print nothing."""


class ServerThreads:
    """The emulator as a server in threads of this process; a context manager.

    ``port`` 0 takes a free one. The state belongs to the process, as moto's does: it is neither fresh at the start nor
    gone at the end, and two servers share it. A control's ``reset()`` empties it.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self._host = host
        self._port = port
        self._server: BaseWSGIServer | None = None
        self._thread: Thread | None = None

    def start(self) -> None:
        """Listen. The URL answers from now on."""
        register()
        self._server = make_server(
            self._host,
            self._port,
            EmulatorApplication(create_backend_app),
            threaded=True,
            request_handler=EmulatorRequestHandler,
        )
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Close the port. Calls that are still running end with the process."""
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
        self._server = self._thread = None

    @property
    def url(self) -> str:
        """Where the emulator listens: an endpoint URL for every service."""
        if self._server is None:
            raise RuntimeError("the emulator is not running: call start() first")
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._server.port}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class EmulatorServer(ServerThreads):
    """The server, with the control of all services at hand."""

    @property
    def control(self) -> EmulatorControl:
        """A control over HTTP, for the default region and account."""
        return EmulatorControl(self.url)


def _answer_control(request: Request) -> Response:
    try:
        body = json.loads(request.get_data() or b"{}")
    except ValueError:
        body = None
    if isinstance(body, dict):
        status, answer = handle(request.method, request.path, body)
    else:
        status, answer = 400, {"message": "the body is not a JSON object"}
    return Response(json.dumps(answer) + "\n", status, content_type="application/json")
