"""What is measured of the function is the same work on both sides."""

from __future__ import annotations

from benchmarks import lambda_warm
from benchmarks.lambda_place import place


def test_a_warm_operation_makes_the_calls_of_a_bare_script_and_no_others() -> None:
    """A create: look, associate, look. A delete: the stack's events and resources, disassociate, look."""
    with place() as where:
        rows = [row for row in lambda_warm.rows(where, 1, lambda _: None) if row.work.startswith("calls")]

    assert [(row.ours.values, row.met) for row in rows] == [((3,), True), ((4,), True)]
