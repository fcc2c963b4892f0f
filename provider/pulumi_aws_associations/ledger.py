"""Which resources of the stack hold an association, as far as this host process has seen it.

A host process serves one update of one stack (measured). Diff, read and delete show what a resource holds in the state;
create adds, delete removes. A resource that left the program is shown by its delete only, which comes last, unless the
update began with a refresh.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from aws_associations.host import Holder, Holders, Owner
from aws_associations.identity import AssociationId, Identity


@dataclass(frozen=True, slots=True)
class Entry:
    """A resource of the stack and what it holds.

    Attributes:
        owner: who declared it when it was created. Aliases rename resources, so two of them may tell the same owner.
        id: what it holds.
        request_id: of the create that made it: a replacement and what it replaces may be equal in all else.
    """

    owner: Owner
    id: AssociationId
    request_id: str

    @property
    def name(self) -> str:
        """For messages: the logical name, and the parent's."""
        *_, parent, name = ("", "", *self.owner.parts)
        return f"{name} in {parent.rpartition('::')[2]}" if parent else name


class Ledger:
    """What this process has seen and done. Safe to share between threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._entries: dict[Identity, dict[Entry, bool]] = {}
        self._turns: dict[Identity, threading.Lock] = {}
        self._deleting: set[Identity] = set()
        self._revoked: dict[Identity, Entry] = {}
        self._unknown: set[tuple[Owner, Identity]] = set()
        self._superseded: dict[tuple[str, Owner], set[Entry]] = {}
        self._replaced: set[Entry] = set()
        self._released: dict[Identity, Entry] = {}

    # -- what the engine shows ----------------------------------------------------------------------------------------

    def show(self, entry: Entry) -> None:
        """The state has it, unless this process ended it already."""
        with self._changed:
            self._entries.setdefault(entry.id.identity, {}).setdefault(entry, True)

    def superseded(self, entry: Entry, owner: Owner) -> None:
        """What this owner creates next takes the place of the entry.

        Not every delete of it follows: of one whose replacement failed in an earlier run it has been made (measured).
        """
        with self._changed:
            self._superseded.setdefault((entry.id.identity.kind.name, owner), set()).add(entry)

    def end(self, entry: Entry) -> None:
        """The state has it no more, and nothing of it is left to others."""
        with self._changed:
            self._entries.setdefault(entry.id.identity, {})[entry] = False
            self._released.pop(entry.id.identity, None)

    def must_grant_again(self, entry: Entry) -> bool:
        """Whether this process revoked what a resource holds, for another one and before it could know of this.

        Waits for a delete of it that runs now, which may have asked already who else holds it.
        """
        identity = entry.id.identity
        with self._changed:
            self._changed.wait_for(lambda: identity not in self._deleting)
            return identity in self._revoked and self._entries[identity][entry]

    # -- creates and deletes ------------------------------------------------------------------------------------------

    @contextmanager
    def turn(self, identity: Identity) -> Iterator[None]:
        """Alone with one association: nobody takes over what is being revoked, and no two let go of it to each other.

        Nobody ever waits for two turns, so no two wait for each other.
        """
        with self._changed:
            turn = self._turns.setdefault(identity, threading.Lock())
        with turn:
            yield

    @contextmanager
    def turn_to_delete(self, entry: Entry) -> Iterator[None]:
        """The same for a delete, which shows the entry before it waits."""
        self.show(entry)
        identity = entry.id.identity
        with self.turn(identity):
            with self._changed:
                self._deleting.add(identity)
            try:
                yield
            finally:
                with self._changed:
                    self._deleting.discard(identity)
                    self._changed.notify_all()

    def granted(self, entry: Entry) -> None:
        """A resource holds it now."""
        with self._changed:
            self._hold(entry)

    def created(self, entry: Entry) -> tuple[Entry, ...]:
        """A new resource holds it now, and what it replaces shields no delete any more.

        Returns:
            What deletes of this run left to nobody but that.
        """
        with self._changed:
            self._hold(entry)
            replaced = self._superseded.pop((entry.id.identity.kind.name, entry.owner), set())
            self._replaced |= replaced
            return tuple(self._released.pop(left.id.identity) for left in self._left_to(replaced))

    def released(self, entry: Entry) -> bool:
        """A delete leaves it to others, and the state has it no more. False: nobody is there any more to leave it to.

        They may turn out to be gone: see :meth:`superseded`.
        """
        with self._changed:
            if not self._others(entry):
                return False
            self._entries[entry.id.identity][entry] = False
            self._released[entry.id.identity] = entry
            return True

    def revoked(self, entry: Entry) -> None:
        """This process revoked it for a resource, so that what is there afterwards was granted by others."""
        with self._changed:
            self._revoked[entry.id.identity] = entry

    def left_unknown(self, owner: Owner, identity: Identity) -> None:
        """A create failed, and nobody can tell whether it granted it."""
        with self._changed:
            self._unknown.add((owner, identity))

    def _hold(self, entry: Entry) -> None:
        identity = entry.id.identity
        self._entries.setdefault(identity, {})[entry] = True
        self._revoked.pop(identity, None)
        self._unknown.discard((entry.owner, identity))

    def _left_to(self, entries: set[Entry]) -> list[Entry]:
        """What deletes of this run left to these, and nobody else has."""
        found = [self._released.get(identity) for identity in {entry.id.identity for entry in entries}]
        return [left for left in found if left is not None and set(self._others(left)) <= entries]

    def _others(self, entry: Entry) -> list[Entry]:
        """Who else holds it. What has been replaced shields no delete."""
        held = self._entries.get(entry.id.identity, {})
        return [each for each, holds in held.items() if holds and each != entry and each not in self._replaced]

    # -- evidence -----------------------------------------------------------------------------------------------------

    def may_have_granted(self, owner: Owner, identity: Identity) -> bool:
        """Whether a create of this owner was left unknown."""
        with self._changed:
            return (owner, identity) in self._unknown

    def left_to_superseded(self, owner: Owner, kind: str) -> list[Entry]:
        """What deletes of this run left to nobody but what this owner's next create of the kind was to replace."""
        with self._changed:
            return self._left_to(self._superseded.get((kind, owner), set()))

    def revoked_by(self, identity: Identity) -> Entry | None:
        """The resource whose delete revoked it in this process, if nothing of the stack granted it since."""
        with self._changed:
            return self._revoked.get(identity)

    def holders(self, identity: Identity, but: Entry | None = None) -> Holders:
        """Which resources hold it. What one held at the start and this process revoked is no evidence any more.

        ``but``: the resource that asks. All others count, those of the same owner too: a replacement keeps what it has
        in common with what it replaces. What has been replaced shields no delete.
        """
        with self._changed:
            entries = self._entries.get(identity, {})
            held = self._others(but) if but else [entry for entry, holds in entries.items() if holds]
        told = tuple(Holder(entry.name, entry.id.adopted) for entry in held)
        return Holders(now=told, at_start=told)
