"""Inputs and outputs of a resource as plain values: what is wrong with them, and what they say. No call is made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pulumi.output import Unknown

from aws_associations.errors import InvalidRequest
from aws_associations.identity import AssociationId, Identity
from aws_associations.kind import Kind
from aws_associations.lifecycle import OnExisting
from aws_associations.records import Owner

ON_EXISTING = {choice.value.lower(): choice for choice in OnExisting}
"""The choices as a Pulumi program spells them."""

LONGEST_TIMEOUT = 86_400

DEFAULTED = "defaulted"
"""The output that lists the parts whose values nobody declared."""

REQUEST_ID = "request_id"
"""The output that tells one create from another; of two, the text of the later one is greater."""


def wrong_settings(known: Mapping[str, Any], kind: Kind) -> dict[str, str]:
    """What is wrong with the inputs that every kind has: name → one sentence."""
    failures = {}
    on_existing = known.get("on_existing", "fail")
    if not isinstance(on_existing, str) or on_existing not in ON_EXISTING:
        failures["on_existing"] = f"must be {' or '.join(map(repr, ON_EXISTING))}, is {on_existing!r}"
    timeout = known.get("timeout_seconds", kind.timeout_seconds)
    if not isinstance(timeout, (int, float)) or isinstance(timeout, bool) or not 1 <= timeout <= LONGEST_TIMEOUT:
        failures["timeout_seconds"] = f"must be a number of seconds from 1 to {LONGEST_TIMEOUT}, is {timeout!r}"
    region = known.get("region")
    if region is not None and (not isinstance(region, str) or not region):
        failures["region"] = "must be the name of an AWS region"
    revision = known.get("revision")
    if revision is not None and not isinstance(revision, str):
        failures["revision"] = f"must be a text, is {revision!r}"
    return failures


def known_only(values: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what holds, at whatever depth, a value that is not known yet."""

    def known(value: object) -> bool:
        if isinstance(value, Mapping):
            return all(known(item) for item in value.values())
        if isinstance(value, list | tuple):
            return all(known(item) for item in value)
        return not isinstance(value, Unknown)

    return {name: value for name, value in values.items() if known(value)}


def owner_of(props: Mapping[str, Any]) -> Owner:
    """Who declares the resource with these outputs."""
    organization, project, stack, parent, name = (str(each) for each in props["declared_by"])
    return Owner("pulumi", (organization, project, stack), (parent, name), str(props.get(REQUEST_ID, "")))


def too_long(kind: Kind, given: Mapping[str, Any]) -> dict[str, str]:
    """The longest part of an id that has no room for it: not every service publishes a maximum for its names."""
    values = {part.name: given.get(part.name, part.default) for part in kind.parts}
    told = {name: value for name, value in values.items() if isinstance(value, str)}
    try:
        # Account and region as short as they can be, what is not known yet as a letter: create knows better.
        Identity.of(kind, "0" * 12, "aa-a", {**dict.fromkeys(values, "a"), **told})
    except InvalidRequest as error:
        return {max(told, key=lambda name: len(told[name])): error.cause}
    return {}


def defaulted(kind: Kind, props: Mapping[str, Any]) -> dict[str, list[str]]:
    """The parts that were left out, so that a later diff knows a default from the same value written out."""
    optional = [part.name for part in kind.parts if part.default is not None]
    return {DEFAULTED: [name for name in optional if props.get(name) is None]} if optional else {}


def options_of(kind: Kind) -> tuple[list[str], list[str]]:
    """Names of the options that an association keeps, and of those that only say how a request goes."""
    lasting = [option.name for option in kind.options if option.lasting]
    return lasting, [option.name for option in kind.options if not option.lasting]


def changed(names: Iterable[str], olds: Mapping[str, Any], news: Mapping[str, Any]) -> list[str]:
    """The names whose values differ."""
    return [name for name in names if olds.get(name) != news.get(name)]


def changed_region(olds: Mapping[str, Any], news: Mapping[str, Any]) -> list[str]:
    """The region if it differs; one that is not declared is that of creation, whatever the default is today."""
    return ["region"] if news.get("region") not in (None, olds.get("region")) else []


def outputs(kind: Kind, props: Mapping[str, Any], known: AssociationId, status: str) -> dict[str, Any]:
    """What the state keeps: the inputs that are given, the identity, and the service's status."""
    identity = known.identity
    status_out = {kind.status_name: status} if kind.look.status else {}
    return {
        **{name: value for name, value in props.items() if value is not None},
        **identity.parts(),
        "account": identity.account,
        "region": identity.region,
        "adopted": known.adopted,
        **status_out,
    }
