"""For each documented limit of Pulumi a script that meets it, and the nearest one that does not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.model import pulumi_promises as limits
from tests.model.pulumi_script import Destroy, Member, Refresh, Script, Up
from tests.model.script import At, Others, Step, Wait

_DIRECTORY, _QUICKSIGHT = "directory-group-membership", "quicksight-group-membership"
_ORGANIZATIONS = "organizations-delegated-administrator"

_P1, _P2 = Member(0), Member(1)
_A, _B = {"a": _P1}, {"b": _P1}
_GRANT, _REVOKE = Others(0, grant=True), Others(0, grant=False)
_KILLED, _UNDONE, _CUT = At("write", 1, "kill after"), At("write", 1, "kill before"), At("write", 1, "cut after")
_FOREIGN = tuple(At("write", number, "others grant", 0) for number in (1, 2))
_DELETED_FIRST = {"a": Member(1, delete_first=True)}
_HALF_REPLACED = (Up(1, _A), Up(1, _DELETED_FIRST, mishaps=(At("write", 2, "kill before"),)), _GRANT)
_CREATED_FIRST_AND_KILLED = (Up(1, _A), _REVOKE, Wait(30.0), Up(1, _A, forced=("a",), mishaps=(_KILLED,)))
_UNSEEN = (At("write", 1, "cut after", times=40), At("look", 1, "cut before", times=40))


@dataclass(frozen=True)
class Near:
    """Two scripts that differ in one thing, played in process memory.

    Attributes:
        limit: what the first one meets once and the second one does not.
        differs: what decides, in words: what is so in the second one.
    """

    limit: str
    differs: str
    meets: tuple[Step, ...]
    misses: tuple[Step, ...]
    kind: str = _QUICKSIGHT
    switches: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0

    def script(self, *, meeting: bool = True, table: bool = False) -> Script:
        """One of them."""
        return Script(self.kind, self.meets if meeting else self.misses, self.seed, self.switches, table)


NEAR = (
    Near(
        limits.TWO_STACKS,
        "the other stack declares another pair",
        (Up(1, _A), Up(2, {"a": Member(0, adopt=True)}), Destroy(2), Up(1, None)),
        (Up(1, _A), Up(2, {"a": Member(1, adopt=True)}), Destroy(2), Up(1, None)),
    ),
    Near(
        limits.DRIFT,
        "a refresh comes between the revocation by others and their grant",
        (Up(1, _A), _REVOKE, _GRANT, Destroy(1)),
        (Up(1, _A), _REVOKE, Refresh(1), _GRANT, Destroy(1)),
    ),
    Near(
        limits.DRIFT,
        "an update with a refresh comes after the revocation by others",
        (Up(1, _A), _REVOKE, Up(1, _A)),
        (Up(1, _A), _REVOKE, Up(1, _A, refresh=True)),
    ),
    Near(
        limits.WINDOW,
        "others grant before our look, not after it",
        (Up(1, _A, mishaps=_FOREIGN[:1]),),
        (Up(1, _A, mishaps=(At("look", 1, "others grant", 0),)),),
    ),
    Near(
        limits.WINDOW,
        "the write is answered",
        (Up(1, _A, mishaps=(At("write", 1, "cut before"), _FOREIGN[1])),),
        (Up(1, _A, mishaps=_FOREIGN[:1]),),
        kind=_ORGANIZATIONS,
    ),
    Near(
        limits.WINDOW,
        "others grant when the delete has ended",
        (Up(1, _A), Destroy(1, mishaps=(_CUT, _FOREIGN[1]))),
        (Up(1, _A), Destroy(1, mishaps=(_CUT,)), _GRANT, Destroy(1)),
    ),
    Near(
        limits.KILLED_CREATE,
        "the process is killed before the effect",
        (Up(1, _A, mishaps=(_KILLED,)),),
        (Up(1, _A, mishaps=(_UNDONE,)),),
    ),
    Near(
        limits.KILLED_DELETE,
        "the process is killed before the effect",
        (Up(1, _A), Destroy(1, mishaps=(_KILLED,))),
        (Up(1, _A), Destroy(1, mishaps=(_UNDONE,))),
    ),
    Near(
        limits.TOLD,
        "the looks after the lost answers are answered",
        (Up(1, _A), Destroy(1, mishaps=_UNSEEN)),
        (Up(1, _A), Destroy(1, mishaps=_UNSEEN[:1])),
    ),
    Near(
        limits.RENAMED,
        "it is declared with an alias",
        (Up(1, _A), Up(1, _B)),
        (Up(1, _A), Up(1, {"b": Member(0, was="a")})),
    ),
    Near(
        limits.RENAMED,
        "both resources of an exchange take part",
        (Up(1, {"a": _P1, "b": _P2}), Up(1, {"a": _P2, "b": _P1}, targets=("b",))),
        (Up(1, {"a": _P1, "b": _P2}), Up(1, {"a": _P2, "b": _P1})),
    ),
    Near(
        limits.HALF_REPLACED,
        "another resource declares it, and the run has not seen the one that is gone",
        (*_HALF_REPLACED, Up(1, _A)),
        (*_HALF_REPLACED, Up(1, _B)),
    ),
    Near(
        limits.SHARED,
        "the update has no target",
        (Up(1, {**_A, **_B}), Up(1, _B, targets=("a",))),
        (Up(1, {**_A, **_B}), Up(1, _B)),
    ),
    Near(
        limits.SHARED,
        "the update begins with a refresh",
        (Up(1, {**_A, **_B}), Up(1, {**_DELETED_FIRST, **_B}, mishaps=(At("write", 2, "kill before"),))),
        (Up(1, {**_A, **_B}), Up(1, {**_DELETED_FIRST, **_B}, refresh=True, mishaps=(_UNDONE,))),
        seed=3,
    ),
    Near(
        limits.REFRESHED_EARLY,
        "the refresh comes when the list shows it",
        (*_CREATED_FIRST_AND_KILLED, Refresh(1)),
        (*_CREATED_FIRST_AND_KILLED, Wait(30.0), Refresh(1)),
        kind=_DIRECTORY,
        switches={"list_lag_seconds": 4.0},
    ),
)


def openings(kinds: tuple[str, ...] = ()) -> tuple[Script, ...]:
    """The scripts that meet a limit, for chance to go on from: what they need seldom comes together by itself."""
    chosen = [near for near in NEAR if not kinds or near.kind in kinds]
    return tuple(near.script(table=table) for near in chosen for table in (False, True))
