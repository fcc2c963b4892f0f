"""Any event at all: a legal one gets exactly one answer within every limit, a broken one harms nobody."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws_associations_lambda import answer, index
from aws_associations_lambda.answer import MAX_BODY_BYTES, body
from aws_associations_lambda.event import Event
from tests.handlers.fuzz import examples
from tests.handlers.stage import ACCOUNT, MARKER, REGION, TYPE, Context, Stage, shown

_ESCAPED_MOST = "\x01"
_WIDEST = "\U0001f600"

_characters = st.one_of(
    st.characters(exclude_categories=["Cs"]), st.sampled_from([_ESCAPED_MOST, _WIDEST, '"', "\\", "/", "%", "é"])
)
_ids = st.text(_characters, min_size=1, max_size=26).filter(lambda text: bool(text.strip()) and text not in {".", ".."})
_printable = st.characters(min_codepoint=0x20, max_codepoint=0x7E, exclude_characters='"\\')


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


# -- broken events -----------------------------------------------------------------------------------------------------


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
