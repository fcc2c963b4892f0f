"""What CloudFormation sends, read once: a request that can be answered, or a refusal that says why.

Formats: "Custom resource reference", AWS CloudFormation User Guide.
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from aws_associations.errors import InvalidRequest
from aws_associations.identity import MAX_BYTES
from aws_associations.kind import Kind, Option, Part
from aws_associations.kinds import KINDS
from aws_associations.lifecycle import OnExisting
from aws_associations.properties import did_you_mean, nearest, shown, typed_options, violations, with_hint
from aws_associations.service import Services
from aws_associations_lambda.response_url import is_https, is_of_cloudformation
from aws_associations_lambda.words import WORDS

# What has to be echoed is limited so that every answer fits 4096 bytes; real values are far shorter.
_ECHOED = {"StackId": 1024, "RequestId": 128, "LogicalResourceId": 255}
# Printable ASCII that JSON does not escape.
_ECHOABLE = re.compile(r"[ !#-\[\]-~]+")
_MAX_ESCAPED_ID = 2 * MAX_BYTES
_STACK = re.compile(r"arn:(?P<partition>[a-z0-9-]+):cloudformation:(?P<region>[a-z0-9-]+):[0-9]{12}:stack/.+")

_LASTS = 7200

_YOUNG_SECONDS = 150.0
"""Lambda delivers a failed event again after one and after two more minutes (documented), and then no more."""

# Sent by CloudFormation in the same map as the user's own properties.
_RESERVED = frozenset({"ServiceToken", "ServiceTimeout"})
_ON_EXISTING = "OnExisting"
_REVISION = "Revision"

_NO_TYPE = "AWS::CloudFormation::CustomResource"
"""The type of a custom resource that names none: the CDK's default (documented: CustomResourceProps.resourceType)."""

_UNKNOWN = "is not known"

_TOLD = 12
"""How many wrong properties one message names: all of them in any template that somebody wrote by hand."""


@dataclass(frozen=True, slots=True)
class Declared:
    """What the properties of a resource say, checked.

    Attributes:
        values: part name → value, of those that are given.
        options: request member → value.
        on_existing: what to do about an association that is there and not ours.
    """

    values: Mapping[str, str]
    options: Mapping[str, object]
    on_existing: OnExisting


class MalformedEventError(Exception):
    """Not a request of CloudFormation: there is nobody to answer. The message says what is wrong, and holds no URL."""


@dataclass(frozen=True, slots=True)
class Event:
    """One custom resource request.

    Attributes:
        request_type: as sent; Create, Update and Delete are known.
        response_url: pre-signed; whoever reads it can answer in our place, so it is never logged.
        stack_id, request_id, logical_id: echoed verbatim.
        physical_id: empty for a Create.
        resource_type: for example ``Custom::FinSpacePermissionGroupMembership``.
        properties, old_properties: as the template declares them; every scalar is a string.
    """

    request_type: str
    response_url: str
    stack_id: str
    request_id: str
    logical_id: str
    physical_id: str
    resource_type: str
    properties: Mapping[str, object]
    old_properties: Mapping[str, object]

    @property
    def kind_if_served(self) -> Kind | None:
        """The kind that serves the resource type, if one does."""
        return next((kind for kind in KINDS if kind.cloudformation_type == self.resource_type), None)

    @property
    def kind(self) -> Kind:
        """The kind that serves the resource type; raises InvalidRequest if none does."""
        kind = self.kind_if_served
        if kind is not None:
            return kind
        served = [kind.cloudformation_type for kind in KINDS]
        if self.resource_type == _NO_TYPE:
            hint = "Name the kind in Type, in the CDK's CustomResource in resourceType (Python: resource_type)."
        else:
            meant = nearest(self.resource_type, served)
            hint = f"Did you mean {meant}?" if meant else ""
        raise InvalidRequest(
            f"the resource type {self.resource_type!r} is not served by this function",
            advice=f"{hint} Served are: {', '.join(served)}.".lstrip(),
        )

    def declared(self, services: Services) -> Declared:
        """What the properties say. Makes no call.

        Raises:
            InvalidRequest: the message names every property that is wrong.
        """
        kind = self.kind
        members = _members(kind)
        given = _given(members, self.properties)
        options, wrong_options = typed_options(services, kind, given)
        spelled = {member.name: name for name, member in members.items()}
        wrong = {**violations(services, kind, given, WORDS), **wrong_options}
        named = {spelled[name]: problem for name, problem in wrong.items()}
        problems = {**self._wrong_names(members), **named, **self._wrong_settings()}
        if problems:
            told = [f"property {name} {problem}" for name, problem in problems.items()]
            more = f"; and {len(told) - _TOLD} more" if len(told) > _TOLD else ""
            known = f"Known are: {', '.join([*members, _ON_EXISTING, _REVISION])}. "
            listed = known if _UNKNOWN in problems.values() else ""
            raise InvalidRequest(
                "; ".join(told[:_TOLD]) + more, advice=f"{listed}Correct the template, then {{again}}."
            )
        return Declared(self.values, options, OnExisting(self.properties.get(_ON_EXISTING, OnExisting.FAIL.value)))

    def _wrong_names(self, members: Mapping[str, Part | Option]) -> dict[str, str]:
        """The properties that are not known, with the one that is meant, and those that are missing."""
        known = [*members, _ON_EXISTING, _REVISION]
        unknown = [name for name in self.properties if name not in known and name not in _RESERVED]
        meant = {name: nearest(name, known) for name in unknown}
        problems = {name[:80]: with_hint(_UNKNOWN, did_you_mean(meant[name])) for name in unknown}
        needed = [part.property_name for part in self.kind.parts if part.default is None]
        missing = [name for name in needed if name not in self.properties and name not in meant.values()]
        return {**problems, **dict.fromkeys(missing, "is missing")}

    def _wrong_settings(self) -> dict[str, str]:
        """What is wrong with the properties that every kind has: name → one clause."""
        problems = {}
        on_existing = self.properties.get(_ON_EXISTING, OnExisting.FAIL.value)
        choices = [choice.value for choice in OnExisting]
        if on_existing not in choices:
            hint = did_you_mean(nearest(on_existing, choices) if isinstance(on_existing, str) else None)
            problems[_ON_EXISTING] = with_hint(f"must be {' or '.join(choices)}, is {shown(on_existing)}", hint)
        revision = self.properties.get(_REVISION, "")
        if not isinstance(revision, str):
            problems[_REVISION] = f"must be a string, is {shown(revision)}"
        return problems

    def options_before(self, services: Services) -> Mapping[str, object]:
        """The options that the resource had before an update: request member → value."""
        return typed_options(services, self.kind, _given(_members(self.kind), self.old_properties))[0]

    @property
    def values(self) -> Mapping[str, str]:
        """The parts that the resource gives, unchecked: part name → value."""
        return self._values(self.properties)

    @property
    def values_before(self) -> Mapping[str, str]:
        """The parts that the resource gave before an update: part name → value."""
        return self._values(self.old_properties)

    def _values(self, properties: Mapping[str, object]) -> Mapping[str, str]:
        given = _given(_members(self.kind), properties)
        return {part.name: str(given[part.name]) for part in self.kind.parts if part.name in given}

    @property
    def signed(self) -> datetime.datetime | None:
        """When CloudFormation made the request: its ResponseURL was signed then; None if the URL does not tell.

        ``X-Amz-Date``, or ``Expires`` less the two hours that such a URL lasts (observed).
        """
        query = parse_qs(urlsplit(self.response_url).query)
        try:
            if "X-Amz-Date" in query:
                # Not strptime, whose first call loads and compiles for some milliseconds.
                moment = datetime.datetime.fromisoformat(query["X-Amz-Date"][0])
                return moment if moment.tzinfo is not None else None
            if "Expires" in query:
                return datetime.datetime.fromtimestamp(int(query["Expires"][0]) - _LASTS, datetime.UTC)
        except (ValueError, OverflowError, OSError):
            return None
        return None

    def is_young(self, now: float) -> bool:
        """Whether Lambda delivers it again in time if this invocation fails. One that does not tell its age is not."""
        return self.signed is not None and now - self.signed.timestamp() < _YOUNG_SECONDS

    @property
    def asks_to_heal(self) -> bool:
        """Whether Revision changed, by which a user asks to look and to grant again what is gone."""
        return self.properties.get(_REVISION) != self.old_properties.get(_REVISION)


def read(raw: object, function_arn: str) -> Event:
    """Read an event.

    Args:
        raw: what came; anybody who may invoke the function may have written it.
        function_arn: the function's own, from Lambda.

    Raises:
        MalformedEventError: it cannot be answered: no https ResponseURL, or ids that cannot be echoed. Or it must not
            be: the stack is not of the function's region, or its ResponseURL leads elsewhere than to CloudFormation.
    """
    if not isinstance(raw, Mapping):
        raise MalformedEventError(f"the event is a {type(raw).__name__}, not an object")
    url = raw.get("ResponseURL")
    if not isinstance(url, str) or not is_https(url):
        raise MalformedEventError("ResponseURL is not an https URL")
    for name, longest in _ECHOED.items():
        value = raw.get(name)
        if not isinstance(value, str) or not _ECHOABLE.fullmatch(value) or len(value) > longest:
            raise MalformedEventError(f"{name} is not 1 to {longest} printable ASCII characters")
    _check_place(raw["StackId"], url, function_arn)
    physical_id = raw.get("PhysicalResourceId") if raw.get("RequestType") != "Create" else None
    properties, old = raw.get("ResourceProperties"), raw.get("OldResourceProperties")
    return Event(
        request_type=_text(raw.get("RequestType"), 80),
        response_url=url,
        stack_id=raw["StackId"],
        request_id=raw["RequestId"],
        logical_id=raw["LogicalResourceId"],
        physical_id=physical_id if isinstance(physical_id, str) and _fits(physical_id) else "",
        resource_type=_text(raw.get("ResourceType"), 256),
        properties=properties if isinstance(properties, Mapping) else {},
        old_properties=old if isinstance(old, Mapping) else {},
    )


def _members(kind: Kind) -> dict[str, Part | Option]:
    """Property name → what it fills."""
    found: tuple[Part | Option, ...] = (*kind.parts, *kind.options)
    return {member.property_name: member for member in found}


def _given(members: Mapping[str, Part | Option], properties: Mapping[str, object]) -> dict[str, object]:
    """The members that the properties have, by their own names."""
    return {member.name: properties[name] for name, member in members.items() if name in properties}


def _check_place(stack_id: str, url: str, function_arn: str) -> None:
    """CloudFormation invokes the functions of a stack's own region only, and waits in a bucket of that region."""
    _, partition, _, region, *_ = f"{function_arn}:::".split(":")
    stack = _STACK.fullmatch(stack_id)
    if not stack or (stack["partition"], stack["region"]) != (partition, region):
        raise MalformedEventError("StackId is not the ARN of a stack in the region of this function")
    if not is_of_cloudformation(url, partition, region):
        raise MalformedEventError(f"ResponseURL leads elsewhere than to CloudFormation's bucket in {region}")


def _fits(physical_id: str) -> bool:
    """Whether it is one that CloudFormation allows, and an answer has room for as JSON."""
    escaped = json.dumps(physical_id, ensure_ascii=False).encode("utf-8", "backslashreplace")
    return len(physical_id.encode("utf-8", "surrogatepass")) <= MAX_BYTES and len(escaped) <= _MAX_ESCAPED_ID


def _text(value: object, longest: int) -> str:
    return value[:longest] if isinstance(value, str) else f"({type(value).__name__})"
