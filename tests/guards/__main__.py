"""Take each guard out in turn and see that its tests fail; or check, in seconds, that the list fits the code."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time

from tests.guards.listing import PAGE, ROOT, BrokenListError, Guard, every, page, problems, read
from tests.guards.removing import copies, outcomes

_WORKERS = 2


def main() -> int:
    """Run the command; 1 if a guard survives or the list is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.guards", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only see that list, code, tests and page fit each other")
    parser.add_argument("--only", metavar="NAME", action="append", default=[], help="guards whose name holds NAME")
    parser.add_argument("--changed", action="store_true", help="guards of files that differ from the last commit")
    parser.add_argument("--workers", type=int, default=min(_WORKERS, os.cpu_count() or 1), help="copies at a time")
    asked = parser.parse_args()
    try:
        areas = read()
    except BrokenListError as error:
        return _complain([str(error)])
    guards = [guard for guard in every(areas) if not asked.only or any(part in guard.name for part in asked.only)]
    if asked.changed:
        changed = _changed()
        guards = [guard for guard in guards if guard.file in changed]
    wrong = problems(guards)
    if asked.check and (ROOT / PAGE).read_text(encoding="utf-8") != page(areas):
        wrong.append(f"{PAGE} is not what tests/guards/*.toml say: run make guards")
    if wrong or asked.check:
        return _complain(wrong)
    if not guards:
        return _complain(["there is no such guard"] if asked.only else [])
    if not (asked.only or asked.changed):
        (ROOT / PAGE).write_text(page(areas), encoding="utf-8")
    return _run(guards, min(asked.workers, len(guards)))


def _run(guards: list[Guard], workers: int) -> int:
    start, total = time.monotonic(), len(guards)
    with copies(workers) as made:
        tests = sorted({test for guard in guards for test in guard.tests})
        print(f"Running the {len(tests)} named tests as the code is", flush=True)
        failing = made[0].failures_unchanged(tests, workers)
        survived = []
        for guard in guards:
            reason = next((f"{test} fails with it: {failing[test]}" for test in guard.tests if test in failing), "")
            if reason:
                survived.append((guard, reason))
        guards = [guard for guard in guards if not set(guard.tests) & set(failing)]
        print(f"Taking out {len(guards)} guards, {workers} at a time", flush=True)
        for number, (guard, outcome) in enumerate(outcomes(guards, made), 1):
            word = "SURVIVED" if outcome.problem else "caught"
            line = f"{number:4}/{len(guards)} {word:8} {outcome.seconds:5.1f}s {guard.area}: {guard.name}"
            print(f"{line}: {outcome.problem}" if outcome.problem else line, flush=True)
            if outcome.problem:
                survived.append((guard, outcome.problem))
    seconds = time.monotonic() - start
    print(f"{total - len(survived)} of {total} guards caught in {seconds:.0f} seconds")
    for guard, reason in survived:
        print(f"  not caught: {guard.name} ({guard.file}): {reason}")
    return 1 if survived else 0


def _changed() -> set[str]:
    """Files that differ from the last commit, new ones too."""
    found = set[str]()
    for command in (["git", "diff", "--name-only", "HEAD"], ["git", "ls-files", "--others", "--exclude-standard"]):
        told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        found.update(told.stdout.splitlines())
    return found


def _complain(lines: list[str]) -> int:
    """Print what is wrong; the command's exit status."""
    for line in lines:
        print(line, file=sys.stderr)
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
