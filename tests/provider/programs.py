"""Pulumi programs without an engine: Pulumi's own mocks take what they declare."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engines.processes import hermetic_environment
from tests.provider.declared import aws_environment

_RUN = """
import json, runpy, sys
import pulumi

program, config = sys.argv[1], json.loads(sys.argv[2])
exports, deleted_first = {}, set()

class Mocks(pulumi.runtime.Mocks):
    def new_resource(self, args):
        inputs = {name: value for name, value in args.inputs.items() if name != "__provider"}
        # In one piece: resources are registered in several threads.
        sys.stdout.write(json.dumps(["resource", args.typ, args.name, inputs, args.name in deleted_first]) + "\\n")
        return f"{args.name}-id", args.inputs
    def call(self, args):
        return {}

register = pulumi.runtime.mocks.MockMonitor.RegisterResource

def registering(self, request):
    if request.deleteBeforeReplace:
        deleted_first.add(request.name)
    return register(self, request)

pulumi.runtime.mocks.MockMonitor.RegisterResource = registering
pulumi.runtime.set_mocks(Mocks(), project="project", stack="dev", organization="organization")
pulumi.runtime.set_all_config({name if ":" in name else f"project:{name}": value for name, value in config.items()})
pulumi.export = exports.__setitem__

@pulumi.runtime.test
def declare():
    runpy.run_path(program, run_name="__main__")
    return pulumi.Output.from_input(exports).apply(lambda found: print(json.dumps(["exports", found])))

try:
    declare()
except pulumi.RunError as error:
    sys.exit(f"RunError: {error}")
"""


@dataclass(frozen=True)
class Registered:
    """A resource as the engine would be told of it, every output in its inputs resolved."""

    type: str
    name: str
    inputs: dict[str, Any]
    deleted_first: bool
    """Whether its replacement deletes first."""


@dataclass(frozen=True)
class Ran:
    """What a program declared, in the order of the names, and exported; its RunError, empty if there was none."""

    resources: list[Registered]
    exports: dict[str, Any]
    error: str


def run_program(program: Path, config: Mapping[str, Any] | None = None) -> Ran:
    """Run a program with this configuration, as the engine hands it on: objects as JSON. Keys as in an engine's."""
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in (config or {}).items()}
    done = subprocess.run(
        [sys.executable, "-c", _RUN, str(program), json.dumps(texts)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        # Declaring calls nothing: nobody answers there.
        env=hermetic_environment({"PYTHONDONTWRITEBYTECODE": "1", **aws_environment("http://127.0.0.1:9")}),
    )
    told = done.stderr.strip().rpartition("RunError: ")
    assert done.returncode == 0 or told[1], done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    # Pulumi registers them side by side, in no certain order.
    found = sorted((Registered(*line[1:]) for line in lines if line[0] == "resource"), key=lambda made: made.name)
    exports: dict[str, Any] = next((line[1] for line in lines if line[0] == "exports"), {})
    return Ran(found, exports, "" if done.returncode == 0 else told[2])
