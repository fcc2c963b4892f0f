"""Every error that a service publishes, throttling, and access denied: what each means, for every kind."""

from __future__ import annotations

import itertools

import botocore.endpoint
import pytest

from aws_associations.errors import (
    AccessDenied,
    AlreadyExists,
    AssociationError,
    NotFound,
    NotStabilized,
    Passing,
    ResourceConflict,
    ServiceUnavailable,
    Throttling,
)
from aws_associations.lifecycle import How, Removal
from aws_associations.service import LONGEST_CALL
from tests.contract.cases import (
    Modelled,
    case,
    case_of_each_error,
    case_of_each_reason,
    case_of_each_transient,
)
from tests.contract.stage import Stage
from tests.core.world import WORDS


def _unknown(stage: Stage, error: Modelled) -> bool:
    """Whether the service itself failed: without a reason that says so it did not refuse, whatever the status."""
    return error.status >= 500 or _fails(stage, error.code)


def _fails(stage: Stage, code: str) -> bool:
    """Whether the error means that the service failed."""
    return stage.kind.errors[code] is ServiceUnavailable


@case_of_each_error("errors", lambda kind: kind.associate)
def test_an_error_of_the_associate_call_has_its_declared_meaning(stage: Stage, error: Modelled) -> None:
    """Its class, and a whole message; unknown if the service failed, else definite; repeated only if it passes."""
    stage.fault("error", error.operation, error_code=error.code, count=None)

    with pytest.raises(AssociationError) as caught:
        stage.create()

    meaning = stage.kind.errors[error.code]
    unknown = _unknown(stage, error)
    assert type(caught.value) is meaning
    assert error.code in stage.message(caught.value, "creating")
    assert error.operation in caught.value.cause
    assert caught.value.outcome_unknown is unknown
    assert stage.pending() == ({stage.identity()} if unknown else set())
    assert stage.granted() == set()
    attempts = [entry.client_token for entry in stage.journal(error.operation)]
    waited_for = caught.value.passing not in (None, Passing.OUTAGE)
    if waited_for or error.status >= 500 or meaning is Throttling:
        assert len(attempts) > 1
        assert len(set(attempts)) == 1
    elif meaning is ResourceConflict and stage.kind.token is not None:
        assert len(attempts) == len(set(attempts)) == len(stage.kind.token.associate)
    else:
        assert len(attempts) == 1


@case_of_each_error("errors", lambda kind: kind.disassociate)
def test_an_error_of_the_disassociate_call_has_its_declared_meaning(stage: Stage, error: Modelled) -> None:
    """A party that is not found is success; everything else is an error, and it is still granted."""
    granted = stage.create()
    stage.fault("error", error.operation, error_code=error.code, count=None)
    meaning = stage.kind.errors[error.code]

    if meaning is NotFound:
        assert stage.delete(granted.id.text) is Removal.ABSENT
        return
    with pytest.raises(AssociationError) as caught:
        stage.delete(granted.id.text)

    assert type(caught.value) is meaning
    assert error.code in stage.message(caught.value, "deleting")
    assert error.operation in caught.value.cause
    assert caught.value.outcome_unknown is _unknown(stage, error)
    assert stage.granted() == {stage.identity()}


@case_of_each_error("errors", lambda kind: kind.look.operation)
def test_an_error_of_the_look_is_never_absence(stage: Stage, error: Modelled) -> None:
    """Only a party that is not found is; any other is an error of the read, and no delete is a success under it."""
    stage.scenery.grant(stage.scenery.values)
    stage.fault("error", error.operation, error_code=error.code, count=None)
    meaning = stage.kind.errors[error.code]

    if meaning is NotFound:
        assert stage.read() is None
        assert stage.delete() is Removal.REVOKED
        return
    with pytest.raises(AssociationError) as caught:
        stage.read()

    assert type(caught.value) is meaning
    assert error.code in stage.message(caught.value, "reading")
    assert error.operation in caught.value.cause
    assert not caught.value.outcome_unknown
    with pytest.raises(meaning):
        stage.delete()


@case_of_each_error("errors", lambda kind: kind.look.operation)
def test_a_create_that_cannot_look_concludes_nothing(stage: Stage, error: Modelled) -> None:
    """It writes nothing, or leaves its outcome unknown; a party that is not found is never seen to be granted."""
    stage.fault("error", error.operation, error_code=error.code, count=None)
    request, meaning = stage.request(seconds=60), stage.kind.errors[error.code]

    with pytest.raises(NotStabilized if meaning is NotFound else meaning) as caught:
        stage.create(request)

    assert caught.value.outcome_unknown is (stage.kind.associate in stage.writes())
    assert stage.pending() == ({stage.identity()} if caught.value.outcome_unknown else set())
    assert stage.granted() == ({stage.identity()} if caught.value.outcome_unknown else set())


@case_of_each_error("exchange", lambda kind: kind.exchange.operation if kind.exchange else None)
def test_an_error_of_the_exchange_has_its_declared_meaning(stage: Stage, error: Modelled) -> None:
    """Nothing was sent with the credentials that never came: definite, whatever the error."""
    stage.fault("error", error.operation, error_code=error.code, count=None)

    with pytest.raises(stage.kind.errors[error.code]) as caught:
        stage.create()

    assert error.operation in stage.message(caught.value, "creating")
    assert not caught.value.outcome_unknown
    assert stage.pending() == set()
    assert stage.writes() == []


@case_of_each_transient("transient")
def test_a_rejection_that_passes_is_waited_out(stage: Stage, code: str, reason: str) -> None:
    """Rejected twice, by whichever call, then served: created, and nothing else happened."""
    members = {"Reason": reason} if reason else {}
    for operation in (stage.kind.associate, stage.kind.look.operation, stage.kind.disassociate):
        stage.fault("error", operation, error_code=code, members=members, count=2)

    granted = stage.create()

    assert granted.how is How.CREATED
    assert stage.delete(granted.id.text) is Removal.REVOKED
    assert stage.writes() == [stage.kind.associate] * 3 + [stage.kind.disassociate] * 3


@case_of_each_transient("transient")
def test_a_rejection_that_does_not_pass_in_time_is_the_declared_error(stage: Stage, code: str, reason: str) -> None:
    """Repeated for half of the time; definite, unless the service itself failed: then it is waited out, and kept."""
    members = {"Reason": reason} if reason else {}
    stage.fault("error", stage.kind.associate, error_code=code, members=members, count=None)
    request, begun = stage.request(seconds=100), stage.control.now()

    with pytest.raises(stage.kind.errors[code]) as caught:
        stage.create(request)

    assert reason in stage.message(caught.value, "creating")
    unknown = stage.kind.errors[code] is ServiceUnavailable
    assert caught.value.outcome_unknown is unknown
    assert stage.pending() == ({stage.identity()} if unknown else set())
    assert len(stage.writes()) > 5
    assert 30 <= stage.control.now() - begun <= 60 + (LONGEST_CALL if unknown else 0)


@case("transient")
def test_another_reason_of_the_same_error_is_final(stage: Stage) -> None:
    """What no waiting mends ends after one attempt; a code that is transient whatever the reason has no other."""
    if stage.scenery.final is None:
        assert not any(stage.kind.transient.values())
        return
    code, reason = stage.scenery.final
    stage.fault("error", stage.kind.associate, error_code=code, members={"Reason": reason}, count=None)

    with pytest.raises(stage.kind.errors[code]) as caught:
        stage.create()

    assert reason in stage.message(caught.value, "creating")
    assert stage.writes() == [stage.kind.associate]


@case("retry after")
def test_a_throttled_call_comes_again_when_the_service_asked_for_it(stage: Stage) -> None:
    """Not before the seconds that it named, for every call."""
    operations = (stage.kind.associate, stage.kind.look.operation, stage.kind.disassociate)
    for operation in operations:
        stage.fault("throttled", operation, members={"RetryAfterSeconds": 30})

    stage.create()
    stage.delete()

    for operation in operations:
        first, second, *_ = stage.journal(operation)
        assert first.error_code is not None
        assert second.time - first.time >= 30


@case("retry after")
def test_a_service_that_asks_for_more_time_than_there_is_is_not_waited_for(stage: Stage) -> None:
    """The error comes now, while there is time to do something about it."""
    stage.fault("throttled", stage.kind.associate, members={"RetryAfterSeconds": 200}, count=None)
    begun = stage.control.now()

    with pytest.raises(Throttling) as caught:
        stage.create()

    stage.message(caught.value, "creating")
    assert stage.control.now() == begun
    assert stage.writes() == [stage.kind.associate]


@case_of_each_reason("reasons")
def test_a_reason_reaches_the_user_with_its_own_advice(stage: Stage, code: str, reason: str) -> None:
    """The error's reason is in the message, and the advice is the one for that reason."""
    stage.fault("error", stage.kind.associate, error_code=code, members={"Reason": reason}, count=None)

    with pytest.raises(stage.kind.errors[code]) as caught:
        stage.create()

    assert f"({reason})" in stage.message(caught.value, "creating")
    assert caught.value.advice == WORDS.say(stage.kind.advice[reason], stage.kind, "creating")
    assert caught.value.outcome_unknown is (_fails(stage, code) and reason not in stage.kind.refusals)


@case("throttling")
def test_throttled_calls_are_repeated(stage: Stage) -> None:
    """Twice each: created and revoked all the same, by the SDK's own attempts."""
    for operation in stage.kind.operations:
        stage.fault("throttled", operation, count=2)

    assert stage.create().how is How.CREATED
    assert stage.delete() is Removal.REVOKED
    assert stage.writes() == [stage.kind.associate] * 3 + [stage.kind.disassociate] * 3


@case("throttling")
def test_throttling_that_does_not_end_is_definite(stage: Stage) -> None:
    """A throttled call has no effect, however often it is repeated."""
    stage.fault("throttled", stage.kind.associate, count=None)

    with pytest.raises(Throttling) as caught:
        stage.create()

    assert "fewer associations at once" in stage.message(caught.value, "creating")
    assert not caught.value.outcome_unknown
    assert stage.pending() == set()
    assert len(stage.writes()) >= 5


@case("throttling")
def test_a_throttled_look_is_no_absence(stage: Stage) -> None:
    """What is granted stays an error to a read that cannot look."""
    stage.scenery.grant(stage.scenery.values)
    stage.fault("throttled", stage.kind.look.operation, count=None)

    with pytest.raises(Throttling) as caught:
        stage.read()

    stage.message(caught.value, "reading")
    assert not caught.value.outcome_unknown


@case("throttled, then foreign")
def test_what_others_grant_while_we_are_throttled_is_theirs(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A throttled attempt had no effect, so a duplicate at the second one is somebody else's, not our own past."""
    stage.scenery.reject_duplicates()
    stage.fault("throttled", stage.kind.associate, count=1)
    slept, granted = stage.world.clock.sleep, itertools.count()

    def grant_meanwhile(seconds: float) -> None:
        if stage.writes() and next(granted) == 0:
            stage.scenery.grant(stage.scenery.values)
        slept(seconds)

    monkeypatch.setattr(botocore.endpoint.time, "sleep", grant_meanwhile)

    with pytest.raises(AlreadyExists) as caught:
        stage.create()

    assert next(granted) > 0
    assert not caught.value.outcome_unknown
    assert stage.pending() == set()
    assert stage.granted() == {stage.identity()}


@case("access denied")
def test_access_denied_is_never_absence(stage: Stage) -> None:
    """One attempt, one look after a removal, no conclusion, advice; nothing is unknown, because nothing was done."""
    stage.scenery.grant(stage.scenery.values)
    for operation in stage.kind.operations:
        stage.fault("error", operation, error_code="AccessDeniedException", status=403, count=None)

    with pytest.raises(AccessDenied) as reading:
        stage.read()
    with pytest.raises(AccessDenied) as deleting:
        stage.delete()
    assert len(stage.journal()) == (2 if stage.kind.look.exclusive else 3)
    with pytest.raises(AccessDenied) as creating:
        stage.create()

    for caught, verb in ((reading, "reading"), (creating, "creating"), (deleting, "deleting")):
        stage.message(caught.value, verb)
        assert not caught.value.outcome_unknown
    assert stage.kind.associate not in stage.writes()
    assert stage.granted() == {stage.identity()}


@case("access denied")
def test_an_update_that_nobody_asked_to_look_is_kept_without(stage: Stage) -> None:
    """The ledger has its claim, so the service is not asked; an update that was asked to heal is an error."""
    granted = stage.create()
    stage.fault("error", stage.kind.look.operation, error_code="AccessDeniedException", status=403, count=None)

    assert stage.update(granted.id.text).id == granted.id
    with pytest.raises(AccessDenied) as caught:
        stage.update(granted.id.text, heal=True)
    stage.message(caught.value, "updating")


@case("errors")
def test_a_service_that_cannot_be_reached_is_an_error(stage: Stage) -> None:
    """Every connection is cut: unavailable for the look and the removal, which is never taken for success."""
    stage.scenery.grant(stage.scenery.values)
    for operation in stage.kind.operations:
        stage.fault("cut", operation, count=None)

    with pytest.raises(ServiceUnavailable) as caught:
        stage.read()
    stage.message(caught.value, "reading")
    with pytest.raises(ServiceUnavailable):
        stage.delete()
    assert stage.granted() == {stage.identity()}


@case("errors")
def test_a_failure_that_the_sdk_does_not_repeat_is_unknown_all_the_same(stage: Stage) -> None:
    """One attempt, and the service failed in it: it may have taken effect, and here it has not."""
    stage.fault("error", stage.kind.associate, error_code="NotImplemented", status=501, count=None)

    with pytest.raises(ServiceUnavailable) as caught:
        stage.create()

    stage.message(caught.value, "creating")
    assert caught.value.outcome_unknown
    assert stage.pending() == {stage.identity()}
    assert stage.writes() == [stage.kind.associate]
