"""What this function knows beyond the event: from its process, its stack and its log. The core decides what follows."""

from __future__ import annotations

import datetime
import os
import uuid
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from aws_associations.errors import Throttling
from aws_associations.host import Holders, Remainder
from aws_associations.identity import Identity, parse_or_none
from aws_associations.kind import Kind
from aws_associations.waiting import Deadline
from aws_associations_lambda import log
from aws_associations_lambda.asking import Ask, Asking, CannotTellError
from aws_associations_lambda.event import Event
from aws_associations_lambda.own_log import ANNOUNCED, Announcement, OwnLog
from aws_associations_lambda.own_stack import LATEST, OwnStack

_T = TypeVar("_T")

_SECONDS_BETWEEN_LINES = 30.0

_CREATED = datetime.timedelta(seconds=1)
"""How long it takes at least from a request until its resource was created and deleted again."""


class CloudFormationHost:
    """The evidence for one delivery of one request, and where its notes go.

    Attributes:
        late: it may be a repeated delivery.
        untold: what could not be asked, and why; for the message of whoever would have needed it.
    """

    def __init__(
        self,
        event: Event,
        account: str,
        region: str,
        deadline: Deadline,
        *,
        granted_here: Callable[[Identity], bool],
        utc_now: Callable[[], datetime.datetime],
    ) -> None:
        """Args: account, region: the function's own; granted_here: whether this process granted it for this request."""
        self._event = event
        self.late = False
        self._request = (event.stack_id, event.logical_id, event.request_id)
        self._granted_here = granted_here
        self._utc_now = utc_now
        self._announced = datetime.datetime.min.replace(tzinfo=datetime.UTC)
        theirs = event.account
        ask: Ask = Asking("cloudformation", region, deadline) if theirs == account else _out_of_reach(theirs, account)
        self._stack = OwnStack(event.stack_id, event.logical_id, ask, lambda: deadline.moment)
        self._log = OwnLog(os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME", ""), Asking("logs", region, deadline))
        # One delivery of a request is told from another by it, in the log.
        self._delivery = uuid.uuid4().hex
        self.untold: dict[str, str] = {}
        self._said = 0.0

    def holders(self, identity: Identity) -> Holders | None:
        """Which resources of the stack hold it; raises Throttling if that can be told later."""

        def ask() -> Holders:
            try:
                return self._stack.holders(identity, self._event.signed)
            except CannotTellError as error:
                if error.passing:
                    raise Throttling(f"it cannot be told which resources of the stack hold it: {error}") from error
                raise

        return self._asked("which resources of the stack hold it", ask)

    def live(self) -> bool | None:
        """Whether the stack waits for this request. If that cannot be told, an old one counts as over.

        But an old Delete that may be waited for must not be answered with success: raises Throttling if it can be told
        later, and says what may remain if not.
        """
        event = self._event
        deleting = self.late and event.request_type == "Delete"
        what = "whether the stack waits for this request"

        def ask() -> bool | None:
            try:
                return self._stack.waits_for(
                    event.request_type, event.signed, event.physical_id, leads_away=event.leads_away
                )
            except CannotTellError as error:
                if deleting and error.passing:
                    raise Throttling(f"it cannot be told {what}: {error}") from error
                raise

        known = self._asked(what, ask)
        if known is None and deleting:
            fields: dict[str, object] = {"id": event.physical_id, "cause": f"it cannot be told {what}"}
            meant = parse_or_none(event.kind, event.physical_id)
            fields |= {"declared": self._declared} if meant is None else {"association": str(meant.identity)}
            self.note("may-remain", fields, warning=True)
        return False if known is None and self.late else known

    def announced(self, identity: Identity, *, ever: bool = False) -> bool | None:
        """Whether another delivery of this request announced it and did not take that back."""
        told = self._announced_of(identity.kind, ever)
        return None if told is None else identity in told

    def announced_of(self, kind: Kind) -> tuple[Identity, ...] | None:
        """All that other deliveries of this request announced of a kind, and did not take back."""
        return self._announced_of(kind, ever=False)

    def _announced_of(self, kind: Kind, ever: bool) -> tuple[Identity, ...] | None:
        def ask() -> tuple[Identity, ...]:
            said = self._log.said(kind, self._event.signed)
            every = [*said.announcements, *(said.revoked if ever else ())]
            return tuple(
                each.identity for each in every if each.request == self._request and each.delivery != self._delivery
            )

        return self._asked("whether another delivery of this request granted it", ask)

    def claimed_since(self, identity: Identity) -> bool | None:
        """Whether a resource of the stack, or another request anywhere, took it since this request was made."""

        def ask() -> bool:
            signed = self._event.signed
            if signed is None:
                raise CannotTellError("when the request was made is not known")
            said = self._log.said(identity.kind, signed).about(identity)
            others = [each for each in said.announcements if each.request != self._request]
            ended = any(each.request != self._request and each.when >= self._announced for each in said.ended)
            if ended and len(others) == len(said.announcements):
                return True  # what this request announced has been revoked since, or is not shown yet
            if any(each.request != self._request and each.when >= self._announced for each in said.removing):
                return True  # another one is about to revoke it, and what is there after that is others'
            return self._claimed(identity, signed, others, max(self._announced, signed + _CREATED))

        return self._asked("whether anybody else has taken it since", ask)

    def left_behind(self, kind: Kind) -> tuple[Remainder, ...] | None:
        """What earlier requests of this resource announced in this operation, or since its creation was begun."""

        def ask() -> tuple[Remainder, ...]:
            begun, until = None, LATEST
            if self._event.request_type == "Delete":
                begun, until = self._stack.creation_begun(self._event.physical_id) or (begun, until)
            else:
                begun = self._stack.operation_begun()
            if begun is None:
                return ()
            said = self._log.said(kind, begun)
            found = {}
            for each in said.announcements:
                own = each.request[:2] == self._request[:2] and each.request != self._request
                if own and each.when < until:
                    about = said.about(each.identity)
                    others = [other for other in about.announcements if other.request[:2] != self._request[:2]]
                    removing = any(
                        other.request[:2] != self._request[:2] and other.when >= each.when for other in about.removing
                    )
                    sure = each.granted and not removing and not self._claimed(each.identity, begun, others, begun)
                    found[each.identity] = Remainder(each.identity, sure)
            return tuple(found.values())

        what = "what an earlier request of this resource granted that was given up"
        told = self._asked(what, ask)
        if told is None:
            self.note("may-remain", {"cause": f"it cannot be told {what}", "declared": self._declared}, warning=True)
        return told

    def _claimed(
        self,
        identity: Identity,
        since: datetime.datetime,
        others: list[Announcement],
        announced: datetime.datetime,
    ) -> bool:
        if self._stack.taken_since(identity, since, announced):
            return True
        given_up = self._stack.given_up() if others else None
        here = self._event.stack_id
        return any(given_up is None or each.request[0] != here or not given_up(each.request[1]) for each in others)

    def granted_here(self, identity: Identity) -> bool:
        """Whether an earlier delivery of this request to this process granted it, or may have."""
        return self._granted_here(identity)

    def adoption_settled(self, identity: Identity) -> bool | None:
        """Whether the deployment that adopted it completed."""
        return self._asked("whether the deployment that adopted it completed", lambda: self._stack.settled(identity))

    @property
    def _declared(self) -> dict[str, str]:
        """What the resource gives, for a line about what cannot be named better."""
        return {name: value[:200] for name, value in self._event.values.items()}

    def note(self, event: str, fields: Mapping[str, object], *, warning: bool = False) -> None:
        """Write a log line."""
        if event == ANNOUNCED:
            self._announced = self._utc_now()
        names = {
            "stack": self._event.stack_id,
            "logical_id": self._event.logical_id,
            "request": self._event.request_id,
            "delivery": self._delivery,
        }
        log.line(event, warning=warning, **{**names, **fields})

    def waiting(self, seconds: float, fields: Mapping[str, object]) -> None:
        """Write a log line in thirty seconds."""
        if seconds - self._said >= _SECONDS_BETWEEN_LINES:
            self._said = seconds
            self.note("waiting", fields)

    def _asked(self, what: str, ask: Callable[[], _T]) -> _T | None:
        try:
            return ask()
        except CannotTellError as error:
            if what not in self.untold:
                self.note("cannot-tell", {"what": what, "cause": str(error)}, warning=True)
            self.untold[what] = str(error)
            return None


def _out_of_reach(theirs: str, own: str) -> Ask:
    """How to ask about a stack of another account: not at all. What CloudFormation answers here is of this account."""

    def ask(operation: str, **_: object) -> Mapping[str, Any]:
        raise CannotTellError(f"the stack is in account {theirs}, and {operation} tells of those in {own} only")

    return ask
