"""What is printed, kept and failed of what was measured."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import __main__ as command
from benchmarks.row import Row, figure
from benchmarks.table import markdown, write
from benchmarks.turns import Progress, turns


def row(ours: float, *, limit: float = 1.15) -> Row:
    """A ratio of times, of one run."""
    return Row.of_ratio("work", "peer", figure([ours], "ms"), figure([1.0], "ms"), limit)


def test_a_ratio_is_taken_run_by_run() -> None:
    """A machine that is slow for a while slows down both sides of a run, and changes no ratio."""
    ours, theirs = figure([10, 100, 10]), figure([10, 100, 20])

    assert Row.of_ratio("work", "peer", ours, theirs, 1).between.values == (1, 1, 0.5)
    assert Row.of_difference("work", "peer", ours, theirs, 1).between.values == (0, 0, -10)


@pytest.mark.parametrize(("ours", "met", "passes"), [(1.15, True, True), (1.2, False, True), (1.3, False, False)])
def test_a_check_forgives_noise_and_the_table_does_not(ours: float, met: bool, passes: bool) -> None:
    """A limit missed by less than a tenth is missed in the table, and no failure."""
    assert (row(ours).met, row(ours).passes) == (met, passes)
    assert markdown([row(ours)]).splitlines()[-1].endswith("| yes |" if met else "| no |")


def test_what_is_no_measurement_is_not_forgiven() -> None:
    """A size or a number of calls has no noise: one above the limit fails."""
    assert not Row.of_limit("zip", figure([150.1], "kB"), 150).passes


def test_sides_take_turns_after_a_warm_up() -> None:
    """Each side runs once without counting, then they alternate."""
    ran: list[str] = []

    def side(name: str) -> int:
        ran.append(name)
        return len(ran)

    measured = turns({"theirs": lambda: side("theirs"), "ours": lambda: side("ours")}, 2, "work", lambda _: None)

    assert ran == ["theirs", "ours"] * 3
    assert measured == {"theirs": [3, 5], "ours": [4, 6]}


def test_a_set_has_a_place_of_its_own_in_the_document(tmp_path: Path) -> None:
    """What is written replaces what stood between the set's markers, and nothing else."""
    document = tmp_path / "performance.md"
    one, two = (f"<!-- measured: {name} (make bench) -->" for name in ("one", "two"))
    end = "<!-- end of what is measured -->"
    document.write_text(f"a\n{one}\nold\n{end}\nb\n{two}\n{end}\n")

    write("two", "new", document)
    write("one", "newer", document)

    assert document.read_text() == f"a\n{one}\n\nnewer\n{end}\nb\n{two}\n\nnew\n{end}\n"
    with pytest.raises(ValueError, match="three"):
        write("three", "new", document)


@pytest.mark.parametrize(("ours", "status"), [(1.0, 0), (2.0, 1)])
def test_a_check_fails_where_a_limit_is_missed(
    ours: float, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command says which, and its exit status tells make."""

    def rows(_runs: int, _progress: Progress) -> Iterator[Row]:
        yield row(ours)

    monkeypatch.setattr(command, "SETS", {"set": rows})
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--check"])

    assert command.main() == status
    assert capsys.readouterr().err.startswith("missed: work" if status else "")


def test_every_set_has_its_place_in_the_document() -> None:
    """``make bench`` can write what it measured."""
    text = Path("docs/performance.md").read_text()

    assert [name for name in command.SETS if f"<!-- measured: {name} (make bench) -->" not in text] == []
