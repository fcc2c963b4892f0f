"""What passes by itself, for every kind: a party not visible yet, a permission not in effect yet, a busy service."""

from __future__ import annotations

from typing import Any

import pytest

from aws_associations.errors import AccessDenied, AssociationError, NotFound, ServiceUnavailable
from aws_associations.kind import Asked, Rejection
from aws_associations.lifecycle import How, Removal
from aws_associations.service import LONGEST_CALL
from tests.contract.cases import case, case_of_each_busy, case_of_each_lasting, case_of_each_party, modelled_errors
from tests.contract.stage import Stage
from tests.core.world import ACCOUNT, REGION

SAID = {"in progress": "A change/update is in progress.", "(?i)region": "Your identity region is eu-west-1."}
"""Pattern of a rejection's message → a message that it fits."""


def not_found(stage: Stage) -> str:
    """What the service answers to an associate whose party does not exist."""
    operation, lasting = stage.kind.associate, {rejection.code for rejection in stage.kind.lasting}
    codes = [each.code for each in modelled_errors(stage.kind) if each.operation == operation]
    return next(code for code in codes if stage.kind.errors[code] is NotFound and code not in lasting)


def reject(stage: Stage, operation: str, rejection: Rejection, **fields: Any) -> None:
    """Let the service reject an operation so."""
    message = SAID.get(rejection.message, "The resource cannot be changed now.")
    members = {"message": message, **({"Reason": rejection.reason} if rejection.reason else {})}
    stage.fault("error", operation, error_code=rejection.code, members=members, **fields)


# -- a party that was created a moment ago ----------------------------------------------------------------------------


@case("party not visible yet")
@pytest.mark.parametrize("update", [False, True])
def test_a_party_that_becomes_visible_is_waited_for(stage: Stage, update: bool) -> None:
    """Its create was answered half a minute ago, and the associate does not find it: granted as soon as it does."""
    part = stage.kind.parties[1].name
    current = stage.create(identity=stage.other(part)).id.text if update else ""
    begun = stage.control.now()
    stage.fault("error", stage.kind.associate, error_code=not_found(stage), lasts=30)

    granted = stage.update(current) if update else stage.create()

    assert granted.how is How.CREATED
    assert stage.identity() in stage.granted()
    assert 30 <= stage.control.now() - begun <= 40


@case("party not visible yet")
@pytest.mark.parametrize(("seconds", "shortest", "longest"), [(300, 60, 75), (30, 20, 30)])
def test_a_party_that_does_not_exist_is_told_in_time(
    stage: Stage, seconds: float, shortest: float, longest: float
) -> None:
    """After a minute, or most of the time that there is: the service's own words, and nothing remains."""
    begun = stage.control.now()
    stage.fault("error", stage.kind.associate, error_code=not_found(stage), count=None)

    with pytest.raises(NotFound) as caught:
        stage.create(stage.request(seconds=seconds))

    stage.message(caught.value, "creating")
    assert not caught.value.outcome_unknown
    assert stage.pending() == set()
    assert shortest <= stage.control.now() - begun <= longest


@case("default")
def test_a_default_of_a_party_that_becomes_visible_is_waited_for(stage: Stage) -> None:
    """The service is asked what a part that is left out means, and does not find the party at first."""
    asked = [part for part in stage.kind.parts if isinstance(part.default, Asked)]
    for part in asked:
        assert isinstance(part.default, Asked)
        stage.fault("error", part.default.operation, error_code=not_found(stage), lasts=30)
    values = {name: value for name, value in stage.scenery.values.items() if name not in [part.name for part in asked]}

    request = stage.request()
    told = stage.world.lifecycle.identify(stage.kind, ACCOUNT, REGION, values, request.deadline, request.host)

    assert told == stage.identity()


# -- a permission that was given a moment ago -------------------------------------------------------------------------


@case("permission not in effect yet")
def test_a_permission_that_takes_effect_is_waited_for(stage: Stage) -> None:
    """Every operation is denied for some seconds, and then no more."""
    for operation in stage.kind.operations:
        stage.fault("error", operation, error_code="AccessDeniedException", status=403, lasts=15)

    assert stage.create().how is How.CREATED
    assert stage.granted() == {stage.identity()}


@case("permission not in effect yet")
def test_a_permission_that_was_not_given_is_told_within_a_minute(stage: Stage) -> None:
    """After half a minute it is not a matter of time."""
    begun = stage.control.now()
    stage.fault("error", stage.kind.associate, error_code="AccessDeniedException", status=403, count=None)

    with pytest.raises(AccessDenied) as caught:
        stage.create()

    stage.message(caught.value, "creating")
    assert 30 <= stage.control.now() - begun <= 45


@case_of_each_lasting("lasting")
def test_what_no_waiting_mends_is_told_at_once(stage: Stage, rejection: Rejection) -> None:
    """One attempt, and no time is lost."""
    begun = stage.control.now()
    reject(stage, stage.kind.associate, rejection, count=None)

    with pytest.raises(stage.kind.errors[rejection.code]) as caught:
        stage.create()

    stage.message(caught.value, "creating")
    assert stage.writes() == [stage.kind.associate]
    assert stage.control.now() == begun


# -- a service that is busy -------------------------------------------------------------------------------------------


@case_of_each_busy("busy")
def test_a_busy_service_is_waited_for(stage: Stage, rejection: Rejection, monkeypatch: pytest.MonkeyPatch) -> None:
    """For minutes, by a create, an update and a delete, each of which says what it waits for."""
    told: list[object] = []
    monkeypatch.setattr(stage.world.host, "waiting", lambda _, fields: told.append(fields["status"]))

    for operation in (stage.kind.associate, stage.kind.disassociate):
        reject(stage, operation, rejection, lasts=150)
    granted = stage.create()
    assert granted.how is How.CREATED
    assert any("busy" in str(status) for status in told)

    told.clear()
    stage.control.clear_faults()
    for operation in (stage.kind.associate, stage.kind.disassociate):
        reject(stage, operation, rejection, lasts=150)
    part = stage.kind.parties[1].name
    assert stage.update(granted.id.text, stage.other(part)).how is How.CREATED
    stage.control.clear_faults()
    reject(stage, stage.kind.disassociate, rejection, lasts=150)
    assert stage.delete(granted.id.text) is Removal.REVOKED
    assert stage.granted() == {stage.other(part)}
    assert any("busy" in str(status) for status in told)


@case_of_each_busy("busy")
def test_a_service_that_stays_busy_is_told_in_time(stage: Stage, rejection: Rejection) -> None:
    """After most of the time: the service's own error, not that the time is over."""
    unknown = stage.kind.errors[rejection.code] is ServiceUnavailable
    for operation in (stage.kind.associate, stage.kind.disassociate):
        reject(stage, operation, rejection, count=None)
    begun = stage.control.now()

    with pytest.raises(stage.kind.errors[rejection.code]) as creating:
        stage.create()
    assert 200 <= stage.control.now() - begun <= 300
    stage.message(creating.value, "creating")
    assert creating.value.outcome_unknown is unknown

    stage.control.clear_faults()
    stage.control.advance(LONGEST_CALL)
    granted = stage.create()
    reject(stage, stage.kind.disassociate, rejection, count=None)
    with pytest.raises(stage.kind.errors[rejection.code]) as deleting:
        stage.delete(granted.id.text)
    stage.message(deleting.value, "deleting")
    assert stage.granted() == {stage.identity()}


# -- a delete where nothing is left -----------------------------------------------------------------------------------


@case_of_each_party("delete without")
@pytest.mark.parametrize("code", ["AccessDeniedException", "ValidationException", "InternalFailure"])
def test_a_delete_that_is_rejected_where_nothing_is_left_succeeds(stage: Stage, party: str, code: str) -> None:
    """A party went, and the association with it; the service answers the removal with any error."""
    granted = stage.create()
    stage.scenery.remove(party)
    stage.fault("error", stage.kind.disassociate, error_code=code, status=400, count=None)

    assert stage.delete(granted.id.text) in {Removal.ABSENT, Removal.REVOKED}


@case("delete")
def test_a_delete_that_is_denied_while_it_is_there_fails(stage: Stage) -> None:
    """The look says that it is still granted."""
    granted = stage.create()
    stage.fault("error", stage.kind.disassociate, error_code="AccessDeniedException", status=403, count=None)

    with pytest.raises(AssociationError):
        stage.delete(granted.id.text)
    assert stage.granted() == {stage.identity()}


# -- a party that has become another ----------------------------------------------------------------------------------


@case("renews")
def test_an_update_that_heals_applies_what_has_become_of_a_party(stage: Stage) -> None:
    """A new version of the package: associated again, waited for, the same id. Without one nothing is changed."""
    granted = stage.create()
    stage.scenery.slow(adding=100)
    stage.control.opensearch.update_package(stage.scenery.values["package_id"])

    assert stage.update(granted.id.text).how is How.KEPT
    renewed = stage.update(granted.id.text, heal=True)
    assert (renewed.how, renewed.id) == (How.RENEWED, granted.id)
    (now,) = stage.control.opensearch.associations()
    assert (now.version, now.status) == (2, "ACTIVE")

    assert stage.update(granted.id.text, heal=True).how is How.KEPT
    assert stage.delete(granted.id.text) is Removal.REVOKED


@case("update")
def test_an_update_that_heals_writes_nothing_where_nothing_is_to_be_applied(stage: Stage) -> None:
    """What is there is kept; only a kind that renews asks its service once."""
    granted = stage.create()
    stage.scenery.reject_duplicates()

    assert stage.update(granted.id.text, heal=True).how is How.KEPT
    assert len(stage.writes()) == 1 + stage.kind.renews
