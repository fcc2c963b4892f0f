"""``python -m tests.mutants``: run mutmut on a copy of the tree, and list survivors that kept.toml does not explain."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COPY = ROOT / "build" / "mutants"
KEPT = Path(__file__).with_name("kept.toml")

_PACKAGES = {"aws_associations": "core", "aws_associations_lambda": "handlers"}
"""Package → its folder here. mutmut names a module by its path below ``src``, so the copy has both packages there."""

_FOLDERS = ("tests", "core", "handlers", "engines", "generation")
_SURVIVED = frozenset({"survived", "no tests", "suspicious"})
_MUTMUT = Path(sys.executable).with_name("mutmut")

Change = tuple[str, str, str]
"""Function, the lines that a mutant takes out of it, the lines that it puts in."""


def copy_tree() -> None:
    """Copy what the tests need as it is now. What mutmut found out before stays."""
    for folder in ("src", *_FOLDERS, *(f"mutants/{each}" for each in _FOLDERS)):
        shutil.rmtree(COPY / folder, ignore_errors=True)
    unwanted = shutil.ignore_patterns("__pycache__", ".*")
    for folder in _FOLDERS:
        shutil.copytree(ROOT / folder, COPY / folder, ignore=unwanted)
    for package, folder in _PACKAGES.items():
        shutil.copytree(ROOT / folder / package, COPY / "src" / package, ignore=unwanted)
    shutil.copy2(ROOT / "pyproject.toml", COPY)


def survivors() -> dict[str, Change]:
    """The mutants that no test killed: name → what they change."""
    results = (line.strip().rpartition(": ") for line in _mutmut("results").splitlines())
    found = {name: change(name, _mutmut("show", name)) for name, _, status in results if status in _SURVIVED}
    return {name: what for name, what in found.items() if not _is_wording(what)}


def _is_wording(what: Change) -> bool:
    """Whether a mutant only spells a text otherwise: XXtextXX, or in other letters. An empty text is no wording."""
    _, was, now = what
    return "XXXX" not in now and now.replace("XX", "").casefold() == was.casefold()


def change(mutant: str, shown: str) -> Change:
    """What a mutant changes, of which mutmut shows this diff. Indents do not count."""
    module, _, name = mutant.partition("__mutmut_")[0].rpartition(".")
    diff = [line for line in shown.splitlines() if not line.startswith(("---", "+++"))]
    taken, put = (" ".join(line[1:].strip() for line in diff if line.startswith(sign)) for sign in "-+")
    return f"{module}.{name.removeprefix('x_').removeprefix('xǁ').replace('ǁ', '.')}", taken, put


def _mutmut(*arguments: str) -> str:
    return subprocess.run([_MUTMUT, *arguments], cwd=COPY, check=True, stdout=subprocess.PIPE, text=True).stdout


def main() -> int:
    """Run what has no result yet, and tell of each survivor without a reason. 1 if there is one."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("mutants", nargs="*", help="run these anew, for example 'aws_associations.records.*'")
    chosen = parser.parse_args().mutants
    copy_tree()
    run = [_MUTMUT, "run", "--max-children", str(os.cpu_count()), *chosen]
    ended = subprocess.run(run, cwd=COPY, check=False).returncode
    if ended:
        return ended
    kept = {(each["function"], each["was"], each["now"]) for each in tomllib.loads(KEPT.read_text("utf-8"))["kept"]}
    found = survivors()
    unexplained = {name: what for name, what in found.items() if what not in kept}
    for name, (function, was, now) in unexplained.items():
        sys.stdout.write(f"{name}\n  {function}\n  - {was}\n  + {now}\n")
    for function, was, _ in kept - {*found.values()}:
        sys.stdout.write(f"kept.toml explains what did not survive: {function}: {was}\n")
    sys.stdout.write(f"{len(found)} survived, {len(unexplained)} of them without a reason in {KEPT.name}\n")
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
