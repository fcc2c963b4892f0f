"""For which kinds a test is run: each of those declared, or those that have what the test is about."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from aws_associations.kind import Kind, State
from aws_associations.kinds import KINDS
from tests.contract.scenery import SCENERY, module_of


def kinds(has: Callable[[Kind], object] = lambda _: True) -> pytest.MarkDecorator:
    """Run a test on ``kind_stage`` for every kind that has it; there must be one."""
    chosen = [kind for kind in KINDS if has(kind)]
    assert chosen
    return pytest.mark.parametrize("kind_stage", chosen, ids=[kind.name for kind in chosen], indirect=True)


def kind(type_name: str) -> pytest.MarkDecorator:
    """Run a test on ``kind_stage`` for the one kind of this type."""
    return kinds(lambda kind: kind.cloudformation_type == f"Custom::{type_name}")


def parts(has: Callable[[Kind, str], object] = lambda *_: True) -> pytest.MarkDecorator:
    """Run a test on ``kind_stage`` and ``part`` for every part of every kind that has it; there must be one."""
    chosen = [(kind, part.name) for kind in KINDS for part in kind.parts if has(kind, part.name)]
    assert chosen
    ids = [f"{kind.name} {part}" for kind, part in chosen]
    return pytest.mark.parametrize(("kind_stage", "part"), chosen, ids=ids, indirect=["kind_stage"])


def has_status(kind: Kind) -> bool:
    """Whether the service tells how far an association is."""
    return kind.look.status is not None


def can_fail(kind: Kind) -> bool:
    """Whether the service can say that an association has failed."""
    return State.FAILED in kind.look.states.values()


def replaceable(kind: Kind, part: str) -> bool:
    """Whether another value of the part can be granted while the old one still is."""
    return f"replacement of {part}" not in SCENERY[module_of(kind)].lacks
