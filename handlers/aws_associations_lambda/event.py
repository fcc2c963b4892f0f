"""What CloudFormation sends, read once: a request that can be answered, or a refusal that says why.

Formats: "Custom resource reference", AWS CloudFormation User Guide.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from urllib.parse import urlsplit

from aws_associations.errors import InvalidRequest
from aws_associations.identity import MAX_BYTES, Identity
from aws_associations.kind import Kind
from aws_associations.kinds import KINDS
from aws_associations.lifecycle import Desired, OnExisting
from aws_associations.properties import violations
from aws_associations.service import Services

# What has to be echoed is limited so that every answer fits 4096 bytes; real values are far shorter.
_ECHOED = {"StackId": 1024, "RequestId": 128, "LogicalResourceId": 255}
_ECHOABLE = re.compile(r'[^\x00-\x1f\x7f-\uffff\U00010000-\U0010ffff"\\]+')
_MAX_ESCAPED_ID = 2 * MAX_BYTES
# Nothing that http.client would refuse only after the work is done.
_URL = re.compile(r"https://[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*(:[0-9]{1,5})?/[!-~]*")

# Sent by CloudFormation in the same map as the user's own properties.
_RESERVED = frozenset({"ServiceToken", "ServiceTimeout"})
_ON_EXISTING = "OnExisting"
_REVISION = "Revision"


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
    def kind(self) -> Kind:
        """The kind that serves the resource type; raises InvalidRequest if none does."""
        for kind in KINDS:
            if kind.cloudformation_type == self.resource_type:
                return kind
        served = ", ".join(kind.cloudformation_type for kind in KINDS)
        raise InvalidRequest(
            f"the resource type {self.resource_type!r} is not served by this function", advice=f"Served are: {served}."
        )

    def desired(self, services: Services, account: str, region: str) -> Desired:
        """What the properties declare; raises InvalidRequest that names the property."""
        kind = self.kind
        names = {part.property_name: part.name for part in kind.parts}
        known = [*names, _ON_EXISTING, _REVISION]
        for name in self.properties:
            if name not in known and name not in _RESERVED:
                near = get_close_matches(name, known, n=1)
                advice = f"Did you mean {near[0]}?" if near else f"Known are: {', '.join(known)}."
                raise InvalidRequest(f"property {name[:80]} is not known", advice=advice)
        for name in names:
            if name not in self.properties:
                raise InvalidRequest(f"property {name} is missing")
        values = {part: self.properties[name] for name, part in names.items()}
        for part, problem in violations(services, kind, values).items():
            raise InvalidRequest(f"property {next(n for n, p in names.items() if p == part)} {problem}")
        on_existing = self.properties.get(_ON_EXISTING, OnExisting.FAIL.value)
        choices = [choice.value for choice in OnExisting]
        if on_existing not in choices:
            raise InvalidRequest(
                f"property {_ON_EXISTING} must be {' or '.join(choices)}, is {str(on_existing)[:80]!r}"
            )
        if not isinstance(self.properties.get(_REVISION, ""), str):
            raise InvalidRequest(f"property {_REVISION} must be a string")
        identity = Identity.of(kind, account, region, {part: str(value) for part, value in values.items()})
        return Desired(identity, OnExisting(on_existing))

    @property
    def asks_to_heal(self) -> bool:
        """Whether Revision changed, by which a user asks to look and to grant again what is gone."""
        return self.properties.get(_REVISION) != self.old_properties.get(_REVISION)


def read(raw: object) -> Event:
    """Read an event.

    Raises:
        MalformedEventError: it cannot be answered: no https ResponseURL, or ids that cannot be echoed.
    """
    if not isinstance(raw, Mapping):
        raise MalformedEventError(f"the event is a {type(raw).__name__}, not an object")
    url = raw.get("ResponseURL")
    if not isinstance(url, str) or not _is_https(url):
        raise MalformedEventError("ResponseURL is not an https URL")
    for name, longest in _ECHOED.items():
        value = raw.get(name)
        if not isinstance(value, str) or not _ECHOABLE.fullmatch(value) or len(value) > longest:
            raise MalformedEventError(f"{name} is not 1 to {longest} printable ASCII characters")
    physical_id = raw.get("PhysicalResourceId")
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


def _is_https(url: str) -> bool:
    if not _URL.fullmatch(url):
        return False
    try:
        return urlsplit(url).port != 0
    except ValueError:  # a port over 65535
        return False


def _fits(physical_id: str) -> bool:
    """Whether it is one that CloudFormation allows, and an answer has room for as JSON."""
    escaped = json.dumps(physical_id, ensure_ascii=False).encode("utf-8", "backslashreplace")
    return len(physical_id.encode("utf-8", "surrogatepass")) <= MAX_BYTES and len(escaped) <= _MAX_ESCAPED_ID


def _text(value: object, longest: int) -> str:
    return value[:longest] if isinstance(value, str) else f"({type(value).__name__})"
