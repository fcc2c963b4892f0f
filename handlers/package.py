"""Build the function's zip: the same bytes from the same sources, in any folder, under any umask and clock.

Holds the core, the Lambda and crhelper; boto3 is the runtime's. Run as ``python -m handlers.package OUTPUT``.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
_PACKAGES = (_ROOT / "core" / "aws_associations", _ROOT / "handlers" / "aws_associations_lambda")
_SUFFIXES = frozenset({".py", ".json"})
# The earliest moment that a zip can hold: a real one would change the bytes with every build.
_MOMENT = (1980, 1, 1, 0, 0, 0)
_READABLE_FILE = 0o100644 << 16
_UNIX = 3


def build(output: Path) -> Path:
    """Write the zip and return its path.

    Raises:
        RuntimeError: the installed crhelper is not whole.
    """
    output.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(output, "w") as archive:
        for name, content in sorted(_members()):
            member = zipfile.ZipInfo(name, _MOMENT)
            member.create_system = _UNIX
            member.external_attr = _READABLE_FILE
            # Said here: of a member that is a ZipInfo, what was said to the ZipFile is ignored (measured).
            archive.writestr(member, content, zipfile.ZIP_DEFLATED, compresslevel=9)
    return output


def _members() -> Iterator[tuple[str, bytes]]:
    for package in _PACKAGES:
        for path in package.rglob("*"):
            if path.is_file() and path.suffix in _SUFFIXES:
                yield path.relative_to(package.parent).as_posix(), path.read_bytes()
    yield "LICENSE", (_ROOT / "LICENSE").read_bytes()
    yield from _crhelper()


def _crhelper() -> Iterator[tuple[str, bytes]]:
    found = False
    for file in importlib.metadata.files("crhelper") or ():
        licence = file.name.upper().startswith(("LICENSE", "NOTICE"))
        if (file.parts[0] == "crhelper" and file.suffix == ".py") or licence:
            found = True
            name = f"crhelper/{file.name}" if licence else file.as_posix()
            yield name, Path(str(file.locate())).read_bytes()
    if not found:
        raise RuntimeError("packaging the function: crhelper is not installed; run make setup")


def main() -> None:
    """Build where the command line says."""
    parser = argparse.ArgumentParser(prog="python -m handlers.package", description=__doc__)
    parser.add_argument("output", type=Path)
    written = build(parser.parse_args().output)
    sys.stdout.write(f"{written} {written.stat().st_size} bytes\n")


if __name__ == "__main__":
    main()
