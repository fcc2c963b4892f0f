"""What the contract leaves out, in the terminal summary of every run of it: nothing is skipped in silence."""

from __future__ import annotations

from pathlib import Path

import pytest

from aws_associations.kinds import KINDS
from tests.contract.cases import lacks


def lines() -> list[str]:
    """One line for every case that a declared kind lacks. Static: the same in every process."""
    return [f"contract: {kind.name}: lacks {case}: {reason}" for kind in KINDS for case, reason in lacks(kind).items()]


_printed: list[pytest.TerminalReporter] = []


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print them, once, whichever conftest.py names this hook; only the arguments tell a controller what was run."""
    here = Path(__file__).parent
    asked = [Path(argument.partition("::")[0]).resolve() for argument in config.args]
    if terminalreporter not in _printed and any(
        here.is_relative_to(path) or path.is_relative_to(here) for path in asked
    ):
        _printed.append(terminalreporter)
        terminalreporter.section("what the contract leaves out")
        for line in lines():
            terminalreporter.write_line(line)
