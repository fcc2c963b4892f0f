"""How the tests are shared out among the processes of pytest-xdist, a file to a process at a time."""

from __future__ import annotations

import os

import pytest

_LONG_FILES_FIRST = ("demo", "readme", "model", "generation")
"""Folders with files that take longest: one of them begun last would run on alone."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Half as many again as there are processors: a good part of the tests wait for programs and connections."""
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return available + (available + 1) // 2


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the long ones; every file stays together."""
    last = len(_LONG_FILES_FIRST)
    place = {folder: number for number, folder in enumerate(_LONG_FILES_FIRST)}
    items.sort(key=lambda item: place.get("/".join(item.nodeid.split("/")[1:2]), last))
