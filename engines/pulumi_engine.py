"""The real Pulumi engine: the CLI on a program, with all its state in a folder of its own."""

import contextlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import yaml
from pulumi import automation

from engines.processes import LineCallback, Program, hermetic_environment

_STACK = "dev"
_PASSPHRASE = "nothing-secret"  # noqa: S105 - it protects a state that is thrown away


class PulumiMissing(RuntimeError):
    """There is no usable Pulumi CLI; the message says what was looked for."""


class PulumiFailed(RuntimeError):
    """A command of the CLI ended with an error; `run` tells all about it, the message ends with its output."""

    def __init__(self, run: "PulumiRun") -> None:
        self.run = run
        super().__init__(f"pulumi {run.command} failed:\n{run.output}")


@dataclass(frozen=True)
class Step:
    """One thing that the engine set out to do.

    `operation` in the engine's words: create, update, delete, same, read, refresh, replace, create-replacement,
    delete-replaced, ... `name` is the resource's logical name, `failed` whether the step ended in an error.
    """

    operation: str
    name: str
    type: str
    urn: str
    failed: bool = False


@dataclass(frozen=True)
class PulumiRun:
    """What one command did.

    `steps` are those of the program's resources, in the order in which they began; the stack itself and providers are
    left out. `changes` counts operations as the engine's summary does, the stack included. `diagnostics` are the
    warnings and errors, each as "error: ...".
    """

    command: str
    exit_status: int
    output: str
    steps: tuple[Step, ...] = ()
    changes: Mapping[str, int] = field(default_factory=dict)
    diagnostics: tuple[str, ...] = ()

    @property
    def operations(self) -> list[tuple[str, str]]:
        """The steps as (operation, name), without those that left a resource as it was."""
        return [(step.operation, step.name) for step in self.steps if step.operation != "same"]


def find_pulumi() -> tuple[Path | None, str]:
    """Return the CLI on PATH, and why there is none (empty when there is one)."""
    found = shutil.which("pulumi")
    if found is None:
        return None, "no `pulumi` on PATH (https://www.pulumi.com/docs/install)"
    if shutil.which("pulumi-language-python") is None:
        return None, f"{found} has no pulumi-language-python beside it on PATH"
    return Path(found), ""


class PulumiProject:
    """A program with a fresh stack; a context manager that ends with its processes and files gone.

    The program is a folder with a `__main__.py`, or the text of one. A `Pulumi.yaml` in the folder is respected (name,
    declared configuration, main); nothing is written into the folder. State, configuration and the CLI's own files are
    in a temporary folder, secrets under a throw-away passphrase, and the program runs with the interpreter of
    `virtualenv` (this one's, if not given; it must contain pip).

    `config` keys without a colon belong to the project; values may be lists and dicts. `environment` is added to this
    process's environment, from which AWS and Pulumi variables are dropped. `on_line` gets each line of output.
    Resources that are still in the stack at the end are forgotten, not destroyed.

    Raises PulumiMissing without a CLI; every operation raises PulumiFailed when the engine reports an error, and
    ProgramFailed after `timeout` seconds.
    """

    def __init__(
        self,
        program: Path | str,
        *,
        name: str = "project",
        config: Mapping[str, Any] | None = None,
        environment: Mapping[str, str] | None = None,
        virtualenv: Path | None = None,
        timeout: float = 300.0,
        on_line: LineCallback | None = None,
    ) -> None:
        self._program = program
        self._name = name
        self._config = dict(config or {})
        self._environment = dict(environment or {})
        self._virtualenv = virtualenv or (Path(sys.prefix) if sys.prefix != sys.base_prefix else None)
        self._timeout = timeout
        self._on_line = on_line
        self._runs = 0

    def __enter__(self) -> Self:
        executable, reason = find_pulumi()
        if executable is None:
            raise PulumiMissing(reason)
        self._executable = executable
        self._folder = tempfile.TemporaryDirectory(prefix="pulumi-", ignore_cleanup_errors=True)
        try:
            self._root = Path(self._folder.name)
            for name in ("home", "state", "workspace", "tmp"):
                (self._root / name).mkdir()
            self._write_project()
            self.set_config(self._config)
            self._run("stack", "init", _STACK)
        except BaseException:
            self._folder.cleanup()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._folder.cleanup()

    # Operations

    def up(
        self,
        *,
        targets: Sequence[str] = (),
        replace: Sequence[str] = (),
        expect_no_changes: bool = False,
        parallel: int | None = None,
    ) -> PulumiRun:
        """Run the program and bring the stack to what it declares. `targets` and `replace` are URNs."""
        return self._operate("up", targets, replace, expect_no_changes, parallel)

    def preview(
        self, *, targets: Sequence[str] = (), replace: Sequence[str] = (), expect_no_changes: bool = False
    ) -> PulumiRun:
        """Show what `up` would do."""
        return self._operate("preview", targets, replace, expect_no_changes, None)

    def refresh(self, *, targets: Sequence[str] = (), expect_no_changes: bool = False) -> PulumiRun:
        """Bring the state to what is really there."""
        return self._operate("refresh", targets, (), expect_no_changes, None)

    def destroy(self, *, targets: Sequence[str] = ()) -> PulumiRun:
        """Delete the stack's resources, or only the targets."""
        return self._operate("destroy", targets, (), False, None)

    def outputs(self) -> dict[str, Any]:
        """Return the stack's outputs, secrets in the clear."""
        text = self._run("stack", "output", "--json", "--show-secrets", quiet=True).output
        outputs: dict[str, Any] = json.loads(text)
        return outputs

    def export_stack(self) -> dict[str, Any]:
        """Return the stack's state as the engine stores it."""
        target = self._root / "export.json"
        self._run("stack", "export", "--file", str(target), quiet=True)
        state: dict[str, Any] = json.loads(target.read_text())
        return state

    def resources(self) -> dict[str, dict[str, Any]]:
        """Return the program's resources in the state, by logical name: urn, id, inputs, outputs and more."""
        return {
            resource["urn"].rpartition("::")[2]: resource
            for resource in self.export_stack()["deployment"].get("resources", [])
            if not _is_machinery(resource["type"])
        }

    def urn(self, name: str) -> str:
        """Return the URN of the resource with this logical name. Raises KeyError if the state has none."""
        urn: str = self.resources()[name]["urn"]
        return urn

    def set_config(self, config: Mapping[str, Any]) -> None:
        """Replace the stack's plain configuration."""
        path = self._root / "workspace" / f"Pulumi.{_STACK}.yaml"
        content = yaml.safe_load(path.read_text()) if path.exists() else {}
        content["config"] = {name if ":" in name else f"{self.name}:{name}": value for name, value in config.items()}
        # JSON is YAML as well, in which every string is quoted: PyYAML leaves 093 bare, and the CLI makes 93 of it.
        path.write_text(json.dumps(content, indent=2))

    def set_program(self, program: str) -> None:
        """Replace the program's text: what a user does by editing. For a project made from a text only."""
        if isinstance(self._program, Path):
            raise TypeError("the program is a folder: edit the files in it")
        (self._main / "__main__.py").write_text(program)

    def command(self, *arguments: str) -> PulumiRun:
        """Run any other command of the CLI on this stack, such as `command("stack", "history")`."""
        return self._run(*arguments)

    def inline(self, program: Callable[[], Any]) -> automation.Stack:
        """Return the same stack for the Automation API, with a function of this process as its program.

        State and configuration are this project's; the provider's host is still a process of its own, so a provider
        must be importable there. The Automation API hands this process's environment on and cannot take a variable
        away, so an AWS_PROFILE that is set here reaches the provider.
        """
        workspace = automation.LocalWorkspace(
            work_dir=str(self._root / "workspace"),
            pulumi_home=str(self._root / "home"),
            program=program,
            # They are laid over this process's environment: what should be absent can only be made empty, except for
            # a profile, for which empty is a name that is not found.
            env_vars={
                **dict.fromkeys(
                    (name for name in os.environ if name.startswith(("AWS_", "PULUMI_")) and name != "AWS_PROFILE"), ""
                ),
                **self._whole_environment(),
            },
        )
        return automation.Stack.select(_STACK, workspace)

    @property
    def name(self) -> str:
        """The project's name, which is the namespace of its configuration."""
        return str(self._settings["name"])

    # The CLI

    def _write_project(self) -> None:
        if isinstance(self._program, Path):
            folder = self._program.resolve()
            own = folder / "Pulumi.yaml"
            self._settings = yaml.safe_load(own.read_text()) if own.exists() else {"name": self._name}
            self._main = folder / str(self._settings.get("main", "."))
        else:
            self._main = self._root / "program"
            self._main.mkdir()
            (self._main / "__main__.py").write_text(self._program)
            self._settings = {"name": self._name}
        options = {"virtualenv": str(self._virtualenv)} if self._virtualenv else {}
        settings = {
            **self._settings,
            "runtime": {"name": "python", "options": options},
            # The project lives elsewhere, so that the stack's files are not written beside the program.
            "main": str(self._main),
        }
        (self._root / "workspace" / "Pulumi.yaml").write_text(yaml.safe_dump(settings, sort_keys=False))

    def _whole_environment(self) -> dict[str, str]:
        return hermetic_environment(
            {
                "HOME": str(self._root / "home"),
                "TMPDIR": str(self._root / "tmp"),
                "PULUMI_HOME": str(self._root / "home"),
                "PULUMI_BACKEND_URL": (self._root / "state").as_uri(),
                "PULUMI_CONFIG_PASSPHRASE": _PASSPHRASE,
                "PULUMI_SKIP_UPDATE_CHECK": "true",
                "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
                # Without it the CLI does not know --event-log; the Automation API sets it as well.
                "PULUMI_DEBUG_COMMANDS": "true",
                # A cache beside the program would be a file left behind.
                "PYTHONDONTWRITEBYTECODE": "1",
                **self._environment,
            }
        )

    def _operate(
        self,
        command: str,
        targets: Sequence[str],
        replace: Sequence[str],
        expect_no_changes: bool,
        parallel: int | None,
    ) -> PulumiRun:
        self._runs += 1
        log = self._root / f"events-{self._runs}.jsonl"
        arguments = [command, "--stack", _STACK, "--event-log", str(log)]
        if command != "preview":
            arguments += ["--yes", "--skip-preview"]
        for urn in targets:
            arguments += ["--target", urn]
        for urn in replace:
            arguments += ["--replace", urn]
        if expect_no_changes:
            arguments.append("--expect-no-changes")
        if parallel is not None:
            arguments += ["--parallel", str(parallel)]
        return self._run(*arguments, event_log=log)

    def _run(self, *arguments: str, event_log: Path | None = None, quiet: bool = False) -> PulumiRun:
        with Program(
            [self._executable, *arguments, "--non-interactive", "--color", "never"],
            env=self._whole_environment(),
            cwd=self._root / "workspace",
            name=f"pulumi {arguments[0]}",
            on_line=None if quiet else self._on_line,
        ) as program:
            try:
                status = program.wait(self._timeout)
            except BaseException:
                # Nothing of what it would still do is wanted: do not wait for running creates as it would.
                program.kill()
                raise
            output = program.output
        run = _describe(" ".join(arguments[:2]), status, output, event_log)
        if status != 0:
            raise PulumiFailed(run)
        return run


def _describe(command: str, status: int, output: str, event_log: Path | None) -> PulumiRun:
    """Put together the run from the output and the engine's events, one JSON object a line."""
    if event_log is None:
        return PulumiRun(command, status, output)
    command = command.split()[0]
    steps: list[Step] = []
    changes: dict[str, int] = {}
    diagnostics: list[str] = []
    failed: set[str] = set()
    lines = event_log.read_text().splitlines() if event_log.exists() else []
    for line in lines:
        event: dict[str, Any] = {}
        # The last line of a CLI that was stopped may be half a line.
        with contextlib.suppress(ValueError):
            event = json.loads(line)
        if "resourcePreEvent" in event:
            metadata = event["resourcePreEvent"]["metadata"]
            if not _is_machinery(metadata["type"]):
                urn = metadata["urn"]
                steps.append(Step(metadata["op"], urn.rpartition("::")[2], metadata["type"], urn))
        elif "resOpFailedEvent" in event:
            failed.add(event["resOpFailedEvent"]["metadata"]["urn"])
        elif "summaryEvent" in event:
            changes = event["summaryEvent"]["resourceChanges"] or {}
        elif "diagnosticEvent" in event:
            diagnostic = event["diagnosticEvent"]
            if diagnostic["severity"] in ("warning", "error"):
                diagnostics.append(f"{diagnostic['severity']}: {diagnostic['message'].strip()}")
    marked = tuple(Step(s.operation, s.name, s.type, s.urn, s.urn in failed) for s in steps)
    return PulumiRun(command, status, output, marked, changes, tuple(diagnostics))


def _is_machinery(type_: str) -> bool:
    return type_ == "pulumi:pulumi:Stack" or type_.startswith("pulumi:providers:")
