"""The floor of an event that needs no service: crhelper imported (which imports boto3), and a plain PUT."""

from __future__ import annotations

from typing import Any

import crhelper  # noqa: F401 - the import is what is measured

from benchmarks.peers import plain


def answers(event: dict[str, Any], context: object) -> None:
    """Say that it is done."""
    plain.put(event, event["PhysicalResourceId"])


def refuses(event: dict[str, Any], context: object) -> None:
    """Answer nobody."""
