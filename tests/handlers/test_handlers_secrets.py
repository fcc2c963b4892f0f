"""Whatever happens to an association: no credential, signature or pre-signed URL is in what anybody can read."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import re
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import botocore.auth
import botocore.credentials
import pytest

from aws_associations_lambda import index
from aws_associations_lambda.responder import AnswerNotDeliveredError
from engines.response_sink import ResponseSink
from tests.handlers.kinds import kinds
from tests.handlers.stage import Context, KindStage

SECRET_KEY = "c4llers/S3cretAccessKeyOfTheRole+0123456789"
SESSION_TOKEN = "FwoGZXIvYXdzEXAMPLEc4llersSessionTokenOfTheRole=="
# AWS explains a wrong signature by the whole request.
QUOTED = f"The Canonical String should have been 'GET\\n/\\nx-amz-security-token:{SESSION_TOKEN}'"


def _wrong_signature(code: str) -> dict[str, Any]:
    body = json.dumps({"__type": code, "message": QUOTED})
    return {"kind": "answer", "status": 403, "error_code": code, "body": body}


FAULTS: list[dict[str, Any]] = [
    {"kind": "throttled"},
    {"kind": "internal_error"},
    {"kind": "cut"},
    {"kind": "cut", "when": "after"},
    {"kind": "answer", "status": 200, "body": "<html>", "content_type": "text/html"},
    _wrong_signature("SignatureDoesNotMatch"),
    _wrong_signature("InvalidSignatureException"),
]
_LIBRARIES = ("boto3", "botocore", "crhelper", "urllib3")


@pytest.fixture
def secrets(kind_stage: KindStage, surroundings: pytest.MonkeyPatch) -> list[str]:
    """Everything secret, also what is only issued or signed while the test runs."""
    assert kind_stage
    surroundings.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    surroundings.setenv("AWS_SESSION_TOKEN", SESSION_TOKEN)
    found = [SECRET_KEY, SESSION_TOKEN]
    sign, exchange = botocore.auth.SigV4Auth.signature, botocore.credentials.RefreshableCredentials.__init__

    def signing(self: Any, *args: Any, **kwargs: Any) -> str:
        signature: str = sign(self, *args, **kwargs)
        found.append(signature)
        return signature

    def exchanging(self: Any, access_key: str, secret_key: str, token: str, *args: Any, **kwargs: Any) -> None:
        found.extend((secret_key, token))
        exchange(self, access_key, secret_key, token, *args, **kwargs)

    surroundings.setattr(botocore.auth.SigV4Auth, "signature", signing)
    surroundings.setattr(botocore.credentials.RefreshableCredentials, "__init__", exchanging)
    return found


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """Everything that is printed or logged, by whatever logger, every one of the libraries' at DEBUG of its own."""
    text = io.StringIO()
    spy = logging.StreamHandler(text)
    # The services play in this process; what they log is not the function's.
    spy.addFilter(lambda record: not record.name.startswith(("moto", "werkzeug", "responses")))
    known = [name for name in logging.root.manager.loggerDict if name.startswith(_LIBRARIES)]
    names = ["", *_LIBRARIES, *known]
    before = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.DEBUG)
    logging.root.addHandler(spy)
    yield text
    logging.root.removeHandler(spy)
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


def invoke(stage: KindStage, event: dict[str, Any], written: io.StringIO, secrets: list[str]) -> None:
    """Invoke the function, and keep what its answers and errors say beside what it writes."""
    secrets.append(ResponseSink.signature(event))
    try:
        with contextlib.redirect_stdout(written), contextlib.redirect_stderr(written):
            index.handler(event, Context(120.0))
    except AnswerNotDeliveredError as error:
        written.write(f"{error!r} {error.__cause__!r}\n")
    for answer in stage.sink.answers(event):
        written.write(answer.body.decode() + "\n")


def life(stage: KindStage, written: io.StringIO, secrets: list[str]) -> None:
    """The shortest that meets every operation."""
    invoke(stage, stage.event("Create"), written, secrets)
    invoke(stage, stage.event("Delete", physical_resource_id=stage.id()), written, secrets)


def lives(stage: KindStage, written: io.StringIO, secrets: list[str]) -> None:
    """What may happen to a resource: made twice, kept, replaced, misspelt, deleted twice, and answers that are lost."""
    part = stage.kind.parts[-1].name
    for event in (
        stage.event("Create"),
        stage.event("Create"),
        stage.event("Create", {}),
        stage.event("Create", StackId="x"),
        stage.event("Update", physical_resource_id=stage.id(), old_properties=stage.properties(), Revision="2"),
        stage.event(
            "Update",
            stage.properties(stage.values(part)),
            physical_resource_id=stage.id(),
            old_properties=stage.properties(),
        ),
        stage.event("Delete", physical_resource_id=stage.id(stage.values(part))),
        stage.event("Delete", physical_resource_id=stage.id()),
        stage.event("Delete", physical_resource_id=stage.id()),
    ):
        invoke(stage, event, written, secrets)
    with patch("aws_associations_lambda.responder._LONGEST_DELIVERY", 0.3):
        for status in (403, 503):
            stage.sink.refuse(status, 9)
            invoke(stage, stage.event("Create"), written, secrets)
            stage.sink.forgive()


def leaked(written: io.StringIO, secrets: list[str]) -> list[str]:
    """What of it can be read, and whatever looks like it."""
    text = written.getvalue()
    found = [secret for secret in secrets if secret in text]
    shapes = r"X-Amz-\w+|AWS4-HMAC-SHA256|Authorization|Signature=|AWSAccessKeyId|custom-resource-response-"
    return found + re.findall(shapes, text)


@kinds()
def test_lives_tell_nothing_secret(kind_stage: KindStage, secrets: list[str], written: io.StringIO) -> None:
    """With every logger at DEBUG nothing secret is printed, logged or answered, whatever fails in a life."""
    stage = kind_stage
    logging.getLogger("probe").debug("a line at DEBUG")
    lives(stage, written, secrets)
    operations = sorted(stage.kind.operations)
    for operation in operations:
        for fault in FAULTS:
            stage.control.add_fault(**fault, service=stage.kind.service, operation=operation, count=4)
            index._services._clients.clear()  # or credentials would be exchanged once, before any fault
            life(stage, written, secrets)
            stage.control.clear_faults()

    text = written.getvalue()
    assert leaked(written, secrets) == []
    assert "a line at DEBUG" in text
    assert '"event": "failed"' in text
    assert "AnswerNotDeliveredError" in text
    assert '"Status":"SUCCESS"' in text
    assert [operation for operation in operations if operation not in text] == []
    assert len(set(secrets)) > 50
