"""Kinds whose service has a token and rejects duplicates, or real states of failure, through the same lifecycle."""

from __future__ import annotations

import json
import os
from typing import Any

import botocore.session
import pytest

from association_emulator.control import EmulatorControl
from aws_associations.errors import AlreadyExists, AssociationError, NotFound, NotStabilized
from aws_associations.identity import AssociationId, Identity
from aws_associations.kind import Kind
from aws_associations.kinds.directory_group_membership import KIND as DIRECTORY_GROUP_MEMBERSHIP
from aws_associations.kinds.iot_billing_group_membership import KIND as BILLING_GROUP_MEMBERSHIP
from aws_associations.kinds.opensearch_package_association import KIND as PACKAGE_ASSOCIATION
from aws_associations.kinds.quicksight_group_membership import KIND as QUICKSIGHT_GROUP_MEMBERSHIP
from aws_associations.lifecycle import Desired, Granted, How, OnExisting, Removal
from tests.core.world import ACCOUNT, REGION, World

DIRECTORY, REALM, GROUP, MEMBER = "d-1234567890", "corp.example.com", "Admins", "alice"
DOMAIN, PACKAGE = "search", "F123456789"


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
        return self.world.lifecycle.delete(self.kind, AssociationId(self.identity).text, self.world.request(request))

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


def test_a_service_that_rejects_duplicates_is_looked_at_before_the_write_too(directory: Live) -> None:
    """Of a write without an answer the real id is answered: the Delete of it must not revoke what was there before."""
    assert directory.create().how is How.CREATED
    assert directory.calls() == ["ListGroupsForMember", "AddGroupMember", "ListGroupsForMember"]
    assert directory.delete() is Removal.REVOKED
    assert directory.control.directory.memberships() == []


def test_a_lost_answer_is_told_from_a_foreign_grant_by_the_token(directory: Live) -> None:
    """The request delivered again replays its token and knows its own; another request learns that it is not."""
    directory.create("request-1")

    assert directory.create("request-1").how is How.CREATED
    with pytest.raises(AlreadyExists):
        directory.create("request-2")
    assert len(directory.control.directory.memberships()) == 1


def test_a_foreign_grant_is_refused_or_adopted_without_a_doubt(directory: Live) -> None:
    """A conflict with a fresh token says "somebody else's": refused, nothing remains to be undone; or adopted."""
    directory.control.directory.grant(DIRECTORY, GROUP, MEMBER)

    with pytest.raises(AlreadyExists) as caught:
        directory.create()
    assert not caught.value.outcome_unknown
    assert directory.create(on_existing=OnExisting.ADOPT).id.adopted


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_write_that_was_never_answered_is_asked_for_again(directory: Live, when: Any) -> None:
    """Every attempt was cut: whether the grant that is there is ours, the service itself tells by the token."""
    directory.control.directory.grant(DIRECTORY, GROUP, MEMBER) if when == "before" else None
    directory.control.add_fault(
        "cut",
        service="ds-data",
        operation="AddGroupMember",
        when=when,
        count=5,
    )

    if when == "before":
        with pytest.raises(AlreadyExists) as caught:
            directory.create()
        assert not caught.value.outcome_unknown
    else:
        assert directory.create().how is How.CREATED


def test_a_replay_that_is_never_answered_leaves_the_outcome_unknown(directory: Live) -> None:
    """When nobody can tell whose it is, the host gets the real identity to clean up, not a guess."""
    directory.control.add_fault("cut", service="ds-data", operation="AddGroupMember", when="after", count=None)

    with pytest.raises(AssociationError) as caught:
        directory.create()

    assert caught.value.outcome_unknown


def test_names_compare_without_case(directory: Live) -> None:
    """Another spelling is the same association: an update keeps it, and its id text."""
    granted = directory.create()
    other = Identity.of(directory.kind, ACCOUNT, REGION, {**directory.values, "group_name": "ADMINS"})

    kept = directory.world.lifecycle.update(granted.id.text, Desired(other), directory.world.request(), heal=False)

    assert (kept.how, kept.id.text) == (How.KEPT, granted.id.text)


def test_deploying_and_destroying_for_a_day_grants_each_time(directory: Live) -> None:
    """Tokens live for eight hours and longer with every use; a new request never meets an old one's."""
    for hour in range(24):
        assert directory.create(f"create-{hour}").how is How.CREATED
        assert len(directory.control.directory.memberships()) == 1
        assert directory.delete(f"delete-{hour}") is Removal.REVOKED
        directory.world.clock.sleep(3600)


def test_a_failed_association_ends_the_wait_at_once(search: Live) -> None:
    """A state of failure is not waited out: the error has the service's details, the rollback the identity."""
    search.control.opensearch.configure(
        association_seconds=20, association_result="failed", error_message="The dictionary is empty"
    )
    request = search.world.request()
    begun = search.world.clock.now()

    with pytest.raises(NotStabilized, match=r"ASSOCIATION_FAILED.*The dictionary is empty") as caught:
        search.world.lifecycle.create(Desired(search.identity), request)

    assert caught.value.outcome_unknown
    assert request.may_exist == search.identity
    assert search.world.clock.now() - begun < 60
    assert search.delete() is Removal.REVOKED
    assert search.control.opensearch.associations() == []


def test_a_failed_dissociation_ends_the_wait_at_once(search: Live) -> None:
    """A removal that the service gives up is an error with its details."""
    search.create()
    search.control.opensearch.configure(
        dissociation_seconds=5, dissociation_result="failed", error_message="An index uses it"
    )

    with pytest.raises(NotStabilized, match=r"DISSOCIATION_FAILED.*An index uses it"):
        search.delete()


def test_minutes_are_waited_out(search: Live) -> None:
    """An association that takes minutes is granted when the service says so."""
    search.control.opensearch.configure(association_seconds=240)

    assert search.create().status == "ACTIVE"


def test_a_token_that_was_refused_is_never_ours(directory: Live) -> None:
    """Refused once, silent afterwards: what others granted is neither undone nor handed over for cleaning up."""
    directory.control.directory.grant(DIRECTORY, GROUP, MEMBER)
    directory.control.add_fault(
        "cut",
        service="ds-data",
        operation="AddGroupMember",
        skip=1,
        count=None,
    )
    request = directory.world.request()

    with pytest.raises(AlreadyExists) as caught:
        directory.world.lifecycle.create_or_undo(Desired(directory.identity), request)

    assert not caught.value.outcome_unknown
    assert request.may_exist is None
    assert len(directory.control.directory.memberships()) == 1


def test_an_old_refusal_says_nothing_of_a_later_write(directory: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused, then gone, then granted by a write that was never answered: unknown, and so left to be cleaned up."""
    directory.control.directory.grant(DIRECTORY, GROUP, MEMBER)
    slept = directory.world.clock.sleep
    gone: list[bool] = []

    def revoke_meanwhile(seconds: float) -> None:
        slept(seconds)
        if not gone:
            gone.append(directory.control.directory.revoke(DIRECTORY, GROUP, MEMBER))
            directory.control.add_fault("cut", service="ds-data", operation="AddGroupMember", when="after", count=None)

    monkeypatch.setattr(directory.world.clock, "sleep", revoke_meanwhile)

    with pytest.raises(AssociationError) as caught:
        directory.create()

    assert gone == [True]
    assert caught.value.outcome_unknown


@pytest.mark.parametrize("reason", ["DIRECTORY_TIMEOUT", "DIRECTORY_RESOURCES_EXCEEDED"])
def test_a_directory_that_fails_after_the_effect_granted_it(directory: Live, reason: str) -> None:
    """HTTP 400, but no refusal: what the answers say nothing about is seen, and told by the token that it is ours."""
    directory.control.add_fault(
        "error",
        service="ds-data",
        operation="AddGroupMember",
        when="after",
        error_code="DirectoryUnavailableException",
        members={"Reason": reason},
    )

    assert directory.create().how is How.CREATED
    assert len(directory.control.directory.memberships()) == 1


def test_a_directory_that_never_says_what_it_did_leaves_the_outcome_unknown(directory: Live) -> None:
    """Every attempt took effect or may have: the host gets the real identity to clean up, whatever the status was."""
    directory.control.add_fault(
        "error",
        service="ds-data",
        operation="AddGroupMember",
        when="after",
        count=None,
        error_code="DirectoryUnavailableException",
        members={"Reason": "DIRECTORY_TIMEOUT"},
    )
    request = directory.world.request()

    with pytest.raises(AssociationError) as caught:
        directory.world.lifecycle.create(Desired(directory.identity), request)

    assert caught.value.outcome_unknown
    assert request.may_exist == directory.identity


@pytest.mark.parametrize("answer", ["not_found", "conflict", "validation"])
def test_a_package_that_is_not_there_is_deleted_whatever_the_service_answers(search: Live, answer: Any) -> None:
    """Not documented: each of the published errors, for what is absent, is success."""
    search.control.opensearch.configure(dissociate_non_member=answer)

    assert search.delete() is Removal.ABSENT


def test_a_directory_that_refuses_leaves_nothing_to_clean_up(directory: Live) -> None:
    """A stopped directory refuses for a reason that no waiting mends: definite, a rollback has nothing to do."""
    directory.control.directory.set_unavailable(DIRECTORY, "INVALID_DIRECTORY_STATE")
    request = directory.world.request()

    with pytest.raises(AssociationError, match="INVALID_DIRECTORY_STATE") as caught:
        directory.world.lifecycle.create(Desired(directory.identity), request)

    assert not caught.value.outcome_unknown
    assert request.may_exist is None
    assert "AddGroupMember" not in directory.calls()


def test_a_failed_association_is_made_anew_when_a_user_asks(search: Live) -> None:
    """An update with another Revision removes what failed, and associates it again."""
    search.control.opensearch.configure(association_result="failed")
    with pytest.raises(NotStabilized):
        search.create()
    search.control.opensearch.configure(association_result="active")
    text = AssociationId(search.identity).text

    healed = search.world.lifecycle.update(text, Desired(search.identity), search.world.request(), heal=True)

    assert (healed.how, healed.status) == (How.KEPT, "ACTIVE")
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

    healed = search.world.lifecycle.update(text, Desired(search.identity), search.world.request(), heal=True)

    assert (healed.how, healed.status) == (How.KEPT, "ACTIVE")


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
