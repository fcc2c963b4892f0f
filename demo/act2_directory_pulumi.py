"""The second act, second half: members of a directory's group in a Pulumi program (``pulumi_program``)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from demo.services import Directory, Member, granted, revoked
from demo.story import Story
from engines.pulumi_engine import PulumiProject
from engines.pulumi_host import PulumiHost
from pulumi_aws_associations.directory import GroupMembershipProvider

_PROGRAM = Path(__file__).resolve().parent / "pulumi_program"
_ERIN = ("Analysts", "erin")
_THREE = {("Traders", "alice"), ("Traders", "bob"), ("Traders", "carol"), _ERIN}
_WITH_DAVE = {("Traders", "alice"), ("Traders", "bob"), ("Traders", "dave"), _ERIN}


def play_with_engine(story: Story, directory: Directory, environment: Mapping[str, str]) -> None:
    """Play it in a real Pulumi engine."""
    realm = directory.domain.upper()

    def members(**declared: Mapping[str, str]) -> dict[str, object]:
        return {"directoryId": directory.id, "groupName": "Traders", "members": declared}

    story.act("Act 2, Pulumi: members of a group in a Managed AD directory")
    config = members(alice={"name": "alice"}, bob={"name": "bob", "realm": realm}, carol={"name": "CAROL"})
    with PulumiProject(_PROGRAM, config=config, environment=environment) as project:
        with story.step("pulumi up: a program declares three members of Traders"):
            story.quote(_loop())
            run = project.up()
        created = [("create", "alice"), ("create", "bob"), ("create", "carol")]
        story.check("all three created", sorted(run.operations) == created, run.output)
        story.members(directory, _THREE)

        before = len(directory.calls())
        with story.step("pulumi up, the same three in another spelling: ALICE, Bob, carol"):
            project.set_config(
                members(
                    alice={"name": "ALICE", "realm": directory.domain},
                    bob={"name": "Bob", "realm": directory.domain},
                    carol={"name": "carol"},
                )
            )
            run = project.up(expect_no_changes=True)
        story.check("the same memberships: nothing to do", run.operations == [], run.output)
        story.check("nothing was granted or revoked", directory.changes(before) == [], directory.changes(before))

        before = len(directory.calls())
        with story.step("Carol's membership becomes dave's: a replacement"):
            project.set_config(
                members(alice={"name": "alice"}, bob={"name": "bob", "realm": realm}, carol={"name": "dave"})
            )
            project.up()
        _check_replaced(story, directory, before)

        with story.step("pulumi destroy"):
            project.destroy()
        _check_destroyed(story, directory)


def play_with_host(story: Story, directory: Directory, environment: Mapping[str, str]) -> None:
    """Play it in the real dynamic-provider host, as the engine would drive it."""

    def member(name: str, **more: str) -> dict[str, object]:
        return {
            "directory_id": directory.id,
            "group_name": "Traders",
            "member_name": name,
            "on_existing": "fail",
            "timeout_seconds": 60,
            "declared_by": ["organization", "demo", "dev", "", name.lower()],
            **more,
        }

    story.act("Act 2, Pulumi's dynamic-provider host: a Managed AD directory")
    three = [member("alice"), member("bob", member_realm=directory.domain.upper()), member("CAROL")]
    with PulumiHost(GroupMembershipProvider(), environment=environment) as host:
        with story.step("Check and Create: alice, bob of CORP.EXAMPLE.COM and CAROL in Traders"):
            checked = [host.check(inputs) for inputs in three]
            created = [host.create(one.inputs) for one in checked]
        story.check(f"nothing was refused; alice's id is {created[0].id}", not any(one.failures for one in checked))
        story.members(directory, _THREE)

        before = len(directory.calls())
        with story.step("Diff against the same three in another spelling: ALICE, Bob, carol"):
            respelled = [member("ALICE", member_realm=directory.domain), member("Bob"), member("carol")]
            same = [
                host.diff(old.id, old.outputs, host.check(new).inputs)
                for old, new in zip(created, respelled, strict=True)
            ]
        story.check("no change", [one.changes for one in same] == [False, False, False], same)
        story.check("nothing was granted or revoked", directory.changes(before) == [], directory.changes(before))

        before = len(directory.calls())
        with story.step("Carol's membership becomes dave's: Diff says how, then Create and Delete"):
            inputs = host.check(member("dave")).inputs
            difference = host.diff(created[2].id, created[2].outputs, inputs)
            carols, created[2] = created[2], host.create(inputs)
            host.delete(carols.id, carols.outputs)
        story.check("a replacement because of member_name", difference.replaces == ("member_name",), difference)
        _check_replaced(story, directory, before)

        with story.step("Delete, three times"):
            for one in created:
                host.delete(one.id, one.outputs)
        _check_destroyed(story, directory)


def _loop() -> str:
    """What the program does, as it is written."""
    text = (_PROGRAM / "__main__.py").read_text()
    return text[text.index("for ") :]


def _check_replaced(story: Story, directory: Directory, before: int) -> None:
    changes = directory.changes(before)
    expected = [granted("traders", "dave"), revoked("traders", "carol")]
    story.check(
        "the new one granted first, then the old one revoked", [one.folded() for one in changes] == expected, changes
    )
    story.members(directory, _WITH_DAVE)


def _check_destroyed(story: Story, directory: Directory) -> None:
    left: set[Member] = {_ERIN}
    story.members(directory, left)
    touched = [change for change in directory.changes() if change.member.casefold() == "erin"]
    story.check("erin, whom somebody else put into Analysts, was left alone all the time", not touched, touched)
    directory.somebody_revokes(*_ERIN)
    story.line("Whoever put erin there takes her out again.")
