"""The two records: what a request may do by them, and what they say afterwards."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws_associations.identity import Identity
from aws_associations.kinds.directory_group_membership import KIND as DIRECTORY_GROUP_MEMBERSHIP
from aws_associations.ledger import Record
from aws_associations.records import (
    TOMBSTONE_SECONDS,
    Admission,
    Asked,
    Association,
    Basis,
    Claim,
    ClaimState,
    Hold,
    HoldState,
    Main,
    Owner,
    RequestType,
    Resource,
    association_key,
    resource_key,
)
from tests.core.world import World

GRANT, DROP = RequestType.GRANT, RequestType.DROP
ANSWER = {"id": "x"}

names = st.text(max_size=8)
moments = st.floats(0, 4e9)
holds = st.builds(Hold, st.text(min_size=1, max_size=8), st.sampled_from(HoldState), names, moments, moments, names)
claims = st.builds(Claim, st.sampled_from(ClaimState), names, moments, names)
answers = st.dictionaries(names, names, max_size=2)
mains = st.builds(Main, st.text(min_size=1, max_size=8), moments, st.none() | answers, st.booleans())
resources = st.builds(
    Resource,
    st.none() | mains,
    st.dictionaries(names, st.none() | answers, max_size=3),
    st.lists(names, max_size=3).map(tuple),
    moments,
    st.dictionaries(names, holds, max_size=3),
    st.lists(names, max_size=3).map(tuple),
)
claimed = st.dictionaries(names, claims, min_size=1, max_size=3)
asked = st.builds(Asked, st.text(min_size=1, max_size=8), names, moments)
associations = st.builds(Association, claimed, st.none() | st.sampled_from(Basis), st.none() | asked, names, moments)


def granted(request: str = "r1", signed: float = 10.0, **fields: Any) -> Resource:
    """A resource whose newest request was answered."""
    return replace(Resource().opened(GRANT, request, signed, ""), **fields).answered(request, ANSWER)


def held(state: HoldState) -> Resource:
    """A resource with one claim."""
    return granted().holding("k", Hold("id", state, "r1"))


# -- as JSON ----------------------------------------------------------------------------------------------------------


@given(resource=resources)
def test_a_resource_is_read_back_from_json(resource: Resource) -> None:
    """Whatever it says, nothing is lost."""
    assert Resource.of(json.loads(json.dumps(resource.content))) == resource


@given(association=associations)
def test_an_association_is_read_back_from_json(association: Association) -> None:
    """Whatever it says, nothing is lost."""
    assert Association.of(json.loads(json.dumps(association.content))) == association


def test_an_association_that_nobody_claims_or_works_on_is_not_stored() -> None:
    """Nothing to remember: empty content, and an empty record says the same."""
    assert Association().content == {}
    assert Association.of({}) == Association()
    assert Association().leased("me", 5.0).content != {}


parts = st.text(max_size=5)


@given(
    host=st.sampled_from(["cloudformation", "pulumi"]),
    stack=st.lists(parts, min_size=1, max_size=3),
    name=st.lists(parts, min_size=2, max_size=2),
    created_by=st.text(min_size=1, max_size=5),
)
def test_an_owner_is_read_back_from_its_key(host: str, stack: list[str], name: list[str], created_by: str) -> None:
    """Whatever its names hold: slashes and bars too."""
    pulumi = host == "pulumi"
    owner = Owner(host, tuple(stack), tuple(name if pulumi else name[:1]), created_by if pulumi else "")

    assert Owner.parse(owner.key) == owner
    assert resource_key(owner) == f"resource/{owner.key}"


@given(st.lists(st.builds(Owner, parts, st.tuples(parts, parts), st.tuples(parts), st.just("")), max_size=4))
def test_two_owners_have_two_keys(owners: list[Owner]) -> None:
    """The borders between names count."""
    assert len({owner.key for owner in owners}) == len({*owners})


def test_an_association_has_one_key_for_all_spellings() -> None:
    """What the service compares without case has one record."""
    values = {
        "directory_id": "d-1",
        "member_realm": "corp.example.com",
        "group_name": "Admins",
        "member_name": "al/ice",
    }
    one, other = (
        Identity.of(DIRECTORY_GROUP_MEMBERSHIP, "123456789012", "us-east-1", each)
        for each in (values, {**values, "group_name": "ADMINS", "member_realm": "CORP.example.com."})
    )

    assert association_key(one) == association_key(other)
    assert association_key(one) == (
        "association/directory-group-membership/123456789012/us-east-1/d-1/corp.example.com/admins/al%2Fice"
    )


# -- admission --------------------------------------------------------------------------------------------------------

opened = Resource().opened(GRANT, "r1", 10.0, "")
deleting = granted().opened(DROP, "d1", 20.0, "x")


@pytest.mark.parametrize(
    ("resource", "type_", "request_id", "signed", "admission"),
    [
        (Resource(), GRANT, "r1", 10.0, Admission.SERVE),
        (Resource(), DROP, "d1", 10.0, Admission.SERVE),
        (opened, GRANT, "r1", 10.0, Admission.SERVE),
        (granted(), GRANT, "r1", 10.0, Admission.REPEAT),
        (granted(), GRANT, "r2", 9.0, Admission.REFUSE),
        (granted(), GRANT, "r2", 10.9, Admission.SERVE),
        (granted(signed=10.9), GRANT, "r2", 10.1, Admission.SERVE),
        (granted().opened(GRANT, "r2", 10.0, "x"), GRANT, "r1", 10.0, Admission.REFUSE),
        (opened.opened(DROP, "d1", 20.0, ""), GRANT, "r1", 10.0, Admission.REFUSE),
        (deleting, GRANT, "r1", 10.0, Admission.REPEAT),
        (deleting, GRANT, "r2", 19.0, Admission.REFUSE),
        (deleting, GRANT, "r2", 20.0, Admission.SERVE),
        (deleting, DROP, "d1", 20.0, Admission.SERVE),
        (deleting, DROP, "d2", 19.0, Admission.SERVE),
        (deleting.answered("d1", ANSWER), DROP, "d1", 20.0, Admission.REPEAT),
        (granted(signed=30.0), DROP, "d1", 20.0, Admission.REFUSE),
    ],
    ids=[
        "the first create",
        "a delete of what is not known",
        "delivered again",
        "answered already",
        "signed before the newest",
        "in the same second the later arrival is newer",
        "whole seconds are compared",
        "replaced by a newer one",
        "given up by a delete",
        "answered, then deleted",
        "signed before the delete",
        "as new as the delete",
        "a delete delivered again",
        "deletes do not fence each other",
        "a delete answered already",
        "a delete from before the newest create",
    ],
)
def test_a_request_is_served_repeated_or_refused(
    resource: Resource, type_: RequestType, request_id: str, signed: float, admission: Admission
) -> None:
    """Answered: the same answer. Not what the host waits for any more: refused. Anything else is served."""
    assert resource.admission(type_, request_id, signed) is admission


def test_a_delete_fences_the_create_and_not_another_delete() -> None:
    """A clean-up deletes several ids at once; what it gave up must write nothing more."""
    two = opened.opened(DROP, "d1", 20.0, "").opened(DROP, "d2", 20.0, "")

    assert not two.may_write("r1")
    assert two.may_write("d1")
    assert two.may_write("d2")


def test_a_newer_request_ends_what_the_older_one_may_write() -> None:
    """One resource has one newest Create or Update."""
    assert not opened.opened(GRANT, "r2", 11.0, "").may_write("r1")


@given(resource=resources, type_=st.sampled_from(RequestType), request_id=st.just("new"), signed=moments)
def test_a_request_that_was_opened_may_write_and_opening_it_again_changes_nothing(
    resource: Resource, type_: RequestType, request_id: str, signed: float
) -> None:
    """Two deliveries of one request open it once."""
    once = resource.opened(type_, request_id, signed, "id")

    assert once.may_write(request_id)
    assert once.opened(type_, request_id, signed, "id") == once


def test_a_resource_remembers_a_limited_past() -> None:
    """Its record stays small, however often it is deployed, and has the newest Deletes of any name."""
    resource = Resource()
    for number in range(200):
        resource = resource.opened(GRANT, f"r{number}", float(number), "").answered(f"r{number}", ANSWER)
        resource = resource.holding("k", Hold(f"id{number}", HoldState.HELD))
        resource = resource.opened(DROP, f"d{-number}", float(number), "").answered(f"d{-number}", ANSWER).without("k")
        resource = Resource.of(json.loads(Record("key", content=resource.content).text))

    assert len(json.dumps(resource.content)) < 5000
    assert all(resource.answer_to(f"d{-number}") == ANSWER for number in range(180, 200))
    assert all(resource.knows(f"id{number}") for number in range(180, 200))


# -- marks ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "named", "marked"),
    [
        (HoldState.PENDING, False, HoldState.DROP),
        (HoldState.HELD, False, HoldState.ASK),
        (HoldState.SEEN, False, HoldState.SEEN),
        (HoldState.ASK, False, HoldState.ASK),
        (HoldState.DROP, False, HoldState.DROP),
        *((state, True, HoldState.SEEN) for state in HoldState),
    ],
)
@pytest.mark.parametrize("type_", RequestType)
def test_the_next_request_marks_what_the_last_one_left(
    type_: RequestType, state: HoldState, named: bool, marked: HoldState
) -> None:
    """The id that the host names is taken. Never answered: to be dropped. Answered and not named: to be asked for."""
    resource = held(state).opened(type_, "r2", 20.0, "id" if named else "kind/v1/111122223333/eu-west-1/another")

    assert resource.holds["k"].state is marked


@pytest.mark.parametrize("id_text", ["not-created/A", "stack-A-1B2C3D4E5F"])
def test_a_delete_of_what_was_never_created_shows_that_no_answer_was_taken(id_text: str) -> None:
    """The marker, or an id that CloudFormation invents: what was answered is dropped, and nobody is asked."""
    assert held(HoldState.HELD).opened(DROP, "d1", 20.0, id_text).holds["k"].state is HoldState.DROP


@pytest.mark.parametrize(("signed", "marked"), [(3600.0, HoldState.DROP), (86_400.0, HoldState.ASK)])
def test_a_delete_of_a_create_that_was_refused_drops_nothing_of_an_older_life(signed: float, marked: HoldState) -> None:
    """The resource was retained, and the create of today was refused before the ledger: what is there is asked for."""
    assert held(HoldState.HELD).opened(DROP, "d1", signed, "not-created/A").holds["k"].state is marked


def test_a_late_delete_of_a_failed_create_does_not_drop_what_the_next_one_granted() -> None:
    """CloudFormation cleans up after the create that failed, and the one after it was taken."""
    again = granted().opened(GRANT, "r2", 20.0, "").holding("k", Hold("id", HoldState.HELD, "r2"))

    assert again.opened(DROP, "d1", 30.0, "not-created/A").holds["k"].state is HoldState.ASK


def test_what_was_dropped_is_known_until_it_is_claimed_again() -> None:
    """A Delete of a settled id has nothing to do; one that is granted anew is no settled id."""
    settled = held(HoldState.SEEN).without("k")
    assert settled.knows("id")
    assert settled.holds == {}
    assert "id" not in settled.holding("k", Hold("id", HoldState.PENDING)).settled
    assert not held(HoldState.SEEN).never_held("k").knows("id")


# -- claims -----------------------------------------------------------------------------------------------------------

HELD = Claim(ClaimState.HELD, "r1")
shared = Association().claimed("one", HELD, Basis.GRANTED).claimed("other", HELD, Basis.GRANTED)


def test_the_basis_goes_with_the_last_claim() -> None:
    """What others share keeps how it came to be."""
    assert shared.without("one").basis is Basis.GRANTED
    assert shared.without("one", "other") == Association()


def test_a_claim_that_is_being_dropped_counts_no_more_for_others() -> None:
    """It may be gone in a moment."""
    assert set(shared.others("one")) == {"other"}
    assert shared.dropping("other", "d1").others("one") == {}


def test_the_first_removal_names_the_token() -> None:
    """Another Delete of the same claim repeats it."""
    assert shared.dropping("one", "d1").dropping("one", "d2").claims["one"].dropped_by == "d1"


def test_stale_claims_go_with_the_change_that_found_them_so() -> None:
    """Claimed or dropped, in one write."""
    assert set(shared.claimed("one", HELD, Basis.GRANTED, "other").claims) == {"one"}
    assert set(shared.dropping("one", "d1", "other").claims) == {"one"}


def test_only_an_unknown_outcome_keeps_its_token() -> None:
    """Once it is told how the association came to be, the token proves nothing."""
    asked = Association().asking("one", HELD, Asked("id", "token", 7.0))
    assert (asked.basis, asked.asked) == (Basis.ASKED, Asked("id", "token", 7.0))
    assert asked.claimed("one", HELD, Basis.ASKED).asked == Asked("id", "token", 7.0)
    assert asked.claimed("one", HELD, Basis.GRANTED).asked is None


def test_an_accepted_removal_stays_accepted_when_it_is_begun_again() -> None:
    """The next Delete sends nothing: what is there then was granted by others."""
    again = shared.dropping("one", "d1").dropped("one").dropping("one", "d2")

    assert again.claims["one"].state is ClaimState.DROPPED


def test_a_claim_that_goes_leaves_those_of_others_and_the_last_one_everything() -> None:
    """With the last claim goes how the association came to be."""
    asked = Association().asking("one", HELD, Asked("id", "token", 7.0))

    assert asked.claims == {"one": HELD}
    assert set(shared.without("one").claims) == {"other"}
    assert asked.without("one") == Association()


def test_a_released_lease_leaves_the_record_as_it_was() -> None:
    """Nobody works on it, and nothing else changes."""
    assert shared.leased("me", 5.0).released() == shared


def test_an_owner_of_a_program_without_a_create_is_read_back() -> None:
    """A state of before has no id of the create."""
    owner = Owner("pulumi", ("org", "project", "dev"), ("", "alice"))

    assert Owner.parse(owner.key) == owner


@pytest.mark.parametrize(("holder", "now", "free"), [("me", 5, True), ("you", 5, False), ("you", 10, True)])
def test_a_lease_is_its_holders_until_it_ends(holder: str, now: float, free: bool) -> None:
    """Whoever holds it may go on, and everybody else may begin at its end."""
    assert Association().leased(holder, 10.0).is_free("me", now) is free
    assert Association().is_free("me", now)


# -- tombstones -------------------------------------------------------------------------------------------------------


def test_the_record_of_a_deleted_resource_stays_for_a_day(inner: World) -> None:
    """A late delivery of an older request is then known to be late; a resource that holds something stays for good."""
    key = resource_key(inner.request().owner)
    inner.create()
    (record,) = inner.ledger.read(key)
    assert record.expires is None

    inner.delete()

    (record,) = inner.ledger.read(key)
    assert record.expires is not None
    assert record.expires == pytest.approx(inner.control.now() + TOMBSTONE_SECONDS, abs=10)
    assert inner.ledger.read(association_key(inner.identity()))[0].version == ""
