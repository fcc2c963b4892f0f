"""The README: every command in it is run as it stands, every name in it is one that the code knows."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from association_emulator.control import EmulatorControl
from association_emulator.server import EmulatorServer
from aws_associations import errors
from aws_associations.kind import Kind, Option, Part
from aws_associations.kinds import KINDS
from aws_associations_lambda.response_url import TEST_HOST
from engines.ministack import Ministack
from engines.pulumi_engine import find_pulumi

_ROOT = Path(__file__).resolve().parent.parent.parent
_README = (_ROOT / "README.md").read_text()
_FOUND, _REASON = find_pulumi()


def commands(label: str) -> list[str]:
    """The lines of every shell block with this label."""
    blocks = re.findall(r"^```sh *([a-z]*)\n(.*?)^```$", _README, flags=re.MULTILINE | re.DOTALL)
    return [line for name, block in blocks if name == label for line in block.splitlines() if line]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A copy of what is in the repository, as a new user would clone it."""
    folder = tmp_path / "clone"
    made = shutil.ignore_patterns(".git", ".venv*", "*_cache", ".hypothesis", "__pycache__", "dist", "Pulumi.*.yaml")
    shutil.copytree(_ROOT, folder, ignore=made)
    for path in folder.rglob("*"):
        # Older than the virtual environments that a test may lend to the clone, so that make has nothing to set up.
        os.utime(path, (0, 0))
    return folder


@pytest.fixture
def server() -> Iterator[EmulatorServer]:
    """A directory with the parties that the README names."""
    with EmulatorServer() as running:
        running.control.reset()
        for account in ("123456789012", "000000000000"):
            directory = EmulatorControl(running.url, account_id=account).directory
            directory.add_directory("d-1234567890")
            directory.add_group("d-1234567890", "App-Analysts")
            directory.add_user("d-1234567890", "alice")
        yield running


def run(line: str, folder: Path, environment: dict[str, str]) -> str:
    """Run one line as a user's shell would; return what it prints."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", line],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
    return done.stdout


def members(server: EmulatorServer) -> set[tuple[str, str]]:
    """Who is in which group, by the service's own word."""
    return {(now.group_name, now.member_name) for now in EmulatorControl(server.url).directory.memberships()}


def test_every_command_is_run_by_a_test() -> None:
    """A shell block with a label that no test knows would be a command that nobody ran."""
    labels = set(re.findall(r"^```sh *([a-z]*)$", _README, flags=re.MULTILINE))

    assert labels == {"", "cloudformation", "pulumi"}
    # Those without a label are what continuous integration runs.
    assert set(commands("")) <= set((_ROOT / ".ci" / "run").read_text().splitlines())
    assert commands("") == ["make demo", "make test"]


def test_the_cloudformation_quick_start_works_as_it_stands(clone: Path, server: EmulatorServer, tmp_path: Path) -> None:
    """Package, deploy, declare and delete with the real AWS CLI, each line copied from the README."""
    for venv in (".venv", ".venv-ministack"):
        (clone / venv).symlink_to(_ROOT / venv)
    surroundings = {"AWS_ENDPOINT_URL_DIRECTORY_SERVICE_DATA": server.url, TEST_HOST: "localhost"}
    with Ministack(environment=surroundings) as engine:
        client = engine.client("s3")
        client.create_bucket(Bucket="my-artifacts")
        client.close()
        environment = {
            "PATH": f"{_ROOT / '.venv-ministack' / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(tmp_path),
            "AWS_ENDPOINT_URL": engine.url,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            **engine.certificate.environment(),
        }
        lines = commands("cloudformation")
        *deploy, declare, delete = lines
        for line in deploy:
            run(line, clone, environment)

        run(declare, clone, environment)
        assert members(server) == {("App-Analysts", "alice")}
        run(delete, clone, environment)
        end = time.monotonic() + 30
        while members(server) and time.monotonic() < end:
            time.sleep(0.2)
        assert members(server) == set()


@pytest.mark.skipif(_FOUND is None, reason=f"not run under a real engine: {_REASON}")
def test_the_pulumi_quick_start_works_as_it_stands(clone: Path, server: EmulatorServer, tmp_path: Path) -> None:
    """Install, configure, up and destroy with the real CLI in a fresh clone, each line copied from the README."""
    (tmp_path / "state").mkdir()
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PULUMI_BACKEND_URL": (tmp_path / "state").as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": "nothing secret",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "AWS_ENDPOINT_URL": server.url,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
    }
    lines = commands("pulumi")
    assert [line.split()[1] for line in lines[-2:]] == ["up", "destroy"]
    for line in lines[:-1]:
        run(line, clone, environment)
    assert members(server) == {("App-Analysts", "alice")}
    run(lines[-1], clone, environment)
    assert members(server) == set()


def test_the_python_of_the_readme_declares_a_membership(tmp_path: Path) -> None:
    """The program in the README runs, and registers what it says."""
    (program,) = re.findall(r"^```python\n(.*?)^```$", _README, flags=re.MULTILINE | re.DOTALL)
    mocks = """
import pulumi
class Mocks(pulumi.runtime.Mocks):
    def new_resource(self, args):
        parts = [args.inputs[name] for name in ("directory_id", "group_name", "member_name")]
        print(args.typ, args.name, *parts)
        return args.name, args.inputs
    def call(self, args):
        return {}
pulumi.runtime.set_mocks(Mocks())
"""
    path = tmp_path / "program.py"
    body = "".join(f"    {line}\n" for line in program.splitlines())
    path.write_text(f"{mocks}\n@pulumi.runtime.test\ndef declare():\n{body}\ndeclare()\n")
    done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == [
        "pulumi-python:dynamic/aws-associations/directory:GroupMembership",
        "alice",
        "d-1234567890",
        "App-Analysts",
        "alice",
    ]


def test_the_yaml_of_the_readme_declares_a_membership() -> None:
    """The resource in the README has the type and the properties that the function serves."""
    (text,) = re.findall(r"^```yaml\n(.*?)^```$", _README, flags=re.MULTILINE | re.DOTALL)
    resource = yaml.safe_load(text.replace("!ImportValue", ""))["Resources"]["Membership"]
    (kind,) = (kind for kind in KINDS if kind.cloudformation_type == resource["Type"])
    required = {part.property_name for part in kind.parts if part.default is None}
    assert set(resource["Properties"]) == {"ServiceToken", *required}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_property_and_output_of_a_kind_is_documented(kind: Kind) -> None:
    """A property that its page does not name is one that nobody finds; the README leads to the page."""
    page = (_ROOT / "docs" / "kinds" / f"{kind.name}.md").read_text()

    assert f"docs/kinds/{kind.name}.md" in _README
    members: list[Part | Option] = [*kind.parts, *kind.options]
    for member in members:
        assert f"`{member.property_name}`" in page
        assert f"`{member.name}`" in page
    for word in (kind.switch, "StatusCode", *kind.errors, *(code for code in kind.look.states)):
        assert f"`{word}`" in page


def test_what_all_kinds_have_is_documented() -> None:
    """Options, outputs and words of errors that every kind has are in the README."""
    for word in ("OnExisting", "Revision", "StatusCode", "on_existing", "timeout_seconds", "TimeoutSeconds"):
        assert f"`{word}`" in _README
    for failure in errors.AssociationError.__subclasses__():
        assert f"`{failure.code}`" in _README


@pytest.mark.parametrize("page", [*sorted(_ROOT.glob("docs/**/*.md")), _ROOT / "README.md"], ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    """A link to a file or a folder of the repository is to one that there is."""
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())

    assert [target for target in targets if not (page.parent / target).exists()] == []
