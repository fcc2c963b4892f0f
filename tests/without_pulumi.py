"""What is not tested where there is no Pulumi CLI: told at the end of every run, or a failure if the run requires it.

The variable AWS_ASSOCIATIONS_REQUIRE_PULUMI, set to anything, turns every such skip into a failure.
"""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest

from engines.pulumi_engine import find_pulumi

REQUIRED = "AWS_ASSOCIATIONS_REQUIRE_PULUMI"
_, _MISSING = find_pulumi()


def _lacks_pulumi(report: pytest.TestReport) -> bool:
    return report.skipped and bool(_MISSING) and isinstance(report.longrepr, tuple) and _MISSING in report.longrepr[2]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail what is skipped for want of the CLI, if this run requires it."""
    report = yield
    if os.environ.get(REQUIRED) and _lacks_pulumi(report):
        report.outcome, report.longrepr = "failed", f"{REQUIRED} is set: {_MISSING}"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many tests were skipped for want of the CLI."""
    skipped = [report for report in terminalreporter.stats.get("skipped", []) if _lacks_pulumi(report)]
    if skipped:
        terminalreporter.write_line(
            f"pulumi: {len(skipped)} tests skipped: {_MISSING}; {REQUIRED}=1 fails them instead", yellow=True
        )
