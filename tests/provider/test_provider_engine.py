"""The provider under the real Pulumi engine, wherever there is a CLI."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from engines.pulumi_engine import PulumiFailed, find_pulumi
from finspace_emulator.control import EmulatorControl
from pulumi_aws_associations.finspace import PermissionGroupMembership
from tests.provider.declared import ALICE_ID
from tests.provider.stacks import HEAD, Start, members

_ROOT = Path(__file__).resolve().parent.parent.parent
_FOUND, _REASON = find_pulumi()
pytestmark = pytest.mark.skipif(_FOUND is None, reason=f"not run under a real engine: {_REASON}")


def test_a_membership_lives_through_up_refresh_replace_and_destroy(start: Start, service: EmulatorControl) -> None:
    """Grant, change nothing, replace, notice what was removed by hand, grant again, revoke."""
    project = start('member("a", "analysts", "alice")\n')
    assert project.up().operations == [("create", "a")]
    assert members(service) == {("analysts", "alice")}

    assert project.up(expect_no_changes=True).operations == []
    project.refresh(expect_no_changes=True)
    assert project.preview(expect_no_changes=True).operations == []

    project.set_program(HEAD + 'member("a", "analysts", "bob")\n')
    project.up()
    assert members(service) == {("analysts", "bob")}

    service.revoke("env1", "analysts", "bob")
    project.refresh()
    assert project.resources() == {}
    assert project.up().operations == [("create", "a")]
    assert members(service) == {("analysts", "bob")}

    project.destroy()
    assert members(service) == set()


def test_the_users_own_options_win(start: Start) -> None:
    """Creating before deleting is a default, not a rule."""
    program = 'member("a", "analysts", "{}", opts=pulumi.ResourceOptions(delete_before_replace=True))\n'
    project = start(program.format("alice"))
    project.up()
    project.set_program(HEAD + program.format("bob"))

    operations = [operation for operation, _ in project.up().operations]

    assert operations.index("delete-replaced") < operations.index("create-replacement")


def test_inputs_may_be_outputs_of_other_resources(start: Start, service: EmulatorControl) -> None:
    """A membership can follow another resource, inside a component, with its outputs exported."""
    project = start(
        """
class Team(pulumi.ComponentResource):
    def __init__(self, name):
        super().__init__("test:Team", name)
        child = pulumi.ResourceOptions(parent=self)
        first = member("first", "analysts", "alice", opts=child)
        second = member("second", "traders", first.user_id, opts=child)
        pulumi.export("status", second.membership_status)
        pulumi.export("account", second.account)
        self.register_outputs({})

Team("team")
"""
    )
    project.preview()
    project.up()

    assert members(service) == {("analysts", "alice"), ("traders", "alice")}
    assert project.outputs() == {"status": "ADDITION_SUCCESS", "account": "123456789012"}
    assert project.up(expect_no_changes=True).operations == []
    project.destroy()
    assert members(service) == set()


def test_a_mistake_is_a_short_message(start: Start, service: EmulatorControl) -> None:
    """A wrong input stops the preview with the property's name, before any call."""
    project = start(f'member("a", "analysts", "{"u" * 27}")\n')

    with pytest.raises(PulumiFailed) as failed:
        project.preview()

    (diagnostic,) = [line for line in failed.value.run.diagnostics if "user_id" in line]
    assert "must have 1 to 26 characters, has 27" in diagnostic
    assert "Traceback" not in diagnostic
    assert service.journal() == []


def test_the_root_program_declares_what_the_configuration_lists(start: Start, service: EmulatorControl) -> None:
    """The repository's own program grants each association in its configuration and exports the ids."""
    service.add_user("env1", "089")
    entry = {"type": "finspace.PermissionGroupMembership", "environment_id": "env1", "permission_group_id": "analysts"}
    config = {"associations": {"a": {**entry, "user_id": "alice"}, "b": {**entry, "user_id": "089"}}}
    project = start(_ROOT, config=config)
    project.up()

    assert members(service) == {("analysts", "alice"), ("analysts", "089")}
    assert project.outputs()["associationIds"] == {"a": ALICE_ID, "b": ALICE_ID.replace("alice", "089")}
    project.destroy()
    assert members(service) == set()


def test_the_automation_api_drives_it_as_well(
    start: Start, service: EmulatorControl, aws: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that is a function of another program declares memberships too."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    # Without a program's folder the CLI takes the first python on PATH for the provider: that of an activated venv.
    aws["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    project = start("")

    def program() -> None:
        PermissionGroupMembership("a", environment_id="env1", permission_group_id="analysts", user_id="alice")

    stack = project.inline(program)

    assert stack.up().summary.resource_changes == {"create": 2}
    assert members(service) == {("analysts", "alice")}
    stack.destroy()
    assert members(service) == set()
