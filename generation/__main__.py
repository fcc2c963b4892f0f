"""Write every generated file anew, or with --check say which are stale. Run as ``python -m generation``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from generation import examples, pulumi_classes, reference, template

ROOT = Path(__file__).resolve().parent.parent


def generated(root: Path) -> dict[Path, str]:
    """Every generated file and its whole text; parts that are written by hand are those of ``root``."""
    made = (part.files(root) for part in (pulumi_classes, template, reference, examples))
    return {root / name: text for files in made for name, text in files.items()}


def stale(root: Path) -> list[Path]:
    """The files that ``make generate`` would change, and what is left of kinds that are gone, relative to ``root``."""
    return _stale(root, generated(root))


def _stale(root: Path, made: Mapping[Path, str]) -> list[Path]:
    changed = {path for path, text in made.items() if not path.exists() or path.read_text(encoding="utf-8") != text}
    return sorted(path.relative_to(root) for path in changed | _left_over(root, made))


def _left_over(root: Path, made: Mapping[Path, str]) -> set[Path]:
    """What is where only generated files are, or says that it is one, and is made from no declaration any more."""
    modules = (
        path for path in root.glob("provider/*/*.py") if pulumi_classes.WRITTEN in path.read_text(encoding="utf-8")
    )
    places = ("docs/kinds/*.md", "examples/cloudformation/*.yaml", "examples/pulumi/*/")
    found = {*modules, *(path for place in places for path in root.glob(place))}
    return found - {*made, *(path.parent for path in made)}


def main() -> int:
    """Do what the command line says; 1 if something is stale."""
    parser = argparse.ArgumentParser(prog="python -m generation", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file is stale")
    arguments = parser.parse_args()
    texts = generated(ROOT)
    changed = _stale(ROOT, texts)
    if arguments.check:
        for path in changed:
            sys.stderr.write(f"{path} is stale; run make generate\n")
        return 1 if changed else 0
    left_over = [path for path in changed if ROOT / path not in texts]
    for path in left_over:
        # Whoever removes a declaration decides what else goes with it.
        sys.stderr.write(f"{path} is made from no declaration any more; remove it\n")
    for path in changed:
        if path in left_over:
            continue
        (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / path).write_text(texts[ROOT / path], encoding="utf-8")
        sys.stdout.write(f"{path}\n")
    return 1 if left_over else 0


if __name__ == "__main__":
    sys.exit(main())
