"""What a user may declare: the properties of a kind, checked against the service's own model before any call."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from aws_associations.identity import unnameable
from aws_associations.kind import Kind, Option, Part
from aws_associations.service import Services
from aws_associations.vocabulary import Vocabulary

_SHOWN = 80
"""How many characters of a wrong value a message shows."""


def shape_of(services: Services, kind: Kind, member: Part | Option) -> Any:
    """botocore's shape that constrains a part or an option."""
    elsewhere = member.constrained_by if isinstance(member, Part) else None
    operation, name = elsewhere or (kind.associate, member.wire)
    return services.model(kind).operation_model(operation).input_shape.members[name]


def violations(services: Services, kind: Kind, values: Mapping[str, object], words: Vocabulary) -> dict[str, str]:
    """What is wrong with the values of a kind's parts: part name → one sentence; empty if nothing is.

    The sentence shows the value, and in brackets what to declare instead if the mistake is a common one. Length and
    pattern are those of the service model (API reference); a pattern is that of the whole value. Part names that are
    missing from ``values`` are not checked.
    """
    found = {}
    for part in kind.parts:
        if part.name in values:
            shape, value = shape_of(services, kind, part), values[part.name]
            problem = _problem(shape, value)
            if problem:
                found[part.name] = with_hint(problem, _hint(kind, part, shape, value, words))
    return found


def _hint(kind: Kind, part: Part, shape: Any, value: object, words: Vocabulary) -> str:
    """What was probably meant by a wrong value, as a clause; empty if nobody knows."""
    if isinstance(value, bool | int | float):
        return "write it in quotes"
    if not isinstance(value, str):
        return ""
    advised = kind.advised(f"{part.name} {value!r}")
    if advised:
        clause = words.say(advised, kind)
        return clause[0].lower() + clause[1:].rstrip(".")
    name_in_arn = re.split("[/:]", value)[-1] if value.startswith("arn:") else ""
    return did_you_mean(
        next((repr(meant) for meant in (value.strip(), name_in_arn) if not _problem(shape, meant)), None)
    )


def with_hint(problem: str, hint: str) -> str:
    """What is wrong, and in brackets what to declare instead; an empty hint is left out."""
    return f"{problem} ({hint})" if hint else problem


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that a misspelt one probably means: case and punctuation count for nothing."""
    from difflib import get_close_matches

    plain = {re.sub("[^a-z0-9]", "", each.lower()): each for each in known}
    near = get_close_matches(re.sub("[^a-z0-9]", "", name.lower()), plain, n=1)
    return plain[near[0]] if near else None


def did_you_mean(meant: str | None) -> str:
    """The clause of a hint; empty for None."""
    return f"did you mean {meant}?" if meant else ""


def typed_options(
    services: Services, kind: Kind, values: Mapping[str, object]
) -> tuple[dict[str, object], dict[str, str]]:
    """The options among the values as the API takes them, and what is wrong with others.

    CloudFormation makes a string of every scalar, so ``"true"`` is taken for a boolean where the API has one.

    Args:
        services: for the service model.
        kind: whose options.
        values: option name → value; other names, and None, are not looked at.

    Returns:
        Request member → value, and option name → one sentence.
    """
    options: dict[str, object] = {}
    problems: dict[str, str] = {}
    for option in kind.options:
        value = values.get(option.name)
        if value is not None:
            try:
                options[option.wire] = _typed(shape_of(services, kind, option), value, "")
            except _WrongValueError as wrong:
                problems[option.name] = str(wrong)
    return options, problems


class _WrongValueError(Exception):
    """One sentence: where, and what is wrong."""


def _typed(shape: Any, value: object, where: str) -> object:
    """The value as the shape has it; raises _WrongValueError."""
    at = f"{where} " if where else ""
    if shape.type_name == "structure":
        return _typed_structure(shape, value, where)
    if shape.type_name == "list":
        if not isinstance(value, list | tuple):
            raise _WrongValueError(f"{at}must be a list, is {shown(value)}")
        return [_typed(shape.member, item, f"{where}[{index}]") for index, item in enumerate(value)]
    if shape.type_name == "boolean":
        word = str(value).lower()
        if not isinstance(value, bool | str) or word not in ("true", "false"):
            raise _WrongValueError(f"{at}must be true or false, is {shown(value)}")
        return word == "true"
    problem = _problem(shape, value)
    if problem:
        raise _WrongValueError(f"{at}{problem}")
    return value


def _typed_structure(shape: Any, value: object, where: str) -> dict[str, object]:
    at = f"{where} " if where else ""
    if not isinstance(value, Mapping):
        raise _WrongValueError(f"{at}must be an object with {', '.join(shape.members)}, is {shown(value)}")
    for name in value:
        if name not in shape.members:
            raise _WrongValueError(f"{at}has no member {shown(name)}; known are {', '.join(shape.members)}")
    for name in shape.required_members:
        if name not in value:
            raise _WrongValueError(f"{at}lacks the member {name}")
    return {name: _typed(shape.members[name], item, f"{where}.{name}".strip(".")) for name, item in value.items()}


def shown(value: object) -> str:
    """A wrong value as a message shows it: quoted if it is text, and not longer than anybody reads."""
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _problem(shape: Any, value: object) -> str:
    if not isinstance(value, str):
        return f"must be a string, is {shown(value)}"
    shortest, longest = shape.metadata.get("min", 1), shape.metadata.get("max")
    if len(value) < shortest or (longest is not None and len(value) > longest):
        return f"must have {shortest} to {longest or 'any number of'} characters, has {len(value)}: {shown(value)}"
    pattern = shape.metadata.get("pattern")
    if pattern and not re.fullmatch(pattern, value, re.DOTALL):
        return f"must match the pattern {pattern}, is {shown(value)}"
    return unnameable(value)
