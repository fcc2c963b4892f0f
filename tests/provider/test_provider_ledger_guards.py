"""The guards of the ledger that need no host process to be seen."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from aws_associations.host import Owner
from aws_associations.identity import AssociationId, Identity
from aws_associations.kinds.finspace_permission_group_membership import KIND
from aws_associations.removal import Removal
from pulumi_aws_associations import provider
from pulumi_aws_associations.finspace import PermissionGroupMembershipProvider
from pulumi_aws_associations.ledger import Entry, Ledger

VALUES = {"environment_id": "env1", "permission_group_id": "analysts", "user_id": "alice"}
MEMBERSHIP = Identity.of(KIND, "123456789012", "us-east-1", VALUES)
MOVED = Identity.of(KIND, "123456789012", "us-east-1", {**VALUES, "user_id": "bob"})


def entry(name: str, request_id: str = "r1") -> Entry:
    """A resource that holds the membership."""
    return Entry(Owner(("pulumi", "org", "project", "stack", "", name)), AssociationId(MEMBERSHIP), request_id)


def replacement_of(old: Entry) -> Entry:
    """What has taken the place of a resource: another membership."""
    return Entry(old.owner, AssociationId(MOVED), "r2")


def shared(*others: Entry) -> tuple[Ledger, Entry]:
    """A ledger in which a resource that is to be replaced holds it, and these; and that resource."""
    ledger, old = Ledger(), entry("A")
    for each in (old, *others):
        ledger.show(each)
    ledger.superseded(old, old.owner)
    return ledger, old


def outputs(of: Entry) -> dict[str, Any]:
    """What the state has of a resource, as far as it matters."""
    return {"declared_by": list(of.owner.parts[1:]), "request_id": of.request_id, "timeout_seconds": 10}


def use(monkeypatch: pytest.MonkeyPatch, ledger: Ledger, **lifecycle: Callable[..., object]) -> None:
    """Let the provider use this ledger and a lifecycle of these methods."""
    services = SimpleNamespace(account=lambda *_: "123456789012")
    monkeypatch.setattr(provider, "_ledger", ledger)
    monkeypatch.setattr(provider, "typed_options", lambda *_: ({}, {}))
    monkeypatch.setattr(provider, "_core", lambda: (services, SimpleNamespace(**lifecycle)))


def names(ledger: Ledger, but: Entry | None = None) -> list[str]:
    """Who holds it."""
    return [holder.name for holder in ledger.holders(MEMBERSHIP, but).now]


def test_what_has_been_replaced_shields_no_delete() -> None:
    """Its own delete may have been made in an earlier run: what is released for its sake would leak."""
    other = entry("B")
    ledger, old = shared(other)
    assert names(ledger, but=other) == ["A"]

    ledger.created(replacement_of(old))

    assert names(ledger, but=other) == []
    assert "A" in names(ledger)


def test_what_was_left_to_the_replaced_is_told_once() -> None:
    """A delete let go of it before the replacement was made, and nobody else has it."""
    other = entry("B")
    ledger, old = shared(other)
    assert ledger.released(other)
    assert ledger.left_to_superseded(old.owner, KIND.name) == [other]

    assert ledger.created(replacement_of(old)) == (other,)
    assert ledger.created(replacement_of(old)) == ()


def test_what_somebody_else_has_is_not_left_to_the_replaced() -> None:
    """A third resource holds it, so it stays."""
    other, third = entry("B"), entry("C")
    ledger, old = shared(other, third)
    assert ledger.released(other)
    assert ledger.left_to_superseded(old.owner, KIND.name) == []

    assert ledger.created(replacement_of(old)) == ()


def test_what_has_ended_since_is_not_left_to_the_replaced() -> None:
    """A later delete found it gone: if it is there again, others have granted it."""
    other, third = entry("B"), entry("C")
    ledger, old = shared(other, third)
    assert ledger.released(other)
    ledger.end(third)

    assert ledger.created(replacement_of(old)) == ()


def test_a_resource_that_was_granted_it_again_replaces_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """An update keeps what it had; two resources may tell the same owner, of which one is to be replaced."""
    other = entry("B")
    ledger, old = shared(other)
    renamed = replacement_of(old)
    ledger.show(renamed)
    ledger.revoked(renamed)
    granted = SimpleNamespace(status="")
    use(monkeypatch, ledger, update=lambda *_, **__: granted)

    PermissionGroupMembershipProvider().update(renamed.id.text, outputs(renamed), {})

    assert ledger.revoked_by(MOVED) is None
    assert names(ledger, but=other) == ["A"]


def test_a_delete_decides_again_if_who_held_it_was_replaced_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between its question and its answer the replacement was made: nobody else would revoke it."""
    other = entry("B")
    ledger, old = shared(other)
    asked: list[str] = []

    def delete(*_: object) -> Removal:
        asked.append("")
        if len(asked) == 1:
            ledger.created(replacement_of(old))
            return Removal.RELEASED
        assert names(ledger, but=other) == []
        return Removal.REVOKED

    use(monkeypatch, ledger, delete=delete)

    PermissionGroupMembershipProvider().delete(other.id.text, outputs(other))

    assert len(asked) == 2
    assert ledger.revoked_by(MEMBERSHIP) == other
