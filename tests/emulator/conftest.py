"""One emulator for every test of this folder, in-process and over HTTP."""

from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws

from association_emulator.control import EmulatorControl as AssociationControl
from finspace_emulator.control import EmulatorControl
from finspace_emulator.plugin import register
from finspace_emulator.server import EmulatorServer
from tests.emulator.associations import Associations
from tests.emulator.emulation import ENVIRONMENT, GROUP, USER, Emulator, new_session


@pytest.fixture(scope="session")
def botocore_session() -> Any:
    """A session made after moto was imported: moto reaches only those."""
    register()
    return new_session()


@pytest.fixture(scope="session")
def server() -> Iterator[EmulatorServer]:
    """The emulator as a server in threads of this process."""
    with EmulatorServer() as running:
        yield running


@pytest.fixture(params=["in-process", "http"])
def emulator(request: pytest.FixtureRequest, botocore_session: Any) -> Iterator[Emulator]:
    """An empty emulator with a stopped clock."""
    if request.param == "in-process":
        with mock_aws():
            control = EmulatorControl()
            control.freeze()
            yield Emulator(None, control, botocore_session)
    else:
        running: EmulatorServer = request.getfixturevalue("server")
        control = running.control
        control.reset()
        control.freeze()
        yield Emulator(running.url, control, botocore_session)


@pytest.fixture
def finspace(emulator: Emulator) -> Any:
    """A client with FinSpace credentials, in an environment with one group and one user who is not in it."""
    emulator.control.add_permission_group(ENVIRONMENT, GROUP, name="Analysts")
    emulator.control.add_user(ENVIRONMENT, USER)
    return emulator.finspace()


@pytest.fixture(scope="session")
def clients() -> dict[tuple[Any, ...], Any]:
    """The clients made so far: making one takes longer than using it."""
    return {}


@pytest.fixture(params=["in-process", "http"])
def associations(
    request: pytest.FixtureRequest, botocore_session: Any, clients: dict[tuple[Any, ...], Any]
) -> Iterator[Associations]:
    """An empty emulator with a stopped clock, and all of its services."""
    if request.param == "in-process":
        with mock_aws():
            control = AssociationControl()
            control.freeze()
            yield Associations(None, control, botocore_session, clients)
    else:
        running: EmulatorServer = request.getfixturevalue("server")
        control = AssociationControl(running.url)
        control.reset()
        control.freeze()
        yield Associations(running.url, control, botocore_session, clients)
