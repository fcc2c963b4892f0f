"""``python -m benchmarks``: measure, print the table.

``--write`` puts it into docs/performance.md as well; ``--check`` fails where a limit is missed by more than noise.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator

from benchmarks import lambda_rows, ledger_rows, pulumi_rows
from benchmarks.row import Row
from benchmarks.table import markdown, write
from benchmarks.turns import Progress

SETS: dict[str, Callable[[int, Progress], Iterator[Row]]] = {
    "lambda": lambda_rows.rows,
    "ledger": ledger_rows.rows,
    "pulumi": pulumi_rows.rows,
}
"""What can be measured: name → a function of the number of runs that yields its rows."""


def main() -> int:
    """Measure what the command line names."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("sets", nargs="*", choices=[[], *SETS], help=f"of {', '.join(SETS)}; all if none is named")
    parser.add_argument("--runs", type=int, default=20, help="of each work and side (default: 20)")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/performance.md")
    parser.add_argument("--check", action="store_true", help="fail where a limit is missed by more than noise")
    arguments = parser.parse_args()
    missed: list[Row] = []
    for name in arguments.sets or SETS:
        rows = list(SETS[name](arguments.runs, _progress))
        _progress("")
        text = markdown(rows)
        sys.stdout.write(f"{text}\n")
        if arguments.write:
            write(name, text)
        missed += [row for row in rows if not row.passes]
    if arguments.check:
        for row in missed:
            sys.stderr.write(f"missed: {row.work}, {row.between}, against {row.peer}; to reach: {row.limit:g}\n")
    return 1 if arguments.check and missed else 0


def _progress(what: str) -> None:
    """One line that is written over, where somebody looks."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{what}")
        sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
