"""What every ledger promises."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from aws_associations.ledger import ChangedError, Ledger, Record

CONTENT = {"claims": {"häns/🔑": {"state": "held", "since": 1700000000.25}}, "closed": ["a", None, True], "empty": {}}


def test_what_nobody_wrote_is_not_stored(ledger: Ledger) -> None:
    """A key without a record is read as a record without version and content."""
    assert ledger.read("resource/a", "resource/b") == (Record("resource/a"), Record("resource/b"))


def test_what_was_written_is_read(ledger: Ledger) -> None:
    """Content, expiry and version come back as the write returned them, in the order of the keys."""
    written = ledger.write(Record("b", content=CONTENT), Record("a", content={"n": 1}, expires=1_800_000_000))
    assert [(each.key, each.content, each.expires) for each in written] == [
        ("b", CONTENT, None),
        ("a", {"n": 1}, 1_800_000_000),
    ]
    assert all(each.version for each in written)
    first, second = written
    assert ledger.read("a", "none", "b", "a") == (second, Record("none"), first, second)


def test_a_record_that_was_read_can_be_changed_again_and_again(ledger: Ledger) -> None:
    """What a write returns is what the next one may be based on, without reading it again."""
    record = Record("a")
    for number in range(3):
        (record,) = ledger.write(replace(record, content={"number": number}))
    assert ledger.read("a") == (record,)
    assert record.content == {"number": 2}


def test_what_is_stored_changes_by_writing_only(ledger: Ledger) -> None:
    """Neither what was written nor what was read is shared with the store."""
    content = {"claims": ["mine"]}
    (written,) = ledger.write(Record("a", content=content))
    content["claims"].append("not written")
    assert written.content == {"claims": ["mine"]}
    written.content["claims"].append("not written")
    ledger.read("a")[0].content["claims"].append("not written")
    assert ledger.read("a")[0].content == {"claims": ["mine"]}


@pytest.mark.parametrize("version", ["", "0" * 32], ids=["not stored", "another version"])
def test_a_stale_write_changes_nothing(ledger: Ledger, version: str) -> None:
    """Who bases a write on anything but what is stored is told so."""
    stored = ledger.write(Record("a", content={"writer": "first"}))
    for content in ({"writer": "second"}, {}):
        with pytest.raises(ChangedError):
            ledger.write(Record("a", version, content))
    assert ledger.read("a") == stored


def test_a_record_that_is_not_stored_has_no_version(ledger: Ledger) -> None:
    """A write based on a version of what was removed meanwhile changes nothing."""
    with pytest.raises(ChangedError):
        ledger.write(Record("a", "0" * 32, {"n": 1}))
    assert ledger.read("a") == (Record("a"),)


@pytest.mark.parametrize("stale_one", [0, 1])
def test_all_records_are_written_or_none(ledger: Ledger, stale_one: int) -> None:
    """One stale record stops the others, whichever comes first."""
    before = ledger.write(Record("a", content={"n": 1}), Record("b", content={"n": 1}))
    after = [replace(record, content={"n": 2}) for record in before]
    after[stale_one] = replace(after[stale_one], version="0" * 32)
    with pytest.raises(ChangedError):
        ledger.write(*after)
    assert ledger.read("a", "b") == before


def test_one_write_stores_and_removes(ledger: Ledger) -> None:
    """Empty content removes a record, in the same transaction that changes another."""
    kept, gone = ledger.write(Record("a", content={"n": 1}), Record("b", content={"n": 1}, expires=5))
    written = ledger.write(replace(kept, content={"n": 2}), replace(gone, content={}))
    assert written[1] == Record("b")
    assert ledger.read("a", "b") == written


def test_nothing_is_removed_where_nothing_is(ledger: Ledger) -> None:
    """Removing what is not stored is a write that changes nothing."""
    assert ledger.write(Record("a")) == (Record("a"),)
    assert ledger.read("a") == (Record("a"),)


def test_a_record_made_anew_is_another_one(ledger: Ledger) -> None:
    """Who has read a record that was removed and made again with the same content loses."""
    (stale,) = ledger.write(Record("a", content={"n": 1}))
    (removed,) = ledger.write(replace(stale, content={}))
    (remade,) = ledger.write(replace(removed, content={"n": 1}))
    assert remade.version != stale.version
    with pytest.raises(ChangedError):
        ledger.write(replace(stale, content={"n": 2}))
    assert ledger.read("a") == (remade,)


class Unhurried(str):
    """A version whose comparison takes a while, so that two writers in one process meet in it."""

    __slots__ = ()

    def __ne__(self, other: object) -> bool:
        time.sleep(0.001)
        return str(self) != other


# moto's transactions get in each other's way, so that both would win.
@pytest.mark.parametrize("ledger", ["process memory", "ministack"], indirect=True)
def test_of_two_writers_one_wins(ledger: Ledger) -> None:
    """Two threads that write both records at the same moment: one is told that they changed, 50 times."""
    stored = ledger.read("a", "b")
    with ThreadPoolExecutor(2) as pool:
        for turn in range(50):
            together = threading.Barrier(2)
            read = tuple(replace(each, version=Unhurried(each.version)) for each in stored)

            def race(
                writer: int,
                turn: int = turn,
                based_on: tuple[Record, ...] = read,
                together: threading.Barrier = together,
            ) -> tuple[Record, ...] | None:
                together.wait()
                try:
                    return ledger.write(*(replace(each, content={"turn": turn, "by": writer}) for each in based_on))
                except ChangedError:
                    return None

            won = [written for written in pool.map(race, (0, 1)) if written is not None]
            stored = ledger.read("a", "b")
            assert won == [stored]
