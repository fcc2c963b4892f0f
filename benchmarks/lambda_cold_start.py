"""Cold starts under the real runtime client: time to the first answer, and memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks.lambda_place import ColdStart, Place, Side
from benchmarks.row import Figure, Row, figure
from benchmarks.turns import Progress, turns

MARKER = "not-created/Membership"
_MALFORMED = {"RequestType": "Create", "ResponseURL": "http://somewhere.invalid/"}


@dataclass(frozen=True)
class _Peer:
    """What a cold start is compared with, and the most that ours may be of it."""

    name: str
    handler: str
    time: float
    memory: float | None


@dataclass(frozen=True)
class _Work:
    name: str
    event: Callable[[Place], Any]
    peers: tuple[_Peer, ...]
    is_answered: bool = True


_WORKS = (
    _Work(
        "Create",
        lambda place: place.event("Create"),
        (
            _Peer("boto3, the clients and calls that are needed, a plain PUT", "floor.handler", 1.15, 1.1),
            _Peer("crhelper as it comes, boto3, the same calls", "crhelper_as_it_comes.handler", 0.6, None),
        ),
    ),
    _Work(
        "Delete of what was never created",
        lambda place: place.event("Delete", physical_resource_id=MARKER),
        (_Peer("importing crhelper, the same calls, a plain PUT", "crhelper_alone.answers", 1.15, 1.1),),
    ),
    _Work(
        "a malformed event refused",
        lambda _: _MALFORMED,
        (_Peer("importing crhelper", "crhelper_alone.refuses", 1.15, 1.1),),
        is_answered=False,
    ),
)


def rows(place: Place, runs: int, progress: Progress) -> Iterator[Row]:
    """Start processes in turns, after one of each that does not count."""
    for work in _WORKS:
        sides = {"ours": place.ours, **{peer.handler: place.peer(peer.handler) for peer in work.peers}}
        starts = turns(
            {name: _starting(place, side, work) for name, side in sides.items()},
            runs,
            f"cold start, {work.name}",
            progress,
        )
        ours = starts["ours"]
        for peer in work.peers:
            theirs = starts[peer.handler]
            yield Row.of_ratio(
                f"Lambda cold start: {work.name}", peer.name, _milliseconds(ours), _milliseconds(theirs), peer.time
            )
        for peer in work.peers:
            if peer.memory is not None:
                theirs = starts[peer.handler]
                yield Row.of_ratio(
                    f"its peak memory: {work.name}", peer.name, _megabytes(ours), _megabytes(theirs), peer.memory
                )


def _starting(place: Place, side: Side, work: _Work) -> Callable[[], ColdStart]:
    return lambda: place.cold(side, work.event(place), is_answered=work.is_answered)


def _milliseconds(starts: list[ColdStart]) -> Figure:
    return figure([start.answered for start in starts], "ms", scale=1000)


def _megabytes(starts: list[ColdStart]) -> Figure:
    return figure([start.peak for start in starts], "MB", 1, scale=1e-6)
