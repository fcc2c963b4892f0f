"""Runs pytest again and again in the folder where it was started, each time in a fresh copy of a warm process.

Loading the libraries takes longer than most tests, so they are loaded once; of the repository's own code nothing is,
and each run imports it anew. One JSON object a line: asked on standard input, answered on standard output.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import time
from typing import NoReturn

import pytest

_LIBRARIES = (
    *("boto3", "botocore.auth", "botocore.endpoint", "botocore.parsers", "botocore.session", "botocore.validate"),
    *("crhelper", "cryptography.x509", "flask", "flask_cors", "hypothesis.stateful", "jmespath", "moto"),
    *("moto.backends", "moto.core.botocore_stubber", "moto.core.models", "moto.core.responses", "moto.server"),
    *("moto.sts.models", "pulumi.dynamic", "requests", "responses", "rich.console", "werkzeug.serving", "yaml"),
)


def main() -> None:
    """Serve until standard input ends."""
    for name in _LIBRARIES:
        importlib.import_module(name)
    for line in sys.stdin:
        asked = json.loads(line)
        print(json.dumps(_run(asked["arguments"], asked["output"], asked["seconds"])), flush=True)


def _run(arguments: list[str], output: str, seconds: float) -> int | None:
    """pytest's exit status; None if it took longer than the seconds."""
    child = os.fork()
    if child == 0:
        _test(arguments, output)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def _test(arguments: list[str], output: str) -> NoReturn:
    os.setsid()  # with the processes that tests start
    with open(output, "w", encoding="utf-8") as file:  # noqa: PTH123 - of this process's life only
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        code = 3
        try:
            # The libraries are loaded already, too late for pytest to rewrite their asserts.
            code = int(pytest.main(["--assert=plain", *arguments]))
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)


if __name__ == "__main__":
    main()
