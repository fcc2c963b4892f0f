"""Pulumi's host in a fresh copy of a process that has loaded the libraries, and on the service's clock.

Loading them takes longer than most tests of the provider, which start some two hundred hosts. Of the repository's own
code nothing is loaded: each host imports it anew. Where the provider or the SDK sleeps, the emulator's clock and the
host's own move on at once, as in the tests of the other host.
"""

from __future__ import annotations

import datetime
import io
import multiprocessing
import os
import runpy
import site
import subprocess
import sys
import time
import types
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO, Any

from engines.processes import Process

_LIBRARIES = (
    *("botocore.auth", "botocore.client", "botocore.endpoint", "botocore.httpsession", "botocore.parsers"),
    *("botocore.retryhandler", "botocore.retries.standard", "botocore.session", "botocore.validate"),
    *("dill", "grpc", "pulumi.dynamic"),
)
_MODULE = "pulumi.dynamic"

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(list(_LIBRARIES))


def popen(argv: Sequence[str], *, env: Mapping[str, str], cwd: Path | None, **more: Any) -> Process:
    """Start a program as subprocess.Popen does, but the host without loading what is the same for all of them.

    One whose interpreter is another, or is told otherwise by its environment, is started from nothing; but the folders
    of PYTHONPATH, and a sitecustomize there, are heeded.
    """
    told = {name for name in {*env, *os.environ} if name.startswith("PYTHON")} - {"PYTHONPATH"}
    same = all(env.get(name) == os.environ.get(name) for name in told)
    if not same or list(argv) != [sys.executable, "-u", "-m", _MODULE]:
        return subprocess.Popen(argv, env=env, cwd=cwd, **more)
    return _Forked(dict(env), str(cwd or Path.cwd()))


class _Forked:
    """What engines.processes needs of subprocess.Popen."""

    def __init__(self, environment: dict[str, str], folder: str) -> None:
        output, ours = _context.Pipe(duplex=False)
        with ours:
            self._process = _context.Process(target=_become, args=(ours, environment, folder), daemon=True)
            self._process.start()
        with output:
            self.stdout: IO[bytes] | None = os.fdopen(os.dup(output.fileno()), "rb")

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        status = self._process.exitcode
        if status is None:
            raise subprocess.TimeoutExpired(_MODULE, timeout or 0)
        return status


def _become(output: Connection, environment: dict[str, str], folder: str) -> None:
    """Be the host, as ``python -u -m pulumi.dynamic`` is."""
    os.setsid()
    for stream in (1, 2):
        os.dup2(output.fileno(), stream)
    output.close()
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.stdout, sys.stderr = (io.TextIOWrapper(io.FileIO(stream, "w"), write_through=True) for stream in (1, 2))
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.path[0:0] = [folder, *filter(None, environment.get("PYTHONPATH", "").split(os.pathsep))]
    sys.modules.pop("sitecustomize", None)
    site.execsitecustomize()
    _sleep_on_the_services_clock(environment["AWS_ENDPOINT_URL"])
    runpy.run_module(_MODULE, run_name="__main__", alter_sys=True)


def _sleep_on_the_services_clock(url: str) -> None:
    import botocore.endpoint

    from association_emulator.control import EmulatorControl
    from aws_associations import service, waiting

    control, slept = EmulatorControl(url), 0.0

    class Moment(datetime.datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> Any:
            return datetime.datetime.now(tz) + datetime.timedelta(seconds=slept)

    def sleep(seconds: float) -> None:
        nonlocal slept
        slept += seconds
        control.advance(seconds)

    clock = types.SimpleNamespace(monotonic=lambda: time.monotonic() + slept, sleep=sleep)
    for module in (waiting, botocore.endpoint):
        vars(module)["time"] = clock
    vars(service)["datetime"] = types.SimpleNamespace(**{**vars(datetime), "datetime": Moment})
