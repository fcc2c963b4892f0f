"""The Pulumi sequences of the shared design (12 to 15) for every kind, and what Pulumi was measured to do.

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
from tests.model.pulumi_engine import Call, Declared, Options, Other, Pulumi, Run, pulumi_hosts
from tests.model.world import Door, Mishap, World, Worlds, worlds

WAYS = range(3)
"""Seeds: each gives another order. For what depends on it."""


UNLIKE = ("directory-group-membership", "finspace-permission-group-membership", "iot-thing-group-membership")
"""A token that tells whose it is, one that does not, and none."""


class Stack:
    """One stack of a world of its own, and its user.

    A program is written as name → index of a pair, or what is declared in full.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.engine = Pulumi(world)

    def pair(self, index: int, **more: object) -> Declared:
        """An association to declare."""
        return Declared(self.world.pairs[index], **more)  # type: ignore[arg-type]

    def up(self, program: Mapping[str, int | Declared | Other], **options: object) -> Run:
        whole = {name: self.pair(what) if isinstance(what, int) else what for name, what in program.items()}
        return self._run(self.engine.up("dev", whole, Options(**options)))  # type: ignore[arg-type]

    def refresh(self) -> Run:
        return self._run(self.engine.refresh("dev"))

    def destroy(self, **options: object) -> Run:
        return self._run(self.engine.destroy("dev", Options(**options)))  # type: ignore[arg-type]

    def _run(self, job: object) -> Run:
        self.engine.finish(job)  # type: ignore[arg-type]
        return self.engine.runs[-1]

    def granted(self) -> set[int]:
        """The pairs that are granted in truth, by index."""
        identities = [self.world.identity(values) for values in self.world.pairs]
        return {identities.index(identity) for identity in self.world.granted()}

    def has(self) -> dict[str, str]:
        """What the state has: name → id."""
        return {entry.key: entry.id for entry in self.engine.stacks["dev"].ours if entry.is_held}

    def at_write(self, number: int, mishap: Callable[[Call], Mishap | None]) -> None:
        """Let something happen at the n-th write from now on."""
        writes = iter(range(1, 1000))

        def meet(door: Door) -> Mishap | None:
            if door.writes and next(writes) == number:
                assert isinstance(door.actor, Call)
                return mishap(door.actor)
            return None

        self.world.meet = meet


@pytest.fixture(scope="module")
def made() -> Iterator[Worlds]:
    """Everything that worlds share."""
    with worlds() as shared, pulumi_hosts(shared):
        yield shared


@pytest.fixture(params=UNLIKE)
def kind(request: pytest.FixtureRequest) -> Kind:
    """A kind; those that differ most, unless a test is for all of them."""
    return next(kind for kind in KINDS if kind.name == request.param)


@pytest.fixture
def stack(request: pytest.FixtureRequest, made: Worlds, kind: Kind) -> Stack:
    """An empty stack."""
    return Stack(made.new(kind, seed=getattr(request, "param", 0)))


of_every_kind = pytest.mark.parametrize("kind", [kind.name for kind in KINDS], indirect=True)
in_several_ways = pytest.mark.parametrize("stack", WAYS, indirect=True, ids=lambda seed: f"way{seed}")


# -- the design's sequences -------------------------------------------------------------------------------------------


@of_every_kind
def test_12_a_rename_with_adoption_that_fails_half_way_is_completed(stack: Stack) -> None:
    """The old name is deleted by a later update, in another process: the new one goes on holding it."""
    assert stack.up({"old": 0}).result == "ok"
    adopting = stack.pair(0, on_existing="adopt")

    assert stack.up({"new": adopting, "other": Other(30, fails=True)}).result == "failed"
    assert stack.granted() == {0}
    assert stack.up({"new": adopting}).result == "ok"

    assert stack.granted() == {0}
    assert stack.has().keys() == {"new"}
    assert stack.destroy().result == "ok"
    assert stack.granted() == set()


@of_every_kind
@in_several_ways
def test_13_an_exchange_without_adoption_is_repaired_by_another_up(stack: Stack) -> None:
    """It succeeds, or it stops half way and says what to run; nothing is lost that the state still has."""
    assert stack.up({"a": 0, "b": 1}).result == "ok"

    run = stack.up({"a": 1, "b": 0})
    if run.result == "failed":
        assert any("`pulumi up --refresh`" in message for _, message in run.errors)
        assert stack.granted() == {stack_index(stack, id_) for id_ in stack.has().values()}
        assert stack.up({"a": 1, "b": 0}, refresh=True).result == "ok"

    assert stack.granted() == {0, 1}
    assert {name: stack_index(stack, id_) for name, id_ in stack.has().items()} == {"a": 1, "b": 0}


@of_every_kind
def test_13_an_exchange_begun_with_a_refresh_succeeds_at_once(stack: Stack) -> None:
    """A refresh shows the provider what every resource has."""
    stack.up({"a": 0, "b": 1})

    assert stack.up({"a": 1, "b": 0}, refresh=True).result == "ok"

    assert stack.granted() == {0, 1}


@of_every_kind
def test_14_equal_child_names_in_two_components_are_two_resources(stack: Stack) -> None:
    """They may share an association, and it lives until the last of them is gone."""
    both = {"one/m": stack.pair(0, parent="one"), "two/m": stack.pair(0, parent="two")}
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
    assert stack.has().keys() == {"a", "b"}
    assert stack.destroy().result == "ok"
    assert stack.granted() == set()


# -- what Pulumi was measured to do -----------------------------------------------------------------------------------


def test_a_rename_with_an_alias_makes_no_call(stack: Stack) -> None:
    """Nothing changes but the name."""
    stack.up({"old": 0})
    before = len(stack.world.attempts)

    assert stack.up({"new": stack.pair(0, alias="old")}).result == "ok"

    assert len(stack.world.attempts) == before
    assert stack.has().keys() == {"new"}


def test_a_rename_without_alias_or_adoption_loses_nothing(stack: Stack) -> None:
    """It ends in AlreadyExists, and the message has the alias to write."""
    stack.up({"old": 0})

    run = stack.up({"new": 0})

    assert run.result == "failed"
    assert "aliases=[pulumi.Alias(name='old')]" in run.errors[0][1]
    assert stack.granted() == {0}
    assert stack.up({"new": stack.pair(0, alias="old")}).result == "ok"
    assert stack.granted() == {0}


@pytest.mark.parametrize("delete_first", [True, False])
def test_a_forced_replacement_keeps_it(stack: Stack, delete_first: bool) -> None:
    """``--replace`` never asks what has changed; in either order the association is there in the end."""
    program = {"a": stack.pair(0, delete_first=delete_first)}
    stack.up(program)

    run = stack.up(program, replace=("a",))
    assert stack.granted() == {0}
    if run.result == "failed":
        # Created first, nothing shows whose it is: the message names a refresh, which does.
        assert not delete_first
        assert "`pulumi up --refresh`" in run.errors[0][1]
        assert stack.up(program, replace=("a",), refresh=True).result == "ok"
        assert stack.granted() == {0}


def test_what_others_revoked_is_granted_again_after_a_refresh(stack: Stack) -> None:
    """A refresh drops it from the state, and the next update grants it."""
    stack.up({"a": 0, "b": 1})
    stack.world.others_revoke(stack.world.pairs[0])

    assert stack.refresh().result == "ok"
    assert stack.has().keys() == {"b"}
    assert stack.up({"a": 0, "b": 1}).result == "ok"
    assert stack.granted() == {0, 1}


def test_a_replacement_that_failed_after_its_delete_is_completed(stack: Stack) -> None:
    """The state keeps a mark, and the next update creates without deleting again."""
    stack.up({"a": 0})
    stack.at_write(2, lambda _: Mishap(fault="cut"))

    stack.up({"a": 1})
    stack.world.meet = lambda _: None
    assert stack.up({"a": 1}).result == "ok"

    assert stack.granted() == {1}


def test_what_a_half_replaced_resource_had_shields_no_delete(stack: Stack) -> None:
    """The engine goes on showing what a failed replacement has deleted already (tried on the real engine)."""
    stack.up({"a": 0, "b": 0})
    stack.at_write(1, lambda _: Mishap(fault=_refusal(stack)))
    assert stack.up({"a": 1, "b": 0}, refresh=True).result == "failed"
    stack.world.meet = lambda _: None
    assert stack.granted() == {0}

    assert stack.up({"a": 1}).result == "ok"

    assert stack.granted() == {1}


@in_several_ways
@pytest.mark.parametrize("program", [{"a": 1, "b": 2}, {"a": 1, "c": 2}, {"b": 2}], ids=str)
def test_what_is_left_to_a_half_replaced_resource_is_revoked_once_that_is_made(
    stack: Stack, program: Mapping[str, int]
) -> None:
    """Another resource lets go of the pair in the very update that makes the replacement, in whatever order."""
    last = len(stack.world.pairs) - 1
    stack.up({"a": 0, "b": 0})
    stack.at_write(1, lambda _: Mishap(fault=_refusal(stack)))
    assert stack.up({"a": 1, "b": 0}, refresh=True).result == "failed"
    stack.world.meet = lambda _: None

    assert stack.up({name: min(pair, last) for name, pair in program.items()}, refresh=True).result == "ok"

    assert stack.granted() == {min(pair, last) for pair in program.values()}


def test_what_is_left_to_a_resource_that_is_created_first_is_revoked_by_its_replacement(stack: Stack) -> None:
    """``delete_before_replace=False``: its own delete finds nothing any more."""
    stack.up({"a": stack.pair(0, delete_first=False), "b": 0})

    assert stack.up({"a": stack.pair(1, delete_first=False), "b": 1}, refresh=True).result == "ok"

    assert stack.granted() == {1}


def test_what_is_left_to_a_half_replaced_resource_is_revoked_by_its_replacement(stack: Stack) -> None:
    """The other resource lets go while the replacement is being made."""
    _let_go_meanwhile(stack, Mishap(seconds_before=10))

    assert stack.granted() == {1, len(stack.world.pairs) - 1}


def test_what_may_remain_of_a_failed_replacement_is_told(stack: Stack) -> None:
    """It fails a second time, after the other resource let go: nobody has the pair any more, and it stays."""
    run = _let_go_meanwhile(stack, Mishap(seconds_before=10, fault=_refusal(stack)))

    assert run.result == "failed"
    assert 0 in stack.granted()
    (failed,) = [call for call in run.calls if call.ended == "raised"]
    assert any(
        "may-remain" in line and str(stack.world.identity(stack.world.pairs[0])) in line for line in failed.lines
    )


def test_what_cannot_be_revoked_for_a_replacement_does_not_fail_it(stack: Stack) -> None:
    """The replacement is in the state, and a warning says what may remain."""
    removal = stack.world.kind.disassociate
    run = _let_go_meanwhile(stack, Mishap(seconds_before=10), {removal: Mishap(fault=_refusal(stack))})

    assert run.result == "ok"
    assert stack.granted() == {0, 1, len(stack.world.pairs) - 1}
    assert stack.has().keys() == {"a", "b"}
    (made,) = [call for call in run.calls if call.method == "create" and call.key == "a"]
    assert any("may-remain" in line for line in made.lines)


def test_what_a_replacement_may_have_revoked_is_granted_again(stack: Stack) -> None:
    """The service answers it nothing, and a third resource, which the run comes to later, holds it as well."""
    removal, look = stack.world.kind.disassociate, stack.world.kind.look.operation
    lost = {removal: Mishap(fault="cut", when="after"), look: Mishap(fault="cut")}
    run = _let_go_meanwhile(stack, Mishap(seconds_before=10), lost, third=True)

    assert run.result == "ok"
    assert stack.granted() == {0, 1, len(stack.world.pairs) - 1}


def _let_go_meanwhile(
    stack: Stack, mishap: Mishap, afterwards: Mapping[str, Mishap] | None = None, *, third: bool = False
) -> Run:
    """Another resource lets go of what a resource had, whose replacement failed before and meets this now.

    ``afterwards``: what the operations of its create meet from its first removal on. ``third``: one more holds it.
    """
    more: dict[str, Declared | Other] = {"c": stack.pair(0, after="late"), "late": Other(600)} if third else {}
    stack.up({"a": 0, "b": 0, **more})
    stack.at_write(1, lambda _: Mishap(fault=_refusal(stack)))
    assert stack.up({"a": 1, "b": 0, **more}, refresh=True).result == "failed"
    writes: list[str] = []

    def meet(door: Door) -> Mishap | None:
        if getattr(door.actor, "key", "") != "a":
            return None
        writes.extend([door.operation] * door.writes)
        if stack.world.kind.disassociate in writes:
            return (afterwards or {}).get(door.operation)
        return mishap if door.writes and len(writes) == 1 else None

    stack.world.meet = meet
    last = stack.pair(len(stack.world.pairs) - 1, after="other", on_existing="adopt")
    return stack.up({"a": 1, "b": last, "other": Other(2), **more}, refresh=not third)


def _refusal(stack: Stack) -> str:
    """The code of a definite error."""
    return next(code for code, error in stack.world.kind.errors.items() if error is InvalidRequest)


@in_several_ways
def test_a_rotation_of_three_is_completed_by_a_refresh(stack: Stack) -> None:
    """However far it came without one."""
    pairs = len(stack.world.pairs)
    names = ["a", "b", "c"][: min(3, pairs)]
    stack.up({name: number for number, name in enumerate(names)})
    turned = {name: (number + 1) % len(names) for number, name in enumerate(names)}

    stack.up(turned)
    stack.up(turned, refresh=True)

    assert stack.granted() == set(range(len(names)))


def test_ctrl_c_waits_for_what_has_begun(stack: Stack) -> None:
    """It is in the state, and the next update does the rest."""
    stack.at_write(1, lambda call: stack.engine.interrupt(call.run))

    assert stack.up({"a": 0, "b": 1}).result == "failed"
    assert stack.granted() == {stack_index(stack, id_) for id_ in stack.has().values()} != set()
    stack.world.meet = lambda _: None
    assert stack.up({"a": 0, "b": 1}).result == "ok"
    assert stack.granted() == {0, 1}


def test_a_create_whose_host_was_killed_is_adopted_on_demand(stack: Stack) -> None:
    """It is in no state; the next update says that it is there already, and how to adopt it."""
    stack.at_write(1, lambda _: Mishap(kill="after"))
    assert stack.up({"a": 0}).result == "failed"
    assert stack.has() == {}
    stack.world.meet = lambda _: None

    run = stack.up({"a": 0})
    if run.result == "failed":
        assert "on_existing='adopt'" in run.errors[0][1]
        assert stack.up({"a": stack.pair(0, on_existing="adopt")}).result == "ok"

    assert stack.granted() == {0}
    assert stack.destroy().result == "ok"
    assert stack.granted() == set()


def test_a_create_that_cannot_see_its_grant_takes_it_back(stack: Stack) -> None:
    """Pulumi keeps nothing of a create that failed, so nothing of it may remain."""
    refused = _refusal(stack)
    happened: list[bool] = []

    def meet(door: Door) -> Mishap | None:
        happened.append(door.writes)
        return Mishap(fault=refused) if happened[-2:] == [True, False] and sum(happened) == 1 else None

    stack.world.meet = meet

    assert stack.up({"a": 0}).result == "failed"
    assert stack.has() == {}
    assert stack.granted() == set()


def test_a_preview_calls_nothing(stack: Stack) -> None:
    """Neither of what is new, nor of what changes."""
    stack.up({"a": 0})
    before = len(stack.world.attempts)
    stack.at_write(1, lambda call: pytest.fail(f"{call}") if call.preview else None)

    stack.up({"a": 1, "b": 0})

    previewed = [attempt for attempt in stack.world.attempts[before:] if attempt.actor.preview]  # type: ignore[attr-defined]
    assert previewed == []


def stack_index(stack: Stack, id_: str) -> int:
    """Which pair an id names."""
    identities = [stack.world.identity(values) for values in stack.world.pairs]
    return identities.index(parse(stack.world.kind, id_).identity)
