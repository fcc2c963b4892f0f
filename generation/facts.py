"""What the documentation of a kind needs beyond its declaration: limits and types, from the service model."""

from __future__ import annotations

from functools import cache
from typing import Any

from aws_associations.kind import Kind, Option, Part
from aws_associations.properties import shape_of
from aws_associations.service import Services


@cache
def _services() -> Services:
    return Services()


def limits(kind: Kind, part: Part) -> str:
    """For example ``1 to 26 characters``; empty if the model has none."""
    found = shape_of(_services(), kind, part).metadata
    shortest, longest = found.get("min"), found.get("max")
    if longest is None:
        return ""
    return f"{longest} characters" if shortest == longest else f"{shortest or 1} to {longest} characters"


def pattern(kind: Kind, part: Part) -> str:
    """The regular expression that the whole value matches; empty if the model has none."""
    return str(shape_of(_services(), kind, part).metadata.get("pattern", ""))


def option_shape(kind: Kind, option: Option) -> Any:
    """botocore's shape of an option."""
    return shape_of(_services(), kind, option)


def module_name(kind: Kind) -> str:
    """The Pulumi module, for example ``finspace``."""
    return kind.name.split("-")[0]


def class_name(kind: Kind) -> str:
    """The Pulumi class, for example ``PermissionGroupMembership``."""
    return "".join(word.capitalize() for word in kind.name.split("-")[1:])


def declaration_module(kind: Kind) -> str:
    """The module of the declaration, for example ``finspace_permission_group_membership``."""
    return kind.name.replace("-", "_")


def sentence(text: str) -> str:
    """With a full stop."""
    return text if text.endswith(".") else f"{text}."


def short(kind: Kind) -> str:
    """What the documentation calls one: the last word of its noun, for example ``membership``."""
    return kind.noun.split()[-1]
