"""The function's host: the three questions to CloudFormation that no record answers, and the log.

An ordinary Create, Update, Delete or rollback asks nothing here. Statuses: "Stack status codes", AWS CloudFormation
User Guide.
"""

from __future__ import annotations

import datetime
import functools
from collections.abc import Iterator, Mapping
from typing import Any

from aws_associations.errors import AssociationError, CannotAsk, Throttling
from aws_associations.identity import Identity, parse_or_none
from aws_associations.records import Claim, Owner
from aws_associations.service import new_session
from aws_associations_lambda import log
from aws_associations_lambda.event import Event
from aws_associations_lambda.words import WORDS

_BEGUN = frozenset({"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "IMPORT_IN_PROGRESS"})
_COMPLETE = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"})
_COMPLETED = _COMPLETE | {"UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"}
_GIVEN_UP = frozenset({"DELETE_COMPLETE", "DELETE_SKIPPED"})
_THROTTLED = frozenset({"Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequestsException"})

_SKEW = 2.0
"""Seconds by which clocks may differ."""

_EVENT_DAYS = 90
"""How long CloudFormation keeps the events of a stack ("View stack events", AWS CloudFormation User Guide)."""

_SECONDS_BETWEEN_LINES = 30.0


class CloudFormationHost:
    """What CloudFormation knows of one request, and where its notes go."""

    words = WORDS

    def __init__(self, event: Event, account: str, region: str, now: datetime.datetime) -> None:
        """Args: account, region: the function's own; stacks elsewhere cannot be asked."""
        self._event, self._account, self._region, self._now = event, account, region, now.timestamp()
        self._said = 0.0

    def took(self, id_text: str, since: float) -> bool:
        """Return whether the resource has this id, or an event since then names it."""
        stack, logical_id = self._event.stack_id, self._event.logical_id
        if self._resource(stack, logical_id).get("PhysicalResourceId") == id_text:
            return True
        if self._has_no_events_of(since):
            raise CannotAsk(f"stack {stack} keeps the events of {_EVENT_DAYS} days only")
        return any(
            event["LogicalResourceId"] == logical_id
            and event.get("PhysicalResourceId") == id_text
            and event["ResourceStatus"] not in {"CREATE_FAILED", "UPDATE_FAILED"}
            for event in self._events(stack, since - _SKEW)
        )

    def stands(self, owner: Owner, claim: Claim, identity: Identity) -> bool:
        """Return whether another resource still has the association, or the running operation deals with it."""
        if owner.host != "cloudformation":
            raise CannotAsk(f"{owner} is Pulumi's")
        (stack,), (logical_id,) = owner.stack, owner.name
        if self._has(stack, logical_id, identity):
            return True
        if str(self._stack(stack).get("StackStatus", "")).endswith("IN_PROGRESS"):
            newest = next((event for event in self._running(stack) if event["LogicalResourceId"] == logical_id), None)
            if newest is None:
                # Events lag: it may have got another id a moment ago, and a rollback may give it this one back.
                return bool(self._resource(stack, logical_id))
            if newest["ResourceStatus"] != "DELETE_COMPLETE":
                return True
            deleted = parse_or_none(identity.kind, str(newest.get("PhysicalResourceId") or ""))
            # The clean-up of another id tells nothing: a rollback may be about to give it this one back.
            return deleted is not None and deleted.identity != identity
        # The operation may have ended between the two answers.
        return self._has(stack, logical_id, identity)

    def adoption_completed(self, since: float) -> bool:
        """Return whether the stack, and every stack around it, completed after that and before what it does now."""
        if self._has_no_events_of(since):
            return True  # no operation lasts that long, and one that rolled back has let go of it
        stack = self._event.stack_id
        while stack:
            if not self._completed_between(stack, since):
                return False
            stack = str(self._stack(stack).get("ParentId") or "")
        return True

    def note(self, event: str, fields: Mapping[str, object], *, warning: bool = False) -> None:
        """Write a log line."""
        names = {
            "stack": self._event.stack_id,
            "logical_id": self._event.logical_id,
            "request": self._event.request_id,
        }
        log.line(event, warning=warning, **{**names, **fields})

    def waiting(self, seconds: float, fields: Mapping[str, object]) -> None:
        """Write a log line in thirty seconds."""
        if seconds - self._said >= _SECONDS_BETWEEN_LINES:
            self._said = seconds
            self.note("waiting", fields)

    # -- what stacks show ---------------------------------------------------------------------------------------------

    def _has_no_events_of(self, moment: float) -> bool:
        return self._now - moment > _EVENT_DAYS * 86_400

    def _completed_between(self, stack: str, since: float) -> bool:
        running = True
        for event in self._events(stack, since):
            if event.get("PhysicalResourceId") != stack:
                continue
            if not running and event["ResourceStatus"] in _COMPLETED:
                return True
            running = running and event["ResourceStatus"] not in _BEGUN
        return False

    def _running(self, stack: str) -> Iterator[Mapping[str, Any]]:
        """The events of the running operation, newest first."""
        for event in self._events(stack, 0.0):
            yield event
            if event.get("PhysicalResourceId") == stack and event["ResourceStatus"] in _BEGUN:
                return

    def _events(self, stack: str, since: float) -> Iterator[Mapping[str, Any]]:
        """Newest first, back to that moment."""
        page: dict[str, str] = {}
        while True:
            answer = self._ask("describe_stack_events", stack, **page)
            for event in answer.get("StackEvents", ()):
                if event["Timestamp"].timestamp() < since:
                    return
                yield event
            if not answer.get("NextToken"):
                return
            page = {"NextToken": answer["NextToken"]}

    def _has(self, stack: str, logical_id: str, identity: Identity) -> bool:
        """Whether the resource has the association, or is about to have it."""
        resource = self._resource(stack, logical_id)
        status = str(resource.get("ResourceStatus") or "")
        known = parse_or_none(identity.kind, str(resource.get("PhysicalResourceId") or ""))
        has = known is not None and known.identity == identity and status not in _GIVEN_UP
        return has or status in {"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"}

    def _resource(self, stack: str, logical_id: str) -> Mapping[str, Any]:
        """One resource of a stack; empty: there is none."""
        answer = self._ask("describe_stack_resource", stack, LogicalResourceId=logical_id)
        resource: Mapping[str, Any] = answer.get("StackResourceDetail", {})
        return resource

    def _stack(self, stack: str) -> Mapping[str, Any]:
        """One stack; empty: there is none."""
        described: Mapping[str, Any] = next(iter(self._ask("describe_stacks", stack).get("Stacks", ())), {})
        return described

    def _ask(self, operation: str, stack: str, **parameters: str) -> Mapping[str, Any]:
        """Call CloudFormation; empty: it says that there is no such stack or resource. Raises AssociationError."""
        _, _, _, region, account, *_ = f"{stack}:::::".split(":")
        if (region, account) != (self._region, self._account):
            raise CannotAsk(f"stack {stack} is in account {account} and region {region}")
        try:
            call = getattr(_client(region), operation)
            answer: Mapping[str, Any] = call(StackName=stack, **parameters)
        except Exception as error:  # every error of a library becomes one of ours, here and nowhere else
            if "does not exist" in str(error):
                return {}
            raise _unanswered(error, operation) from error
        return answer


def _unanswered(error: Exception, operation: str) -> AssociationError:
    described: Mapping[str, Any] = getattr(error, "response", None) or {}
    code = described.get("Error", {}).get("Code", type(error).__name__)
    status = described.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    name = "".join(word.capitalize() for word in operation.split("_"))
    if code in _THROTTLED or status >= 500 or status == 429:
        return Throttling(f"{name} answered {code}")
    if not described:
        return CannotAsk(f"{name} did not reach CloudFormation ({code})")
    return CannotAsk(f"{name} answered {code}; the function's role needs cloudformation:{name}")


@functools.cache
def _client(region: str) -> Any:
    from botocore.config import Config

    # Short: a decision waits for it, and every decision has a rule for no answer.
    config = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})
    return new_session().create_client("cloudformation", region_name=region, config=config)


def moment_of(event: Event, now: datetime.datetime) -> float:
    """When CloudFormation made the request, epoch seconds; now if its URL does not tell."""
    return (event.signed or now).timestamp()
