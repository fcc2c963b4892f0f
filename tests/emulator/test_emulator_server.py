"""The emulator as a program: one port for FinSpace, every other service and the control."""

import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest

from finspace_emulator.control import EmulatorControl
from finspace_emulator.server import EmulatorServer
from tests.emulator.emulation import ENVIRONMENT, GROUP, USER, Emulator


@pytest.fixture(scope="module")
def program() -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """The program, started, and the URL that it printed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "finspace_emulator", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip()
        process.kill()


def test_the_program_serves_on_loopback_and_stops(
    program: tuple["subprocess.Popen[str]", str], botocore_session: Any
) -> None:
    """Its first line is a loopback URL that serves at once; SIGTERM ends it with status 0 and nothing on stderr."""
    process, url = program
    assert urlsplit(url).hostname == "127.0.0.1"
    control = EmulatorControl(url)
    control.add_user(ENVIRONMENT, USER)
    control.add_permission_group(ENVIRONMENT, GROUP)
    emulator = Emulator(url, control, botocore_session)
    emulator.finspace().associate_user_to_permission_group(permissionGroupId=GROUP, userId=USER)
    control.add_fault("cut", operation="ListPermissionGroupsByUser")
    with pytest.raises(Exception, match="Connection was closed"):
        emulator.finspace().list_permission_groups_by_user(userId=USER, maxResults=1)
    assert len(control.memberships()) == 1

    process.send_signal(signal.SIGTERM)
    output, errors = process.communicate(timeout=10)
    assert (process.returncode, output, errors) == (0, "", "")


def test_the_port_serves_every_other_service(server: EmulatorServer, botocore_session: Any) -> None:
    """STS, IAM, IoT and Organizations answer on FinSpace's port."""
    emulator = Emulator(server.url, server.control, botocore_session)
    assert emulator.client(service="sts").get_caller_identity()["Account"] == "123456789012"
    assert emulator.client(service="iam").list_roles()["Roles"] == []
    assert emulator.client(service="iot").list_thing_groups()["thingGroups"] == []
    assert emulator.client(service="organizations").create_organization(FeatureSet="ALL")["Organization"]["Id"]


def test_the_accounts_of_iam_keys_are_kept_apart(server: EmulatorServer, botocore_session: Any) -> None:
    """Credentials that were exchanged with an assumed role's key belong to the role's account."""
    emulator = Emulator(server.url, server.control, botocore_session)
    emulator.control.reset()
    role = "arn:aws:iam::210987654321:role/Deploy"
    assumed = emulator.client(service="sts").assume_role(RoleArn=role, RoleSessionName="s")["Credentials"]
    caller = {name[0].lower() + name[1:]: assumed[name] for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")}
    issued = emulator.client(caller).get_programmatic_access_credentials(environmentId=ENVIRONMENT)["credentials"]
    finspace = emulator.client(issued)
    user = finspace.create_user(emailAddress="a@example.com", type="APP_USER")["userId"]
    group = finspace.create_permission_group(name="g", applicationPermissions=[])["permissionGroupId"]
    finspace.associate_user_to_permission_group(permissionGroupId=group, userId=user)
    assert [membership.account_id for membership in emulator.control.memberships()] == ["210987654321"]


def test_a_server_can_be_started_again() -> None:
    """A context manager for threads: it has a URL while it runs, then the port is free."""
    server = EmulatorServer()
    with server:
        address = urlsplit(server.url)
        assert server.control.settings()
    with pytest.raises(RuntimeError, match="not running"):
        _ = server.url
    with socket.socket() as probe:
        assert probe.connect_ex((address.hostname or "", address.port or 0)) != 0
    with server:
        assert server.control.settings()


def test_a_cut_closes_the_tcp_connection(server: EmulatorServer) -> None:
    """A cut answers not one byte, and at once."""
    server.control.reset()
    server.control.add_fault("cut")
    address = urlsplit(server.url)
    credential = "AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/finspace-api/aws4_request, Signature=x"
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=5) as connection:
        request = f"GET /user/u/permission-groups HTTP/1.1\r\nHost: h\r\nAuthorization: {credential}\r\n\r\n"
        connection.sendall(request.encode())
        assert connection.recv(1) == b""


def test_the_control_speaks_plain_json(server: EmulatorServer) -> None:
    """The control API answers JSON to plain HTTP, and tells what there is when asked for what there is not."""
    server.control.reset()

    def send(method: str, path: str, body: bytes | None = None) -> tuple[int, Any]:
        request = Request(f"{server.url}{path}", body, method=method)  # noqa: S310 - our own URL
        try:
            with urlopen(request, timeout=5) as response:  # noqa: S310
                return response.status, json.load(response)
        except HTTPError as error:
            with error:
                return error.code, json.load(error)

    assert send("GET", "/_finspace/memberships") == (200, [])
    assert send("PATCH", "/_finspace/settings", b'{"page_size": 3}')[1]["page_size"] == 3
    status, answer = send("GET", "/_finspace/nothing")
    assert status == 404
    assert "POST /_finspace/reset" in answer["message"]
    status, answer = send("POST", "/_finspace/memberships", b'{"environment_id": "e"}')
    assert (status, answer["message"]) == (
        400,
        "POST /_finspace/memberships needs 'permission_group_id' in its JSON body",
    )
    assert send("POST", "/_finspace/faults", b"{")[0] == 400
    assert send("POST", "/_finspace/users", b'{"environment_id": "e", "user_id": "u", "nam": "x"}')[0] == 400


def test_slow_calls_do_not_keep_the_server_from_stopping(botocore_session: Any) -> None:
    """stop() does not wait for a call that is still running."""
    server = EmulatorServer()
    server.start()
    control = server.control
    control.reset()
    control.add_fault("slow", seconds=0.6)
    emulator = Emulator(server.url, control, botocore_session)
    caller = threading.Thread(target=emulator.credentials)
    caller.start()
    while not control.journal():
        pass
    server.stop()
    assert caller.is_alive()
    caller.join()
