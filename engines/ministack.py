"""A CloudFormation engine on this machine: ministack, which runs stacks and the functions behind their resources."""

import contextlib
import datetime
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import boto3
import botocore.config
import botocore.exceptions

from engines.certificate import Certificate, make_certificate
from engines.processes import LineCallback, Program, ProgramFailed, free_port, hermetic_environment

REGION = "us-east-1"
ACCOUNT = "123456789012"
"""The account in every ARN; the same as moto's, so that both agree on who is calling."""

_ENVIRONMENT_FOLDER = Path(__file__).resolve().parent.parent / ".venv-ministack"
_START_SECONDS = 30.0
_START_ATTEMPTS = 3

Operation = Literal["create", "update", "delete", "none"]


class EngineMissing(RuntimeError):
    """ministack is not installed where it is looked for."""


@dataclass(frozen=True)
class StackEvent:
    """One line of a stack's history. `reason` is empty when the engine gave none."""

    id: str
    time: datetime.datetime
    logical_id: str
    physical_id: str
    resource_type: str
    status: str
    reason: str

    def __str__(self) -> str:
        reason = f": {self.reason}" if self.reason else ""
        return f"{self.logical_id} ({self.resource_type}) {self.status}{reason}"


@dataclass(frozen=True)
class StackResult:
    """How an operation on a stack ended.

    `status` is the stack's, in CloudFormation's words. `events` are those of this operation only, oldest first.
    `operation` is "none" when there was nothing to do. `outputs` are those of the stack as it is now.
    """

    operation: Operation
    stack_id: str
    status: str
    events: tuple[StackEvent, ...]
    outputs: Mapping[str, str]

    @property
    def succeeded(self) -> bool:
        """Whether the stack is now what was asked for: neither failed nor rolled back."""
        return self.status in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_COMPLETE") or (
            self.operation == "none" and self.status.endswith("_COMPLETE")
        )

    @property
    def unchanged(self) -> bool:
        """Whether there was nothing to do."""
        return self.operation == "none"

    def story(self) -> str:
        """Return the events as lines, for a message or an assertion."""
        return "\n".join(str(event) for event in self.events)


class Ministack:
    """A running ministack behind TLS; a context manager that ends with its processes and files gone.

    `environment` is added to what its functions inherit; a function's own variables win over it. Without `certificate`
    one is made. `venv` is the virtual environment in which ministack is installed: `.venv-ministack` beside this
    package, if not given. `on_line` gets each line of its log.

    Raises EngineMissing if it is not installed there, ProgramFailed if it does not start.
    """

    def __init__(
        self,
        *,
        environment: Mapping[str, str] | None = None,
        certificate: Certificate | None = None,
        venv: Path | None = None,
        on_line: LineCallback | None = None,
    ) -> None:
        self._environment = dict(environment or {})
        self._given_certificate = certificate
        self._python = (venv or _ENVIRONMENT_FOLDER) / "bin" / "python"
        self._on_line = on_line
        self._session = boto3.Session(**self.session_kwargs())
        # Sessions are not safe to share between threads, the clients they make are.
        self._session_guard = threading.Lock()

    def __enter__(self) -> Self:
        if not self._python.exists():
            raise EngineMissing(f"ministack is not installed in {self._python.parent.parent}: run `make setup`")
        self._folder = tempfile.TemporaryDirectory(prefix="ministack-", ignore_cleanup_errors=True)
        try:
            folder = Path(self._folder.name)
            self.certificate = self._given_certificate or make_certificate(folder)
            self._program = self._start(folder)
        except BaseException:
            self._folder.cleanup()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            # It has nothing worth saving, and is slow to end while a function is still running.
            self._program.stop(grace=1.0)
        finally:
            self._folder.cleanup()

    def _start(self, folder: Path) -> Program:
        for attempt in range(1, _START_ATTEMPTS + 1):
            port = free_port()
            self.url = f"https://localhost:{port}"
            program = Program(
                [self._python, "-m", "ministack"],
                env=self._whole_environment(folder, port),
                cwd=folder,
                name="ministack",
                on_line=self._on_line,
            )
            try:
                program.wait_until(self._is_healthy, _START_SECONDS, "answer")
            except BaseException as error:
                program.stop(grace=1.0)
                # Between finding a free port and taking it, another program may have taken it.
                if attempt < _START_ATTEMPTS and isinstance(error, ProgramFailed) and "in use" in program.output:
                    continue
                raise
            return program
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _whole_environment(self, folder: Path, port: int) -> dict[str, str]:
        return hermetic_environment(
            {
                # Workers' folders are left behind there.
                "TMPDIR": str(folder),
                "HOME": str(folder),
                "STATE_DIR": str(folder / "state"),
                "S3_DATA_DIR": str(folder / "s3"),
                "BIND_HOST": "127.0.0.1",
                "GATEWAY_PORT": str(port),
                # Listeners on fixed ports that nobody here needs.
                "IOT_MTLS_ENABLED": "0",
                "SFTP_ENABLED": "0",
                # Never containers, also where there is a Docker.
                "LAMBDA_EXECUTOR": "local",
                # crhelper speaks only HTTPS to a ResponseURL.
                "USE_SSL": "1",
                "MINISTACK_SSL_CERT": str(self.certificate.certificate),
                "MINISTACK_SSL_KEY": str(self.certificate.key),
                **self.certificate.environment(),
                "MINISTACK_ACCOUNT_ID": ACCOUNT,
                "MINISTACK_REGION": REGION,
                "AWS_ENDPOINT_URL": self.url,
                "AWS_ACCESS_KEY_ID": ACCOUNT,
                "AWS_SECRET_ACCESS_KEY": "nothing-secret",
                "AWS_DEFAULT_REGION": REGION,
                "PYTHONUNBUFFERED": "1",
                **self._environment,
            }
        )

    def _is_healthy(self) -> bool:
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPSHandler(context=self.certificate.client_context()),
        )
        try:
            with opener.open(f"{self.url}/_ministack/health", timeout=2) as response:
                return bool(response.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    @property
    def pid(self) -> int:
        """The process id of ministack, which is also the id of the process group of all its workers."""
        return self._program.pid

    def logs(self) -> str:
        """Return what ministack itself has logged so far (not what functions wrote: see `function_logs`)."""
        self._program.settle()
        return self._program.output

    # Access

    @staticmethod
    def session_kwargs() -> dict[str, str]:
        """Return the arguments of boto3.Session: region and credentials that ministack takes for ACCOUNT."""
        return {
            "region_name": REGION,
            # It reads twelve digits as the account.
            "aws_access_key_id": ACCOUNT,
            "aws_secret_access_key": "nothing-secret",
        }

    def client_kwargs(self) -> dict[str, str]:
        """Return the arguments that any boto3 client needs beside the session's: the address and the certificate."""
        return {"endpoint_url": self.url, "verify": str(self.certificate.certificate)}

    def client(self, service: str) -> Any:
        """Return a boto3 client; close it when done."""
        config = botocore.config.Config(
            connect_timeout=5,
            read_timeout=60,
            # A repeated call would hide what the engine does.
            retries={"total_max_attempts": 1},
            s3={"addressing_style": "path"},
            proxies={},
        )
        with self._session_guard:
            return self._session.client(service, config=config, **self.client_kwargs())

    def function_logs(self, function_name: str) -> str:
        """Return what the function wrote to its log group in all its invocations so far; empty if nothing yet.

        The group is the one in the function's LoggingConfig; of a function that is gone, the one of its name.
        """
        group = f"/aws/lambda/{function_name}"
        functions = self.client("lambda")
        with contextlib.suppress(functions.exceptions.ResourceNotFoundException):
            configured = functions.get_function_configuration(FunctionName=function_name).get("LoggingConfig", {})
            group = configured.get("LogGroup", group)
        functions.close()
        client = self.client("logs")
        try:
            pages = client.get_paginator("filter_log_events").paginate(logGroupName=group)
            return "\n".join(event["message"].rstrip("\n") for page in pages for event in page["events"])
        except client.exceptions.ResourceNotFoundException:
            return ""
        finally:
            client.close()

    def upload(self, bucket: str, key: str, content: bytes) -> None:
        """Put the content into the bucket, which is created if there is none of this name."""
        client = self.client("s3")
        try:
            client.create_bucket(Bucket=bucket)
            client.put_object(Bucket=bucket, Key=key, Body=content)
        finally:
            client.close()

    # Stacks

    def deploy(
        self,
        stack_name: str,
        template_body: str,
        parameters: Mapping[str, str] | None = None,
        capabilities: Sequence[str] = ("CAPABILITY_NAMED_IAM",),
        *,
        timeout: float = 120.0,
        on_event: Callable[[StackEvent], None] | None = None,
    ) -> StackResult:
        """Create the stack, or update it if it is there, and wait for the end, good or bad.

        `on_event` gets each event as it comes. A parameter that is left out keeps the template's default. Raises
        botocore's ClientError for a request that is refused, TimeoutError after `timeout` seconds.
        """
        arguments: dict[str, Any] = {
            "StackName": stack_name,
            "TemplateBody": template_body,
            "Parameters": [
                {"ParameterKey": name, "ParameterValue": value} for name, value in (parameters or {}).items()
            ],
            "Capabilities": list(capabilities),
        }
        client = self.client("cloudformation")
        try:
            stack = _describe(client, stack_name)
            seen = {event.id for event in _events(client, stack["StackId"])} if stack else set()
            operation: Operation = "update" if stack else "create"
            try:
                answer = client.update_stack(**arguments) if stack else client.create_stack(**arguments)
            except botocore.exceptions.ClientError as error:
                if stack and "No updates are to be performed" in str(error):
                    return StackResult("none", stack["StackId"], stack["StackStatus"], (), _outputs(stack))
                raise
            return _wait(client, operation, answer["StackId"], seen, timeout, on_event)
        finally:
            client.close()

    def delete(
        self,
        stack_name: str,
        *,
        timeout: float = 120.0,
        on_event: Callable[[StackEvent], None] | None = None,
    ) -> StackResult:
        """Delete the stack and wait for the end, good or bad; a stack that is not there is done already.

        Raises TimeoutError after `timeout` seconds.
        """
        client = self.client("cloudformation")
        try:
            stack = _describe(client, stack_name)
            if stack is None:
                return StackResult("none", "", "DELETE_COMPLETE", (), {})
            seen = {event.id for event in _events(client, stack["StackId"])}
            client.delete_stack(StackName=stack["StackId"])
            return _wait(client, "delete", stack["StackId"], seen, timeout, on_event)
        finally:
            client.close()

    def events(self, stack_name: str) -> tuple[StackEvent, ...]:
        """Return the whole history of a stack, oldest first. A deleted stack is found by its id only."""
        client = self.client("cloudformation")
        try:
            return _events(client, stack_name)
        finally:
            client.close()

    def resources(self, stack_name: str) -> dict[str, str]:
        """Return the physical ids of the stack's resources by their logical ids."""
        client = self.client("cloudformation")
        try:
            pages = client.get_paginator("list_stack_resources").paginate(StackName=stack_name)
            return {
                resource["LogicalResourceId"]: resource.get("PhysicalResourceId", "")
                for page in pages
                for resource in page["StackResourceSummaries"]
                if resource["ResourceStatus"] != "DELETE_COMPLETE"
            }
        finally:
            client.close()


def _describe(client: Any, stack: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = client.describe_stacks(StackName=stack)["Stacks"][0]
    except botocore.exceptions.ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    # Found by its id, a deleted stack is still shown for a while.
    return None if found["StackStatus"] == "DELETE_COMPLETE" else found


def _events(client: Any, stack: str) -> tuple[StackEvent, ...]:
    newest_first = [
        StackEvent(
            id=event["EventId"],
            time=event["Timestamp"],
            logical_id=event["LogicalResourceId"],
            physical_id=event.get("PhysicalResourceId", ""),
            resource_type=event["ResourceType"],
            status=event["ResourceStatus"],
            reason=event.get("ResourceStatusReason", ""),
        )
        for page in client.get_paginator("describe_stack_events").paginate(StackName=stack)
        for event in page["StackEvents"]
    ]
    return tuple(reversed(newest_first))


def _outputs(stack: Mapping[str, Any]) -> dict[str, str]:
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def _wait(
    client: Any,
    operation: Operation,
    stack_id: str,
    seen: set[str],
    timeout: float,
    on_event: Callable[[StackEvent], None] | None,
) -> StackResult:
    """Poll until no operation is in progress; the events not `seen` are the operation's own."""
    deadline = time.monotonic() + timeout
    told: set[str] = set()
    pause = 0.02
    while True:
        # The status first: events that come after it was read belong to a status that is still to come.
        stack = client.describe_stacks(StackName=stack_id)["Stacks"][0]
        status: str = stack["StackStatus"]
        events = tuple(event for event in _events(client, stack_id) if event.id not in seen)
        for event in events:
            if event.id not in told:
                told.add(event.id)
                if on_event is not None:
                    on_event(event)
        if events and not status.endswith("_IN_PROGRESS"):
            return StackResult(operation, stack_id, status, events, _outputs(stack))
        if time.monotonic() > deadline:
            story = "\n".join(str(event) for event in events)
            raise TimeoutError(f"{operation} of {stack_id} is still {status} after {timeout:g} s:\n{story}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.25)
