"""The size of the function's zip."""

from __future__ import annotations

import importlib.metadata
import zipfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.lambda_place import Place
from benchmarks.row import Row, figure
from benchmarks.turns import Progress

_BUNDLED = ("boto3", "botocore", "s3transfer", "jmespath", "python-dateutil", "six", "urllib3")
_MOST_KILOBYTES = 150


def rows(place: Place, _runs: int, progress: Progress) -> Iterator[Row]:
    """Zip what others bundle, compressed as ours is."""
    progress("zip with boto3 bundled")
    bundled = place.zipped.with_name("bundled.zip")
    _bundle(place.zipped, bundled)
    ours, theirs = (figure([path.stat().st_size], "kB", scale=1e-3) for path in (place.zipped, bundled))
    yield Row.of_ratio("Lambda zip", "the same with boto3 bundled", ours, theirs, 0.01, noise=0)
    yield Row.of_limit("Lambda zip", ours, _MOST_KILOBYTES)


def _bundle(zipped: Path, output: Path) -> None:
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        with zipfile.ZipFile(zipped) as own:
            for name in own.namelist():
                archive.writestr(name, own.read(name))
        for distribution in _BUNDLED:
            for file in importlib.metadata.files(distribution) or ():
                # As pip installs them with --target, without what it compiles.
                if file.parts[0] != ".." and "__pycache__" not in file.parts:
                    archive.write(str(file.locate()), file.as_posix())
