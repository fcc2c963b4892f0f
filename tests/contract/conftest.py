"""The contract is run in one process, on a clock that sleeping moves."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract.stage import Stage
from tests.contract.summary import pytest_terminal_summary as pytest_terminal_summary
from tests.core.conftest import environment as environment
from tests.core.conftest import in_process


@pytest.fixture
def stage(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """One kind, its parties made, nothing associated."""
    with in_process(monkeypatch) as world:
        yield Stage(world, request.param)
