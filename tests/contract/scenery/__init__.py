"""Where the contract plays: for each kind, its parties in the emulator and what somebody else does to them.

One module a kind, named as the kind's own module in ``aws_associations.kinds``, each with its class as ``SCENERY``.
Scenery for a kind that is not declared is not used.
"""

from __future__ import annotations

import functools
import importlib
import json
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import botocore.session

from association_emulator.control import EmulatorControl
from association_emulator.remote import RemoteControl
from aws_associations.kind import Kind

OTHERS = "somebody-else"
"""The access key id of whoever is not the core, where the emulator can be changed by API calls only."""

Values = dict[str, str]
"""Part name → value, of one association."""


class Scenery(ABC):
    """The parties of one kind, and everybody else.

    Attributes:
        lacks: case → why this kind has none. The contract leaves it out, and prints the reason.
        reasons: reason in an error → code of the error that carries it; those that have advice of their own.
        final: error code and reason of a rejection that does not pass by itself, though its code may.
        spellings: part → other spellings of its value in ``values`` that mean the same.
        rejecting: the switches that make the service refuse duplicates, where it may do otherwise.
        non_member: what the service may say to the removal of what is absent: one set of switches each.
        values: the association that the tests declare. Its parties exist, it does not.
        others: part → another value. Each exists too, together with the other parts of ``values``.
    """

    lacks: ClassVar[Mapping[str, str]] = {}
    reasons: ClassVar[Mapping[str, str]] = {}
    final: ClassVar[tuple[str, str] | None] = None
    spellings: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    non_member: ClassVar[tuple[Mapping[str, Any], ...]] = ({},)
    rejecting: ClassVar[Mapping[str, Any]] = {}
    values: Values
    others: Values

    def __init__(self, control: EmulatorControl, kind: Kind) -> None:
        self.control = control
        self.kind = kind

    @property
    def service(self) -> RemoteControl:
        """The control of the kind's service, where it has switches."""
        raise NotImplementedError(f"the emulator has no switches for {self.kind.service}")

    def ordered(self, values: Values) -> list[str]:
        """The values in the order of the kind's parts."""
        return [values[part.name] for part in self.kind.parts]

    @abstractmethod
    def arrange(self) -> None:
        """Make the parties of ``values``, and of each of ``others``."""

    @abstractmethod
    def grant(self, values: Values) -> None:
        """Somebody else grants it."""

    @abstractmethod
    def revoke(self, values: Values) -> None:
        """Somebody else revokes it."""

    @abstractmethod
    def granted(self) -> list[Values]:
        """What is granted in truth, whatever the lists show."""

    @abstractmethod
    def remove(self, part: str) -> None:
        """Somebody else removes a party of ``values``, and with it what it is in."""

    @abstractmethod
    def seen(self, *, present: bool) -> Mapping[str, Any] | str:
        """What the look answers if ``values`` are granted alone, or nothing is: a body, or an error code."""

    def show(self, *, present: bool, count: int | None) -> None:
        """Let the next looks (None: all) show that, whatever is true."""
        seen, look = self.seen(present=present), self.kind.look.operation
        if isinstance(seen, str):
            self.control.add_fault("error", service=self.kind.service, operation=look, error_code=seen, count=count)
        else:
            body = json.dumps(seen)
            self.control.add_fault(
                "answer", service=self.kind.service, operation=look, status=200, body=body, count=count
            )

    def switch(self, switches: Mapping[str, Any]) -> None:
        """Turn switches of the service, as ``non_member`` names them."""
        if switches:
            self.service.configure(**switches)  # type: ignore[attr-defined]

    def reject_duplicates(self) -> None:
        """Let the service refuse what is associated already."""
        self.switch(self.rejecting)

    def slow(self, *, adding: float = 0, removing: float = 0) -> None:
        """Let the status be in progress that long, in seconds of the service's clock."""
        raise NotImplementedError("this kind has no status")

    def fail(self, details: str, *, adding: bool = False, removing: bool = False) -> None:
        """Let what begins from now on fail, with those details."""
        raise NotImplementedError("this kind cannot fail")

    def crowd(self) -> None:
        """Let the list have several pages, with what else somebody has granted on the first ones."""
        raise NotImplementedError("this kind's list has one page")


@functools.cache
def client(service: str, region: str = "us-east-1") -> Any:
    """Somebody else's client of a service in this process; what it calls is told apart by its access key."""
    session = botocore.session.Session()
    return session.create_client(
        service, region_name=region, aws_access_key_id=OTHERS, aws_secret_access_key="somebody-elses"
    )


def module_of(kind: Kind) -> str:
    """The name of a kind's module, here and in ``aws_associations.kinds``."""
    return kind.name.replace("-", "_")


SCENERY: Mapping[str, type[Scenery]] = {
    module.name: importlib.import_module(f"{__name__}.{module.name}").SCENERY
    for module in pkgutil.iter_modules(__path__)
}
"""Module name → scenery, of kinds declared and not."""
