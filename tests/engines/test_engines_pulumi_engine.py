"""The real Pulumi engine."""

import os
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from engines.processes import ProgramFailed
from engines.pulumi_engine import PulumiFailed, PulumiMissing, PulumiProject, find_pulumi

_, MISSING = find_pulumi()
needs_pulumi = pytest.mark.skipif(bool(MISSING), reason=MISSING or "there is a pulumi")

PROVIDER = """
import os, time
from pathlib import Path
from pulumi.dynamic import CreateResult, DiffResult, ReadResult, Resource, ResourceProvider

class Provider(ResourceProvider):
    serialize_as_secret_always = False

    def create(self, props):
        if props["name"] == "bad":
            raise ValueError("bad is not a name")
        if props["name"] == "slow":
            Path(os.environ["TOYS"], "slow").write_text(str(os.getpid()))
            time.sleep(600)
        Path(os.environ["TOYS"], props["name"]).touch()
        return CreateResult("id-" + props["name"], props)

    def diff(self, id, olds, news):
        changed = olds["name"] != news["name"]
        return DiffResult(changes=changed, replaces=["name"] if changed else [])

    def read(self, id, props):
        there = Path(os.environ["TOYS"], props["name"]).exists()
        return ReadResult(id, props) if there else ReadResult("", {})

    def delete(self, id, props):
        Path(os.environ["TOYS"], props["name"]).unlink(missing_ok=True)

class Toy(Resource, module="toy", name="Toy"):
    def __init__(self, resource_name, name):
        super().__init__(Provider(), resource_name, {"name": name})
"""

PROGRAM = """
import pulumi
from engines_engine_toy import Toy

for name in pulumi.Config().require_object("toys"):
    pulumi.export(name, Toy("toy-" + name, name).id)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Write a program with its provider, as a user's project."""
    path = tmp_path / "program"
    path.mkdir()
    (path / "Pulumi.yaml").write_text("name: toys\nruntime: python\ndescription: Toys\n")
    (path / "__main__.py").write_text(PROGRAM)
    (path / "engines_engine_toy.py").write_text(PROVIDER)
    return path


@pytest.fixture
def toys(tmp_path: Path) -> Path:
    """Make the place where the provider's resources really are."""
    path = tmp_path / "toys"
    path.mkdir()
    return path


@pytest.fixture
def no_other_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Check that the folder for temporary files is empty in the end."""
    path = tmp_path / "temporary"
    path.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(path))
    yield
    assert list(path.iterdir()) == []


@needs_pulumi
@pytest.mark.usefixtures("no_other_files")
def test_a_program_in_a_folder_lives_through_every_operation(folder: Path, toys: Path) -> None:
    """Create, no change, replacement, loss, refresh and destroy are driven and told, step by step."""
    before = sorted(folder.iterdir())
    lines: list[str] = []
    with PulumiProject(
        folder, config={"toys": ["a", "b"]}, environment={"TOYS": str(toys)}, on_line=lines.append
    ) as project:
        created = project.up()
        assert sorted(created.operations) == [("create", "toy-a"), ("create", "toy-b")]
        assert created.output.splitlines() == lines[-len(created.output.splitlines()) :]
        assert project.outputs() == {"a": "id-a", "b": "id-b"}
        assert project.resources()["toy-a"]["inputs"]["name"] == "a"

        urn = project.urn("toy-a")
        replaced = project.up(replace=[urn], targets=[urn])
        assert replaced.operations == [
            ("create-replacement", "toy-a"),
            ("replace", "toy-a"),
            ("delete-replaced", "toy-a"),
        ]
        # Its delete came after its create and took what the create had made: what the engine is here to show.
        assert [path.name for path in toys.iterdir()] == ["b"]
        project.refresh()
        assert list(project.resources()) == ["toy-b"]

        project.set_config({"toys": ["bad"]})
        with pytest.raises(PulumiFailed, match="bad is not a name") as caught:
            project.up()
        assert [(step.name, step.failed) for step in caught.value.run.steps if step.operation == "create"] == [
            ("toy-bad", True)
        ]
        assert any("bad is not a name" in line for line in caught.value.run.diagnostics)

        assert project.destroy().operations == [("delete", "toy-b")]
    assert sorted(folder.iterdir()) == before


@needs_pulumi
@pytest.mark.usefixtures("no_other_files")
def test_inline_programs_use_the_same_stack() -> None:
    """A program as text and a function through the Automation API work on one state."""
    with PulumiProject("import pulumi\npulumi.export('from', 'text')\n", name="inline") as project:
        project.up()
        assert project.outputs() == {"from": "text"}
        project.set_program("import pulumi\npulumi.export('from', pulumi.Output.secret('edited'))\n")
        assert "[secret]" in project.preview().output

        def program() -> None:
            import pulumi

            pulumi.export("from", "function")

        stack = project.inline(program)
        assert stack.up().outputs["from"].value == "function"
        assert project.outputs() == {"from": "function"}


@needs_pulumi
@pytest.mark.usefixtures("no_other_files")
def test_ctrl_c_leaves_no_process(folder: Path, toys: Path) -> None:
    """After Ctrl-C in the middle of a create, the CLI and the provider's host are gone."""
    started = toys / "slow"

    def press_when_started() -> None:
        deadline = time.monotonic() + 30
        while not (started.exists() and started.read_text()) and time.monotonic() < deadline:
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGINT)

    finger = threading.Thread(target=press_when_started)
    # A shell starts its background jobs deaf to Ctrl-C, and these tests may be one.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with PulumiProject(folder, config={"toys": ["slow"]}, environment={"TOYS": str(toys)}, timeout=60) as project:
            finger.start()
            with pytest.raises(KeyboardInterrupt):
                project.up()
    finally:
        if finger.ident is not None:
            finger.join()
        signal.signal(signal.SIGINT, before)
    host = int(started.read_text())
    deadline = time.monotonic() + 2
    # It is killed at once, but whoever inherits it must collect it.
    while Path(f"/proc/{host}").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    with pytest.raises(ProcessLookupError):
        os.kill(host, 0)


@needs_pulumi
@pytest.mark.usefixtures("no_other_files")
def test_a_stuck_command_is_given_up() -> None:
    """When the time is over the error says so, with the output so far."""
    with pytest.raises(ProgramFailed, match=r"pulumi stack: still running after 0\.01 s"):
        PulumiProject("pass", timeout=0.01).__enter__()


def test_without_a_cli_the_reason_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where there is no CLI, the error says what was looked for."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "no `pulumi` on PATH" in find_pulumi()[1]
    with pytest.raises(PulumiMissing, match="no `pulumi` on PATH"), PulumiProject("pass"):
        pass
