"""The floor of an event that grants nothing: crhelper imported (and so boto3), the table's calls, a plain PUT."""

from __future__ import annotations

from typing import Any

import crhelper  # noqa: F401 - the import is what is measured

from benchmarks.peers import plain


def answers(event: dict[str, Any], context: object) -> None:
    """Write down that it is done, and say so."""
    records = plain.Records(event, "resource")
    records.write("open")
    records.write("dropped")
    plain.put(event, event["PhysicalResourceId"])


def refuses(event: dict[str, Any], context: object) -> None:
    """Answer nobody."""
