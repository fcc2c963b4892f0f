"""The CloudFormation engine."""

import io
import json
import os
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engines.certificate import Certificate
from engines.ministack import ACCOUNT, EngineMissing, Ministack, StackEvent
from engines.processes import ProgramFailed

HANDLER = """
import json, os, urllib.request

def handle(event, context):
    print(event["RequestType"], event.get("PhysicalResourceId"), os.environ["GREETING"], os.environ["TO_ALL"])
    name = event["ResourceProperties"]["Name"]
    answer = {
        "Status": "FAILED" if name == "bad" else "SUCCESS",
        "Reason": "bad is not a name",
        "PhysicalResourceId": "toy-" + name,
        "Data": {"Shout": name.upper()},
        **{member: event[member] for member in ("StackId", "RequestId", "LogicalResourceId")},
    }
    request = urllib.request.Request(event["ResponseURL"], json.dumps(answer).encode(), {"Content-Type": ""})
    request.method = "PUT"
    urllib.request.urlopen(request, timeout=5).close()
"""


def template() -> str:
    """Declare a function and a custom resource behind it."""
    resources: dict[str, Any] = {
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "FunctionName": "toy",
                "Runtime": "python3.13",
                "Handler": "toy.handle",
                "Role": f"arn:aws:iam::{ACCOUNT}:role/toy",
                "Code": {"S3Bucket": "code", "S3Key": "toy.zip"},
                "Environment": {"Variables": {"GREETING": "hello"}},
            },
        },
        "Toy": {
            "Type": "Custom::Toy",
            "Properties": {"ServiceToken": {"Fn::GetAtt": ["Function", "Arn"]}, "Name": {"Ref": "Name"}},
        },
    }
    return json.dumps(
        {
            "Parameters": {"Name": {"Type": "String"}},
            "Resources": resources,
            "Outputs": {"Shout": {"Value": {"Fn::GetAtt": ["Toy", "Shout"]}}},
        }
    )


@pytest.fixture(scope="module")
def ministack(certificate: Certificate) -> Iterator[Ministack]:
    """Start the engine with the toy's code in a bucket."""
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("toy.py", HANDLER)
    with Ministack(certificate=certificate, environment={"TO_ALL": "functions"}) as running:
        running.upload("code", "toy.zip", code.getvalue())
        yield running


def test_a_custom_resource_lives_through_its_stack(ministack: Ministack) -> None:
    """Create, nothing to do, replacement, roll-back and delete run the function and are told with their events."""
    seen: list[StackEvent] = []
    created = ministack.deploy("toys", template(), {"Name": "a"}, on_event=seen.append)
    assert (created.operation, created.status, created.outputs) == ("create", "CREATE_COMPLETE", {"Shout": "A"})
    assert created.events == tuple(seen)
    assert [event.time for event in seen] == sorted(event.time for event in seen)
    assert seen[-1].status == "CREATE_COMPLETE"

    again = ministack.deploy("toys", template(), {"Name": "a"})
    assert again.unchanged
    assert again.succeeded

    replaced = ministack.deploy("toys", template(), {"Name": "b"})
    assert (replaced.status, replaced.outputs) == ("UPDATE_COMPLETE", {"Shout": "B"})
    assert "CREATE_COMPLETE" not in replaced.story()

    rolled_back = ministack.deploy("toys", template(), {"Name": "bad"})
    assert rolled_back.status == "UPDATE_ROLLBACK_COMPLETE"
    assert not rolled_back.succeeded
    assert "Toy (Custom::Toy) UPDATE_FAILED: bad is not a name" in rolled_back.story()
    assert ministack.resources("toys")["Toy"] == "toy-b"

    deleted = ministack.delete("toys")
    assert deleted.status == "DELETE_COMPLETE"
    assert ministack.events(deleted.stack_id)[0] == seen[0]
    assert ministack.delete("toys").unchanged
    assert [line for line in ministack.function_logs("toy").splitlines() if "hello" in line] == [
        "Create None hello functions",
        "Update toy-a hello functions",
        "Delete toy-a hello functions",
        "Update toy-b hello functions",
        "Update toy-b hello functions",
        "Delete toy-b hello functions",
    ]


def test_a_function_without_invocations_has_no_logs(ministack: Ministack) -> None:
    """Asking for logs is no error before there are any."""
    assert ministack.function_logs("nobody") == ""


def test_a_client_speaks_for_the_account(ministack: Ministack) -> None:
    """Clients reach the engine over TLS, with credentials of the account that its ARNs show."""
    client = ministack.client("sts")
    assert client.get_caller_identity()["Account"] == ACCOUNT
    client.close()


def test_nothing_is_left_behind(certificate: Certificate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After an exception in the middle there is no process of the engine, and no file."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    pids: list[int] = []

    def break_off() -> None:
        with Ministack(certificate=certificate) as running:
            pids.append(running.pid)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        break_off()
    with pytest.raises(ProcessLookupError):
        os.killpg(pids[0], 0)
    assert list(tmp_path.iterdir()) == []


def test_it_says_how_to_install_it(tmp_path: Path) -> None:
    """Where there is no ministack, the error names the command that installs it."""
    with pytest.raises(EngineMissing, match="make setup"), Ministack(venv=tmp_path):
        pass


def test_a_failed_start_shows_why(certificate: Certificate) -> None:
    """When it ends at once, the error carries the end of its output."""
    broken = Certificate(certificate.certificate, certificate.certificate.parent / "missing.pem")
    with pytest.raises(ProgramFailed, match="output ends with"), Ministack(certificate=broken):
        pass
