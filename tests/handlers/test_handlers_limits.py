"""Any event at all: a legal one gets exactly one answer within every limit, a broken one harms nobody."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aws_associations_lambda import answer, index
from aws_associations_lambda.answer import MAX_BODY_BYTES, body
from aws_associations_lambda.event import Event
from engines.response_sink import ResponseSink
from tests.handlers.stage import ACCOUNT, ASSOCIATE, GROUP, MARKER, REGION, TYPE, USER, Context, Stage, shown


def examples(count: int) -> settings:
    """So many examples, the same on every run; they share the stage, which bears it."""
    return settings(
        max_examples=count,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )


_ESCAPED_MOST = "\x01"
_WIDEST = "\U0001f600"

_characters = st.one_of(
    st.characters(exclude_categories=["Cs"]), st.sampled_from([_ESCAPED_MOST, _WIDEST, '"', "\\", "/", "%", "é"])
)
_ids = st.text(_characters, min_size=1, max_size=26).filter(lambda text: bool(text.strip()) and text not in {".", ".."})
_printable = st.characters(min_codepoint=0x20, max_codepoint=0x7E, exclude_characters='"\\')
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=20), inner, max_size=3),
    max_leaves=8,
)


_requests = itertools.count(1)
LONGEST_STACK_ID = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/team/".ljust(1024, "s")


def echoed(length: str) -> dict[str, Any]:
    """The members to echo, as long as they are taken at all or as they really are."""
    if length == "longest":
        return {"StackId": LONGEST_STACK_ID, "RequestId": f"{next(_requests):0>128}", "LogicalResourceId": "L" * 255}
    return {}


# -- legal events ------------------------------------------------------------------------------------------------------


@examples(25)
@given(group=_ids, user=_ids, length=st.sampled_from(["longest", "real"]))
def test_any_parties_get_one_valid_answer(stage: Stage, group: str, user: str, length: str) -> None:
    """Whatever legal ids the parties have, Create and Delete each get one valid answer, with the ids verbatim."""
    stage.add(group, user)
    stage.control.revoke(stage.environment, group, user)

    created = stage.create(stage.properties(group, user), **echoed(length))
    deleted = stage.delete(stage.id(group, user), {}, **echoed(length))

    assert shown(created) == ("SUCCESS", stage.id(group, user))
    assert (created.data["PermissionGroupId"], created.data["UserId"]) == (group, user)
    assert shown(deleted) == ("SUCCESS", stage.id(group, user))
    assert len(created.body) <= MAX_BODY_BYTES


@pytest.mark.parametrize("character", [_WIDEST, _ESCAPED_MOST, '"', "é", " x", "x"])
def test_the_longest_ids_fit(stage: Stage, character: str) -> None:
    """The longest ids of the most expensive characters, in members of the greatest length, still fit an answer."""
    longest = (character * 26)[:26]
    # A control character is no visible one, which the service's pattern wants.
    group, user = longest[:-1] + "g", longest[:-1] + "u"
    stage.add(group, user)

    created = stage.create(stage.properties(group, user), **echoed("longest"))

    assert shown(created) == ("SUCCESS", stage.id(group, user))
    assert created.data["UserId"] == user
    assert len(stage.id(group, user)) <= 1024


def test_a_longest_environment_fits_too(stage: Stage) -> None:
    """With all three ids at 26 of the widest characters the physical id stays within its 1024 bytes."""
    longest = stage.environment = _WIDEST * 26
    stage.add(longest, longest)
    stage.grant(longest, longest)

    created = stage.create(stage.properties(longest, longest, OnExisting="Adopt"), **echoed("longest"))

    assert shown(created) == ("SUCCESS", stage.id(longest, longest, adopted=True))
    assert 1000 < len(stage.id(longest, longest, adopted=True)) <= 1024


@pytest.mark.parametrize("character", ["x", _WIDEST, _ESCAPED_MOST, '"', "\ud800"])
def test_a_huge_message_keeps_its_head(stage: Stage, character: str) -> None:
    """A service that answers an endless message costs no answer: the Reason starts with what was being done."""
    message = json.dumps({"message": character * 50_000})
    stage.control.add_fault(
        "answer", operation=ASSOCIATE, status=400, error_code="ValidationException", body=message, count=None
    )

    answer = stage.create(**echoed("longest"))

    assert shown(answer) == ("FAILED", "not-created/" + "L" * 255)
    reason = str(answer.reason)
    assert reason.startswith(f"creating FinSpace permission group membership UserId {USER!r} in")
    assert "InvalidRequest: AssociateUserToPermissionGroup answered ValidationException" in reason


@pytest.mark.parametrize("size", [0, 1, 3_000, 5_000, 100_000])
@pytest.mark.parametrize("character", ["x", _WIDEST, _ESCAPED_MOST, "\ud800"])
def test_a_reason_is_cut_at_its_end_only(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, size: int, character: str
) -> None:
    """A Reason of any length and alphabet fits; what is lost is its end, and it says so."""

    def fail(*_: object) -> None:
        raise RuntimeError("the head. " + character * size)

    monkeypatch.setattr(index.handler, "_create_func", fail)

    reason = str(stage.create(**echoed("longest")).reason)

    assert reason.startswith("InternalFailure: the function ended with RuntimeError: the head. ")
    whole = reason == "InternalFailure: the function ended with RuntimeError: the head. " + character * size
    assert whole != reason.endswith(" ... (the log has the rest)")
    assert whole == (size < 2 or (size == 3_000 and character == "x" and len(reason) > 3_000))


@examples(300)
@given(
    reason=st.text(st.characters(), max_size=6_000) | st.text(st.sampled_from("\x01\U0001f600x"), max_size=6_000),
    physical_id=st.text(_characters, min_size=1, max_size=170),
    status=st.sampled_from([answer.SUCCESS, answer.FAILED]),
    data=st.dictionaries(st.text(_printable, max_size=10), st.text(_characters, max_size=26), max_size=3),
)
def test_every_body_is_json_within_its_limit(reason: str, physical_id: str, status: str, data: dict[str, str]) -> None:
    """Any Reason, id and Data become valid JSON of at most 4096 bytes, the ids and Data whole."""
    request = Event("Create", "https://x/", "s" * 1024, "r" * 128, "l" * 255, "", TYPE, {}, {})

    written = body(request, status, physical_id, reason, data)

    read = json.loads(written.decode("utf-8"))
    assert len(written) <= MAX_BODY_BYTES
    assert (read["PhysicalResourceId"], read["StackId"]) == (physical_id, "s" * 1024)
    assert read["Data"] == (data if status == "SUCCESS" else {})
    assert read["Reason"]


@examples(50)
@given(physical_id=st.text(_characters, min_size=1, max_size=400))
def test_any_physical_id_gets_a_valid_answer(stage: Stage, physical_id: str) -> None:
    """A Delete of any text at all is answered with SUCCESS, and the text is echoed while it is one that can be."""
    answer = stage.delete(physical_id, **echoed("longest"))

    size, escaped = len(physical_id.encode()), len(json.dumps(physical_id, ensure_ascii=False).encode())
    echoes = size <= 1024 and escaped <= 2048
    expected = physical_id if echoes else "not-created/" + "L" * 255
    assert shown(answer) == ("SUCCESS", expected)


@pytest.mark.parametrize("physical_id", [_ESCAPED_MOST * 1024, "x" * 1025, "x" * 100_000, ""])
def test_an_id_that_cannot_be_echoed_costs_no_answer(stage: Stage, physical_id: str) -> None:
    """An id over CloudFormation's limit, or that JSON blows up beyond an answer's, is answered with a marker."""
    assert shown(stage.delete(physical_id, **echoed("longest"))) == ("SUCCESS", "not-created/" + "L" * 255)
    failed = stage.update(physical_id, {}, **echoed("longest"))
    assert shown(failed) == ("FAILED", "not-created/" + "L" * 255)


@examples(50)
@given(
    properties=st.dictionaries(
        st.sampled_from(["EnvironmentId", "PermissionGroupId", "UserId", "OnExisting", "Revision", "UserID"])
        | st.text(max_size=20),
        _json,
        max_size=5,
    ),
    request_type=st.sampled_from(["Create", "Update"]),
)
def test_any_properties_get_one_valid_answer(stage: Stage, properties: dict[str, object], request_type: Any) -> None:
    """Properties of any shape are refused in one valid answer that names none but a marker or the old id."""
    event = stage.event(
        request_type,
        {},
        physical_resource_id="an-id" if request_type == "Update" else None,
        old_properties={},
        ResourceProperties=properties,
        OldResourceProperties=properties if request_type == "Update" else None,
    )

    answer = stage.answer(event)

    assert shown(answer) == ("FAILED", "an-id" if request_type == "Update" else MARKER)
    assert str(answer.reason).startswith(
        "Custom::FinSpacePermissionGroupMembership Membership: InvalidRequest: property "
    )


# -- broken events -----------------------------------------------------------------------------------------------------


def refused(stage: Stage, event: object) -> None:
    """Deliver a broken event: one line says so, and nothing else happens, to the request before it neither."""
    before = stage.event("Delete", physical_resource_id=MARKER)
    stage.answer(before)
    strays, journal = len(stage.sink.strays), len(stage.control.journal())

    stage.deliver(event)

    assert len(stage.sink.answers(before)) == 1
    assert len(stage.sink.strays) == strays
    assert len(stage.control.journal()) == journal
    assert [line["event"] for line in map(json.loads, stage.lines.text.splitlines())] == ["refused-event"]


@examples(100)
@given(event=_json)
def test_any_json_is_harmless(stage: Stage, event: object) -> None:
    """An event of any shape that names no bucket is refused in one line, without a call or an answer."""
    refused(stage, event)


_MEMBERS = ["ResponseURL", "StackId", "RequestId", "LogicalResourceId"]
_SPOILT = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.lists(st.integers(), max_size=2)
    | st.sampled_from(["", "\ud800", "x" * 5_000, 'quo"te', "back\\slash", "line\nbreak", "\x7f", "é"])
)


@examples(50)
@given(member=st.sampled_from(_MEMBERS), value=_SPOILT)
def test_an_event_that_cannot_be_answered_is_refused(stage: Stage, member: str, value: object) -> None:
    """Without an https URL, or with ids that no answer could echo, nothing is done and nobody is told."""
    event = {**stage.event("Create"), member: value}

    refused(stage, event)

    assert member in stage.lines.named("refused-event")[0]["cause"]
    assert stage.members() == set()


@pytest.mark.parametrize("member", _MEMBERS)
def test_a_missing_member_is_refused_by_name(stage: Stage, member: str) -> None:
    """The line says which member is missing."""
    event = stage.event("Create")
    del event[member]

    refused(stage, event)

    assert member in stage.lines.named("refused-event")[0]["cause"]


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost/x?X-Amz-Signature=secret",
        "https://",
        "https:///x?X-Amz-Signature=secret",
        "https://localhost:0/x",
        "https://localhost:99999/x",
        "https://localhost:1a/x",
        "https://a..b/x?X-Amz-Signature=secret",
        f"https://{'x' * 64}.com/x",
        "https://localhost/a b",
        "https://localhost/é",
        "https://localhost/\r\nX-Evil: 1",
        "https://[::1/x",
        "ftp://localhost/x",
        "file:///etc/passwd",
        "https://user@localhost/x",
        " https://localhost/x",
    ],
)
def test_a_url_that_cannot_be_put_to_is_refused(stage: Stage, url: str) -> None:
    """Only a URL that a PUT can be sent to is served: otherwise the work would be done and nobody told."""
    refused(stage, {**stage.event("Create"), "ResponseURL": url})

    assert "secret" not in stage.lines.text


@pytest.mark.parametrize(
    "member", ["ResourceProperties", "OldResourceProperties", "PhysicalResourceId", "ResourceType"]
)
@pytest.mark.parametrize("value", [None, 7, True, "text", [], ["x"], {}, {"a": {"b": "c"}}, "x" * 5_000, "\ud800"])
def test_a_spoilt_member_is_answered(stage: Stage, member: str, value: object) -> None:
    """An event that can be answered is, whatever else is wrong with it, and grants nothing."""
    overrides: dict[str, Any] = {"ResourceType": "Custom::None", member: value}

    answer = stage.answer(stage.event("Update", physical_resource_id="an-id", old_properties={}, **overrides))

    assert answer.status == "FAILED"
    assert stage.control.journal() == []


def test_a_nest_without_end_is_answered(stage: Stage) -> None:
    """Values nested deeper than Python recurses become an answer, wherever they are."""
    nest: list[Any] = []
    for _ in range(5_000):
        nest = [nest]
    for event in (
        stage.event("Create"),
        stage.event("Delete", physical_resource_id=MARKER),
    ):
        for member in ("RequestType", "ResourceType", "PhysicalResourceId", "OldResourceProperties"):
            with stage.capture():
                index.handler({**event, member: nest}, Context(60))
            assert stage.lines.named("answered")
    event = stage.event("Create")
    for name in ("UserId", "OnExisting", "Revision"):
        with stage.capture():
            index.handler({**event, "ResourceProperties": {**stage.properties(), name: nest}}, Context(60))
        assert [line["status"] for line in stage.lines.named("answered")] == ["FAILED"]


def test_a_refusal_names_no_url(stage: Stage) -> None:
    """The line about a refused event holds nothing of the event's values."""
    event = stage.event("Create", StackId="x" * 2_000)

    stage.deliver(event)

    assert ResponseSink.signature(event) not in stage.lines.text
    assert "xxx" not in stage.lines.text
    assert stage.members() == set()
    assert (GROUP, USER) not in stage.members()
