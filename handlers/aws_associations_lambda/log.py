"""Structured log lines: one JSON object a line on standard output, which is where Lambda's log group reads.

Never given a pre-signed URL, a credential or a whole event.
"""

from __future__ import annotations

import json
import logging
import sys


def line(event: str, *, warning: bool = False, **fields: object) -> None:
    """Write one line. ``event`` names what happened, for alarms to match; ``warning`` sets the level."""
    record = {"level": "WARNING" if warning else "INFO", "event": event, **fields}
    sys.stdout.write(json.dumps(record, default=str) + "\n")
    sys.stdout.flush()


_QUIET = {
    "crhelper": logging.CRITICAL,
    "boto3": logging.WARNING,
    "botocore": logging.WARNING,
    "urllib3": logging.WARNING,
}


def keep_libraries_quiet() -> None:
    """Stop libraries from logging what must not be read, whatever level the function's configuration sets.

    At DEBUG crhelper logs the event with its pre-signed URL, botocore the credentials that FinSpace answers, and
    urllib3 the paths of requests. Lambda's own log level setting sets the root logger, so the root is not enough; and
    a level of a logger's own wins over that of its library.
    """
    for name, logger in list(logging.root.manager.loggerDict.items()):
        level = _QUIET.get(name.partition(".")[0])
        if level is not None and isinstance(logger, logging.Logger):
            logger.setLevel(level)
    for name, level in _QUIET.items():
        logging.getLogger(name).setLevel(level)
