"""Every kind in a CloudFormation engine: its example stack, every attribute and option, and what enables it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws

from association_emulator.control import EmulatorControl
from association_emulator.plugin import register
from aws_associations.identity import AssociationId, Identity
from aws_associations.kind import Kind
from aws_associations.kinds import KINDS
from engines.certificate import Certificate
from engines.ministack import ACCOUNT, REGION, Ministack, StackResult
from finspace_emulator.server import EmulatorServer
from tests.contract.scenery import SCENERY, Scenery, Values, client, module_of
from tests.handlers.engine import FUNCTION, Clone, endpoints
from tests.handlers.template import FUNCTION_TEMPLATE, ROOT, read, resolved, statements

EACH_KIND = pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])
TEMPLATE = read(FUNCTION_TEMPLATE)
NARROWED = [name for name in (f"{kind.switch}Resources" for kind in KINDS) if name in TEMPLATE["Parameters"]]
EVERYTHING = {
    **{kind.switch: "*, and-more" for kind in KINDS},
    **{name: f"arn:aws:{name}:::one, arn:aws:{name}:::two" for name in NARROWED},
}


@pytest.fixture(scope="module")
def arranged() -> Iterator[Callable[[Kind], Scenery]]:
    """Each kind's parties, made when first asked for. What this process changes, the emulator's port serves."""
    register()
    client.cache_clear()
    with mock_aws():
        control = EmulatorControl()
        control.reset()
        made: dict[str, Scenery] = {}

        def arrange(kind: Kind) -> Scenery:
            if kind.name not in made:
                made[kind.name] = SCENERY[module_of(kind)](control, kind)
                made[kind.name].arrange()
            return made[kind.name]

        yield arrange
    client.cache_clear()


@pytest.fixture(scope="module")
def ministack(certificate: Certificate, server: EmulatorServer, arranged: object) -> Iterator[Ministack]:
    """The engine, with functions that reach the emulator for every service of a kind."""
    assert arranged
    with Ministack(environment=endpoints(server.url), certificate=certificate) as running:
        yield running


@pytest.fixture(scope="module")
def clone(ministack: Ministack, package: Path, tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """The function, packaged."""
    return Clone(ministack, package, tmp_path_factory.mktemp("clone"))


@pytest.fixture(scope="module")
def deployed(clone: Clone) -> Mapping[str, str]:
    """The function's stack with every kind enabled; its outputs."""
    return clone.deploy(EVERYTHING)


@dataclass
class KindStack:
    """A stack with one association, and the parties of its kind."""

    ministack: Ministack
    kind: Kind
    scenery: Scenery
    name: str = field(init=False)

    def __post_init__(self) -> None:
        self.name = self.kind.name

    def values(self, *others: str) -> Values:
        """The parts of the association, some as the scenery's other ones."""
        return {**self.scenery.values, **{name: self.scenery.others[name] for name in others}}

    def id(self, values: Values) -> str:
        return AssociationId(Identity.of(self.kind, ACCOUNT, REGION, values)).text

    def example(self, values: Values) -> StackResult:
        """Deploy the kind's example, its parameters filled with these values."""
        path = ROOT / "examples" / "cloudformation" / f"{self.kind.name}.yaml"
        given = {part.property_name: values[part.name] for part in self.kind.parts}
        parameters = {name: value for name, value in given.items() if name in read(path)["Parameters"]}
        return self.ministack.deploy(self.name, path.read_text(), parameters)

    def deploy(self, function: str, **more: Any) -> StackResult:
        """Deploy one resource with all parts and more properties."""
        parts = {part.property_name: self.scenery.values[part.name] for part in self.kind.parts}
        resource = {
            "Type": self.kind.cloudformation_type,
            "Properties": {"ServiceToken": {"Fn::ImportValue": f"{function}-ServiceToken"}, **parts, **more},
        }
        return self.ministack.deploy(self.name, json.dumps({"Resources": {"One": resource}}))

    def deleted(self) -> bool:
        return self.ministack.delete(self.name).status == "DELETE_COMPLETE"


@pytest.fixture
def stack(ministack: Ministack, arranged: Callable[[Kind], Scenery], kind: Kind) -> Iterator[KindStack]:
    """A stack that is not there yet, of a kind whose parties are."""
    stack = KindStack(ministack, kind, arranged(kind))
    assert stack.scenery.granted() == []
    yield stack
    ministack.delete(stack.name)


@EACH_KIND
def test_the_example_works_from_create_to_delete(stack: KindStack, deployed: Mapping[str, str]) -> None:
    """The example grants what its parameters name, shows its id, replaces it by another, and revokes it at the end."""
    assert deployed
    before, after = stack.values(), stack.values(stack.kind.parties[1].name)

    created = stack.example(before)
    assert created.status == "CREATE_COMPLETE", created.story()
    assert stack.id(before) in created.outputs.values()
    assert stack.scenery.granted() == [before]
    assert stack.example(before).unchanged

    replaced = stack.example(after)
    assert replaced.status == "UPDATE_COMPLETE", replaced.story()
    assert stack.id(after) in replaced.outputs.values()
    assert stack.scenery.granted() == [after]

    assert stack.deleted()
    assert stack.scenery.granted() == []


def test_the_engine_reads_the_template_as_the_tests_do(ministack: Ministack, deployed: Mapping[str, str]) -> None:
    """Role and function are deployed with exactly what the tests resolve for these parameters."""
    iam, functions = ministack.client("iam"), ministack.client("lambda")
    role = deployed["RoleArn"].rpartition("/")[2]
    (name,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
    *allowed, log = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]["Statement"]
    environment = functions.get_function_configuration(FunctionName=FUNCTION)["Environment"]["Variables"]
    iam.close()
    functions.close()

    table = deployed["LedgerTableName"]

    def with_table(found: Any) -> Any:
        arn = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table}"
        return json.loads(json.dumps(found).replace("<Ledger.Arn>", arn).replace("<Ledger>", table))

    # Every parameter is given: the engine takes an Fn::Join in a condition for true, whatever it joins.
    place = ("aws", REGION, ACCOUNT)
    assert allowed == with_table(statements(TEMPLATE, EVERYTHING, place)[:-1])
    assert log["Sid"] == "OwnLogs"
    resources = resolved(TEMPLATE, EVERYTHING, place)
    assert environment == with_table(resources["Function"]["Properties"]["Environment"]["Variables"])


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.service == "iot"][:1], ids=lambda kind: kind.name)
def test_a_function_serves_what_its_parameters_say(stack: KindStack, clone: Clone) -> None:
    """A team's own function refuses what it is not deployed for; the parameter that the refusal names is the cure."""
    switch, granting = stack.kind.switch, stack.values()[stack.kind.parties[0].name]

    def deploy(**parameters: str) -> None:
        given = {"FunctionName": "of-a-team", **parameters}
        assert stack.ministack.deploy("of-a-team", clone.packaged, given).succeeded

    deploy(OpenSearchPackageAssociation="*")
    refused = stack.deploy("of-a-team")
    assert refused.status == "ROLLBACK_COMPLETE", refused.story()
    assert f"set the parameter {switch}" in refused.story()
    assert stack.deleted()

    deploy(**{switch: f"nobody, not-{granting}"})
    refused = stack.deploy("of-a-team")
    assert refused.status == "ROLLBACK_COMPLETE", refused.story()
    assert f"parameter {switch} lists what it may: nobody, not-{granting}" in refused.story()
    assert stack.deleted()
    assert stack.scenery.granted() == []

    deploy(**{switch: f"nobody, {granting}"})
    assert stack.deploy("of-a-team").status == "CREATE_COMPLETE"
    assert stack.scenery.granted() == [stack.values()]

    deploy(**{switch: "nobody"})
    kept = stack.deploy("of-a-team", OnExisting="Adopt")
    assert kept.status == "UPDATE_COMPLETE", kept.story()
    assert stack.deleted()
    assert stack.scenery.granted() == []
