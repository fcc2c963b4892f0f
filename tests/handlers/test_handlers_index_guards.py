"""The guards of what a request answers and remembers, one by one: each is needless until its sequence is seen."""

from __future__ import annotations

import datetime

import pytest

from aws_associations_lambda import index
from aws_associations_lambda.host import CloudFormationHost
from aws_associations_lambda.responder import AnswerNotDeliveredError
from tests.handlers.stage import ASSOCIATE, GROUP, LOOK, MARKER, USER, Stage, shown


def test_an_adoption_that_is_delivered_again_stays_one(stage: Stage) -> None:
    """What this process adopted it did not grant: without the flag a rollback would revoke it."""
    stage.grant()
    event = stage.event("Create", stage.properties(OnExisting="Adopt"))

    assert shown(stage.answer(event)) == ("SUCCESS", stage.id(adopted=True))
    stage.deliver(event)

    assert index.handler.PhysicalResourceId == stage.id(adopted=True)
    assert ASSOCIATE not in stage.calls()


def test_a_refusal_says_what_could_not_be_told(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whose it is might be known with a permission that the function's role lacks: the Reason names it."""
    monkeypatch.setenv("AWS_LAMBDA_LOG_GROUP_NAME", "")
    stage.grant()

    answer = stage.create()

    assert shown(answer) == ("FAILED", MARKER)
    assert answer.reason is not None
    assert "AlreadyExists" in answer.reason
    assert "it could not be told whether another delivery of this request granted it" in answer.reason
    assert stage.members() == {(GROUP, USER)}


def minutes_ago(minutes: float) -> datetime.datetime:
    """When CloudFormation made a request that Lambda delivers again."""
    return datetime.datetime.now(datetime.UTC) - datetime.timedelta(minutes=minutes)


def test_a_late_delivery_that_may_not_ask_its_stack_grants_nothing(stage: Stage) -> None:
    """Nobody can tell whether it is waited for: a repetition after a rollback would grant what nobody revokes."""
    answer = stage.create(signed_at=minutes_ago(3))

    assert answer.status == "FAILED"
    assert ASSOCIATE not in stage.calls()
    assert stage.members() == set()


def test_a_late_refusal_says_that_an_earlier_delivery_may_have_granted_it(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log that would tell cannot be read, and nobody will revoke it: an alarm can match the line."""
    monkeypatch.setenv("AWS_LAMBDA_LOG_GROUP_NAME", "")
    monkeypatch.setattr(CloudFormationHost, "live", lambda _: True)
    stage.grant()

    assert shown(stage.create(signed_at=minutes_ago(3))) == ("FAILED", MARKER)
    assert len(stage.lines.named("may-remain")) == 1


def test_two_resources_of_a_stack_have_tokens_of_their_own(stage: Stage) -> None:
    """With one token the second one's grant would be taken for a repetition of the first one's."""
    first = []
    for name in ("A", "B"):
        stage.control.clear_journal()
        physical_id = stage.create(LogicalResourceId=name).physical_resource_id
        first.append(stage.control.journal(ASSOCIATE)[0].client_token)
        stage.delete(str(physical_id), LogicalResourceId=name)

    assert first[0] != first[1]


def test_what_a_retry_undid_is_not_answered(stage: Stage) -> None:
    """Granted, the answer lost, revoked by others, then granted without an answer and undone: the old id is answered.

    With the new one CloudFormation's cleanup would revoke what somebody may have granted since.
    """
    stage.add(GROUP, "bob")
    stage.create()
    event = stage.event(
        "Update",
        stage.properties(user="bob"),
        physical_resource_id=stage.id(),
        old_properties=stage.properties(),
    )
    stage.sink.refuse(503, times=50)
    with pytest.raises(AnswerNotDeliveredError):
        stage.deliver(event, seconds=6)
    stage.sink.forgive()
    assert stage.control.revoke(stage.environment, GROUP, "bob")
    stage.control.add_fault("internal_error", operation=ASSOCIATE, when="after", count=None)
    stage.control.add_fault("error", operation=LOOK, error_code="AccessDeniedException", skip=2)

    stage.deliver(event)

    (stored,) = [answer for answer in stage.sink.answers(event) if answer.stored]
    assert shown(stored) == ("FAILED", stage.id())
