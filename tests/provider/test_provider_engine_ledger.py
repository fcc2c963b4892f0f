"""Renames, swaps, shared memberships and interruptions under the real Pulumi engine, with each ledger.

Run wherever there is a CLI.
"""

from __future__ import annotations

import os
import signal
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from aws_associations.dynamodb import DynamoDBLedger
from aws_associations.host import Request
from aws_associations.identity import Identity
from aws_associations.kinds.finspace_permission_group_membership import KIND
from aws_associations.lifecycle import Desired, Lifecycle
from aws_associations.records import Owner
from aws_associations.service import Services
from aws_associations.waiting import Deadline, SystemClock
from engines.pulumi_engine import PulumiFailed, PulumiProject, PulumiRun, find_pulumi
from finspace_emulator.control import EmulatorControl
from tests.core.world import ScriptedHost
from tests.provider.stacks import HEAD, Start, members

_FOUND, _REASON = find_pulumi()
pytestmark = pytest.mark.skipif(_FOUND is None, reason=f"not run under a real engine: {_REASON}")
with_each_ledger = pytest.mark.usefixtures("ledger")

ASSOCIATE = "AssociateUserToPermissionGroup"
ALICE, BOB, CAROL = ("analysts", "alice"), ("analysts", "bob"), ("analysts", "carol")
DEPENDENT = 'a = member("a", "analysts", "{}")\nafter = pulumi.ResourceOptions(depends_on=[a])\n'
ALIAS = 'opts=pulumi.ResourceOptions(aliases=[pulumi.Alias(name="old")])'
ADOPT = ', on_existing="adopt"'
DELETE_FIRST = ", opts=pulumi.ResourceOptions(delete_before_replace=True)"


def declare(*users: str, more: str = "") -> str:
    """The resources a, b, c, ... with these users in analysts."""
    return "".join(
        f'member("{name}", "analysts", "{user}"{more})\n' for name, user in zip("abcdef", users, strict=False)
    )


def change(project: PulumiProject, program: str) -> PulumiRun:
    """Edit the program and bring the stack up."""
    project.set_program(HEAD + program)
    return project.up()


def settled(project: PulumiProject) -> bool:
    """Whether the state and the service agree, and another update changes nothing."""
    project.refresh(expect_no_changes=True)
    return project.up(expect_no_changes=True).operations == []


# -- exchanges --------------------------------------------------------------------------------------------------------


@with_each_ledger
@pytest.mark.parametrize("users", [("bob", "alice"), ("bob", "carol", "alice")], ids=len)
def test_an_exchange_ends_with_all(start: Start, service: EmulatorControl, users: tuple[str, ...]) -> None:
    """Two or three resources exchange their users without adoption."""
    project = start(declare(*sorted(users)))
    project.up()

    change(project, declare(*users))

    assert members(service) == {("analysts", user) for user in users}
    assert settled(project)
    project.destroy()
    assert members(service) == set()


@with_each_ledger
def test_a_swap_whose_resources_wait_for_each_other_ends_with_both(
    start: Start, service: EmulatorControl, ledger: str
) -> None:
    """A table knows the resource that comes last; process memory is told by an up that begins with a refresh."""
    program = DEPENDENT + 'member("b", "analysts", "{}", opts=after)\n'
    project = start(program.format("alice", "bob"))
    project.up()
    project.set_program(HEAD + program.format("bob", "alice"))

    if ledger == "memory":
        with pytest.raises(PulumiFailed, match="`pulumi up --refresh`"):
            project.up()
        assert members(service) == {ALICE, BOB}
        project.command("up", "--yes", "--skip-preview", "--refresh")
    else:
        project.up()

    assert members(service) == {ALICE, BOB}
    assert settled(project)


@with_each_ledger
def test_a_targeted_half_of_a_swap_is_completed_by_the_next_up(
    start: Start, service: EmulatorControl, ledger: str
) -> None:
    """The other resource keeps what it holds; a table lets the target share it, process memory says what to run."""
    project = start(declare("alice", "bob"))
    project.up()
    project.set_program(HEAD + declare("bob", "alice"))

    if ledger == "memory":
        with pytest.raises(PulumiFailed, match="exchange what they hold, run `pulumi up --refresh`"):
            project.up(targets=[project.urn("b")])
        assert members(service) == {ALICE, BOB}
    else:
        project.up(targets=[project.urn("b")])
        assert members(service) == {ALICE}
    project.up()

    assert members(service) == {ALICE, BOB}
    assert settled(project)


@with_each_ledger
def test_a_swap_that_fails_halfway_is_completed_by_the_next_up(start: Start, service: EmulatorControl) -> None:
    """Deleted first, each loses what it holds; whatever the failure left, what is declared is there in the end."""
    project = start(declare("alice", "bob", more=DELETE_FIRST))
    project.up()
    project.set_program(HEAD + declare("bob", "alice", more=DELETE_FIRST))
    service.add_fault("error", operation=ASSOCIATE, error_code="AccessDeniedException", count=None)
    with pytest.raises(PulumiFailed, match="AccessDenied"):
        project.up()

    service.clear_faults()
    project.up()

    assert members(service) == {ALICE, BOB}
    assert settled(project)


# -- renames ----------------------------------------------------------------------------------------------------------


@with_each_ledger
def test_a_rename_without_alias_keeps_the_membership(start: Start, service: EmulatorControl, ledger: str) -> None:
    """With a table it needs nothing else; in process memory the message has the alias, and nothing is called."""
    project = start('member("old", "analysts", "alice")\n')
    project.up()
    project.set_program(HEAD + 'member("new", "analysts", "alice")\n')

    if ledger == "memory":
        words = r"opts=pulumi\.ResourceOptions\(aliases=\[pulumi\.Alias\(name='old'\)\]\)"
        with pytest.raises(PulumiFailed, match=f"AlreadyExists.*{words}"):
            project.up()
        writes = len(service.journal())
        change(project, f'member("new", "analysts", "alice", {ALIAS})\n')
        assert len(service.journal()) == writes
    else:
        project.up()

    assert members(service) == {ALICE}
    assert len(service.journal(ASSOCIATE)) == 1
    assert set(project.resources()) == {"new"}
    project.destroy()
    assert members(service) == set()


@with_each_ledger
def test_a_rename_survives_an_unrelated_failure(start: Start, service: EmulatorControl, ledger: str) -> None:
    """Another resource fails before the old name is deleted; the next up deletes it and nothing is lost."""
    project = start('member("old", "analysts", "alice")\n')
    project.up()
    new = f'member("new", "analysts", "alice"{ADOPT if ledger == "memory" else ""})\n'
    with pytest.raises(PulumiFailed, match="NotFound"):
        change(project, new + 'member("c", "analysts", "nobody")\n')
    assert set(project.resources()) == {"old", "new"}

    service.add_user("env1", "nobody")
    project.up()

    assert members(service) == {ALICE, ("analysts", "nobody")}
    assert set(project.resources()) == {"new", "c"}
    assert settled(project)


# -- one membership, several resources --------------------------------------------------------------------------------


@with_each_ledger
def test_a_shared_membership_lives_until_the_last_resource_goes(start: Start, service: EmulatorControl) -> None:
    """Two resources declare it; whichever leaves the program first, it stays; destroy revokes it."""
    project = start(declare("alice", "alice"))
    project.up()

    change(project, declare("alice"))
    assert members(service) == {ALICE}
    change(project, declare("alice", "alice"))
    change(project, declare("bob", "alice"))
    assert members(service) == {ALICE, BOB}
    assert settled(project)
    change(project, declare("alice", "alice"))
    project.destroy()

    assert members(service) == set()


@with_each_ledger
def test_a_shared_membership_outlives_a_resource_that_is_replaced_first(
    start: Start, service: EmulatorControl, ledger: str
) -> None:
    """Deleted first. A table knows of the one that waits; in process memory that one gets back what was revoked."""
    program = DEPENDENT.replace(")\n", DELETE_FIRST + ")\n", 1) + 'member("b", "analysts", "alice", opts=after)\n'
    project = start(program.format("alice"))
    project.up()

    run = change(project, program.format("bob"))

    assert (("update", "b") in run.operations) == (ledger == "memory")
    assert members(service) == {ALICE, BOB}
    assert settled(project)


@with_each_ledger
def test_an_update_of_one_target_leaves_the_others(start: Start, service: EmulatorControl, ledger: str) -> None:
    """What is no target keeps what it holds, with a table also what it shares; the next whole update does the rest."""
    others = "alice" if ledger == "table" else "bob"
    project = start(declare("alice", others))
    project.up()
    project.set_program(HEAD + declare("carol"))

    project.up(targets=[project.urn("a")])
    assert members(service) == {("analysts", others), CAROL}
    project.up()

    assert members(service) == {CAROL}
    assert settled(project)


@with_each_ledger
def test_equal_names_in_two_components_are_two_resources(start: Start, service: EmulatorControl) -> None:
    """The parent tells them apart: one may leave while the other keeps what both declare."""
    team = (
        'team = pulumi.ComponentResource("team:{0}", "{0}")\n'
        'member("m", "analysts", "alice", opts=pulumi.ResourceOptions(parent=team))\n'
    )
    project = start(team.format("one") + team.format("two"))
    project.up()

    change(project, team.format("two"))
    assert members(service) == {ALICE}
    change(project, "")

    assert members(service) == set()


@with_each_ledger
@pytest.mark.parametrize("order", [None, True, False], ids=["default", "delete-first", "create-first"])
@pytest.mark.parametrize("more", ["", ADOPT], ids=["fail", "adopt"])
def test_a_forced_replacement_keeps_the_membership(
    start: Start, service: EmulatorControl, ledger: str, order: bool | None, more: str
) -> None:
    """``--replace`` never asks for a diff. Process memory refuses what it cannot tell, and names ``--refresh``."""
    project = start(declare("alice", more=f", opts=pulumi.ResourceOptions(delete_before_replace={order}){more}"))
    project.up()

    for _ in range(2):
        replaced = ["up", "--yes", "--skip-preview", "--replace", project.urn("a")]
        if (ledger, order, more) in {("memory", None, ""), ("memory", False, "")}:
            with pytest.raises(PulumiFailed, match=r"AlreadyExists.*--replace.*--refresh"):
                project.command(*replaced)
            assert len(service.journal(ASSOCIATE)) == 1
            replaced.append("--refresh")
        project.command(*replaced)
        assert members(service) == {ALICE}

    assert settled(project)
    project.destroy()
    assert members(service) == set()


@with_each_ledger
def test_a_replacement_that_fails_changes_nothing(start: Start, service: EmulatorControl) -> None:
    """A group that does not exist, say by a typing error, leaves the membership that was there; so does a preview."""
    project = start(declare("alice"))
    project.up()

    with pytest.raises(PulumiFailed, match="NotFound"):
        change(project, 'member("a", "nope", "alice")\n')
    assert members(service) == {ALICE}
    assert project.resources()["a"]["outputs"]["permission_group_id"] == "analysts"
    change(project, 'member("a", "traders", "alice")\n')

    assert members(service) == {("traders", "alice")}
    assert settled(project)


# -- a table ----------------------------------------------------------------------------------------------------------


def test_two_stacks_share_a_membership(start: Start, service: EmulatorControl, table: str) -> None:
    """``fail`` names the other stack; ``adopt`` shares, whichever stack goes first, and the last one revokes."""
    config = {"aws-associations:ledger": table}
    one = start(declare("alice"), name="one", config=config)
    one.up()
    two = start(declare("alice"), name="two", config=config)
    with pytest.raises(PulumiFailed, match=r"resource a of Pulumi stack organization/one/dev declares it already"):
        two.up()
    change(two, declare("alice", more=ADOPT))

    assert "resource a of Pulumi stack organization/two/dev declares it, too" in one.destroy().output
    assert members(service) == {ALICE}
    two.destroy()
    assert members(service) == set()


def test_a_membership_is_shared_with_a_cloudformation_stack(
    start: Start, service: EmulatorControl, aws: dict[str, str], table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The function uses the same table: each names the other, and the last one revokes."""
    for name, value in aws.items():
        monkeypatch.setenv(name, value)
    aws["AWS_ASSOCIATIONS_LEDGER"] = table
    services = Services()
    function = Lifecycle(services, DynamoDBLedger(services, table, "us-east-1"))
    stack = "arn:aws:cloudformation:us-east-1:123456789012:stack/team/1"
    values = {"environment_id": "env1", "permission_group_id": "analysts", "user_id": "alice"}

    def request(id_: str, physical_id: str = "") -> Request:
        owner = Owner("cloudformation", (stack,), ("Membership",))
        return Request(
            owner, id_, "123456789012", Deadline(SystemClock(), 60), ScriptedHost(), time.time(), physical_id
        )

    granted = function.create(Desired(Identity.of(KIND, "123456789012", "us-east-1", values)), request("1"))
    project = start(declare("alice"))
    with pytest.raises(PulumiFailed, match=f"resource Membership of stack {stack} declares it already"):
        project.up()
    change(project, declare("alice", more=ADOPT))
    project.destroy()
    assert members(service) == {ALICE}

    function.delete(KIND, request("2", granted.id.text))
    assert members(service) == set()


# -- interruptions ----------------------------------------------------------------------------------------------------


def processes(mark: str, word: str) -> list[int]:
    """The processes of this test's stack that run with this word in their command."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command, environment = (entry / "cmdline").read_bytes(), (entry / "environ").read_bytes()
        except OSError:
            continue  # it ended while we looked, or is another user's
        if mark.encode() in environment and word.encode() in command:
            found.append(int(entry.name))
    return found


def wait_for_effect(service: EmulatorControl) -> None:
    """Wait until alice is a member: the answer of the service is still on its way."""
    limit = time.monotonic() + 60
    while ALICE not in members(service):
        assert time.monotonic() < limit
        time.sleep(0.05)


@with_each_ledger
def test_a_create_that_was_killed_is_found_by_the_next_up(
    start: Start, service: EmulatorControl, aws: dict[str, str], ledger: str
) -> None:
    """A host that is killed between effect and answer leaves no state: a table tells whose it is, else one adopts."""
    aws["RUN_MARK"] = mark = uuid.uuid4().hex
    project = start(declare("alice"))
    service.add_fault("slow", operation=ASSOCIATE, when="after", seconds=10)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(project.up)
        wait_for_effect(service)
        (host,) = processes(mark, "pulumi.dynamic")
        os.kill(host, signal.SIGKILL)
        with pytest.raises(PulumiFailed):
            running.result()
    assert project.resources() == {}

    if ledger == "memory":
        with pytest.raises(PulumiFailed, match=r"AlreadyExists.*on_existing='adopt'"):
            project.up()
        change(project, declare("alice", more=ADOPT))
    else:
        project.up()
        assert project.resources()["a"]["outputs"]["adopted"] is False
    assert members(service) == {ALICE}
    project.destroy()
    assert members(service) == set()
