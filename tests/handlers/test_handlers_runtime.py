"""The packaged function under Lambda's own runtime client, with nothing beside it but what the runtime brings."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from aws_associations_lambda.index import LEDGER_TABLE
from aws_associations_lambda.response_url import TEST_HOST
from engines.certificate import Certificate
from engines.lambda_runtime import LambdaRuntime
from finspace_emulator.server import EmulatorServer
from tests.handlers.stage import ASSOCIATE, DISASSOCIATE, GROUP, LOOK, MARKER, TABLE, USER, Stage, shown

HANDLER = "aws_associations_lambda.index.handler"

_PROBE = """
import importlib
from aws_associations import work
from aws_associations_lambda.index import handler

def where(event, context):
    found = {}
    for name in event:
        try:
            found[name] = importlib.import_module(name).__file__
        except ImportError:
            found[name] = None
    return found

def hasty(event, context):
    work.LEASE_SECONDS = 2.0
    return handler(event, context)
"""


@pytest.fixture(scope="session")
def probe(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked zip with a module beside it that looks around."""
    folder = tmp_path_factory.mktemp("probe")
    with zipfile.ZipFile(package) as archive:
        archive.extractall(folder)
    (folder / "probe.py").write_text(_PROBE)
    return folder


@pytest.fixture
def environment(certificate: Certificate, server: EmulatorServer) -> dict[str, str]:
    """What leads the function's process to the bucket and the emulator of this machine, and enables FinSpace's kind."""
    return {
        "SSL_CERT_FILE": str(certificate.certificate),
        **{f"AWS_ENDPOINT_URL_{service}": server.url for service in ("FINSPACE_DATA", "DYNAMODB", "CLOUDFORMATION")},
        LEDGER_TABLE: TABLE,
        TEST_HOST: "localhost",
        "FinSpacePermissionGroupMembership": "*",
    }


@pytest.fixture
def runtime(package: Path, environment: dict[str, str]) -> Iterator[LambdaRuntime]:
    """An execution environment that is frozen between events, as on Lambda."""
    with LambdaRuntime(HANDLER, package, environment=environment, freeze=True) as running:
        yield running


@pytest.fixture
def hasty(probe: Path, environment: dict[str, str]) -> Iterator[LambdaRuntime]:
    """The same, with leases of two seconds: the delivery that follows a killed one has to wait for its end."""
    with LambdaRuntime("probe.hasty", probe, environment=environment, freeze=True) as running:
        yield running


def test_only_the_package_and_the_runtime_are_there(probe: Path) -> None:
    """crhelper and the core come from the zip and boto3 from the runtime; nothing of this environment leaks in."""
    names = ["aws_associations", "aws_associations_lambda", "crhelper", "boto3", "finspace_emulator", "moto", "pytest"]
    with LambdaRuntime("probe.where", probe) as running:
        found = running.invoke(names).response
        task = str(running._task)

    assert [name for name in names if (found[name] or "").startswith(task)] == names[:3]
    assert [name for name in names if found[name] is None] == names[4:]


def test_create_update_and_delete_in_one_process(runtime: LambdaRuntime, real_time: Stage) -> None:
    """The first event starts the process, the others are served by it, and each is answered before it is frozen."""
    stage = real_time
    stage.add(GROUP, "bob")
    create = stage.event("Create")
    update = stage.event(
        "Update",
        stage.properties(user="bob"),
        physical_resource_id=stage.id(),
        old_properties=stage.properties(),
    )
    delete = stage.event("Delete", physical_resource_id=stage.id(user="bob"))

    invocations = [runtime.invoke(event) for event in (create, update, delete)]

    assert [invocation.error for invocation in invocations] == [None, None, None]
    assert [invocation.response for invocation in invocations] == [None, None, None]
    assert [invocation.cold for invocation in invocations] == [True, False, False]
    assert [shown(stage.sink.answer(event)) for event in (create, update, delete)] == [
        ("SUCCESS", stage.id()),
        ("SUCCESS", stage.id(user="bob")),
        ("SUCCESS", stage.id(user="bob")),
    ]
    assert stage.members() == {(GROUP, USER)}
    assert {entry.region for entry in stage.control.journal()} == {"us-east-1"}


def test_a_create_that_is_killed_is_granted_by_the_retry(hasty: LambdaRuntime, real_time: Stage) -> None:
    """A process killed before its write answers nothing; the same event, delivered again, is served by a new one."""
    real_time.control.add_fault("slow", operation=LOOK, seconds=3)
    event = real_time.event("Create")

    killed = hasty.invoke(event, timeout=1.5, remaining=60)
    retried = hasty.invoke(event)

    assert (killed.timed_out, retried.cold, retried.error) == (True, True, None)
    assert shown(real_time.sink.answer(event)) == ("SUCCESS", real_time.id())
    assert real_time.calls().count(ASSOCIATE) == 1


def test_a_delete_that_is_killed_is_finished_by_the_retry(hasty: LambdaRuntime, real_time: Stage) -> None:
    """A process killed after the revocation leaves a retry that finds nothing, and succeeds."""
    hasty.invoke(real_time.event("Create"))
    real_time.control.add_fault("slow", operation=DISASSOCIATE, when="after", seconds=3)
    event = real_time.event("Delete", physical_resource_id=real_time.id())

    assert hasty.invoke(event, timeout=1.5, remaining=60).timed_out
    assert hasty.invoke(event).error is None

    assert shown(real_time.sink.answer(event)) == ("SUCCESS", real_time.id())
    assert real_time.members() == set()


def test_the_guard_answers_before_lambda_kills(runtime: LambdaRuntime, real_time: Stage) -> None:
    """A service that hangs longer than the function may run costs a FAILED, in time."""
    runtime.invoke(real_time.event("Delete", physical_resource_id=real_time.id()))
    real_time.control.add_fault("slow", operation=ASSOCIATE, seconds=4)
    event = real_time.event("Create")

    invocation = runtime.invoke(event, timeout=2.5)

    assert invocation.timed_out
    assert shown(real_time.sink.answer(event)) == ("FAILED", MARKER)
