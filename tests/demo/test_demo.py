"""The demonstration: what it tells is true, and it leaves nothing behind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from demo import __main__ as demo
from demo import cloudformation_act, pulumi_act
from demo.story import NotAsToldError, Story
from finspace_emulator.server import EmulatorServer

_ROOT = Path(__file__).resolve().parent.parent.parent


def test_the_whole_story_is_as_told_and_leaves_nothing_behind(tmp_path: Path) -> None:
    """Both acts end as told within 90 seconds, every temporary file is gone and so is every process."""
    environment = {**os.environ, "TMPDIR": str(tmp_path), "DEMO_OF_THIS_TEST": str(tmp_path)}

    run = subprocess.run(
        [sys.executable, "-m", "demo"],
        cwd=_ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )

    assert run.returncode == 0, run.stdout + run.stderr
    assert "Everything was as told" in run.stdout
    assert "left behind: 0" in run.stdout
    assert list(tmp_path.iterdir()) == []
    mark = f"DEMO_OF_THIS_TEST={tmp_path}".encode()
    left = [path for path in Path("/proc").glob("[0-9]*/environ") if mark in _environment_of(path)]
    assert left == []


def _environment_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # it has just ended, or is another user's
        return b""


def test_a_step_that_is_not_as_told_fails_the_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    """A story that goes otherwise ends with a status that a script can see."""

    def untrue(*_: object) -> None:
        raise NotAsToldError("not as told: the moon is made of cheese")

    monkeypatch.setattr(cloudformation_act, "play", untrue)
    monkeypatch.setattr(pulumi_act, "play", untrue)

    assert demo.main() == 1


def test_access_that_is_not_as_told_ends_the_story() -> None:
    """What the story says of who has access is compared with the service's own truth."""
    with EmulatorServer() as server:
        server.control.reset()
        server.control.add_permission_group("env1", "analysts")
        server.control.add_user("env1", "alice")
        server.control.grant("env1", "analysts", "alice")
        story = Story(Console(quiet=True), server.control, "env1")

        story.members({("analysts", "alice")})
        with pytest.raises(NotAsToldError, match="should be"):
            story.members(set())
        with pytest.raises(NotAsToldError, match="cheese"):
            story.check("the moon is made of cheese", False)
