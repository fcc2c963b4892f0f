"""The function's surroundings: the services, and the bucket behind the ResponseURL."""

from __future__ import annotations

import subprocess
import sys
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import botocore.endpoint
import pytest
from moto import mock_aws

import aws_associations.dynamodb
from association_emulator.plugin import register
from association_emulator.remote import RemoteControl
from aws_associations.kinds import KINDS
from aws_associations.service import Services
from aws_associations_lambda import index, stack
from aws_associations_lambda.response_url import TEST_HOST
from engines.certificate import Certificate, make_certificate
from engines.response_sink import ResponseSink
from finspace_emulator.server import EmulatorServer
from tests.contract.scenery import OTHERS
from tests.handlers.stacks import Stacks
from tests.handlers.stage import REGION, TABLE, EmulatorClock, KindStage, Stage

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
def surroundings(certificate: Certificate, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """What Lambda gives the function's process, and nothing of whoever runs the tests: no kind is enabled.

    Answers may go to this machine.
    """
    unset = ["AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION"]
    for name in (*unset, *(kind.switch for kind in KINDS)):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv(TEST_HOST, "localhost")
    monkeypatch.setenv(index.LEDGER_TABLE, TABLE)
    # Made anew: that of another test leads to another place.
    index._lifecycle.cache_clear()
    # What waits of other tests took, on a clock that sleeping moves, is not expected of the next one.
    monkeypatch.setattr(index._services, "_paces", {})
    monkeypatch.setenv("SSL_CERT_FILE", certificate.environment()["SSL_CERT_FILE"])
    return monkeypatch


@pytest.fixture
def stacks(surroundings: pytest.MonkeyPatch) -> Stacks:
    """What CloudFormation tells the function; so far it knows no stack."""
    played = Stacks()
    surroundings.setattr(stack, "_client", played.behind(stack._client.__wrapped__))
    return played


@pytest.fixture
def real_time(
    sink: ResponseSink, server: EmulatorServer, surroundings: pytest.MonkeyPatch, stacks: Stacks
) -> Iterator[Stage]:
    """The function with time as it is, FinSpace's kind enabled."""
    for service in ("FINSPACE_DATA", "DYNAMODB"):
        surroundings.setenv(f"AWS_ENDPOINT_URL_{service}", server.url)
    surroundings.setenv("FinSpacePermissionGroupMembership", "*")
    server.control.reset()
    strays = len(sink.strays)
    with tables(endpoint_url=server.url) as make_table:
        make_table(REGION)
        yield Stage(sink, server.control, stacks)
    assert sink.strays[strays:] == []


@pytest.fixture
def stage(real_time: Stage, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """The function with waits, the SDK's own included, that cost no time."""
    let_waits_cost_nothing(real_time.control, monkeypatch)
    return real_time


@pytest.fixture
def kind_stage(
    request: pytest.FixtureRequest, sink: ResponseSink, surroundings: pytest.MonkeyPatch, stacks: Stacks
) -> Iterator[KindStage]:
    """The function before one kind's parties, with all kinds enabled and waits that cost no time; see kinds.py."""
    for kind in KINDS:
        surroundings.setenv(kind.switch, "*")
    strays = len(sink.strays)
    register()
    with mock_aws(), tables() as make_table:
        surroundings.setattr(index, "_services", Services())
        make_table(REGION)
        stage = KindStage(sink, request.param, stacks, make_table)
        let_waits_cost_nothing(stage.control, surroundings)
        yield stage
    assert sink.strays[strays:] == []


@contextmanager
def tables(**reaching: Any) -> Iterator[Callable[[str], None]]:
    """Yield a way to make the ledger's table in a region; at the end those tables are gone."""
    made: list[Any] = []

    def make(region: str) -> None:
        session = boto3.session.Session(OTHERS, "somebody-elses", region_name=region)
        client = session.client("dynamodb", **reaching)
        client.create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": "key", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "key", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        made.append(client)

    try:
        yield make
    finally:
        for client in made:
            client.delete_table(TableName=TABLE)
            client.close()


def let_waits_cost_nothing(control: RemoteControl, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sleeping moves the services' clock and the function's, the SDK's between its attempts too."""
    clock = EmulatorClock(control)
    quick = types.SimpleNamespace(sleep=clock.sleep)
    monkeypatch.setattr(index, "SystemClock", lambda: clock)
    monkeypatch.setattr(index._services, "utc_now", clock.utc_now)
    monkeypatch.setattr(botocore.endpoint, "time", quick)
    monkeypatch.setattr(aws_associations.dynamodb, "time", quick)
