"""A machine without a Pulumi CLI: what is not tested there is told, or fails the run if the CLI is required."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.without_pulumi import REQUIRED

ROOT = Path(__file__).resolve().parents[2]

_SUITE = """
import pytest
from engines.pulumi_engine import find_pulumi

_, missing = find_pulumi()

@pytest.mark.skipif(bool(missing), reason=f"not run under a real engine: {missing}")
def test_that_needs_the_cli():
    pass

@pytest.mark.skip(reason="for another reason")
def test_that_is_skipped():
    pass

def test_that_needs_nothing():
    pass
"""


@pytest.mark.parametrize("required", [False, True], ids=["as it is", "required"])
def test_what_needs_the_cli_is_counted_or_fails(tmp_path: Path, required: bool) -> None:
    """One line tells how many tests were skipped for want of it; a run that requires it fails for each of them."""
    (tmp_path / "test_suite.py").write_text(_SUITE)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    environment = {**os.environ, "PATH": str(tmp_path), "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    environment.pop(REQUIRED, None)
    if required:
        environment[REQUIRED] = "1"

    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "tests.without_pulumi", "-n", "1"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    told = "pulumi: 1 tests skipped: no `pulumi` on PATH"
    assert (run.returncode, told in run.stdout) == ((1, False) if required else (0, True)), run.stdout + run.stderr
    assert ("1 passed, 1 skipped, 1 error" if required else "1 passed, 2 skipped") in run.stdout
