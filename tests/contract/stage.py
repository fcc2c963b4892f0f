"""What every case of the contract has: one kind's parties in the emulator, and the core in front of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from association_emulator.control import EmulatorControl
from association_emulator.journal import JournalEntry
from aws_associations.errors import AssociationError
from aws_associations.host import Request
from aws_associations.identity import AssociationId, Identity, parse
from aws_associations.kind import Kind
from aws_associations.lifecycle import Desired, Granted, OnExisting, Removal
from aws_associations.look import Sighting
from aws_associations.records import HoldState
from tests.contract.scenery import OTHERS, SCENERY, module_of
from tests.core.world import ACCOUNT, REGION, WORDS, World


class Stage:
    """One kind. What the scenery does is somebody else's; everything else goes through the lifecycle."""

    def __init__(self, world: World, kind: Kind) -> None:
        self.world = world
        self.kind = kind
        self.control = EmulatorControl()
        self.scenery = SCENERY[module_of(kind)](self.control, kind)
        self.scenery.arrange()
        self.control.clear_journal()

    def identity(self, **changed: str) -> Identity:
        """The association that the tests declare, with other values of some parts."""
        return Identity.of(self.kind, ACCOUNT, REGION, {**self.scenery.values, **changed})

    def other(self, part: str) -> Identity:
        """The association with another value of one part, which exists too."""
        return self.identity(**{part: self.scenery.others[part]})

    def id(self, identity: Identity | None = None, *, adopted: bool = False) -> str:
        """The id text, whether it was created or not."""
        return AssociationId(identity or self.identity(), adopted).text

    def request(
        self, name: str | None = None, *, owner: str = "Resource", stack: str = "stack", seconds: float = 300
    ) -> Request:
        """A request; the same name is a retry of the same request, no name a new one."""
        return self.world.request(name, owner, seconds, stack=stack)

    def identify(
        self, values: Mapping[str, str], region: str = REGION, before: tuple[Identity, Mapping[str, str]] | None = None
    ) -> Identity:
        """What a host's user means by these parts."""
        deadline, host = self.request().deadline, self.world.host
        return self.world.lifecycle.identify(self.kind, ACCOUNT, region, values, deadline, host, before=before)

    def create(
        self,
        request: Request | None = None,
        *,
        identity: Identity | None = None,
        on_existing: OnExisting = OnExisting.FAIL,
        options: Mapping[str, object] | None = None,
    ) -> Granted:
        desired = Desired(identity or self.identity(), on_existing, options or {})
        return self.world.lifecycle.create(desired, request or self.request())

    def read(self, identity: Identity | None = None) -> Sighting | None:
        return self.world.lifecycle.read(identity or self.identity(), self.request())

    def update(
        self,
        current: str,
        identity: Identity | None = None,
        *,
        heal: bool = False,
        request: Request | None = None,
        options: Mapping[str, object] | None = None,
        options_before: Mapping[str, object] | None = None,
    ) -> Granted:
        desired = Desired(identity or self.identity(), options=options or {})
        request = request or self.request()
        request.physical_id = current
        return self.world.lifecycle.update(desired, request, heal=heal, options_before=options_before)

    def delete(self, text: str | None = None, request: Request | None = None) -> Removal:
        request = request or self.request()
        request.physical_id = text or self.id()
        return self.world.lifecycle.delete(self.kind, request)

    def pending(self, owner: str = "Resource", *, stack: str = "stack") -> set[Identity]:
        """What the ledger says that requests of a resource may have granted: its next request drops that."""
        holds = self.world.holds(owner, stack=stack)
        return {parse(self.kind, text).identity for text, state in holds.items() if state is HoldState.PENDING}

    def granted(self) -> set[Identity]:
        """The truth, whatever the lists show."""
        return {Identity.of(self.kind, ACCOUNT, REGION, values) for values in self.scenery.granted()}

    def journal(self, *operations: str) -> list[JournalEntry]:
        """What the core sent, attempt by attempt; of some operations if they are named."""
        entries = [entry for entry in self.control.journal() if entry.access_key_id != OTHERS]
        return [entry for entry in entries if not operations or entry.operation in operations]

    def writes(self) -> list[str | None]:
        """The associates and disassociates that the core sent, attempt by attempt."""
        return [entry.operation for entry in self.journal(self.kind.associate, self.kind.disassociate)]

    def fault(self, fault: Any, operation: str, **fields: Any) -> None:
        """Let a fault meet the next call of one of the kind's operations."""
        self.control.add_fault(fault, service=self.kind.service, operation=operation, **fields)

    def message(self, error: AssociationError, verb: str, identity: Identity | None = None) -> str:
        """The whole message, once it has been seen to hold verb, noun, id, cause and advice."""
        text = str(error)
        named = WORDS.named(identity or self.identity())
        assert text.startswith(f"{verb} {self.kind.noun} {named}: {error.code}: {error.cause}.")
        assert error.advice, text
        assert text.endswith(error.advice), text
        assert not re.search(r"\{\w+\}", error.advice), text
        return text
