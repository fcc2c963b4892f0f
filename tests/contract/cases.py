"""The cases of the contract: which kinds each is run for, and which it is left out for, by what their scenery lacks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from aws_associations.kind import Duplicates, Kind, Rejection, State, exact
from aws_associations.kinds import KINDS
from aws_associations.service import Services
from tests.contract.scenery import SCENERY, Scenery, module_of

Row = tuple[str, tuple[Any, ...]]
"""What a case is called for a kind, and what it is run with besides the stage."""


@dataclass(frozen=True, slots=True)
class Modelled:
    """An error that a service model has for one operation."""

    operation: str
    code: str
    status: int

    def __str__(self) -> str:
        return f"{self.operation}-{self.code}"


REAL: dict[str, set[str]] = {}
"""Kind → the names of the cases that there are for it. Filled as the modules of the contract are imported."""

_MODELS = Services()


def scenery_of(kind: Kind) -> type[Scenery] | None:
    """A kind's scenery; None, and the contract fails for it, if nobody has written one."""
    return SCENERY.get(module_of(kind))


def lacks(kind: Kind) -> Mapping[str, str]:
    """Case → why the kind has none."""
    found = scenery_of(kind)
    return found.lacks if found else {}


def case(name: str) -> pytest.MarkDecorator:
    """Run a test for every kind that has the case."""
    return _run("stage", lambda _: [(name, ())])


def case_of_each_part(name: str) -> pytest.MarkDecorator:
    """Run a test for every part of every kind's identity; the case is called ``name`` and the part."""
    return _run(("stage", "part"), lambda kind: [(f"{name} {part.name}", (part.name,)) for part in kind.parts])


def case_of_each_party(name: str) -> pytest.MarkDecorator:
    """Run a test for both parties of every kind; the case is called ``name`` and the party."""
    return _run(("stage", "party"), lambda kind: [(f"{name} {party.name}", (party.name,)) for party in kind.parties])


def case_of_each_error(name: str, *operations: Callable[[Kind], str | None]) -> pytest.MarkDecorator:
    """Run a test for every error that the service models for those of the kind's operations."""

    def rows(kind: Kind) -> list[Row]:
        named = {operation(kind) for operation in operations} - {None}
        return [(name, (error,)) for error in modelled_errors(kind) if error.operation in named]

    return _run(("stage", "error"), rows, name=name)


def case_of_each_transient(name: str) -> pytest.MarkDecorator:
    """Run a test for every rejection that a kind declares to pass by itself, with its code and reason."""
    return _run(
        ("stage", "code", "reason"),
        lambda kind: [
            (name, (code, reason)) for code, reasons in kind.transient.items() for reason in sorted(reasons) or [""]
        ],
        name=name,
    )


def case_of_each_busy(name: str) -> pytest.MarkDecorator:
    """Run a test for every rejection that a kind declares to mean that the service is busy."""
    return _run(("stage", "rejection"), lambda kind: [(name, (rejection,)) for rejection in kind.busy], name=name)


def case_of_each_lasting(name: str) -> pytest.MarkDecorator:
    """Run a test for every rejection that a kind declares to be mended by no waiting."""
    return _run(("stage", "rejection"), lambda kind: [(name, (rejection,)) for rejection in kind.lasting], name=name)


def case_of_each_reason(name: str) -> pytest.MarkDecorator:
    """Run a test for every reason that has advice of its own, with the code of the error that carries it."""

    def rows(kind: Kind) -> list[Row]:
        scenery = scenery_of(kind)
        return [(name, (code, reason)) for reason, code in scenery.reasons.items()] if scenery else []

    return _run(("stage", "code", "reason"), rows, name=name)


def case_of_each_answer(name: str) -> pytest.MarkDecorator:
    """Run a test for everything that the service may say to the removal of what is absent."""

    def rows(kind: Kind) -> list[Row]:
        scenery = scenery_of(kind)
        return [(name, (switches,)) for switches in scenery.non_member] if scenery else []

    return _run(("stage", "switches"), rows, name=name)


def modelled_errors(kind: Kind) -> Iterator[Modelled]:
    """Every error in the service model of the kind's operations."""
    model = _MODELS.model(kind)
    for operation in sorted(kind.operations):
        for shape in model.operation_model(operation).error_shapes:
            status = int(shape.metadata.get("error", {}).get("httpStatusCode", 400))
            yield Modelled(operation, str(shape.error_code), status)


def own_reasons(kind: Kind) -> set[str]:
    """The reasons that have advice of their own."""
    return {word for word in kind.advice if isinstance(word, str) and " " not in word} - set(kind.errors)


def _names_retry_after(kind: Kind) -> bool:
    model = _MODELS.model(kind)
    shapes = [shape for name in kind.operations for shape in model.operation_model(name).error_shapes]
    return any("RetryAfterSeconds" in shape.members for shape in shapes)


DECLARED: Mapping[str, Callable[[Kind], bool]] = {
    "wait": lambda kind: kind.look.status is not None,
    "failed state": lambda kind: State.FAILED in kind.look.states.values(),
    "token": lambda kind: kind.token is not None,
    "options": lambda kind: bool(kind.options),
    "exclusive": lambda kind: kind.look.exclusive,
    "global": lambda kind: kind.is_global,
    "default": lambda kind: any(part.default is not None for part in kind.parts),
    "transient": lambda kind: bool(kind.transient),
    "busy": lambda kind: bool(kind.busy),
    "renews": lambda kind: kind.renews,
    "retry after": _names_retry_after,
    "reasons": lambda kind: bool(own_reasons(kind)),
    "exchange": lambda kind: kind.exchange is not None,
    "throttled, then foreign": lambda kind: kind.duplicates is not Duplicates.SUCCEED,
}
"""Case → whether the declaration has it; a kind lacks the case if and only if its declaration does."""

AT_MOST_DECLARED: Mapping[str, Callable[[Kind], bool]] = {"pages": lambda kind: kind.look.page_token is not None}
"""Case → whether the declaration has it; a kind must lack the case if its declaration does, and may anyway."""


def compares(kind: Kind, part: str) -> bool:
    """Whether another spelling of the part may mean the same."""
    return next(each for each in kind.parts if each.name == part).compared_as is not exact


def _run(
    names: str | tuple[str, ...], rows: Callable[[Kind], list[Row]], *, name: str | None = None
) -> pytest.MarkDecorator:
    """``name``: what the case is called even where it has no rows."""
    params = []
    for kind in KINDS:
        real = REAL.setdefault(kind.name, set())
        real.update([name] if name else [])
        if scenery_of(kind) is None:
            continue
        for called, values in rows(kind):
            real.add(called)
            if called not in lacks(kind):
                words = [word for word in map(_word, values) if word]
                params.append(pytest.param(kind, *values, id="-".join([module_of(kind), *words])))
    return pytest.mark.parametrize(names, params, indirect=["stage"])


def _word(value: object) -> str:
    if isinstance(value, Rejection):
        return f"{value.code}-{value.reason}".rstrip("-")
    return "-".join(map(str, value.values())) if isinstance(value, Mapping) else str(value)
