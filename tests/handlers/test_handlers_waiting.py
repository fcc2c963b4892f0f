"""A long wait says so in the function's log."""

from __future__ import annotations

import itertools

import pytest

from tests.handlers.stage import GROUP, USER, Stage


@pytest.mark.parametrize("request_type", ["Create", "Delete"])
def test_a_long_wait_is_told_every_thirty_seconds(stage: Stage, request_type: str) -> None:
    """One structured line in thirty seconds, with what is waited for and the status; a short wait writes none."""
    stage.control.configure(addition_seconds=100, removal_seconds=100)
    physical_id = None
    if request_type == "Delete":
        stage.grant()
        physical_id = stage.id()
    event = stage.event("Delete", physical_resource_id=physical_id) if physical_id else stage.event("Create")
    assert stage.answer(event, seconds=300).status == "SUCCESS"

    told = stage.lines.named("waiting")
    assert 2 <= len(told) <= 3
    seconds = [line["seconds"] for line in told]
    assert seconds[0] >= 30
    assert all(later - earlier >= 29 for earlier, later in itertools.pairwise(seconds))
    assert f"UserId {USER!r} in PermissionGroupId {GROUP!r}" in told[0]["association"]
    until, status = {
        "Create": ("granted", "ADDITION_IN_PROGRESS (being added)"),
        "Delete": ("removed", "REMOVAL_IN_PROGRESS (being removed)"),
    }[request_type]
    assert {(line["until"], line["status"]) for line in told} == {(until, status)}
    assert {line["request"] for line in told} == {event["RequestId"]}


def test_a_short_wait_is_not_told(stage: Stage) -> None:
    """An ordinary create writes no line about waiting."""
    stage.control.configure(addition_seconds=5)

    assert stage.create().status == "SUCCESS"
    assert stage.lines.named("waiting") == []
