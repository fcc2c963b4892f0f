"""The core over the emulator, in this process and over HTTP, on a clock that sleeping moves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import botocore.endpoint
import hypothesis
import pytest
from moto import mock_aws

from finspace_emulator.control import EmulatorControl
from finspace_emulator.plugin import register
from finspace_emulator.server import EmulatorServer
from tests.core.world import REGION, EmulatorClock, World

# Other work on the same machine must not fail a property.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials and a region, and nothing else of whoever runs the tests."""
    set_environment(monkeypatch)


def set_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set what the SDK reads, and unset the rest."""
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_FINSPACE_DATA", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_DATA_PATH", "AWS_DEFAULT_REGION", "AWS_MAX_ATTEMPTS", "AWS_RETRY_MODE", "AWS_USE_FIPS_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent/config")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent/credentials")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_REGION", REGION)


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
    if request.param == "in-process":
        with in_process(monkeypatch) as world:
            yield world
    else:
        yield over_http(request.getfixturevalue("server"), monkeypatch)


@pytest.fixture
def inner(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """In this process only: for tables of many cases, which another transport would not change."""
    with in_process(monkeypatch) as world:
        yield world


@pytest.fixture
def outer(server: EmulatorServer, monkeypatch: pytest.MonkeyPatch) -> World:
    """Over HTTP only: for what only a real connection has."""
    return over_http(server, monkeypatch)


@contextmanager
def in_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Yield an empty emulator in this process."""
    register()
    with mock_aws():
        control = EmulatorControl()
        control.reset()
        let_retries_sleep_on(control, monkeypatch)
        yield World(control)


def over_http(server: EmulatorServer, monkeypatch: pytest.MonkeyPatch) -> World:
    """Return the emulator behind the server's port, empty."""
    server.control.reset()
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
    let_retries_sleep_on(server.control, monkeypatch)
    return World(server.control)


def let_retries_sleep_on(control: EmulatorControl, monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK waits between its attempts; so does no test."""
    monkeypatch.setattr(botocore.endpoint, "time", EmulatorClock(control))
