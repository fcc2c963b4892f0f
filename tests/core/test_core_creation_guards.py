"""The guards of a create, one by one: each is needless until its sequence is seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import botocore.session
import pytest

from association_emulator.control import EmulatorControl
from aws_associations.errors import (
    AccessDenied,
    AlreadyExists,
    AssociationError,
    InvalidRequest,
    NotStabilized,
    ResourceConflict,
    ServiceUnavailable,
    Superseded,
    Throttling,
)
from aws_associations.host import Holder, Holders, Request
from aws_associations.identity import AssociationId, Identity
from aws_associations.kind import Kind
from aws_associations.kinds.directory_group_membership import KIND as DIRECTORY_GROUP_MEMBERSHIP
from aws_associations.kinds.iot_billing_group_membership import KIND as BILLING_GROUP_MEMBERSHIP
from aws_associations.kinds.opensearch_package_association import KIND as PACKAGE_ASSOCIATION
from aws_associations.lifecycle import Desired, Granted, How, OnExisting
from tests.core.world import ACCOUNT, ASSOCIATE, GROUP, LOOK, REGION, USER, World, after_seconds

DIRECTORY, ADMINS, MEMBER = "d-1234567890", "Admins", "alice"
ADD = "AddGroupMember"


class Directory:
    """One membership of a directory, whose service tells by the token whose it is."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.control = EmulatorControl()
        self.control.directory.add_directory(DIRECTORY)
        self.control.directory.add_group(DIRECTORY, ADMINS)
        self.control.directory.add_user(DIRECTORY, MEMBER)
        self.control.clear_journal()
        values = {"directory_id": DIRECTORY, "member_realm": "corp.example.com"}
        values |= {"group_name": ADMINS, "member_name": MEMBER}
        self.identity = Identity.of(DIRECTORY_GROUP_MEMBERSHIP, ACCOUNT, REGION, values)

    def grant_as_others_do(self) -> None:
        self.control.directory.grant(DIRECTORY, ADMINS, MEMBER)

    def create(self, request: Request, on_existing: OnExisting = OnExisting.FAIL) -> Granted:
        return self.world.lifecycle.create(Desired(self.identity, on_existing), request)

    def fault(self, kind: str, *, count: int | None = 1, skip: int = 0, when: str = "before") -> None:
        self.control.add_fault(kind, service="ds-data", operation=ADD, count=count, skip=skip, when=when)  # type: ignore[arg-type]

    def writes(self) -> int:
        return sum(entry.operation == ADD for entry in self.control.journal())


@pytest.fixture
def directory(inner: World) -> Directory:
    """Nothing is granted."""
    return Directory(inner)


def while_asked(world: World, monkeypatch: pytest.MonkeyPatch, act: Callable[[], None], turn: int = 1) -> None:
    """Something happens while the host is asked for the n-th time whether the request is waited for."""
    turns = iter(range(1, 100))

    def live() -> bool:
        if next(turns) == turn:
            act()
        return True

    monkeypatch.setattr(world.host, "live", live)


# -- present: whose is it? --------------------------------------------------------------------------------------------


def test_what_is_being_removed_is_granted_anew_even_where_evidence_says_ours(inner: World) -> None:
    """A resource of the stack held it, and it is on its way out: taken over as it is, it would soon be gone."""
    inner.grant_as_others_do()
    inner.revoke_as_others_do(seconds=20)
    inner.host.others = Holders(at_start=(Holder("Other"),))

    assert inner.create().how is How.CREATED
    assert inner.members() == {(GROUP, USER)}


def test_evidence_for_the_pair_does_not_move_a_thing_out_of_another_group(inner: World) -> None:
    """This stack held the pair, and somebody moved the thing since: refused by naming where it is."""
    iot = botocore.session.Session().create_client("iot", region_name=REGION)
    iot.create_thing(thingName="meter")
    for group in ("cheap", "cheaper"):
        iot.create_billing_group(billingGroupName=group)
    iot.add_thing_to_billing_group(billingGroupName="cheap", thingName="meter")
    values = {"billing_group_name": "cheaper", "thing_name": "meter"}
    inner.host.others = Holders(at_start=(Holder("Other"),))

    with pytest.raises(ResourceConflict, match="is in 'cheap'"):
        inner.lifecycle.create(Desired(Identity.of(BILLING_GROUP_MEMBERSHIP, ACCOUNT, REGION, values)), inner.request())


def test_what_is_granted_right_after_the_wait_is_not_ours(inner: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was going when we looked, gone after the wait, and somebody granted it while the stack was asked."""
    inner.grant_as_others_do()
    after_seconds(inner, monkeypatch, 1, inner.revoke_as_others_do)
    while_asked(inner, monkeypatch, inner.grant_as_others_do)

    with pytest.raises(AlreadyExists):
        inner.create()

    assert inner.writes() == []


def test_its_own_pair_is_kept_with_its_flag_and_without_a_warning(inner: World) -> None:
    """The reverse of an update finds what the resource had: no take-over, and adopted stays adopted."""
    inner.grant_as_others_do()
    inner.host.others = Holders(at_start=(Holder("Membership", adopted=True, own=True),))

    granted = inner.create()

    assert (granted.how, granted.id.adopted) == (How.KEPT, True)
    assert inner.host.warnings == []
    assert inner.writes() == []


def test_its_own_pair_is_kept_under_the_id_that_it_had(directory: Directory) -> None:
    """Spelled otherwise it would be a replacement for CloudFormation, whose cleanup deletes what means the same."""
    directory.grant_as_others_do()
    had = AssociationId(replace(directory.identity, values=(DIRECTORY, "CORP.example.com", ADMINS, MEMBER.upper())))
    directory.world.host.others = Holders(at_start=(Holder("Membership", own=True, id=had),))

    kept = directory.create(directory.world.request())

    assert (kept.how, kept.id.text) == (How.KEPT, had.text)


def test_what_the_stack_held_in_between_is_taken_over(inner: World) -> None:
    """Several updates in turn were not rolled back, and their cleanup is still to come."""
    inner.grant_as_others_do()
    inner.host.others = Holders(since=(Holder("Membership", own=True),))

    assert inner.create().how is How.KEPT
    assert inner.writes() == []


def test_another_holder_tells_the_flag_before_the_resource_itself(inner: World) -> None:
    """It had the pair at the start, and another one has adopted it: whoever shares an adopted one has adopted it."""
    inner.grant_as_others_do()
    inner.host.others = Holders(now=(Holder("Membership", own=True), Holder("Other", adopted=True)))

    granted = inner.create()

    assert (granted.how, granted.id.adopted) == (How.TAKEN_OVER, True)


# -- a token that tells -----------------------------------------------------------------------------------------------


def test_a_repeated_delivery_knows_its_grant_by_the_token(directory: Directory) -> None:
    """It looks first because it is late; the token says that the grant is its own."""
    directory.create(directory.world.request("r1"))

    assert directory.create(directory.world.request("r1", late=True)).how is How.CREATED


def test_the_services_word_outweighs_a_log_line(directory: Directory) -> None:
    """The token is refused: an announcement of another delivery does not make a stranger's grant ours."""
    directory.grant_as_others_do()
    directory.world.host.intent = True

    with pytest.raises(AlreadyExists):
        directory.create(directory.world.request(late=True))


def test_the_services_word_comes_before_a_holders_flag(directory: Directory) -> None:
    """Granted by this request and adopted by another resource since: ours, so it is not adopted."""
    directory.create(directory.world.request("r1"))
    directory.world.host.others = Holders(now=(Holder("Other", adopted=True),))

    granted = directory.create(directory.world.request("r1", late=True))

    assert (granted.how, granted.id.adopted) == (How.CREATED, False)


def test_a_dead_request_replays_no_token(directory: Directory) -> None:
    """A replay is a write: where it is absent by then, it would grant."""
    directory.grant_as_others_do()
    directory.world.host.lives = False

    with pytest.raises(Superseded):
        directory.create(directory.world.request(late=True))

    assert directory.writes() == 0


def test_a_replay_without_an_answer_is_sent_once_more(directory: Directory) -> None:
    """Five attempts are cut, the sixth is answered: nobody has to guess."""
    directory.create(directory.world.request("r1"))
    directory.fault("cut", count=5)

    assert directory.create(directory.world.request("r1", late=True)).how is How.CREATED


def test_a_refused_token_stays_refused_when_the_service_falls_silent(directory: Directory) -> None:
    """Refused at the first replay, no answer to the second: a stranger's, and nothing to clean up."""
    directory.grant_as_others_do()
    directory.fault("cut", skip=1, count=None)
    request = directory.world.request(late=True)

    with pytest.raises(AlreadyExists) as caught:
        directory.create(request)

    assert not caught.value.outcome_unknown
    assert request.may_exist is None


@pytest.mark.parametrize("announced", [None, True])
def test_nothing_is_to_be_cleaned_up_while_it_is_asked_again(
    directory: Directory, monkeypatch: pytest.MonkeyPatch, announced: bool | None
) -> None:
    """Cut short in the wait after a refused token, a function must not answer with the stranger's id."""
    directory.grant_as_others_do()
    directory.world.host.intent = announced
    request = directory.world.request(late=True)
    seen: list[Identity | None] = []
    after_seconds(directory.world, monkeypatch, 1, lambda: seen.append(request.may_exist))

    with pytest.raises(AlreadyExists):
        directory.create(request)

    assert seen == [None]


# -- what was sent is not forgotten -----------------------------------------------------------------------------------


def test_a_look_that_fails_while_waiting_for_what_was_sent_is_unknown(inner: World) -> None:
    """Granted, being removed by others, and then nothing can be seen: something of ours may remain."""
    inner.control.configure(duplicate_associate="conflict")
    inner.control.add_fault("cut", operation=ASSOCIATE, count=5, when="after")
    inner.control.configure(addition_seconds=60)
    inner.control.add_fault("internal_error", operation=LOOK, skip=2, count=None)

    with pytest.raises(AssociationError) as caught:
        inner.create()

    assert caught.value.outcome_unknown


def test_a_request_cut_short_between_refusals_has_nothing_to_clean_up(
    inner: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An update that is throttled and waits: every attempt was refused, so nothing of it is there."""
    inner.control.add_fault("throttled", operation=ASSOCIATE, count=6)
    request = inner.request()
    sleep = inner.clock.sleep
    waiting: list[Identity | None] = []

    def sleeps(seconds: float) -> None:
        waiting.append(request.may_exist)
        sleep(seconds)

    monkeypatch.setattr(inner.clock, "sleep", sleeps)

    inner.update(inner.id(user="bob"), inner.identity(), request)

    assert waiting
    assert set(waiting) == {None}


# -- what lags, moves or fails meanwhile ------------------------------------------------------------------------------


def packages() -> Identity:
    """A package that no domain has."""
    control = EmulatorControl()
    control.opensearch.add_domain("search")
    control.opensearch.add_package("F123456789")
    values = {"domain_name": "search", "package_id": "F123456789"}
    return Identity.of(PACKAGE_ASSOCIATION, ACCOUNT, REGION, values)


def test_a_failed_one_is_not_adopted(inner: World) -> None:
    """Adopting takes what is granted: a failed association is an error that says how to go on."""
    identity = packages()
    EmulatorControl().opensearch.configure(association_result="failed")
    with pytest.raises(NotStabilized):
        inner.lifecycle.create(Desired(identity), inner.request())

    with pytest.raises(NotStabilized, match="ASSOCIATION_FAILED"):
        inner.lifecycle.create(Desired(identity, OnExisting.ADOPT), inner.request())


def test_a_failed_one_whose_answer_was_lost_is_left_to_the_rollback(inner: World) -> None:
    """Begun by this request and failed by the service: the host gets the real id, whose Delete clears it away."""
    identity = packages()
    EmulatorControl().opensearch.configure(association_result="failed")
    EmulatorControl().add_fault("cut", service="opensearch", operation="AssociatePackage", when="after", count=5)

    with pytest.raises(NotStabilized) as caught:
        inner.lifecycle.create(Desired(identity), inner.request())

    assert caught.value.outcome_unknown


def test_holders_that_cannot_be_asked_now_are_no_evidence(inner: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stack throttles: a present one is refused by its own error, which says how to adopt it."""
    inner.grant_as_others_do()
    monkeypatch.setattr(inner.host, "holders", throttled)

    with pytest.raises(AlreadyExists):
        inner.create()


def test_a_question_for_a_warning_fails_no_update(inner: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reverse of an update must not fail because the stack throttles; what it may leave for that is told."""
    inner.grant_as_others_do()
    monkeypatch.setattr(inner.host, "holders", throttled)
    left = inner.identity(user="bob")

    kept = inner.lifecycle.update(inner.id(), Desired(inner.identity()), inner.request(), heal=False, left=left)

    assert kept.how is How.KEPT
    assert inner.host.warnings == ["may-remain"]
    assert inner.host.notes[-1][1]["association"] == str(left)


def throttled(_: Identity) -> Holders:
    """What a host says that may be told later."""
    raise Throttling("it cannot be told now")


def test_what_others_begin_to_remove_meanwhile_is_waited_out(inner: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Present at the first look and going at the second: neither refused nor adopted, but granted once it is gone."""
    inner.grant_as_others_do()
    after_seconds(inner, monkeypatch, 1, lambda: inner.revoke_as_others_do(seconds=20))

    assert inner.create(on_existing=OnExisting.ADOPT).how is How.CREATED
    assert inner.members() == {(GROUP, USER)}


def test_a_take_over_that_was_cancelled_meanwhile_is_none(inner: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It waited for an addition by another resource, and the deployment was rolled back."""
    inner.grant_as_others_do(seconds=20)
    inner.host.others = Holders(now=(Holder("Other"),))
    begun = inner.clock.now()
    monkeypatch.setattr(inner.host, "live", lambda: inner.clock.now() - begun < 10)

    with pytest.raises(Superseded):
        inner.create()


def test_what_the_list_shows_after_seconds_costs_no_second_token(inner: World) -> None:
    """A second token would be another grant, which a removal of the first does not end everywhere."""
    inner.control.configure(list_lag_seconds=3)

    assert inner.create().how is How.CREATED
    assert len(inner.tokens(ASSOCIATE)) == 1


def test_what_the_list_shows_before_the_second_token_is_ours(inner: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Accepted and not listed for long; it appears while the stack is asked: no stranger's."""
    inner.control.configure(list_lag_seconds=20)
    while_asked(inner, monkeypatch, lambda: inner.clock.sleep(20))

    assert inner.create().how is How.CREATED
    assert len(inner.tokens(ASSOCIATE)) == 1


def test_blindness_before_the_second_token_is_unknown(inner: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Accepted and not listed, and then no look answers: something may be granted."""
    inner.control.configure(list_lag_seconds=100)
    while_asked(inner, monkeypatch, lambda: inner.control.add_fault("throttled", operation=LOOK, count=None))

    with pytest.raises(AssociationError) as caught:
        inner.create()

    assert caught.value.outcome_unknown


def test_a_time_that_ends_in_the_look_after_a_success_is_unknown(inner: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The associate was accepted with the last of the time: what it granted is not seen any more."""
    send = inner.services.call

    def call(kind: Kind, identity: Identity, operation: str, *more: Any) -> dict[str, Any]:
        answer = send(kind, identity, operation, *more)
        if operation == ASSOCIATE:
            inner.clock.sleep(1000)
        return answer

    monkeypatch.setattr(inner.services, "call", call)

    with pytest.raises(NotStabilized, match="not granted in time") as caught:
        inner.create()

    assert caught.value.outcome_unknown


def test_a_conflict_of_a_remembered_token_is_not_a_strangers(inner: World) -> None:
    """Rejected, and nothing is there: the token's own past was the conflict, and the next one grants."""
    inner.control.add_fault("answer", operation=ASSOCIATE, status=409, error_code="ConflictException", body="{}")

    assert inner.create().how is How.CREATED
    assert len({*inner.tokens(ASSOCIATE)}) == 2


def test_a_removal_that_was_the_conflict_is_waited_out(inner: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between look and write somebody granted it and began to revoke it; our first attempt was lost."""
    note = inner.host.note
    meanwhile = [lambda: inner.revoke_as_others_do(seconds=20), inner.grant_as_others_do]

    def noted(event: str, fields: Mapping[str, object], *, warning: bool = False) -> None:
        note(event, fields, warning=warning)
        while event == "associating" and meanwhile:
            meanwhile.pop()()

    monkeypatch.setattr(inner.host, "note", noted)
    inner.control.add_fault("cut", operation=ASSOCIATE)
    inner.control.add_fault("answer", operation=ASSOCIATE, status=409, error_code="ConflictException", body="{}")

    assert inner.create().how is How.CREATED
    assert len({*inner.tokens(ASSOCIATE)}) == 1


# -- what was lost once stays unknown ---------------------------------------------------------------------------------


@pytest.mark.parametrize("blind", [False, True])
def test_a_refusal_after_a_lost_round_is_undone(inner: World, monkeypatch: pytest.MonkeyPatch, blind: bool) -> None:
    """An update whose associate was lost, and is denied when it is repeated: what may have been granted is revoked."""
    inner.control.add_fault("internal_error", operation=ASSOCIATE, count=5)
    inner.control.add_fault(
        "answer", operation=ASSOCIATE, status=403, error_code="AccessDeniedException", body="{}", count=None
    )
    note, announced = inner.host.note, list[str]()

    def noted(event: str, fields: Mapping[str, object], *, warning: bool = False) -> None:
        note(event, fields, warning=warning)
        announced.extend([event] if event == "associating" else [])
        if blind and len(announced) == 2:
            announced.append("it appears, and nothing is seen any more")
            inner.grant_as_others_do()
            inner.control.add_fault("throttled", operation=LOOK, count=None)

    monkeypatch.setattr(inner.host, "note", noted)

    with pytest.raises(AccessDenied) as caught:
        inner.update(inner.id(user="bob"), inner.identity())

    assert "DisassociateUserFromPermissionGroup" in inner.calls()
    assert caught.value.outcome_unknown is blind


@pytest.mark.parametrize("announced", [True, False, None])
def test_two_replays_that_were_lost_and_rejected_tell_nothing(directory: Directory, announced: bool | None) -> None:
    """Each was cut, and the SDK's own retry rejected: unknown if an earlier delivery may have granted it."""
    directory.grant_as_others_do()
    directory.world.host.intent = announced
    directory.fault("cut")
    directory.fault("cut", skip=1)

    with pytest.raises(NotStabilized) as caught:
        directory.create(directory.world.request(late=True))

    assert caught.value.outcome_unknown is bool(announced)
    assert ("may-remain" in [name for name, _ in directory.world.host.notes]) is (announced is None)


def test_two_replays_after_a_lost_write_tell_nothing(directory: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody answered the associate, nor says whose the one is that is there: something of ours may remain."""
    note, pending = directory.world.host.note, [directory.grant_as_others_do]

    def noted(event: str, fields: Mapping[str, object], *, warning: bool = False) -> None:
        note(event, fields, warning=warning)
        if event == "associating" and pending:
            pending.pop()()

    monkeypatch.setattr(directory.world.host, "note", noted)
    directory.fault("cut", count=6)
    directory.fault("cut", skip=1)
    request = directory.world.request()

    with pytest.raises(NotStabilized, match="whose") as caught:
        directory.create(request)

    assert caught.value.outcome_unknown
    assert request.may_exist == directory.identity


@pytest.mark.parametrize("fault", ["internal_error", "cut"])
def test_what_was_there_before_anything_was_sent_is_not_ours_for_want_of_an_answer(
    directory: Directory, fault: str
) -> None:
    """The replays get no answer: a failure that named the id would have its rollback revoke a stranger's grant."""
    directory.grant_as_others_do()
    directory.fault(fault, count=None)
    request = directory.world.request()

    with pytest.raises(AssociationError) as caught:
        directory.create(request)

    assert not caught.value.outcome_unknown
    assert request.may_exist is None


def test_every_announcement_of_a_refused_token_is_taken_back(directory: Directory) -> None:
    """Also that of the replay that got no answer: a later delivery must not believe it."""
    directory.grant_as_others_do()
    directory.fault("cut", skip=1, count=None)

    with pytest.raises(AlreadyExists):
        directory.create(directory.world.request(late=True))

    events = [event for event, _ in directory.world.host.notes if event in {"associating", "replaying", "refused"}]
    assert events == ["replaying", "refused"] * 2


@pytest.mark.parametrize("answered", [True, False])
def test_an_announcement_made_without_a_look_is_not_sure(directory: Directory, answered: bool) -> None:
    """An earlier delivery announced it and may have met a stranger's grant: the token tells, or nobody does."""
    directory.grant_as_others_do()
    host = directory.world.host
    host.intent, host.claimed, host.lives = True, False, False
    if not answered:
        directory.fault("cut", count=None)

    with pytest.raises(Superseded):
        directory.create(directory.world.request(late=True))

    assert len(directory.control.directory.memberships()) == 1
    assert "may-remain" in host.warnings


# -- another delivery at the same time --------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", [LOOK, ASSOCIATE])
@pytest.mark.parametrize("announced", [True, False])
def test_a_failure_is_the_answer_to_what_another_delivery_grants_too(
    inner: World, monkeypatch: pytest.MonkeyPatch, operation: str, announced: bool
) -> None:
    """Denied here, and granted by another delivery a moment later: the host is given the real id to delete."""
    inner.host.intent = False
    if announced:
        after_seconds(inner, monkeypatch, 1, lambda: setattr(inner.host, "intent", True))
    inner.control.add_fault("error", operation=operation, error_code="AccessDeniedException")
    request = inner.request()

    with pytest.raises(AccessDenied) as caught:
        inner.create(request)

    assert caught.value.outcome_unknown is announced
    assert request.may_exist == (inner.identity() if announced else None)


def test_a_failed_update_leaves_what_another_delivery_of_it_grants(
    inner: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two deliveries of an update, of which one is denied: the other one may be about to answer, so it is unknown."""

    def other_delivery() -> None:
        inner.host.intent = True
        inner.grant_as_others_do()

    inner.host.intent = False
    after_seconds(inner, monkeypatch, 1, other_delivery)
    inner.control.add_fault("error", operation=LOOK, error_code="AccessDeniedException")

    with pytest.raises(AccessDenied) as caught:
        inner.update(inner.id(user="bob"), inner.identity())

    assert caught.value.outcome_unknown
    assert inner.members() == {(GROUP, USER)}


@pytest.mark.parametrize("announced", [None, False])
def test_where_nobody_can_tell_of_other_deliveries_a_failure_is_not_delayed(
    inner: World, announced: bool | None
) -> None:
    """A Pulumi process has none, and a role may not allow to ask."""
    inner.host.intent = announced
    inner.control.add_fault("error", operation=LOOK, error_code="AccessDeniedException")
    begun = inner.clock.now()

    with pytest.raises(AccessDenied):
        inner.create()

    assert (inner.clock.now() == begun) is (announced is None)


def test_what_every_delivery_is_refused_is_refused_at_once(inner: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """An invalid request is so for all of them, and a present one was waited for already."""
    inner.host.intent = False
    waits: list[float] = []
    sleep = inner.clock.sleep

    def sleeps(seconds: float) -> None:
        waits.append(seconds)
        sleep(seconds)

    monkeypatch.setattr(inner.clock, "sleep", sleeps)
    inner.control.add_fault("error", operation=ASSOCIATE, error_code="ValidationException")
    with pytest.raises(InvalidRequest):
        inner.create()
    assert waits == []

    inner.grant_as_others_do()
    with pytest.raises(AlreadyExists):
        inner.create()
    assert len(waits) == 1


@pytest.mark.parametrize(
    ("late", "announced", "told"), [(True, None, True), (True, False, False), (False, None, False)]
)
def test_what_a_late_delivery_adopts_may_be_its_own(
    inner: World, late: bool, announced: bool | None, told: bool
) -> None:
    """An earlier one may have granted it, and a rollback lets go of what is adopted: a line says what nobody can."""
    inner.grant_as_others_do()
    inner.host.intent = announced

    assert inner.create(inner.request(late=late), on_existing=OnExisting.ADOPT).how is How.ADOPTED

    assert ("may-remain" in inner.host.warnings) is told
    assert not told or str(inner.identity()) in str(inner.host.notes)


# -- no time is wasted ------------------------------------------------------------------------------------------------


def test_an_update_does_not_wait_for_a_service_that_has_ended(inner: World) -> None:
    """Its endpoint answers nothing that the API has: that does not pass by itself."""
    inner.control.add_fault("answer", operation=ASSOCIATE, status=404, body="<html>gone</html>", count=None)
    begun = inner.clock.now()

    with pytest.raises(ServiceUnavailable):
        inner.update(inner.id(user="bob"), inner.identity())

    assert inner.clock.now() - begun < 60


@pytest.mark.parametrize("lives", [True, False])
def test_a_late_delivery_that_cannot_look_asks_by_its_token(directory: Directory, lives: bool) -> None:
    """The service tells that an earlier delivery granted it, which said so; a dead delivery takes that back."""
    directory.create(directory.world.request("r1"))
    directory.world.host.lives, directory.world.host.intent, directory.world.host.claimed = lives, True, False
    directory.control.add_fault("throttled", service="ds-data", operation="ListGroupsForMember", count=5)

    if lives:
        assert directory.create(directory.world.request("r1", late=True)).how is How.CREATED
    else:
        with pytest.raises(Superseded):
            directory.create(directory.world.request("r1", late=True))
        said = [event for event, _ in directory.world.host.notes]
        assert said.count("associating") == 1, "only the first one announced anything"
    is_there = directory.world.lifecycle.read(directory.identity, directory.world.request()) is not None
    assert is_there is lives


def test_a_conflict_of_a_fresh_token_stays_a_strangers(directory: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody was faster than our write, and the service falls silent afterwards: nothing to clean up."""
    note, pending = directory.world.host.note, [directory.grant_as_others_do]

    def noted(event: str, fields: Mapping[str, object], *, warning: bool = False) -> None:
        note(event, fields, warning=warning)
        if event == "associating" and pending:
            pending.pop()()

    monkeypatch.setattr(directory.world.host, "note", noted)
    directory.fault("cut", skip=1, count=None)

    with pytest.raises(AlreadyExists) as caught:
        directory.create(directory.world.request())

    assert not caught.value.outcome_unknown
