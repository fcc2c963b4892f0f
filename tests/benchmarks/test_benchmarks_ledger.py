"""What a stack asks of the ledger and of CloudFormation is counted, and what goes wrong shows."""

from __future__ import annotations

import pytest

from benchmarks import ledger_rows
from benchmarks.row import Row

_SIZES = (2, 3, 4)


def _figures(rows: list[Row], what: str) -> list[str]:
    """Of the rows whose work ends so."""
    return [str(row.ours) for row in rows if row.work.endswith(what)]


def test_every_limit_is_met_by_small_stacks() -> None:
    """Round trips of a create, an update and a delete, calls of CloudFormation for what is replaced, and no harm."""
    rows = list(ledger_rows.rows(1, lambda _: None, _SIZES))

    assert _figures(rows, "round trips of a create") == ["4, 4, 4"] * 2
    assert _figures(rows, "round trips of an update") == ["4, 4, 4"] * 2
    assert _figures(rows, "round trips of a delete") == ["3, 3, 3"] * 2
    assert _figures(rows, "for each resource that is replaced") == ["1, 1, 1"] * 2
    assert [row.work for row in rows if not row.met] == []


def test_an_operation_that_fails_misses_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stack that ends in another status than it has to is counted."""
    monkeypatch.setitem(ledger_rows._ENDS, "create", "CREATE_FAILED")
    monkeypatch.setattr(ledger_rows, "_FINAL", (0.0,))

    missed = [row.work for row in ledger_rows.rows(1, lambda _: None, _SIZES) if not row.met]

    assert [work.rpartition(": ")[2] for work in missed] == [
        "operations that failed, and memberships left",
        "operations that failed",
    ]
