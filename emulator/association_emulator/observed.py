"""Services that moto serves: every call in the journal and met by its fault, then answered by moto as it is.

A service of the emulator may answer some operations of such a service itself, and leaves the others to moto.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from werkzeug.exceptions import HTTPException

from .answer import Answer
from .attempt import attend
from .emulation import EmulatedService
from .exceptions import UnknownOperationException
from .journal import JournalEntry
from .responses import EmulatedResponse
from .wire import Call

Handler = Callable[[Any, str, Any], Any]

_XML_CODE = re.compile(r"<Code>([^<]+)</Code>")


def observed(
    service: EmulatedService[Any], moto_paths: Mapping[str, Handler], own: type[EmulatedResponse] | None
) -> Handler:
    """Return one handler for all of a moto service's paths. ``own`` answers the operations that it has a method for."""
    handlers = [(re.compile(path.format("")), handler) for path, handler in moto_paths.items()]

    def observe(request: Any, full_url: str, headers: Any) -> Any:
        """Answer one request."""
        # A form is left to whoever reads it first, as moto expects.
        is_form = (request.content_type or "").startswith("application/x-www-form-urlencoded")
        call = Call.read(service.model, request, b"" if is_form else request.get_data())
        if own is not None and own.serves(call.operation_name):
            return own.dispatch(request, full_url, headers)

        def produce(entry: JournalEntry) -> Answer:
            entry.by_moto = True
            handler = next((handler for path, handler in handlers if path.match(request.raw_path)), None)
            if handler is None:
                error = UnknownOperationException(message=f"moto has no {request.method} {request.raw_path}.")
                return Answer.of_error(service.model, error.error_code, error.values, status=error.code)
            try:
                status, answered, body = handler(request, full_url, headers)
            except HTTPException as error:
                status, answered, body = error.code or 500, dict(error.get_headers()), error.get_body()
            return Answer(int(status), body, _error_code(int(status), answered, body), answered)

        answer = attend(service, request, call, produce)
        return answer.status, dict(answer.headers), answer.body

    return observe


def _error_code(status: int, headers: Mapping[str, Any], body: str | bytes) -> str | None:
    """Return the error code of an answer that moto made, whatever the protocol."""
    if status < 400:
        return None
    named = {name.lower(): str(value) for name, value in headers.items()}
    text = body.decode(errors="replace") if isinstance(body, bytes) else str(body)
    code = named.get("x-amzn-errortype")
    if match := _XML_CODE.search(text):
        code = match[1]
    elif code is None:
        try:
            content = json.loads(text)
        except ValueError:
            return None
        code = content.get("__type") if isinstance(content, dict) else None
    return None if code is None else code.rpartition("#")[2]
