"""The bucket behind a custom resource's ResponseURL: takes what is put there and judges it as CloudFormation does."""

import collections
import copy
import datetime
import json
import secrets
import socket
import ssl
import tempfile
import threading
import urllib.parse
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from engines.certificate import Certificate, make_certificate

Event = dict[str, Any]
RequestType = Literal["Create", "Update", "Delete"]
Outcome = Literal["stored", "refused", "cut", "cut after storing", "hung"]

MAXIMUM_BODY_BYTES = 4096
MAXIMUM_ID_BYTES = 1024

_STATUSES = ("SUCCESS", "FAILED")
_REQUIRED_MEMBERS = ("Status", "PhysicalResourceId", "StackId", "RequestId", "LogicalResourceId")
_OPTIONAL_MEMBERS = ("Reason", "NoEcho", "Data")
_ECHOED_MEMBERS = ("StackId", "RequestId", "LogicalResourceId")
_LARGEST_BODY_READ = 1 << 20


class BadAnswer(AssertionError):
    """An answer, or their number, breaks rules of the protocol; `problems` names every broken one."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Answer:
    """One request that reached a ResponseURL, judged.

    The members of the body are given as far as they could be read; what is missing or of another type is None (`data`:
    an empty dict). `outcome` tells what the bucket did with the request: only a stored one reaches CloudFormation.
    `problems` names every broken rule, in words; it is empty for a good answer.
    """

    method: str
    headers: Mapping[str, str]
    body: bytes
    outcome: Outcome
    http_status: int | None
    problems: tuple[str, ...]
    status: str | None = None
    physical_resource_id: str | None = None
    reason: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    no_echo: bool | None = None

    @property
    def stored(self) -> bool:
        """Whether the bucket holds this body now."""
        return self.outcome in ("stored", "cut after storing")


@dataclass(frozen=True)
class _Fault:
    kind: Literal["refuse", "hang", "cut", "cut after storing", "slow"]
    http_status: int = 0
    seconds: float = 0.0


class ResponseSink:
    """A local HTTPS server that plays the bucket; a context manager.

    Without a certificate it makes one, in a temporary folder that is removed at the end; whoever answers must trust
    `certificate.certificate` (see `Certificate.environment`). One sink serves any number of events, from any thread.
    """

    def __init__(self, certificate: Certificate | None = None) -> None:
        self._given_certificate = certificate
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._events: dict[str, Event] = {}
        self._answers: dict[str, list[Answer]] = {}
        self._strays: list[str] = []
        self._faults: collections.deque[_Fault] = collections.deque()
        self._news = threading.Condition()
        self._closing = threading.Event()

    def __enter__(self) -> Self:
        if self._given_certificate is not None:
            self.certificate = self._given_certificate
        else:
            self._folder = tempfile.TemporaryDirectory(prefix="response-sink-")
            self.certificate = make_certificate(Path(self._folder.name))
        self._closing.clear()
        self._server = _Server(self, self.certificate.server_context())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="response sink")
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.cut_connections()
        self._server.server_close()
        if self._folder is not None:
            self._folder.cleanup()

    @property
    def url(self) -> str:
        """The address of the server, without a path: https://localhost:<port>."""
        return f"https://localhost:{self._server.server_address[1]}"

    @property
    def strays(self) -> list[str]:
        """Requests that belong to no event of this sink, as "METHOD target", oldest first."""
        with self._news:
            return list(self._strays)

    # Events

    def event(
        self,
        request_type: RequestType,
        resource_type: str,
        properties: Mapping[str, Any],
        *,
        physical_resource_id: str | None = None,
        old_properties: Mapping[str, Any] | None = None,
        signed_at: datetime.datetime | None = None,
        region: str = "us-east-1",
        **overrides: Any,
    ) -> Event:
        """Build the event that CloudFormation sends to the function, and expect its answer.

        Scalars in the properties become strings and ServiceToken is added, as CloudFormation does. Update and Delete
        need `physical_resource_id`, Update `old_properties` as well. `signed_at` is when the ResponseURL was signed
        (now, if not given), `region` that of the stack and its function. `overrides` replace members of the event by
        name; None removes one. Each event has a RequestId and a ResponseURL of its own.

        Raises ValueError for an Update or Delete that lacks what it needs.
        """
        account = "123456789012"
        stack = "memberships/5ba6e5c0-6d1e-11f0-8a3b-0e2c5a1f9d47"
        service_token = f"arn:aws:lambda:{region}:{account}:function:aws-associations"
        event: Event = {
            "RequestType": request_type,
            "ServiceToken": service_token,
            "ResponseURL": "",
            "StackId": f"arn:aws:cloudformation:{region}:{account}:stack/{stack}",
            "RequestId": str(uuid.uuid4()),
            "LogicalResourceId": "Membership",
            "ResourceType": resource_type,
            "ResourceProperties": {"ServiceToken": service_token, **_as_strings(properties)},
        }
        if request_type != "Create":
            if physical_resource_id is None and "PhysicalResourceId" not in overrides:
                raise ValueError(f"{request_type} needs physical_resource_id")
            event["PhysicalResourceId"] = physical_resource_id
        if request_type == "Update":
            if old_properties is None and "OldResourceProperties" not in overrides:
                raise ValueError("Update needs old_properties")
            event["OldResourceProperties"] = {"ServiceToken": service_token, **_as_strings(old_properties or {})}
        event.update(overrides)
        if "ResponseURL" not in overrides:
            event["ResponseURL"] = self._signed_url(event, region, signed_at)
        event = {name: value for name, value in event.items() if value is not None}
        url = event.get("ResponseURL")
        if isinstance(url, str):
            with self._news:
                self._events[_target(url)] = copy.deepcopy(event)
                self._answers.setdefault(_target(url), [])
        return event

    @staticmethod
    def signature(event: Event) -> str:
        """Return the secret of the event's ResponseURL, 64 hexadecimal digits: whoever reads it can answer."""
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(event["ResponseURL"]).query)
        return query["X-Amz-Signature"][0]

    def _signed_url(self, event: Event, region: str, signed_at: datetime.datetime | None) -> str:
        signed = (signed_at or datetime.datetime.now(datetime.UTC)).astimezone(datetime.UTC)
        key = "|".join(str(event.get(name) or "none") for name in ("StackId", "LogicalResourceId", "RequestId"))
        query = {
            "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
            "X-Amz-Date": signed.strftime("%Y%m%dT%H%M%SZ"),
            "X-Amz-SignedHeaders": "host",
            "X-Amz-Expires": "7200",
            "X-Amz-Credential": f"AKIA{secrets.token_hex(8).upper()}/{signed:%Y%m%d}/{region}/s3/aws4_request",
            "X-Amz-Signature": secrets.token_hex(32),
        }
        bucket = f"cloudformation-custom-resource-response-{region.replace('-', '')}"
        # On AWS the bucket is in the host name; here the host must be this machine, so it is the head of the path.
        return f"{self.url}/{bucket}/{urllib.parse.quote(key, safe='')}?{urllib.parse.urlencode(query)}"

    # Answers

    def answers(self, event: Event) -> list[Answer]:
        """Return every request that reached the event's URL so far, oldest first, good or bad."""
        with self._news:
            return list(self._answers[_target(event["ResponseURL"])])

    def answer(self, event: Event, *, wait: float = 0.0) -> Answer:
        """Return the one answer to the event, waiting up to `wait` seconds until it is stored.

        Repeating the same body after a failed PUT is allowed; anything sent after a PUT that was acknowledged is not,
        nor is a second, different body. Raises BadAnswer naming every broken rule.
        """
        target = _target(event["ResponseURL"])
        with self._news:
            self._news.wait_for(lambda: any(answer.stored for answer in self._answers[target]), wait)
            received = list(self._answers[target])
        stored = [answer for answer in received if answer.stored]
        problems = [problem for answer in received for problem in answer.problems]
        if not stored:
            problems.append(f"no answer is stored ({len(received)} requests received)")
        acknowledged = [index for index, answer in enumerate(received) if answer.outcome == "stored"]
        if acknowledged and acknowledged[0] != len(received) - 1:
            problems.append(f"{len(received) - 1 - acknowledged[0]} more sent after an answer was acknowledged")
        if len({answer.body for answer in received}) > 1:
            problems.append("the answers to one event differ")
        if problems:
            raise BadAnswer(tuple(dict.fromkeys(problems)))
        return stored[0]

    # Faults: each PUT uses up the oldest one that is left

    def refuse(self, status: int, times: int = 1) -> None:
        """Answer the next `times` requests with this HTTP status and store nothing."""
        self._add_faults(_Fault("refuse", http_status=status), times)

    def hang(self, times: int = 1) -> None:
        """Take the next `times` requests and never answer them, until the client gives up or the sink ends."""
        self._add_faults(_Fault("hang"), times)

    def cut(self, times: int = 1, *, after_storing: bool = False) -> None:
        """Close the connection on the next `times` requests without an answer, the body stored before or not."""
        self._add_faults(_Fault("cut after storing" if after_storing else "cut"), times)

    def slow(self, seconds: float, times: int = 1) -> None:
        """Store the next `times` requests, but acknowledge each only after `seconds`."""
        self._add_faults(_Fault("slow", seconds=seconds), times)

    def forgive(self) -> None:
        """Forget the faults that are still to come."""
        with self._news:
            self._faults.clear()

    def _add_faults(self, fault: _Fault, times: int) -> None:
        with self._news:
            self._faults.extend([fault] * times)

    # Called by the server

    def _take_fault(self) -> _Fault | None:
        with self._news:
            return self._faults.popleft() if self._faults else None

    def _event_of(self, target: str) -> Event | None:
        with self._news:
            return self._events.get(target)

    def _record(self, target: str, answer: Answer) -> None:
        with self._news:
            self._answers[target].append(answer)
            self._news.notify_all()

    def _record_stray(self, request: str) -> None:
        with self._news:
            self._strays.append(request)

    def _pause(self, seconds: float | None) -> None:
        self._closing.wait(seconds)


class _Server(ThreadingHTTPServer):
    # Joined at the end: whoever leaves the sink has every request in the record.
    daemon_threads = False
    block_on_close = True

    def __init__(self, sink: ResponseSink, context: ssl.SSLContext) -> None:
        self.sink = sink
        self._context = context
        self._connections: set[socket.socket] = set()
        self._guard = threading.Lock()
        super().__init__(("127.0.0.1", 0), _Requests)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Do the TLS handshake in the connection's own thread: a client that stalls there holds up nobody."""
        request.settimeout(30)
        try:
            connection = self._context.wrap_socket(request, server_side=True)
        except OSError:
            # The client does not trust us or went away; it has the error.
            return
        with self._guard:
            self._connections.add(connection)
        try:
            _Requests(connection, client_address, self)
        except OSError:
            # The client went away in the middle, as in a time-out; what arrived is in the record.
            pass
        finally:
            with self._guard:
                self._connections.discard(connection)
            connection.close()

    def cut_connections(self) -> None:
        """End every open connection, so that the threads that serve them end."""
        with self._guard:
            for connection in self._connections:
                _shut_down(connection)


class _Requests(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def _receive(self) -> None:
        sink = self.server.sink
        event = sink._event_of(self.path)
        if event is None:
            sink._record_stray(f"{self.command} {self.path}")
            self._read_body()
            self._reply(403)
            return
        body, problems = self._read_body()
        # Without a length the real bucket does not know what to store.
        refused_by_bucket = self._length() is None
        if self.command != "PUT":
            problems.append(f"method is {self.command}, not PUT")
            refused_by_bucket = True
        content_type = self.headers.get("Content-Type", "")
        if content_type:
            # It is part of what was signed: the real bucket answers SignatureDoesNotMatch.
            problems.append(f"content-type is {content_type!r}, not empty")
            refused_by_bucket = True
        members, body_problems = judge(body, event)
        problems += body_problems
        fault = sink._take_fault()
        outcome, status = _outcome(fault, refused_by_bucket)
        sink._record(
            self.path,
            Answer(
                method=self.command,
                headers=dict(self.headers.items()),
                body=body,
                outcome=outcome,
                http_status=status,
                problems=tuple(problems),
                **members,
            ),
        )
        if fault is not None and fault.kind == "slow":
            sink._pause(fault.seconds)
        if outcome == "hung":
            sink._pause(None)
        if status is None:
            _shut_down(self.connection)
        else:
            self._reply(status)

    do_PUT = do_POST = do_GET = do_DELETE = do_PATCH = _receive  # noqa: N815 - looked up by these names

    def _length(self) -> int | None:
        text = self.headers.get("Content-Length", "")
        usable = text.isdecimal() and int(text) <= _LARGEST_BODY_READ and "Transfer-Encoding" not in self.headers
        return int(text) if usable else None

    def _read_body(self) -> tuple[bytes, list[str]]:
        # Each connection serves one request: only so can be told whether more was sent than announced.
        self.close_connection = True
        length = self._length()
        if length is None:
            announced = self.headers.get("Content-Length") or self.headers.get("Transfer-Encoding")
            return self._read_for_a_moment(), [f"content-length is no number of bytes but {announced!r}"]
        try:
            body = self.rfile.read(length)
        except OSError:
            body = b""
        if len(body) < length:
            return body, [f"content-length is {length}, but the body did not arrive in full"]
        if self._read_for_a_moment():
            return body, [f"content-length is {length}, but the body is longer"]
        return body, []

    def _read_for_a_moment(self) -> bytes:
        """Return what is there already or arrives in the next milliseconds."""
        timeout = self.connection.gettimeout()
        self.connection.settimeout(0.002)
        received = b""
        try:
            while more := self.rfile.read1(_LARGEST_BODY_READ):
                received += more
        except OSError:
            # The time is over: nothing more was sent.
            pass
        finally:
            self.connection.settimeout(timeout)
        return received

    def _reply(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.send_header("Connection", "close")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        """Write nothing: the answers are the record, and a URL in the test's output would be a leak."""


def _outcome(fault: _Fault | None, refused_by_bucket: bool) -> tuple[Outcome, int | None]:
    if fault is not None:
        match fault.kind:
            case "refuse":
                return "refused", fault.http_status
            case "hang":
                return "hung", None
            case "cut" | "cut after storing":
                return fault.kind, None
            case "slow":
                pass
    return ("refused", 403) if refused_by_bucket else ("stored", 200)


def judge(body: bytes, event: Event) -> tuple[dict[str, Any], list[str]]:
    """Return the members that could be read, as arguments of Answer, and the rules that the body breaks."""
    problems: list[str] = []
    if len(body) > MAXIMUM_BODY_BYTES:
        problems.append(f"body has {len(body)} bytes, more than {MAXIMUM_BODY_BYTES}")
    try:
        content = json.loads(body.decode("utf-8"), object_pairs_hook=_unique_members, parse_constant=_no_constant)
    except ValueError as error:
        return {}, [*problems, f"body is not JSON: {error}"]
    if not isinstance(content, dict):
        return {}, [*problems, f"body is not a JSON object but {type(content).__name__}"]
    problems += [f"{name} is missing" for name in _REQUIRED_MEMBERS if name not in content]
    unexpected = sorted(content.keys() - {*_REQUIRED_MEMBERS, *_OPTIONAL_MEMBERS})
    problems += [f"{name} is not a member of an answer" for name in unexpected]
    status = content.get("Status")
    if "Status" in content and status not in _STATUSES:
        problems.append(f"Status is {status!r}, not SUCCESS or FAILED")
    for name in _ECHOED_MEMBERS:
        if name in content and content[name] != event.get(name):
            problems.append(f"{name} is {content[name]!r}, the event's is {event.get(name)!r}")
    problems += _judge_id(content)
    reason = content.get("Reason")
    if "Reason" in content and not isinstance(reason, str):
        problems.append("Reason is not a string")
    elif status == "FAILED" and not reason:
        problems.append("Reason is missing, though Status is FAILED")
    data = content.get("Data", {})
    if not isinstance(data, dict):
        problems.append(f"Data is not an object but {type(data).__name__}")
    else:
        for name, value in data.items():
            if value is None or isinstance(value, (dict, list)):
                problems.append(f"Data.{name} is {type(value).__name__}, which has no string value")
    no_echo = content.get("NoEcho")
    if "NoEcho" in content and not isinstance(no_echo, bool):
        problems.append(f"NoEcho is {no_echo!r}, not true or false")
    physical_resource_id = content.get("PhysicalResourceId")
    return {
        "status": status if isinstance(status, str) else None,
        "physical_resource_id": physical_resource_id if isinstance(physical_resource_id, str) else None,
        "reason": reason if isinstance(reason, str) else None,
        "data": data if isinstance(data, dict) else {},
        "no_echo": no_echo if isinstance(no_echo, bool) else None,
    }, problems


def _judge_id(content: dict[str, Any]) -> list[str]:
    if "PhysicalResourceId" not in content:
        return []
    value = content["PhysicalResourceId"]
    if not isinstance(value, str):
        return [f"PhysicalResourceId is not a string but {type(value).__name__}"]
    if not value:
        return ["PhysicalResourceId is empty"]
    size = len(value.encode("utf-8", "surrogatepass"))
    if size > MAXIMUM_ID_BYTES:
        return [f"PhysicalResourceId has {size} bytes, more than {MAXIMUM_ID_BYTES}"]
    return []


def _unique_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member appears twice")
    return members


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _as_strings(value: Any) -> Any:
    """Return the value as CloudFormation sends it: every scalar a string."""
    if isinstance(value, Mapping):
        return {name: _as_strings(member) for name, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [_as_strings(member) for member in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _target(url: str) -> str:
    parts = urllib.parse.urlsplit(url)
    return f"{parts.path}?{parts.query}"


def _shut_down(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        # Already gone, which is what was wanted.
        return
