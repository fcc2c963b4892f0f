"""What this process has seen of the engine's run, and no record of the ledger tells.

A host process serves one preview or update of one stack (measured). Diff and read show what the state has; a resource
that left the program is shown by its delete only, which comes last.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from aws_associations.errors import CannotAsk
from aws_associations.identity import AssociationId, Identity
from aws_associations.records import ClaimState, Owner

Replaced = tuple[Owner, AssociationId]
"""A resource that another one takes the place of, and its id."""


_SECONDS_TO_SHOW = 2.0
"""Some times what an engine takes from one resource of a program to the next."""


class Run:
    """Safe to share between threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._shown: set[Owner] = set()
        self._held: set[Identity] = set()
        self._deleting: Counter[Identity] = Counter()
        self._revoked: set[Identity] = set()
        self._released: set[Identity] = set()
        self._replacing: dict[tuple[str, ...], set[Replaced]] = {}
        self._replaced: set[Owner] = set()

    # -- what the engine shows ----------------------------------------------------------------------------------------

    def show(self, owner: Owner) -> None:
        """The state has this resource, or a create of it begins."""
        with self._changed:
            self._shown.add(owner)

    def holds(self, identity: Identity) -> None:
        """The state has a resource with this association, and the ledger knows of it."""
        with self._changed:
            self._held.add(identity)
            self._changed.notify_all()

    def will_hold(self, identity: Identity) -> bool:
        """Whether the state has a resource with this association: the engine shows one after the other."""
        with self._changed:
            return self._changed.wait_for(lambda: identity in self._held, _SECONDS_TO_SHOW)

    def failed(self, owner: Owner) -> None:
        """A create failed: the state will not have this resource."""
        with self._changed:
            self._shown.discard(owner)

    def replacing(self, old: Owner, known: AssociationId, new: Owner) -> None:
        """The next create of the new one takes the place of the old one.

        Not every delete of the old one follows: if its replacement failed in an earlier run, it has been made.
        """
        with self._changed:
            self._replacing.setdefault(_place(new, known), set()).add((old, known))

    def stands(self, asking: Owner, owner: Owner, state: ClaimState) -> bool:
        """Whether this other resource still declares what it has a claim to, as far as this run shows.

        Raises:
            CannotAsk: this run does not show it.
        """
        with self._changed:
            if owner in self._replaced:
                return False
            if any(owner == old for olds in self._replacing.values() for old, _ in olds):
                raise CannotAsk("it is being replaced, and may be gone already")
            if owner in self._shown:
                return True
        if owner.declaration == asking.declaration and owner.created_by < asking.created_by:
            return False  # its create was never recorded in the state, and this one was made after it
        if (owner.host, owner.stack) == (asking.host, asking.stack) and state is ClaimState.PENDING:
            return False  # its create was ended in an earlier run, and an engine runs one at a time
        raise CannotAsk("this run of Pulumi does not show it")

    # -- creates and deletes ------------------------------------------------------------------------------------------

    @contextmanager
    def deleting(self, identity: Identity) -> Iterator[None]:
        """A delete is at work, and may have asked already who else declares the association."""
        with self._changed:
            self._deleting[identity] += 1
        try:
            yield
        finally:
            with self._changed:
                self._deleting[identity] -= 1
                self._changed.notify_all()

    def revoked(self, identity: Identity) -> None:
        """This process revoked it, or may have."""
        with self._changed:
            self._revoked.add(identity)

    def released(self, identity: Identity) -> None:
        """A delete left it to others."""
        with self._changed:
            self._released.add(identity)

    def granted(self, identity: Identity) -> None:
        """It is granted again."""
        with self._changed:
            self._revoked.discard(identity)

    def created(self, owner: Owner, known: AssociationId) -> list[Replaced]:
        """This resource is there, and what it replaces counts no more.

        Returns:
            What it replaces and a delete of this run left an association to.
        """
        with self._changed:
            self._revoked.discard(known.identity)
            olds = self._replacing.pop(_place(owner, known), set())
            self._replaced |= {old for old, _ in olds}
            return [(old, left) for old, left in olds if left.identity in self._released]

    def was_revoked(self, identity: Identity) -> bool:
        """Whether this process revoked it and nobody was granted it since. Waits for a delete that is at work."""
        with self._changed:
            self._changed.wait_for(lambda: not self._deleting[identity])
            return identity in self._revoked


def _place(owner: Owner, known: AssociationId) -> tuple[str, ...]:
    """What a resource and its replacement have in common: type, parent and name."""
    return (known.identity.kind.name, *owner.declaration)
