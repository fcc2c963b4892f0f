"""The packaged function under Lambda's own runtime client, with nothing beside it but what the runtime brings."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from aws_associations_lambda.response_url import TEST_HOST
from engines.certificate import Certificate
from engines.lambda_runtime import LambdaRuntime
from engines.response_sink import ResponseSink
from finspace_emulator.server import EmulatorServer
from finspace_emulator.service import service
from tests.handlers.stage import ASSOCIATE, DISASSOCIATE, GROUP, LOOK, MARKER, TYPE, Stage, shown

HANDLER = "aws_associations_lambda.index.handler"

_PROBE = """
import importlib, logging
from aws_associations_lambda.index import handler

def where(event, context):
    found = {}
    for name in event:
        try:
            found[name] = importlib.import_module(name).__file__
        except ImportError:
            found[name] = None
    return found

def talkative(event, context):
    logging.getLogger().setLevel(logging.DEBUG)
    for name in ("boto3", "botocore", "urllib3", "crhelper"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    logging.getLogger("probe").debug("a line at DEBUG")
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
        "AWS_ENDPOINT_URL_FINSPACE_DATA": server.url,
        TEST_HOST: "localhost",
        "FinSpacePermissionGroupMembership": "*",
    }


@pytest.fixture
def runtime(package: Path, environment: dict[str, str]) -> Iterator[LambdaRuntime]:
    """An execution environment that is frozen between events, as on Lambda."""
    with LambdaRuntime(HANDLER, package, environment=environment, freeze=True) as running:
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
    delete = stage.event("Delete", physical_resource_id=stage.id())

    invocations = [runtime.invoke(event) for event in (create, update, delete)]

    assert [invocation.error for invocation in invocations] == [None, None, None]
    assert [invocation.response for invocation in invocations] == [None, None, None]
    assert [invocation.cold for invocation in invocations] == [True, False, False]
    assert [shown(stage.sink.answer(event)) for event in (create, update, delete)] == [
        ("SUCCESS", stage.id()),
        ("SUCCESS", stage.id(user="bob")),
        ("SUCCESS", stage.id()),
    ]
    assert stage.members() == {(GROUP, "bob")}
    assert {entry.region for entry in stage.control.journal()} == {"us-east-1"}


def test_a_create_that_is_killed_is_granted_by_the_retry(runtime: LambdaRuntime, real_time: Stage) -> None:
    """A process killed before its write answers nothing; the same event, delivered again, is served by a new one."""
    real_time.control.add_fault("slow", operation=LOOK, seconds=3)
    event = real_time.event("Create")

    killed = runtime.invoke(event, timeout=1.5, remaining=60)
    retried = runtime.invoke(event)

    assert (killed.timed_out, retried.cold, retried.error) == (True, True, None)
    assert shown(real_time.sink.answer(event)) == ("SUCCESS", real_time.id())
    assert real_time.calls().count(ASSOCIATE) == 1


def test_a_delete_that_is_killed_is_finished_by_the_retry(runtime: LambdaRuntime, real_time: Stage) -> None:
    """A process killed after the revocation leaves a retry that finds nothing, and succeeds."""
    real_time.grant()
    real_time.control.add_fault("slow", operation=DISASSOCIATE, when="after", seconds=3)
    event = real_time.event("Delete", physical_resource_id=real_time.id())

    assert runtime.invoke(event, timeout=1.5, remaining=60).timed_out
    assert runtime.invoke(event).error is None

    assert shown(real_time.sink.answer(event)) == ("SUCCESS", real_time.id())
    assert real_time.members() == set()


def test_the_guard_answers_before_lambda_kills(runtime: LambdaRuntime, real_time: Stage) -> None:
    """A service that hangs longer than the function may run costs a FAILED with the real id, in time."""
    runtime.invoke(real_time.event("Delete", physical_resource_id=real_time.id()))
    real_time.control.add_fault("slow", operation=ASSOCIATE, seconds=4)
    event = real_time.event("Create")

    invocation = runtime.invoke(event, timeout=2.5)

    assert invocation.timed_out
    assert shown(real_time.sink.answer(event)) == ("FAILED", real_time.id())


def test_a_lost_answer_is_delivered_by_lambdas_retry(
    runtime: LambdaRuntime, real_time: Stage, own_bucket: ResponseSink
) -> None:
    """An answer that nobody takes is an error of the invocation; delivered again, the event is answered."""
    own_bucket.refuse(503, 20)
    event = own_bucket.event("Create", TYPE, real_time.properties())

    lost = runtime.invoke(event, timeout=4)
    again = real_time.event("Create", RequestId=event["RequestId"])
    retried = runtime.invoke(again)

    assert lost.error is not None
    assert lost.error["errorType"] == "AnswerNotDeliveredError"
    assert retried.error is None
    assert shown(real_time.sink.answer(again)) == ("SUCCESS", real_time.id())


@pytest.mark.parametrize("log_format", ["Text", "JSON"])
def test_nothing_secret_is_logged_at_any_level(
    probe: Path, environment: dict[str, str], real_time: Stage, own_bucket: ResponseSink, log_format: str
) -> None:
    """With every logger at DEBUG, successes and failures write no signature, credential, token or header."""
    stage = real_time
    stage.add(GROUP, "bob")
    stage.add(GROUP, "carol")
    debug = {"AWS_LAMBDA_LOG_LEVEL": "DEBUG", "AWS_LAMBDA_LOG_FORMAT": log_format}
    events = [
        stage.event("Create"),
        stage.event("Create"),
        stage.event("Create", stage.properties(user="nobody")),
        stage.event("Create", {}),
        stage.event(
            "Update", stage.properties(user="bob"), physical_resource_id=stage.id(), old_properties=stage.properties()
        ),
        stage.event("Delete", physical_resource_id=stage.id()),
        stage.event("Delete", physical_resource_id=MARKER),
        stage.event("Create", StackId="é"),
    ]
    with LambdaRuntime("probe.talkative", probe, environment={**environment, **debug}) as running:
        for event in events:
            assert running.invoke(event).error is None
        own_bucket.refuse(403)
        stage.control.add_fault("cut", operation=LOOK)
        events.append(own_bucket.event("Create", TYPE, stage.properties(user="carol")))
        assert running.invoke(events[-1]).error is None
        own_bucket.refuse(503, 20)
        events.append(own_bucket.event("Create", TYPE, stage.properties(user="carol")))
        assert running.invoke(events[-1], timeout=2.5).error is not None
        written = running.log

    issued = list(service.credentials.values())
    secrets = [
        *(ResponseSink.signature(event) for event in events),
        *(text for given in issued for text in (given.secret_access_key, given.session_token)),
        "X-Amz-Signature",
        "X-Amz-Credential",
        "X-Amz-Security-Token",
        "Authorization",
        "secretAccessKey",
        "sessionToken",
        "nothing-secret",
        "cloudformation-custom-resource-response",
    ]
    assert issued
    assert "a line at DEBUG" in written
    assert '"event": "answered"' in written
    assert [secret for secret in secrets if secret.lower() in written.lower()] == []
