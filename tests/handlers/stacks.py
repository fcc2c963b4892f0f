"""CloudFormation as the function asks it: stacks whose history a test writes, behind the SDK's own client."""

from __future__ import annotations

import datetime
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from botocore.awsrequest import AWSResponse

Fault = tuple[int, str] | Exception
"""HTTP status and error code, or what the connection raises."""

SECOND = datetime.timedelta(seconds=1)


@dataclass
class Stack:
    """One stack: its history, newest event first, and what each resource is now: physical id and status."""

    id: str
    parent: str = ""
    status: str = ""
    events: list[dict[str, str]] = field(default_factory=list)
    resources: dict[str, tuple[str, str]] = field(default_factory=dict)

    def happens(self, status: str, logical_id: str = "", physical_id: str = "", *, ago: float = 0.0) -> Stack:
        """An event of a resource so many seconds ago; of the stack itself if none is named."""
        moment = datetime.datetime.now(datetime.UTC) - ago * SECOND
        event = {"ResourceStatus": status, "Timestamp": moment.isoformat(timespec="milliseconds")}
        event |= {
            "LogicalResourceId": logical_id or "team",
            "PhysicalResourceId": physical_id if logical_id else self.id,
        }
        self.events.insert(0, event)
        if logical_id:
            self.resources[logical_id] = (physical_id, status)
        else:
            self.status = status
        return self


class Stacks:
    """The stacks that there are, and the questions that were asked.

    Attributes:
        asked: names of operations, one for each attempt.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.page = 100
        self._stacks: dict[str, Stack] = {}
        self._faults: dict[str, Fault] = {}

    def add(self, stack_id: str, parent: str = "") -> Stack:
        """A stack in which nothing has happened yet."""
        return self._stacks.setdefault(stack_id, Stack(stack_id, parent))

    def always_fail(self, operation: str, fault: Fault) -> None:
        """Every attempt of this operation fails so."""
        self._faults[operation] = fault

    def heal(self) -> None:
        """Nothing fails any more."""
        self._faults.clear()

    def behind(self, make_client: Callable[[str], Any]) -> Callable[[str], Any]:
        """The same clients, but these stacks are what they reach."""
        made: dict[str, Any] = {}

        def client(region: str) -> Any:
            if region not in made:
                made[region] = make_client(region)
                made[region].meta.events.register_first("before-send.cloudformation", self._answer)
            return made[region]

        return client

    # -- the wire -----------------------------------------------------------------------------------------------------

    def _answer(self, request: Any, **_: object) -> AWSResponse:
        body = request.body.decode() if isinstance(request.body, bytes) else request.body
        asked = {name: values[0] for name, values in parse_qs(body).items()}
        operation, stack = asked["Action"], self._stacks.get(asked["StackName"])
        self.asked.append(operation)
        fault = self._faults.get(operation)
        if isinstance(fault, Exception):
            raise fault
        if fault is not None:
            return _response(request, fault[0], _error(fault[1], "Rate exceeded"))
        if stack is None:
            return _response(request, 400, _error("ValidationError", f"Stack [{asked['StackName']}] does not exist"))
        if operation == "DescribeStackResource":
            name = asked["LogicalResourceId"]
            if name not in stack.resources:
                told = f"Resource {name} does not exist for stack {stack.id}"
                return _response(request, 400, _error("ValidationError", told))
            physical_id, status = stack.resources[name]
            detail = {"LogicalResourceId": name, "PhysicalResourceId": physical_id, "ResourceStatus": status}
            result = f"<StackResourceDetail>{_members(detail)}</StackResourceDetail>"
        elif operation == "DescribeStacks":
            described = {
                "StackId": stack.id,
                "StackName": "team",
                "StackStatus": stack.status,
                "ParentId": stack.parent,
            }
            result = f"<Stacks><member>{_members(described)}</member></Stacks>"
        else:
            begin = int(asked.get("NextToken", 0))
            shown = stack.events[begin : begin + self.page]
            more = f"<NextToken>{begin + self.page}</NextToken>" if begin + self.page < len(stack.events) else ""
            listed = "".join(f"<member>{_members(event)}</member>" for event in shown)
            result = f"<StackEvents>{listed}</StackEvents>{more}"
        return _response(request, 200, f"<R><{operation}Result>{result}</{operation}Result></R>")


def _members(values: dict[str, str]) -> str:
    return "".join(f"<{name}>{escape(value)}</{name}>" for name, value in values.items() if value)


def _error(code: str, message: str) -> str:
    return f"<ErrorResponse><Error><Code>{code}</Code><Message>{escape(message)}</Message></Error></ErrorResponse>"


def _response(request: Any, status: int, text: str) -> AWSResponse:
    return AWSResponse(request.url, status, {"Content-Type": "text/xml"}, _Body(text.encode()))


class _Body(io.BytesIO):
    def stream(self) -> Iterator[bytes]:
        yield self.read()
