"""One emulator behind a port for all tests of the provider, emptied for each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engines.pulumi_host import PulumiHost
from finspace_emulator.control import EmulatorControl
from finspace_emulator.server import EmulatorServer
from pulumi_aws_associations.finspace import PermissionGroupMembershipProvider
from tests.provider.declared import GROUPS, USERS, aws_environment


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
def host(service: EmulatorControl, aws: dict[str, str]) -> Iterator[PulumiHost]:
    """The real dynamic-provider host, in a process of its own."""
    assert service is not None
    with PulumiHost(PermissionGroupMembershipProvider(), environment=aws) as running:
        yield running
