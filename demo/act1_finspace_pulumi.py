"""The first act, second half: FinSpace memberships in the Pulumi program of this repository."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from demo.services import FinSpace, granted, revoked
from demo.story import Story
from engines.pulumi_engine import PulumiProject
from engines.pulumi_host import PulumiHost
from pulumi_aws_associations.finspace import PermissionGroupMembershipProvider

_ROOT = Path(__file__).resolve().parent.parent


def play_with_engine(story: Story, finspace: FinSpace, environment: Mapping[str, str]) -> None:
    """Play it in a real Pulumi engine."""

    def members(**declared: tuple[str, str]) -> dict[str, object]:
        return {
            "associations": {
                name: {
                    "type": "finspace.PermissionGroupMembership",
                    "environment_id": finspace.environment,
                    "permission_group_id": group,
                    "user_id": user,
                }
                for name, (group, user) in declared.items()
            }
        }

    story.act("Act 1, Pulumi: users in a FinSpace permission group")
    config = members(alice=("traders", "alice"), erin=("traders", "erin"))
    with PulumiProject(_ROOT, config=config, environment=environment) as project:
        with story.step("pulumi up: the program declares alice and erin as members of traders"):
            run = project.up()
        story.check("both created", sorted(run.operations) == [("create", "alice"), ("create", "erin")], run.output)
        story.members(finspace, {("traders", "alice"), ("traders", "erin")})

        before = len(finspace.calls())
        with story.step("pulumi up again"):
            run = project.up(expect_no_changes=True)
        story.check("nothing to do", run.operations == [] and len(finspace.calls()) == before, run.output)

        finspace.somebody_revokes("traders", "erin")
        with story.step("Somebody removes erin by hand; pulumi refresh notices, up grants again"):
            refreshed = project.refresh()
            run = project.up()
        noticed = refreshed.changes.get("delete") == 1
        story.check(
            "noticed, and created again",
            noticed and run.operations == [("create", "erin")],
            refreshed.output + run.output,
        )
        story.members(finspace, {("traders", "alice"), ("traders", "erin")})

        before = len(finspace.calls())
        with story.step("Erin's membership becomes bob's: a replacement"):
            project.set_config(members(alice=("traders", "alice"), erin=("traders", "bob")))
            project.up()
        changes = finspace.changes(before)
        expected = [granted("traders", "bob"), revoked("traders", "erin")]
        story.check("the new one granted first, then the old one revoked", changes == expected, changes)
        story.members(finspace, {("traders", "alice"), ("traders", "bob")})

        with story.step("pulumi destroy"):
            project.destroy()
        story.members(finspace, set())


def play_with_host(story: Story, finspace: FinSpace, environment: Mapping[str, str]) -> None:
    """Play it in the real dynamic-provider host, as the engine would drive it."""
    story.act("Act 1, Pulumi's dynamic-provider host: a FinSpace permission group")
    declared = {
        "environment_id": finspace.environment,
        "permission_group_id": "traders",
        "on_existing": "fail",
        "timeout_seconds": 60,
        "declared_by": ["organization", "demo", "dev", "", "alice"],
    }
    with PulumiHost(PermissionGroupMembershipProvider(), environment=environment) as host:
        with story.step("Check and Create: alice becomes a member of traders"):
            checked = host.check({**declared, "user_id": "alice"})
            created = host.create(checked.inputs)
        story.check(f"nothing was refused, the id is {created.id}", not checked.failures)
        story.members(finspace, {("traders", "alice")})

        with story.step("Diff against the same declaration, then against another user"):
            same = host.diff(created.id, created.outputs, {**declared, "user_id": "alice"})
            other = host.diff(created.id, created.outputs, {**declared, "user_id": "bob"})
        story.check("no change", same.changes is False)
        story.check("a replacement because of user_id", other.replaces == ("user_id",))

        finspace.somebody_revokes("traders", "alice")
        with story.step("Somebody removes alice by hand; Read, which refresh calls, notices"):
            read = host.read(created.id, created.outputs)
        story.check("gone from the state", read.gone)

        with story.step("Create again"):
            created = host.create(checked.inputs)
        story.members(finspace, {("traders", "alice")})
        with story.step("Delete"):
            host.delete(created.id, created.outputs)
        story.members(finspace, set())
