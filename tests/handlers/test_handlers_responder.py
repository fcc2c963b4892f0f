"""What crhelper does wrong (facts: CloudFormation), each cured: one answer for every request, nothing kept, no leak."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
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


def test_a_failed_construction_is_answered_with_an_id(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """crhelper's init failure answers FAILED with a valid id and its cause, not with an empty id."""
    monkeypatch.setattr(index.handler, "_init_failed", RuntimeError("no such thing"))

    assert shown(stage.create()) == ("FAILED", MARKER)
    answer = stage.delete(stage.id())
    assert shown(answer) == ("FAILED", stage.id())
    assert answer.reason == "no such thing"


# -- ids ---------------------------------------------------------------------------------------------------------------


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


def test_a_defect_after_the_write_leaves_nothing(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unexpected exception answers the marker; its Delete learns that CloudFormation took no id, and revokes."""

    def fail(*_: object) -> str:
        raise RuntimeError("a defect")

    monkeypatch.setattr(index, "_answer", fail)

    assert shown(stage.create()) == ("FAILED", MARKER)
    assert stage.members() == {(GROUP, USER)}
    stage.stack.happens("CREATE_FAILED", "Membership", MARKER)
    assert shown(stage.delete(MARKER)) == ("SUCCESS", MARKER)
    assert stage.members() == set()


# -- the deadline guard ------------------------------------------------------------------------------------------------


def test_the_guard_answers_once_while_the_write_is_stuck(real_time: Stage) -> None:
    """A slow grant is answered for in time, once; the work sends nothing more, and the Delete that follows revokes."""
    real_time.warm_up()
    real_time.control.add_fault("slow", operation=ASSOCIATE, seconds=2.5)
    event = real_time.event("Create")
    started = time.monotonic()
    done = threading.Thread(target=real_time.deliver, args=(event,), kwargs={"seconds": 2.0})
    done.start()

    answer = real_time.sink.answer(event, wait=5)

    assert time.monotonic() - started < 2.0
    assert shown(answer) == ("FAILED", MARKER)
    assert "NotStabilized" in str(answer.reason)
    assert "Whether it took effect is not known" in str(answer.reason)
    done.join()
    assert time.monotonic() - started > 2.5
    assert real_time.calls() == [LOOK, ASSOCIATE]
    assert real_time.sink.answer(event) == answer
    assert shown(real_time.delete(MARKER)) == ("SUCCESS", MARKER)
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
    """If the guard's answer is lost, the invocation fails; delivered again, the request is answered at once."""
    real_time.warm_up()
    real_time.control.add_fault("slow", operation=LOOK, seconds=1.0)
    real_time.sink.cut(1)
    event = real_time.event("Create")

    with pytest.raises(AnswerNotDeliveredError):
        real_time.deliver(event, seconds=1.2)

    again = real_time.redeliver(event)
    assert shown(again) == ("FAILED", MARKER)
    assert "NotStabilized" in str(again.reason)
    assert real_time.calls() == [LOOK]


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


def test_a_bucket_of_a_stranger_is_not_trusted(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bucket's certificate is verified: without its authority nothing is sent."""
    monkeypatch.delenv("SSL_CERT_FILE")
    event = stage.event("Delete", physical_resource_id=MARKER)

    with pytest.raises(AnswerNotDeliveredError, match="SSLCertVerificationError"):
        stage.deliver(event, seconds=1.5)

    assert stage.sink.answers(event) == []


# -- logs --------------------------------------------------------------------------------------------------------------
