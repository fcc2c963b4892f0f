"""What the tests of the CloudFormation side share: the function, the bucket for its answers, and the services."""

from __future__ import annotations

import contextlib
import datetime
import io
import itertools
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import pytest

from association_emulator.control import EmulatorControl as AnyControl
from association_emulator.journal import JournalEntry
from association_emulator.remote import RemoteControl
from aws_associations.identity import AssociationId, Identity
from aws_associations.kind import Kind
from aws_associations.kinds.finspace_permission_group_membership import KIND as PERMISSION_GROUP_MEMBERSHIP
from aws_associations_lambda import index
from aws_associations_lambda.responder import AnswerNotDeliveredError
from engines.response_sink import Answer, Event, RequestType, ResponseSink
from finspace_emulator.control import EmulatorControl
from tests.contract.scenery import OTHERS, SCENERY, Values, module_of
from tests.handlers.stacks import Stack, Stacks

ACCOUNT, REGION = "123456789012", "us-east-1"
TYPE = "Custom::FinSpacePermissionGroupMembership"
GROUP, USER = "analysts", "alice"
STACK = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/memberships/5ba6e5c0-6d1e-11f0-8a3b-0e2c5a1f9d47"
MARKER = "not-created/Membership"
TABLE = "associations"

LOOK = "ListPermissionGroupsByUser"
ASSOCIATE = "AssociateUserToPermissionGroup"
DISASSOCIATE = "DisassociateUserFromPermissionGroup"

_environments = itertools.count(1)


class Context:
    """What Lambda gives a handler; its time runs from the start of the invocation."""

    def __init__(self, seconds: float, region: str = REGION) -> None:
        self._end = time.monotonic() + seconds
        self.invoked_function_arn = f"arn:aws:lambda:{region}:{ACCOUNT}:function:aws-associations"
        self.function_name = "aws-associations"
        self.aws_request_id = "a-request-of-lambda"

    def get_remaining_time_in_millis(self) -> int:
        return int((self._end - time.monotonic()) * 1000)


class EmulatorClock:
    """Real time, but sleeping moves the service's clock and ours at once, so that no test waits."""

    def __init__(self, control: RemoteControl) -> None:
        self._control = control
        self._slept = 0.0

    def now(self) -> float:
        return time.monotonic() + self._slept

    def utc_now(self) -> datetime.datetime:
        return datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=self._slept)

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


class Function:
    """The function in this process, warm from test to test, before a bucket over TLS that takes its answers."""

    resource_type: str

    def __init__(self, sink: ResponseSink, stacks: Stacks) -> None:
        self.sink = sink
        self.stacks = stacks
        self.lines = Lines()

    def declared(self) -> dict[str, Any]:
        """The properties of a request that names none."""
        raise NotImplementedError

    def event(self, request_type: RequestType, properties: Mapping[str, Any] | None = None, **more: Any) -> Event:
        declared = self.declared() if properties is None else properties
        return self.sink.event(request_type, more.pop("resource_type", self.resource_type), declared, **more)

    def deliver(self, event: object, *, seconds: float = 60.0, region: str = REGION) -> None:
        """Invoke the function once, as Lambda does; it answers or raises."""
        with self.capture():
            index.handler(event, Context(seconds, region))

    @contextmanager
    def capture(self) -> Iterator[None]:
        """Keep what is written to standard output in ``lines``."""
        output = io.StringIO()
        try:
            with contextlib.redirect_stdout(output):
                yield
        finally:
            self.lines = Lines(output.getvalue())

    def answer(self, event: Event, *, seconds: float = 60.0, region: str = REGION) -> Answer:
        """Invoke the function once and return its one answer, which broke no rule."""
        self.deliver(event, seconds=seconds, region=region)
        return self.sink.answer(event)

    def lose(self, event: Event, *, seconds: float = 60.0) -> None:
        """Invoke the function once; its answer is ready and nobody takes it, so the invocation fails."""
        self.sink.refuse(503, times=50)
        with patch("aws_associations_lambda.responder._LONGEST_DELIVERY", 0.2), pytest.raises(AnswerNotDeliveredError):
            self.deliver(event, seconds=seconds)
        self.sink.forgive()

    def redeliver(self, event: Event, *, seconds: float = 60.0) -> Answer:
        """Invoke the function again with an event whose answer was lost or is overdue; return the newest answer."""
        self.deliver(event, seconds=seconds)
        return [answer for answer in self.sink.answers(event) if answer.stored][-1]

    @property
    def stack(self) -> Stack:
        """The stack of the requests, as CloudFormation tells of it."""
        return self.stacks.add(STACK)

    def create(self, properties: Mapping[str, Any] | None = None, **more: Any) -> Answer:
        return self.answer(self.event("Create", properties, **more))

    def update(
        self, physical_id: str, properties: Mapping[str, Any], old: Mapping[str, Any] | None = None, **more: Any
    ) -> Answer:
        old = self.declared() if old is None else old
        return self.answer(
            self.event("Update", properties, physical_resource_id=physical_id, old_properties=old, **more)
        )

    def delete(self, physical_id: str, properties: Mapping[str, Any] | None = None, **more: Any) -> Answer:
        return self.answer(self.event("Delete", properties, physical_resource_id=physical_id, **more))


class Stage(Function):
    """The function before FinSpace.

    Each has an environment of its own, so that what the function keeps for longer than a request is never of another
    test.
    """

    resource_type = TYPE

    def __init__(self, sink: ResponseSink, control: EmulatorControl, stacks: Stacks) -> None:
        super().__init__(sink, stacks)
        self.control = control
        self.environment = f"env{next(_environments)}"
        self.add(GROUP, USER)
        self.control.clear_journal()

    # Parties and ids

    def add(self, group: str, user: str) -> None:
        """Make the parties, not the membership."""
        self.control.add_permission_group(self.environment, group)
        self.control.add_user(self.environment, user)

    def declared(self) -> dict[str, Any]:
        return self.properties()

    def properties(self, group: str = GROUP, user: str = USER, **more: Any) -> dict[str, Any]:
        return {"EnvironmentId": self.environment, "PermissionGroupId": group, "UserId": user, **more}

    def id(self, group: str = GROUP, user: str = USER, *, adopted: bool = False) -> str:
        """The id text of a membership."""
        values = {"environment_id": self.environment, "permission_group_id": group, "user_id": user}
        return AssociationId(Identity.of(PERMISSION_GROUP_MEMBERSHIP, ACCOUNT, REGION, values), adopted).text

    def grant(self, group: str = GROUP, user: str = USER) -> None:
        """Make a member as somebody else would."""
        assert self.control.grant(self.environment, group, user)

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


class KindStage(Function):
    """The function before one kind's parties, in an emulator in this process. What the scenery does is others' work."""

    def __init__(self, sink: ResponseSink, kind: Kind, stacks: Stacks, make_table: Callable[[str], None]) -> None:
        super().__init__(sink, stacks)
        self.make_table = make_table
        self.kind = kind
        self.resource_type = kind.cloudformation_type
        self.control = AnyControl()
        self.scenery = SCENERY[module_of(kind)](self.control, kind)
        self.scenery.arrange()
        self.control.clear_journal()

    def declared(self) -> dict[str, Any]:
        return self.properties()

    def values(self, *others: str, **changed: str) -> Values:
        """The parts of the association that the tests declare, some as the scenery's other ones, some as given."""
        return {**self.scenery.values, **{name: self.scenery.others[name] for name in others}, **changed}

    def properties(self, values: Values | None = None, /, **more: Any) -> dict[str, Any]:
        """What a template declares for these parts: all of them, by CloudFormation's names."""
        values = values or self.values()
        return {**{part.property_name: values[part.name] for part in self.kind.parts if part.name in values}, **more}

    def id(self, values: Values | None = None, *, adopted: bool = False, region: str = REGION) -> str:
        """The id text of an association."""
        return AssociationId(Identity.of(self.kind, ACCOUNT, region, values or self.values()), adopted).text

    def granted(self) -> list[Values]:
        """What is granted in truth, in an order that does not matter."""
        return sorted(self.scenery.granted(), key=lambda values: sorted(values.items()))

    def calls(self) -> list[str | None]:
        """The operations that the function called, in order."""
        return [entry.operation for entry in self.journal()]

    def journal(self, *operations: str) -> list[JournalEntry]:
        """What the function sent, attempt by attempt; of some operations if they are named."""
        entries = [entry for entry in self.control.journal() if entry.access_key_id != OTHERS]
        return [entry for entry in entries if not operations or entry.operation in operations]

    def writes(self) -> list[str | None]:
        """The associates and disassociates that the function sent, attempt by attempt."""
        return [entry.operation for entry in self.journal(self.kind.associate, self.kind.disassociate)]


def shown(answer: Answer) -> tuple[str | None, str | None]:
    """What CloudFormation acts on: status and physical id."""
    return answer.status, answer.physical_resource_id
