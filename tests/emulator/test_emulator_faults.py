"""Faults on demand: what the client sees, what the service did, what the journal says."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from tests.emulator.emulation import GROUP, USER, Emulator, refused

PAIR = {"permissionGroupId": GROUP, "userId": USER}
ASSOCIATE = "AssociateUserToPermissionGroup"


def is_member(emulator: Emulator) -> bool:
    """Tell whether the user is in the group."""
    return bool(emulator.control.memberships())


def test_throttled(emulator: Emulator, finspace: Any) -> None:
    """A throttled call is a 429 that carries nothing and has no effect."""
    emulator.control.add_fault("throttled")
    answer = refused("ThrottlingException", lambda: finspace.associate_user_to_permission_group(**PAIR))
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 429
    assert answer["Error"]["Message"] == ""
    assert not is_member(emulator)
    assert emulator.control.journal(ASSOCIATE)[0].fault == "throttled:before"


@pytest.mark.parametrize(("when", "effect"), [("before", False), ("after", True)])
def test_internal_error(emulator: Emulator, finspace: Any, when: Any, effect: bool) -> None:
    """A failing call is a 500; whether it took effect first is up to the fault."""
    emulator.control.add_fault("internal_error", when=when)
    answer = refused("InternalServerException", lambda: finspace.associate_user_to_permission_group(**PAIR))
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 500
    assert is_member(emulator) is effect
    (entry,) = emulator.control.journal(ASSOCIATE)
    assert (entry.status, entry.error_code, entry.fault, entry.changed) == (
        500,
        "InternalServerException",
        f"internal_error:{when}",
        effect,
    )


@pytest.mark.parametrize(("when", "effect"), [("before", False), ("after", True)])
def test_cut_connection(emulator: Emulator, finspace: Any, when: Any, effect: bool) -> None:
    """A cut call gives the client a connection error and no answer; whether it took effect is up to the fault."""
    emulator.control.add_fault("cut", when=when)
    with pytest.raises(ConnectionClosedError):
        finspace.associate_user_to_permission_group(**PAIR)
    assert is_member(emulator) is effect
    (entry,) = emulator.control.journal(ASSOCIATE)
    assert (entry.status, entry.fault, entry.changed, entry.finished) == (None, f"cut:{when}", effect, True)


@pytest.mark.parametrize(("when", "early"), [("before", False), ("after", True)])
def test_slow(emulator: Emulator, finspace: Any, when: Any, early: bool) -> None:
    """A slow call waits before or after its effect, others do not wait for it, and its answer is the usual one."""
    emulator.control.add_fault("slow", operation=ASSOCIATE, when=when, seconds=0.4)
    with ThreadPoolExecutor(1) as pool:
        started = time.monotonic()
        call = pool.submit(finspace.associate_user_to_permission_group, **PAIR)
        deadline = started + 5
        while not (arrived := emulator.control.journal(ASSOCIATE)) and time.monotonic() < deadline:
            time.sleep(0.005)
        while early and not is_member(emulator) and time.monotonic() < deadline:
            time.sleep(0.005)
        groups = finspace.list_permission_groups_by_user(userId=USER, maxResults=5)["permissionGroups"]
        still_running = not call.done()
        answer = call.result()
    assert arrived
    assert still_running
    assert bool(groups) is early
    assert answer["statusCode"] == 200
    assert time.monotonic() - started >= 0.4
    assert is_member(emulator)


@pytest.mark.parametrize("when", ["before", "after"])
def test_any_answer(emulator: Emulator, finspace: Any, when: Any) -> None:
    """A decommissioned endpoint's answer, with a body that is not JSON, can be played until it is called off."""
    emulator.control.add_fault(
        "answer", when=when, count=None, status=403, body="<html>gone</html>", content_type="text/html"
    )
    for _ in range(2):
        with pytest.raises(ClientError) as caught:
            finspace.list_permission_groups_by_user(userId=USER, maxResults=5)
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
        assert caught.value.response["Error"]["Code"] == "403"
    emulator.control.clear_faults()
    finspace.list_permission_groups_by_user(userId=USER, maxResults=5)


def test_any_error_code(emulator: Emulator, finspace: Any) -> None:
    """A fault can answer an error of the API that the emulator has no cause for."""
    emulator.control.add_fault(
        "answer", status=400, error_code="LimitExceededException", body='{"message": "Too many users."}'
    )
    with pytest.raises(finspace.exceptions.LimitExceededException, match="Too many users"):
        finspace.create_user(emailAddress="a@example.com", type="APP_USER")


def test_faults_are_for_one_operation(emulator: Emulator, finspace: Any) -> None:
    """A fault for one operation leaves the others alone and waits for its own."""
    emulator.control.add_fault("throttled", operation=ASSOCIATE)
    finspace.list_permission_groups_by_user(userId=USER, maxResults=5)
    refused("ThrottlingException", lambda: finspace.associate_user_to_permission_group(**PAIR))
    finspace.associate_user_to_permission_group(**PAIR)


def test_faults_come_in_order(emulator: Emulator, finspace: Any) -> None:
    """Queued faults strike one after the other, each as often as told, after the calls it lets pass."""
    emulator.control.add_fault("throttled", skip=2, count=2)
    emulator.control.add_fault("internal_error")
    assert [fault["kind"] for fault in emulator.control.faults()] == ["throttled", "internal_error"]
    codes = []
    for _ in range(6):
        try:
            finspace.list_permission_groups_by_user(userId=USER, maxResults=5)
            codes.append("")
        except ClientError as error:
            codes.append(error.response["Error"]["Code"])
    assert codes == ["", "", "ThrottlingException", "ThrottlingException", "InternalServerException", ""]
    assert emulator.control.faults() == []


@pytest.mark.usefixtures("finspace")
def test_retries_are_attempts(emulator: Emulator) -> None:
    """An SDK's retry after a cut is an entry of its own, with the same token, and meets the remembered success."""
    client = emulator.finspace(attempts=2)
    emulator.control.clear_journal()
    emulator.control.add_fault("cut", when="after")

    assert client.associate_user_to_permission_group(**PAIR)["ResponseMetadata"]["RetryAttempts"] == 1

    first, second = emulator.control.journal()
    assert first.client_token == second.client_token is not None
    assert (first.status, first.changed, first.replayed) == (None, True, False)
    assert (second.status, second.changed, second.replayed) == (200, False, True)


def test_a_refused_call_can_meet_a_fault_too(emulator: Emulator, finspace: Any) -> None:
    """A fault after the effect hides an error as well: the client cannot tell."""
    emulator.control.add_fault("internal_error", when="after")
    refused("InternalServerException", lambda: finspace.disassociate_user_from_permission_group(**PAIR))
    assert emulator.control.journal()[-1].changed is False
