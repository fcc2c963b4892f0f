"""Structured log lines: one JSON object a line on standard output, which is where Lambda's log group reads.

Never given a pre-signed URL, a credential or a whole event.
"""

from __future__ import annotations

import json
import logging
import sys

from aws_associations.service import keep_quiet, keep_sdk_quiet


def line(event: str, *, warning: bool = False, **fields: object) -> None:
    """Write one line. ``event`` names what happened, for alarms to match; ``warning`` sets the level."""
    record = {"level": "WARNING" if warning else "INFO", "event": event, **fields}
    sys.stdout.write(json.dumps(record, default=str) + "\n")
    sys.stdout.flush()


def keep_libraries_quiet() -> None:
    """Stop libraries from logging what must not be read, whatever level the function's configuration sets.

    At DEBUG crhelper logs the event with its pre-signed URL. Lambda sets the level of the root logger, so the
    root is not enough.
    """
    keep_quiet("crhelper", level=logging.CRITICAL)
    keep_sdk_quiet()
