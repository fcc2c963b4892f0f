"""Read, gone behind our back, delete, delete twice, and delete when a party is gone: the same for every kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from aws_associations.errors import AssociationError, NotStabilized, ServiceUnavailable
from aws_associations.identity import marker
from aws_associations.kind import State
from aws_associations.lifecycle import How, Removal
from tests.contract.cases import case, case_of_each_answer, case_of_each_party
from tests.contract.stage import Stage

GONE = {Removal.ABSENT, Removal.REVOKED}
"""A service that accepts the removal of what is absent lets nobody tell which."""


@case("read")
def test_a_read_finds_what_is_granted_and_nothing_else(stage: Stage) -> None:
    """Absent, ours, somebody else's: what is there is found, whoever granted it, and nothing is written."""
    assert stage.read() is None
    stage.scenery.grant(stage.scenery.values)

    seen = stage.read()

    assert seen is not None
    assert seen.state is State.PRESENT
    stage.scenery.revoke(stage.scenery.values)
    assert stage.read() is None
    assert stage.writes() == []


@case("read")
def test_a_neighbour_is_not_mistaken_for_it(stage: Stage) -> None:
    """The same member in another group, another member in the same group, and so on: no match."""
    for part in stage.kind.parts:
        stage.scenery.grant(stage.other(part.name).parts())
        assert stage.read() is None
        assert stage.read(stage.other(part.name)) is not None
        stage.scenery.revoke(stage.other(part.name).parts())


@case("wait")
def test_a_read_finds_what_is_being_added_but_not_what_is_being_removed(stage: Stage) -> None:
    """On its way in it is there; on its way out it is gone."""
    stage.scenery.slow(adding=60, removing=60)
    with pytest.raises(NotStabilized):
        stage.create(stage.request(seconds=10))

    seen = stage.read()
    assert seen is not None
    assert seen.state is State.ADDING
    stage.world.clock.sleep(60)
    with pytest.raises(NotStabilized):
        stage.delete(request=stage.request(seconds=10))
    assert stage.read() is None


@case("pages")
def test_a_match_on_a_later_page_is_found(stage: Stage) -> None:
    """A list of pages is read up to the match, and to its end before anything counts as absent."""
    stage.scenery.grant(stage.scenery.values)
    stage.scenery.crowd()

    assert stage.read() is not None
    found = len(stage.journal(stage.kind.look.operation))
    stage.scenery.revoke(stage.scenery.values)
    assert stage.read() is None
    assert found > 1
    assert len(stage.journal(stage.kind.look.operation)) - found > 1


@case("gone")
def test_what_is_gone_behind_our_back_is_granted_again_when_asked(stage: Stage) -> None:
    """A read finds nothing; an update that heals grants it again under the same id, any other sends nothing."""
    granted = stage.create()
    stage.scenery.revoke(stage.scenery.values)
    assert stage.read() is None

    sent = len(stage.journal())
    assert stage.update(granted.id.text).id == granted.id
    assert len(stage.journal()) == sent
    assert stage.granted() == set()
    healed = stage.update(granted.id.text, heal=True)
    assert (healed.how, healed.id) == (How.CREATED, granted.id)
    assert stage.granted() == {stage.identity()}


@case("wait")
def test_what_others_are_removing_is_granted_again_once_it_is_gone(stage: Stage) -> None:
    """An update that heals meets a removal in progress: waited out, then granted anew."""
    granted = stage.create()
    stage.scenery.slow(removing=30)
    with pytest.raises(NotStabilized):
        stage.delete(request=stage.request(seconds=10))

    assert stage.update(granted.id.text, heal=True).how is How.CREATED
    assert stage.granted() == {stage.identity()}


@case("gone")
def test_what_is_gone_behind_our_back_is_deleted_all_the_same(stage: Stage) -> None:
    """Missing is normal: success."""
    granted = stage.create()
    stage.scenery.revoke(stage.scenery.values)

    assert stage.delete(granted.id.text) in GONE


@case("delete")
def test_it_is_revoked_with_one_write(stage: Stage) -> None:
    """Revoked, seen to be gone, and nobody else's grant with it."""
    granted = stage.create()
    for party in stage.kind.parties:
        if not (stage.kind.look.exclusive and party is stage.kind.parties[0]):
            stage.scenery.grant(stage.other(party.name).parts())
    others = stage.granted() - {stage.identity()}

    assert stage.delete(granted.id.text) is Removal.REVOKED
    assert stage.granted() == others
    assert len(others) >= 1
    assert stage.writes() == [stage.kind.associate, stage.kind.disassociate]


@case("delete")
def test_what_was_never_created_is_deleted_without_a_call(stage: Stage) -> None:
    """The marker of a failed create, and an id that is none of ours: success, and the service hears nothing."""
    assert stage.delete(marker("Resource")) is Removal.NEVER_CREATED
    assert stage.delete("2026/11/22/[$LATEST]0123456789abcdef") is Removal.NEVER_CREATED
    assert stage.journal() == []


@case("delete")
def test_nothing_is_deleted_with_the_credentials_of_another_account(stage: Stage) -> None:
    """There everything looks absent, so nothing may be concluded."""
    granted = stage.create()
    request = stage.request()
    request.account = "999999999999"
    sent = len(stage.journal())

    with pytest.raises(AssociationError, match="credentials are of account 999999999999"):
        stage.delete(granted.id.text, request)
    assert len(stage.journal()) == sent


@case_of_each_answer("delete twice")
def test_the_second_delete_succeeds(stage: Stage, switches: Mapping[str, Any]) -> None:
    """The first one finds nothing either, and succeeds whatever the service says to that."""
    stage.scenery.switch(switches)
    granted = stage.create()
    stage.scenery.revoke(stage.scenery.values)

    assert stage.delete(granted.id.text) in GONE
    assert stage.delete(granted.id.text) is Removal.ABSENT


@case("delete twice")
def test_another_delete_revokes_nothing_that_others_granted_since(stage: Stage) -> None:
    """The id was settled by the first one, so that what is there now is somebody else's."""
    granted = stage.create()
    stage.delete(granted.id.text)
    stage.scenery.grant(stage.scenery.values)
    sent = len(stage.journal())

    assert stage.delete(granted.id.text) is Removal.ABSENT
    assert len(stage.journal()) == sent
    assert stage.granted() == {stage.identity()}


@case("delete twice")
def test_what_others_granted_after_a_lost_removal_is_revoked_only_without_a_token(stage: Stage) -> None:
    """The Delete tried again repeats the token of the first one, which a service that has tokens replays."""
    granted = stage.create()
    stage.fault("cut", stage.kind.disassociate, when="after", count=5)
    stage.fault("error", stage.kind.look.operation, error_code="AccessDeniedException", status=403)
    with pytest.raises(AssociationError):
        stage.delete(granted.id.text)
    stage.scenery.grant(stage.scenery.values)

    removal = Removal.GRANTED_AGAIN if stage.kind.token else Removal.REVOKED
    assert stage.delete(granted.id.text) is removal
    assert stage.granted() == ({stage.identity()} if stage.kind.token else set())


@case_of_each_party("delete without")
def test_a_delete_succeeds_when_a_party_is_gone(stage: Stage, party: str) -> None:
    """Its end was the association's end; a read finds nothing either."""
    granted = stage.create()
    stage.scenery.remove(party)

    assert stage.read() is None
    assert stage.delete(granted.id.text) in GONE


@case("lost answer")
def test_a_removal_whose_answer_was_lost_succeeds(stage: Stage) -> None:
    """Every attempt takes effect and is cut: it is seen to be gone."""
    granted = stage.create()
    stage.fault("cut", stage.kind.disassociate, when="after", count=5)

    assert stage.delete(granted.id.text) is Removal.REVOKED
    assert stage.granted() == set()


@case("lost answer")
def test_a_removal_that_never_arrived_is_asked_for_again_and_then_fails(stage: Stage) -> None:
    """Cut before every effect: sent once more, then an error, because it is still granted."""
    granted = stage.create()
    stage.fault("cut", stage.kind.disassociate, when="before", count=5)
    assert stage.delete(granted.id.text) is Removal.REVOKED

    stage.create(stage.request("again", owner="Again"))
    stage.fault("cut", stage.kind.disassociate, when="before", count=None)
    with pytest.raises(ServiceUnavailable) as caught:
        stage.delete(granted.id.text, stage.request(owner="Again"))

    assert caught.value.outcome_unknown
    stage.message(caught.value, "deleting")
    assert stage.granted() == {stage.identity()}


@case("wait")
def test_a_removal_in_progress_is_waited_for(stage: Stage) -> None:
    """Gone when the service says so, not before."""
    granted = stage.create()
    stage.scenery.slow(removing=60)
    begun = stage.control.now()

    assert stage.delete(granted.id.text) is Removal.REVOKED
    assert stage.control.now() - begun >= 60
    assert stage.granted() == set()


@case("wait")
def test_a_removal_that_never_ends_is_given_up_at_the_deadline(stage: Stage) -> None:
    """NotStabilized with the last status seen."""
    granted = stage.create()
    stage.scenery.slow(removing=10_000)

    with pytest.raises(NotStabilized) as caught:
        stage.delete(granted.id.text, stage.request(seconds=60))

    removing = [word for word, state in stage.kind.look.states.items() if state is State.REMOVING]
    assert f"not removed in time; the last status seen was {removing[0]}" in stage.message(caught.value, "deleting")


@case("wait")
def test_what_was_given_up_while_it_was_being_added_can_be_deleted(stage: Stage) -> None:
    """The rollback of a time-out meets it half way: waited for, if the service wants that, and revoked."""
    stage.scenery.slow(adding=100)
    with pytest.raises(NotStabilized):
        stage.create(stage.request(seconds=40))

    assert stage.delete() is Removal.REVOKED
    assert stage.granted() == set()


@case("failed state")
def test_a_removal_that_the_service_gives_up_is_an_error_with_its_details(stage: Stage) -> None:
    """Not waited out: the error has the service's words."""
    granted = stage.create()
    stage.scenery.slow(removing=5)
    stage.scenery.fail("An index uses it", removing=True)

    with pytest.raises(NotStabilized, match="An index uses it") as caught:
        stage.delete(granted.id.text)

    failed = [word for word, state in stage.kind.look.states.items() if state is State.REMOVAL_FAILED]
    assert failed[0] in stage.message(caught.value, "deleting")


@case("lag")
def test_a_list_that_lags_behind_the_removal_is_waited_for(stage: Stage) -> None:
    """Still shown for three looks: not taken for somebody else's new grant."""
    granted = stage.create()
    stage.scenery.show(present=True, count=3)

    assert stage.delete(granted.id.text) is Removal.REVOKED


@case("lag")
def test_what_stays_after_its_removal_was_granted_again_by_others(stage: Stage) -> None:
    """Shown for good: our removal took effect, so this is somebody else's, and is revoked no second time."""
    granted = stage.create()
    stage.scenery.show(present=True, count=None)

    assert stage.delete(granted.id.text) is Removal.GRANTED_AGAIN
    assert stage.writes() == [stage.kind.associate, stage.kind.disassociate]
    assert "granted-again-by-others" in stage.world.host.warnings


@case("token")
def test_a_write_is_repeated_under_one_token(stage: Stage) -> None:
    """The SDK's attempts share it, and so does another Delete of what is still granted; the next grant has its own."""
    assert stage.kind.token is not None
    tokens = []
    for _ in range(2):
        stage.control.clear_journal()
        stage.fault("cut", stage.kind.associate, when="before", count=2)
        stage.create()
        stage.fault("error", stage.kind.disassociate, error_code="AccessDeniedException", status=403)
        with pytest.raises(AssociationError):
            stage.delete()
        stage.delete()
        tokens += [{entry.client_token for entry in stage.journal(stage.kind.associate)}]
        tokens += [{entry.client_token for entry in stage.journal(stage.kind.disassociate)}]
        stage.world.clock.sleep(stage.kind.token.window.total_seconds() * 3)

    assert [len(each) for each in tokens] == [1, 1, 1, 1]
    assert tokens[1] != tokens[3]


@case("token")
def test_what_others_granted_after_our_rollback_is_not_ours(stage: Stage) -> None:
    """Created and rolled back; somebody grants the same; the next deployment's token proves nothing."""
    stage.create(stage.request("create-1"))
    stage.delete(request=stage.request("delete-1"))
    stage.scenery.grant(stage.scenery.values)

    with pytest.raises(AssociationError, match="AlreadyExists"):
        stage.create(stage.request("create-2"))
    assert stage.granted() == {stage.identity()}
