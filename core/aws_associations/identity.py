"""Which association is meant, and the text that names it for ever.

The id text is CloudFormation's physical resource id and Pulumi's id::

    finspace-permission-group-membership/v1/111122223333/eu-west-1/env1/group1/user1
    finspace-permission-group-membership/v1/111122223333/eu-west-1/env1/group1/user1?adopted

Kind, grammar version, account, region, then the kind's parts in order; each segment percent-encoded except for
``A-Z a-z 0-9 - . _ ~``. The grammar is final: another spelling of the same identity would be a replacement.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, unquote

from aws_associations.errors import InvalidRequest
from aws_associations.kind import Kind

MAX_BYTES = 1024
"""CloudFormation's limit for a physical resource id, in bytes (documented)."""

_VERSION = "v1"
_ADOPTED = "?adopted"
_MARKER = "not-created/"
_ACCOUNT = re.compile(r"[0-9]{12}")
_REGION = re.compile(r"[a-z]{2,}(-[a-z0-9]+)+")


@dataclass(frozen=True, slots=True, eq=False)
class Identity:
    """Every hidden scope, then the parties.

    Two identities are equal if they mean the same association: parts that the service compares without case are
    compared so, and keep the user's spelling for the wire.

    Attributes:
        kind: what is associated.
        account: 12 digits.
        region: for example ``eu-west-1``.
        values: one text a part, in the order of ``kind.parts``.
    """

    kind: Kind
    account: str
    region: str
    values: tuple[str, ...]

    @classmethod
    def of(cls, kind: Kind, account: str, region: str, values: Mapping[str, str]) -> Identity:
        """Build from part names; raises InvalidRequest for what can never be sent or named.

        An id text over 1024 bytes is refused here, before any call, and what :func:`unnameable` refuses.
        """
        if not _ACCOUNT.fullmatch(account):
            raise InvalidRequest(f"the account {account!r} is not 12 digits")
        if not _REGION.fullmatch(region):
            raise InvalidRequest(f"the region {region!r} is not an AWS region's name")
        for part in kind.parts:
            problem = unnameable(values[part.name])
            if problem:
                raise InvalidRequest(f"the {part.name.replace('_', ' ')} {problem}")
        identity = cls(kind, account, region, tuple(values[part.name] for part in kind.parts))
        size = len(AssociationId(identity, adopted=True).text)
        if size > MAX_BYTES:
            raise InvalidRequest(f"the resource id would have {size} bytes, more than {MAX_BYTES}")
        return identity

    def __getitem__(self, part_name: str) -> str:
        """The value of one part, as the user spelled it, or of ``account``."""
        return self.account if part_name == "account" else self.parts()[part_name]

    def parts(self) -> dict[str, str]:
        """Part name → value, as the user spelled it."""
        return {part.name: value for part, value in zip(self.kind.parts, self.values, strict=True)}

    def parameters(self) -> dict[str, object]:
        """What the associate and disassociate requests carry of it: request member → value."""
        account = {self.kind.account_member: self.account} if self.kind.account_member else {}
        return {**account, **{part.wire: self[part.name] for part in self.kind.parts if part.wire is not None}}

    def filled(self, request: Mapping[str, str], constants: Mapping[str, object]) -> dict[str, object]:
        """The members of a request: fixed ones, and those that name a part of this identity, or ``account``."""
        return {**constants, **{member: self[part] for member, part in request.items()}}

    def may_be(self, values: Mapping[str, str]) -> bool:
        """Whether the values, part name → value and as far as they are given, are those of this identity."""
        return all(
            part.compared_as(values[part.name]) == part.compared_as(self[part.name])
            for part in self.kind.parts
            if part.name in values
        )

    @property
    def canonical(self) -> tuple[str, ...]:
        """What is compared and hashed."""
        compared = (part.compared_as(value) for part, value in zip(self.kind.parts, self.values, strict=True))
        return (self.kind.name, self.account, self.region, *compared)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Identity) and self.canonical == other.canonical

    def __hash__(self) -> int:
        return hash(self.canonical)

    def __str__(self) -> str:
        """The id text. For messages see :meth:`aws_associations.vocabulary.Vocabulary.named`."""
        return AssociationId(self).text


@dataclass(frozen=True, slots=True)
class AssociationId:
    """An identity and whether the association was adopted, that is, was present before it was declared."""

    identity: Identity
    adopted: bool = False

    @property
    def text(self) -> str:
        """The id text, ASCII, at most 1024 bytes."""
        identity = self.identity
        segments = (identity.kind.name, _VERSION, identity.account, identity.region, *identity.values)
        return "/".join(quote(segment, safe="") for segment in segments) + (_ADOPTED if self.adopted else "")


def unnameable(value: str) -> str:
    """Why no part of an identity can have this value; empty if one can.

    ``.`` and ``..`` mean another resource as a segment of a URL path (measured: botocore sends them as they are):
    ``DELETE .../users/..`` would be the address of the whole group.
    """
    if not value:
        return "must not be empty"
    if value in {".", ".."}:
        return "must not be '.' or '..', which a URL path cannot carry"
    if any(0xD800 <= ord(character) <= 0xDFFF for character in value):
        return "must not hold a lone surrogate, which is not text"
    return ""


def parse(kind: Kind, text: str) -> AssociationId:
    """Read an id text of this kind back.

    Raises:
        InvalidRequest: the text is none that ``AssociationId.text`` writes; the message shows the expected shape.
    """
    body, adopted = (text[: -len(_ADOPTED)], True) if text.endswith(_ADOPTED) else (text, False)
    segments: Sequence[str] = body.split("/")
    names = [part.name for part in kind.parts]
    if len(segments) == 4 + len(names) and segments[0] == kind.name and segments[1] == _VERSION:
        _, _, account, region, *raw = segments
        values = [unquote(segment, errors="replace") for segment in raw]
        try:
            found = AssociationId(Identity.of(kind, account, region, dict(zip(names, values, strict=True))), adopted)
        except InvalidRequest as error:
            raise InvalidRequest(f"{text[:200]!r} is not a valid id: {error.cause}", advice=_shape(kind)) from error
        if found.text == text:
            return found
    raise InvalidRequest(f"{text[:200]!r} is not the id of a {kind.noun}", advice=_shape(kind))


def parse_or_none(kind: Kind, text: str) -> AssociationId | None:
    """Read an id text back; None for any other text, of which a host decides what it means."""
    try:
        return parse(kind, text)
    except InvalidRequest:
        return None


def resembles_id(text: str) -> bool:
    """Whether it has the form of an id text of any kind and version, served here or not."""
    return re.match(r"[a-z0-9-]+/v[0-9]+/[0-9]{12}/", text) is not None


def _shape(kind: Kind) -> str:
    parts = "/".join(f"<{part.name}>" for part in kind.parts)
    return f"Expected {kind.name}/{_VERSION}/<account>/<region>/{parts}, each segment percent-encoded."


def marker(logical_id: str) -> str:
    """The physical id of what was never created: never parses as an id, the same for every retry."""
    return (_MARKER + quote(logical_id, safe="", errors="replace"))[:MAX_BYTES]


def is_marker(text: str) -> bool:
    """Whether :func:`marker` wrote it."""
    return text.startswith(_MARKER)
