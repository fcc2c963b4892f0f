"""One theatre for all scripts of a process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.model.play import Theatre, theatre


@pytest.fixture(scope="module")
def stage() -> Iterator[Theatre]:
    """Where scripts are played."""
    with theatre() as made:
        yield made
