"""The guards of the ledger that need no host process to be seen."""

from __future__ import annotations

from aws_associations.host import Owner
from aws_associations.identity import AssociationId, Identity
from aws_associations.kinds.finspace_permission_group_membership import KIND
from pulumi_aws_associations.ledger import Entry, Ledger

VALUES = {"environment_id": "env1", "permission_group_id": "analysts", "user_id": "alice"}
MEMBERSHIP = Identity.of(KIND, "123456789012", "us-east-1", VALUES)


def entry(name: str, request_id: str = "r1") -> Entry:
    """A resource that holds the membership."""
    return Entry(Owner(("pulumi", "org", "project", "stack", "", name)), AssociationId(MEMBERSHIP), request_id)


def names(ledger: Ledger, but: Entry | None = None) -> list[str]:
    """Who holds it."""
    return [holder.name for holder in ledger.holders(MEMBERSHIP, but).now]


def test_what_has_been_replaced_shields_no_delete() -> None:
    """Its own delete may have been made in an earlier run: what is released for its sake would leak."""
    ledger, old, other = Ledger(), entry("A"), entry("B")
    ledger.show(old)
    ledger.show(other)
    ledger.superseded(old, old.owner)
    assert names(ledger, but=other) == ["A"]

    moved = Identity.of(KIND, "123456789012", "us-east-1", {**VALUES, "user_id": "bob"})
    ledger.granted(Entry(old.owner, AssociationId(moved), "r2"))

    assert names(ledger, but=other) == []
    assert "A" in names(ledger)
