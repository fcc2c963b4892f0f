"""The Pulumi sequences of the shared design (12 to 15) for every kind and ledger, and what Pulumi was measured to do.

The engine is played (``pulumi_engine.py``); provider and emulated service are the real ones. What the engine leaves to
chance is played in several ways.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import pytest

from aws_associations.errors import InvalidRequest
from aws_associations.identity import parse
from aws_associations.kind import Kind
from aws_associations.kinds import KINDS
from tests.model.pulumi_engine import Call, Declared, Options, Pulumi, Run, pulumi_hosts
from tests.model.table import NAME
from tests.model.world import Door, Mishap, World, Worlds, worlds

UNLIKE = ("directory-group-membership", "finspace-permission-group-membership", "iot-thing-group-membership")
"""A token that tells whose it is, one that does not, and none."""


class Stack:
    """One stack of a world of its own, and its user.

    A program is written as name → index of a pair, or what is declared in full.
    """

    def __init__(self, world: World, table: str) -> None:
        self.world = world
        self.engine = Pulumi(world, table)

    def pair(self, index: int, **more: object) -> Declared:
        """An association to declare."""
        return Declared(self.world.pairs[index], **more)  # type: ignore[arg-type]

    def up(self, program: Mapping[str, int | Declared], name: str = "dev", **options: object) -> Run:
        whole = {name: self.pair(what) if isinstance(what, int) else what for name, what in program.items()}
        return self._run(self.engine.up(name, whole, Options(**options)))  # type: ignore[arg-type]

    def refresh(self) -> Run:
        return self._run(self.engine.refresh("dev"))

    def destroy(self, name: str = "dev", **options: object) -> Run:
        return self._run(self.engine.destroy(name, Options(**options)))  # type: ignore[arg-type]

    def _run(self, job: object) -> Run:
        self.engine.finish(job)  # type: ignore[arg-type]
        return self.engine.runs[-1]

    def granted(self) -> set[int]:
        """The pairs that are granted in truth, by index."""
        identities = [self.world.identity(values) for values in self.world.pairs]
        return {identities.index(identity) for identity in self.world.granted()}

    def has(self) -> dict[str, int]:
        """What the state has: name → index of the pair."""
        identities = [self.world.identity(values) for values in self.world.pairs]
        held = [entry for entry in self.engine.stacks["dev"].entries if entry.is_held]
        return {entry.key: identities.index(parse(self.world.kind, entry.id).identity) for entry in held}

    def at_write(self, number: int, mishap: Callable[[Call], Mishap | None]) -> None:
        """Let something happen at the n-th write from now on."""
        writes = iter(range(1, 1000))

        def meet(door: Door) -> Mishap | None:
            if door.writes and next(writes) == number:
                assert isinstance(door.actor, Call)
                return mishap(door.actor)
            return None

        self.world.meet = meet

    @property
    def refusal(self) -> Mishap:
        """A definite error."""
        return Mishap(fault=next(code for code, error in self.world.kind.errors.items() if error is InvalidRequest))

    def calm(self) -> None:
        """Nothing happens any more."""
        self.world.meet = lambda _: None


@pytest.fixture(scope="module")
def made() -> Iterator[Worlds]:
    """Everything that worlds share."""
    with worlds() as shared, pulumi_hosts(shared):
        yield shared


@pytest.fixture(params=UNLIKE)
def kind(request: pytest.FixtureRequest) -> Kind:
    """A kind; those that differ most, unless a test is for all of them."""
    return next(kind for kind in KINDS if kind.name == request.param)


@pytest.fixture(params=["", NAME], ids=["memory", "table"])
def table(request: pytest.FixtureRequest) -> str:
    """The table that keeps the ledger; empty: process memory."""
    return str(request.param)


@pytest.fixture
def stack(request: pytest.FixtureRequest, made: Worlds, kind: Kind, table: str) -> Stack:
    """An empty stack."""
    return Stack(made.new(kind, seed=getattr(request, "param", 0)), table)


of_every_kind = pytest.mark.parametrize("kind", [kind.name for kind in KINDS], indirect=True)
in_several_ways = pytest.mark.parametrize("stack", range(3), indirect=True, ids=lambda seed: f"way{seed}")
with_a_table = pytest.mark.parametrize("table", [NAME], indirect=True, ids=["table"])


# -- the design's sequences -------------------------------------------------------------------------------------------


@of_every_kind
def test_12_a_rename_that_fails_half_way_is_completed(stack: Stack, table: str) -> None:
    """The old name is deleted by a later update, in another process: the new one goes on holding it."""
    assert stack.up({"old": 0}).result == "ok"
    new = stack.pair(0, on_existing="fail" if table else "adopt")

    stack.at_write(1, lambda _: stack.refusal)
    assert stack.up({"new": new, "c": 1}).result == "failed"
    assert stack.granted() == {0}
    stack.calm()
    assert stack.up({"new": new}).result == "ok"

    assert stack.granted() == {0}
    assert stack.has() == {"new": 0}
    assert stack.destroy().result == "ok"
    assert stack.granted() == set()


@of_every_kind
@in_several_ways
def test_13_an_exchange_is_completed(stack: Stack, table: str) -> None:
    """With a table it succeeds; without, it may stop half way, says what to run, and loses nothing of the state."""
    assert stack.up({"a": 0, "b": 1}).result == "ok"

    run = stack.up({"a": 1, "b": 0})
    if run.result == "failed" and not table:
        assert any("`pulumi up --refresh`" in message for _, message in run.errors)
        assert stack.granted() >= set(stack.has().values())
        run = stack.up({"a": 1, "b": 0}, refresh=True)

    assert run.result == "ok"
    assert stack.granted() == {0, 1}
    assert stack.has() == {"a": 1, "b": 0}


@of_every_kind
def test_14_equal_child_names_in_two_components_are_two_resources(stack: Stack) -> None:
    """They may share an association, and it lives until the last of them is gone."""
    both = {"one/m": 0, "two/m": 0}
    assert stack.up(both).result == "ok"

    assert stack.up({"two/m": both["two/m"]}).result == "ok"
    assert stack.granted() == {0}
    assert stack.up({}).result == "ok"
    assert stack.granted() == set()


@of_every_kind
def test_15_a_destroy_with_another_accounts_credentials_forgets_nothing(stack: Stack) -> None:
    """There everything looks absent, so it fails and names the account; with the right ones it revokes."""
    stack.up({"a": 0, "b": 1})

    run = stack.destroy(account="999999999999")

    assert run.result == "failed"
    assert all("Use credentials of account 123456789012" in message for _, message in run.errors)
    assert stack.granted() == {0, 1}
    assert stack.has() == {"a": 0, "b": 1}
    assert stack.destroy().result == "ok"
    assert stack.granted() == set()


@pytest.mark.parametrize("delete_first", [None, True, False])
def test_a_forced_replacement_keeps_it(stack: Stack, table: str, delete_first: bool | None) -> None:
    """``--replace`` never asks what has changed; in either order the association is there in the end."""
    program = {"a": stack.pair(0, delete_first=delete_first)}
    stack.up(program)

    run = stack.up(program, replace=("a",))
    assert stack.granted() == {0}
    if run.result == "failed":
        # Created first, nothing in process memory shows whose it is: the message names a refresh, which does.
        assert not delete_first
        assert not table
        assert "`pulumi up --refresh`" in run.errors[0][1]
        assert stack.up(program, replace=("a",), refresh=True).result == "ok"

    assert stack.granted() == {0}
    assert stack.destroy().result == "ok"
    assert stack.granted() == set()


# -- what Pulumi was measured to do -----------------------------------------------------------------------------------


@in_several_ways
@pytest.mark.parametrize("program", [{"a": 1}, {"a": 1, "b": 2}, {"a": 1, "c": 2}, {"b": 2}], ids=str)
def test_what_a_half_replaced_resource_had_is_revoked_with_its_last_holder(
    stack: Stack, program: Mapping[str, int]
) -> None:
    """The engine goes on showing what a failed replacement has deleted already (tried on the real engine)."""
    last = len(stack.world.pairs) - 1
    stack.up({"a": 0, "b": 0})
    stack.at_write(1, lambda _: stack.refusal)
    assert stack.up({"a": 1, "b": 0}, refresh=True).result == "failed"
    assert stack.granted() == {0}
    stack.calm()

    assert stack.up({name: min(pair, last) for name, pair in program.items()}, refresh=True).result == "ok"

    assert stack.granted() == {min(pair, last) for pair in program.values()}


@of_every_kind
def test_a_replacement_whose_create_fails_keeps_what_was_there(stack: Stack) -> None:
    """The new one comes first, unless the service allows one at a time; the next update ends with what is declared."""
    stack.up({"a": 0})
    stack.at_write(1, lambda _: stack.refusal)
    exclusive = stack.world.kind.look.exclusive

    assert stack.up({"a": 1}).result == "failed"
    assert exclusive or stack.granted() == {0}
    stack.calm()
    assert stack.up({"a": 1}).result == "ok"
    assert stack.granted() == {1}


def test_a_create_whose_host_was_killed_is_found_by_the_next_update(stack: Stack, table: str) -> None:
    """It is in no state. A table tells whose it is; else the error says that it is there, and how to adopt it."""
    stack.at_write(1, lambda _: Mishap(kill="after"))
    assert stack.up({"a": 0}).result == "failed"
    assert stack.has() == {}
    stack.calm()

    run = stack.up({"a": 0})
    if run.result == "failed":
        assert not table
        assert "on_existing='adopt'" in run.errors[0][1]
        assert stack.up({"a": stack.pair(0, on_existing="adopt")}).result == "ok"

    assert stack.granted() == {0}
    assert stack.destroy().result == "ok"
    assert stack.granted() == set()


# -- a table ----------------------------------------------------------------------------------------------------------


@with_a_table
def test_a_killed_update_of_resources_that_share_is_safe(stack: Stack) -> None:
    """What their first creates left in the table counts for none of them once they are declared again."""
    program = {"a": 0, "b": 0, "c": 0}
    stack.at_write(1, lambda call: stack.engine.kill(call.run))
    assert stack.up(program).result == "killed"
    assert stack.has() == {}
    stack.calm()

    assert stack.up(program).result == "ok"
    assert stack.granted() == {0}
    assert stack.destroy().result == "ok"
    assert stack.granted() == set()


@with_a_table
@of_every_kind
def test_two_stacks_share_a_pair_until_the_last_one_goes(stack: Stack) -> None:
    """``fail`` names the other stack, ``adopt`` shares; whichever goes first, the other one keeps it."""
    stack.up({"a": 0}, "one")
    refused = stack.up({"a": 0}, "two")
    assert "resource a of Pulumi stack organization/project/one declares it already" in refused.errors[0][1]
    assert stack.up({"a": stack.pair(0, on_existing="adopt")}, "two").result == "ok"

    assert stack.destroy("one").result == "ok"
    assert stack.granted() == {0}
    assert stack.destroy("two").result == "ok"
    assert stack.granted() == set()


@with_a_table
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("call", range(1, 8))
def test_a_table_that_stops_answering_is_made_good_by_the_next_update(stack: Stack, call: int, when: str) -> None:
    """Whatever call of the ledger it is, and whether it took effect: the next update and destroy leave nothing."""
    asked = iter(range(1, 1000))

    def meet(door: Door) -> Mishap | None:
        doomed = door.what == "dynamodb" and next(asked) >= call
        return Mishap(fault="cut", when=when) if doomed else None

    stack.world.meet = meet
    stack.up({"a": 0})
    stack.calm()
    stack.world.simulation.pass_time(60)

    assert stack.up({"a": 0}).result == "ok"
    assert stack.granted() == {0}
    assert stack.destroy().result == "ok"
    assert stack.granted() == set()
