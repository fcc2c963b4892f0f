"""What the function reads from its own log group."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from typing import Any

import pytest

from aws_associations.identity import AssociationId, Identity
from aws_associations.kinds.directory_group_membership import KIND as DIRECTORY
from aws_associations.kinds.finspace_permission_group_membership import KIND
from aws_associations.lifecycle import How, Removal
from aws_associations_lambda.asking import CannotTellError
from aws_associations_lambda.own_log import End, OwnLog, Said

SIGNED = datetime.datetime(2026, 11, 22, 12, tzinfo=datetime.UTC)
VALUES = {"environment_id": "env1", "permission_group_id": "analysts", "user_id": "alice"}
MEMBERSHIP = Identity.of(KIND, "123456789012", "us-east-1", VALUES)


def line(event: str, delivery: str, identity: Identity = MEMBERSHIP, **more: str) -> str:
    """One line of a delivery."""
    said = {"level": "INFO", "event": event, "delivery": delivery, "id": AssociationId(identity).text}
    return json.dumps({**said, "stack": "a-stack", "logical_id": "A", "request": "r1", **more})


class Group:
    """A log group of some lines, one a second from when the request was signed, over pages."""

    def __init__(self, *messages: str, page: int = 2) -> None:
        self.messages, self.page = messages, page
        self.asked: list[Mapping[str, object]] = []

    def __call__(self, operation: str, **parameters: object) -> Mapping[str, Any]:
        assert operation == "FilterLogEvents"
        self.asked.append(dict(parameters))
        start = int(str(parameters.get("nextToken", "0")))
        rest = {"nextToken": str(start + self.page)} if start + self.page < len(self.messages) else {}
        began = int(SIGNED.timestamp())
        lines = [
            {"message": message, "timestamp": (began + number) * 1000} for number, message in enumerate(self.messages)
        ]
        return {"events": lines[start : start + self.page], **rest}

    def said(self) -> Said:
        return OwnLog("a-group", self).said(KIND, SIGNED)

    def deliveries(self, identity: Identity = MEMBERSHIP) -> list[str]:
        said = OwnLog("a-group", self).said(identity.kind, SIGNED).announcements
        return [f"{each.delivery}{'+' * each.granted}" for each in said if each.identity == identity]


def after(seconds: float) -> datetime.datetime:
    """Since the request was signed."""
    return SIGNED + datetime.timedelta(seconds=seconds)


def test_an_announcement_holds_until_its_own_delivery_takes_it_back() -> None:
    """Refused by the same delivery; that another one was refused changes nothing."""
    group = Group(
        line("associating", "one"),
        line("associating", "two"),
        line("refused", "two"),
        line("associating", "three"),
        line("granted", "three"),
        line("granted", "four"),
    )

    assert group.deliveries() == ["one", "three+"]


@pytest.mark.parametrize("event", ["revoked", "undone"])
def test_what_was_revoked_since_is_announced_no_more(event: str) -> None:
    """Whoever granted it, and whoever revoked it; what is announced after that holds."""
    other = Identity.of(KIND, "123456789012", "us-east-1", {**VALUES, "user_id": "bob"})
    group = Group(
        line("associating", "one"),
        line("granted", "one"),
        line("associating", "two", other),
        line(event, "three"),
        line("associating", "four"),
    )

    assert group.deliveries() == ["four"]
    assert group.deliveries(other) == ["two"]


@pytest.mark.parametrize(
    ("names", "held"),
    [({}, []), ({"request": "r2"}, []), ({"logical_id": "B"}, ["one"]), ({"stack": "another"}, ["one"])],
    ids=["the same request", "its own Delete", "another resource", "another stack"],
)
def test_a_delete_that_found_nothing_ends_what_its_own_resource_announced(
    names: dict[str, str], held: list[str]
) -> None:
    """What others announce may still appear; what is there after the resource's own Delete is somebody else's."""
    other = Identity.of(KIND, "123456789012", "us-east-1", {**VALUES, "user_id": "bob"})
    group = Group(
        line("associating", "one"),
        line("associating", "two", other),
        line("revoked", "three", MEMBERSHIP, how=Removal.ABSENT.value, **names),
    )

    assert group.deliveries() == held
    assert group.deliveries(other) == ["two"]


@pytest.mark.parametrize("event", ["revoked", "undone"])
@pytest.mark.parametrize(("logical_id", "told"), [("B", ["one"]), ("A", [])])
def test_what_another_resource_ended_is_still_told(event: str, logical_id: str, told: list[str]) -> None:
    """The write may come after another one's Delete; what is there after the resource's own is somebody else's."""
    said = Group(line("associating", "one"), line(event, "two", logical_id=logical_id, request="r2")).said()

    assert said.announcements == []
    assert [each.delivery for each in said.revoked] == told


def test_a_removal_is_told_from_its_beginning_on() -> None:
    """It may take effect at any moment after that; that it has ended makes it no less begun."""
    group = Group(line("associating", "one"), line("disassociating", "two", logical_id="B", request="r2"))
    begun = End(MEMBERSHIP, ("a-stack", "B", "r2"), after(1))
    said = group.said()
    assert (said.removing, said.ended, len(said.announcements)) == ([begun], [], 1)

    group.messages += (line("revoked", "two", logical_id="B", request="r2"),)
    said = group.said()
    assert (said.removing, said.ended) == ([begun], [End(MEMBERSHIP, ("a-stack", "B", "r2"), after(2))])


def test_an_announcement_is_as_old_as_its_own_line() -> None:
    """Of a replay, which announces nothing before it, that is the line which says that it was accepted."""
    group = Group(
        line("replaying", "two"),
        line("associating", "one"),
        line("granted", "two", how=How.CREATED.value),
        line("granted", "one", how=How.CREATED.value),
    )

    assert {each.delivery: each.when for each in group.said().announcements} == {"one": after(1), "two": after(2)}


def test_a_replay_that_was_accepted_is_an_announcement() -> None:
    """The token told whose it is, and nothing was announced before; any other line tells of an earlier grant."""
    group = Group(
        line("replaying", "one"),
        line("granted", "one", how=How.CREATED.value),
        line("granted", "warm", how=How.CREATED.value),
        line("replaying", "two"),
        line("granted", "two", how=How.ADOPTED.value),
        line("granted", "three", how=How.KEPT.value),
        line("granted", "four", how=How.TAKEN_OVER.value),
    )

    assert group.deliveries() == ["one+"]


def test_an_announcement_after_a_refusal_holds_again() -> None:
    """A second token of the same delivery."""
    assert Group(line("associating", "one"), line("refused", "one"), line("associating", "one")).deliveries() == ["one"]


def test_what_is_no_line_of_ours_is_passed_over() -> None:
    """Lambda's own lines, broken ones, and those about something else."""
    values = {"directory_id": "d-1234567890", "group_name": "analysts", "member_name": "alice", "member_realm": "a.b"}
    given = {part.name: values.get(part.name, "a.b") for part in DIRECTORY.parts}
    other = Identity.of(DIRECTORY, "123456789012", "us-east-1", given)
    group = Group("START RequestId: 1", "{", "[]", "", json.dumps({"event": 5}), line("associating", "other", other))

    assert group.deliveries() == []
    assert len(group.asked) == 3


def test_only_lines_from_when_the_request_was_made_are_read() -> None:
    """In milliseconds, a little before: clocks differ."""
    group = Group(line("associating", "one"))
    group.deliveries()

    started = group.asked[0]["startTime"]
    assert isinstance(started, int)
    assert 1_000 <= SIGNED.timestamp() * 1000 - started <= 10_000
    assert group.asked[0]["logGroupName"] == "a-group"


def test_every_line_that_tells_something_is_asked_for() -> None:
    """The service filters the lines: what is not named is never seen."""
    group = Group()
    group.said()

    (asked,) = group.asked
    names = "associating disassociating granted refused replaying revoked undone"
    assert str(asked["filterPattern"]).split() == [f"?{name}" for name in names.split()]


@pytest.mark.parametrize(("name", "since"), [("", SIGNED), ("a-group", None)])
def test_what_cannot_be_asked_is_said(name: str, since: datetime.datetime | None) -> None:
    """Without a name or a time there is no answer, and no call."""
    group = Group()
    with pytest.raises(CannotTellError, match="not known"):
        OwnLog(name, group).said(KIND, since)
    assert group.asked == []
