"""Every kind of association that is served: one module a kind, each with its declaration as ``KIND``."""

from __future__ import annotations

import importlib
import pkgutil

from aws_associations.kind import Kind

KINDS: tuple[Kind, ...] = tuple(
    importlib.import_module(f"{__name__}.{module.name}").KIND
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name)
)
"""In the order of their names. A new module is all that a new kind needs."""
