"""The floor: the work, and nothing else."""

from __future__ import annotations

from typing import Any

from benchmarks.peers import plain


def handler(event: dict[str, Any], context: object) -> None:
    """Serve one event."""
    plain.put(event, {"Create": plain.create, "Delete": plain.delete}[event["RequestType"]](event))
