"""What the stack of a request tells: who else in it holds an association, and whether the request is still waited for.

Asked only when a decision needs it, with read-only calls on the stack's own id. The rules are those of
docs/ownership.md; the formats those of the API reference of CloudFormation.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from aws_associations.host import Holder, Holders
from aws_associations.identity import AssociationId, Identity, parse_or_none
from aws_associations_lambda.asking import Ask, CannotTellError, pages

_T = TypeVar("_T")

_STACK = "AWS::CloudFormation::Stack"
_BEGINNINGS = frozenset({"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "IMPORT_IN_PROGRESS"})
_COMPLETIONS = frozenset(
    {
        "CREATE_COMPLETE",
        "UPDATE_COMPLETE",
        "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
        "IMPORT_COMPLETE",
        # What a resource still has when a rollback has ended is what it went back to.
        "UPDATE_ROLLBACK_COMPLETE",
    }
)
_FAILURES = frozenset({"CREATE_FAILED", "UPDATE_FAILED"})
"""Where an operation ends whose rollback is disabled: the next one goes on with it, or rolls all of it back."""

_HAS = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"})
"""Status of a resource whose physical id is the one that it has from then on."""

_CLEANUP = "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"

_TOGETHER = datetime.timedelta(seconds=2)
"""How far apart CloudFormation's event of a request and its ResponseURL's signature may be (observed: a second)."""

_TOGETHER_AT_MOST = datetime.timedelta(seconds=20)
"""The same for the event by which the request began, and for those of a deletion: to take a Delete for over too early
would leave what it should revoke, and nothing else asks for the same of the same resource within seconds."""

_FRESH_SECONDS = 1.0

LATEST = datetime.datetime.max.replace(tzinfo=datetime.UTC)
"""Later than anything."""


@dataclass(frozen=True, slots=True)
class StackEvent:
    """One event of a stack, as DescribeStackEvents tells it."""

    when: datetime.datetime
    logical_id: str
    physical_id: str
    resource_type: str
    status: str

    def of_stack(self, stack_id: str) -> bool:
        """Whether it is about the stack itself."""
        return self.resource_type == _STACK and self.physical_id == stack_id


@dataclass(slots=True)
class _Past:
    """What the events since the last completed operation tell.

    Attributes:
        newest: status of the stack.
        rolled_back: when the rollback began.
        first: physical id that a logical id had when the operation began.
        had: those that it had since, and that were not deleted.
        taken: of these, those of the newest of several updates that follow each other.
        current: the request itself is shown: this is the operation that it belongs to.
    """

    newest: str = ""
    rolled_back: datetime.datetime | None = None
    first: dict[str, list[str]] = field(default_factory=dict)
    had: dict[str, list[str]] = field(default_factory=dict)
    taken: dict[str, list[str]] = field(default_factory=dict)
    current: bool = False


class _Operation:
    """The running operation in the stack's own events, newest first.

    One whose rollback is disabled ends in a failure and not in a rollback. The next one goes on from there, and a
    rollback takes back all that follow each other so: together they are one operation.

    Attributes:
        begun: the newest of them has begun.
        over: whatever is older is of another operation.
    """

    def __init__(self) -> None:
        self.begun = self.over = False
        self._failed = False

    def see(self, status: str) -> bool:
        """Take the next older status of the stack; tells whether it is a beginning of the operation."""
        beginning = status in _BEGINNINGS and (not self.begun or self._failed) and not self.over
        if self.begun and not beginning:
            self.over = self.over or status not in _FAILURES
        self._failed = self.begun and status in _FAILURES
        self.begun = self.begun or beginning
        # What a deletion goes back to does not exist: nothing older is read for it.
        self.over = self.over or (beginning and status == "DELETE_IN_PROGRESS")
        return beginning


class OwnStack:
    """The stack that a request belongs to. Every question may raise CannotTellError."""

    def __init__(self, stack_id: str, logical_id: str, ask: Ask, seconds: Callable[[], float] = time.monotonic) -> None:
        """Args: ask: how to call CloudFormation; seconds: a clock that tells how old an answer is."""
        self._stack_id = stack_id
        self._logical_id = logical_id
        self._ask = ask
        self._seconds = seconds
        self._events_since = float("-inf")
        self._events_read: list[StackEvent] = []
        self._events_to_come: Iterator[StackEvent] = iter(())

    # -- is the request still waited for? -----------------------------------------------------------------------------

    def waits_for(
        self,
        request_type: str,
        signed: datetime.datetime | None,
        physical_id: str = "",
        *,
        leads_away: bool = False,
    ) -> bool | None:
        """Whether the stack waits for the request of this type whose ResponseURL was signed then; None: cannot be told.

        It does if the newest event of the logical id is that request's, and the stack has not turned back since. Only
        an event that came after the request says that it is over: its own event may not be shown yet.

        ``leads_away``: it is an Update to another association than the resource has.
        """
        if signed is None:
            return None
        self._events_since = float("-inf")  # what was read before a write tells nothing of now
        if leads_away and self._turned_back(signed, physical_id):
            return False
        deleting = request_type == "Delete"
        began, ended, later = f"{request_type.upper()}_IN_PROGRESS", False, False
        for event in self._own_events():
            # A Delete that is tried again may have no event of its own: the one that began it counts, however old.
            if event.when < signed - _TOGETHER_AT_MOST and (not deleting or event.of_stack(self._stack_id)):
                break
            if event.of_stack(self._stack_id):
                back = "ROLLBACK" in event.status or "DELETE" in event.status
                if back and not deleting and event.when > signed + _TOGETHER:
                    return False
                continue
            other = deleting and event.status.startswith("DELETE_") and event.physical_id not in {"", physical_id}
            if event.logical_id != self._logical_id or (physical_id and other):
                continue  # of another resource, or of another id that this one had
            if later:
                # What began after the signature is the request's own, unless something else did before it.
                return event.when < signed - _TOGETHER
            together = (
                _TOGETHER_AT_MOST if event.status == began or (deleting and "DELETE" in event.status) else _TOGETHER
            )
            if event.when > signed + together:
                return False
            if event.status == began and event.when > signed + _TOGETHER and not ended:
                later = True
            elif event.status == began:
                # What began together with the request and has ended is over; what began before that is another's.
                return None if ended and event.when < signed - _TOGETHER else not ended
            elif request_type == "Create" or event.status == "DELETE_COMPLETE":
                ended = True
            else:
                return None
        return True if later else None

    def _turned_back(self, signed: datetime.datetime, physical_id: str) -> bool:
        """Whether a rollback has begun since, of an update that leads away from where that goes back to.

        The update and its reverse may begin within a second, so that no time tells which of them a request is. But no
        reverse leads away from what the resource had when the operation began.
        """
        newest = next((event for event in self._own_events() if event.of_stack(self._stack_id)), None)
        if newest is None or "ROLLBACK" not in newest.status:
            return False
        past = self._past(signed)
        since = past.rolled_back is not None and past.rolled_back >= signed
        return since and physical_id in past.first.get(self._logical_id, ())

    # -- who holds it? ------------------------------------------------------------------------------------------------

    def holders(self, identity: Identity, signed: datetime.datetime | None = None) -> Holders:
        """Which resources of the stack hold the identity, now and when its running operation began.

        ``signed``: when the request was made, to tell whether the events show the operation that it belongs to.
        """
        now = dict(self._holding(identity))
        try:
            past = self._past(signed)
        except CannotTellError as error:
            # What holds it now is known, and holds it whichever way the stack goes.
            if error.passing or not now.keys() - {self._logical_id}:
                raise
            past = _Past()
        at_start = {**now, **self._among(identity, past.first)}
        since = self._among(identity, past.had)
        adopters = [logical for ids in (now, at_start, since) for logical, known in ids.items() if known.adopted]
        unsettled = {
            logical
            for logical in dict.fromkeys(adopters)
            if self._if_told(partial(self.settled, identity, logical)) is False
        }
        rolling_back, deleting = "ROLLBACK" in past.newest, past.newest == "DELETE_IN_PROGRESS"
        # A Delete of what the resource has now, and keeps: of the same under another id, or of an earlier failure.
        kept = past.first if rolling_back else past.taken if past.newest == _CLEANUP else {}
        stays = self._logical_id in now and self._logical_id in self._among(identity, kept)
        beginning = rolling_back and at_start.keys() - now.keys() - {self._logical_id}
        # Events lag: the rollback may have ended, and what they show of its beginning counts no more; or it, or a
        # deletion, may have begun, and who adopted it lets go of it.
        taken_back = unsettled - {self._logical_id} or self._logical_id in now
        doubtful = stays or beginning or (taken_back and not (rolling_back or deleting))
        described = self._if_told(partial(self._describe, self._stack_id)) if doubtful else None
        if described is not None:
            status = str(described["StackStatus"])
            stays = stays and ("ROLLBACK" in status if rolling_back else status == _CLEANUP)
            rolling_back, deleting = "ROLLBACK" in status, status == "DELETE_IN_PROGRESS"

        def holders(of: Mapping[str, AssociationId]) -> tuple[Holder, ...]:
            return tuple(
                Holder(
                    logical,
                    known.adopted,
                    own=logical == self._logical_id,
                    unsettled=known.adopted and logical in unsettled,
                    stays=stays and logical == self._logical_id,
                    id=known,
                )
                for logical, known in of.items()
            )

        return Holders(holders(now), holders(at_start), rolling_back, deleting, holders(since), past.current)

    @staticmethod
    def _if_told(ask: Callable[[], _T]) -> _T | None:
        """What is asked besides who holds it now; None: it may not be asked, which makes nobody let go of it."""
        try:
            return ask()
        except CannotTellError as error:
            if error.passing:
                raise
            return None

    def _holding(self, identity: Identity) -> Iterator[tuple[str, AssociationId]]:
        for summary in self._summaries():
            known = self._same(identity, str(summary.get("PhysicalResourceId") or ""))
            if known is not None and not str(summary["ResourceStatus"]).startswith("DELETE_"):
                yield str(summary["LogicalResourceId"]), known

    def _among(self, identity: Identity, ids: Mapping[str, Collection[str]]) -> dict[str, AssociationId]:
        """Those of the logical ids that have it, or had it."""
        same = {logical: [self._same(identity, text) for text in texts] for logical, texts in ids.items()}
        return {logical: known for logical, found in same.items() for known in found if known is not None}

    def _past(self, signed: datetime.datetime | None) -> _Past:
        """What the events tell of the running operation.

        The id that a resource had at its beginning is that on its first event since; where that has none, an engine did
        not fill it in (measured: ministack) and the last one before it counts. What is being created had none.
        """
        past = _Past(current=signed is None)
        unnamed: set[str] = set()
        deleted: set[tuple[str, str]] = set()
        operation = _Operation()
        for event in self._own_events():
            logical, physical = event.logical_id, event.physical_id
            if event.of_stack(self._stack_id):
                past.newest = past.newest or event.status
                if event.status == "UPDATE_ROLLBACK_IN_PROGRESS" and not operation.begun:
                    past.rolled_back = event.when
                operation.see(event.status)
            elif not operation.over:
                # Events come newest first: the last one kept is the first.
                past.first[logical] = [physical]
                if signed is not None and logical == self._logical_id and event.when >= signed - _TOGETHER:
                    past.current = True
                if event.status == "UPDATE_IN_PROGRESS" and not physical:
                    unnamed.add(logical)
                else:
                    unnamed.discard(logical)
                if event.status == "DELETE_COMPLETE":
                    deleted.add((logical, physical))
                elif event.status in _HAS and (logical, physical) not in deleted:
                    past.had.setdefault(logical, []).append(physical)
                    if not operation.begun:
                        past.taken.setdefault(logical, []).append(physical)
            elif logical in unnamed and (physical or event.status.startswith("DELETE_")):
                unnamed.discard(logical)
                past.first[logical] = ["" if event.status.startswith("DELETE_") else physical]
            if operation.over and not unnamed:
                break
        return past

    # -- was its adoption completed? ----------------------------------------------------------------------------------

    def settled(self, identity: Identity, logical_id: str = "") -> bool | None:
        """Whether the stack, and every stack around it, completed an operation since the resource took the id.

        None: the event at which it took the id is not kept any more. ``logical_id``: of the resource, by default the
        request's own.
        """
        logical_id = logical_id or self._logical_id
        completed: datetime.datetime | None = None
        # When it was taken, and completed: if its last event before that operation has something else.
        doubtful: tuple[datetime.datetime, datetime.datetime | None] | None = None
        shown = whole = False
        for events in self._operations(self._stack_id):
            ends = [event for event in events if event.of_stack(self._stack_id) and event.status in _COMPLETIONS]
            life, born = self._life(events, logical_id, identity)
            same = [event for event in life if self._same(identity, event.physical_id) is not None]
            if doubtful is not None and life:
                named = [event for event in life if event.physical_id and not event.status.startswith("DELETE_")]
                if not named or named[0] not in same:
                    break  # it had something else
                doubtful = None
            taken = [event.when for event in same if event.status in _HAS]
            first = life[-1] if life else None
            had = first in same and first is not None and first.status not in _HAS
            if taken and not had:
                # A rollback completes nothing that it went past: a resource that it skipped keeps what it took.
                ends = [event for event in ends if event.status != "UPDATE_ROLLBACK_COMPLETE"]
                doubtful = (taken[-1], completed or next((event.when for event in ends), None))
                if first is None or first.status != "UPDATE_IN_PROGRESS":
                    break  # it was created
            elif life and not same and not shown:
                return False  # it took it in what is not shown yet
            shown = shown or bool(life)
            begun = [event.status for event in events if event.of_stack(self._stack_id)]
            whole = whole or "CREATE_IN_PROGRESS" in begun
            completed = completed or next((event.when for event in ends), None)
            if born:
                break
        if doubtful is None:
            return False if whole else None
        moment, completed = doubtful
        if completed is None or completed < moment:
            return False
        return all(self._completed_since(ancestor, moment) for ancestor in self._ancestors())

    def _operations(self, stack_id: str) -> Iterator[list[StackEvent]]:
        """A stack's events, newest first, operation by operation."""
        events: list[StackEvent] = []
        operation = _Operation()
        for event in self._own_events() if stack_id == self._stack_id else self._events(stack_id):
            if event.of_stack(stack_id):
                beginning = operation.see(event.status)
                if operation.over:
                    if beginning:
                        events.append(event)
                    yield events
                    events, operation = [], _Operation()
                    if beginning:
                        continue
                    operation.see(event.status)
            events.append(event)
        yield events

    def _life(self, events: list[StackEvent], logical_id: str, identity: Identity) -> tuple[list[StackEvent], bool]:
        """Those of the resource, newest first; and whether it was deleted before them: what is older is another's."""
        own = [event for event in events if event.logical_id == logical_id and not event.of_stack(self._stack_id)]
        for number, event in enumerate(own):
            if event.status == "DELETE_COMPLETE" and self._same(identity, event.physical_id) is not None:
                had = next((older.physical_id for older in own[number:] if older.status in _HAS), event.physical_id)
                # A cleanup deletes an id that the resource has no more.
                if had == event.physical_id:
                    return own[:number], True
        return own, False

    def _completed_since(self, stack_id: str, moment: datetime.datetime) -> bool:
        for events in self._operations(stack_id):
            for event in events:
                if event.of_stack(stack_id) and event.status in _COMPLETIONS:
                    # A rollback completes what was there when that began which it takes back, and nothing newer.
                    return (events[-1] if event.status == "UPDATE_ROLLBACK_COMPLETE" else event).when >= moment
        return False

    def _ancestors(self) -> list[str]:
        found: list[str] = []
        stack_id = self._stack_id
        while True:
            parent = str(self._describe(stack_id).get("ParentId") or "")
            if not parent or parent in found:
                return found
            found.append(parent)
            stack_id = parent

    # -- has anybody else taken it? -----------------------------------------------------------------------------------

    def taken_since(self, identity: Identity, signed: datetime.datetime, announced: datetime.datetime = LATEST) -> bool:
        """Whether a resource of the stack has it now, or took it since then and was not deleted after that.

        Or whether the request's own resource was deleted under it, which ended what had been ``announced`` before: what
        is there is others'. The log may not show that yet.
        """
        deleted: set[str] = set()
        for event in self._own_events():
            if event.when < signed - _TOGETHER:
                break
            if event.status == "DELETE_SKIPPED" and event.when < signed:
                continue  # what was retained before is not what was granted since
            known = self._same(identity, event.physical_id)
            if known is not None and event.logical_id not in deleted:
                # What was adopted may have been let go of.
                ended = event.logical_id == self._logical_id and event.when > announced and not known.adopted
                if event.status != "DELETE_COMPLETE" or ended:
                    return True
                deleted.add(event.logical_id)
        return any(True for _ in self._holding(identity))

    def operation_begun(self) -> datetime.datetime | None:
        """When the running operation of the stack began: what a rollback takes back."""
        begun: datetime.datetime | None = None
        operation = _Operation()
        for event in self._own_events():
            if event.of_stack(self._stack_id) and operation.see(event.status):
                begun = event.when
            if operation.over:
                break
        return begun

    def given_up(self) -> Callable[[str], bool]:
        """Tell of a logical id whether nothing that its resource was to get will be its own any more."""
        shown = {str(each["LogicalResourceId"]): str(each["ResourceStatus"]) for each in self._summaries()}

        def told(logical_id: str) -> bool:
            status = shown.get(logical_id, "DELETE_COMPLETE")
            return status == "CREATE_FAILED" or status.startswith("DELETE_")

        return told

    def creation_begun(self, physical_id: str = "") -> tuple[datetime.datetime, datetime.datetime] | None:
        """When the creation of the request's own resource began that it has not answered, and when the next one did.

        None if there is none. ``physical_id``: what CloudFormation called what failed to be created; where a rollback
        is disabled, it may delete that after it has created the resource anew.
        """
        failed = answered = False
        newer = LATEST
        for event in self._own_events():
            if event.logical_id == self._logical_id and not event.of_stack(self._stack_id):
                gave_up = event.status == "CREATE_FAILED" and event.physical_id in {"", physical_id}
                failed = failed or gave_up
                answered = answered or event.status in _HAS or (event.status == "CREATE_FAILED" and not gave_up)
                if event.status == "CREATE_IN_PROGRESS" and not event.physical_id:
                    if failed or not answered:
                        return event.when, newer
                    newer = event.when
        return None

    # -- asking -------------------------------------------------------------------------------------------------------

    def _own_events(self) -> Iterator[StackEvent]:
        """Those of the request's own stack.

        One reading serves the questions of one decision, which begins with whether the request is waited for.
        """
        if self._seconds() - self._events_since > _FRESH_SECONDS:
            self._events_since = self._seconds()
            self._events_read, self._events_to_come = [], self._events(self._stack_id)
        yield from self._events_read
        try:
            for event in self._events_to_come:
                self._events_read.append(event)
                yield event
        except CannotTellError:
            self._events_since = float("-inf")  # what was read is not all of it
            raise

    def _events(self, stack_id: str) -> Iterator[StackEvent]:
        """Newest first, page by page as far as they are read."""
        for event in pages(self._ask, "DescribeStackEvents", "StackEvents", "NextToken", StackName=stack_id):
            if event.get("DetailedStatus"):
                continue  # repeats a status in the midst of an operation
            yield StackEvent(
                event["Timestamp"],
                str(event.get("LogicalResourceId") or ""),
                str(event.get("PhysicalResourceId") or ""),
                str(event.get("ResourceType") or ""),
                str(event.get("ResourceStatus") or ""),
            )

    def _describe(self, stack_id: str) -> Mapping[str, Any]:
        (stack,) = self._ask("DescribeStacks", StackName=stack_id)["Stacks"]
        described: Mapping[str, Any] = stack
        return described

    def _summaries(self) -> Iterator[Mapping[str, Any]]:
        return pages(self._ask, "ListStackResources", "StackResourceSummaries", "NextToken", StackName=self._stack_id)

    @staticmethod
    def _same(identity: Identity, physical_id: str) -> AssociationId | None:
        known = parse_or_none(identity.kind, physical_id)
        return known if known is not None and known.identity == identity else None
