"""Create, create again, a lost answer, what others granted, waiting, and time-outs: the same for every kind."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from aws_associations.errors import AlreadyExists, AssociationError, NotFound, NotStabilized, ResourceConflict
from aws_associations.identity import marker
from aws_associations.lifecycle import How, OnExisting, Removal
from aws_associations.properties import typed_options
from tests.contract.cases import case, case_of_each_party
from tests.contract.stage import Stage


@case("create")
def test_it_is_granted_with_one_write(stage: Stage) -> None:
    """Created, seen, with an id that names it; nothing else is granted."""
    granted = stage.create()

    assert (granted.how, granted.id.text, granted.id.adopted) == (How.CREATED, stage.id(), False)
    assert granted.status_code == 200
    assert stage.granted() == {stage.identity()}
    assert stage.writes() == [stage.kind.associate]
    assert stage.pending() == set()


@case("create")
def test_it_is_looked_at_before_and_after_the_write(stage: Stage) -> None:
    """Before: what was there is not ours, whatever becomes of the write. After: only what is seen is granted."""
    stage.create()

    calls = [entry.operation for entry in stage.journal(stage.kind.look.operation, stage.kind.associate)]
    assert calls == [stage.kind.look.operation, stage.kind.associate, stage.kind.look.operation]


@case("create")
def test_it_is_granted_and_revoked_again_and_again(stage: Stage) -> None:
    """One declaration, deployed and destroyed every few minutes: each time it is really there, and really gone."""
    for round_ in range(4):
        assert stage.create(stage.request(f"create-{round_}")).how is How.CREATED
        assert stage.granted() == {stage.identity()}
        assert stage.delete(request=stage.request(f"delete-{round_}")) is Removal.REVOKED
        assert stage.granted() == set()
        stage.world.clock.sleep(200)


@case("create again")
def test_a_request_delivered_again_gets_its_recorded_answer(stage: Stage) -> None:
    """Create and delete: the same answer once more, and the service hears nothing."""
    granted = stage.create(stage.request("create-1"))
    sent = len(stage.journal())
    assert stage.create(stage.request("create-1")) == granted
    assert len(stage.journal()) == sent

    removal = stage.delete(request=stage.request("delete-1"))
    stage.scenery.grant(stage.scenery.values)
    sent = len(stage.journal())
    assert stage.delete(request=stage.request("delete-1")) is removal
    assert len(stage.journal()) == sent
    assert stage.granted() == {stage.identity()}


@case("create again")
def test_two_resources_of_a_stack_share_it(stage: Stage) -> None:
    """The second one writes nothing, and the last one that is deleted revokes."""
    stage.create()

    assert stage.create(stage.request(owner="Second")).how is How.SHARED
    assert stage.delete() is Removal.RELEASED
    assert stage.granted() == {stage.identity()}
    assert stage.delete(request=stage.request(owner="Second")) is Removal.REVOKED
    assert stage.granted() == set()
    assert stage.writes() == [stage.kind.associate, stage.kind.disassociate]


@case("create again")
def test_what_another_stack_declares_is_refused_by_naming_it(stage: Stage) -> None:
    """AlreadyExists names the stack and the resource that have it, and says how to share it."""
    stage.create(stage.request(owner="Theirs", stack="other"))

    with pytest.raises(AlreadyExists, match="resource Theirs of stack other declares it already") as caught:
        stage.create()

    assert not caught.value.outcome_unknown
    assert "declare a wish to adopt" in stage.message(caught.value, "creating")
    assert stage.pending() == set()
    assert stage.granted() == {stage.identity()}


@case("create again")
def test_two_stacks_share_it_on_request_and_the_last_one_revokes(stage: Stage) -> None:
    """Adopting what another stack of ours granted is sharing it: the id is not that of something adopted."""
    stage.create(stage.request(stack="other"))

    shared = stage.create(on_existing=OnExisting.ADOPT)

    assert (shared.how, shared.id.adopted) == (How.SHARED, False)
    assert stage.delete(request=stage.request(stack="other")) is Removal.RELEASED
    assert stage.granted() == {stage.identity()}
    assert stage.delete() is Removal.REVOKED
    assert stage.granted() == set()


@case("create again")
def test_the_claim_of_a_stack_that_no_longer_declares_it_goes(stage: Stage) -> None:
    """Retained there and declared here: taken over without a word to the service, and revoked with this resource."""
    stage.create(stage.request(stack="other"))
    stage.world.host.standing = False

    assert stage.create().id.text == stage.id()
    assert stage.writes() == [stage.kind.associate]
    stage.world.host.standing = True
    assert stage.delete() is Removal.REVOKED
    assert stage.granted() == set()


@case("lost answer")
def test_a_grant_whose_answer_was_lost_is_ours(stage: Stage) -> None:
    """Every attempt takes effect and is cut: whatever the service says to its own duplicates, the grant is ours."""
    stage.fault("cut", stage.kind.associate, when="after", count=5)

    assert stage.create().how is How.CREATED
    assert stage.granted() == {stage.identity()}


@case("lost answer")
def test_a_write_that_never_arrived_leaves_the_outcome_unknown(stage: Stage) -> None:
    """Every attempt is cut before its effect: nothing is seen, and the ledger keeps what may remain."""
    stage.fault("cut", stage.kind.associate, when="before", count=5)

    with pytest.raises(AssociationError, match="Whether it took effect is not known") as caught:
        stage.create()

    stage.message(caught.value, "creating")
    assert stage.pending() == {stage.identity()}
    assert stage.granted() == set()
    assert stage.create(stage.request("the next deployment")).how is How.CREATED


@case("lost answer")
def test_what_a_failed_create_may_have_granted_goes_with_the_delete_of_its_marker(stage: Stage) -> None:
    """Granted, never answered, never shown in time: the create fails, and the rollback's Delete revokes it."""
    stage.fault("cut", stage.kind.associate, when="after", count=5)
    stage.scenery.show(present=False, count=None)
    with pytest.raises(AssociationError) as caught:
        stage.create(stage.request(seconds=100))
    stage.message(caught.value, "creating")
    assert stage.pending() == {stage.identity()}
    assert stage.granted() == {stage.identity()}
    stage.control.clear_faults()

    stage.delete(marker("Resource"))

    assert stage.pending() == set()
    assert stage.granted() == set()


@pytest.mark.parametrize("rejection", ["throttled", "error"])
@case("lost answer")
def test_a_rejection_after_a_lost_answer_is_never_definite(stage: Stage, rejection: str) -> None:
    """Granted, the answer cut, and every associate is refused from then on: ours, or kept as what may remain."""
    stage.fault("cut", stage.kind.associate, when="after", count=1)
    denied = {"error_code": "AccessDeniedException", "status": 403} if rejection == "error" else {}
    stage.fault(rejection, stage.kind.associate, count=None, **denied)

    with suppress(AssociationError):
        stage.create()

    assert list(stage.world.holds("Resource")) == [stage.id()]
    assert stage.granted() == {stage.identity()}


@case("foreign")
def test_what_others_granted_is_refused(stage: Stage) -> None:
    """By default: an error that says how to adopt, nothing to clean up, and nothing changed."""
    stage.scenery.grant(stage.scenery.values)

    with pytest.raises(AlreadyExists) as caught:
        stage.create()

    assert not caught.value.outcome_unknown
    assert "declare a wish to adopt" in stage.message(caught.value, "creating")
    assert stage.pending() == set()
    assert stage.granted() == {stage.identity()}
    assert stage.kind.disassociate not in stage.writes()


@case("adopt")
def test_what_others_granted_is_adopted_on_request(stage: Stage) -> None:
    """The id says so for ever; a delete then releases it, unless the deployment that adopted it has completed."""
    stage.scenery.grant(stage.scenery.values)
    for completed, removal in ((None, Removal.RELEASED), (False, Removal.RELEASED), (True, Removal.REVOKED)):
        stage.world.host.completed = completed
        granted = stage.create(on_existing=OnExisting.ADOPT)
        assert (granted.how, granted.id.text) == (How.ADOPTED, stage.id(adopted=True))

        assert stage.delete(granted.id.text) is removal
        assert stage.granted() == (set() if removal is Removal.REVOKED else {stage.identity()})


@case("adopt")
def test_what_is_absent_is_created_not_adopted(stage: Stage) -> None:
    """Asking to adopt changes nothing where there is nothing."""
    granted = stage.create(on_existing=OnExisting.ADOPT)

    assert (granted.how, granted.id.adopted) == (How.CREATED, False)


@case("wait")
def test_it_is_waited_for_until_the_status_says_so(stage: Stage) -> None:
    """A minute in progress: granted when the service says so, not before."""
    stage.scenery.slow(adding=60)
    begun = stage.control.now()

    granted = stage.create()

    present = [word for word, state in stage.kind.look.states.items() if state.value == "present"]
    assert [granted.status] == present
    assert stage.control.now() - begun >= 60
    assert stage.writes() == [stage.kind.associate]


@case("wait")
def test_what_is_being_removed_is_waited_out_and_granted_anew(stage: Stage) -> None:
    """Being removed is neither present nor absent: it is not claimed, and nothing is written meanwhile."""
    stage.scenery.grant(stage.scenery.values)
    stage.scenery.slow(removing=30)
    with pytest.raises(NotStabilized):
        stage.delete(request=stage.request(seconds=10))

    assert stage.create().how is How.CREATED
    assert stage.granted() == {stage.identity()}


@case("failed state")
def test_what_the_service_gives_up_ends_at_once_and_can_be_deleted(stage: Stage) -> None:
    """The error has the service's own details, the ledger what may remain, and the delete clears it away."""
    stage.scenery.slow(adding=20)
    stage.scenery.fail("The dictionary is empty", adding=True)
    request, begun = stage.request(), stage.control.now()

    with pytest.raises(NotStabilized, match="The dictionary is empty") as caught:
        stage.create(request)

    failed = [word for word, state in stage.kind.look.states.items() if state.value == "failed"]
    assert failed[0] in stage.message(caught.value, "creating")
    assert caught.value.outcome_unknown
    assert stage.pending() == {stage.identity()}
    assert stage.control.now() - begun < 40
    assert stage.delete() is Removal.REVOKED
    assert stage.granted() == set()


@case("time-out")
def test_what_is_never_shown_is_given_up_at_the_deadline(stage: Stage) -> None:
    """Accepted and never seen: NotStabilized, in time, and the ledger keeps what may remain."""
    stage.scenery.show(present=False, count=None)
    request, begun = stage.request(seconds=60), stage.control.now()

    with pytest.raises(NotStabilized) as caught:
        stage.create(request)

    assert caught.value.outcome_unknown
    assert "not granted in time" in stage.message(caught.value, "creating")
    assert stage.pending() == {stage.identity()}
    assert 50 <= stage.control.now() - begun <= 61


@case("time-out")
def test_nothing_is_sent_after_the_deadline(stage: Stage) -> None:
    """A time that is over is an error of its own, and the service hears nothing."""
    with pytest.raises(NotStabilized):
        stage.create(stage.request(seconds=0))

    assert stage.journal() == []


@case("wait")
def test_a_status_that_never_ends_is_given_up_at_the_deadline(stage: Stage) -> None:
    """The message has the last status seen, and the ledger what may remain."""
    stage.scenery.slow(adding=10_000)
    request = stage.request(seconds=60)

    with pytest.raises(NotStabilized) as caught:
        stage.create(request)

    adding = [word for word, state in stage.kind.look.states.items() if state.value == "being added"]
    assert f"the last status seen was {adding[0]}" in stage.message(caught.value, "creating")
    assert stage.pending() == {stage.identity()}


@case("lag")
def test_a_list_that_lags_behind_the_grant_is_waited_for(stage: Stage) -> None:
    """The look before the write and two after it do not show it: granted once it is seen, by one write."""
    stage.scenery.show(present=False, count=3)

    assert stage.create().how is How.CREATED
    assert stage.writes() == [stage.kind.associate]


@case_of_each_party("create without")
def test_a_missing_party_is_named_as_not_found(stage: Stage, party: str) -> None:
    """Definite, however often it is tried: nothing remains, and the message says what to do."""
    stage.scenery.remove(party)

    with pytest.raises(NotFound) as caught:
        stage.create()

    assert not caught.value.outcome_unknown
    assert stage.scenery.values[party] in stage.message(caught.value, "creating")
    assert stage.pending() == set()
    assert set(stage.writes()) == {stage.kind.associate}


@case("options")
def test_options_reach_the_wire_as_the_api_takes_them(stage: Stage) -> None:
    """Every option's documented example, in CloudFormation's strings too, is in the associate request."""
    values = {option.name: option.example for option in stage.kind.options}
    wanted = {option.wire: option.example for option in stage.kind.options}

    options, problems = typed_options(stage.world.services, stage.kind, _strings(values))

    assert (options, problems) == (wanted, {})
    stage.create(options=options)
    [sent] = stage.journal(stage.kind.associate)
    assert sent.parameters == {**stage.identity().parameters(), **wanted}


@case("options")
def test_a_lasting_option_that_changes_is_left_with_a_warning(stage: Stage) -> None:
    """The association keeps it, so an update does not apply it, and says which; the others say nothing."""
    options = {option.wire: option.example for option in stage.kind.options}
    granted = stage.create(options=options)

    kept = stage.update(granted.id.text, options={}, options_before=options)

    assert kept.how is How.KEPT
    assert stage.world.host.noted("options-not-applied") is any(option.lasting for option in stage.kind.options)
    assert stage.writes() == [stage.kind.associate]


@case("exclusive")
def test_what_another_party_holds_is_refused_by_naming_it(stage: Stage) -> None:
    """Neither moved nor adopted: the error names the holder, a read finds nothing, and nothing changes."""
    holder = stage.kind.parties[0].name
    elsewhere = stage.other(holder)
    stage.scenery.grant(elsewhere.parts())

    with pytest.raises(ResourceConflict) as caught:
        stage.create(on_existing=OnExisting.ADOPT)

    assert f"is in {elsewhere[holder]!r}" in stage.message(caught.value, "creating")
    assert not caught.value.outcome_unknown
    assert stage.read() is None
    assert stage.delete() in {Removal.ABSENT, Removal.REVOKED}
    assert stage.granted() == {elsewhere}


@case("exclusive")
def test_its_own_holder_cannot_be_replaced_before_it_is_deleted(stage: Stage) -> None:
    """Replacement creates first: refused by naming the old holder, and the old association stays."""
    granted = stage.create()
    holder = stage.kind.parties[0].name

    with pytest.raises(ResourceConflict, match=stage.scenery.values[holder]):
        stage.update(granted.id.text, stage.other(holder))

    assert stage.granted() == {stage.identity()}


def _strings(value: Any) -> Any:
    """As CloudFormation delivers it: every scalar is a string."""
    if isinstance(value, dict):
        return {name: _strings(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_strings(item) for item in value]
    return str(value).lower() if isinstance(value, bool) else str(value)
