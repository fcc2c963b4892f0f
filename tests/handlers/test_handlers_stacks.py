"""Stacks of memberships in a CloudFormation engine, and what each of its operations leaves."""

from __future__ import annotations

import itertools
import json
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from engines.certificate import Certificate
from engines.ministack import ACCOUNT, REGION, Ministack, StackResult
from engines.processes import hermetic_environment
from finspace_emulator.control import EmulatorControl
from finspace_emulator.server import EmulatorServer
from tests.handlers.engine import BIN, FUNCTION, Clone, endpoints
from tests.handlers.stage import ASSOCIATE, DISASSOCIATE, TYPE
from tests.handlers.template import ROOT

ATTRIBUTES = ("EnvironmentId", "PermissionGroupId", "UserId", "MembershipStatus", "StatusCode")

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def poison(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of service models that botocore prefers to its own, in which FinSpace's has other addresses."""
    (model,) = (ROOT / "core" / "aws_associations" / "models").rglob("service-2.json")
    spoilt = json.loads(model.read_text())
    for operation in spoilt["operations"].values():
        operation["http"]["requestUri"] = "/poisoned"
    folder = tmp_path_factory.mktemp("models")
    written = folder / "finspace-data" / model.parent.name / "service-2.json"
    written.parent.mkdir(parents=True)
    written.write_text(json.dumps(spoilt))
    return folder


@pytest.fixture(scope="module")
def ministack(certificate: Certificate, server: EmulatorServer, poison: Path) -> Iterator[Ministack]:
    """The engine, with functions that reach the emulator and find a spoilt model of FinSpace before any other."""
    server.control.reset()
    environment = {**endpoints(server.url), "AWS_DATA_PATH": str(poison)}
    with Ministack(environment=environment, certificate=certificate) as running:
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

    def deploy(self, **memberships: Mapping[str, str] | str) -> StackResult:
        """Deploy one resource a keyword: a user, or properties beside the usual ones. Outputs are every attribute."""
        resources: dict[str, Any] = {}
        outputs: dict[str, Any] = {}
        before = None
        for name, declared in memberships.items():
            properties = {"UserId": declared} if isinstance(declared, str) else declared
            resources[name] = {
                "Type": TYPE,
                # One after the other, so that what fails last fails after the others.
                **({"DependsOn": before} if before else {}),
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


def test_the_example_works(team: Team) -> None:
    """The example stack grants what it declares, shows it, and revokes it when it is deleted."""
    example = ROOT / "examples" / "cloudformation" / "finspace-permission-group-membership.yaml"
    parameters = {"EnvironmentId": team.environment, "PermissionGroupId": "analysts", "UserId": "alice"}

    created = team.ministack.deploy(team.stack, example.read_text(), parameters)

    assert created.status == "CREATE_COMPLETE", created.story()
    assert created.outputs == {"MembershipId": team.id("alice"), "MembershipStatus": "ADDITION_SUCCESS"}
    assert team.members() == {"alice"}
    assert team.ministack.deploy(team.stack, example.read_text(), parameters).unchanged
    assert team.ministack.delete(team.stack).status == "DELETE_COMPLETE"
    assert team.members() == set()


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

    failed = team.deploy(Membership="nobody")

    assert failed.status == "UPDATE_ROLLBACK_COMPLETE", failed.story()
    assert "NotFound" in failed.story()
    assert team.ministack.resources(team.stack) == {"Membership": team.id("alice")}
    assert team.members() == {"alice"}
    assert team.writes() == [(ASSOCIATE, "alice"), (ASSOCIATE, "nobody")]
    assert team.deploy(Membership="bob").status == "UPDATE_COMPLETE"
    assert team.members() == {"bob"}


def test_a_replacement_that_is_rolled_back_is_revoked(team: Team) -> None:
    """When a later resource fails, the replacement's new membership goes and the old one stays."""
    team.deploy(First="alice")

    failed = team.deploy(First="bob", Second="nobody")

    assert failed.status == "UPDATE_ROLLBACK_COMPLETE", failed.story()
    assert team.ministack.resources(team.stack) == {"First": team.id("alice")}
    assert team.members() == {"alice"}


def test_a_stack_that_fails_half_way_leaves_nothing(team: Team) -> None:
    """A stack whose second membership cannot be granted takes the first one back."""
    failed = team.deploy(First="alice", Second="nobody")

    assert failed.status == "ROLLBACK_COMPLETE", failed.story()
    assert team.members() == set()
    assert team.ministack.delete(team.stack).status == "DELETE_COMPLETE"
    assert team.writes() == [(ASSOCIATE, "alice"), (ASSOCIATE, "nobody"), (DISASSOCIATE, "alice")]


def test_a_stack_that_fails_half_way_leaves_what_others_granted(team: Team) -> None:
    """A Create that fails because somebody else's membership is there does not revoke it in the rollback."""
    team.control.grant(team.environment, "analysts", "bob")

    failed = team.deploy(First="alice", Second="bob")

    assert failed.status == "ROLLBACK_COMPLETE", failed.story()
    assert "AlreadyExists" in failed.story()
    assert team.ministack.delete(team.stack).status == "DELETE_COMPLETE"
    assert team.members() == {"bob"}


def test_a_revision_heals(team: Team) -> None:
    """A membership revoked behind the stack's back comes back with a changed Revision, under the same id."""
    team.deploy(Membership="alice")
    team.control.revoke(team.environment, "analysts", "alice")
    team.control.advance(601)  # past the life of the first token, whose replay would cost a wait

    healed = team.deploy(Membership={"UserId": "alice", "Revision": "2"})

    assert healed.status == "UPDATE_COMPLETE", healed.story()
    assert healed.outputs == team.outputs("Membership", "alice", status_code="200")
    assert team.members() == {"alice"}


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

    failed = team.deploy(Other="bob", Membership={"UserId": "alice", "OnExisting": "Adopt"}, Last="nobody")

    assert failed.status == "UPDATE_ROLLBACK_COMPLETE", failed.story()
    assert team.members() == {"alice", "bob"}
    assert (DISASSOCIATE, "alice") not in team.writes()


def test_a_stack_can_be_deleted_after_its_parties(team: Team) -> None:
    """Group and user removed first do not keep a stack from being deleted."""
    team.deploy(Membership="alice")
    team.control.remove_user(team.environment, "alice")
    team.control.remove_permission_group(team.environment, "analysts")

    assert team.ministack.delete(team.stack).status == "DELETE_COMPLETE"


def test_every_request_was_answered_once_and_none_refused(team: Team) -> None:
    """The engine's events are all ones that the function understands, and each gets one answer."""
    team.deploy(Membership="alice")
    team.ministack.delete(team.stack)

    lines = [json.loads(line) for line in team.ministack.function_logs(FUNCTION).splitlines() if line.startswith("{")]
    answered = [line["request"] for line in lines if line["event"] == "answered"]
    assert len(answered) >= 2
    assert len(answered) == len(set(answered))
    assert [line for line in lines if line["event"] in ("refused-event", "answer-not-delivered")] == []


_MODEL = """
import botocore, botocore.session
model = botocore.session.Session().get_service_model("finspace-data")
print(model.operation_model("AssociateUserToPermissionGroup").http["requestUri"])
"""


def test_the_functions_botocore_would_have_used_another_model(poison: Path) -> None:
    """The function's botocore has FinSpace, and here a spoilt one before it: the stacks above worked with ours."""
    said = [
        subprocess.run(
            [BIN / "python", "-c", _MODEL],
            env=hermetic_environment(extra),
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for extra in ({}, {"AWS_DATA_PATH": str(poison)})
    ]
    assert said == ["/permission-group/{permissionGroupId}/users/{userId}", "/poisoned"]


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

    failed = team.deploy(New="alice", Second="nobody")

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

    failed = team.deploy(First="bob", Second="alice", Third="nobody")

    assert failed.status == "UPDATE_ROLLBACK_COMPLETE", failed.story()
    assert team.members() == {"alice", "bob"}
    assert not [write for write in team.writes() if write[0] == DISASSOCIATE]


def test_a_chain_of_three_keeps_what_each_declares(team: Team) -> None:
    """Each takes what the next one has, and the last takes what the first had."""
    team.control.add_user(team.environment, "carol")
    team.deploy(First="alice", Second="bob", Third="carol")

    rotated = team.deploy(First="bob", Second="carol", Third="alice")

    assert rotated.status == "UPDATE_COMPLETE", rotated.story()
    assert team.members() == {"alice", "bob", "carol"}
    assert [write for write in team.writes() if write[0] == DISASSOCIATE] == []
    assert team.deploy(First="bob").status == "UPDATE_COMPLETE"
    assert team.members() == {"bob"}


def test_a_rename_keeps_that_it_was_adopted(team: Team) -> None:
    """The new name is as much its owner as the old one was; asked to adopt or not."""
    team.control.grant(team.environment, "analysts", "alice")
    team.deploy(Old={"UserId": "alice", "OnExisting": "Adopt"})

    renamed = team.deploy(New={"UserId": "alice", "OnExisting": "Adopt"})

    assert renamed.outputs == team.outputs("New", "alice", flag="?adopted", status_code="")
    assert team.members() == {"alice"}
    assert team.writes() == []


def test_a_pair_that_two_resources_declare_lives_until_the_last_goes(team: Team) -> None:
    """Shared on purpose or by mistake: removing one of them revokes nothing, removing the stack does."""
    team.deploy(First="alice")
    team.deploy(First="alice", Second="alice")

    assert team.deploy(Second="alice").status == "UPDATE_COMPLETE"
    assert team.members() == {"alice"}
    assert team.ministack.delete(team.stack).status == "DELETE_COMPLETE"
    assert team.members() == set()
