"""The request as it arrived, held against the service model: which operation, which input, what is wrong with it."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, unquote

from botocore.model import OperationModel, ServiceModel, Shape

_CREDENTIAL = re.compile(
    r"AWS4-HMAC-SHA256 +Credential=(?P<key>[^/,\s]+)/\d{8}/(?P<region>[^/,\s]+)/(?P<service>[^/,\s]+)/aws4_request"
)
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")


@dataclass(frozen=True)
class Signature:
    """What the Authorization header says about the caller. The signature itself is not verified."""

    access_key_id: str
    region: str
    service: str
    session_token: str | None

    @classmethod
    def read(cls, headers: Mapping[str, str]) -> "Signature | None":
        """Return what the headers say; None if the request is not signed by version 4."""
        match = _CREDENTIAL.match(headers.get("Authorization", ""))
        if match is None:
            return None
        return cls(match["key"], match["region"], match["service"], headers.get("X-Amz-Security-Token"))


@dataclass
class Call:
    """One call: its operation, its input members by their API names, and every constraint that it breaks."""

    operation: OperationModel | None
    parameters: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    @property
    def operation_name(self) -> str | None:
        """The API's name of the operation."""
        return None if self.operation is None else str(self.operation.name)

    @property
    def token_member(self) -> str | None:
        """The name of the input member that is the client token, if the operation has one."""
        members = {} if self.operation is None or not self.operation.input_shape else self.operation.input_shape.members
        return next((name for name, shape in members.items() if shape.metadata.get("idempotencyToken")), None)

    @classmethod
    def read(cls, model: ServiceModel, request: Any, body: bytes) -> "Call":
        """Read a request, by the service's protocol. Only rest-json is held against the model."""
        protocol = model.metadata["protocol"]
        if protocol == "query":
            return cls._read_query_protocol(model, request.values.items())
        if protocol == "json":
            return cls._read_json_protocol(model, request.headers.get("X-Amz-Target", ""), body)
        # The path before any decoding, since a name may hold an encoded slash.
        return cls._read_rest(model, request.method, request.raw_path, request.query_string, body)

    @classmethod
    def _read_query_protocol(cls, model: ServiceModel, pairs: Iterable[tuple[str, str]]) -> "Call":
        given = dict(pairs)
        action = given.pop("Action", "")
        given.pop("Version", None)
        return cls(_operation(model, action), given)

    @classmethod
    def _read_json_protocol(cls, model: ServiceModel, target: str, body: bytes) -> "Call":
        call = cls(_operation(model, target.rpartition(".")[2]))
        call.parameters.update(call._read_object(body))
        return call

    @classmethod
    def _read_rest(cls, model: ServiceModel, method: str, raw_path: str, query: bytes, body: bytes) -> "Call":
        for operation, pattern in _routes(model):
            match = pattern.fullmatch(raw_path) if operation.http["method"] == method else None
            if match is not None:
                call = cls(operation)
                if operation.input_shape is not None:
                    call._read_path(match.groupdict())
                    call._read_query(query)
                    call._read_body(body)
                    call._check()
                return call
        return cls(None)

    def _members(self, location: str | None) -> dict[str, tuple[str, Shape]]:
        """Return the input members that are in one place, by their names on the wire."""
        assert self.operation is not None
        return {
            shape.serialization.get("name", name): (name, shape)
            for name, shape in self.operation.input_shape.members.items()
            if shape.serialization.get("location") == location
        }

    def _read_path(self, labels: dict[str, str]) -> None:
        members = self._members("uri")
        for label, value in labels.items():
            name, _ = members[label]
            try:
                self.parameters[name] = unquote(value, errors="strict")
            except UnicodeDecodeError:
                self.problems.append(f"'{name}' is not percent-encoded UTF-8")

    def _read_query(self, query: bytes) -> None:
        members = self._members("querystring")
        try:
            pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict")
        except UnicodeDecodeError:
            self.problems.append("the query string is not percent-encoded UTF-8")
            return
        for key, value in pairs:
            if key not in members:
                self.problems.append(f"'{key}' is not a query parameter of {self.operation_name}")
                self.parameters[key] = value
                continue
            name, shape = members[key]
            if shape.type_name == "list":
                self.parameters.setdefault(name, []).append(value)
                continue
            if name in self.parameters:
                self.problems.append(f"'{name}' is given twice")
            if shape.type_name in ("integer", "long"):
                self.parameters[name] = int(value) if _INTEGER.fullmatch(value) else value
            elif shape.type_name == "boolean":
                self.parameters[name] = {"true": True, "false": False}.get(value, value)
            else:
                self.parameters[name] = value

    def _read_body(self, body: bytes) -> None:
        assert self.operation is not None
        content = self._read_object(body)
        if payload := self.operation.input_shape.serialization.get("payload"):
            if content:
                self.parameters[payload] = content
            return
        members = self._members(None)
        for key, value in content.items():
            if key not in members:
                self.problems.append(f"'{key}' is not a member of the body of {self.operation_name}")
            elif value is not None:  # null is the same as not given
                self.parameters[members[key][0]] = value

    def _read_object(self, body: bytes) -> dict[str, Any]:
        if not body:
            return {}
        try:
            content = json.loads(body, parse_constant=_refuse_constant)
        except (ValueError, RecursionError):  # bad UTF-8 is a ValueError
            self.problems.append("the body is not valid JSON")
            return {}
        if not isinstance(content, dict):
            self.problems.append("the body is not a JSON object")
            return {}
        return content

    def _check(self) -> None:
        assert self.operation is not None
        shape = self.operation.input_shape
        for name in shape.required_members:
            if name not in self.parameters and not any(f"'{name}'" in problem for problem in self.problems):
                self.problems.append(f"'{name}' is required")
        for name, value in self.parameters.items():
            if name in shape.members:
                self.problems.extend(_violations(name, value, shape.members[name]))


def _operation(model: ServiceModel, name: str) -> OperationModel | None:
    return model.operation_model(name) if name in model.operation_names else None


@cache
def _routes(model: ServiceModel) -> list[tuple[OperationModel, re.Pattern[str]]]:
    operations = [model.operation_model(name) for name in model.operation_names]
    # A path that is written out comes before one with a label in the same place.
    operations.sort(key=lambda operation: operation.http["requestUri"].count("{"))
    return [(operation, re.compile(_path_pattern(operation.http["requestUri"]))) for operation in operations]


def _path_pattern(request_uri: str) -> str:
    pattern = ""
    for index, part in enumerate(re.split(r"\{(\w+\+?)\}", request_uri.partition("?")[0])):
        if index % 2 == 0:
            pattern += re.escape(part)
        elif part.endswith("+"):
            pattern += f"(?P<{part[:-1]}>.*)"
        else:
            pattern += f"(?P<{part}>[^/]*)"
    return pattern


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _violations(name: str, value: Any, shape: Shape) -> list[str]:
    """Return what is wrong with one value, in words. Sensitive values are not repeated."""
    if shape.type_name == "structure":
        return _violations_of_structure(name, value, shape)
    if shape.type_name in ("list", "map"):
        return _violations_of_many(name, value, shape)
    shown = "" if shape.metadata.get("sensitive") else f", is {value!r}"
    kinds: dict[str, tuple[type | tuple[type, ...], str]] = {
        "integer": (int, "a whole number"),
        "long": (int, "a whole number"),
        "float": ((int, float), "a number"),
        "double": ((int, float), "a number"),
        "timestamp": ((int, float, str), "a time"),
        "boolean": (bool, "true or false"),
    }
    expected, words = kinds.get(shape.type_name, (str, "a string"))
    if not isinstance(value, expected) or (isinstance(value, bool) and expected is not bool):
        return [f"'{name}' must be {words}{shown}"]
    found = _out_of_bounds(name, value, shape, shown)
    if isinstance(value, str):
        pattern = shape.metadata.get("pattern")
        # As in the service's own language: \S and \d are about ASCII. A dot may be a line break, so that `.*\S.*`
        # asks for one visible character and nothing else.
        if pattern is not None and not re.fullmatch(pattern, value, re.ASCII | re.DOTALL):
            found.append(f"'{name}' must match {pattern}{shown}")
        if shape.type_name == "string" and shape.enum and value not in shape.enum:
            found.append(f"'{name}' must be one of {', '.join(shape.enum)}{shown}")
    return found


def _violations_of_structure(name: str, value: Any, shape: Shape) -> list[str]:
    if not isinstance(value, dict):
        return [f"'{name}' must be an object"]
    members = {member.serialization.get("name", key): (key, member) for key, member in shape.members.items()}
    given = {members[key][0] if key in members else key for key, item in value.items() if item is not None}
    found = [f"'{name}.{key}' is not a member" for key in value if key not in members]
    found += [f"'{name}.{key}' is required" for key in shape.required_members if key not in given]
    for key, item in value.items():
        if key in members and item is not None:
            found += _violations(f"{name}.{members[key][0]}", item, members[key][1])
    return found


def _violations_of_many(name: str, value: Any, shape: Shape) -> list[str]:
    if shape.type_name == "list":
        if not isinstance(value, list):
            return [f"'{name}' must be a list"]
        found = _out_of_bounds(name, value, shape, "")
        for index, item in enumerate(value):
            found += _violations(f"{name}.{index + 1}.member", item, shape.member)
        return found
    if not isinstance(value, dict):
        return [f"'{name}' must be an object"]
    found = _out_of_bounds(name, value, shape, "")
    for key, item in value.items():
        found += _violations(f"{name}.key", key, shape.key) + _violations(f"{name}.{key}", item, shape.value)
    return found


def _out_of_bounds(name: str, value: Any, shape: Shape, shown: str) -> list[str]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    counted = isinstance(value, (str, list, dict))
    unit = " characters" if isinstance(value, str) else " entries"
    if isinstance(value, bool) or (shape.type_name == "timestamp"):
        return []
    measure = len(value) if counted else value
    found = []
    if low is not None and measure < low:
        found.append(
            f"'{name}' must have at least {low}{unit}{shown}" if counted else f"'{name}' must be {low} or more{shown}"
        )
    if high is not None and measure > high:
        found.append(
            f"'{name}' must have at most {high}{unit}{shown}" if counted else f"'{name}' must be {high} or less{shown}"
        )
    return found
