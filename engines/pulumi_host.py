"""The process in which Pulumi runs Python's dynamic providers, driven as the engine drives it: over gRPC."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, cast

import grpc
from google.protobuf import empty_pb2, struct_pb2
from pulumi.dynamic import ResourceProvider
from pulumi.dynamic.dynamic import serialize_provider as serialize
from pulumi.runtime._serialization import _serialize
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from engines.processes import LineCallback, Program, hermetic_environment

Properties = Mapping[str, Any]

_PROVIDER_MEMBER = "__provider"
# Both are part of the wire protocol between engine and providers.
_UNKNOWN_ON_THE_WIRE = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_SIGNATURE_MEMBER = "4dabf18193072939515e22adb298388d"
_SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - it marks secrets, and is none
_LARGEST_MESSAGE_BYTES = 400 * 1024 * 1024


class HostError(RuntimeError):
    """A call failed in the host. `message` is the last line of what the engine would show, `details` all of it."""

    def __init__(self, call: str, details: str, message: str | None = None) -> None:
        lines = [line for line in details.splitlines() if line.strip()] or ["(no message)"]
        self.message = lines[-1].strip() if message is None else message
        self.details = details
        super().__init__(f"{call}: {self.message}")


class _Unknown:
    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = _Unknown()
"""A value that is not known before the update, as during a preview."""


@dataclass(frozen=True)
class Secret:
    """A value that the engine keeps encrypted."""

    value: Any


@dataclass(frozen=True)
class Failure:
    """What check refuses: the property's name and the reason."""

    property: str
    reason: str


@dataclass(frozen=True)
class Checked:
    """The inputs that the engine goes on with, and why it may not."""

    inputs: dict[str, Any]
    failures: tuple[Failure, ...]


@dataclass(frozen=True)
class Difference:
    """The answer to a diff. `changes` is None when the provider cannot tell."""

    changes: bool | None
    replaces: tuple[str, ...]
    delete_before_replace: bool


@dataclass(frozen=True)
class Created:
    """A new resource: its id and outputs."""

    id: str
    outputs: dict[str, Any]


@dataclass(frozen=True)
class ReadBack:
    """What a read found. The id is empty when the resource is gone; `inputs` is empty when none were returned."""

    id: str
    outputs: dict[str, Any]
    inputs: dict[str, Any]

    @property
    def gone(self) -> bool:
        """Whether the engine drops the resource from its state."""
        return not self.id


def serialize_provider(provider: ResourceProvider) -> str:
    """Return the text that a program sends for this provider instance, exactly as pulumi.dynamic makes it."""
    text, _contains_secrets = cast(tuple[str, bool], _serialize(True, serialize, provider))
    return text


class PulumiHost:
    """A running host; a context manager that ends with the process gone.

    `provider` is the serialized provider that every call carries, unless a call names another. `environment` is added
    to this process's environment, from which AWS and Pulumi variables are dropped. `cwd` is the program's folder: the
    first place where the host looks for modules. Properties are plain dicts, with UNKNOWN and Secret(...) anywhere in
    them; results come without the serialized provider. Calls may be made from several threads; the host runs four at a
    time. Each raises HostError when the host reports an error, or does not answer within `timeout` seconds.
    """

    def __init__(
        self,
        provider: str | ResourceProvider,
        *,
        cwd: Path | None = None,
        environment: Mapping[str, str] | None = None,
        config: Properties | None = None,
        project: str = "project",
        python: Path | str = sys.executable,
        timeout: float = 60.0,
        on_line: LineCallback | None = None,
    ) -> None:
        self.provider = provider if isinstance(provider, str) else serialize_provider(provider)
        self._cwd = cwd
        self._environment = hermetic_environment({"PULUMI_PROJECT": project, **(environment or {})})
        self._config = config or {}
        self._python = python
        self._timeout = timeout
        self._on_line = on_line

    def __enter__(self) -> Self:
        self._program = Program(
            [self._python, "-u", "-m", "pulumi.dynamic"],
            env=self._environment,
            cwd=self._cwd,
            name="pulumi.dynamic",
            on_line=self._on_line,
        )
        try:
            port = int(self._program.wait_for_line(r"^(\d+)$", timeout=30)[1])
            self._channel = grpc.insecure_channel(
                f"127.0.0.1:{port}",
                options=[
                    ("grpc.enable_http_proxy", 0),
                    ("grpc.max_receive_message_length", _LARGEST_MESSAGE_BYTES),
                ],
            )
            self._stub = provider_pb2_grpc.ResourceProviderStub(self._channel)
            self.configure(self._config)
        except BaseException:
            self._program.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._channel.close()
        finally:
            self._program.stop()

    @property
    def output(self) -> str:
        """What the host, and the provider in it, have written so far."""
        self._program.settle()
        return self._program.output

    @property
    def pid(self) -> int:
        """The process id of the host."""
        return self._program.pid

    def configure(self, config: Properties) -> None:
        """Give the stack's configuration, keys as "project:name". It reaches a provider at that one's first call."""
        self._call("Configure", provider_pb2.ConfigureRequest(args=_to_wire(config), acceptSecrets=True))

    def check(self, news: Properties, olds: Properties | None = None, *, provider: str | None = None) -> Checked:
        """Check new inputs against the old inputs (none at a create or a replacement)."""
        answer = self._call(
            "Check",
            provider_pb2.CheckRequest(olds=self._with_provider(olds, provider), news=self._wire(news, provider)),
        )
        failures = tuple(Failure(failure.property, failure.reason) for failure in answer.failures)
        return Checked(_from_wire(answer.inputs), failures)

    def diff(self, id_: str, olds: Properties, news: Properties, *, provider: str | None = None) -> Difference:
        """Compare new inputs with the old outputs."""
        answer = self._call(
            "Diff",
            provider_pb2.DiffRequest(id=id_, olds=self._wire(olds, provider), news=self._wire(news, provider)),
        )
        changes = {provider_pb2.DiffResponse.DIFF_SOME: True, provider_pb2.DiffResponse.DIFF_NONE: False}
        return Difference(changes.get(answer.changes), tuple(answer.replaces), answer.deleteBeforeReplace)

    def create(self, inputs: Properties, *, provider: str | None = None) -> Created:
        """Create from checked inputs."""
        answer = self._call("Create", provider_pb2.CreateRequest(properties=self._wire(inputs, provider)))
        return Created(answer.id, _from_wire(answer.properties))

    def read(self, id_: str, outputs: Properties, *, provider: str | None = None) -> ReadBack:
        """Read a resource of the given old outputs, as a refresh does."""
        answer = self._call("Read", provider_pb2.ReadRequest(id=id_, properties=self._wire(outputs, provider)))
        return ReadBack(answer.id, _from_wire(answer.properties), _from_wire(answer.inputs))

    def update(self, id_: str, olds: Properties, news: Properties, *, provider: str | None = None) -> dict[str, Any]:
        """Update from old outputs to new inputs; return the new outputs."""
        answer = self._call(
            "Update",
            provider_pb2.UpdateRequest(id=id_, olds=self._wire(olds, provider), news=self._wire(news, provider)),
        )
        return _from_wire(answer.properties)

    def delete(self, id_: str, outputs: Properties, *, provider: str | None = None) -> None:
        """Delete a resource of the given outputs."""
        self._call("Delete", provider_pb2.DeleteRequest(id=id_, properties=self._wire(outputs, provider)))

    def cancel(self) -> None:
        """Tell the host, as the engine does after Ctrl-C, that running calls should end soon."""
        self._call("Cancel", empty_pb2.Empty())

    def _wire(self, properties: Properties, provider: str | None) -> struct_pb2.Struct:
        return _to_wire({**properties, _PROVIDER_MEMBER: self.provider if provider is None else provider})

    def _with_provider(self, olds: Properties | None, provider: str | None) -> struct_pb2.Struct:
        # At a create the engine sends no old inputs at all, so no provider either.
        return _to_wire({}) if olds is None else self._wire(olds, provider)

    def _call(self, name: str, request: Any) -> Any:
        try:
            return getattr(self._stub, name)(request, timeout=self._timeout, wait_for_ready=True)
        except grpc.RpcError as error:
            # A host that dies ends the call a moment before its exit status is known.
            if error.code() is grpc.StatusCode.UNAVAILABLE:
                ending = self._program.ending()
                raise HostError(name, ending, message=ending) from error
            raise HostError(name, str(error.details())) from error


def _to_wire(properties: Properties) -> struct_pb2.Struct:
    # Absent inputs are not sent, as the engine does it.
    return struct_pb2.Struct(
        fields={name: _value_to_wire(value) for name, value in properties.items() if value is not None}
    )


def _value_to_wire(value: Any) -> struct_pb2.Value:
    match value:
        case None:
            return struct_pb2.Value(null_value=struct_pb2.NULL_VALUE)
        case _Unknown():
            return struct_pb2.Value(string_value=_UNKNOWN_ON_THE_WIRE)
        case Secret():
            return struct_pb2.Value(
                struct_value=struct_pb2.Struct(
                    fields={
                        _SIGNATURE_MEMBER: struct_pb2.Value(string_value=_SECRET_SIGNATURE),
                        "value": _value_to_wire(value.value),
                    }
                )
            )
        case bool():
            return struct_pb2.Value(bool_value=value)
        case int() | float():
            return struct_pb2.Value(number_value=value)
        case str():
            return struct_pb2.Value(string_value=value)
        case Mapping():
            return struct_pb2.Value(struct_value=_to_wire(value))
        case Sequence():
            return struct_pb2.Value(
                list_value=struct_pb2.ListValue(values=[_value_to_wire(member) for member in value])
            )
        case _:
            raise TypeError(f"a property cannot be {type(value).__name__}: {value!r}")


def _from_wire(properties: struct_pb2.Struct) -> dict[str, Any]:
    return {name: _value_from_wire(value) for name, value in properties.fields.items() if name != _PROVIDER_MEMBER}


def _value_from_wire(value: struct_pb2.Value) -> Any:
    match value.WhichOneof("kind"):
        case "string_value":
            return UNKNOWN if value.string_value == _UNKNOWN_ON_THE_WIRE else value.string_value
        case "number_value":
            return value.number_value
        case "bool_value":
            return value.bool_value
        case "struct_value":
            fields = value.struct_value.fields
            if _SIGNATURE_MEMBER in fields and fields[_SIGNATURE_MEMBER].string_value == _SECRET_SIGNATURE:
                return Secret(_value_from_wire(fields["value"]))
            return {name: _value_from_wire(member) for name, member in fields.items()}
        case "list_value":
            return [_value_from_wire(member) for member in value.list_value.values]
        case _:
            return None
