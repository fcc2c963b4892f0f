"""What a user may declare: the properties of a kind, checked against the service's own model before any call."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from aws_associations.identity import unnameable
from aws_associations.kind import Kind, Part
from aws_associations.service import Services


def violations(services: Services, kind: Kind, values: Mapping[str, object]) -> dict[str, str]:
    """What is wrong with the values of a kind's parts: part name → one sentence; empty if nothing is.

    Length and pattern are those of the service model (API reference); a pattern is that of the whole value. Part names
    that are missing from ``values`` are not checked.
    """
    model = services.model(kind)
    found = {}
    for part in kind.parts:
        if part.name in values:
            problem = _problem(_shape(model, kind, part), values[part.name])
            if problem:
                found[part.name] = problem
    return found


def _shape(model: Any, kind: Kind, part: Part) -> Any:
    operation, member = part.constrained_by or (kind.associate, part.wire)
    return model.operation_model(operation).input_shape.members[member]


def _problem(shape: Any, value: object) -> str:
    if not isinstance(value, str):
        return f"must be a string, not {type(value).__name__}"
    shortest, longest = shape.metadata.get("min", 1), shape.metadata.get("max")
    if len(value) < shortest or (longest is not None and len(value) > longest):
        return f"must have {shortest} to {longest or 'any number of'} characters, has {len(value)}"
    pattern = shape.metadata.get("pattern")
    if pattern and not re.fullmatch(pattern, value, re.DOTALL):
        return f"must match the pattern {pattern}"
    return unnameable(value)
