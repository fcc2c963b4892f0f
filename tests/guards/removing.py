"""Taking guards out of a copy of the repository, and running the tests that must notice."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.guards.listing import ROOT, Guard

_LONGEST = 90.0
"""Seconds for the tests of one guard; what takes longer is not caught."""

_PYTEST = ("-q", "--tb=short", "-p", "no:cacheprovider")
_NOT_COPIED = shutil.ignore_patterns(".venv*", ".git", "dist", ".*_cache", ".hypothesis")
_PACKAGES = {
    "aws_associations": "core",
    "aws_associations_lambda": "handlers",
    "pulumi_aws_associations": "provider",
    "association_emulator": "emulator",
}
# What a removal that is written wrongly ends with.
_SLIPS = ("NameError", "UnboundLocalError", "ImportError", "ModuleNotFoundError", "SyntaxError", "FileNotFoundError")


class NotACopyError(Exception):
    """The copy's code is not what would be tested."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the tests of one guard said without it.

    Attributes:
        problem: why it does not count as caught; empty if every named test failed.
        seconds: how long it took.
    """

    problem: str
    seconds: float


class Copy:
    """A copy of the repository in a temporary folder; one removal at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._worker: subprocess.Popen[str] | None = None
        paths = [str(folder / path) for path in sorted({*_PACKAGES.values()})]
        self._environment = {
            **os.environ,
            # In front of the editable installation, which leads to the repository itself.
            "PYTHONPATH": os.pathsep.join(paths),
            # A file that is changed and changed back within a second would be taken for the same.
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def check_imports(self) -> None:
        """Raise NotACopyError unless tests here import the code from here."""
        script = "; ".join(f"import {name}; print({name}.__file__)" for name in _PACKAGES)
        told = subprocess.run(
            [sys.executable, "-c", script],
            cwd=self._folder,
            env=self._environment,
            capture_output=True,
            text=True,
            check=True,
        )
        for file, folder in zip(told.stdout.splitlines(), _PACKAGES.values(), strict=True):
            if not Path(file).resolve().is_relative_to((self._folder / folder).resolve()):
                raise NotACopyError(f"{file} would be tested instead of the copy in {self._folder}")

    def failures_unchanged(self, tests: Iterable[str], workers: int) -> dict[str, str]:
        """The tests that do not pass as the code is, each with the reason; raises NotACopyError if none could run."""
        wanted, report = [*tests], self._folder / "guards.xml"
        arguments = [*_PYTEST, f"--junitxml={report}", "-n", str(workers), "--dist", "loadfile", *wanted]
        ended = subprocess.run(
            [sys.executable, "-m", "pytest", *arguments],
            cwd=self._folder,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        cases, problem = _read(report, ended.returncode, ended.stdout + ended.stderr)
        if problem:
            raise NotACopyError(f"the named tests do not run as the code is: {problem}")
        failed = {}
        for test in wanted:
            texts = _of(test, cases)
            reason = "did not run" if not texts else next((text for text in texts if text is not None), None)
            if reason is not None:
                failed[test] = reason.splitlines()[0]
        return failed

    def without(self, guard: Guard) -> Outcome:
        """Take the guard out, run its tests, put it back."""
        start = time.monotonic()
        file = self._folder / guard.file
        original = file.read_text(encoding="utf-8")
        try:
            file.write_text(guard.removed(original), encoding="utf-8")
            cases, problem = self._run([*guard.tests])
        finally:
            file.write_text(original, encoding="utf-8")
        return Outcome(problem or _verdict(guard, cases), time.monotonic() - start)

    def _run(self, tests: list[str]) -> tuple[list[tuple[str, str | None]], str]:
        """Run tests in a warm process: each case and how it failed, None if it passed; and why there was no run."""
        if self._worker is None:
            self._worker = subprocess.Popen(
                [sys.executable, "-m", "tests.guards.worker"],
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        worker = self._worker
        assert worker.stdin is not None
        assert worker.stdout is not None
        report, output = self._folder / "guards.xml", self._folder / "guards.txt"
        report.unlink(missing_ok=True)
        arguments = [*_PYTEST, f"--junitxml={report}", *tests]
        print(json.dumps({"arguments": arguments, "output": str(output), "seconds": _LONGEST}), file=worker.stdin)
        worker.stdin.flush()
        status = json.loads(worker.stdout.readline())
        if status is None:
            return [], f"the tests took longer than {_LONGEST:.0f} seconds"
        return _read(report, status, output.read_text(encoding="utf-8", errors="replace"))

    def close(self) -> None:
        """End the warm process."""
        if self._worker is not None and self._worker.stdin is not None and self._worker.stdout is not None:
            self._worker.stdin.close()
            self._worker.wait()
            self._worker.stdout.close()


def _read(report: Path, status: int, output: str) -> tuple[list[tuple[str, str | None]], str]:
    """Each case and how it failed, None if it passed; and why there was no run, empty if there was."""
    if status not in (0, 1) or not report.is_file():
        return [], f"pytest ended with status {status}: {' '.join(output.strip().splitlines()[-3:])}"
    cases: list[tuple[str, str | None]] = []
    for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314 - pytest wrote it a moment ago
        error, failure = case.find("error"), case.find("failure")
        if error is not None:
            return [], f"{case.get('name')} could not run: {(error.get('message') or '')[:200]}"
        text = None if failure is None else f"{failure.get('message')}\n{failure.text}"
        cases.append((f"{case.get('classname')}.{case.get('name')}", text))
    return cases, ""


def _of(test: str, cases: list[tuple[str, str | None]]) -> list[str | None]:
    """How each case of a node id failed, None if it passed."""
    path, _, names = test.partition("::")
    wanted = f"{path.removesuffix('.py').replace('/', '.')}.{names.replace('::', '.')}"
    return [text for name, text in cases if name == wanted or name.startswith(f"{wanted}[")]


def _verdict(guard: Guard, cases: list[tuple[str, str | None]]) -> str:
    """Why the guard does not count as caught; empty if every named test failed, and not by a slip of the removal."""
    for test in guard.tests:
        texts = _of(test, cases)
        failed = [text for text in texts if text is not None]
        if not texts:
            return f"{test} did not run"
        if not failed:
            return f"{test} passes without it"
        for text in failed:
            slip = next((slip for slip in _SLIPS if text.startswith(slip)), "")
            if slip:
                return f"{test} failed by a slip of the removal: {text.splitlines()[0]}"
    return ""


@contextmanager
def copies(count: int) -> Iterator[list[Copy]]:
    """That many copies of the repository, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="guards-") as folder:
        made = []
        for number in range(count):
            target = Path(folder) / str(number)
            shutil.copytree(ROOT, target, ignore=_NOT_COPIED, symlinks=True)
            made.append(Copy(target))
        made[0].check_imports()
        try:
            yield made
        finally:
            for copy in made:
                copy.close()


def outcomes(guards: Iterable[Guard], made: list[Copy]) -> Iterator[tuple[Guard, Outcome]]:
    """Each guard with its outcome, as they come: one thread a copy."""
    waiting, done = list(guards), list[tuple[Guard, Outcome]]()
    changed = threading.Condition()
    total = len(waiting)

    def work(copy: Copy) -> None:
        while True:
            with changed:
                if not waiting:
                    return
                guard = waiting.pop(0)
            try:
                outcome = copy.without(guard)
            except Exception as error:  # noqa: BLE001 - shown beside the guard; the others go on
                outcome = Outcome(f"{type(error).__name__}: {error}", 0.0)
            with changed:
                done.append((guard, outcome))
                changed.notify()

    for copy in made:
        threading.Thread(target=work, args=(copy,), daemon=True).start()
    for number in range(total):
        with changed:
            changed.wait_for(lambda number=number: len(done) > number)  # type: ignore[misc]
        yield done[number]
