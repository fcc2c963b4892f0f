"""What crhelper does wrong (facts: CloudFormation), each cured: one answer for every request, nothing kept, no leak."""

from __future__ import annotations

import json
import logging
import random
import re
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from aws_associations.waiting import Clock, Deadline
from aws_associations_lambda import index, transport
from aws_associations_lambda.responder import AnswerNotDeliveredError, Responder
from engines.response_sink import ResponseSink
from tests.handlers.stage import ASSOCIATE, GROUP, LOOK, MARKER, TYPE, USER, Stage, shown


@pytest.fixture
def quick_delivery(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deliver within little more than a second, each attempt within half a second."""
    monkeypatch.setattr("aws_associations_lambda.responder._LONGEST_DELIVERY", 1.2)
    monkeypatch.setattr(transport, "_ATTEMPT_SECONDS", 0.5)


def work(monkeypatch: pytest.MonkeyPatch, what: Callable[..., Any]) -> None:
    """Let a Create do this instead."""
    monkeypatch.setattr(index.handler, "_create_func", what)


# -- construction ------------------------------------------------------------------------------------------------------

_IMPORT = """
import boto3
def forbidden(*args, **kwargs):
    raise AssertionError("a client was built")
boto3.client = boto3.Session.client = forbidden
from aws_associations_lambda import index
print(index.handler._init_failed, [name for name in vars(index.handler) if name.endswith("_client")])
"""


def test_import_builds_no_client_and_needs_no_region() -> None:
    """A cold start builds none of crhelper's clients, without a region and outside SAM, and fails nothing."""
    run = subprocess.run(
        [sys.executable, "-c", _IMPORT], env={"HOME": "/nowhere"}, capture_output=True, text=True, check=True
    )
    assert (run.stdout, run.stderr) == ("None []\n", "")


def test_construction_outside_sam_cannot_fail_on_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    """With AWS_SAM_LOCAL unset and no region a responder is whole, whatever boto3 would say."""
    for name in ("AWS_SAM_LOCAL", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    assert vars(Responder())["_init_failed"] is None


def test_a_failed_construction_is_answered_with_an_id(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """crhelper's init failure answers FAILED with a valid id and its cause, not with an empty id."""
    monkeypatch.setattr(index.handler, "_init_failed", RuntimeError("no such thing"))

    assert shown(stage.create()) == ("FAILED", MARKER)
    answer = stage.delete(stage.id())
    assert shown(answer) == ("FAILED", stage.id())
    assert answer.reason == "no such thing"


# -- ids ---------------------------------------------------------------------------------------------------------------


def test_no_id_is_random(stage: Stage) -> None:
    """The same failed Create answers the same id on every delivery, whatever the random generator says."""
    ids = set()
    for seed in (1, 2):
        random.seed(seed)
        ids.add(stage.create(stage.properties(user="nobody")).physical_resource_id)
    assert ids == {MARKER}


def test_a_marker_names_the_resource(stage: Stage) -> None:
    """Two resources whose Creates fail have two ids."""
    answer = stage.create({}, LogicalResourceId="Another")
    assert shown(answer) == ("FAILED", "not-created/Another")


@pytest.mark.parametrize("returned", ["", None, True])
def test_an_update_that_returns_no_id_keeps_the_old_one(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, returned: object
) -> None:
    """A handler that names no id never causes a replacement."""
    monkeypatch.setattr(index.handler, "_update_func", lambda *_: returned)

    assert stage.update(stage.id(), stage.properties()).physical_resource_id == stage.id()


# -- exactly one answer ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "raised", [SystemExit(1), KeyboardInterrupt(), RuntimeError("odd"), MemoryError(), GeneratorExit(), KeyError("x")]
)
def test_whatever_is_raised_is_answered(stage: Stage, monkeypatch: pytest.MonkeyPatch, raised: BaseException) -> None:
    """Every exception, SystemExit and KeyboardInterrupt too, is FAILED with a Reason that says what it was."""

    def fail(*_: object) -> None:
        raise raised

    work(monkeypatch, fail)

    answer = stage.create()

    assert shown(answer) == ("FAILED", MARKER)
    assert str(answer.reason).startswith(f"InternalFailure: the function ended with {type(raised).__name__}")


def test_a_defect_after_the_write_answers_the_real_id(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unexpected exception after the associate was sent keeps the id, so that the rollback revokes it."""

    def fail(*_: object) -> str:
        raise RuntimeError("a defect")

    monkeypatch.setattr(index, "_answer", fail)

    assert shown(stage.create()) == ("FAILED", stage.id())
    assert stage.members() == {(GROUP, USER)}


@pytest.mark.parametrize("request_type", ["Read", "create", "", "Create ", None, 7, ["Create"]])
@pytest.mark.parametrize("physical_id", ["something", None])
def test_an_unknown_request_type_is_failed(stage: Stage, request_type: object, physical_id: str | None) -> None:
    """A request type that CloudFormation may have some day is FAILED with the id it has, and does nothing."""
    answer = stage.answer(
        stage.event(
            "Delete", RequestType=request_type, physical_resource_id=physical_id, PhysicalResourceId=physical_id
        )
    )

    assert shown(answer) == ("FAILED", physical_id or MARKER)
    assert "request type" in str(answer.reason)
    assert stage.control.journal() == []


def test_an_unknown_resource_type_is_failed(stage: Stage) -> None:
    """A type that is not served is FAILED, the message names those that are; nothing of it is left to delete."""
    for answer, physical_id in [
        (stage.create(resource_type="Custom::Other"), MARKER),
        (stage.update("an-id", {}, resource_type="Custom::Other"), "an-id"),
        (stage.delete(stage.id(), resource_type="Custom::Other"), stage.id()),
    ]:
        assert shown(answer) == ("FAILED", physical_id)
        assert "Custom::Other" in str(answer.reason)
        assert TYPE in str(answer.reason)
    for never_granted in (MARKER, "stack-Membership-1ABC"):
        assert shown(stage.delete(never_granted, resource_type="Custom::Other")) == ("SUCCESS", never_granted)


def test_a_delete_does_not_sleep(real_time: Stage) -> None:
    """A Delete with all the time in the world is answered as soon as it is done."""
    event = real_time.event("Delete", physical_resource_id=MARKER)
    started = time.monotonic()

    real_time.deliver(event, seconds=900)

    assert time.monotonic() - started < 2
    assert real_time.sink.answer(event).status == "SUCCESS"


# -- the deadline guard ------------------------------------------------------------------------------------------------


def test_the_guard_answers_once_while_the_write_is_stuck(real_time: Stage) -> None:
    """A slow grant is answered for in time, once, with the id that may remain; the work sends nothing more."""
    real_time.warm_up()
    real_time.control.add_fault("slow", operation=ASSOCIATE, seconds=2.5)
    event = real_time.event("Create")
    started = time.monotonic()
    done = threading.Thread(target=real_time.deliver, args=(event,), kwargs={"seconds": 2.0})
    done.start()

    answer = real_time.sink.answer(event, wait=5)

    assert time.monotonic() - started < 2.0
    assert shown(answer) == ("FAILED", real_time.id())
    assert "NotStabilized" in str(answer.reason)
    assert "Whether the last request took effect is not known" in str(answer.reason)
    done.join()
    assert time.monotonic() - started > 2.5
    assert real_time.calls() == [LOOK, ASSOCIATE]
    assert real_time.sink.answer(event) == answer
    assert shown(real_time.delete(real_time.id())) == ("SUCCESS", real_time.id())
    assert real_time.members() == set()


def test_the_guard_answers_a_marker_before_the_write(real_time: Stage) -> None:
    """While nothing was sent that could grant, the guard's answer leaves nothing to clean up."""
    real_time.warm_up()
    real_time.control.add_fault("slow", operation=LOOK, seconds=1.5)
    event = real_time.event("Create")

    answer = real_time.answer(event, seconds=1.2)

    assert shown(answer) == ("FAILED", MARKER)
    assert real_time.calls() == [LOOK]
    assert real_time.members() == set()


@pytest.mark.parametrize(("seconds", "work"), [(360.0, 328.0), (60.0, 36.0), (10.0, 5.0)])
def test_the_work_ends_a_calls_time_before_the_guard(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, seconds: float, work: float
) -> None:
    """A call begun at the last moment has 20 seconds, or a fifth of a short invocation, before the guard answers."""
    given: list[float] = []

    class Recorded(Deadline):
        def __init__(self, clock: Clock, seconds: float) -> None:
            given.append(seconds)
            super().__init__(clock, seconds)

    monkeypatch.setattr(index, "Deadline", Recorded)

    stage.answer(stage.event("Create"), seconds=seconds)

    assert given == [pytest.approx(work, abs=0.5)]


class StoppedClock:
    """By which no deadline ever passes."""

    def now(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


def test_the_guard_ends_the_work_whatever_its_clock_says(real_time: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the guard has answered is over: a look that returns afterwards is followed by no write."""
    real_time.warm_up()
    monkeypatch.setattr(index, "SystemClock", StoppedClock)
    real_time.control.add_fault("slow", operation=LOOK, seconds=1.2)
    event = real_time.event("Create")

    assert shown(real_time.answer(event, seconds=1.0)) == ("FAILED", MARKER)
    assert real_time.calls() == [LOOK]


def test_the_guard_keeps_the_id_of_an_update_and_of_a_delete(real_time: Stage) -> None:
    """Cut short before any write of a new identity, Update and Delete answer the id they came with."""
    real_time.create()
    for request_type in ("Update", "Delete"):
        real_time.control.add_fault("slow", seconds=1.0)
        event = real_time.event(
            "Delete" if request_type == "Delete" else "Update",
            real_time.properties(user="bob"),
            physical_resource_id=real_time.id(),
            old_properties=real_time.properties(),
        )
        assert shown(real_time.answer(event, seconds=0.9)) == ("FAILED", real_time.id())


def test_the_invocation_ends_only_when_the_guard_has_delivered(
    real_time: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The work may end while the guard is answering: Lambda freezes the process then, so the handler waits."""
    real_time.warm_up()
    monkeypatch.setattr(Responder, "answering_seconds", staticmethod(lambda _: 4.0))
    monkeypatch.setattr(index, "READ_TIMEOUT", 0.1)
    real_time.control.add_fault("slow", operation=LOOK, seconds=1.2)
    real_time.sink.slow(0.8)
    event = real_time.event("Create")
    started = time.monotonic()

    real_time.deliver(event, seconds=5.0)

    assert time.monotonic() - started > 1.8
    assert shown(real_time.sink.answer(event)) == ("FAILED", MARKER)
    assert [line["attempts"] for line in real_time.lines.named("answered")] == [1]
    assert [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)] == []


def test_a_guard_that_cannot_deliver_fails_the_invocation(real_time: Stage) -> None:
    """If the guard's answer is lost, the invocation fails, so that Lambda delivers the request again."""
    real_time.warm_up()
    real_time.control.add_fault("slow", operation=LOOK, seconds=1.0)
    real_time.sink.cut(1)
    event = real_time.event("Create")

    with pytest.raises(AnswerNotDeliveredError):
        real_time.deliver(event, seconds=1.2)

    again = real_time.event("Create", RequestId=event["RequestId"])
    assert shown(real_time.answer(again)) == ("SUCCESS", real_time.id())


def test_the_guard_of_an_answered_request_is_gone(real_time: Stage) -> None:
    """A short request leaves no timer behind that could answer the next one."""
    event = real_time.event("Create")
    real_time.answer(event, seconds=1.0)

    time.sleep(1.0)

    assert len(real_time.sink.answers(event)) == 1


# -- nothing of one request reaches the next ---------------------------------------------------------------------------


def test_nothing_is_kept_for_the_next_request(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Data, NoEcho, Status, Reason and id of one request are not in the answer to the next."""

    def fill(*_: object) -> str:
        index.handler.Data, index.handler.NoEcho = {"Secret": "value"}, True
        index.handler.Reason = "of the first"
        return "the-first"

    work(monkeypatch, fill)
    first = stage.create()
    assert (first.physical_resource_id, first.data) == ("the-first", {"Secret": "value"})
    work(monkeypatch, lambda *_: "")

    second = stage.create()

    assert shown(second) == ("SUCCESS", MARKER)
    assert (second.data, second.no_echo, second.reason) == ({}, None, "Success")


def test_a_failure_is_not_kept_for_the_next_request(stage: Stage) -> None:
    """A FAILED request is followed by a SUCCESS, and the other way round."""
    wanting = stage.properties(user="nobody")
    statuses = [stage.create(properties).status for properties in (wanting, stage.properties(), wanting)]
    assert statuses == ["FAILED", "SUCCESS", "FAILED"]


def test_a_malformed_event_is_not_answered_to_the_previous_url(stage: Stage) -> None:
    """After a good request a broken event puts nothing to anybody."""
    event = stage.event("Create")
    stage.answer(event)

    for broken in ({"ResponseURL": event["ResponseURL"].replace("https", "http")}, {"ResponseURL": None}):
        stage.deliver({**event, **broken})

        assert [line["event"] for line in map(json.loads, stage.lines.text.splitlines())] == ["refused-event"]
        assert len(stage.sink.answers(event)) == 1


def test_members_of_crhelpers_own_do_not_steer(stage: Stage) -> None:
    """A forged event with crhelper's polling members is served as the request that it is."""
    forged: dict[str, Any] = {
        "CrHelperPoll": True,
        "CrHelperData": {"PhysicalResourceId": "forged", "Forged": "1"},
        "CrHelperRule": "arn:aws:events:us-east-1:123456789012:rule/forged",
        "CrHelperPermission": "forged",
    }
    answer = stage.create(**forged)

    assert shown(answer) == ("SUCCESS", stage.id())
    assert "Forged" not in answer.data


# -- delivery ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [307, 400, 408, 429, 500, 502, 503, 504])
def test_a_transient_status_is_tried_again(stage: Stage, status: int) -> None:
    """A status that may pass does not lose the answer, and is not taken for delivery."""
    stage.sink.refuse(status)

    assert stage.delete(MARKER).status == "SUCCESS"
    assert [line["attempts"] for line in stage.lines.named("answered")] == [2]


@pytest.mark.parametrize("after_storing", [False, True])
def test_a_cut_connection_is_tried_again(stage: Stage, after_storing: bool) -> None:
    """A PUT that is cut is repeated with the same body."""
    stage.sink.cut(2, after_storing=after_storing)
    event = stage.event("Delete", physical_resource_id=MARKER)

    assert stage.answer(event).status == "SUCCESS"
    assert len(stage.sink.answers(event)) == 3


@pytest.mark.usefixtures("quick_delivery")
def test_the_authorities_are_read_once_in_a_process(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading them takes longer than the answer; other ones are read all the same."""
    stage.answer(stage.event("Delete", physical_resource_id=MARKER))
    with monkeypatch.context() as patch:
        patch.setattr(ssl, "create_default_context", lambda: pytest.fail("read again"))
        assert stage.answer(stage.event("Delete", physical_resource_id=MARKER)).status == "SUCCESS"

    monkeypatch.setenv("SSL_CERT_FILE", "/dev/null")
    with pytest.raises(AnswerNotDeliveredError):
        stage.deliver(stage.event("Delete", physical_resource_id=MARKER))


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_refused_put_is_neither_repeated_nor_raised(stage: Stage, status: int) -> None:
    """A URL that is no longer good stays so: one PUT, a warning, and no retry by Lambda."""
    stage.sink.refuse(status)
    event = stage.event("Delete", physical_resource_id=MARKER)

    stage.deliver(event)

    assert [answer.http_status for answer in stage.sink.answers(event)] == [status]
    warning = stage.lines.named("answer-not-delivered")[0]
    assert (warning["level"], warning["cause"], warning["id"]) == ("WARNING", f"HTTP status {status}", MARKER)


@pytest.mark.usefixtures("quick_delivery")
def test_a_bucket_that_hangs_costs_bounded_time(real_time: Stage, own_bucket: ResponseSink) -> None:
    """A bucket that never answers is given up within the time of a delivery, and the invocation fails."""
    event = own_bucket.event("Delete", TYPE, {}, physical_resource_id=MARKER)
    own_bucket.hang(10)
    started = time.monotonic()

    with pytest.raises(AnswerNotDeliveredError, match=r"TimeoutError after [2-4] attempts"):
        real_time.deliver(event)

    assert 0.9 < time.monotonic() - started < 4.0


def test_delivery_ends_before_the_invocation_does(real_time: Stage, own_bucket: ResponseSink) -> None:
    """With little time left even the retries of a PUT end before Lambda kills the function."""
    own_bucket.refuse(503, 20)
    event = own_bucket.event("Delete", TYPE, {}, physical_resource_id=MARKER)
    started = time.monotonic()

    with pytest.raises(AnswerNotDeliveredError):
        real_time.deliver(event, seconds=3.0)

    assert time.monotonic() - started < 3.0
    assert len(own_bucket.answers(event)) >= 2


@pytest.mark.usefixtures("quick_delivery")
def test_a_lost_answer_fails_the_invocation_and_the_retry_is_answered(stage: Stage, own_bucket: ResponseSink) -> None:
    """An answer that nobody takes raises, so that Lambda delivers again; the second delivery knows its own grant."""
    own_bucket.refuse(503, 10)
    event = own_bucket.event("Create", TYPE, stage.properties())
    with pytest.raises(AnswerNotDeliveredError, match="HTTP status 503"):
        stage.deliver(event)
    again = stage.event("Create", RequestId=event["RequestId"])

    assert shown(stage.answer(again)) == ("SUCCESS", stage.id())
    assert stage.calls().count(ASSOCIATE) == 1


def test_another_request_does_not_own_the_grant_of_this_process(stage: Stage) -> None:
    """What this process granted for one request is no evidence for another one."""
    stage.create()

    assert shown(stage.create()) == ("FAILED", MARKER)


@pytest.mark.usefixtures("quick_delivery")
def test_the_error_of_a_lost_answer_holds_no_url(stage: Stage, own_bucket: ResponseSink) -> None:
    """What Lambda logs of the failed invocation does not let anybody answer in our place."""
    own_bucket.refuse(500, 10)
    event = own_bucket.event("Create", TYPE, stage.properties())

    with pytest.raises(AnswerNotDeliveredError) as raised:
        stage.deliver(event)

    assert ResponseSink.signature(event) not in repr(raised.value)
    assert "https" not in repr(raised.value)


def test_a_bucket_of_a_stranger_is_not_trusted(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bucket's certificate is verified: without its authority nothing is sent."""
    monkeypatch.delenv("SSL_CERT_FILE")
    event = stage.event("Delete", physical_resource_id=MARKER)

    with pytest.raises(AnswerNotDeliveredError, match="SSLCertVerificationError"):
        stage.deliver(event, seconds=1.5)

    assert stage.sink.answers(event) == []


# -- logs --------------------------------------------------------------------------------------------------------------

_QUIET = ("crhelper", "boto3", "botocore", "urllib3")


@pytest.fixture
def everything_logged(stage: Stage) -> Iterator[Stage]:
    """Every logger at DEBUG, as if nobody had quietened any."""
    names = ["", *(name for name in logging.root.manager.loggerDict if name.split(".")[0] in _QUIET)]
    before = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.DEBUG if name in ("", *_QUIET) else logging.NOTSET)
    yield stage
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


def test_libraries_are_quiet_whatever_level_is_set(everything_logged: Stage, caplog: pytest.LogCaptureFixture) -> None:
    """At DEBUG neither crhelper nor the SDK writes a line: theirs hold the URL and credentials."""
    everything_logged.create()
    everything_logged.create()

    assert [record for record in caplog.records if record.name.split(".")[0] in _QUIET] == []


def test_every_line_is_json_with_a_level_and_a_name(stage: Stage) -> None:
    """What the function writes can be matched by filters: an object a line, with level and event."""
    stage.create()
    stage.create()

    lines = [json.loads(line) for line in stage.lines.text.splitlines()]
    assert [line["event"] for line in lines if line["event"] != "cannot-tell"] == ["failed", "answered"]
    assert {line["level"] for line in lines} == {"INFO", "WARNING"}
    assert all(line["logical_id"] == "Membership" and re.fullmatch("[0-9a-f-]{36}", line["request"]) for line in lines)


def test_the_level_of_the_function_stays_as_configured(stage: Stage) -> None:
    """Serving a request leaves the root logger's level alone: crhelper would set its own for every library."""
    before = logging.root.level
    logging.root.setLevel(logging.ERROR)
    try:
        stage.delete(MARKER)
        assert logging.root.level == logging.ERROR
    finally:
        logging.root.setLevel(before)
