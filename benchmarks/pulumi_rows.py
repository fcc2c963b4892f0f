"""All that is measured of the Pulumi provider."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks import pulumi_engine, pulumi_host, pulumi_state
from benchmarks.finspace import finspace
from benchmarks.pulumi_host import Scale
from benchmarks.row import Row
from benchmarks.turns import Progress


def rows(runs: int, progress: Progress) -> Iterator[Row]:
    """The rows, in the order of the table. What runs for minutes runs once."""
    scale = Scale()
    yield from pulumi_state.rows(runs, progress)
    with finspace() as service:
        yield from pulumi_host.rows(service, scale, progress)
        yield from pulumi_engine.rows(service, scale, progress)
