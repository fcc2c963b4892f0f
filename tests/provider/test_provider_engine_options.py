"""Configuration, inputs and options of one membership under the real engine, wherever there is a CLI."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engines.pulumi_engine import PulumiFailed, find_pulumi
from finspace_emulator.control import EmulatorControl
from finspace_emulator.server import EmulatorServer
from tests.provider.declared import ALICE_ID
from tests.provider.stacks import HEAD, Start, members

_ROOT = Path(__file__).resolve().parent.parent.parent
_FOUND, _REASON = find_pulumi()
pytestmark = pytest.mark.skipif(_FOUND is None, reason=f"not run under a real engine: {_REASON}")


def test_the_region_of_the_stacks_configuration_is_honoured(
    start: Start, service: EmulatorControl, provider_server: EmulatorServer
) -> None:
    """``aws:region`` wins over the environment's; what is there stays when it changes, and is destroyed there."""
    there = EmulatorControl(provider_server.url, region="eu-west-1")
    there.add_permission_group("env1", "analysts")
    there.add_user("env1", "alice")
    project = start('member("a", "analysts", "alice")\n', config={"aws:region": "eu-west-1"})
    project.up()
    assert [now.region for now in service.memberships()] == ["eu-west-1"]

    project.set_config({"aws:region": "us-east-1"})
    assert project.up(expect_no_changes=True).operations == []
    project.destroy()
    assert service.memberships() == []


def test_inputs_that_a_destroy_reads_are_updated_in_place(start: Start, service: EmulatorControl) -> None:
    """A longer time-out reaches the state without a call; a new revision grants what others revoked."""
    program = 'member("a", "analysts", "alice", {})\n'
    project = start(program.format("timeout_seconds=60"))
    project.up()
    calls = len(service.journal())

    project.set_program(HEAD + program.format("timeout_seconds=600"))
    assert project.up().operations == [("update", "a")]
    assert project.resources()["a"]["outputs"]["timeout_seconds"] == 600
    assert len(service.journal()) == calls

    service.revoke("env1", "analysts", "alice")
    project.set_program(HEAD + program.format('timeout_seconds=600, revision="2"'))
    assert project.up().operations == [("update", "a")]
    assert members(service) == {("analysts", "alice")}
    assert project.up(expect_no_changes=True).operations == []


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ('custom_timeouts=pulumi.CustomTimeouts(create="1s")', "timeout_seconds"),
        (f'import_="{ALICE_ID}"', "on_existing='adopt'"),
    ],
)
def test_options_that_no_dynamic_resource_is_told_of_stop_the_preview(start: Start, options: str, told: str) -> None:
    """They are refused by the program, in one sentence that says what to use instead."""
    project = start(f'member("a", "analysts", "alice", opts=pulumi.ResourceOptions({options}))\n')

    with pytest.raises(PulumiFailed) as failed:
        project.preview()

    assert told in failed.value.run.diagnostics[0]
    assert "Traceback" not in failed.value.run.output


def test_a_secret_name_is_encrypted_where_it_can_be(start: Start) -> None:
    """Input and output are secrets in the state; a warning says that the id holds the name in clear."""
    project = start('a = member("a", "analysts", pulumi.Output.secret("alice"))\npulumi.export("user", a.user_id)\n')
    warnings = [line for line in project.up().diagnostics if line.startswith("warning")]

    assert [("user_id is secret" in line, "in clear" in line) for line in warnings] == [(True, True)]
    resource = project.resources()["a"]
    assert resource["id"] == ALICE_ID
    for properties in ("inputs", "outputs"):
        assert "alice" not in json.dumps(resource[properties])
    assert project.up(expect_no_changes=True).operations == []
    project.destroy()


def test_the_root_program_keeps_what_its_configuration_holds_as_a_secret(start: Start) -> None:
    """``pulumi config set --secret --path`` reaches the state encrypted."""
    entry = {"type": "finspace.PermissionGroupMembership", "environment_id": "env1", "permission_group_id": "analysts"}
    project = start(_ROOT, config={"associations": {"a": entry}})
    project.command("config", "set", "--secret", "--path", "associations.a.user_id", "alice")
    project.up()

    resource = project.resources()["a"]
    assert resource["id"] == ALICE_ID
    assert "alice" not in json.dumps([resource["inputs"], resource["outputs"]])
    project.destroy()
