"""What is measured of the function is the same work on both sides."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks import lambda_warm
from benchmarks.lambda_cold_start import MARKER
from benchmarks.lambda_place import Place, place


@pytest.fixture(scope="module")
def where() -> Iterator[Place]:
    """What is called, and the packages of both sides."""
    with place() as made:
        yield made


def test_a_warm_operation_makes_the_calls_of_a_bare_script_and_no_others(where: Place) -> None:
    """A create: four calls of the table, look, associate, look. A delete: three of the table, disassociate, look."""
    rows = [row for row in lambda_warm.rows(where, 1, lambda _: None) if row.work.startswith("calls")]

    assert [(row.ours.values, row.met) for row in rows] == [((7,), True), ((5,), True)]


def test_a_delete_of_what_was_never_created_asks_the_table_as_often_as_its_floor(where: Place) -> None:
    """One read and two writes: the request opens, and is answered."""
    for side in (where.ours, where.peer("crhelper_alone.answers")):
        where.table.asked.clear()

        where.cold(side, where.event("Delete", physical_resource_id=MARKER))

        assert where.table.asked == ["BatchGetItem", "TransactWriteItems", "TransactWriteItems"]
