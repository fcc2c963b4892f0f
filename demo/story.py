"""Telling a story whose every sentence is checked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.progress import Progress, SpinnerColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from demo.services import Change, Member, Service


class NotAsToldError(Exception):
    """A step ended otherwise than the story says."""


class Story:
    """Prints the steps, with live progress on a terminal, and stops where one is not as told."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._number = 0

    def act(self, title: str) -> None:
        """Begin an act, or another half of it."""
        self._console.print()
        self._console.rule(Text(title, "bold"))

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Tell one step; what happens inside is it. On a terminal a clock runs until it has ended."""
        self._number += 1
        number = f"{self._number}. "
        table = Table.grid()
        table.add_row(Text(number, "bold"), Text(title, "bold"))
        self._console.print(table)
        progress = Progress(SpinnerColumn(), TimeElapsedColumn(), console=self._console, transient=True)
        with progress if self._console.is_terminal else nullcontext():
            if self._console.is_terminal:
                progress.add_task(title, total=None)
            yield

    def line(self, text: str, style: str = "") -> None:
        """Say one thing more about the step."""
        self._indented(Text(text, style))

    def quote(self, text: str) -> None:
        """Show what was declared, as it is written."""
        self._indented(Text(text.strip("\n"), "cyan"), 7)

    def failure(self, what: str, reason: str) -> None:
        """Show an error as a user would see it."""
        self._indented(Text.assemble((f"{what}: ", "yellow"), reason))

    def check(self, told: str, really: bool, otherwise: object = "") -> None:
        """Say what is true, or stop; then ``otherwise`` tells what was found."""
        if not really:
            raise NotAsToldError(f"not as told: {told}" + (f"\n{otherwise}" if otherwise else ""))
        self._indented(Text.assemble(("ok ", "green"), told))

    def members(self, service: Service, expected: set[Member]) -> None:
        """Show who has access, as the service itself says, and compare."""
        table = Table("group", "members", box=None, padding=(0, 2, 0, 5))
        found = service.members()
        for group in sorted({group for group, _ in found}):
            table.add_row(group, ", ".join(sorted(member for g, member in found if g == group)))
        self._console.print(table if found else "     nobody is in any group")
        if found != expected:
            raise NotAsToldError(f"not as told: who has access should be {sorted(expected)}, is {sorted(found)}")

    def summary(self, service: Service) -> None:
        """Show every change there was, from the service's own journal; nothing may be left of it."""
        changes = service.changes()
        table = Table(service.title, "granted", "revoked", box=None, padding=(0, 2, 0, 3), expand=True)
        for group in sorted({change.group for change in changes}):
            in_group = [change for change in changes if change.group == group]
            table.add_row(group, *(_names(in_group, verb) for verb in ("granted", "revoked")))
        table.add_row("by hand", *(_names(service.by_hand, verb) for verb in ("granted", "revoked")), style="dim")
        self._console.print(table)
        ends = Counter(change.folded()[1:] for change in [*changes, *service.by_hand] if change.verb == "revoked")
        begins = Counter(change.folded()[1:] for change in [*changes, *service.by_hand] if change.verb == "granted")
        self.check("whatever was granted was revoked, once", begins == ends, f"{begins}\n{ends}")
        left = service.members()
        self.check(f"left behind: {len(left)}", not left, sorted(left))

    def _indented(self, content: RenderableType, columns: int = 3) -> None:
        self._console.print(Padding(content, (0, 0, 0, columns), expand=False))


def _names(changes: list[Change], verb: str) -> str:
    names = [change.member for change in changes if change.verb == verb]
    return f"{len(names)}: {', '.join(names)}" if names else "0"
