"""What one resource adds to the state, and what an import of the package adds to a program."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Callable, Iterator

from pulumi.dynamic import ResourceProvider

from aws_associations.kind import Kind
from aws_associations.kinds import KINDS
from benchmarks.lambda_place import ROOT
from benchmarks.row import Row, figure
from benchmarks.turns import Progress, turns
from engines.processes import hermetic_environment
from engines.pulumi_host import serialize_provider
from generation.facts import class_name, module_name

_MOST_CHARACTERS = 124

# The whole provider in the program itself, as it would be without a package: pickled with all that it refers to.
_BY_VALUE = """
import sys
from pathlib import Path
from dill import detect
import pulumi_aws_associations.provider as module
from engines.pulumi_host import serialize_provider
walk, under_way = detect.globalvars, []
def globalvars(function, *more, **named):  # dill's own does not end where two functions call each other
    if function in under_way:
        return {}
    under_way.append(function)
    try:
        return walk(function, *more, **named)
    finally:
        under_way.pop()
detect.globalvars = globalvars
main = sys.modules["__main__"]
exec(compile(Path(module.__file__).read_text(), "__main__.py", "exec"), main.__dict__)
class PermissionGroupMembershipProvider(AssociationProvider):
    pass
print(len(serialize_provider(PermissionGroupMembershipProvider())))
"""

_IMPORT = "import time; begun = time.perf_counter(); import {}; print(time.perf_counter() - begun)"


def rows(runs: int, progress: Progress) -> Iterator[Row]:
    """The longest of all kinds; imports in turns."""
    ours = max(len(serialize_provider(provider)) for provider in map(_provider, KINDS))
    by_value = int(_said("-c", _BY_VALUE))
    longest = figure([ours], "characters")
    yield Row.of_limit("Pulumi state: __provider of one resource", longest, _MOST_CHARACTERS)
    yield Row.of_ratio(
        "Pulumi state: __provider of one resource",
        "the same provider pickled by value",
        longest,
        figure([by_value], "characters"),
        0.02,
        noise=0,
    )
    imports = turns(
        {name: _importing(name) for name in ("pulumi", "pulumi_aws_associations.finspace")}, runs, "imports", progress
    )
    theirs, mine = (figure(seconds, "ms", scale=1000) for seconds in imports.values())
    yield Row.of_ratio("import of pulumi_aws_associations.finspace", "import pulumi", mine, theirs, 1.2)


def _provider(kind: Kind) -> ResourceProvider:
    module = importlib.import_module(f"pulumi_aws_associations.{module_name(kind)}")
    provider: ResourceProvider = getattr(module, f"{class_name(kind)}Provider")()
    return provider


def _importing(name: str) -> Callable[[], float]:
    return lambda: float(_said("-c", _IMPORT.format(name)))


def _said(*arguments: str) -> str:
    ended = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, *arguments],
        cwd=ROOT,
        env=hermetic_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    return ended.stdout
