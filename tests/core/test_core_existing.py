"""A membership that is there already: whose is it, and what may be done with it."""

from __future__ import annotations

import contextlib

import pytest

from aws_associations.errors import AlreadyExists, NotStabilized, Superseded
from aws_associations.host import Holder, Holders
from aws_associations.identity import AssociationId, Identity, parse
from aws_associations.kinds.finspace_permission_group_membership import KIND as PERMISSION_GROUP_MEMBERSHIP
from aws_associations.lifecycle import Desired, How, OnExisting, Removal
from tests.core.world import ASSOCIATE, GROUP, USER, World


def test_a_foreign_membership_is_refused_with_every_way_to_go_on(world: World) -> None:
    """The message names user, group and environment, how to adopt, leave or replace it; nothing is written."""
    world.grant_as_others_do()
    request = world.request()

    with pytest.raises(AlreadyExists) as caught:
        world.create(request)

    message = str(caught.value)
    for words in ("creating", USER, GROUP, "env1", "AlreadyExists", "OnExisting: Adopt", "on_existing='adopt'"):
        assert words in message
    for way in ("remove this resource", "revoke it first"):
        assert way in message
    assert not caught.value.outcome_unknown
    assert request.may_exist is None
    assert world.writes() == []
    assert world.members() == {(GROUP, USER)}


def test_adopting_writes_nothing_and_marks_the_id(world: World) -> None:
    """Adopt takes a foreign membership as it is; the id says so, and parses back as adopted."""
    world.grant_as_others_do()

    granted = world.create(on_existing=OnExisting.ADOPT)

    assert granted.how is How.ADOPTED
    assert granted.status == "ADDITION_SUCCESS"
    assert granted.status_code is None
    assert granted.id.text.endswith("/alice?adopted")
    assert parse(PERMISSION_GROUP_MEMBERSHIP, granted.id.text).adopted
    assert world.writes() == []


def test_adopting_what_is_absent_creates_it(world: World) -> None:
    """Adopt is no demand: what is not there is granted, and the id does not say adopted."""
    granted = world.create(on_existing=OnExisting.ADOPT)

    assert granted.how is How.CREATED
    assert not granted.id.adopted


def test_adopting_waits_until_an_addition_is_done(inner: World) -> None:
    """A foreign addition in progress is adopted when it has succeeded, and not before."""
    inner.grant_as_others_do(seconds=45)

    granted = inner.create(on_existing=OnExisting.ADOPT)

    assert granted.how is How.ADOPTED
    assert granted.status == "ADDITION_SUCCESS"


def test_adopting_an_addition_that_does_not_end_leaves_nothing(inner: World) -> None:
    """At the deadline the status is named, and nothing of ours remains, because nothing was written."""
    inner.grant_as_others_do(seconds=10_000)

    with pytest.raises(NotStabilized, match="ADDITION_IN_PROGRESS") as caught:
        inner.create(inner.request(seconds=30), on_existing=OnExisting.ADOPT)

    assert not caught.value.outcome_unknown


@pytest.mark.parametrize(
    ("settled", "back", "removal", "warned", "members"),
    [
        (True, False, Removal.REVOKED, False, set()),
        (None, True, Removal.RELEASED, True, {(GROUP, USER)}),
        (False, True, Removal.RELEASED, False, {(GROUP, USER)}),
        (False, False, Removal.RELEASED, True, {(GROUP, USER)}),
    ],
)
def test_an_adopted_one_is_revoked_only_on_purpose(
    world: World, settled: bool | None, back: bool, removal: Removal, warned: bool, members: set[tuple[str, str]]
) -> None:
    """Deleting it revokes once the adopting deployment has completed; else it is released, warned of if unexpected."""
    world.grant_as_others_do()
    granted = world.create(on_existing=OnExisting.ADOPT)
    world.host.settled, world.host.others = settled, Holders(rolling_back=back)

    assert world.delete(granted.id.text) is removal
    assert ("released" in world.host.warnings) is warned
    assert world.host.noted("released") is (removal is Removal.RELEASED)
    assert world.members() == members


@pytest.mark.parametrize("adopted", [False, True])
@pytest.mark.parametrize("when", ["now", "at start"])
def test_what_another_resource_of_the_stack_holds_is_taken_over(inner: World, adopted: bool, when: str) -> None:
    """No write, a warning that names the holder, and the holder's adopted flag is kept."""
    inner.grant_as_others_do()
    others = (Holder("Other", adopted),)
    inner.host.others = Holders(now=others, at_start=others) if when == "now" else Holders(at_start=others)

    granted = inner.create()

    assert granted.how is How.TAKEN_OVER
    assert granted.id.adopted is adopted
    assert "taken-over" in inner.host.warnings
    assert [fields["from"] for event, fields in inner.host.notes if event == "taken-over"] == ["Other"]
    assert inner.writes() == []


def test_what_an_earlier_operation_began_with_is_no_evidence(inner: World) -> None:
    """The host does not see the running operation yet: who held it when the one before began may have let go of it."""
    inner.grant_as_others_do()
    others = (Holder("Other"),)
    inner.host.others = Holders(at_start=others, since=others, current=False)

    with pytest.raises(AlreadyExists):
        inner.create()


def test_a_rollback_goes_back_to_the_id_that_the_resource_had(inner: World) -> None:
    """Although another resource has come to hold the pair in the operation that is taken back, and did not adopt it."""
    inner.grant_as_others_do()
    own = Holder("A", adopted=True, own=True, id=AssociationId(inner.identity(), adopted=True))
    other = Holder("B")
    inner.host.others = Holders(now=(other,), at_start=(own, other), rolling_back=True)

    granted = inner.create()

    assert (granted.how, granted.id) == (How.KEPT, own.id)


@pytest.mark.parametrize(("adopted", "late"), [(True, True), (True, False), (False, True)])
def test_taking_over_what_was_adopted_says_what_may_remain(inner: World, adopted: bool, late: bool) -> None:
    """An earlier delivery may have granted it, which nobody can tell; a rollback lets go of what is adopted."""
    inner.grant_as_others_do()
    inner.host.others = Holders(now=(Holder("Other", adopted),))

    inner.create(inner.request(late=late))

    assert ("may-remain" in inner.host.warnings) is (adopted and late)


def test_nobody_in_the_stack_holding_it_is_no_evidence(inner: World) -> None:
    """A host that knows the holders, and that there are none, leaves a present membership foreign."""
    inner.grant_as_others_do()
    inner.host.others = Holders()

    with pytest.raises(AlreadyExists):
        inner.create()


@pytest.mark.parametrize("adopted", [False, True])
@pytest.mark.parametrize(
    ("now", "at_start", "rolling_back", "released"),
    [
        (True, True, False, True),
        (True, False, False, True),
        (False, True, False, False),
        (True, False, True, False),
        (False, True, True, True),
        (False, False, False, False),
    ],
)
def test_a_shared_membership_lives_until_its_last_holder_goes(
    inner: World, now: bool, at_start: bool, rolling_back: bool, released: bool, adopted: bool
) -> None:
    """Forwards, those count that hold it now; in a rollback, those that held it when the operation began."""
    inner.grant_as_others_do()
    inner.host.settled = True
    others = (Holder("Other"),)
    inner.host.others = Holders(others if now else (), others if at_start else (), rolling_back)

    removal = inner.delete(inner.id(adopted=adopted))

    assert removal is (Removal.RELEASED if released else Removal.REVOKED)
    assert inner.members() == ({(GROUP, USER)} if released else set())
    assert bool(inner.writes()) is not released


def test_an_announcement_of_this_very_request_makes_it_ours(inner: World) -> None:
    """Another delivery of this request announced the grant: created, without another write."""
    inner.grant_as_others_do()
    inner.host.intent = True

    assert inner.create().how is How.CREATED
    assert inner.writes() == []


@pytest.mark.parametrize("held", [False, True])
def test_an_announcement_is_no_evidence_until_a_rejection_has_settled(
    inner: World, monkeypatch: pytest.MonkeyPatch, held: bool
) -> None:
    """Absent, then Conflict: another delivery that was rejected likewise takes its announcement back in a moment."""
    inner.grant_as_others_do()
    rejected = inner.clock.now()
    asked: list[float] = []

    def announced(_: Identity) -> bool:
        asked.append(inner.clock.now() - rejected)
        return held

    monkeypatch.setattr(inner.host, "announced", announced)
    inner.control.add_fault("answer", operation="ListPermissionGroupsByUser", status=200, body="{}")

    with contextlib.nullcontext() if held else pytest.raises(AlreadyExists):
        inner.create()

    assert inner.host.noted("refused")
    assert len(asked) == 1
    assert asked[0] >= 5


def test_what_this_process_granted_for_this_request_is_created(inner: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that remembers the grant of this very request needs no other evidence."""
    inner.grant_as_others_do()
    monkeypatch.setattr(inner.host, "granted_here", lambda identity: identity == inner.identity())

    assert inner.create().how is How.CREATED
    assert inner.writes() == []


def test_a_request_that_is_over_removes_nothing(world: World) -> None:
    """A late or repeated delete is answered with success and does nothing."""
    world.grant_as_others_do()
    world.host.lives = False

    assert world.delete() is Removal.NOT_LIVE
    assert "not-live" in world.host.warnings
    assert world.control.journal() == []
    assert world.members() == {(GROUP, USER)}


def test_a_request_that_is_over_sends_no_second_token(inner: World) -> None:
    """Between two tokens lies a wait: a request that died in it writes no more, and says that something may remain."""
    inner.delete(inner.create().id.text)
    written = len(inner.writes())
    inner.host.lives = False

    with pytest.raises(Superseded) as caught:
        inner.create()

    assert caught.value.outcome_unknown
    assert inner.writes()[written:] == [ASSOCIATE]
    assert inner.members() == set()


def test_evidence_is_asked_about_the_identity_itself(inner: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that holds another membership has no say about this one."""
    inner.grant_as_others_do()
    other = inner.identity(user="bob")

    def holders(identity: Identity) -> Holders:
        return Holders((Holder("Bobs"),), (Holder("Bobs"),)) if identity == other else Holders()

    monkeypatch.setattr(inner.host, "holders", holders)

    with pytest.raises(AlreadyExists):
        inner.create()


@pytest.mark.parametrize("on_existing", [OnExisting.FAIL, OnExisting.ADOPT])
def test_what_goes_while_it_is_asked_again_is_created(inner: World, on_existing: OnExisting) -> None:
    """Somebody's membership that is being taken away is neither refused nor adopted: some seconds later it is gone."""
    inner.grant_as_others_do()
    slept = inner.clock.sleep

    def revoke_meanwhile(seconds: float) -> None:
        slept(seconds)
        inner.control.revoke("env1", GROUP, USER)

    inner.clock.sleep = revoke_meanwhile  # type: ignore[method-assign]

    granted = inner.create(on_existing=on_existing)

    assert (granted.how, granted.id.adopted) == (How.CREATED, False)
    assert inner.members() == {(GROUP, USER)}


@pytest.mark.parametrize("on_existing", [OnExisting.FAIL, OnExisting.ADOPT])
def test_evidence_that_comes_late_counts(inner: World, on_existing: OnExisting) -> None:
    """Two deliveries may run at once and logs lag: before a refusal, and before adopting, all is asked again."""
    inner.grant_as_others_do()
    slept = inner.clock.sleep

    def announce_meanwhile(seconds: float) -> None:
        slept(seconds)
        inner.host.intent = True

    inner.clock.sleep = announce_meanwhile  # type: ignore[method-assign]

    assert inner.create(on_existing=on_existing).how is How.CREATED


def test_a_short_time_is_not_spent_on_asking_again(inner: World) -> None:
    """With seconds only, the refusal still says AlreadyExists, and not that the time was over."""
    inner.grant_as_others_do()

    with pytest.raises(AlreadyExists):
        inner.create(inner.request(seconds=3))


def test_a_failure_that_a_host_cannot_keep_is_undone(inner: World) -> None:
    """An addition that outlasts the time leaves nothing behind, so that the next deployment starts anew."""
    inner.control.configure(addition_seconds=900)
    request = inner.request(seconds=60)

    with pytest.raises(NotStabilized) as caught:
        inner.lifecycle.create_or_undo(Desired(inner.identity()), request)

    assert not caught.value.outcome_unknown
    assert inner.members() == set()
    inner.control.configure(addition_seconds=0)
    assert inner.create().how is How.CREATED
