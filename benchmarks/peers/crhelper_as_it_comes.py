"""The work under crhelper, made as its README says."""

from __future__ import annotations

from typing import Any

from crhelper import CfnResource

from benchmarks.peers import plain

helper = CfnResource()


@helper.create
def create(event: dict[str, Any], context: object) -> str:
    """Grant."""
    return plain.create(event)


def handler(event: dict[str, Any], context: object) -> None:
    """Serve one event."""
    helper(event, context)
