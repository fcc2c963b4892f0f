"""Telling a story whose every sentence is checked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TimeElapsedColumn
from rich.table import Table

from finspace_emulator.control import EmulatorControl


class NotAsToldError(Exception):
    """A step ended otherwise than the story says."""


class Story:
    """Prints the steps, with live progress on a terminal, and stops where one is not as told."""

    def __init__(self, console: Console, service: EmulatorControl, environment: str) -> None:
        """``service`` knows the truth about who has access to ``environment``."""
        self._console = console
        self._service = service
        self._environment = environment
        self._number = 0

    def act(self, title: str) -> None:
        """Begin an act."""
        self._console.rule(f"[bold]{title}")

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Tell one step; what happens inside is it. On a terminal a clock runs until it has ended."""
        self._number += 1
        self._console.print(f"[bold]{self._number}. {title}")
        progress = Progress(SpinnerColumn(), TimeElapsedColumn(), console=self._console, transient=True)
        with progress if self._console.is_terminal else nullcontext():
            if self._console.is_terminal:
                progress.add_task(title, total=None)
            yield

    def line(self, text: str) -> None:
        """Say one thing more about the step."""
        self._console.print(f"   {text}", highlight=False)

    def check(self, told: str, really: bool, otherwise: str = "") -> None:
        """Say what is true, or stop."""
        if not really:
            raise NotAsToldError(f"not as told: {told}" + (f"\n{otherwise}" if otherwise else ""))
        self._console.print(f"   [green]ok[/green] {told}", highlight=False)

    def members(self, expected: set[tuple[str, str]]) -> None:
        """Show who has access, as the service itself says, and compare. A member is (group, user)."""
        table = Table("group", "users", box=None, padding=(0, 2, 0, 5))
        found = {(now.permission_group_id, now.user_id) for now in self._service.memberships(self._environment)}
        for group in sorted({group for group, _ in found}):
            table.add_row(group, ", ".join(sorted(user for g, user in found if g == group)))
        self._console.print(table if found else "     nobody is in any group")
        if found != expected:
            raise NotAsToldError(f"not as told: who has access should be {sorted(expected)}, is {sorted(found)}")
