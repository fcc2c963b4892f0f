"""What the lifecycle asks of its host: CloudFormation's function, Pulumi's provider, or a test.

The ledger answers everything else. A host that cannot answer raises, and the lifecycle then keeps what is there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from aws_associations.errors import InvalidRequest
from aws_associations.identity import Identity
from aws_associations.records import Claim, Owner
from aws_associations.vocabulary import Vocabulary
from aws_associations.waiting import Deadline


class Host(Protocol):
    """The three questions that no record of ours can answer, where notes go, and the words for them.

    Attributes:
        words: of this host, for everything that its users read.
    """

    words: Vocabulary

    def took(self, id_text: str, since: float) -> bool:
        """Return whether the host took this id as that of the resource, now or at any time since.

        Args:
            id_text: an id that a request of the resource was answered with.
            since: when the host made that request, epoch seconds.

        Raises:
            AssociationError: it cannot be asked. Throttling: it can be asked later.
        """

    def stands(self, owner: Owner, claim: Claim, identity: Identity) -> bool:
        """Return whether another owner still declares the association.

        Raises:
            AssociationError: it cannot be asked, so the claim stands.
        """

    def adoption_completed(self, since: float) -> bool:
        """Return whether the deployment that adopted an association at that time has completed.

        Raises:
            AssociationError: it cannot be asked.
        """

    def note(self, event: str, fields: Mapping[str, object], *, warning: bool = False) -> None:
        """Write one structured line where an operator looks. Never given a secret."""

    def waiting(self, seconds: float, fields: Mapping[str, object]) -> None:
        """Say where a user looks that a request waits, for so many seconds by now. Called before every pause."""


@dataclass(slots=True)
class Request:
    """One request of a host.

    Attributes:
        owner: who declares the association.
        request_id: the same on every delivery. CloudFormation: its RequestId. Pulumi: random for each call.
        account: of the credentials in use, 12 digits.
        deadline: after it nothing is sent to the service any more.
        host: see :class:`Host`.
        signed: when the host made the request, epoch seconds.
        physical_id: the id that the host has for the resource; empty if it has none.
    """

    owner: Owner
    request_id: str
    account: str
    deadline: Deadline
    host: Host
    signed: float
    physical_id: str = ""
    _begun: float = field(init=False)

    def __post_init__(self) -> None:
        """Waits are told from now."""
        self._begun = self.deadline.moment

    def named(self, identity: Identity) -> str:
        """An association in the words of the host."""
        return self.host.words.named(identity)

    def tell_waiting(self, identity: Identity, until: str, status: str) -> None:
        """Say what is waited for: the association is to be ``until``, and is ``status``."""
        waited = self.deadline.elapsed_since(self._begun)
        fields = {"association": self.named(identity), "until": until, "status": status, "seconds": round(waited)}
        self.host.waiting(waited, fields)

    def check_account(self, identity: Identity) -> None:
        """Raise InvalidRequest for another account's association: there everything looks absent."""
        if identity.account != self.account:
            raise InvalidRequest(
                f"it belongs to account {identity.account}, but the AWS credentials are of account {self.account}",
                advice=f"Use credentials of account {identity.account}, then {{again}}.",
            )
