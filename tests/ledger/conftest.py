"""Each ledger, empty: in memory, over moto and over ministack, the last two behind real connections."""

from __future__ import annotations

import types
from collections.abc import Iterator
from contextlib import contextmanager

import boto3
import botocore.endpoint
import pytest
from moto.server import ThreadedMotoServer

import aws_associations.dynamodb
from aws_associations.dynamodb import DynamoDBLedger
from aws_associations.ledger import Ledger, ProcessMemory
from aws_associations.service import Services
from engines.certificate import make_certificate
from engines.ministack import ACCOUNT, REGION, Ministack
from tests.ledger.faults import Table


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    """One moto for all tests. It forgets request tokens, and its transactions get in each other's way."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="session")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ministack]:
    """One ministack for all tests. It remembers request tokens and runs one transaction after the other."""
    with Ministack(certificate=make_certificate(tmp_path_factory.mktemp("certificate"))) as running:
        yield running


@pytest.fixture(params=["moto", "ministack"])
def table(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Table]:
    """The same test against a table of each emulator."""
    with new_table(request.param, request, monkeypatch) as table:
        yield table


@pytest.fixture(params=["process memory", "moto", "ministack"])
def ledger(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    """The same test against every ledger."""
    if request.param == "process memory":
        yield ProcessMemory()
        return
    with new_table(request.param, request, monkeypatch) as table:
        yield table.ledger


@contextmanager
def new_table(engine: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Table]:
    """Yield an empty table, in an environment that leads to the engine."""
    if engine == "moto":
        url, verify = request.getfixturevalue("moto_url"), ""
    else:
        ministack = request.getfixturevalue("ministack")
        url, verify = ministack.url, str(ministack.certificate.certificate)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_MAX_ATTEMPTS", "AWS_RETRY_MODE", "AWS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    reaching = {"AWS_ENDPOINT_URL_DYNAMODB": url, **({"AWS_CA_BUNDLE": verify} if verify else {})}
    for name, value in {
        "AWS_CONFIG_FILE": "/nonexistent/config",
        "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent/credentials",
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "nothing-secret",
        **reaching,
        "NO_PROXY": "127.0.0.1,localhost",
    }.items():
        monkeypatch.setenv(name, value)
    # Pauses between attempts are no part of what is tested.
    quick = types.SimpleNamespace(sleep=lambda _: None)
    monkeypatch.setattr(botocore.endpoint, "time", quick)
    monkeypatch.setattr(aws_associations.dynamodb, "time", quick)
    client = boto3.session.Session().client("dynamodb", region_name=REGION, verify=verify or None)
    client.create_table(
        TableName="associations",
        KeySchema=[{"AttributeName": "key", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "key", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    services = Services()
    arn = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/associations"
    try:
        yield Table(services, DynamoDBLedger(services, "associations", REGION), client, arn, verify)
    finally:
        services.ledger_client(REGION).close()
        client.delete_table(TableName="associations")
        client.close()
