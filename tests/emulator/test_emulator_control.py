"""The control: state without calls, the clock, the journal, settings, and what it refuses."""

import subprocess
import sys
from typing import Any

import pytest
from moto import mock_aws

from finspace_emulator.control import ControlError, EmulatorControl
from tests.emulator.emulation import ENVIRONMENT, GROUP, USER, Emulator

PAIR = {"permissionGroupId": GROUP, "userId": USER}


def listed(finspace: Any) -> list[str]:
    """Return the user's groups with their status, as the API lists them."""
    groups = finspace.list_permission_groups_by_user(userId=USER, maxResults=100)["permissionGroups"]
    return [f"{group['permissionGroupId']} {group['membershipStatus']}" for group in groups]


def test_somebody_else_grants_and_revokes(emulator: Emulator, finspace: Any) -> None:
    """A grant or revocation by control is real, and no call in the journal."""
    emulator.control.clear_journal()
    assert emulator.control.grant(ENVIRONMENT, GROUP, USER) is True
    assert emulator.control.grant(ENVIRONMENT, GROUP, USER) is False
    assert emulator.control.journal() == []
    assert listed(finspace) == [f"{GROUP} ADDITION_SUCCESS"]

    assert emulator.control.revoke(ENVIRONMENT, GROUP, USER) is True
    assert emulator.control.revoke(ENVIRONMENT, GROUP, USER) is False
    assert listed(finspace) == []


def test_somebody_elses_change_can_be_in_progress(emulator: Emulator, finspace: Any) -> None:
    """in_progress_seconds puts a membership into either IN_PROGRESS status."""
    emulator.control.grant(ENVIRONMENT, GROUP, USER, in_progress_seconds=10)
    assert listed(finspace) == [f"{GROUP} ADDITION_IN_PROGRESS"]
    emulator.control.advance(10)
    emulator.control.revoke(ENVIRONMENT, GROUP, USER, in_progress_seconds=10)
    assert listed(finspace) == [f"{GROUP} REMOVAL_IN_PROGRESS"]


def test_memberships_tell_where_they_are(emulator: Emulator, finspace: Any) -> None:
    """The truth covers every environment, region and account, and one environment if asked."""
    finspace.associate_user_to_permission_group(**PAIR)
    elsewhere = EmulatorControl(emulator.url, region="eu-west-1", account_id="210987654321")
    elsewhere.add_user("env2", "u")
    elsewhere.add_permission_group("env2", "g")
    elsewhere.grant("env2", "g", "u")

    assert len(emulator.control.memberships()) == 2
    (membership,) = emulator.control.memberships("env2")
    assert (membership.account_id, membership.region) == ("210987654321", "eu-west-1")
    assert (membership.permission_group_id, membership.user_id, membership.membership_status) == (
        "g",
        "u",
        "ADDITION_SUCCESS",
    )


def test_removed_users_are_gone(emulator: Emulator, finspace: Any) -> None:
    """A removed user takes the memberships along, and a new one with the same id has none."""
    emulator.control.grant(ENVIRONMENT, GROUP, USER)
    emulator.control.remove_user(ENVIRONMENT, USER)
    assert emulator.control.memberships() == []
    emulator.control.add_user(ENVIRONMENT, USER, first_name="Ada", status="CREATING")
    assert listed(finspace) == []
    emulator.control.grant(ENVIRONMENT, GROUP, USER)
    (user,) = finspace.list_users_by_permission_group(permissionGroupId=GROUP, maxResults=5)["users"]
    assert (user["firstName"], user["status"]) == ("Ada", "CREATING")


def test_the_journal_tells_what_arrived(emulator: Emulator, finspace: Any) -> None:
    """An entry holds the operation, its input, its token, the caller, the time and the outcome."""
    emulator.control.clear_journal()
    emulator.control.advance(100)
    finspace.associate_user_to_permission_group(**PAIR, clientToken="t1")

    (entry,) = emulator.control.journal()
    assert entry.operation == "AssociateUserToPermissionGroup"
    assert entry.parameters == PAIR
    assert (entry.client_token, entry.caller, entry.environment_id) == ("t1", "finspace", ENVIRONMENT)
    assert entry.time == emulator.control.now()
    assert (entry.status, entry.error_code, entry.fault, entry.replayed, entry.finished) == (
        200,
        None,
        None,
        False,
        True,
    )
    assert entry.region == "us-east-1"


def test_the_journal_tells_what_was_refused(emulator: Emulator, finspace: Any) -> None:
    """A refused call is in the journal with its status and error code, and can be found by its operation."""
    with pytest.raises(finspace.exceptions.ResourceNotFoundException):
        finspace.list_permission_groups_by_user(userId="nobody", maxResults=3)
    (entry,) = emulator.control.journal("ListPermissionGroupsByUser")
    assert (entry.status, entry.error_code) == (404, "ResourceNotFoundException")
    assert entry.parameters == {"userId": "nobody", "maxResults": 3}
    assert emulator.control.journal("CreateUser") == []


def test_the_clock(emulator: Emulator) -> None:
    """A frozen clock moves only when told; a running one runs on from there and can be moved as well."""
    control = emulator.control
    stopped = control.now()
    assert control.now() == stopped
    control.advance(3600)
    assert control.now() == stopped + 3600
    control.unfreeze()
    running = control.now()
    assert stopped + 3600 <= running < stopped + 3660
    assert control.now() > running
    control.advance(3600)
    assert control.now() > running + 3600


def test_reset_forgets_everything(emulator: Emulator, finspace: Any) -> None:
    """One call empties state, journal and faults, restores settings and the clock, and moto's other services too."""
    control = emulator.control
    emulator.client(service="iam").create_role(RoleName="r", AssumeRolePolicyDocument="{}")
    defaults = control.settings()
    control.configure(duplicate_associate="succeed", page_size=3, addition_seconds=1.5)
    control.add_fault("throttled", operation="CreateUser")
    control.grant(ENVIRONMENT, GROUP, USER)
    control.advance(10**6)
    now = control.now()

    control.reset()

    assert control.settings() == defaults
    assert (control.journal(), control.faults(), control.memberships()) == ([], [], [])
    assert control.now() < now - 10**5
    assert emulator.client(service="iam").list_roles()["Roles"] == []
    with pytest.raises(finspace.exceptions.AccessDeniedException):
        finspace.list_permission_groups_by_user(userId=USER, maxResults=1)


def test_a_new_mock_is_a_new_service() -> None:
    """moto's own start and stop leave nothing behind."""
    control = EmulatorControl()
    with mock_aws():
        control.add_user(ENVIRONMENT, USER)
        control.add_permission_group(ENVIRONMENT, GROUP)
        control.grant(ENVIRONMENT, GROUP, USER)
        control.configure(page_size=7)
    assert control.memberships() == []
    with mock_aws():
        assert control.settings()["page_size"] is None
        with pytest.raises(ControlError, match="does not exist"):
            control.grant(ENVIRONMENT, GROUP, USER)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"duplicate_associat": "conflict"}, "'duplicate_associat' does not exist; there are duplicate_associate"),
        ({"duplicate_associate": "maybe"}, "must be one of conflict, succeed, not 'maybe'"),
        ({"addition_seconds": -1}, "0 or more"),
        ({"page_size": 0}, "from 1 to 100"),
        ({"implicit_environments": "no"}, "true or false"),
        ({"allowed_access_keys": "AKIA"}, "a list of access key ids"),
    ],
)
def test_wrong_settings_are_refused(emulator: Emulator, changes: Any, message: str) -> None:
    """A setting that does not exist, or a value it cannot have, is refused as a whole, with what it may be."""
    before = emulator.control.settings()
    with pytest.raises(ControlError, match=message):
        emulator.control.configure(removal_seconds=5, **changes)
    assert emulator.control.settings() == before


def test_wrong_faults_are_refused(emulator: Emulator) -> None:
    """A fault of an unknown kind, for an unknown operation or without a count is refused."""
    control: Any = emulator.control
    for arguments, message in (
        ({"kind": "fire"}, "kind is one of throttled"),
        ({"kind": "slow", "when": "never"}, "when is one of before, after"),
        ({"kind": "slow", "operation": "Associate"}, "there are AssociateUserToPermissionGroup"),
        ({"kind": "slow", "count": 0}, "at least 1"),
        ({"kind": "throttled", "when": "after"}, "only be before"),
    ):
        with pytest.raises(ControlError, match=message):
            control.add_fault(**arguments)
    assert control.faults() == []


def test_wrong_places_and_times_are_refused(emulator: Emulator) -> None:
    """A region without FinSpace, an unknown user and a clock that runs backwards are refused."""
    with pytest.raises(ControlError, match="not offered in 'eu-central-1'"):
        EmulatorControl(emulator.url, region="eu-central-1").add_user(ENVIRONMENT, USER)
    with pytest.raises(ControlError, match="nobody does not exist"):
        emulator.control.remove_user(ENVIRONMENT, "nobody")
    with pytest.raises(ControlError, match="only moves forward"):
        emulator.control.advance(-1)


def test_the_control_over_http_needs_no_moto() -> None:
    """A process that only controls an emulator elsewhere does not load moto or botocore."""
    code = (
        "import sys, finspace_emulator.control as c; c.EmulatorControl('http://127.0.0.1:1');"
        "assert not {'moto', 'botocore', 'werkzeug'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)
