"""The core over the emulator, in this process and over HTTP, on a clock that sleeping moves."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from moto import mock_aws

from finspace_emulator.control import EmulatorControl
from finspace_emulator.plugin import register
from finspace_emulator.server import EmulatorServer
from tests.core.world import REGION, World


@pytest.fixture(scope="session")
def server() -> Iterator[EmulatorServer]:
    """One server for all tests; its state is emptied for each."""
    running = EmulatorServer()
    running.start()
    yield running
    running.stop()


@pytest.fixture(params=["in-process", "over HTTP"])
def world(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The same test against the emulator in this process and behind a port."""
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_FINSPACE_DATA", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_REGION", REGION)
    if request.param == "in-process":
        register()
        with mock_aws():
            control = EmulatorControl()
            control.reset()
            yield World(control)
    else:
        server: EmulatorServer = request.getfixturevalue("server")
        server.control.reset()
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        yield World(server.control)
