"""The bucket behind the ResponseURL."""

import datetime
import http.client
import json
import threading
import time
import urllib.parse
from collections.abc import Callable
from typing import Any

import pytest

from engines.response_sink import BadAnswer, Event, ResponseSink


def put(
    sink: ResponseSink,
    event: Event,
    body: bytes,
    *,
    method: str = "PUT",
    headers: dict[str, str | None] | None = None,
    timeout: float = 5,
) -> int:
    """Send the body to the event's URL as a function would; return the HTTP status."""
    url = urllib.parse.urlsplit(event["ResponseURL"])
    standard: dict[str, str | None] = {"content-type": "", "content-length": str(len(body))}
    connection = http.client.HTTPSConnection(
        str(url.hostname), url.port, context=sink.certificate.client_context(), timeout=timeout
    )
    try:
        connection.putrequest(method, f"{url.path}?{url.query}")
        for name, value in {**standard, **(headers or {})}.items():
            if value is not None:
                connection.putheader(name, value)
        connection.endheaders(body)
        return connection.getresponse().status
    finally:
        connection.close()


def good(event: Event, **members: Any) -> dict[str, Any]:
    """Return an answer that breaks no rule, with some members replaced."""
    return {
        "Status": "SUCCESS",
        "PhysicalResourceId": "id-1",
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
        "Data": {"Name": "n", "Count": 1, "On": True},
        **members,
    }


def encoded(content: Any) -> bytes:
    """Return the content as a body."""
    return json.dumps(content).encode()


@pytest.fixture
def event(sink: ResponseSink) -> Event:
    """Let the sink expect an answer."""
    return sink.event("Create", "Custom::Toy", {"Name": "n", "Count": 3, "On": True, "Tags": [{"Key": 1}]})


def test_a_good_answer_is_returned_typed(sink: ResponseSink, event: Event) -> None:
    """A body that keeps every rule comes back with its members."""
    assert put(sink, event, encoded(good(event))) == 200
    answer = sink.answer(event)
    assert answer.status == "SUCCESS"
    assert answer.physical_resource_id == "id-1"
    assert answer.reason is None
    assert answer.data == {"Name": "n", "Count": 1, "On": True}


def test_the_event_looks_like_cloudformations(sink: ResponseSink, event: Event) -> None:
    """Scalars are strings, ServiceToken is among the properties, and the URL is signed with a secret of its own."""
    assert event["ResourceProperties"] == {
        "ServiceToken": event["ServiceToken"],
        "Name": "n",
        "Count": "3",
        "On": "true",
        "Tags": [{"Key": "1"}],
    }
    other = sink.event("Delete", "Custom::Toy", {}, physical_resource_id="id-1", LogicalResourceId="B", StackId=None)
    assert other["PhysicalResourceId"] == "id-1"
    assert other["LogicalResourceId"] == "B"
    assert "StackId" not in other
    assert sink.signature(event) != sink.signature(other)
    assert sink.signature(event) in event["ResponseURL"]


def test_the_url_tells_when_it_was_signed(sink: ResponseSink) -> None:
    """An event can be made to look as if it had been waiting."""
    signed_at = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)
    event = sink.event("Create", "Custom::Toy", {}, signed_at=signed_at)
    assert "X-Amz-Date=20260102T030405Z" in event["ResponseURL"]


def test_update_and_delete_need_an_id(sink: ResponseSink) -> None:
    """An event that CloudFormation would never send is refused, unless it is asked for by name."""
    with pytest.raises(ValueError, match="physical_resource_id"):
        sink.event("Delete", "Custom::Toy", {})
    with pytest.raises(ValueError, match="old_properties"):
        sink.event("Update", "Custom::Toy", {}, physical_resource_id="id-1")
    assert "PhysicalResourceId" not in sink.event("Delete", "Custom::Toy", {}, PhysicalResourceId=None)


def without(member: str) -> Callable[[Event], bytes]:
    """Return a maker of good bodies that lack one member."""
    return lambda event: encoded({name: value for name, value in good(event).items() if name != member})


def with_members(**members: Any) -> Callable[[Event], bytes]:
    """Return a maker of good bodies with some members replaced."""
    return lambda event: encoded(good(event, **members))


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (lambda _: b"{", "body is not JSON"),
        (lambda _: b"[]", "body is not a JSON object"),
        (lambda _: b'{"Status": "SUCCESS", "Status": "SUCCESS"}', "appears twice"),
        (lambda _: b'{"Data": {"Ratio": NaN}}', "NaN is no JSON"),
        (lambda _: b"\xff\xfe", "body is not JSON"),
        (with_members(Data={"Text": "x" * 4096}), "more than 4096"),
        (without("Status"), "Status is missing"),
        (with_members(Status="success"), "not SUCCESS or FAILED"),
        (without("PhysicalResourceId"), "PhysicalResourceId is missing"),
        (with_members(PhysicalResourceId=""), "PhysicalResourceId is empty"),
        (with_members(PhysicalResourceId=7), "PhysicalResourceId is not a string"),
        (with_members(PhysicalResourceId="ä" * 513), "more than 1024"),
        (with_members(StackId="other"), "StackId is 'other'"),
        (with_members(RequestId="other"), "RequestId is 'other'"),
        (with_members(LogicalResourceId="other"), "LogicalResourceId is 'other'"),
        (with_members(Status="FAILED"), "Reason is missing"),
        (with_members(Status="FAILED", Reason=""), "Reason is missing"),
        (with_members(Reason=5), "Reason is not a string"),
        (with_members(Data=[]), "Data is not an object"),
        (with_members(Data={"Nested": {}}), "Data.Nested is dict"),
        (with_members(Data={"Nothing": None}), "Data.Nothing is NoneType"),
        (with_members(NoEcho="true"), "NoEcho is 'true'"),
        (with_members(Extra=1), "Extra is not a member"),
    ],
)
def test_each_rule_of_the_body_is_judged(
    sink: ResponseSink, event: Event, body: Callable[[Event], bytes], problem: str
) -> None:
    """A body that breaks a rule is reported with that rule's name."""
    assert put(sink, event, body(event)) == 200
    with pytest.raises(BadAnswer, match=problem):
        sink.answer(event)


@pytest.mark.parametrize(
    ("method", "headers", "status", "problem"),
    [
        ("POST", {}, 403, "method is POST"),
        ("PUT", {"content-type": "application/json"}, 403, "content-type is 'application/json'"),
        ("PUT", {"content-length": "20"}, 200, "the body is longer"),
        ("PUT", {"content-length": "many"}, 403, "no number of bytes"),
        ("PUT", {"content-length": None, "transfer-encoding": "chunked"}, 403, "no number of bytes but 'chunked'"),
    ],
)
def test_each_rule_of_the_request_is_judged(
    sink: ResponseSink, event: Event, method: str, headers: dict[str, str | None], status: int, problem: str
) -> None:
    """A request that breaks a rule is reported, and refused where the real bucket refuses it."""
    assert put(sink, event, encoded(good(event)), method=method, headers=headers) == status
    with pytest.raises(BadAnswer, match=problem):
        sink.answer(event)


def test_every_broken_rule_is_named(sink: ResponseSink, event: Event) -> None:
    """The error lists all that is wrong, not only what is found first."""
    put(sink, event, encoded({"Status": "FAILED"}))
    with pytest.raises(BadAnswer) as caught:
        sink.answer(event)
    assert len(caught.value.problems) == 5


def test_silence_is_a_bad_answer(sink: ResponseSink, event: Event) -> None:
    """An event that nobody answered is told apart from one that was."""
    with pytest.raises(BadAnswer, match="no answer"):
        sink.answer(event)


def test_a_second_answer_is_a_bad_answer(sink: ResponseSink, event: Event) -> None:
    """Once an answer was acknowledged nothing may follow."""
    body = encoded(good(event))
    put(sink, event, body)
    put(sink, event, body)
    with pytest.raises(BadAnswer, match="1 more sent after"):
        sink.answer(event)
    assert [answer.problems for answer in sink.answers(event)] == [(), ()]


def test_a_retry_must_repeat_the_answer(sink: ResponseSink, event: Event) -> None:
    """After a failed PUT the same body may come again, another may not."""
    sink.refuse(503)
    assert put(sink, event, encoded(good(event))) == 503
    assert put(sink, event, encoded(good(event))) == 200
    assert sink.answer(event).status == "SUCCESS"
    other = sink.event("Create", "Custom::Toy", {})
    sink.refuse(500)
    put(sink, other, encoded(good(other)))
    put(sink, other, encoded(good(other, PhysicalResourceId="id-2")))
    with pytest.raises(BadAnswer, match="differ"):
        sink.answer(other)


def test_a_stranger_is_refused(sink: ResponseSink, event: Event) -> None:
    """A URL that this sink did not sign is refused and remembered."""
    forged = {**event, "ResponseURL": event["ResponseURL"].replace("X-Amz-Signature=", "X-Amz-Signature=0")}
    assert put(sink, forged, encoded(good(event))) == 403
    assert sink.answers(event) == []
    assert len(sink.strays) == 1


def test_faults_come_in_the_order_they_were_asked_for(sink: ResponseSink, event: Event) -> None:
    """Refusals, cuts before and after the effect, and slowness each happen as often as told, then never again."""
    body = encoded(good(event))
    sink.refuse(403)
    sink.cut()
    sink.cut(after_storing=True)
    sink.slow(0.2)
    assert put(sink, event, body) == 403
    for _ in range(2):
        with pytest.raises((http.client.HTTPException, OSError)):
            put(sink, event, body)
    started = time.monotonic()
    assert put(sink, event, body) == 200
    assert time.monotonic() - started >= 0.2
    assert [answer.outcome for answer in sink.answers(event)] == ["refused", "cut", "cut after storing", "stored"]
    assert sink.answer(event).stored


def test_a_hanging_sink_can_be_left(sink: ResponseSink, event: Event) -> None:
    """A client that hangs meets its own time-out, and the sink still ends at once."""
    sink.hang()
    with pytest.raises(TimeoutError):
        put(sink, event, encoded(good(event)), timeout=0.2)
    assert [answer.outcome for answer in sink.answers(event)] == ["hung"]


def test_an_answer_can_be_waited_for(sink: ResponseSink, event: Event) -> None:
    """Waiting ends when the answer is there."""
    sender = threading.Timer(0.1, put, (sink, event, encoded(good(event))))
    sender.start()
    assert sink.answer(event, wait=5).status == "SUCCESS"
    sender.join()
