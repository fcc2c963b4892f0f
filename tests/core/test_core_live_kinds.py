"""Kinds whose service has a token and rejects duplicates, or real states of failure, through the same lifecycle."""

from __future__ import annotations

import json
import os
from typing import Any

import botocore.session
import pytest

from association_emulator.control import EmulatorControl
from aws_associations.errors import (
    AccessDenied,
    AlreadyExists,
    AssociationError,
    InternalFailure,
    NotFound,
    NotStabilized,
    ServiceUnavailable,
)
from aws_associations.identity import AssociationId, Identity, marker
from aws_associations.kind import Kind
from aws_associations.kinds.directory_group_membership import KIND as DIRECTORY_GROUP_MEMBERSHIP
from aws_associations.kinds.iot_billing_group_membership import KIND as BILLING_GROUP_MEMBERSHIP
from aws_associations.kinds.opensearch_package_association import KIND as PACKAGE_ASSOCIATION
from aws_associations.kinds.quicksight_group_membership import KIND as QUICKSIGHT_GROUP_MEMBERSHIP
from aws_associations.lifecycle import Desired, Granted, How, OnExisting, Removal
from aws_associations.records import HoldState
from aws_associations.waiting import Deadline
from tests.core.world import ACCOUNT, REGION, World

DIRECTORY, REALM, GROUP, MEMBER = "d-1234567890", "corp.example.com", "Admins", "alice"
DOMAIN, PACKAGE = "search", "F123456789"
ADD, LIST = "AddGroupMember", "ListGroupsForMember"


class Live:
    """One association of a kind that the emulator serves."""

    def __init__(self, world: World, kind: Kind, values: dict[str, str]) -> None:
        self.world = world
        self.kind = kind
        self.values = values
        # The same emulator as FinSpace's, by its control of every service; without a URL it is in this process.
        self.control = EmulatorControl(os.environ.get("AWS_ENDPOINT_URL"))
        self.identity = Identity.of(kind, ACCOUNT, REGION, values)

    def create(self, request: str | None = None, on_existing: OnExisting = OnExisting.FAIL, **values: str) -> Granted:
        identity = Identity.of(self.kind, ACCOUNT, REGION, {**self.values, **values})
        return self.world.lifecycle.create(Desired(identity, on_existing), self.world.request(request))

    def delete(self, request: str | None = None) -> Removal:
        physical_id = AssociationId(self.identity).text
        return self.world.lifecycle.delete(self.kind, self.world.request(request, physical_id=physical_id))

    def calls(self) -> list[str | None]:
        return [entry.operation for entry in self.control.journal()]


@pytest.fixture
def directory(world: World) -> Live:
    """A managed directory with a group and two members to be."""
    live = Live(
        world,
        DIRECTORY_GROUP_MEMBERSHIP,
        {"directory_id": DIRECTORY, "member_realm": REALM, "group_name": GROUP, "member_name": MEMBER},
    )
    live.control.directory.add_directory(DIRECTORY)
    live.control.directory.add_group(DIRECTORY, GROUP)
    live.control.directory.add_user(DIRECTORY, MEMBER)
    live.control.clear_journal()
    return live


@pytest.fixture
def search(world: World) -> Live:
    """A domain and a package."""
    live = Live(world, PACKAGE_ASSOCIATION, {"domain_name": DOMAIN, "package_id": PACKAGE})
    live.control.opensearch.add_domain(DOMAIN)
    live.control.opensearch.add_package(PACKAGE)
    live.control.clear_journal()
    return live


def leave_unknown(directory: Live, when: Any) -> None:
    """A create whose associate was never answered, and after which nothing could be seen."""
    directory.control.add_fault("cut", service="ds-data", operation=ADD, when=when, count=5)
    directory.control.add_fault(
        "error", service="ds-data", operation=LIST, error_code="AccessDeniedException", status=403, skip=1
    )
    with pytest.raises(AssociationError) as caught:
        directory.create()
    assert caught.value.outcome_unknown
    assert directory.world.holds() == {AssociationId(directory.identity).text: HoldState.PENDING}


@pytest.mark.parametrize("when", ["before", "after"])
def test_the_next_create_asks_by_the_token_whose_grant_it_is(directory: Live, when: Any) -> None:
    """The associate arrived: ours, and taken. It did not, and somebody granted it since: refused, nothing is kept."""
    leave_unknown(directory, when)
    if when == "before":
        directory.control.directory.grant(DIRECTORY, GROUP, MEMBER)
        with pytest.raises(AlreadyExists):
            directory.create()
        assert directory.world.holds() == {}
    else:
        assert directory.create().how is How.CREATED
    assert len(directory.control.directory.memberships()) == 1


@pytest.mark.parametrize("when", ["before", "after"])
def test_the_rollback_asks_by_the_token_whose_grant_it_is(directory: Live, when: Any) -> None:
    """What the failed create granted is revoked; what somebody granted since is not."""
    leave_unknown(directory, when)
    if when == "before":
        directory.control.directory.grant(DIRECTORY, GROUP, MEMBER)

    directory.world.lifecycle.delete(directory.kind, directory.world.request(physical_id=marker("Membership")))

    assert len(directory.control.directory.memberships()) == (1 if when == "before" else 0)
    assert directory.world.holds() == {}


def test_a_token_near_the_end_of_its_window_proves_nothing(directory: Live) -> None:
    """Replayed too late it would grant: what is there counts as granted by the failed create."""
    leave_unknown(directory, "after")
    token = directory.kind.token
    assert token is not None
    directory.world.clock.sleep(token.window.total_seconds() - 1800)

    assert directory.create().how is How.CREATED
    assert directory.calls().count(ADD) == 5


def test_a_replay_that_is_not_answered_leaves_the_claim_pending(directory: Live) -> None:
    """Nobody can tell whose it is now; the next request asks again."""
    leave_unknown(directory, "after")
    directory.control.add_fault("cut", service="ds-data", operation=ADD, count=5)

    with pytest.raises(AssociationError):
        directory.create()
    assert list(directory.world.holds()) == [AssociationId(directory.identity).text]
    assert directory.create().how is How.CREATED


def test_a_replay_that_is_never_answered_leaves_the_outcome_unknown(directory: Live) -> None:
    """Nobody can tell whose it is: the ledger keeps what may remain, and nothing is guessed."""
    directory.control.add_fault("cut", service="ds-data", operation=ADD, when="after", count=None)

    with pytest.raises(AssociationError) as caught:
        directory.create()

    assert caught.value.outcome_unknown


@pytest.mark.parametrize("reason", ["DIRECTORY_TIMEOUT", "DIRECTORY_RESOURCES_EXCEEDED"])
def test_a_directory_that_fails_after_the_effect_granted_it(directory: Live, reason: str) -> None:
    """HTTP 400, but no refusal: what the answers say nothing about is seen, and told by the token that it is ours."""
    directory.control.add_fault(
        "error",
        service="ds-data",
        operation=ADD,
        when="after",
        error_code="DirectoryUnavailableException",
        members={"Reason": reason},
    )

    assert directory.create().how is How.CREATED
    assert len(directory.control.directory.memberships()) == 1


def test_a_directory_that_refuses_leaves_nothing_to_clean_up(directory: Live) -> None:
    """A stopped directory refuses for a reason that no waiting mends: definite, a rollback has nothing to do."""
    directory.control.directory.set_unavailable(DIRECTORY, "INVALID_DIRECTORY_STATE")
    request = directory.world.request()

    with pytest.raises(AssociationError, match="INVALID_DIRECTORY_STATE") as caught:
        directory.world.lifecycle.create(Desired(directory.identity), request)

    assert not caught.value.outcome_unknown
    assert directory.world.holds() == {}
    assert ADD not in directory.calls()


def test_a_failed_association_is_made_anew_when_a_user_asks(search: Live) -> None:
    """An update with another Revision removes what failed, and associates it again."""
    search.control.opensearch.configure(association_result="failed")
    with pytest.raises(NotStabilized):
        search.create()
    search.control.opensearch.configure(association_result="active")
    text = AssociationId(search.identity).text

    request = search.world.request(physical_id=text)
    healed = search.world.lifecycle.update(Desired(search.identity), request, heal=True)

    assert (healed.how, healed.status) == (How.CREATED, "ACTIVE")
    assert "DissociatePackage" in search.calls()


def test_a_thing_that_others_moved_is_left_where_it_is(inner: World) -> None:
    """Deleting a membership in a billing group that the thing has left sends no removal at all."""
    iot = botocore.session.Session().create_client("iot", region_name=REGION)
    iot.create_thing(thingName="meter")
    for group in ("cheap", "cheaper"):
        iot.create_billing_group(billingGroupName=group)
    iot.add_thing_to_billing_group(billingGroupName="cheaper", thingName="meter")
    live = Live(inner, BILLING_GROUP_MEMBERSHIP, {"billing_group_name": "cheap", "thing_name": "meter"})
    live.control.clear_journal()

    assert live.delete() is Removal.ABSENT
    assert live.calls() == ["DescribeThing"]
    assert iot.describe_thing(thingName="meter")["billingGroupName"] == "cheaper"


def test_a_failed_removal_that_is_still_shown_does_not_end_the_next_one(search: Live) -> None:
    """The list lags: what it says of the removal before is no answer to this one."""
    text = search.create().id.text
    search.control.opensearch.configure(dissociation_result="failed")
    with pytest.raises(NotStabilized, match="DISSOCIATION_FAILED"):
        search.delete()
    search.control.opensearch.configure(dissociation_result="dissociated")
    old = {"DomainPackageDetailsList": [{"PackageID": PACKAGE, "DomainPackageStatus": "DISSOCIATION_FAILED"}]}
    search.control.add_fault(
        "answer", service="opensearch", operation="ListPackagesForDomain", skip=1, status=200, body=json.dumps(old)
    )

    request = search.world.request(physical_id=text)
    healed = search.world.lifecycle.update(Desired(search.identity), request, heal=True)

    assert (healed.how, healed.status) == (How.CREATED, "ACTIVE")


@pytest.mark.parametrize(("missing", "told"), [("group_name", "GROUP"), ("member_name", "USER")])
def test_an_absent_party_is_told_from_an_absent_membership(inner: World, missing: str, told: str) -> None:
    """Where the service names the type of what it does not find, so does the error; a read finds nothing either way."""
    quicksight = botocore.session.Session().create_client("quicksight", region_name=REGION)
    place = {"AwsAccountId": ACCOUNT, "Namespace": "default"}
    quicksight.create_group(GroupName="analysts", **place)
    quicksight.register_user(
        IdentityType="QUICKSIGHT", Email="a@example.com", UserRole="READER", UserName="alice", **place
    )
    values = {"namespace": "default", "group_name": "analysts", "member_name": "alice", missing: "nobody"}
    live = Live(inner, QUICKSIGHT_GROUP_MEMBERSHIP, values)
    inner.control.clear_journal()

    assert inner.lifecycle.read(live.identity, inner.request()) is None
    with pytest.raises(NotFound, match=rf"CreateGroupMembership answered ResourceNotFoundException.*\({told}\)"):
        live.create()


def refuse_removals(search: Live, count: int | None) -> None:
    """OpenSearch refuses to dissociate."""
    search.control.add_fault(
        "error", service="opensearch", operation="DissociatePackage", error_code="ConflictException", count=count
    )


@pytest.mark.parametrize("busy", [True, False])
def test_a_failed_one_that_the_service_keeps_is_left_with_a_warning(search: Live, busy: bool) -> None:
    """It was never granted, and its stack must be deletable; a service that is only busy gets the time to end it."""
    search.control.opensearch.configure(association_result="failed")
    with pytest.raises(NotStabilized):
        search.create()
    refuse_removals(search, 2 if busy else None)

    assert search.delete() is (Removal.REVOKED if busy else Removal.ABSENT)
    assert search.world.host.warnings == ([] if busy else ["failed-one-left"])
    assert bool(search.control.opensearch.associations()) is not busy


def test_a_granted_one_that_the_service_keeps_fails_the_delete(search: Live) -> None:
    """Whoever has it could use it: that is no success, and the claim stays."""
    search.create()
    refuse_removals(search, None)

    with pytest.raises(AssociationError, match="ConflictException"):
        search.delete()
    assert list(search.world.holds()) == [AssociationId(search.identity).text]


def test_a_failed_one_is_not_adopted(search: Live) -> None:
    """Adopting takes what is granted: a failed association is an error that says how to go on."""
    search.control.opensearch.configure(association_result="failed")
    with pytest.raises(NotStabilized):
        search.create()
    search.world.lose_ledger()

    with pytest.raises(NotStabilized, match="ASSOCIATION_FAILED"):
        search.create(on_existing=OnExisting.ADOPT)


def test_a_refusal_after_a_failure_with_400_is_unknown(directory: Live) -> None:
    """The first attempt failed after its effect with a 400, the second is denied: the first may have granted it."""
    directory.control.add_fault(
        "error",
        service="ds-data",
        operation=ADD,
        error_code="DirectoryUnavailableException",
        members={"Reason": "DIRECTORY_TIMEOUT"},
    )
    directory.control.add_fault(
        "answer", service="ds-data", operation=ADD, status=403, error_code="AccessDeniedException", count=9
    )

    with pytest.raises(AccessDenied) as caught:
        directory.create()

    assert caught.value.outcome_unknown


@pytest.mark.parametrize("answered", [True, False])
def test_a_default_that_is_not_told_leaves_nothing_and_is_no_guess(directory: Live, answered: bool) -> None:
    """A question writes nothing, and an answer without the value is no part of an id."""
    fault: dict[str, Any] = {"kind": "answer", "status": 200, "body": "{}"} if answered else {"kind": "cut"}
    directory.control.add_fault(service="ds-data", operation=LIST, count=None, **fault)
    given = {name: value for name, value in directory.values.items() if name != "member_realm"}

    world = directory.world

    with pytest.raises(InternalFailure if answered else ServiceUnavailable) as caught:
        world.lifecycle.identify(directory.kind, ACCOUNT, REGION, given, Deadline(world.clock, 60), world.host)

    assert not caught.value.outcome_unknown
