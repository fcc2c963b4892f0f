"""Every declared kind is under contract, and what it lacks is said and true."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from aws_associations.kind import Kind
from aws_associations.kinds import KINDS
from tests.contract import cases, summary
from tests.contract.cases import lacks, modelled_errors, own_reasons, scenery_of
from tests.contract.scenery import module_of

HERE = Path(__file__).parent
each_kind = pytest.mark.parametrize("kind", KINDS, ids=module_of)


@each_kind
def test_every_declared_kind_has_scenery(kind: Kind) -> None:
    """A kind comes under contract by being declared; without scenery it fails, and this says what to write."""
    assert scenery_of(kind) is not None, (
        f"{kind.name} is declared, but has no scenery: write tests/contract/scenery/{module_of(kind)}.py with a class"
        " SCENERY(Scenery), as its neighbours have"
    )


@each_kind
def test_what_a_kind_lacks_is_a_case(kind: Kind) -> None:
    """A misspelt name would leave nothing out and hide nothing, but would say so in the summary."""
    for path in HERE.glob("test_contract_*.py"):
        importlib.import_module(f"tests.contract.{path.stem}")

    assert set(lacks(kind)) <= cases.REAL[kind.name]


@each_kind
def test_what_a_kind_lacks_its_declaration_lacks(kind: Kind) -> None:
    """Where the declaration tells, a case is left out if, and only if, it has nothing to say there."""
    lacking = lacks(kind)

    assert {case for case in cases.DECLARED if case in lacking} == {
        case for case, has in cases.DECLARED.items() if not has(kind)
    }
    assert {case for case, has in cases.AT_MOST_DECLARED.items() if not has(kind)} <= set(lacking)


@each_kind
def test_what_a_kind_lacks_is_printed_with_its_reason(kind: Kind) -> None:
    """One line a case in the terminal summary, with the reason."""
    printed = [line for line in summary.lines() if line.startswith(f"contract: {kind.name}: lacks ")]

    assert printed == [f"contract: {kind.name}: lacks {case}: {reason}" for case, reason in lacks(kind).items()]
    assert all(len(reason.split()) > 2 for reason in lacks(kind).values())


@each_kind
def test_every_error_of_the_service_model_is_declared(kind: Kind) -> None:
    """What the service publishes for one of the kind's operations has a meaning here."""
    assert {error.code for error in modelled_errors(kind)} <= set(kind.errors)


@each_kind
def test_every_reason_with_advice_is_in_the_scenery(kind: Kind) -> None:
    """Words of a kind's own are read by nobody unless the error that carries them is known."""
    scenery = scenery_of(kind)

    assert scenery is not None
    assert set(scenery.reasons) == own_reasons(kind)
