"""What was never published about FinSpace, both ways: the promises hold whichever way it was."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from aws_associations.errors import AlreadyExists
from aws_associations.lifecycle import How, Removal
from tests.core.conftest import in_process, set_environment
from tests.core.world import ASSOCIATE, DISASSOCIATE, ENVIRONMENT, GROUP, LOOK, USER, ScriptedHost, World

SWITCHES: dict[str, tuple[Any, ...]] = {
    "duplicate_associate": ("conflict", "succeed"),
    "disassociate_non_member": ("not_found", "conflict", "succeed"),
    "disassociate_during_addition": ("succeed", "conflict"),
    "disassociate_during_removal": ("succeed", "conflict"),
    "reused_token": ("conflict", "validation", "new_call"),
    "token_scope": ("operation", "environment"),
    "expired_credentials": ("access_denied", "expired_token"),
    "list_lag_seconds": (0.0, 3.0),
    "addition_seconds": (0.0, 10.0),
    "removal_seconds": (0.0, 10.0),
    "page_size": (None, 1),
}
SETTINGS = [{name: value} for name, values in SWITCHES.items() for value in values]
DURATIONS = [
    {"list_lag_seconds": lag, "addition_seconds": addition, "removal_seconds": removal, **duplicates}
    for lag, (addition, removal), duplicates in itertools.product(
        (0.0, 3.0),
        ((10.0, 0.0), (0.0, 10.0), (10.0, 10.0)),
        (
            {"duplicate_associate": "conflict", "disassociate_non_member": "conflict"},
            {"duplicate_associate": "succeed", "disassociate_non_member": "succeed"},
        ),
    )
]


def _name(settings: dict[str, Any]) -> str:
    return ",".join(f"{name}={value}" for name, value in settings.items())


TOKEN_WINDOW_SECONDS = 600


@pytest.fixture(scope="module", params=[*SETTINGS, *DURATIONS], ids=_name)
def emulator(request: pytest.FixtureRequest) -> Iterator[tuple[World, dict[str, Any]]]:
    """One core and one emulator for all tests of one setting: clients are what takes time here."""
    with pytest.MonkeyPatch.context() as patch:
        set_environment(patch)
        with in_process(patch) as world:
            yield world, {**world.control.settings(), **request.param}


@pytest.fixture
def switched(emulator: tuple[World, dict[str, Any]]) -> World:
    """The emulator under one setting, with nobody in any group and every token forgotten."""
    world, settings = emulator
    world.control.clear_faults()
    world.control.remove_user(ENVIRONMENT, USER)
    world.control.configure(**settings)
    world.control.advance(TOKEN_WINDOW_SECONDS)
    world.add(GROUP, USER)
    world.control.clear_journal()
    world.host = ScriptedHost()
    world.lose_ledger()
    return world


def settle(world: World) -> None:
    """Let lists catch up and statuses become final, as a deployment some minutes later finds them."""
    world.control.advance(60)


def test_a_lifecycle(switched: World) -> None:
    """Create, read, delete, delete again, create again: each ends as promised, within the token window."""
    for group in ("a-first", "z-last"):
        switched.add(group, USER)
        switched.grant_as_others_do(group)
    settle(switched)

    assert switched.create().how is How.CREATED
    assert switched.members() >= {(GROUP, USER)}
    settle(switched)
    seen = switched.read()
    assert seen is not None
    assert seen.status == "ADDITION_SUCCESS"
    assert switched.delete() is Removal.REVOKED
    settle(switched)
    assert (GROUP, USER) not in switched.members()
    assert switched.read() is None
    assert switched.delete() in {Removal.ABSENT, Removal.REVOKED}
    settle(switched)
    assert switched.create().how is How.CREATED
    settle(switched)
    assert switched.members() == {("a-first", USER), (GROUP, USER), ("z-last", USER)}


def test_lost_answers(switched: World) -> None:
    """An associate, then a disassociate, whose every answer is lost after the effect: created, and revoked."""
    switched.control.add_fault("cut", operation=ASSOCIATE, when="after", count=5)
    switched.control.add_fault("cut", operation=DISASSOCIATE, when="after", count=5)

    assert switched.create().how is How.CREATED
    settle(switched)
    assert switched.members() == {(GROUP, USER)}
    assert switched.delete() in {Removal.REVOKED, Removal.ABSENT}
    settle(switched)
    assert switched.members() == set()


def test_a_delete_at_once(switched: World) -> None:
    """A membership granted a moment ago is revoked, or the delete is an error: a delete never leaves it quietly."""
    switched.create()

    switched.delete()
    settle(switched)

    assert switched.members() == set()


def test_a_grant_that_just_began_is_revoked(switched: World) -> None:
    """The same for one whose addition is in progress and that no list shows yet, as after a killed create."""
    switched.grant_as_others_do(seconds=switched.control.settings()["addition_seconds"])

    switched.delete()
    settle(switched)

    assert switched.members() == set()


def test_a_membership_revoked_by_others_a_moment_ago(switched: World) -> None:
    """A delete of what others began to revoke a second ago is a success, though a list may still show it."""
    switched.grant_as_others_do()
    settle(switched)
    switched.revoke_as_others_do(seconds=switched.control.settings()["removal_seconds"])
    switched.control.advance(1)

    switched.delete()
    settle(switched)

    assert switched.members() == set()


def test_a_foreign_membership(switched: World) -> None:
    """What others granted is refused, left alone, and not written to."""
    switched.grant_as_others_do(seconds=switched.control.settings()["addition_seconds"])
    settle(switched)

    with pytest.raises(AlreadyExists):
        switched.create()

    assert switched.writes() == []
    assert switched.members() == {(GROUP, USER)}


def test_a_conflict_that_is_foreign_is_told_from_ours(switched: World) -> None:
    """Others grant it between our look and our write, and the service rejects ours: AlreadyExists, for certain."""
    switched.control.configure(duplicate_associate="conflict")
    switched.grant_as_others_do(seconds=switched.control.settings()["addition_seconds"])
    switched.control.add_fault("answer", operation=LOOK, status=200, body='{"permissionGroups": []}')

    with pytest.raises(AlreadyExists) as caught:
        switched.create()

    assert not caught.value.outcome_unknown
    assert switched.holds() == {}
    assert switched.members() == {(GROUP, USER)}
