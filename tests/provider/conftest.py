"""One emulator behind a port for all tests of the provider, emptied for each."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from aws_associations.kind import Kind
from engines import pulumi_host
from engines.processes import Program
from engines.pulumi_engine import PulumiProject
from engines.pulumi_host import PulumiHost
from finspace_emulator.control import EmulatorControl
from finspace_emulator.server import EmulatorServer
from pulumi_aws_associations.finspace import PermissionGroupMembershipProvider
from tests.provider.declared import GROUPS, USERS, aws_environment
from tests.provider.forked import popen
from tests.provider.kinds import Declared, provider_of
from tests.provider.stacks import HEAD, Start


@pytest.fixture(autouse=True)
def _warm_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every host is a process of its own, as ever, but finds its libraries loaded."""
    monkeypatch.setattr(pulumi_host, "Program", functools.partial(Program, popen=popen))


@pytest.fixture(scope="session")
def provider_server() -> Iterator[EmulatorServer]:
    """Start the emulator."""
    server = EmulatorServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def service(provider_server: EmulatorServer) -> EmulatorControl:
    """An empty FinSpace with two groups and three users."""
    control = provider_server.control
    control.reset()
    for group in GROUPS:
        control.add_permission_group("env1", group)
    for user in USERS:
        control.add_user("env1", user)
    return control


@pytest.fixture
def aws(provider_server: EmulatorServer) -> dict[str, str]:
    """The environment of a caller whose services are the emulator's."""
    return aws_environment(provider_server.url)


@pytest.fixture
def table(service: EmulatorControl, aws: dict[str, str]) -> str:
    """The name of a table for the ledger, empty; the next test's reset removes it."""
    assert service is not None
    keys = {"aws_access_key_id": aws["AWS_ACCESS_KEY_ID"], "aws_secret_access_key": aws["AWS_SECRET_ACCESS_KEY"]}
    client = boto3.client("dynamodb", aws["AWS_REGION"], endpoint_url=aws["AWS_ENDPOINT_URL"], **keys)
    client.create_table(
        TableName="associations",
        KeySchema=[{"AttributeName": "key", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "key", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    client.close()
    return "associations"


@pytest.fixture(params=["memory", "table"])
def ledger(request: pytest.FixtureRequest, aws: dict[str, str]) -> str:
    """Each ledger in turn: that of the process, and a table that the environment names. Which one it is."""
    if request.param == "table":
        aws["AWS_ASSOCIATIONS_LEDGER"] = request.getfixturevalue("table")
    return str(request.param)


@pytest.fixture(scope="session")
def idle_host() -> Iterator[PulumiHost]:
    """A host for what needs no service: there is none where it would be called."""
    with PulumiHost(PermissionGroupMembershipProvider(), environment=aws_environment("http://127.0.0.1:9")) as running:
        yield running


@pytest.fixture
def emulated(provider_server: EmulatorServer) -> Iterator[str]:
    """Let this process reach the services of its own server as well; the server's URL."""
    with mock_aws():
        yield provider_server.url


@pytest.fixture
def declared_kind(kind: Kind, emulated: str) -> Iterator[Declared]:
    """One kind, its parties made, nothing associated, in a host of its own."""
    with PulumiHost(provider_of(kind), environment=aws_environment(emulated)) as running:
        yield Declared(kind, running)


@pytest.fixture
def host(service: EmulatorControl, aws: dict[str, str]) -> Iterator[PulumiHost]:
    """The real dynamic-provider host, in a process of its own."""
    assert service is not None
    with PulumiHost(PermissionGroupMembershipProvider(), environment=aws) as running:
        yield running


@pytest.fixture
def start(service: EmulatorControl, aws: dict[str, str]) -> Iterator[Start]:
    """Start a stack with this program text behind the usual imports."""
    assert service is not None
    projects: list[PulumiProject] = []

    def begin(program: str | Path, **more: Any) -> PulumiProject:
        text = program if isinstance(program, Path) else HEAD + program
        project = PulumiProject(text, environment=aws, **more).__enter__()
        projects.append(project)
        return project

    yield begin
    for project in projects:
        project.__exit__(None, None, None)
