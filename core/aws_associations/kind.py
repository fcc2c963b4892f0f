"""What a kind of association declares. The lifecycle reads it; nothing outside ``kinds/`` branches on a kind."""

from __future__ import annotations

import datetime
import enum
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from aws_associations.errors import AssociationError


class State(enum.Enum):
    """What a look says of one association."""

    ABSENT = "absent"
    ADDING = "being added"
    PRESENT = "present"
    REMOVING = "being removed"
    FAILED = "failed"
    REMOVAL_FAILED = "could not be removed"
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


def exact(value: str) -> str:
    """Compare as written."""
    return value


def without_case(value: str) -> str:
    """Compare without regard to case."""
    return value.casefold()


def domain_name(value: str) -> str:
    """Compare as DNS does: without regard to case, and without the trailing dot."""
    return value.casefold().removesuffix(".")


@dataclass(frozen=True, slots=True)
class Asked:
    """A default that the service tells.

    Attributes:
        operation: API operation, for example ``ListGroupsForMember``.
        request: request member → name of the identity part that fills it.
        constants: request member → fixed value.
        answer: JMESPath of the value in the answer.
    """

    operation: str
    request: Mapping[str, str]
    answer: str
    constants: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of an association's identity, which is also one property of the resource.

    Attributes:
        name: snake_case, for example ``permission_group_id``: Pulumi's name.
        wire: the member of the associate and disassociate requests; None if those do not carry it.
        description: one noun phrase for documentation and editors, without a full stop.
        example: a value for the documentation.
        constrained_by: operation and member of the service model whose length and pattern apply; by default the
            associate operation's member ``wire``.
        compared_as: what two spellings of one value have in common.
        default: what a part that is left out means: a fixed value, or one that the service is asked for; None if it
            must be given. The id text always holds the value that was meant.
    """

    name: str
    wire: str | None
    description: str
    example: str
    constrained_by: tuple[str, str] | None = None
    compared_as: Callable[[str], str] = exact
    default: str | Asked | None = None

    @property
    def property_name(self) -> str:
        """The CloudFormation property, spelled as in the API, for example ``PermissionGroupId``."""
        return property_name(self.name, self.wire)


@dataclass(frozen=True, slots=True)
class Option:
    """A member of the associate request that is no part of the identity.

    Attributes:
        name, wire, description: as of a part.
        example: a value for the documentation, as the API takes it.
        lasting: the association keeps it, so that another value needs another association; otherwise it only says how
            this one request goes.
    """

    name: str
    wire: str
    description: str
    example: object
    lasting: bool

    @property
    def property_name(self) -> str:
        """The CloudFormation property, spelled as in the API."""
        return property_name(self.name, self.wire)


def property_name(name: str, wire: str | None) -> str:
    """The CloudFormation property of a member of the API; of what is no member, its own name in CamelCase."""
    return wire[0].upper() + wire[1:] if wire else "".join(word.capitalize() for word in name.split("_"))


@dataclass(frozen=True, slots=True)
class Look:
    """How to see one association: one operation, paged if need be, and an exact match.

    Attributes:
        operation: API operation, for example ``ListPermissionGroupsByUser``.
        request: request member → name of the identity part that fills it, or ``account``.
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
class Permission:
    """One statement of the caller's IAM policy.

    Attributes:
        actions: for example ``ds-data:AddGroupMember``.
        resources: ARNs in the notation of the service authorization reference, with ``${Partition}``, ``${Region}`` and
            ``${Account}``.
        dependent: actions that the service checks besides that of the operation called.
        granting_key: IAM condition key that holds the party that grants, if the service has one.
    """

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    dependent: tuple[str, ...] = ()
    granting_key: str | None = None


@dataclass(frozen=True, slots=True)
class Rejection:
    """An error that a service answers.

    Attributes:
        code: for example ``ConflictException``.
        reason: the error's reason; empty: any.
        message: regular expression that is found in the error's message; empty: any. Only where the service gives
            nothing better.
    """

    code: str
    reason: str = ""
    message: str = ""

    def fits(self, code: str, reason: str, message: str) -> bool:
        """Whether an error is this one."""
        return self.code == code and self.reason in ("", reason) and re.search(self.message, message) is not None


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of association.

    Attributes:
        name: first segment of every id text; final with the first release. Its first word is the Pulumi module, the
            others are the class.
        noun: what messages call it.
        cloudformation_type: for example ``Custom::FinSpacePermissionGroupMembership``. Without ``Custom::`` it is the
            template parameter that enables the kind.
        service: botocore's service name.
        api_version: of the service model; only needed for a model of our own.
        is_global: the service has one endpoint for a whole partition, so the id holds that endpoint's region.
        scope: hidden scopes besides account and region, for example the environment.
        parties: the two parties, the one that grants first.
        preposition: what stands between the parties in messages: the second is "in" the first.
        account_member: member of every request that carries the account id; None if there is none.
        options: what else the associate request takes.
        associate, disassociate: API operations.
        look: how to see one.
        status_name: the attribute that holds the service's status.
        errors: the service's error codes and what each means.
        transient: error code → its reasons that pass by themselves, none for all of them. Such a rejection is repeated
            for a while; any other reason of a listed code is final, whatever the SDK thinks of it.
        busy: rejections while the service is at work on a party: repeated for most of the time.
        unseen: rejections that mean a party that does not exist, or is not visible yet, besides those of the class
            NotFound. Both are repeated for ``party_seconds`` by what grants.
        lasting: denials and missing parties that no waiting mends.
        party_seconds: how long a party that was created a moment ago may stay invisible.
        renews: associating what is associated applies what has become of its parties since, a package's new version.
        refusals: reasons by which the service says that it did nothing, of codes that otherwise mean that it failed.
        advice: what to do next, where this kind needs words of its own: by error class, code, reason, or phrase of the
            cause or of a wrong value (see :meth:`advised`). ``vocabulary.py`` tells what texts name in braces.
        duplicates: what is documented of a second associate.
        settle_seconds: how long what the look shows must stay the same before it outweighs a success answer. Looks may
            lag behind writes; the default is a choice: enough for a few seconds of lag, too short to be felt.
        timeout_seconds: how long a Pulumi operation waits if the program does not say.
        token: idempotency token, None if the service has none.
        exchange: credential exchange, None if the caller's credentials sign everything.
        permissions: what the caller needs in IAM.
        retirement: set if the service has ended.
        summary: one sentence for the documentation.
        notes: what a user of this kind must know, one or more sentences each.
        proof: what the kind was proven against.
    """

    name: str
    noun: str
    cloudformation_type: str
    service: str
    parties: tuple[Part, Part]
    associate: str
    disassociate: str
    look: Look
    errors: Mapping[str, type[AssociationError]]
    duplicates: Duplicates
    permissions: tuple[Permission, ...]
    summary: str
    notes: tuple[str, ...]
    proof: str
    scope: tuple[Part, ...] = ()
    token: ClientToken | None = None
    api_version: str | None = None
    is_global: bool = False
    preposition: str = "in"
    settle_seconds: float = 6.0
    timeout_seconds: int = 300
    account_member: str | None = None
    options: tuple[Option, ...] = ()
    status_name: str = "status"
    transient: Mapping[str, frozenset[str]] = field(default_factory=dict)
    busy: tuple[Rejection, ...] = ()
    unseen: tuple[Rejection, ...] = ()
    lasting: tuple[Rejection, ...] = ()
    party_seconds: float = 60.0
    renews: bool = False
    refusals: frozenset[str] = frozenset()
    advice: Mapping[type[AssociationError] | str, str] = field(default_factory=dict)
    exchange: CredentialExchange | None = None
    retirement: Retirement | None = None

    @property
    def parts(self) -> tuple[Part, ...]:
        """Scope and parties, in the order of the id text."""
        return (*self.scope, *self.parties)

    @property
    def members(self) -> tuple[Part, ...]:
        """The parts that need no default, then those that have one, each in the order of the id text."""
        return tuple(sorted(self.parts, key=lambda part: part.default is not None))

    @property
    def switch(self) -> str:
        """The name of the template parameter that enables the kind, for example ``DirectoryGroupMembership``."""
        return self.cloudformation_type.removeprefix("Custom::")

    def advised(self, cause: str, *words: str) -> str | None:
        """What to do next after this cause, in which an error's reason and code are ``words``; None: nothing special.

        A phrase, which is a key with a space, comes first: ``region is {region}`` is found in ``... your region is
        eu-west-1.``, and the advice repeats what stands for ``{region}``. The cause of a wrong value is its part and
        itself: ``member_name 'bob@corp'``.
        """
        for phrase, text in self.advice.items():
            if isinstance(phrase, str) and " " in phrase:
                pattern = re.sub(r"\\\{([a-z_]+)\\\}", r"(?P<\1>[\\w.-]*\\w)", re.escape(phrase))
                found = re.search(pattern, cause)
                if found:
                    for name, value in found.groupdict().items():
                        text = text.replace(f"{{{name}}}", value)
                    return text
        return next((self.advice[word] for word in words if word in self.advice), None)

    @property
    def operations(self) -> frozenset[str]:
        """Every API operation that is called for it."""
        exchange = {self.exchange.operation} if self.exchange else set()
        asked = {part.default.operation for part in self.parts if isinstance(part.default, Asked)}
        return frozenset({self.associate, self.disassociate, self.look.operation, *exchange, *asked})
