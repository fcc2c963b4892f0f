"""The function's table: the round trips to it, and what happens when it does not answer."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator

import boto3
import pytest

from aws_associations.dynamodb import DynamoDBLedger
from aws_associations.service import Services
from aws_associations_lambda import index
from aws_associations_lambda.responder import AnswerNotDeliveredError
from engines.response_sink import Event, RequestType
from finspace_emulator.server import EmulatorServer
from tests.contract.scenery import OTHERS
from tests.handlers.stage import ACCOUNT, GROUP, MARKER, REGION, TABLE, USER, Stage, shown
from tests.ledger.faults import Table, answers, cancels, refuses

READ, WRITE = "BatchGetItem", "TransactWriteItems"
FAILS = answers(500, '{"__type": "com.amazonaws#InternalServerError"}')


@pytest.fixture
def table(stage: Stage, server: EmulatorServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Table]:
    """The function's table, with clients of its own, so that what they meet ends with the test."""
    assert stage
    services = Services(index._services.utc_now)
    monkeypatch.setattr(index, "_services", services)
    others = boto3.session.Session(OTHERS, "somebody-elses", region_name=REGION)
    client = others.client("dynamodb", endpoint_url=server.url)
    arn = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{TABLE}"
    yield Table(services, DynamoDBLedger(services, TABLE, REGION), client, arn, "")
    client.close()


def request(stage: Stage, request_type: RequestType, age: float = 0.0) -> Event:
    """A request that CloudFormation made so many seconds ago, whose own work would be to write."""
    signed = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=age)
    physical_id = None if request_type == "Create" else stage.id()
    more = {"old_properties": stage.properties()} if request_type == "Update" else {}
    properties = stage.properties(user="bob") if request_type == "Update" else None
    return stage.event(request_type, properties, physical_resource_id=physical_id, signed_at=signed, **more)


REQUESTS = pytest.mark.parametrize("request_type", ["Create", "Update", "Delete"])
AFTER = {"Create": {(GROUP, USER)}, "Update": {(GROUP, USER), (GROUP, "bob")}, "Delete": set()}
"""Who is a member once the request is served."""


def before(stage: Stage, request_type: RequestType) -> None:
    """What is there before the request: for an Update and a Delete the membership, granted an hour ago."""
    stage.add(GROUP, "bob")
    if request_type != "Create":
        stage.create(signed_at=datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=1))
    stage.control.clear_journal()


# -- what it costs -----------------------------------------------------------------------------------------------------


def test_an_ordinary_life_makes_few_round_trips(stage: Stage, table: Table) -> None:
    """A create 4, an update to another identity 4, one that keeps it 2 at most 3, a delete 3."""
    stage.add(GROUP, "bob")

    def trips(serve: Callable[[], object]) -> list[str]:
        table.sent.clear()
        serve()
        return list(table.sent)

    assert trips(stage.create) == [READ, WRITE, WRITE, WRITE]
    assert trips(lambda: stage.update(stage.id(), stage.properties(OnExisting="Adopt"))) == [READ, WRITE, WRITE]
    assert trips(lambda: stage.update(stage.id(), stage.properties(user="bob"))) == [READ, WRITE, WRITE, WRITE]
    assert trips(lambda: stage.delete(stage.id(user="bob"))) == [READ, WRITE, WRITE]


# -- it does not answer ------------------------------------------------------------------------------------------------

Broken = tuple[Callable[[Table, pytest.MonkeyPatch], object], str]


def _unreachable(_: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:1")
    monkeypatch.setattr(index, "_services", Services())
    index._lifecycle.cache_clear()


def _not_named(_: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(index.LEDGER_TABLE)
    index._lifecycle.cache_clear()


FAULTS: dict[str, Broken] = {
    "missing": (
        lambda table, _: table.client.delete_table(TableName=TABLE),
        f"DynamoDB table {TABLE} in {REGION} cannot be used: BatchGetItem answered ResourceNotFoundException, Requested"
        " resource not found. Create or restore the table, or correct its name, account and region.",
    ),
    "denied": (
        lambda table, _: table.always_meet(READ, refuses("AccessDeniedException", "not authorized")),
        "Allow dynamodb:BatchGetItem on the table, and the use of its key if it has one.",
    ),
    "not to be written": (
        lambda table, _: table.always_meet(WRITE, refuses("AccessDeniedException", "not authorized")),
        "Allow dynamodb:PutItem and dynamodb:DeleteItem on the table",
    ),
    "throttled": (
        lambda table, _: table.always_meet(READ, refuses("ThrottlingException", "Throughput exceeds")),
        "Wait until the ledger answers, then ",
    ),
    "busy": (
        lambda table, _: table.always_meet(WRITE, cancels("ThrottlingError")),
        "Wait until the ledger answers, then ",
    ),
    "unreachable": (_unreachable, "or correct or unset the environment variable AWS_ENDPOINT_URL_DYNAMODB. Then "),
    "not named": (
        _not_named,
        "the function's environment variable LEDGER_TABLE names no table. Deploy the function with its own template",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
@REQUESTS
def test_without_its_table_the_function_writes_nothing(
    stage: Stage, table: Table, monkeypatch: pytest.MonkeyPatch, request_type: RequestType, fault: str
) -> None:
    """A young request fails its invocation, for Lambda to deliver it again; an old one answers what is wrong."""
    before(stage, request_type)
    members = stage.members()
    break_it, told = FAULTS[fault]
    break_it(table, monkeypatch)
    young, old = request(stage, request_type), request(stage, request_type, age=180.0)

    with pytest.raises(AnswerNotDeliveredError, match="LEDGER_TABLE" if fault == "not named" else TABLE):
        stage.deliver(young)
    assert stage.sink.answers(young) == []
    assert [line["level"] for line in stage.lines.named("tried-again-later")] == ["WARNING"]

    answer = stage.answer(old)
    assert shown(answer) == ("FAILED", MARKER if request_type == "Create" else stage.id())
    assert told in str(answer.reason)
    assert "ServiceUnavailable" in str(answer.reason)
    assert stage.control.journal() == []
    assert stage.members() == members
    if fault == "missing":
        table.client.create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": "key", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "key", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )


@REQUESTS
def test_lambdas_next_delivery_finds_the_table_and_serves(
    stage: Stage, table: Table, request_type: RequestType
) -> None:
    """What was put off is done as if nothing had been, the same request under the same id."""
    before(stage, request_type)
    event = request(stage, request_type)
    table.always_meet(READ, FAILS)
    with pytest.raises(AnswerNotDeliveredError):
        stage.deliver(event)
    table.meet(READ)

    answer = stage.answer(event)

    assert answer.status == "SUCCESS"
    assert stage.members() == AFTER[request_type]


@pytest.mark.parametrize("point", range(4))
@pytest.mark.parametrize("lost", ["the request", "the answer"])
@REQUESTS
def test_whatever_write_fails_the_next_delivery_ends_the_work(
    stage: Stage, table: Table, request_type: RequestType, lost: str, point: int
) -> None:
    """Before or after the service was called: the next delivery takes up what the records say."""
    before(stage, request_type)
    event = request(stage, request_type)
    first = table.cut_after_effect if lost == "the answer" else FAILS
    table.meet(WRITE, *[lambda _: None] * point, first, *[FAILS] * 3)  # the SDK tries four times
    try:
        stage.deliver(event)
    except AnswerNotDeliveredError:
        table.meet(WRITE)
        stage.deliver(event, seconds=300)
    table.meet(WRITE)

    assert stage.sink.answer(event).status == "SUCCESS"
    assert stage.members() == AFTER[request_type]
    assert stage.stacks.asked == []
    left = stage.delete(stage.id(user="bob") if request_type == "Update" else stage.id())
    assert left.status == "SUCCESS"


def test_a_delete_that_could_not_be_recorded_succeeds_when_it_is_tried_again(stage: Stage, table: Table) -> None:
    """Too old to be delivered again it answers FAILED; the next Delete of the stack finds it revoked, and succeeds."""
    before(stage, "Delete")
    table.meet(WRITE, lambda _: None, *[FAILS] * 40)

    failed = stage.answer(request(stage, "Delete", age=180.0))

    assert shown(failed) == ("FAILED", stage.id())
    table.meet(WRITE)
    again = stage.answer(request(stage, "Delete"), seconds=360)  # it waits for the end of the first one's lease
    assert shown(again) == ("SUCCESS", stage.id())
    assert stage.members() == set()


def test_an_emptied_table_makes_no_stack_undeletable(stage: Stage, table: Table) -> None:
    """An id in a stack is itself a claim: what the lost records granted is kept, replaced and revoked as before."""
    stage.add(GROUP, "bob")
    stage.create()
    for item in table.client.scan(TableName=TABLE)["Items"]:
        table.client.delete_item(TableName=TABLE, Key={"key": item["key"]})

    assert shown(stage.update(stage.id(), stage.properties(user="bob"))) == ("SUCCESS", stage.id(user="bob"))
    stage.stack.happens("UPDATE_COMPLETE", "Membership", stage.id(user="bob"))
    assert stage.delete(stage.id()).reason == "Revoked"
    assert stage.members() == {(GROUP, "bob")}


def test_the_records_of_a_deleted_resource_expire(stage: Stage, table: Table) -> None:
    """A day after its Delete its record may go, that of the association at once: the table does not grow for ever."""
    stage.create()
    stage.delete(stage.id())

    (left,) = table.client.scan(TableName=TABLE)["Items"]
    assert left["key"]["S"].startswith("resource/cloudformation/arn")
    in_a_day = datetime.datetime.now(datetime.UTC).timestamp() + 86_400
    assert in_a_day - 300 < int(left["expires"]["N"]) < in_a_day + 300
