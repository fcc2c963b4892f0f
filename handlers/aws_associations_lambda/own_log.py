"""What the function's own log group tells: who announced a write, and did not take that back.

A write is announced by a line ``associating`` before it is sent. ``refused`` by the same delivery takes that back;
``revoked`` or ``undone`` by any ends what was announced before; a Delete that found it absent, what its own resource
had announced. Who is about to do so says ``disassociating``. Format of the answers: FilterLogEvents, API reference of
CloudWatch Logs.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from aws_associations.creation import How
from aws_associations.identity import Identity, parse_or_none
from aws_associations.kind import Kind
from aws_associations.removal import Removal
from aws_associations_lambda.asking import Ask, CannotTellError, pages

ANNOUNCED = "associating"
_REPLAYED = "replaying"
_REFUSED = "refused"
_GRANTED = "granted"
_REMOVING = "disassociating"
_ENDED = frozenset({"revoked", "undone"})
_PATTERN = " ".join(f"?{name}" for name in sorted({ANNOUNCED, _REPLAYED, _REFUSED, _GRANTED, _REMOVING, *_ENDED}))

_BEFORE = datetime.timedelta(seconds=5)
"""How far the clocks of a request's signature and of the log may be apart."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """A write that a delivery announced and did not take back.

    Attributes:
        request: stack id, logical id and request id.
        delivery: the nonce of the delivery.
        identity: of the association.
        when: the line was written.
        granted: the delivery went on to say that it created it.
    """

    request: tuple[str, str, str]
    delivery: str
    identity: Identity
    when: datetime.datetime
    granted: bool


@dataclass(frozen=True, slots=True)
class End:
    """Somebody said to have revoked or undone it, or to begin that; or its own Delete found it absent.

    Attributes:
        request: stack id, logical id and request id.
        when: the line was written.
    """

    identity: Identity
    request: tuple[str, str, str]
    when: datetime.datetime


@dataclass(frozen=True, slots=True)
class Said:
    """What the log says of associations.

    Attributes:
        announcements: those that still hold, one a delivery and association.
        ended: what was announced, or may have been, and is over.
        removing: removals that were begun, whether they have ended or not.
        revoked: announcements that hold no more, because another resource's Delete or undoing came after them.
    """

    announcements: list[Announcement]
    ended: list[End]
    removing: list[End]
    revoked: list[Announcement]

    def about(self, identity: Identity) -> Said:
        """What is said of this association."""

        def of(ends: list[End]) -> list[End]:
            return [each for each in ends if each.identity == identity]

        announcements = [each for each in self.announcements if each.identity == identity]
        revoked = [each for each in self.revoked if each.identity == identity]
        return Said(announcements, of(self.ended), of(self.removing), revoked)


class OwnLog:
    """The log group of this function."""

    def __init__(self, group: str, ask: Ask) -> None:
        """Args: group: its name, empty if it is not known; ask: how to call CloudWatch Logs."""
        self._group = group
        self._ask = ask

    def said(self, kind: Kind, since: datetime.datetime | None) -> Said:
        """What was said since then of associations of this kind.

        Raises:
            CannotTellError: the log cannot be read, or from when on is not known.
        """
        if not self._group or since is None:
            raise CannotTellError("the function's log group, or when the request was made, is not known")
        holding: dict[tuple[str, Identity], Announcement] = {}
        replayed: set[tuple[str, Identity]] = set()
        over: list[End] = []
        removing: list[End] = []
        revoked: list[Announcement] = []
        for when, line in self._lines(since - _BEFORE):
            known = parse_or_none(kind, str(line.get("id") or ""))
            if known is None:
                continue
            event, delivery, identity = line["event"], str(line.get("delivery")), known.identity
            key = (delivery, identity)
            if event == _REPLAYED:
                replayed.add(key)
            # A replay that was accepted has announced nothing before it.
            created = event == _GRANTED and line.get("how") == How.CREATED.value and key in replayed
            if event == ANNOUNCED or (created and key not in holding):
                holding[key] = Announcement(_request(line), delivery, identity, when, granted=created)
            elif event == _GRANTED and key in holding:
                holding[key] = replace(holding[key], granted=True)
            elif event == _REFUSED:
                holding.pop(key, None)
            elif event == _REMOVING:
                removing.append(End(identity, _request(line), when))
            elif event in _ENDED:
                # Whoever granted it, it has been revoked since. One that was absent may be on its way for others.
                absent, resource = line.get("how") == Removal.ABSENT.value, _request(line)[:2]
                standing = {
                    each: said
                    for each, said in holding.items()
                    if each[1] != identity or (absent and said.request[:2] != resource)
                }
                if not absent or len(standing) < len(holding):
                    over.append(End(identity, _request(line), when))
                gone = [said for each, said in holding.items() if each not in standing]
                revoked += [said for said in gone if said.request[:2] != resource]
                holding = standing
        return Said(list(holding.values()), over, removing, revoked)

    def _lines(self, since: datetime.datetime) -> Iterator[tuple[datetime.datetime, Mapping[str, Any]]]:
        """Oldest first; what is no line of ours is left out."""
        found = pages(
            self._ask,
            "FilterLogEvents",
            "events",
            "nextToken",
            logGroupName=self._group,
            startTime=int(since.timestamp() * 1000),
            filterPattern=_PATTERN,
        )
        for event in found:
            try:
                line = json.loads(event.get("message") or "")
            except ValueError:
                continue
            if isinstance(line, dict) and isinstance(line.get("event"), str):
                yield datetime.datetime.fromtimestamp(int(event.get("timestamp") or 0) / 1000, datetime.UTC), line


def _request(line: Mapping[str, Any]) -> tuple[str, str, str]:
    return (str(line.get("stack")), str(line.get("logical_id")), str(line.get("request")))
