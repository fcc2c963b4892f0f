"""What follows from the declarations of kinds is in the repository as it would be written today."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

import generation.__main__ as generation
from aws_associations.kind import Kind
from aws_associations.kinds import KINDS
from generation.facts import class_name, declaration_module, module_name
from generation.regions import filled

ROOT = Path(__file__).resolve().parent.parent.parent
PLACES = ("docs/kinds", "examples", "provider", "core", "generation")
FILES = ("README.md", "handlers/template.yaml", "pyproject.toml")

every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """What is generated, and what it is generated from."""
    for place in PLACES:
        shutil.copytree(ROOT / place, tmp_path / place, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(ROOT / name, tmp_path / name)
    return tmp_path


def make_generate(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command of the Makefile, on the declarations of ``root``."""
    path = os.pathsep.join(str(root / place) for place in ("core", "provider", "."))
    return subprocess.run(
        [sys.executable, "-m", "generation", *arguments],
        cwd=root,
        env={**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_no_generated_file_is_stale() -> None:
    """Whoever changes a declaration runs `make generate`."""
    assert generation.stale(ROOT) == []


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("provider/pulumi_aws_associations/directory.py", "group_name", "team_name"),
        ("docs/kinds/directory-group-membership.md", "GroupName", "TeamName"),
        ("handlers/template.yaml", "Serves", "Offers"),
        ("README.md", "`directory.GroupMembership`", "`directory.TeamMembership`"),
        ("examples/cloudformation/directory-group-membership.yaml", "2880", "60"),
        ("examples/pulumi/directory-group-membership/Pulumi.yaml", "groupName", "teamName"),
        ("examples/pulumi/directory-group-membership/__main__.py", "groupName", "teamName"),
    ],
)
def test_a_generated_file_that_was_changed_by_hand_is_stale(copy: Path, name: str, old: str, new: str) -> None:
    """Each sort of generated file is compared, and named."""
    text = (copy / name).read_text()
    assert old in text
    (copy / name).write_text(text.replace(old, new))

    assert generation.stale(copy) == [Path(name)]


def test_what_is_written_by_hand_is_nobodys_business(copy: Path) -> None:
    """README and template are generated in their marked regions only, and a folder holds what its user puts there."""
    for name in ("README.md", "handlers/template.yaml"):
        text = (copy / name).read_text()
        (copy / name).write_text(f"{text}# by hand\n")
    (copy / "provider/pulumi_aws_associations/by_hand.py").write_text('"""Written by a user."""\n')
    (copy / "examples/pulumi/directory-group-membership/Pulumi.dev.yaml").write_text("config: {}\n")

    assert generation.stale(copy) == []


def test_what_is_left_of_a_kind_that_is_gone_is_stale(copy: Path) -> None:
    """A page, an example or a class of no declared kind is reported by name."""
    left = [
        "docs/kinds/iot-toy-membership.md",
        "examples/cloudformation/iot-toy-membership.yaml",
        "examples/pulumi/iot-toy-membership",
        "provider/pulumi_aws_associations/toy.py",
    ]
    shutil.copyfile(copy / "docs/kinds/iot-thing-group-membership.md", copy / left[0])
    shutil.copyfile(copy / "examples/cloudformation/iot-thing-group-membership.yaml", copy / left[1])
    shutil.copytree(copy / "examples/pulumi/iot-thing-group-membership", copy / left[2])
    shutil.copyfile(copy / "provider/pulumi_aws_associations/iot.py", copy / left[3])

    assert generation.stale(copy) == [Path(name) for name in left]


TOY = '''"""IoT: a toy."""

import dataclasses

from aws_associations.kinds.iot_thing_group_membership import KIND as OTHER

KIND = dataclasses.replace(
    OTHER, name="iot-toy-membership", noun="IoT toy membership", cloudformation_type="Custom::IotToyMembership"
)
'''


def test_a_new_kind_is_one_module_and_what_is_generated(copy: Path) -> None:
    """`make generate` makes everything of a new declaration; without it, says what is left and removes nothing."""
    declaration = copy / "core/aws_associations/kinds/iot_toy_membership.py"
    declaration.write_text(TOY)
    made = [
        "README.md",
        "docs/kinds/iot-toy-membership.md",
        "examples/cloudformation/iot-toy-membership.yaml",
        "examples/pulumi/iot-toy-membership/Pulumi.yaml",
        "examples/pulumi/iot-toy-membership/__main__.py",
        "handlers/template.yaml",
        "provider/pulumi_aws_associations/iot.py",
    ]

    checked = make_generate(copy, "--check")
    assert (checked.returncode, checked.stdout) == (1, "")
    assert [line.split()[0] for line in checked.stderr.splitlines()] == made
    written = make_generate(copy)
    assert (written.returncode, written.stdout.splitlines()) == (0, made)
    assert "class ToyMembership(" in (copy / made[-1]).read_text()
    assert make_generate(copy, "--check").returncode == 0

    declaration.unlink()
    left = ["docs/kinds/iot-toy-membership.md", "examples/cloudformation/iot-toy-membership.yaml"]
    left.append("examples/pulumi/iot-toy-membership")
    gone = make_generate(copy)
    assert gone.returncode == 1
    assert [line.split()[0] for line in gone.stderr.splitlines()] == left
    assert all((copy / name).exists() for name in left)
    assert "ToyMembership" not in (copy / made[-1]).read_text()
    assert make_generate(copy, "--check").returncode == 1


@every_kind
def test_everything_of_a_kind_is_there(kind: Kind) -> None:
    """A kind has its Pulumi class, its page, an example in each language, its template parameter and its row."""
    module = (ROOT / f"provider/pulumi_aws_associations/{module_name(kind)}.py").read_text()
    assert f"class {class_name(kind)}(AssociationResource, " in module.replace("(\n    ", "(")
    assert f"class {class_name(kind)}Provider(AssociationProvider):" in module
    page = (ROOT / f"docs/kinds/{kind.name}.md").read_text()
    assert page.splitlines()[1] == f"# {kind.cloudformation_type}, `{module_name(kind)}.{class_name(kind)}`"
    assert f"kinds/{declaration_module(kind)}.py" in page
    assert kind.cloudformation_type in (ROOT / f"examples/cloudformation/{kind.name}.yaml").read_text()
    program = (ROOT / f"examples/pulumi/{kind.name}/__main__.py").read_text()
    assert f"from pulumi_aws_associations.{module_name(kind)} import {class_name(kind)}" in program
    project = yaml.safe_load((ROOT / f"examples/pulumi/{kind.name}/Pulumi.yaml").read_text())
    assert project["name"] == kind.name
    virtualenv = ROOT / "examples/pulumi" / kind.name / project["runtime"]["options"]["virtualenv"]
    assert (virtualenv.parent.resolve(), virtualenv.name) == (ROOT, ".venv")
    assert len(project["config"]) == sum(part.default is None for part in kind.parts)
    assert f"\n  {kind.switch}:\n    Type: CommaDelimitedList\n" in (ROOT / "handlers/template.yaml").read_text()
    (row,) = [line for line in (ROOT / "README.md").read_text().splitlines() if f"docs/kinds/{kind.name}.md" in line]
    assert f"`{kind.cloudformation_type}` | `{module_name(kind)}.{class_name(kind)}` | {kind.proof} |" in row


def test_generated_python_is_checked_as_strictly_as_any() -> None:
    """The type checker's run takes in the generated classes and what generates them, strictly and without exception."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]

    assert settings["strict"] is True
    assert {"provider", "generation", "tests"} <= set(settings["files"])
    assert not any("provider" in pattern for pattern in settings["exclude"])
    excepted = {name for override in settings["overrides"] for name in override["module"]}
    assert not any(name.startswith(("pulumi_aws", "generation", "tests")) for name in excepted)


@pytest.mark.parametrize("text", ["nothing\n", "# generated: a (make generate)\n# end of a\n" * 2])
def test_a_region_that_is_not_there_once_is_an_error(text: str) -> None:
    """A marker that was lost or doubled would leave text that nobody generates."""
    with pytest.raises(ValueError, match="regions are named a"):
        filled(text, "yaml", {"a": "x\n"})
