"""The table: as markdown, and where docs/performance.md keeps it."""

from __future__ import annotations

import datetime
import os
import platform
from collections.abc import Iterable
from pathlib import Path

from benchmarks.row import Row

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "performance.md"
_BEGIN, _END = "<!-- measured: {} (make bench) -->", "<!-- end of what is measured -->"
_HEAD = "| work | against | ours | theirs | ours to theirs | to reach | met |\n|---|---|---|---|---|---|---|\n"


def markdown(rows: Iterable[Row]) -> str:
    """The table, with what and when it was measured on."""
    return f"{_where()}\n\n{_HEAD}" + "".join(f"{_line(row)}\n" for row in rows)


def write(name: str, text: str, document: Path = DOCUMENT) -> None:
    """Put a set's table where the document has the set's markers.

    Raises:
        ValueError: the document has no such markers.
    """
    begin = _BEGIN.format(name)
    before, found, rest = document.read_text().partition(begin)
    _, ended, after = rest.partition(_END)
    if not found or not ended:
        raise ValueError(f"{document} lacks {begin} or, behind it, {_END}")
    document.write_text(f"{before}{begin}\n\n{text}\n{_END}{after}")


def _line(row: Row) -> str:
    limit = f"≤ {row.limit:,.{row.between.digits}f} {row.between.unit}".rstrip()
    between = str(row.between) if row.theirs is not None else ""
    met = row.not_run or ("yes" if row.met else "no")
    cells = (row.work, row.peer, "" if row.not_run else row.ours, row.theirs or "", between, limit, met)
    return f"| {' | '.join(str(cell) for cell in cells)} |"


def _where() -> str:
    moment = datetime.datetime.now(datetime.UTC)
    python = f"{platform.python_implementation()} {platform.python_version()}"
    load = f"load {os.getloadavg()[0]:.1f}"
    return (
        f"{moment:%Y-%m-%d}, {platform.system()} on {platform.machine()} ({_processor()}), {os.cpu_count()} processors,"
        f" {load}, {python}. Medians, with the quartiles; ratios and differences run by run."
    )


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "processor unknown"
    )
