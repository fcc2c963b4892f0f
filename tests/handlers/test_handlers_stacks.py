"""Stacks of memberships in a CloudFormation engine, and what each of its operations leaves."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from engines.certificate import Certificate
from engines.ministack import ACCOUNT, REGION, Ministack, StackResult
from finspace_emulator.control import EmulatorControl
from finspace_emulator.server import EmulatorServer
from tests.handlers.engine import FUNCTION, Clone, endpoints
from tests.handlers.stage import ASSOCIATE, DISASSOCIATE, TYPE

REFUSED = {"UserId": "alice", "PermissionGroupId": "traders"}
"""What the function refuses at once: it may not grant for that group."""

ATTRIBUTES = ("EnvironmentId", "PermissionGroupId", "UserId", "MembershipStatus", "StatusCode")

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def ministack(certificate: Certificate, server: EmulatorServer) -> Iterator[Ministack]:
    """The engine, with functions that reach the emulator."""
    server.control.reset()
    with Ministack(environment=endpoints(server.url), certificate=certificate) as running:
        yield running


@pytest.fixture(scope="module")
def deployed(ministack: Ministack, package: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """The function's stack, which serves FinSpace's kind for one group; its outputs."""
    clone = Clone(ministack, package, tmp_path_factory.mktemp("clone"))
    return clone.deploy({"FinSpacePermissionGroupMembership": "analysts"})


@dataclass
class Team:
    """A stack of memberships, in an environment of its own."""

    ministack: Ministack
    control: EmulatorControl
    stack: str
    environment: str

    def deploy(self, retained: tuple[str, ...] = (), **memberships: Mapping[str, str] | str) -> StackResult:
        """Deploy one resource a keyword: a user, or properties beside the usual ones. Outputs are every attribute.

        Those that are named in ``retained`` stay when the template has them no more.
        """
        resources: dict[str, Any] = {}
        outputs: dict[str, Any] = {}
        before = None
        for name, declared in memberships.items():
            properties = {"UserId": declared} if isinstance(declared, str) else declared
            resources[name] = {
                "Type": TYPE,
                # One after the other, so that what fails last fails after the others.
                **({"DependsOn": before} if before else {}),
                **({"DeletionPolicy": "Retain"} if name in retained else {}),
                "Properties": {
                    "ServiceToken": {"Fn::ImportValue": f"{FUNCTION}-ServiceToken"},
                    "EnvironmentId": self.environment,
                    "PermissionGroupId": "analysts",
                    **properties,
                },
            }
            before = name
            outputs[f"{name}Ref"] = {"Value": {"Ref": name}}
            outputs |= {f"{name}{attribute}": {"Value": {"Fn::GetAtt": [name, attribute]}} for attribute in ATTRIBUTES}
        return self.ministack.deploy(self.stack, json.dumps({"Resources": resources, "Outputs": outputs}))

    def id(self, user: str, flag: str = "") -> str:
        return f"finspace-permission-group-membership/v1/{ACCOUNT}/{REGION}/{self.environment}/analysts/{user}{flag}"

    def outputs(self, name: str, user: str, *, flag: str = "", status_code: str) -> dict[str, str]:
        """What the outputs of one resource are expected to be."""
        return {
            f"{name}Ref": self.id(user, flag),
            f"{name}EnvironmentId": self.environment,
            f"{name}PermissionGroupId": "analysts",
            f"{name}UserId": user,
            f"{name}MembershipStatus": "ADDITION_SUCCESS",
            f"{name}StatusCode": status_code,
        }

    def members(self) -> set[str]:
        return {membership.user_id for membership in self.control.memberships(self.environment)}

    def writes(self) -> list[tuple[str | None, str]]:
        """(operation, user) of every write to this environment so far."""
        return [
            (entry.operation, str(entry.parameters["userId"]))
            for entry in self.control.journal()
            if entry.environment_id == self.environment and entry.operation in (ASSOCIATE, DISASSOCIATE)
        ]


@pytest.fixture
def team(ministack: Ministack, server: EmulatorServer, deployed: Mapping[str, str]) -> Team:
    """An environment with a group, two users who are not in it, and a stack that is not there yet."""
    assert deployed
    number = next(_numbers)
    team = Team(ministack, server.control, f"team{number}", f"stackenv{number}")
    team.control.add_permission_group(team.environment, "analysts")
    team.control.add_user(team.environment, "alice")
    team.control.add_user(team.environment, "bob")
    return team


def test_the_cli_packages_and_deploys_the_function(deployed: Mapping[str, str]) -> None:
    """``aws cloudformation package`` and ``deploy`` take the template as it is; its outputs are what others need."""
    assert deployed["ServiceToken"] == f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{FUNCTION}"
    assert deployed["RoleArn"].startswith(f"arn:aws:iam::{ACCOUNT}:role/")


def test_from_create_to_delete(team: Team) -> None:
    """Create, a deployment without changes, a replacement and a delete: each leaves exactly what is declared."""
    created = team.deploy(Membership="alice")
    assert created.status == "CREATE_COMPLETE", created.story()
    assert created.outputs == team.outputs("Membership", "alice", status_code="200")
    assert team.deploy(Membership="alice").unchanged

    replaced = team.deploy(Membership="bob")
    assert replaced.status == "UPDATE_COMPLETE", replaced.story()
    assert replaced.outputs == team.outputs("Membership", "bob", status_code="200")
    assert team.members() == {"bob"}

    assert team.ministack.delete(team.stack).status == "DELETE_COMPLETE"
    assert team.members() == set()
    assert team.writes() == [(ASSOCIATE, "alice"), (ASSOCIATE, "bob"), (DISASSOCIATE, "alice"), (DISASSOCIATE, "bob")]


def test_a_failing_update_rolls_back(team: Team) -> None:
    """An Update that the service rejects keeps the old membership; the stack is back where it was and deployable."""
    team.deploy(Membership="alice")

    team.control.add_fault("error", operation=ASSOCIATE, error_code="ValidationException")
    failed = team.deploy(Membership="bob")

    assert failed.status == "UPDATE_ROLLBACK_COMPLETE", failed.story()
    assert "ValidationException" in failed.story()
    assert team.ministack.resources(team.stack) == {"Membership": team.id("alice")}
    assert team.members() == {"alice"}
    assert team.writes() == [(ASSOCIATE, "alice"), (ASSOCIATE, "bob")]
    assert team.deploy(Membership="bob").status == "UPDATE_COMPLETE"
    assert team.members() == {"bob"}


def test_a_replacement_that_is_rolled_back_is_revoked(team: Team) -> None:
    """When a later resource fails, the replacement's new membership goes and the old one stays."""
    team.deploy(First="alice")

    failed = team.deploy(First="bob", Second=REFUSED)

    assert failed.status == "UPDATE_ROLLBACK_COMPLETE", failed.story()
    assert team.ministack.resources(team.stack) == {"First": team.id("alice")}
    assert team.members() == {"alice"}


def test_a_stack_that_fails_half_way_leaves_nothing(team: Team) -> None:
    """A stack whose second membership cannot be granted takes the first one back."""
    team.control.add_fault("error", operation=ASSOCIATE, error_code="ValidationException", skip=1)
    failed = team.deploy(First="alice", Second="bob")

    assert failed.status == "ROLLBACK_COMPLETE", failed.story()
    assert team.members() == set()
    assert team.ministack.delete(team.stack).status == "DELETE_COMPLETE"
    assert team.writes() == [(ASSOCIATE, "alice"), (ASSOCIATE, "bob"), (DISASSOCIATE, "alice")]


def test_a_stack_that_fails_half_way_leaves_what_others_granted(team: Team) -> None:
    """A Create that fails because somebody else's membership is there does not revoke it in the rollback."""
    team.control.grant(team.environment, "analysts", "bob")

    failed = team.deploy(First="alice", Second="bob")

    assert failed.status == "ROLLBACK_COMPLETE", failed.story()
    assert "AlreadyExists" in failed.story()
    assert team.ministack.delete(team.stack).status == "DELETE_COMPLETE"
    assert team.members() == {"bob"}


def test_a_present_membership_can_be_adopted(team: Team) -> None:
    """With OnExisting: Adopt a stack takes over a membership that is there, and every attribute is served."""
    team.control.grant(team.environment, "analysts", "alice")

    adopted = team.deploy(Membership={"UserId": "alice", "OnExisting": "Adopt"})

    assert adopted.status == "CREATE_COMPLETE", adopted.story()
    assert adopted.outputs == team.outputs("Membership", "alice", flag="?adopted", status_code="")
    assert team.writes() == []
    kept = team.deploy(Membership={"UserId": "alice", "OnExisting": "Fail"})
    assert kept.outputs == team.outputs("Membership", "alice", flag="?adopted", status_code="")
    assert team.ministack.delete(team.stack).status == "DELETE_COMPLETE"
    assert team.members() == set()  # adopted on purpose, and then deleted on purpose


def test_an_adopted_membership_survives_the_deployment_that_failed_to_adopt_it(team: Team) -> None:
    """Adopted, then a later resource fails: the rollback lets go of what somebody else granted."""
    team.deploy(Other="bob")
    team.control.grant(team.environment, "analysts", "alice")

    failed = team.deploy(Other="bob", Membership={"UserId": "alice", "OnExisting": "Adopt"}, Last=REFUSED)

    assert failed.status == "UPDATE_ROLLBACK_COMPLETE", failed.story()
    assert team.members() == {"alice", "bob"}
    assert (DISASSOCIATE, "alice") not in team.writes()


# -- which resource of the stack holds it -----------------------------------------------------------------------------


def test_a_renamed_resource_keeps_its_membership(team: Team) -> None:
    """The new logical id takes the membership over, and the cleanup of the old one lets go of it."""
    team.deploy(Old="alice")

    renamed = team.deploy(New="alice")

    assert renamed.status == "UPDATE_COMPLETE", renamed.story()
    assert team.members() == {"alice"}
    assert team.writes() == [(ASSOCIATE, "alice")]
    assert team.ministack.delete(team.stack).status == "DELETE_COMPLETE"
    assert team.members() == set()


def test_a_rename_that_rolls_back_keeps_the_membership(team: Team) -> None:
    """A later resource fails: the new name goes again, and the old one has what it had."""
    team.deploy(Old="alice")

    failed = team.deploy(New="alice", Second=REFUSED)

    assert failed.status == "UPDATE_ROLLBACK_COMPLETE", failed.story()
    assert team.ministack.resources(team.stack) == {"Old": team.id("alice")}
    assert team.members() == {"alice"}
    assert (DISASSOCIATE, "alice") not in team.writes()


def test_a_swap_keeps_both_memberships(team: Team) -> None:
    """Two resources exchange what they hold: each finds it held by the other, now or when the update began."""
    team.deploy(First="alice", Second="bob")

    swapped = team.deploy(First="bob", Second="alice")

    assert swapped.status == "UPDATE_COMPLETE", swapped.story()
    assert team.ministack.resources(team.stack) == {"First": team.id("bob"), "Second": team.id("alice")}
    assert team.members() == {"alice", "bob"}
    assert team.ministack.delete(team.stack).status == "DELETE_COMPLETE"
    assert team.members() == set()


def test_a_swap_that_rolls_back_keeps_both_memberships(team: Team) -> None:
    """The same, and a third resource fails."""
    team.deploy(First="alice", Second="bob")

    failed = team.deploy(First="bob", Second="alice", Third=REFUSED)

    assert failed.status == "UPDATE_ROLLBACK_COMPLETE", failed.story()
    assert team.members() == {"alice", "bob"}
    assert not [write for write in team.writes() if write[0] == DISASSOCIATE]


def test_a_pair_that_two_resources_declare_lives_until_the_last_goes(team: Team) -> None:
    """Shared on purpose or by mistake: removing one of them revokes nothing, removing the stack does."""
    team.deploy(First="alice")
    team.deploy(First="alice", Second="alice")

    assert team.deploy(Second="alice").status == "UPDATE_COMPLETE"
    assert team.members() == {"alice"}
    assert team.ministack.delete(team.stack).status == "DELETE_COMPLETE"
    assert team.members() == set()


# -- between stacks ----------------------------------------------------------------------------------------------------


@pytest.fixture
def second(team: Team) -> Team:
    """Another stack for the same environment."""
    return Team(team.ministack, team.control, f"{team.stack}-second", team.environment)


def test_two_stacks_share_what_both_declare(team: Team, second: Team) -> None:
    """The second one is refused by the first one's name, unless it adopts; the last of the two revokes."""
    team.deploy(Membership="alice")

    failed = second.deploy(Theirs="alice")
    assert failed.status == "ROLLBACK_COMPLETE", failed.story()
    assert "resource Membership of stack arn:aws:cloudformation:" in failed.story()
    assert f":stack/{team.stack}/" in failed.story()
    second.ministack.delete(second.stack)
    assert team.members() == {"alice"}

    shared = second.deploy(Theirs={"UserId": "alice", "OnExisting": "Adopt"})
    assert shared.outputs == team.outputs("Theirs", "alice", status_code="")
    assert team.ministack.delete(team.stack).status == "DELETE_COMPLETE"
    assert team.members() == {"alice"}
    assert second.ministack.delete(second.stack).status == "DELETE_COMPLETE"
    assert team.members() == set()
    assert team.writes() == [(ASSOCIATE, "alice"), (DISASSOCIATE, "alice")]


def test_a_membership_is_handed_over_to_another_stack(team: Team, second: Team) -> None:
    """Retained in the old stack and adopted by the new one, it ends with the new one as its only owner."""
    team.deploy(("Membership",), Kept="bob", Membership="alice")
    assert team.deploy(Kept="bob").status == "UPDATE_COMPLETE"
    assert team.members() == {"alice", "bob"}

    second.deploy(Theirs={"UserId": "alice", "OnExisting": "Adopt"})

    assert team.ministack.delete(team.stack).status == "DELETE_COMPLETE"
    assert team.members() == {"alice"}
    assert second.ministack.delete(second.stack).status == "DELETE_COMPLETE"
    assert team.members() == set()
