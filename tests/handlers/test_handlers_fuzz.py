"""Whatever is sent to the function: one valid answer or one refused line, no call that was not asked for, no leak."""

from __future__ import annotations

import contextlib
import http.client
import io
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import example, given, note
from hypothesis import strategies as st

from aws_associations.kinds import KINDS
from aws_associations_lambda import index, transport
from engines.response_sink import judge
from tests.handlers.fuzz import DOOR, Change, changes, examples, invalid, not_texts, physical_ids, spoilt, values
from tests.handlers.kinds import kinds
from tests.handlers.stage import Context, KindStage

LONGEST_LINE = 262_144
"""Bytes of an event that CloudWatch Logs takes."""


@dataclass
class Door:
    """Where answers are put: each is stored. What is kept is that of the last event."""

    puts: list[tuple[str, int, str, bytes]] = field(default_factory=list)

    def attempt(self, host: str, port: int, target: str, body: bytes, headers: dict[str, str], _: float) -> int:
        # What http.client would refuse, it refuses; nothing is connected before its headers end.
        connection = http.client.HTTPConnection(host, port)
        connection.putrequest("PUT", target)
        for name, value in headers.items():
            connection.putheader(name, value)
        self.puts.append((host, port, target, body))
        return 200


@dataclass
class Outcome:
    """What came of one event, once it was seen to break no promise."""

    refused: bool
    answer: dict[str, Any]
    calls: list[str | None]
    puts: list[tuple[str, int, str, bytes]]


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Door:
    """The bucket, without a network."""
    opened = Door()
    monkeypatch.setattr(transport, "_attempt", opened.attempt)
    return opened


@pytest.fixture(autouse=True)
def talkative() -> Iterator[io.StringIO]:
    """Every logger at DEBUG, as the function's configuration could have it; what they write."""
    written = io.StringIO()
    spy = logging.StreamHandler(written)
    # hypothesis itself logs what it generates; asyncio is nobody's here.
    spy.addFilter(lambda record: not record.name.startswith(("hypothesis", "asyncio", "moto", "werkzeug")))
    before = logging.root.level
    logging.root.addHandler(spy)
    logging.root.setLevel(logging.DEBUG)
    yield written
    logging.root.removeHandler(spy)
    logging.root.setLevel(before)


def deliver(stage: KindStage, door: Door, talkative: io.StringIO, event: Any, context: Any = None) -> Outcome:
    """Deliver one event and judge what came of it by the promises that hold for every event."""
    stage.control.clear_journal()
    door.puts.clear()
    output, errors = io.StringIO(), io.StringIO()
    begin = talkative.tell()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        index.handler(event, context or Context(60.0))
    printed = output.getvalue()
    assert errors.getvalue() == ""
    lines = [json.loads(line) for line in printed.splitlines()]
    assert all({"level", "event"} <= line.keys() for line in lines)
    assert all(len(line.encode()) <= LONGEST_LINE for line in printed.splitlines())
    url = event.get("ResponseURL") if isinstance(event, dict) else None
    if isinstance(url, str) and "X-Amz-Signature=" in url:
        secret = url.partition("X-Amz-Signature=")[2][:64]
        assert secret not in printed + talkative.getvalue()[begin:]
    names = [line["event"] for line in lines]
    calls = stage.calls()
    puts = list(door.puts)
    if not puts:
        assert names == ["refused-event"]
        assert calls == []
        return Outcome(True, {}, calls, puts)
    ((host, _, target, body),) = puts
    assert names.count("answered") == 1
    assert "refused-event" not in names
    assert judge(body, event)[1] == []
    assert isinstance(url, str)
    assert (host, target) == ("localhost", "/" + url.split("/", 3)[3].partition("#")[0])
    answer = json.loads(body)
    assert "Traceback" not in answer["Reason"]
    assert "InternalFailure" not in answer["Reason"]
    return Outcome(False, answer, calls, puts)


def request(stage: KindStage, request_type: Any, physical_id: object = None) -> dict[str, Any]:
    """A request as CloudFormation sends it."""
    more: dict[str, Any] = {}
    if request_type != "Create":
        more["physical_resource_id"] = stage.id() if physical_id is None else physical_id
    if request_type == "Update":
        more["old_properties"] = stage.properties()
    return stage.event(request_type, **more)


@kinds()
def test_any_event_is_answered_once_or_refused(kind_stage: KindStage, door: Door, talkative: io.StringIO) -> None:
    """Spoilt anywhere, up to four times: one valid answer to its own URL, or one line and nothing else."""
    kind = kind_stage.kind
    seen = {True: 0, False: 0}

    @examples(60)
    @given(
        request_type=st.sampled_from(["Create", "Update", "Delete"]),
        made=changes(kind),
        seconds=st.sampled_from([60.0, 900.0, 0.5, 0.0, -1.0]),
    )
    @example(request_type="Delete", made=[Change(("RequestId",), "x" * 4_000)], seconds=60.0)
    @example(request_type="Delete", made=[Change(("PhysicalResourceId",), "\x01" * 1_000)], seconds=60.0)
    def play(request_type: str, made: list[Change], seconds: float) -> None:
        note(f"{request_type}, spoilt: {made}")
        event = spoilt(request(kind_stage, request_type), made)

        outcome = deliver(kind_stage, door, talkative, event, Context(seconds))

        seen[outcome.refused] += 1
        if not {change.path[0] for change in made} & set(DOOR):
            assert not outcome.refused

    play()
    assert min(seen.values()) > 0


@kinds()
def test_no_service_hears_of_an_invalid_request(kind_stage: KindStage, door: Door, talkative: io.StringIO) -> None:
    """One thing wrong in a Create or Update is answered with FAILED, the old id or a marker, and no call was made."""

    @examples(60)
    @given(request_type=st.sampled_from(["Create", "Update"]), made=invalid(kind_stage.kind))
    def play(request_type: str, made: Change) -> None:
        note(f"{request_type}, spoilt: {made}")
        event = spoilt(request(kind_stage, request_type), [made])

        outcome = deliver(kind_stage, door, talkative, event)

        assert outcome.answer["Status"] == "FAILED"
        assert "InvalidRequest: " in outcome.answer["Reason"]
        assert outcome.answer["PhysicalResourceId"] == event.get("PhysicalResourceId", "not-created/Membership")
        assert outcome.calls == []

    play()


@kinds()
def test_a_delete_heeds_its_id_only(kind_stage: KindStage, door: Door, talkative: io.StringIO) -> None:
    """Whatever its properties are: an id that is none of this kind is SUCCESS, or FAILED, without any call."""
    own = f"{kind_stage.kind.name}/v1/"
    strange = [text for text in physical_ids(kind_stage.kind) if not str(text).startswith(own)]

    @examples(40)
    @given(physical_id=st.sampled_from(strange), properties=values, old=values)
    def play(physical_id: object, properties: object, old: object) -> None:
        made = [Change(("ResourceProperties",), properties), Change(("OldResourceProperties",), old)]
        event = spoilt(request(kind_stage, "Delete", physical_id), made)

        outcome = deliver(kind_stage, door, talkative, event)

        assert not outcome.refused
        assert outcome.calls == []

    play()


@kinds(lambda kind: kind is KINDS[0])
def test_what_is_no_request_at_all_is_refused(kind_stage: KindStage, door: Door, talkative: io.StringIO) -> None:
    """Any JSON that is not a request of CloudFormation is one line."""

    @examples(150)
    @given(event=values | not_texts)
    def play(event: object) -> None:
        assert deliver(kind_stage, door, talkative, event).refused

    play()
