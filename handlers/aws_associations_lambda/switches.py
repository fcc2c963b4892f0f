"""What this function serves: the kinds that its template's parameters enable, and the parties that may grant in each.

A parameter's value arrives as the environment variable of the same name: patterns with ``*`` and ``?``, separated by
commas; empty or missing: the kind is not served.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping

from aws_associations.errors import AccessDenied
from aws_associations.kind import Kind
from aws_associations_lambda.words import WORDS


def check_served(kind: Kind) -> None:
    """Raise AccessDenied, with the parameter's name, unless the kind is enabled."""
    if not _patterns(kind):
        raise AccessDenied(
            f"{kind.cloudformation_type} is not enabled in this function",
            advice=f"In the function's own stack set the parameter {kind.switch}, then {{again}}.",
        )


def check_may_grant(kind: Kind, values: Mapping[str, str]) -> None:
    """Raise AccessDenied, with the parameter's name, unless the party that grants matches one of the patterns.

    Args:
        kind: what is to be granted.
        values: part name → value; the granting party's at least.
    """
    party = kind.parties[0]
    granting = values[party.name]
    if not any(_matches(pattern, party.compared_as(granting), party.compared_as) for pattern in _patterns(kind)):
        raise AccessDenied(
            f"this function may not grant for {WORDS.called(party)} {granting[:80]!r}",
            advice=f"Its stack's parameter {kind.switch} lists what it may: {', '.join(_patterns(kind))[:200]}.",
        )


def _patterns(kind: Kind) -> list[str]:
    return [pattern.strip() for pattern in os.environ.get(kind.switch, "").split(",") if pattern.strip()]


def _matches(pattern: str, value: str, compared_as: Callable[[str], str]) -> bool:
    # Only * and ?, as in IAM: of fnmatch's brackets a name may hold some itself.
    wild = {"*": ".*", "?": "."}
    expression = "".join(wild.get(character) or re.escape(character) for character in compared_as(pattern))
    return re.fullmatch(expression, value, re.DOTALL) is not None
