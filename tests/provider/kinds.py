"""Every kind as a Pulumi program declares it: its parties in the emulator, its inputs, its provider in the host."""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from association_emulator.control import EmulatorControl
from aws_associations.identity import AssociationId, Identity
from aws_associations.kind import Kind
from aws_associations.kinds import KINDS
from engines.pulumi_host import Checked, Created, Difference, PulumiHost, ReadBack
from generation.facts import class_name, module_name
from pulumi_aws_associations.provider import AssociationProvider
from tests.contract.scenery import SCENERY, Values, module_of

ROOT = Path(__file__).resolve().parent.parent.parent


def named(kind: Kind) -> str:
    """The name of a case."""
    return kind.name


every_kind = pytest.mark.parametrize("kind", KINDS, ids=named)


def provider_of(kind: Kind) -> AssociationProvider:
    """The provider that the kind's resource class stores in the state."""
    module = importlib.import_module(f"pulumi_aws_associations.{module_name(kind)}")
    provider: AssociationProvider = getattr(module, f"{class_name(kind)}Provider")()
    return provider


def documented_outputs(kind: Kind) -> set[str]:
    """Pulumi's outputs, by the kind's page; the id is none of them."""
    page = (ROOT / "docs" / "kinds" / f"{kind.name}.md").read_text(encoding="utf-8")
    section = page.split("## Outputs")[1].split("\n## ")[0]
    rows = [line.split(" | ") for line in section.splitlines() if line.startswith("| ")]
    return {name for row in rows[1:] for name in re.findall(r"`(\w+)`", row[1])} - {"id"}


class Parties:
    """One kind's parties, with nothing associated. What the scenery does is somebody else's."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.control = EmulatorControl()
        self.control.reset()
        self.scenery = SCENERY[module_of(kind)](self.control, kind)
        self.scenery.arrange()
        self.control.clear_journal()

    def identity(self, values: Values) -> Identity:
        """What the values name, in the account and region of the tests."""
        return Identity.of(self.kind, "123456789012", "us-east-1", values)

    def other(self, *parts: str) -> Values:
        """The association that the tests declare, with another value of these parts."""
        return {**self.scenery.values, **{part: self.scenery.others[part] for part in parts}}

    def granted(self) -> set[Identity]:
        """The truth, whatever the lists show."""
        return {self.identity(values) for values in self.scenery.granted()}

    def calls(self) -> list[str | None]:
        """What the provider called of the kind's service, in order."""
        return [e.operation for e in self.control.journal(service=self.kind.service) if e.access_key_id == "testing"]


class Declared(Parties):
    """The same, declared through the real host of dynamic providers."""

    def __init__(self, kind: Kind, host: PulumiHost) -> None:
        super().__init__(kind)
        self.host = host

    def inputs(self, **changes: Any) -> dict[str, Any]:
        """The inputs as the resource class sends them, changed as named; None leaves one out."""
        inputs: dict[str, Any] = {
            **self.scenery.values,
            "on_existing": "fail",
            "timeout_seconds": 60,
            "declared_by": ["organization", "project", "dev", "", "example"],
            **changes,
        }
        return {name: value for name, value in inputs.items() if value is not None}

    def check(self, **changes: Any) -> Checked:
        return self.host.check(self.inputs(**changes))

    def create(self, **changes: Any) -> Created:
        """Check and create, as the engine does."""
        checked = self.check(**changes)
        assert checked.failures == ()
        return self.host.create(checked.inputs)

    def diff(self, created: Created, **changes: Any) -> Difference:
        return self.host.diff(created.id, created.outputs, self.inputs(**changes))

    def read(self, created: Created) -> ReadBack:
        return self.host.read(created.id, created.outputs)

    def delete(self, created: Created) -> None:
        self.host.delete(created.id, created.outputs)

    def id(self, values: Values | None = None) -> str:
        """The id text of what the values name."""
        return AssociationId(self.identity(values or self.scenery.values)).text


def example_config(kind: Kind, values: Mapping[str, str]) -> dict[str, str]:
    """The configuration of the kind's example program: it asks for the parts that must be given."""
    required = [part.name for part in kind.parts if part.default is None]
    return {
        first + "".join(map(str.capitalize, rest)): values[name]
        for name in required
        for first, *rest in [name.split("_")]
    }
