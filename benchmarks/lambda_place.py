"""Where the function and its peers run: packages, the emulator in a process of its own, the bucket for answers.

As on AWS the packages cannot be written to and hold no compiled files, so that each cold start compiles them; the
runtime's own packages, boto3 among them, are compiled. The same for both sides.
"""

from __future__ import annotations

import importlib.metadata
import itertools
import os
import shutil
import ssl
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

from association_emulator.control import EmulatorControl
from aws_associations_lambda.response_url import TEST_HOST
from benchmarks.ledger_table import LedgerTable
from engines.lambda_runtime import LambdaRuntime
from engines.processes import Program, hermetic_environment
from engines.response_sink import Event, RequestType, ResponseSink
from handlers.package import build
from tests.model.table import NAME

ROOT = Path(__file__).resolve().parent.parent
LEDGER_TABLE = "LEDGER_TABLE"
TYPE = "Custom::FinSpacePermissionGroupMembership"
_MODELS = ROOT / "core" / "aws_associations" / "models"


@dataclass(frozen=True)
class Side:
    """One of those that are compared: a package and the handler in it."""

    code: Path
    handler: str
    environment: Mapping[str, str]


@dataclass(frozen=True)
class ColdStart:
    """What the first event of a process took.

    Attributes:
        answered: seconds from the start of the process until its answer was at the bucket; of an event that must not be
            answered, until the invocation ended.
        peak: most memory that the process ever had resident, in bytes.
        cpu: seconds of processor time of the process until the end of the invocation.
    """

    answered: float
    peak: float
    cpu: float


class Place:
    """Everything that a measurement needs. Made by :func:`place`."""

    def __init__(self, folder: Path, zipped: Path, emulator: str, sink: ResponseSink, table: LedgerTable) -> None:
        self.zipped = zipped
        self.control = EmulatorControl(emulator)
        self.sink = sink
        self.table = table
        self._numbers = itertools.count(1)
        self._pool = ThreadPoolExecutor(1)
        self._environment = {
            "SSL_CERT_FILE": str(_authorities(folder / "authorities.pem", sink.certificate.certificate)),
            "AWS_ENDPOINT_URL_FINSPACE_DATA": emulator,
            "AWS_ENDPOINT_URL_DYNAMODB": table.url,
            LEDGER_TABLE: NAME,
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        ours = folder / "ours"
        with zipfile.ZipFile(zipped) as archive:
            archive.extractall(ours)
        switches = {TEST_HOST: "localhost", TYPE.removeprefix("Custom::"): "*"}
        self.ours = Side(ours, "aws_associations_lambda.index.handler", {**self._environment, **switches})
        self._peers = _peers(folder / "peers")

    def peer(self, handler: str) -> Side:
        """One of benchmarks/peers: ``module.function``. They bring the service models that the function brings."""
        models = {"AWS_DATA_PATH": str(self._peers / "models")}
        return Side(self._peers, f"benchmarks.peers.{handler}", {**self._environment, **models})

    def event(self, request_type: RequestType, environment: str = "", **more: Any) -> Event:
        """A request of a resource, about a user and a group, that were never heard of before."""
        number = next(self._numbers)
        environment, group, user = environment or f"env{number}", f"group{number}", f"user{number}"
        self.control.finspace.add_permission_group(environment, group)
        self.control.finspace.add_user(environment, user)
        properties = {"EnvironmentId": environment, "PermissionGroupId": group, "UserId": user}
        more = {"LogicalResourceId": f"Membership{number}", **more}
        return self.sink.event(request_type, TYPE, properties, **more)

    def runtime(self, side: Side) -> LambdaRuntime:
        """An execution environment."""
        return LambdaRuntime(side.handler, side.code, environment=side.environment)

    def cold(self, side: Side, event: Any, *, is_answered: bool = True) -> ColdStart:
        """Start a process for this event and let it end."""
        with self.runtime(side) as runtime:
            begun = perf_counter()
            answered = self._pool.submit(self._when_answered, event) if is_answered else None
            invocation = runtime.invoke(event)
            if invocation.error is not None or runtime.pid is None:
                raise RuntimeError(f"{side.handler} failed: {invocation.error}\n{invocation.log}")
            peak, cpu = peak_memory(runtime.pid), processor_time(runtime.pid)
        return ColdStart(invocation.seconds if answered is None else answered.result() - begun, peak, cpu)

    def _when_answered(self, event: Event) -> float:
        answer = self.sink.answer(event, wait=60)
        moment = perf_counter()
        if answer.status != "SUCCESS":
            raise RuntimeError(f"the answer is {answer.status}: {answer.reason}")
        return moment


@contextmanager
def place() -> Iterator[Place]:
    """Build the packages and start what is called; stop and remove it all."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="benchmarks-")))
        zipped = build(folder / "function.zip")
        sink = stack.enter_context(ResponseSink())
        table = stack.enter_context(LedgerTable())
        emulator = stack.enter_context(
            Program([sys.executable, "-m", "association_emulator"], env=hermetic_environment(), name="emulator")
        )
        url = emulator.wait_for_line("^http://", 60).string
        yield Place(folder, zipped, url, sink, table)


def _authorities(file: Path, own: Path) -> Path:
    """As many authorities as elsewhere, which take time to read, and the bucket's own."""
    usual = ssl.get_default_verify_paths().cafile
    file.write_text((Path(usual).read_text() if usual else "") + own.read_text())
    return file


def _peers(folder: Path) -> Path:
    shutil.copytree(ROOT / "benchmarks" / "peers", folder / "benchmarks" / "peers", ignore=_compiled)
    shutil.copytree(_MODELS, folder / "models")
    crhelper = importlib.metadata.distribution("crhelper").locate_file("crhelper")
    shutil.copytree(Path(str(crhelper)), folder / "crhelper", ignore=_compiled)
    return folder


_compiled = shutil.ignore_patterns("__pycache__")


def peak_memory(pid: int) -> float:
    """The most that a process ever had resident, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return 1024.0 * int(status.split("VmHWM:")[1].split()[0])


def processor_time(pid: int) -> float:
    """Seconds of processor time of a process so far, all of its threads together."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
