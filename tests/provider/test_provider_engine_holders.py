"""Renames, swaps, shared memberships and interruptions under the real Pulumi engine, wherever there is a CLI."""

from __future__ import annotations

import os
import signal
import time
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import pytest

from engines.pulumi_engine import PulumiFailed, PulumiProject, PulumiRun, find_pulumi
from finspace_emulator.control import EmulatorControl
from tests.provider.stacks import HEAD, Start, members

_FOUND, _REASON = find_pulumi()
pytestmark = pytest.mark.skipif(_FOUND is None, reason=f"not run under a real engine: {_REASON}")

ASSOCIATE = "AssociateUserToPermissionGroup"
ALICE, BOB, CAROL = ("analysts", "alice"), ("analysts", "bob"), ("analysts", "carol")
DEPENDENT = 'a = member("a", "analysts", "{}")\nafter = pulumi.ResourceOptions(depends_on=[a])\n'
ALIAS = 'opts=pulumi.ResourceOptions(aliases=[pulumi.Alias(name="old")])'


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


def test_a_swap_ends_with_both(start: Start, service: EmulatorControl) -> None:
    """Two resources exchange their users without adoption."""
    project = start(declare("alice", "bob"))
    project.up()

    change(project, declare("bob", "alice"))

    assert members(service) == {ALICE, BOB}
    assert settled(project)
    project.destroy()
    assert members(service) == set()


@pytest.mark.parametrize("users", [("bob", "carol", "alice"), ("carol", "alice", "bob")])
def test_a_rotation_of_three_ends_with_all(start: Start, service: EmulatorControl, users: tuple[str, ...]) -> None:
    """Each of three resources takes what the next, or the one before it, held."""
    project = start(declare("alice", "bob", "carol"))
    project.up()

    change(project, declare(*users))

    assert members(service) == {ALICE, BOB, CAROL}
    assert settled(project)


def test_a_chain_lets_go_of_its_end_only(start: Start, service: EmulatorControl) -> None:
    """Each resource moves on to what the next one held; what nobody declares any more is revoked."""
    project = start(declare("alice", "bob"))
    project.up()

    change(project, declare("bob", "carol"))

    assert members(service) == {BOB, CAROL}
    assert settled(project)


def test_a_swap_whose_resources_wait_for_each_other_ends_with_both(start: Start, service: EmulatorControl) -> None:
    """The first one waits in vain for the other, which comes after it; an up that begins with a refresh is told."""
    program = DEPENDENT + 'member("b", "analysts", "{}", opts=after)\n'
    project = start(program.format("alice", "bob"))
    project.up()
    project.set_program(HEAD + program.format("bob", "alice"))

    with pytest.raises(PulumiFailed, match="`pulumi up --refresh`"):
        project.up()
    assert members(service) == {BOB}
    project.command("up", "--yes", "--skip-preview", "--refresh")

    assert members(service) == {ALICE, BOB}
    assert settled(project)


def test_a_targeted_half_of_a_swap_is_completed_by_the_next_up(start: Start, service: EmulatorControl) -> None:
    """Only one resource takes part, so the other's stays its own; the message names the second up, which repairs it."""
    project = start(declare("alice", "bob"))
    project.up()
    project.set_program(HEAD + declare("bob", "alice"))

    with pytest.raises(PulumiFailed, match="exchange what they hold, run `pulumi up --refresh`"):
        project.up(targets=[project.urn("b")])
    assert members(service) == {ALICE}
    project.up()

    assert members(service) == {ALICE, BOB}
    assert settled(project)


def test_a_swap_that_fails_halfway_is_completed_by_the_next_up(start: Start, service: EmulatorControl) -> None:
    """Whatever the failure left, what is declared is there in the end."""
    project = start(declare("alice", "bob"))
    project.up()
    project.set_program(HEAD + declare("bob", "alice"))
    service.add_fault("error", operation=ASSOCIATE, error_code="AccessDeniedException", count=None)
    with pytest.raises(PulumiFailed, match="AccessDenied"):
        project.up()

    service.clear_faults()
    project.up()

    assert members(service) == {ALICE, BOB}
    assert settled(project)


def test_a_rename_with_adoption_keeps_the_membership(start: Start, service: EmulatorControl) -> None:
    """The old name's delete, which comes last, lets go."""
    project = start('member("old", "analysts", "alice")\n')
    project.up()

    change(project, 'member("new", "analysts", "alice", on_existing="adopt")\n')

    assert members(service) == {ALICE}
    assert settled(project)
    project.destroy()
    assert members(service) == set()


def test_a_rename_with_adoption_survives_an_unrelated_failure(start: Start, service: EmulatorControl) -> None:
    """Another resource fails before the old name is deleted; the next up deletes it and nothing is lost."""
    project = start('member("old", "analysts", "alice")\n')
    project.up()
    project.set_program(
        HEAD + 'member("new", "analysts", "alice", on_existing="adopt")\nmember("c", "analysts", "nobody")\n'
    )
    with pytest.raises(PulumiFailed, match="NotFound"):
        project.up()
    assert set(project.resources()) == {"old", "new"}

    service.add_user("env1", "nobody")
    project.up()

    assert members(service) == {ALICE, ("analysts", "nobody")}
    assert set(project.resources()) == {"new", "c"}
    assert settled(project)


def test_a_rename_without_adoption_names_the_alias_that_settles_it(start: Start, service: EmulatorControl) -> None:
    """Nothing is lost, and with the words of the message nothing is called but looks."""
    project = start('member("old", "analysts", "alice")\n')
    project.up()
    project.set_program(HEAD + 'member("new", "analysts", "alice")\n')
    words = r"opts=pulumi\.ResourceOptions\(aliases=\[pulumi\.Alias\(name='old'\)\]\)"
    with pytest.raises(PulumiFailed, match=words) as failed:
        project.up()
    assert "AlreadyExists" in str(failed.value)
    assert members(service) == {ALICE}
    calls = len(service.journal())

    change(project, f'member("new", "analysts", "alice", {ALIAS})\n')

    assert len(service.journal()) == calls
    assert set(project.resources()) == {"new"}


def test_a_rename_in_an_update_that_refreshes_first_needs_nothing_else(start: Start, service: EmulatorControl) -> None:
    """The refresh shows the old name to the same process, so the new one takes over and stays unadopted."""
    project = start('member("old", "analysts", "alice")\n')
    project.up()
    project.set_program(HEAD + 'member("new", "analysts", "alice")\n')

    project.command("up", "--yes", "--skip-preview", "--refresh")

    assert members(service) == {ALICE}
    assert len(service.journal(ASSOCIATE)) == 1
    assert project.resources()["new"]["outputs"]["adopted"] is False


def test_an_aliased_name_may_be_given_to_another(start: Start, service: EmulatorControl) -> None:
    """Two resources in the state tell the same first name; each still knows its own membership."""
    project = start(declare("alice"))
    project.up()
    renamed = 'member("b", "analysts", "{}", opts=pulumi.ResourceOptions(aliases=[pulumi.Alias(name="a")]))\n'
    change(project, renamed.format("alice"))
    change(project, 'member("b", "analysts", "alice")\n' + 'member("a", "analysts", "bob")\n')

    change(project, 'member("b", "analysts", "bob")\n' + 'member("a", "analysts", "alice")\n')

    assert members(service) == {ALICE, BOB}
    assert settled(project)


def test_a_shared_membership_lives_until_the_last_resource_goes(start: Start, service: EmulatorControl) -> None:
    """Two resources declare it; whichever leaves the program first, it stays; destroy revokes it."""
    project = start(declare("alice", "alice"))
    assert "taken-over" in project.up().output

    change(project, declare("alice"))
    assert members(service) == {ALICE}
    change(project, declare("alice", "alice"))
    change(project, declare("bob", "alice"))
    assert members(service) == {ALICE, BOB}
    assert settled(project)
    change(project, declare("alice", "alice"))
    project.destroy()

    assert members(service) == set()


def test_a_shared_membership_is_granted_again_when_its_other_resource_is_seen(
    start: Start, service: EmulatorControl
) -> None:
    """One resource is replaced before the run has seen the other, which waits for it: that one gets it back."""
    program = DEPENDENT + 'member("b", "analysts", "alice", opts=after)\n'
    project = start(program.format("alice"))
    project.up()

    assert ("update", "b") in change(project, program.format("bob")).operations

    assert members(service) == {ALICE, BOB}
    assert settled(project)


def test_what_is_left_to_a_half_replaced_resource_is_revoked_by_its_replacement(
    start: Start, service: EmulatorControl
) -> None:
    """The state goes on showing what a failed replacement deleted; another resource lets go of it meanwhile."""
    project = start(declare("alice", "alice"))
    project.up()
    project.set_program(HEAD + declare("nobody", "alice"))
    with pytest.raises(PulumiFailed, match="NotFound"):
        project.command("up", "--yes", "--skip-preview", "--refresh")
    assert members(service) == {ALICE}
    service.add_user("env1", "nobody")
    service.add_fault("slow", operation=ASSOCIATE, seconds=5)

    change(project, declare("nobody", "carol"))

    assert members(service) == {("analysts", "nobody"), CAROL}
    assert settled(project)


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


@pytest.mark.parametrize("first", [True, False], ids=["delete-first", "create-first"])
def test_a_forced_replacement_keeps_the_membership(start: Start, service: EmulatorControl, *, first: bool) -> None:
    """``--replace`` never asks for a diff; in either order the membership is there in the end, or the run says no."""
    options = f", opts=pulumi.ResourceOptions(delete_before_replace={first})"
    project = start(declare("alice", more=options + ', on_existing="adopt"'))
    project.up()

    for _ in range(2):
        project.up(replace=[project.urn("a")])
        assert members(service) == {ALICE}

    assert settled(project)
    project.destroy()
    assert members(service) == set()


def test_an_update_of_one_target_leaves_the_others(start: Start, service: EmulatorControl) -> None:
    """What is no target keeps what it holds, and the next whole update does the rest."""
    project = start(declare("alice", "bob"))
    project.up()
    project.set_program(HEAD + declare("carol"))

    project.up(targets=[project.urn("a")])
    assert members(service) == {BOB, CAROL}
    project.up()

    assert members(service) == {CAROL}
    assert settled(project)


def test_a_destroy_as_another_account_concludes_nothing(
    start: Start, service: EmulatorControl, aws: dict[str, str], tmp_path: Path
) -> None:
    """With the wrong profile everything looks absent: the error names both accounts, the right profile destroys."""
    own = {"AccessKeyId": aws.pop("AWS_ACCESS_KEY_ID"), "SecretAccessKey": aws.pop("AWS_SECRET_ACCESS_KEY")}
    sts = boto3.client(
        "sts",
        "us-east-1",
        endpoint_url=aws["AWS_ENDPOINT_URL"],
        aws_access_key_id=own["AccessKeyId"],
        aws_secret_access_key=own["SecretAccessKey"],
    )
    other = sts.assume_role(RoleArn="arn:aws:iam::999999999999:role/other", RoleSessionName="other")["Credentials"]
    profile = tmp_path / "credentials"
    aws["AWS_SHARED_CREDENTIALS_FILE"] = str(profile)

    def use(credentials: Mapping[str, str]) -> None:
        names = {"AccessKeyId": "aws_access_key_id", "SecretAccessKey": "aws_secret_access_key"}
        lines = [f"{name} = {credentials[key]}\n" for key, name in names.items()]
        token = f"aws_session_token = {credentials['SessionToken']}\n" if "SessionToken" in credentials else ""
        profile.write_text(f"[default]\n{''.join(lines)}{token}")

    use(own)
    project = start(declare("alice"))
    project.up()

    use(other)
    words = "belongs to account 123456789012, but the AWS credentials are of account 999999999999"
    for conclude in (project.destroy, project.refresh):
        with pytest.raises(PulumiFailed, match=words):
            conclude()
        assert members(service) == {ALICE}
        assert set(project.resources()) == {"a"}

    use(own)
    project.destroy()
    assert members(service) == set()


def test_a_refresh_after_the_services_end_keeps_the_state(
    start: Start, service: EmulatorControl, aws: dict[str, str], tmp_path: Path
) -> None:
    """FinSpace has ended: where its endpoint is gone, a refresh forgets nothing and warns; destroy succeeds."""
    assert service is not None
    config = tmp_path / "config"
    aws["AWS_CONFIG_FILE"] = str(config)
    general = f"[default]\nendpoint_url = {aws.pop('AWS_ENDPOINT_URL')}\n"
    config.write_text(general)
    project = start(declare("alice"))
    project.up()
    before = project.resources()["a"]["outputs"]

    ended = "services = ended\n[services ended]\nfinspace_data =\n  endpoint_url = http://finspace-api.invalid\n"
    config.write_text(general + ended)
    refreshed = project.refresh()

    assert "warning: service-ended" in refreshed.output
    assert project.resources()["a"]["outputs"] == before
    assert project.up().operations == []
    project.destroy()
    assert project.resources() == {}


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


def test_one_interrupt_lets_a_create_end(start: Start, service: EmulatorControl, aws: dict[str, str]) -> None:
    """The engine waits for what runs, so the state holds it and the next up changes nothing."""
    aws["RUN_MARK"] = mark = uuid.uuid4().hex
    project = start(declare("alice"))
    service.add_fault("slow", operation=ASSOCIATE, when="after", seconds=4)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(project.up)
        wait_for_effect(service)
        (engine,) = processes(mark, "pulumi\0up")
        os.kill(engine, signal.SIGINT)
        with pytest.raises(PulumiFailed):
            running.result()

    assert members(service) == {ALICE}
    assert set(project.resources()) == {"a"}
    assert project.up().operations == []


def test_a_create_that_was_killed_may_remain_and_can_be_adopted(
    start: Start, service: EmulatorControl, aws: dict[str, str]
) -> None:
    """A host that is killed between effect and answer leaves no state: the next up says so and how to go on."""
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

    with pytest.raises(PulumiFailed, match=r"AlreadyExists.*on_existing='adopt'"):
        project.up()
    change(project, declare("alice", more=', on_existing="adopt"'))
    assert members(service) == {ALICE}
    project.destroy()
    assert members(service) == set()
