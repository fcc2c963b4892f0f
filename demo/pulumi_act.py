"""The second act: the program of this repository in a real Pulumi engine, or at least in the real dynamic host."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from pulumi import automation

from demo.story import Story
from engines.pulumi_engine import PulumiProject, find_pulumi
from engines.pulumi_host import PulumiHost
from finspace_emulator.control import EmulatorControl
from pulumi_aws_associations.finspace import PermissionGroupMembershipProvider

_ROOT = Path(__file__).resolve().parent.parent


def play(story: Story, url: str, service: EmulatorControl, environment: str, folder: Path) -> None:
    """Play it with the CLI on PATH, else with one that Pulumi's own installer brings, else without an engine."""
    variables = {
        "AWS_ENDPOINT_URL": url,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
    }
    found, reason = find_pulumi()
    if found is None:
        with story.step("There is no Pulumi CLI on PATH; trying the SDK's own installer"):
            failure = _install(folder)
        found, _ = find_pulumi()
        if found is None:
            story.line(f"[yellow]{reason}; the installer failed: {failure}[/yellow]")
            story.line("So this act drives the real dynamic-provider host over gRPC, without an engine.")
            _with_host(story, variables, service, environment)
            return
    _with_engine(story, variables, service, environment)


def _install(folder: Path) -> str:
    try:
        command = automation.PulumiCommand.install(root=str(folder / "pulumi"))
    except Exception as error:  # noqa: BLE001 - without network any error may come, and the demo goes on
        return f"{type(error).__name__}: {error}"
    os.environ["PATH"] = f"{Path(command.command).parent}{os.pathsep}{os.environ['PATH']}"
    return ""


def _with_engine(story: Story, variables: Mapping[str, str], service: EmulatorControl, environment: str) -> None:
    def members(**declared: tuple[str, str]) -> dict[str, object]:
        return {
            "memberships": {
                name: {"environmentId": environment, "permissionGroupId": group, "userId": user}
                for name, (group, user) in declared.items()
            }
        }

    story.act("Act 2: Pulumi")
    config = members(alice=("traders", "alice"), erin=("traders", "erin"))
    with PulumiProject(_ROOT, config=config, environment=variables) as project:
        with story.step("pulumi up: the program declares alice and erin as members of traders"):
            run = project.up()
        story.check("both created", sorted(run.operations) == [("create", "alice"), ("create", "erin")], run.output)
        story.members({("traders", "alice"), ("traders", "erin")})

        with story.step("pulumi up again"):
            run = project.up(expect_no_changes=True)
        story.check("nothing to do", run.operations == [], run.output)

        service.revoke(environment, "traders", "erin")
        with story.step("Somebody removes erin by hand; pulumi refresh notices, pulumi up grants again"):
            project.refresh()
            run = project.up()
        story.check("created again", run.operations == [("create", "erin")], run.output)
        story.members({("traders", "alice"), ("traders", "erin")})

        with story.step("Erin's membership becomes bob's: a replacement"):
            project.set_config(members(alice=("traders", "alice"), erin=("traders", "bob")))
            project.up()
        story.members({("traders", "alice"), ("traders", "bob")})

        with story.step("pulumi destroy"):
            project.destroy()
        story.members(set())


def _with_host(story: Story, variables: Mapping[str, str], service: EmulatorControl, environment: str) -> None:
    story.act("Act 2: Pulumi's dynamic-provider host")
    declared = {
        "environment_id": environment,
        "permission_group_id": "traders",
        "on_existing": "fail",
        "timeout_seconds": 60,
        "declared_by": ["organization", "demo", "dev", "", "alice"],
    }
    with PulumiHost(PermissionGroupMembershipProvider(), environment=dict(variables)) as host:
        with story.step("Check and Create: alice becomes a member of traders"):
            checked = host.check({**declared, "user_id": "alice"})
            created = host.create(checked.inputs)
        story.check(f"nothing was refused, the id is {created.id}", not checked.failures)
        story.members({("traders", "alice")})

        with story.step("Diff against the same declaration, then against another user"):
            same = host.diff(created.id, created.outputs, {**declared, "user_id": "alice"})
            other = host.diff(created.id, created.outputs, {**declared, "user_id": "bob"})
        story.check("no change", same.changes is False)
        story.check("a replacement because of user_id", other.replaces == ("user_id",))

        service.revoke(environment, "traders", "alice")
        with story.step("Somebody removes alice by hand; Read, which refresh calls, notices"):
            read = host.read(created.id, created.outputs)
        story.check("gone from the state", read.gone)

        with story.step("Create again, then Delete"):
            created = host.create(checked.inputs)
            story.members({("traders", "alice")})
            host.delete(created.id, created.outputs)
        story.members(set())
