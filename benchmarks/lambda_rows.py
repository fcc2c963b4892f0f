"""All that is measured of the function."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks import lambda_cold_start, lambda_package, lambda_warm
from benchmarks.lambda_place import place
from benchmarks.row import Row
from benchmarks.turns import Progress


def rows(runs: int, progress: Progress) -> Iterator[Row]:
    """The rows, in the order of the table."""
    with place() as where:
        for measure in (lambda_cold_start, lambda_package, lambda_warm):
            yield from measure.rows(where, runs, progress)
