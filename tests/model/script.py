"""Scripts: what users, others and chance do in one lifecycle, as data that hypothesis draws and shrinks.

A script is played step by step by ``play.py``; a step that makes no sense in the state that was reached is passed over,
so that every script can be played and every part of one be left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.model.cloudformation import Habits


@dataclass(frozen=True)
class Member:
    """One resource: an association.

    Attributes:
        pair: index of the association among those of the world.
        spelled: another spelling that means the same, where the kind has one.
        omits: it leaves out what has a default.
        revision: the value of the property Revision; 0: none.
    """

    pair: int
    adopt: bool = False
    revision: int = 0
    retain: bool = False
    spelled: bool = False
    omits: bool = False
    after: tuple[str, ...] = ()

    def __str__(self) -> str:
        more = [
            word
            for word, told in (
                ("adopt", self.adopt),
                (f"revision {self.revision}", self.revision),
                ("retain", self.retain),
                ("spelled otherwise", self.spelled),
                ("defaults left out", self.omits),
                (f"after {', '.join(self.after)}", self.after),
            )
            if told
        ]
        return f"p{self.pair + 1}{f' ({chr(44).join(more)})' if more else ''}"


@dataclass(frozen=True)
class Other:
    """A resource that AWS makes itself: it changes in every deployment that has it."""

    seconds: float = 2.0
    fails: bool = False
    after: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"another resource that {'fails' if self.fails else 'is done'} after {self.seconds:g} s"


@dataclass(frozen=True)
class At:
    """Something happens to the n-th thing of a sort that leaves a process during a step.

    Attributes:
        sort: ``write``, ``look``, ``call``, ``cloudformation``, ``ledger``, ``line``, ``answer``, or ``any``.
        number: which one, from 1; ``times``: and how many after it.
        what: ``kill before``, ``kill after``, ``kill meanwhile`` (it has left, and arrives), ``cut before``, ``cut
            after``, ``fail before``, ``fail after``, ``throttle``, ``deny``, ``slow before``, ``slow after``, ``sleeps
            before``, ``sleeps after`` (the process stands still), ``others grant``, ``others revoke``.
        amount: seconds, or the index of a pair.
    """

    sort: str
    number: int
    what: str
    amount: float = 0.0
    times: int = 1

    def __str__(self) -> str:
        which = f"{self.sort} {self.number}" + (f"..{self.number + self.times - 1}" if self.times > 1 else "")
        if self.what.startswith("others"):
            return f"before {which}: {self.what} p{int(self.amount) + 1}"
        return f"{which}: {self.what}{f' by {self.amount:g} s' if self.amount else ''}"


@dataclass(frozen=True)
class Again:
    """Lambda delivers the n-th request of a step once more, so many seconds after the first time.

    Attributes:
        instead: it does not deliver it before then, because the function has no free concurrency.
    """

    request: int
    seconds: float
    instead: bool = False

    def __str__(self) -> str:
        how = "delivered only" if self.instead else "delivered again"
        return f"request {self.request} is {how} after {self.seconds:g} s"


@dataclass(frozen=True)
class Step:
    """Anything that happens from outside."""


@dataclass(frozen=True)
class Deploy(Step):
    """Create or update a stack.

    Attributes:
        members, other: what the template declares.
        nested: what a nested stack in it declares; None: there is none.
        preserve: the rollback is disabled (``--disable-rollback``): what failed stays as it is.
        stopped_after: seconds after which the user cancels the update, or deletes the stack that is being created.
        together: the next step does not wait for it.
    """

    stack: int
    members: Mapping[str, Member]
    other: Other | None = None
    nested: Mapping[str, Member] | None = None
    on_failure: str = "ROLLBACK"
    preserve: bool = False
    stopped_after: float | None = None
    together: bool = False
    mishaps: tuple[At, ...] = ()
    again: tuple[Again, ...] = ()

    def __str__(self) -> str:
        parts = [f"{name}: {member}" for name, member in self.members.items()]
        if self.nested is not None:
            inner = ", ".join(f"{name}: {member}" for name, member in self.nested.items())
            parts.append(f"Nested: {{{inner}}}")
        if self.other is not None:
            parts.append(str(self.other))
        more = "" if self.on_failure == "ROLLBACK" else f", on failure {self.on_failure}"
        more += ", without rollback" if self.preserve else ""
        more += f", stopped by the user after {self.stopped_after:g} s" if self.stopped_after is not None else ""
        return f"deploy stack {self.stack} with {{{'; '.join(parts)}}}{more}{_tail(self)}"


@dataclass(frozen=True)
class Remove(Step):
    """Delete a stack."""

    stack: int
    together: bool = False
    mishaps: tuple[At, ...] = ()
    again: tuple[Again, ...] = ()

    def __str__(self) -> str:
        return f"delete stack {self.stack}{_tail(self)}"


@dataclass(frozen=True)
class Continue(Step):
    """Continue the rollback of a stack that is stuck, or begin that of one whose rollback was disabled."""

    stack: int
    skip: bool = False
    together: bool = False
    mishaps: tuple[At, ...] = ()
    again: tuple[Again, ...] = ()

    def __str__(self) -> str:
        return f"begin or continue the rollback of stack {self.stack}{', skipping what fails' * self.skip}{_tail(self)}"


@dataclass(frozen=True)
class Others(Step):
    """Somebody else grants or revokes."""

    pair: int
    grant: bool

    def __str__(self) -> str:
        return f"others {'grant' if self.grant else 'revoke'} p{self.pair + 1}"


@dataclass(frozen=True)
class Service(Step):
    """The service turns to something that lasts, until the script ends.

    Attributes:
        what: ``recovers``; ``throttles`` every call; ``fails to add`` or ``fails to remove`` what it has accepted, if
            it has a status for that; ``uses``: an index uses the package; ``ends`` for good, with every grant.
        pair: of ``uses``.
    """

    what: str
    pair: int = 0

    def __str__(self) -> str:
        return f"the service {self.what}{f' p{self.pair + 1}' if self.what == 'uses' else ''}"


@dataclass(frozen=True)
class Table(Step):
    """Something happens to the ledger's table.

    Attributes:
        what: ``emptied``, ``restored to an hour ago``, ``down`` or ``throttled`` for so many seconds.
    """

    what: str
    seconds: float = 0.0

    def __str__(self) -> str:
        return f"the table is {self.what}{f' for {self.seconds:g} s' if self.seconds else ''}"


@dataclass(frozen=True)
class Wait(Step):
    """Time passes."""

    seconds: float

    def __str__(self) -> str:
        return f"{self.seconds:g} seconds pass"


@dataclass(frozen=True)
class Cold(Step):
    """Lambda ends every idle process."""

    def __str__(self) -> str:
        return "the function starts cold"


@dataclass(frozen=True)
class Script:
    """One lifecycle."""

    kind: str
    steps: tuple[Step, ...]
    seed: int = 0
    switches: Mapping[str, Any] = field(default_factory=dict)
    habits: Habits = field(default_factory=Habits)
    warm: bool = True

    def __str__(self) -> str:
        lines = [f"kind {self.kind}, seed {self.seed}"]
        if self.switches:
            lines.append(f"the service: {', '.join(f'{name} = {value}' for name, value in self.switches.items())}")
        usual = Habits()
        habits = [
            f"{name} = {getattr(self.habits, name)}"
            for name in Habits.__dataclass_fields__
            if getattr(self.habits, name) != getattr(usual, name)
        ]
        if habits:
            lines.append(f"CloudFormation: {', '.join(habits)}")
        if not self.warm:
            lines.append("every delivery starts cold")
        lines += [f"{number}. {step}" for number, step in enumerate(self.steps, 1)]
        return "\n".join(lines)


def _tail(step: Deploy | Remove | Continue) -> str:
    lines = [*map(str, step.mishaps), *map(str, step.again)]
    if step.together:
        lines.append("and at the same time:")
    return "".join(f"\n      - {line}" for line in lines)
