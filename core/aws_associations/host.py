"""What the lifecycle asks of its host: CloudFormation's Lambda, Pulumi's dynamic provider, or a test.

Everything a host cannot know is None, which the lifecycle treats as no evidence (shared design: ownership).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from aws_associations.errors import InvalidRequest
from aws_associations.identity import AssociationId, Identity
from aws_associations.kind import Kind
from aws_associations.waiting import Deadline

_YOUNG_SECONDS = 45.0
QUICK_SECONDS = 3.0
"""For how long nobody is asked again whether a request is waited for."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Who declares an association, for ever.

    Attributes:
        parts: CloudFormation: ``("cloudformation", StackId, LogicalResourceId)``. Pulumi: ``("pulumi", organization,
            project, stack, URN of the parent, name)``.
    """

    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Holder:
    """An owner in the same stack that holds an identity.

    Attributes:
        name: for messages, for example the logical id.
        adopted: that holder adopted it.
        own: it is the resource of the request itself, which may have held it when the operation began.
        unsettled: it adopted it in a deployment that has not completed, so that whoever takes that back lets go of it.
        stays: own, and the resource keeps it, whatever is deleted under its name now.
        id: the id that it has or had, as it was spelled; None if that does not matter to the host.
    """

    name: str
    adopted: bool = False
    own: bool = False
    unsettled: bool = False
    stays: bool = False
    id: AssociationId | None = None


@dataclass(frozen=True, slots=True)
class Holders:
    """Which owners of this stack hold an identity.

    Attributes:
        now: at this moment.
        at_start: now, or when the running operation of the stack began: what a rollback goes back to.
        rolling_back: the stack is on its way back to where it started.
        deleting: the whole stack is being deleted.
        since: at any moment since that operation began, and not deleted under that name.
        current: that operation is the one that the request belongs to: what the host asks may not show it yet.
    """

    now: tuple[Holder, ...] = ()
    at_start: tuple[Holder, ...] = ()
    rolling_back: bool = False
    deleting: bool = False
    since: tuple[Holder, ...] = ()
    current: bool = True


@dataclass(frozen=True, slots=True)
class Remainder:
    """What a create announced that was given up before it answered.

    Attributes:
        identity: of the association.
        sure: the service said that it granted it, and nobody else has taken it since.
    """

    identity: Identity
    sure: bool


class Host(Protocol):
    """Evidence that only the host has, and where notes go."""

    def holders(self, identity: Identity) -> Holders | None:
        """Which owners of this stack hold the identity; None if that cannot be known.

        Raises:
            AssociationError: it can be known, but not now.
        """

    def live(self) -> bool | None:
        """Whether somebody still waits for this very request; None if that cannot be known.

        Raises:
            AssociationError: it can be known, but not now, and a wrong answer would leave something.
        """

    def announced(self, identity: Identity, *, ever: bool = False) -> bool | None:
        """Whether another delivery of this request announced that it grants this, and did not take it back.

        ``ever``: also if it has been revoked since; the write may have come after that.
        """

    def announced_of(self, kind: Kind) -> tuple[Identity, ...] | None:
        """All that other deliveries of this request announced of a kind, and did not take back."""

    def claimed_since(self, identity: Identity) -> bool | None:
        """Whether anybody but this request has granted it, or taken it, since the request was made."""

    def left_behind(self, kind: Kind) -> tuple[Remainder, ...] | None:
        """What earlier requests of this resource, that were given up, may have granted; None: that cannot be known."""

    def granted_here(self, identity: Identity) -> bool:
        """Whether this process granted it for this very request, or may have."""

    def adoption_settled(self, identity: Identity) -> bool | None:
        """Whether the deployment that adopted it has completed, so that deleting it is deliberate."""

    def note(self, event: str, fields: Mapping[str, object], *, warning: bool = False) -> None:
        """Write one structured line where an operator looks. Never given a secret."""

    def waiting(self, seconds: float, fields: Mapping[str, object]) -> None:
        """Say where a user looks, now and then, that a request waits, for so long by now. Called before every pause."""


@dataclass(slots=True)
class Request:
    """One request of a host, the same object through all steps that serve it.

    Attributes:
        owner: who declares the association.
        request_id: the same on every retry: CloudFormation's RequestId; Pulumi: random for each call.
        account: of the credentials in use, 12 digits.
        deadline: after it nothing is sent any more.
        host: evidence and notes.
        may_exist: the identity whose associate request has left this process, until its outcome is known to be none.
            A host that is cut short answers with it.
        undone: what this request may have granted was revoked again.
        age: seconds since it was made, when this delivery of it began.
    """

    owner: Owner
    request_id: str
    account: str
    deadline: Deadline
    host: Host
    may_exist: Identity | None = None
    undone: bool = False
    age: float = 0.0
    _begun: float = field(init=False)

    def __post_init__(self) -> None:
        """Its age counts on from now."""
        self._begun = self.deadline.moment

    @property
    def late(self) -> bool:
        """Whether this may be a repeated delivery, which nobody waits for any more: Lambda repeats after a minute."""
        return self.age > _YOUNG_SECONDS

    @property
    def repeated(self) -> bool:
        """Whether this may be a repeated delivery, if only by the seconds since the request was made."""
        return self.age > QUICK_SECONDS

    @property
    def slow(self) -> bool:
        """Whether it was made so long ago that whoever waited may have turned to something else."""
        return self.age + self.deadline.elapsed_since(self._begun) > QUICK_SECONDS

    def tell_waiting(self, identity: Identity, until: str, status: str) -> None:
        """Something is waited for: it is to be ``until``, and is ``status``."""
        waited = self.deadline.elapsed_since(self._begun)
        fields = {"association": str(identity), "until": until, "status": status, "seconds": round(waited)}
        self.host.waiting(waited, fields)

    def check_account(self, identity: Identity) -> None:
        """Raise InvalidRequest for another account's: there everything looks absent, so nothing may be concluded."""
        if identity.account != self.account:
            raise InvalidRequest(
                f"it belongs to account {identity.account}, but the AWS credentials are of account {self.account}",
                advice=f"Use credentials of account {identity.account}.",
            )


class UnknowingHost:
    """A host that cannot know anything beyond the request; adapters extend it."""

    def holders(self, identity: Identity) -> Holders | None:
        """Cannot be known."""

    def live(self) -> bool | None:
        """Cannot be known."""

    def announced(self, identity: Identity, *, ever: bool = False) -> bool | None:
        """Cannot be known."""

    def announced_of(self, kind: Kind) -> tuple[Identity, ...] | None:
        """Cannot be known."""

    def claimed_since(self, identity: Identity) -> bool | None:
        """Cannot be known."""

    def left_behind(self, kind: Kind) -> tuple[Remainder, ...] | None:
        """Cannot be known."""

    def granted_here(self, identity: Identity) -> bool:
        """Nothing was."""
        return False

    def adoption_settled(self, identity: Identity) -> bool | None:
        """Cannot be known."""

    def note(self, event: str, fields: Mapping[str, object], *, warning: bool = False) -> None:
        """Nowhere to write."""

    def waiting(self, seconds: float, fields: Mapping[str, object]) -> None:
        """Nowhere to say it."""
