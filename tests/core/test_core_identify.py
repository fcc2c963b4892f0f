"""What a user leaves out: fixed defaults, defaults that the service tells, the region of a global service."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from association_emulator.control import EmulatorControl
from aws_associations.errors import AccessDenied, InvalidRequest, NotFound, Throttling
from aws_associations.identity import AssociationId, Identity
from aws_associations.kinds.directory_group_membership import KIND as DIRECTORY_GROUP_MEMBERSHIP
from aws_associations.kinds.organizations_delegated_administrator import KIND as DELEGATED_ADMINISTRATOR
from tests.core.world import ACCOUNT, REGION, World

DIRECTORY, REALM, TRUSTED = "d-1234567890", "corp.example.com", "lab.example.org"
VALUES = {"directory_id": DIRECTORY, "group_name": "Admins", "member_name": "alice"}


@pytest.fixture
def control(inner: World) -> EmulatorControl:  # noqa: ARG001 - it makes the emulator
    """A directory with a group and a member, and a domain that it trusts."""
    control = EmulatorControl()
    control.directory.add_directory(DIRECTORY, domain=REALM)
    control.directory.trust(DIRECTORY, TRUSTED)
    control.directory.add_group(DIRECTORY, "Admins")
    control.directory.add_user(DIRECTORY, "alice")
    control.clear_journal()
    return control


def identify(
    world: World, values: Mapping[str, str] = VALUES, before: tuple[Identity, Mapping[str, str]] | None = None
) -> Identity:
    """Ask the core as a host does."""
    deadline = world.request().deadline
    kind = DIRECTORY_GROUP_MEMBERSHIP
    return world.lifecycle.identify(kind, ACCOUNT, REGION, values, deadline, world.host, before=before)


def test_a_default_that_the_service_tells_is_part_of_the_id(inner: World, control: EmulatorControl) -> None:
    """The directory's own realm, left out, is asked for once; written out in any spelling it is the same identity."""
    found = identify(inner)

    assert [entry.operation for entry in control.journal()] == ["ListGroupsForMember"]
    assert AssociationId(found).text.endswith(f"/{DIRECTORY}/{REALM}/Admins/alice")
    for spelling in (REALM, REALM.upper(), f"{REALM}."):
        assert identify(inner, {**VALUES, "member_realm": spelling}) == found
    assert identify(inner, {**VALUES, "member_realm": TRUSTED}) != found
    assert len(control.journal()) == 1


def test_an_update_does_not_ask_again(inner: World, control: EmulatorControl) -> None:
    """What was left out then and is left out now means the same, even if nobody could answer any more."""
    first = identify(inner)
    control.add_fault("throttled", service="ds-data", count=None)

    other = identify(inner, {**VALUES, "group_name": "Users"}, before=(first, VALUES))

    assert other["member_realm"] == REALM
    assert len(control.journal()) == 1


def test_an_update_asks_where_the_default_may_mean_something_else(inner: World, control: EmulatorControl) -> None:
    """Another directory has another realm, and a realm that was written out is not the default's."""
    control.directory.add_directory("d-0987654321", domain="other.example.com")
    control.directory.add_user("d-0987654321", "alice")
    trusted = {**VALUES, "member_realm": TRUSTED}
    elsewhere = {**VALUES, "directory_id": "d-0987654321"}

    assert identify(inner, elsewhere, before=(identify(inner), VALUES))["member_realm"] == "other.example.com"
    assert identify(inner, VALUES, before=(identify(inner, trusted), trusted))["member_realm"] == REALM


def test_a_question_is_asked_patiently(inner: World, control: EmulatorControl) -> None:
    """An earlier delivery may have granted it, and a rollback's reverse must not fail for a passing reason."""
    trusted = {**VALUES, "member_realm": TRUSTED}
    before = (identify(inner, trusted), trusted)
    control.add_fault("throttled", service="ds-data", count=12)

    assert identify(inner, VALUES, before=before)["member_realm"] == REALM
    control.add_fault("throttled", service="ds-data", count=12)
    assert identify(inner)["member_realm"] == REALM
    control.add_fault("throttled", service="ds-data", count=None)
    with pytest.raises(Throttling):
        identify(inner)


def test_the_reverse_of_an_update_that_failed_stays_what_it_was(inner: World, control: EmulatorControl) -> None:
    """Another realm was not granted, and the member is gone: what is still there is kept, without an answer."""
    written = {**VALUES, "member_realm": TRUSTED}
    before = (identify(inner), written)
    control.directory.remove(DIRECTORY, "alice")

    assert identify(inner, VALUES, before=before) == before[0]
    assert inner.host.warnings == ["default-not-told"]
    with pytest.raises(NotFound):
        identify(inner, {**VALUES, "group_name": "Users"}, before=before)


def test_a_realm_that_was_granted_is_not_taken_for_the_default(inner: World, control: EmulatorControl) -> None:
    """It was written out and granted, is left out now, and nobody tells what that means: an error, never a guess."""
    written = {**VALUES, "member_realm": TRUSTED}
    before = (identify(inner, written), written)
    control.directory.set_data_access(DIRECTORY, enabled=False)

    with pytest.raises(AccessDenied):
        identify(inner, VALUES, before=before)
    assert inner.host.warnings == []


def test_a_default_that_cannot_be_told_says_what_to_do(inner: World, control: EmulatorControl) -> None:
    """No such member, no data access: the cause, what was being read, and nothing that anybody would have to undo."""
    with pytest.raises(
        NotFound, match="reading the defaults of directory group membership its member_name 'bob'"
    ) as caught:
        identify(inner, {**VALUES, "member_name": "bob"})
    assert not caught.value.outcome_unknown
    control.directory.set_data_access(DIRECTORY, enabled=False)
    with pytest.raises(AccessDenied, match="aws ds enable-directory-data-access"):
        identify(inner)


def test_a_global_service_has_one_region_in_a_partition(inner: World) -> None:
    """The same registration, declared from anywhere, has one id: that of the region that the endpoint signs for."""
    values = {"service_principal": "guardduty.amazonaws.com", "account_id": "210987654321"}
    deadline = inner.request().deadline
    regions = {
        seen: inner.lifecycle.identify(DELEGATED_ADMINISTRATOR, ACCOUNT, seen, values, deadline, inner.host).region
        for seen in ("eu-west-1", "us-east-1", "cn-north-1", "us-gov-west-1", "us-gov-east-1")
    }

    assert regions == {
        "eu-west-1": "us-east-1",
        "us-east-1": "us-east-1",
        "cn-north-1": "cn-northwest-1",
        "us-gov-west-1": "us-gov-west-1",
        "us-gov-east-1": "us-gov-west-1",
    }


def test_what_can_never_be_named_is_refused_before_anything_is_asked(inner: World, control: EmulatorControl) -> None:
    """An id over 1024 bytes, or a value that a URL cannot carry, costs no call."""
    for name in ("..", "é" * 200):
        with pytest.raises(InvalidRequest):
            identify(inner, {**VALUES, "member_name": name})
    assert control.journal() == []
