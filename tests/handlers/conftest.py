"""The function's surroundings: FinSpace, and the bucket behind the ResponseURL."""

from __future__ import annotations

import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import botocore.endpoint
import pytest

from aws_associations_lambda import index
from engines.certificate import Certificate, make_certificate
from engines.response_sink import ResponseSink
from finspace_emulator.server import EmulatorServer
from tests.handlers.stage import EmulatorClock, Stage

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """Make a certificate for localhost."""
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="session")
def sink(certificate: Certificate) -> Iterator[ResponseSink]:
    """One bucket for all tests: each event has a URL of its own."""
    with ResponseSink(certificate) as running:
        yield running


@pytest.fixture
def own_bucket(certificate: Certificate) -> Iterator[ResponseSink]:
    """A second bucket, for faults that the test does not use up."""
    with ResponseSink(certificate) as running:
        yield running


@pytest.fixture(scope="session")
def server() -> Iterator[EmulatorServer]:
    """One emulator for all tests; its state is emptied for each."""
    with EmulatorServer() as running:
        yield running


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the function's zip, as ``make package`` does."""
    output = tmp_path_factory.mktemp("package") / "function.zip"
    subprocess.run([sys.executable, "-m", "handlers.package", output], cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    return output


@pytest.fixture
def real_time(
    sink: ResponseSink, certificate: Certificate, server: EmulatorServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Stage]:
    """The function with time as it is."""
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_ENDPOINT_URL_FINSPACE_DATA", server.url)
    monkeypatch.setenv("SSL_CERT_FILE", certificate.environment()["SSL_CERT_FILE"])
    server.control.reset()
    strays = len(sink.strays)
    yield Stage(sink, server.control)
    assert sink.strays[strays:] == []


@pytest.fixture
def stage(real_time: Stage, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """The function with waits, the SDK's own included, that cost no time."""
    clock = EmulatorClock(real_time.control)
    monkeypatch.setattr(index, "SystemClock", lambda: clock)
    monkeypatch.setattr(botocore.endpoint, "time", types.SimpleNamespace(sleep=clock.sleep))
    return real_time
