"""What Pulumi keeps and shows of a resource's life holds no credential: its state, its errors, its host's output."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from aws_associations.kind import Kind
from engines.pulumi_host import HostError, PulumiHost
from finspace_emulator.service import service
from tests.provider.declared import aws_environment
from tests.provider.kinds import Declared, every_kind, provider_of

SECRET_KEY = "c4llers/S3cretAccessKey+0123456789"
SESSION_TOKEN = "FwoGZXIvYXdzEXAMPLEc4llersSessionToken=="

# Python's own switch for what runs before a program: the provider's process logs whatever anybody logs.
_TALKATIVE = """
import logging, sys
logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)
logging.getLogger("probe").debug("a line at DEBUG")
"""


def _wrong_signature(code: str) -> dict[str, Any]:
    quoted = f"The Canonical String should have been 'GET x-amz-security-token:{SESSION_TOKEN}'"
    body = json.dumps({"__type": code, "message": quoted})
    return {"kind": "answer", "status": 403, "error_code": code, "body": body}


FAULTS: list[dict[str, Any]] = [
    {"kind": "throttled"},
    {"kind": "internal_error"},
    {"kind": "cut"},
    _wrong_signature("SignatureDoesNotMatch"),
    _wrong_signature("InvalidSignatureException"),
]


@pytest.mark.parametrize("debug", [False, True], ids=["as it is", "at DEBUG"])
@every_kind
def test_a_life_tells_nothing_secret(kind: Kind, emulated: str, tmp_path: Path, debug: bool) -> None:
    """Created, read, refused, failed, deleted: no key, token or signature is stored, shown or logged at any level."""
    environment = {
        **aws_environment(emulated),
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_SESSION_TOKEN": SESSION_TOKEN,
        "AWS_MAX_ATTEMPTS": "1",
    }
    if debug:
        (tmp_path / "sitecustomize.py").write_text(_TALKATIVE)
        environment["PYTHONPATH"] = str(tmp_path)
    told: list[str] = []
    with PulumiHost(provider_of(kind), environment=environment) as host:
        it = Declared(kind, host)

        def attempt(**changes: Any) -> None:
            try:
                created = it.create(timeout_seconds=120, **changes)
                told.append(f"{created}{it.read(created)}")
                it.delete(created)
            except HostError as error:
                told.extend((str(error), error.message, error.details))

        attempt()
        it.scenery.grant(it.scenery.values)
        attempt()
        it.scenery.revoke(it.scenery.values)
        for operation in sorted(kind.operations):
            for fault in FAULTS:
                it.control.add_fault(**fault, service=kind.service, operation=operation, count=2)
                attempt()
                it.control.clear_faults()
        told.append(host.output)

    text = "\n".join(told)
    issued = [
        secret for given in service.credentials.values() for secret in (given.secret_access_key, given.session_token)
    ]
    assert [secret for secret in (SECRET_KEY, SESSION_TOKEN, *issued) if secret in text] == []
    assert re.findall(r"X-Amz-\w+|AWS4-HMAC-SHA256|Authorization|Signature=", text) == []
    assert ("a line at DEBUG" in text) == debug
    assert "SignatureDoesNotMatch" in text
    assert bool(issued) == bool(kind.exchange)
