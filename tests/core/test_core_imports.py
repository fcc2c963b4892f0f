"""What the core loads: nothing of AWS before the first call, and never a host."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CORE = Path(__file__).parents[2] / "core"
MODULES = sorted(
    ".".join(file.relative_to(CORE).with_suffix("").parts).removesuffix(".__init__") for file in CORE.rglob("*.py")
)


def _loaded(statement: str) -> set[str]:
    code = f"{statement}; import sys; print(*sys.modules)"
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(CORE)}
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in run.stdout.split()}


def test_declaring_loads_nothing_of_aws() -> None:
    """Every module of the core imports without botocore, so that a program that only declares starts at once."""
    loaded = _loaded("import " + ", ".join(MODULES))

    assert "aws_associations" in loaded
    assert not loaded & {"botocore", "boto3", "jmespath", "urllib3", "dateutil"}


def test_the_core_knows_no_host() -> None:
    """Neither a host's library nor an adapter nor the emulator is loaded by the core."""
    loaded = _loaded("import " + ", ".join(MODULES))

    assert not loaded & {
        "pulumi",
        "crhelper",
        "moto",
        "pulumi_aws_associations",
        "aws_associations_lambda",
        "finspace_emulator",
    }


@pytest.mark.parametrize("module", MODULES)
def test_no_module_imports_upwards(module: str) -> None:
    """Each module loads alone, whichever is imported first: there is no cycle."""
    assert "aws_associations" in _loaded(f"import {module}")
