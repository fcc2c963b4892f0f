"""The zip, the template and the examples: reproducible, small, whole, and clean."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from aws_associations.kinds import KINDS
from tests.handlers.template import EXAMPLES, FUNCTION_TEMPLATE, ROOT, read


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    """The function's template as data."""
    return read(FUNCTION_TEMPLATE)


def copy_of_the_sources(folder: Path, *, umask: int) -> Path:
    """Copy what the zip is built from, with other modes, other times and some litter."""
    for name in ("core", "handlers"):
        shutil.copytree(ROOT / name, folder / name, copy_function=shutil.copyfile)
    shutil.copyfile(ROOT / "LICENSE", folder / "LICENSE")
    (folder / "core" / "aws_associations" / "notes.txt").write_text("litter")
    (folder / "core" / "aws_associations" / "__pycache__").mkdir(exist_ok=True)
    (folder / "core" / "aws_associations" / "__pycache__" / "errors.cpython-399.pyc").write_bytes(b"litter")
    for path in folder.rglob("*"):
        path.chmod((0o777 if path.is_dir() else 0o666) & ~umask)
        os.utime(path, (1_000_000_000, 1_000_000_000))
    return folder


@pytest.mark.parametrize(("umask", "zone"), [(0o022, "UTC"), (0o077, "Pacific/Kiritimati")])
def test_the_zip_is_the_same_from_everywhere(package: Path, tmp_path: Path, umask: int, zone: str) -> None:
    """Another folder, umask, time zone, modes and times of the sources give the same bytes."""
    sources = copy_of_the_sources(tmp_path / "elsewhere", umask=umask)
    output = tmp_path / "made" / "out.zip"

    subprocess.run(
        [sys.executable, "-m", "handlers.package", output],
        cwd=sources,
        env={**os.environ, "TZ": zone},
        umask=umask,
        capture_output=True,
        check=True,
    )

    assert hashlib.sha256(output.read_bytes()).hexdigest() == hashlib.sha256(package.read_bytes()).hexdigest()


def test_the_zip_is_small_and_holds_nothing_else(package: Path) -> None:
    """At most 150 kB: the core, the function and crhelper with its licence; neither boto3 nor compiled files."""
    with zipfile.ZipFile(package) as archive:
        names = archive.namelist()
        members = archive.infolist()

    assert package.stat().st_size <= 150_000
    assert {name.split("/")[0] for name in names} == {
        "LICENSE",
        "aws_associations",
        "aws_associations_lambda",
        "crhelper",
    }
    assert {Path(name).suffix for name in names} == {"", ".py", ".json"}
    assert "crhelper/LICENSE" in names
    assert names == sorted(set(names))
    assert {member.external_attr >> 16 for member in members} == {0o100644}


def test_the_zip_is_whole(package: Path) -> None:
    """Every module of the core, the function and crhelper is in it, with the service's model."""
    with zipfile.ZipFile(package) as archive:
        names = set(archive.namelist())

    expected = {
        path.relative_to(folder).as_posix()
        for folder in (ROOT / "core", ROOT / "handlers")
        for path in folder.glob("aws_associations*/**/*")
        if path.suffix in {".py", ".json"}
    }
    assert expected <= names
    assert any(name.endswith("service-2.json") for name in names)
    crhelper = {file.as_posix() for file in importlib.metadata.files("crhelper") or () if file.suffix == ".py"}
    assert {name for name in crhelper if name.startswith("crhelper/")} <= names


def test_cfn_lint_finds_nothing() -> None:
    """Neither the function's template nor an example has an error, a warning or a remark."""
    run = subprocess.run(
        [Path(sys.executable).parent / "cfn-lint", "--include-checks", "I", "--", FUNCTION_TEMPLATE, *EXAMPLES],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


def test_the_function_runs_on_the_newest_runtime_and_keeps_its_log(template: dict[str, Any]) -> None:
    """The newest managed Python (2026-11), a log with retention that outlives the stack, deliveries for two hours."""
    resources = template["Resources"]

    assert resources["Function"]["Properties"]["Runtime"] == "python3.14"
    assert resources["Function"]["Properties"]["LoggingConfig"] == {"LogGroup": {"Ref": "LogGroup"}}
    assert resources["LogGroup"]["Properties"] == {"RetentionInDays": {"Ref": "LogRetentionDays"}}
    assert resources["LogGroup"]["DeletionPolicy"] == "RetainExceptOnCreate"
    assert resources["Deliveries"]["Properties"]["MaximumEventAgeInSeconds"] == 7200


def test_the_template_keeps_what_must_never_change(template: dict[str, Any]) -> None:
    """The function has a name of its own, because a ServiceToken is for ever; ServiceToken and role ARN are outputs."""
    function = template["Resources"]["Function"]["Properties"]

    assert function["FunctionName"] == {"Ref": "FunctionName"}
    assert template["Parameters"]["FunctionName"]["Default"] == "aws-associations"
    assert function["Handler"] == "aws_associations_lambda.index.handler"
    assert template["Parameters"]["Architecture"]["AllowedValues"] == ["arm64", "x86_64"]
    assert template["Outputs"]["ServiceToken"]["Value"] == {"GetAtt": "Function.Arn"}
    assert template["Outputs"]["ServiceToken"]["Export"]["Name"] == {"Sub": "${FunctionName}-ServiceToken"}
    assert template["Outputs"]["RoleArn"]["Value"] == {"GetAtt": "Role.Arn"}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_a_request_outlives_all_deliveries_of_lambda(template: dict[str, Any], example: Path) -> None:
    """An example's ServiceTimeout leaves room for the three deliveries that Lambda makes of one request."""
    (resource,) = read(example)["Resources"].values()

    timeout = template["Parameters"]["TimeoutSeconds"]["Default"]

    assert 3 * timeout + 60 + 120 <= resource["Properties"]["ServiceTimeout"] <= 3600


def test_every_kind_has_an_example() -> None:
    """There is one example stack for each kind, with one resource of its type, and no other example."""
    types = {path.stem: [resource["Type"] for resource in read(path)["Resources"].values()] for path in EXAMPLES}
    assert types == {kind.name: [kind.cloudformation_type] for kind in KINDS}
