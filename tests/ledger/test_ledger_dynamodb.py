"""What the ledger in a DynamoDB table promises beside what every ledger does."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config

from aws_associations.dynamodb import DynamoDBLedger
from aws_associations.errors import InvalidRequest, LedgerUnavailable
from aws_associations.ledger import ChangedError, Record
from aws_associations.service import Services
from tests.ledger.faults import Fault, Table, answers, cancels, refuses

WRITE, READ = "TransactWriteItems", "BatchGetItem"


def test_an_item_is_what_the_table_s_owner_expects(table: Table) -> None:
    """Key, version and compact JSON are text, the expiry is the number that the time to live needs."""
    written, _ = table.ledger.write(
        Record("a", content={"z": 1, "b": [2]}, expires=1_800_000_000), Record("b", "", {"n": 1})
    )
    assert table.client.get_item(TableName="associations", Key={"key": {"S": "a"}}, ConsistentRead=True)["Item"] == {
        "key": {"S": "a"},
        "version": {"S": written.version},
        "record": {"S": '{"b":[2],"z":1}'},
        "expires": {"N": "1800000000"},
    }
    assert "expires" not in table.client.get_item(TableName="associations", Key={"key": {"S": "b"}})["Item"]


def test_reading_and_writing_are_one_request_each(table: Table) -> None:
    """Two records cost one round trip to read and one to write."""
    table.ledger.write(*(replace(each, content={"n": 1}) for each in table.ledger.read("a", "b")))
    assert table.sent == [READ, WRITE]


def test_a_lost_answer_to_our_own_write_is_success(table: Table) -> None:
    """The write took effect, the answer was lost, and the SDK's second attempt is not taken for another writer's."""
    table.meet(WRITE, table.cut_after_effect)
    written = table.ledger.write(Record("a", content={"n": 1}), Record("b", content={"n": 1}))
    assert table.ledger.read("a", "b") == written

    table.meet(WRITE, table.cut_after_effect)
    written = table.ledger.write(replace(written[0], content={"n": 2}), replace(written[1], content={}))
    assert table.ledger.read("a", "b") == written
    assert table.sent == [WRITE, WRITE, READ] * 2


@pytest.mark.parametrize("table", ["ministack"], indirect=True)
def test_a_lost_answer_to_a_removal_is_success(table: Table) -> None:
    """A store that remembers request tokens, as AWS does, tells our own removal from another writer's."""
    written = table.ledger.write(Record("a", content={"n": 1}))
    table.meet(WRITE, table.cut_after_effect)
    assert table.ledger.write(replace(written[0], content={})) == (Record("a"),)


def test_a_write_of_ours_before_throttling_is_success(table: Table) -> None:
    """The answer was lost and the second attempt throttled: the next try finds its own write."""
    table.meet(WRITE, table.cut_after_effect, cancels("ThrottlingError"))
    assert table.ledger.write(Record("a", content={"n": 1})) == table.ledger.read("a")


@pytest.mark.parametrize(
    "passing",
    [
        refuses("ThrottlingException"),
        cancels("ThrottlingError", "None"),
        cancels("None", "ProvisionedThroughputExceeded"),
    ],
    ids=["request", "transaction", "capacity"],
)
def test_throttling_that_passes_is_waited_out(table: Table, passing: Fault) -> None:
    """A write that is throttled twice is written."""
    table.meet(WRITE, passing, passing)
    written = table.ledger.write(Record("a", content={"n": 1}), Record("b", content={"n": 1}))
    assert table.sent == [WRITE] * 3
    assert table.ledger.read("a", "b") == written


def test_a_conflict_with_another_transaction_is_a_change(table: Table) -> None:
    """Somebody writes at the same moment: the record has to be read again."""
    table.meet(WRITE, cancels("TransactionConflict", "None"))
    with pytest.raises(ChangedError):
        table.ledger.write(Record("a", content={"n": 1}), Record("b", content={"n": 1}))
    assert table.sent == [WRITE]


def test_a_part_that_was_not_read_is_asked_for_again(table: Table) -> None:
    """DynamoDB answers what it has capacity for; the rest comes by asking for it."""
    written = table.ledger.write(Record("a", content={"n": 1}), Record("b", content={"n": 1}))
    left = '{"associations": {"Keys": [{"key": {"S": "a"}}, {"key": {"S": "b"}}]}}'
    table.meet(READ, answers(200, f'{{"Responses": {{}}, "UnprocessedKeys": {left}}}'))
    assert table.ledger.read("a", "b") == written

    table.always_meet(READ, answers(200, f'{{"Responses": {{}}, "UnprocessedKeys": {left}}}'))
    with pytest.raises(LedgerUnavailable, match=r"table associations in us-east-1 is throttled"):
        table.ledger.read("a", "b")
    assert table.sent == [WRITE, READ, READ, *[READ] * 4]


@pytest.mark.parametrize(
    ("fault", "cause", "advice"),
    [
        (
            refuses("ThrottlingException", "slow down"),
            "answered ThrottlingException, slow down",
            "until the ledger answers",
        ),
        (refuses("AccessDeniedException", "not you"), "answered AccessDeniedException, not you", "Allow dynamodb:"),
        (refuses("ExpiredTokenException"), "answered ExpiredTokenException", "renew the caller's credentials"),
        (refuses("ValidationException", "no such key"), "ValidationException, no such key", "partition key 'key'"),
        (answers(503, "<html>busy</html>"), "answered 503", "until the ledger answers"),
        (answers(200, "<html>sign in</html>"), "got an answer that is not the API's", "until the ledger answers"),
    ],
    ids=["throttled", "denied", "expired", "another table", "down", "a web page"],
)
@pytest.mark.parametrize("table", ["moto"], indirect=True)
def test_a_table_that_does_not_answer_is_named(table: Table, fault: Fault, cause: str, advice: str) -> None:
    """The message says which table, what happened and what to do, and nothing that must not be read."""
    table.always_meet(READ, fault)
    table.always_meet(WRITE, fault)
    works: dict[str, Callable[[], object]] = {
        READ: lambda: table.ledger.read("a"),
        WRITE: lambda: table.ledger.write(Record("a")),
    }
    for operation, work in works.items():
        with pytest.raises(LedgerUnavailable) as caught:
            work()
        text = str(caught.value)
        assert f"DynamoDB table associations in us-east-1 cannot be used: {operation} " in text
        assert cause in text
        assert advice in text
        assert "http" not in text.lower()


@pytest.mark.parametrize("table", ["moto"], indirect=True)
def test_an_answer_without_records_is_no_empty_table(table: Table) -> None:
    """What something between answers with success does not mean that nothing is stored."""
    table.always_meet(READ, answers(200, '{"message": "sign in"}'))
    with pytest.raises(LedgerUnavailable, match="got an answer that is not the API's"):
        table.ledger.read("a")


def test_who_may_not_is_told_the_actions(table: Table) -> None:
    """The message names the IAM actions of the operation that was denied."""
    table.always_meet(READ, refuses("AccessDeniedException"))
    table.always_meet(WRITE, refuses("AccessDeniedException"))
    with pytest.raises(LedgerUnavailable, match="Allow dynamodb:BatchGetItem on the table"):
        table.ledger.read("a")
    with pytest.raises(LedgerUnavailable, match="Allow dynamodb:PutItem and dynamodb:DeleteItem on the table"):
        table.ledger.write(Record("a"))


def test_a_missing_table_is_named(table: Table) -> None:
    """Neither reading nor writing takes a table that is not there for an empty one."""
    missing = DynamoDBLedger(table.services, "elsewhere", table.ledger.region)
    message = r"table elsewhere in us-east-1 .*ResourceNotFoundException.*Create or restore the table"
    with pytest.raises(LedgerUnavailable, match=message):
        missing.read("a")
    with pytest.raises(LedgerUnavailable, match=message):
        missing.write(Record("a", content={"n": 1}))


@pytest.mark.parametrize("table", ["moto"], indirect=True)
def test_an_unreachable_table_is_named(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    """No connection is no answer."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:9")
    with pytest.raises(
        LedgerUnavailable,
        match=r"in eu-west-1 .*BatchGetItem cannot reach 127\.0\.0\.1:9, which .* AWS_ENDPOINT_URL_DYNAMODB names",
    ):
        DynamoDBLedger(table.services, "associations", "eu-west-1").read("a")


def test_an_arn_tells_the_region(table: Table) -> None:
    """A table is the same by its name and by its ARN, whatever region the caller works in."""
    by_arn = DynamoDBLedger(table.services, table.arn, "eu-west-1")
    assert (by_arn.region, by_arn.name) == ("us-east-1", f"DynamoDB table {table.arn}")
    assert by_arn.write(Record("a", content={"n": 1})) == table.ledger.read("a") == by_arn.read("a")


@pytest.mark.parametrize(
    "name", ["", "ab", "a/b", "x" * 256, "arn:aws:s3:::bucket", "arn:aws:dynamodb:us-east-1:1:table/associations"]
)
@pytest.mark.parametrize("table", ["moto"], indirect=True)
def test_what_names_no_table_is_refused(table: Table, name: str) -> None:
    """A value that is neither a name nor an ARN is refused before anything is sent."""
    with pytest.raises(InvalidRequest, match="neither the name nor the ARN"):
        DynamoDBLedger(table.services, name, "us-east-1")


def test_declaring_a_ledger_loads_no_sdk() -> None:
    """Nothing of botocore is imported until the first call."""
    code = """if True:
        import sys
        from aws_associations.dynamodb import DynamoDBLedger
        from aws_associations.service import Services
        DynamoDBLedger(Services(), "associations", "eu-west-1")
        sys.exit("botocore" in sys.modules)"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("region", ["eu-west-1", "cn-north-1", "us-gov-west-1", "us-iso-east-1"])
@pytest.mark.parametrize("fips", ["false", "true"])
@pytest.mark.parametrize("dual_stack", ["false", "true"])
@pytest.mark.parametrize("table", ["moto"], indirect=True)
@pytest.mark.usefixtures("table")
def test_a_table_is_where_the_sdk_looks_for_it(
    monkeypatch: pytest.MonkeyPatch, region: str, fips: str, dual_stack: str
) -> None:
    """The shipped model, which knows two operations only, calls the hosts that botocore's own calls."""
    monkeypatch.delenv("AWS_ENDPOINT_URL_DYNAMODB")
    monkeypatch.setenv("AWS_USE_FIPS_ENDPOINT", fips)
    monkeypatch.setenv("AWS_USE_DUALSTACK_ENDPOINT", dual_stack)
    hosts = []

    def answer(request: Any, **_: object) -> AWSResponse | None:
        hosts.append(urlsplit(request.url).hostname)
        return answers(200, '{"Responses": {}}')(request)

    ours = Services().ledger_client(region)
    theirs = boto3.session.Session().client(
        "dynamodb", region_name=region, config=Config(account_id_endpoint_mode="disabled")
    )
    for client in (ours, theirs):
        client.meta.events.register_first("before-send", answer)
        client.batch_get_item(RequestItems={"associations": {"Keys": [{"key": {"S": "a"}}]}})
        client.close()
    assert hosts[0] == hosts[1]
    assert ours.meta.service_model.operation_names == ["BatchGetItem", "TransactWriteItems"]
