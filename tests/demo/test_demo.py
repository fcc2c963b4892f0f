"""The demonstration: what it tells is true, it leaves nothing behind, and it fails where something is otherwise."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from types import ModuleType

import pytest
from rich.console import Console

from association_emulator.control import EmulatorControl
from association_emulator.server import EmulatorServer
from demo import __main__ as demo
from demo import (
    act1_finspace_cloudformation,
    act1_finspace_pulumi,
    act2_directory_cloudformation,
    act2_directory_pulumi,
    function,
    pulumi_cli,
)
from demo.services import Directory, FinSpace, Member, Service
from demo.story import NotAsToldError, Story

_ROOT = Path(__file__).resolve().parent.parent.parent
_ACTS = (
    act1_finspace_cloudformation,
    act1_finspace_pulumi,
    act2_directory_cloudformation,
    act2_directory_pulumi,
)


@pytest.fixture
def emulator() -> Iterator[EmulatorServer]:
    """An empty one."""
    with EmulatorServer() as server:
        server.control.reset()
        yield server


def test_the_whole_story_is_as_told_and_leaves_nothing_behind(tmp_path: Path) -> None:
    """Both acts end as told, every temporary file is gone and so is every process."""
    environment = {**os.environ, "TMPDIR": str(tmp_path), "DEMO_OF_THIS_TEST": str(tmp_path)}

    run = subprocess.run(
        [sys.executable, "-m", "demo"],
        cwd=_ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,  # twice what it may take on a machine that does nothing else
        check=False,
    )

    assert run.returncode == 0, run.stdout + run.stderr
    titles = [line.strip("─ ") for line in run.stdout.splitlines() if line.startswith("──")]
    assert [title.split(":")[0].partition("'")[0] for title in titles] == [
        "The stage",
        "Act 1, CloudFormation",
        "Act 1, Pulumi",
        "Act 2, CloudFormation",
        "Act 2, Pulumi",
        "What was granted and revoked, by the services",
    ]
    assert "Everything was as told" in run.stdout
    assert run.stdout.count("left behind: 0") == 2
    assert list(tmp_path.iterdir()) == []
    mark = f"DEMO_OF_THIS_TEST={tmp_path}".encode()
    left = [path for path in Path("/proc").glob("[0-9]*/environ") if mark in _environment_of(path)]
    assert left == []


def _environment_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # it has just ended, or is another user's
        return b""


@pytest.mark.parametrize("failing", _ACTS, ids=lambda act: act.__name__.rpartition(".")[2])
@pytest.mark.parametrize("has_engine", [True, False], ids=["pulumi", "host"])
def test_every_act_that_is_not_as_told_fails_the_demo(
    failing: ModuleType, has_engine: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A story that goes otherwise, wherever, ends with a status that a script can see."""

    def untrue(*_: object) -> None:
        raise NotAsToldError("not as told: the moon is made of cheese")

    _without_engines(monkeypatch, tmp_path, has_engine=has_engine)
    _play_nothing_but(monkeypatch)
    assert demo.main() == 0

    for name in _plays(failing):
        monkeypatch.setattr(failing, name, untrue)
    assert demo.main() == 1


def test_what_is_left_at_the_end_fails_the_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither act may leave anything in its service."""

    def leave(_story: Story, _engine: object, service: Service) -> None:
        service.somebody_grants("Analysts", "alice")

    _without_engines(monkeypatch, tmp_path, has_engine=False)
    _play_nothing_but(monkeypatch)
    monkeypatch.setattr(act2_directory_cloudformation, "play", leave)

    assert demo.main() == 1


def test_a_function_that_may_grant_more_than_told_fails_the_second_act(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With every group allowed the real stack really makes a domain administrator, and the demo says so."""
    monkeypatch.setattr(demo, "PARAMETERS", {"DirectoryGroupMembership": "*"})
    monkeypatch.setattr(pulumi_cli, "ensure", lambda *_: False)
    _play_nothing_but(monkeypatch, act2_directory_cloudformation)

    assert demo.main() == 1

    assert "not as told: refused, because of the function's parameter" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("moment", [1, 2, 3], ids=["declared", "replaced", "destroyed"])
def test_whoever_meddles_with_the_second_act_is_noticed(moment: int, emulator: EmulatorServer) -> None:
    """Access that is otherwise than the program declares ends the story at that moment."""

    class Meddled(Directory):
        looks = 0

        def members(self) -> set[Member]:
            self.looks += 1
            if self.looks == moment:
                self._grant("Domain Admins", "frank")
            return super().members()

    directory = Meddled(emulator.control)
    directory.somebody_grants("Analysts", "erin")

    with pytest.raises(NotAsToldError, match=r"should be .* is .*'Domain Admins', 'frank'"):
        act2_directory_pulumi.play_with_host(_story(), directory, pulumi_cli.credentials(emulator.url))
    assert directory.looks == moment


def test_access_that_is_not_as_told_ends_the_story(emulator: EmulatorServer) -> None:
    """What the story says of who has access is compared with the service's own truth."""
    story, control = _story(), emulator.control
    services: list[tuple[Service, Member]] = [
        (FinSpace(control), ("analysts", "alice")),
        (Directory(control), ("Analysts", "alice")),
    ]
    for service, member in services:
        service.somebody_grants(*member)

        story.members(service, {member})
        with pytest.raises(NotAsToldError, match="should be"):
            story.members(service, set())
    with pytest.raises(NotAsToldError, match="cheese"):
        story.check("the moon is made of cheese", False)


def test_the_summary_is_the_journal_and_no_story(emulator: EmulatorServer) -> None:
    """A member who came and went by no call and by nobody's hand was never told of, and fails the summary."""
    control: EmulatorControl = emulator.control
    directory, story = Directory(control), _story()
    story.summary(directory)

    directory.somebody_grants("Analysts", "alice")
    with pytest.raises(NotAsToldError, match="whatever was granted was revoked"):
        story.summary(directory)

    directory.somebody_revokes("Analysts", "alice")
    story.summary(directory)

    control.directory.grant(directory.id, "Analysts", "alice")
    with pytest.raises(NotAsToldError, match="left behind: 1"):
        story.summary(directory)


def _story() -> Story:
    return Story(Console(quiet=True))


def _plays(act: ModuleType) -> list[str]:
    return [name for name in vars(act) if name.startswith("play")]


def _play_nothing_but(monkeypatch: pytest.MonkeyPatch, *acts: ModuleType) -> None:
    for act in _ACTS:
        for name in _plays(act) if act not in acts else ():
            monkeypatch.setattr(act, name, lambda *_: None)


def _without_engines(monkeypatch: pytest.MonkeyPatch, folder: Path, *, has_engine: bool) -> None:
    """Nothing is started and nothing deployed."""
    archive = folder / "function.zip"
    with zipfile.ZipFile(archive, "w"):
        pass
    monkeypatch.setattr(demo, "Ministack", lambda **_: nullcontext())
    monkeypatch.setattr(function, "deploy", lambda *_: archive)
    monkeypatch.setattr(pulumi_cli, "ensure", lambda *_: has_engine)
