"""What the tests of the CloudFormation side share: the function, the bucket that takes its answers, and FinSpace."""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aws_associations.identity import AssociationId, Identity
from aws_associations.kinds.finspace import PERMISSION_GROUP_MEMBERSHIP
from aws_associations_lambda import index
from engines.response_sink import Answer, Event, RequestType, ResponseSink
from finspace_emulator.control import EmulatorControl

ACCOUNT, REGION = "123456789012", "us-east-1"
FUNCTION_ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:aws-associations"
TYPE = "Custom::FinSpacePermissionGroupMembership"
GROUP, USER = "analysts", "alice"
MARKER = "not-created/Membership"

LOOK = "ListPermissionGroupsByUser"
ASSOCIATE = "AssociateUserToPermissionGroup"
DISASSOCIATE = "DisassociateUserFromPermissionGroup"

_environments = itertools.count(1)


class Context:
    """What Lambda gives a handler; its time runs from the start of the invocation."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds
        self.invoked_function_arn = FUNCTION_ARN
        self.function_name = "aws-associations"
        self.aws_request_id = "a-request-of-lambda"

    def get_remaining_time_in_millis(self) -> int:
        return int((self._end - time.monotonic()) * 1000)


class EmulatorClock:
    """Real time, but sleeping moves the service's clock and ours at once, so that no test waits."""

    def __init__(self, control: EmulatorControl) -> None:
        self._control = control
        self._slept = 0.0

    def now(self) -> float:
        return time.monotonic() + self._slept

    def sleep(self, seconds: float) -> None:
        self._slept += seconds
        self._control.advance(seconds)


@dataclass
class Lines:
    """What one invocation wrote to standard output."""

    text: str = ""

    def named(self, event: str) -> list[dict[str, Any]]:
        """Return the structured lines of this name."""
        lines = [json.loads(line) for line in self.text.splitlines()]
        return [line for line in lines if line["event"] == event]


@dataclass
class Stage:
    """The function in this process, warm from test to test, before an emulator and a bucket over TLS.

    Each has an environment of its own, so that what the function keeps for longer than a request is never of another
    test.
    """

    sink: ResponseSink
    control: EmulatorControl
    environment: str = field(default_factory=lambda: f"env{next(_environments)}")
    lines: Lines = field(default_factory=Lines)

    def __post_init__(self) -> None:
        self.add(GROUP, USER)
        self.control.clear_journal()

    # Parties and ids

    def add(self, group: str, user: str) -> None:
        """Make the parties, not the membership."""
        self.control.add_permission_group(self.environment, group)
        self.control.add_user(self.environment, user)

    def properties(self, group: str = GROUP, user: str = USER, **more: Any) -> dict[str, Any]:
        return {"EnvironmentId": self.environment, "PermissionGroupId": group, "UserId": user, **more}

    def id(self, group: str = GROUP, user: str = USER, *, adopted: bool = False) -> str:
        """The id text of a membership."""
        values = {"environment_id": self.environment, "permission_group_id": group, "user_id": user}
        return AssociationId(Identity.of(PERMISSION_GROUP_MEMBERSHIP, ACCOUNT, REGION, values), adopted).text

    def grant(self, group: str = GROUP, user: str = USER) -> None:
        """Make a member as somebody else would."""
        assert self.control.grant(self.environment, group, user)

    # Requests

    def event(self, request_type: RequestType, properties: Mapping[str, Any] | None = None, **more: Any) -> Event:
        declared = self.properties() if properties is None else properties
        return self.sink.event(request_type, more.pop("resource_type", TYPE), declared, **more)

    def deliver(self, event: object, *, seconds: float = 60.0) -> None:
        """Invoke the function once, as Lambda does; it answers or raises."""
        with self.capture():
            index.handler(event, Context(seconds))

    @contextmanager
    def capture(self) -> Iterator[None]:
        """Keep what is written to standard output in ``lines``."""
        output = io.StringIO()
        try:
            with contextlib.redirect_stdout(output):
                yield
        finally:
            self.lines = Lines(output.getvalue())

    def answer(self, event: Event, *, seconds: float = 60.0) -> Answer:
        """Invoke the function once and return its one answer, which broke no rule."""
        self.deliver(event, seconds=seconds)
        return self.sink.answer(event)

    def create(self, properties: Mapping[str, Any] | None = None, **more: Any) -> Answer:
        return self.answer(self.event("Create", properties, **more))

    def update(
        self, physical_id: str, properties: Mapping[str, Any], old: Mapping[str, Any] | None = None, **more: Any
    ) -> Answer:
        old = self.properties() if old is None else old
        return self.answer(
            self.event("Update", properties, physical_resource_id=physical_id, old_properties=old, **more)
        )

    def delete(self, physical_id: str, properties: Mapping[str, Any] | None = None, **more: Any) -> Answer:
        return self.answer(self.event("Delete", properties, physical_resource_id=physical_id, **more))

    def warm_up(self) -> None:
        """Let the function build its client and get its credentials, so that a test can count in tenths of a second."""
        self.delete(self.id())
        self.control.clear_journal()

    # The truth

    def members(self) -> set[tuple[str, str]]:
        """(group, user) of every membership there is in this environment, whatever the lists show."""
        return {(now.permission_group_id, now.user_id) for now in self.control.memberships(self.environment)}

    def calls(self) -> list[str | None]:
        """The operations received so far, in order, without the exchange of credentials."""
        names = [entry.operation for entry in self.control.journal()]
        return [name for name in names if name != "GetProgrammaticAccessCredentials"]


def shown(answer: Answer) -> tuple[str | None, str | None]:
    """What CloudFormation acts on: status and physical id."""
    return answer.status, answer.physical_resource_id
