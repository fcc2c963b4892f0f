"""What a kind of association declares. The lifecycle reads it; nothing outside ``kinds/`` branches on a kind."""

from __future__ import annotations

import datetime
import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from aws_associations.errors import AssociationError


class State(enum.Enum):
    """What a look says of one association."""

    ABSENT = "absent"
    ADDING = "being added"
    PRESENT = "present"
    REMOVING = "being removed"
    FAILED = "failed"
    ELSEWHERE = "held by another party"


class Duplicates(enum.Enum):
    """What is documented of associating what is associated already."""

    UNDOCUMENTED = "undocumented"
    """May succeed or conflict: success proves nothing, so look before writing."""
    SUCCEED = "succeed"
    """Idempotent: only a look before the write tells "created" from "was there"."""
    CONFLICT = "conflict"
    """Documented as rejected: the write itself tells, and a replayed token tells ours from somebody else's."""


class Scope(enum.Enum):
    """Which of the two tokens of an operation is sent (docs/decisions/0003-tokens.md)."""

    OWNER = "owner"
    """The same in every deployment of one declared association: deploying again repeats the request."""
    REQUEST = "request"
    """The same in every retry of one request of the host, new in the next request."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of an association's identity, which is also one property of the resource.

    Attributes:
        name: snake_case, for example ``permission_group_id``. CloudFormation's name is the same in CamelCase.
        wire: the member of the associate and disassociate requests; None if those do not carry it.
        description: one sentence for documentation and editors.
        constrained_by: operation and member of the service model whose length and pattern apply; by default the
            associate operation's member ``wire``.
        ignores_case: the service compares it without case.
    """

    name: str
    wire: str | None
    description: str
    constrained_by: tuple[str, str] | None = None
    ignores_case: bool = False

    @property
    def property_name(self) -> str:
        """The CloudFormation property, for example ``PermissionGroupId``."""
        return "".join(word.capitalize() for word in self.name.split("_"))


@dataclass(frozen=True, slots=True)
class Look:
    """How to see one association: one operation, paged if need be, and an exact match.

    Attributes:
        operation: API operation, for example ``ListPermissionGroupsByUser``.
        request: request member → name of the identity part that fills it.
        constants: request member → fixed value.
        items: JMESPath of the candidates in one answer.
        match: JMESPath in a candidate → name of the identity part that it must equal.
        page_token: request member and answer member of the next page's token; None if one answer holds all.
        status: JMESPath of a candidate's status; None if the service has none, then a match is present.
        states: status text → state. A text that is not listed is waited out as "being added".
        failure: JMESPath of a candidate's error details.
        exclusive: a party can be in one association only: a candidate that does not match means ELSEWHERE.
    """

    operation: str
    request: Mapping[str, str]
    items: str
    match: Mapping[str, str]
    constants: Mapping[str, object] = field(default_factory=dict)
    page_token: tuple[str, str] | None = None
    status: str | None = None
    states: Mapping[str, State] = field(default_factory=dict)
    failure: str | None = None
    exclusive: bool = False


@dataclass(frozen=True, slots=True)
class ClientToken:
    """The idempotency token of the two writes.

    Attributes:
        member: request member, for example ``clientToken``.
        window: how long the service remembers a token (published).
        associate: the tokens to try in turn: the next one is used when a token was replayed without effect.
        disassociate: the token of the removal.
    """

    member: str
    window: datetime.timedelta
    associate: tuple[Scope, ...]
    disassociate: Scope = Scope.REQUEST


@dataclass(frozen=True, slots=True)
class CredentialExchange:
    """A service that authorizes by credentials of its own, which the caller's credentials are exchanged for.

    Attributes:
        operation: the exchange, signed with the caller's own credentials.
        request: request member → name of the identity part that fills it; the parts also key the exchange.
        constants: request member → fixed value.
        access_key, secret_key, session_token: JMESPath of each in the answer.
        minutes: JMESPath of the lifetime in minutes.
        longest_minutes: what to assume if the answer does not tell.
    """

    operation: str
    request: Mapping[str, str]
    access_key: str
    secret_key: str
    session_token: str
    minutes: str
    longest_minutes: int = 60
    constants: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Retirement:
    """The service has ended: on what day, and what to tell a user who cannot reach it."""

    ended: datetime.date
    notice: str


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of association.

    Attributes:
        name: first segment of every id text; final with the first release.
        noun: what messages call it.
        cloudformation_type: for example ``Custom::FinSpacePermissionGroupMembership``.
        service: botocore's service name.
        api_version: of the service model; only needed for a model of our own.
        scope: hidden scopes besides account and region, for example the environment.
        parties: the two parties, the one that grants first.
        associate, disassociate: API operations.
        look: how to see one.
        errors: the service's error codes and what each means.
        advice: what to do next, where this kind needs words of its own.
        duplicates: what is documented of a second associate.
        token: idempotency token, None if the service has none.
        exchange: credential exchange, None if the caller's credentials sign everything.
        iam_actions: IAM actions that the caller needs; the same list as the template's policy.
        retirement: set if the service has ended.
    """

    name: str
    noun: str
    cloudformation_type: str
    service: str
    scope: tuple[Part, ...]
    parties: tuple[Part, Part]
    associate: str
    disassociate: str
    look: Look
    errors: Mapping[str, type[AssociationError]]
    duplicates: Duplicates
    token: ClientToken | None
    api_version: str | None = None
    advice: Mapping[type[AssociationError], str] = field(default_factory=dict)
    exchange: CredentialExchange | None = None
    iam_actions: tuple[str, ...] = ()
    retirement: Retirement | None = None

    @property
    def parts(self) -> tuple[Part, ...]:
        """Scope and parties, in the order of the id text."""
        return (*self.scope, *self.parties)

    @property
    def operations(self) -> frozenset[str]:
        """Every API operation that is called for it."""
        exchange = {self.exchange.operation} if self.exchange else set()
        return frozenset({self.associate, self.disassociate, self.look.operation, *exchange})
