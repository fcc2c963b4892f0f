"""The request as it arrived, held against the service model: which operation, which input, what is wrong with it."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, unquote

from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel, Shape

from . import DATA_PATH

_CREDENTIAL = re.compile(
    r"AWS4-HMAC-SHA256 +Credential=(?P<key>[^/,\s]+)/\d{8}/(?P<region>[^/,\s]+)/(?P<service>[^/,\s]+)/aws4_request"
)
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")


@cache
def service_model() -> ServiceModel:
    """Return the emulator's own service model, whatever botocore brings along."""
    loader = Loader(extra_search_paths=[DATA_PATH], include_default_search_paths=False)
    return ServiceModel(loader.load_service_model("finspace-data", "service-2"), "finspace-data")


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
    """One call: its operation, its input members by name, and every constraint that it breaks."""

    operation: OperationModel | None
    parameters: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    @property
    def operation_name(self) -> str | None:
        """The API's name of the operation."""
        return None if self.operation is None else str(self.operation.name)

    @classmethod
    def read(cls, method: str, raw_path: str, query: bytes, body: bytes) -> "Call":
        """Read a request. ``raw_path`` is the path before any decoding, since an id may hold an encoded slash."""
        for operation, pattern in _routes():
            match = pattern.fullmatch(raw_path) if operation.http["method"] == method else None
            if match is not None:
                call = cls(operation)
                call._read_path(match.groupdict())
                call._read_query(query)
                call._read_body(body)
                call._check()
                return call
        return cls(None)

    def _members(self, location: str | None) -> dict[str, Shape]:
        assert self.operation is not None
        return {
            name: shape
            for name, shape in self.operation.input_shape.members.items()
            if shape.serialization.get("location") == location
        }

    def _read_path(self, labels: dict[str, str]) -> None:
        for name, value in labels.items():
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
        for name, value in pairs:
            if name not in members:
                self.problems.append(f"'{name}' is not a query parameter of {self.operation_name}")
            elif name in self.parameters:
                self.problems.append(f"'{name}' is given twice")
            if members.get(name) is not None and members[name].type_name in ("integer", "long"):
                self.parameters[name] = int(value) if _INTEGER.fullmatch(value) else value
            else:
                self.parameters[name] = value

    def _read_body(self, body: bytes) -> None:
        if not body:
            return
        try:
            content = json.loads(body, parse_constant=_refuse_constant)
        except (ValueError, RecursionError):  # bad UTF-8 is a ValueError
            self.problems.append("the body is not valid JSON")
            return
        if not isinstance(content, dict):
            self.problems.append("the body is not a JSON object")
            return
        members = self._members(None)
        for name, value in content.items():
            if name not in members:
                self.problems.append(f"'{name}' is not a member of the body of {self.operation_name}")
            elif value is not None:  # null is the same as not given
                self.parameters[name] = value

    def _check(self) -> None:
        assert self.operation is not None
        shape = self.operation.input_shape
        for name in shape.required_members:
            if name not in self.parameters and not any(f"'{name}'" in problem for problem in self.problems):
                self.problems.append(f"'{name}' is required")
        for name, value in self.parameters.items():
            if name in shape.members:
                self.problems.extend(_violations(name, value, shape.members[name]))


@cache
def _routes() -> list[tuple[OperationModel, re.Pattern[str]]]:
    model = service_model()
    operations = [model.operation_model(name) for name in model.operation_names]
    return [(operation, re.compile(_path_pattern(operation.http["requestUri"]))) for operation in operations]


def _path_pattern(request_uri: str) -> str:
    parts = re.split(r"\{(\w+)\}", request_uri)
    return "".join(f"(?P<{part}>[^/]*)" if index % 2 else re.escape(part) for index, part in enumerate(parts))


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _violations(name: str, value: Any, shape: Shape) -> list[str]:
    """Return what is wrong with one value, in words. Sensitive values are not repeated."""
    if shape.type_name == "list":
        if not isinstance(value, list):
            return [f"'{name}' must be a list"]
        return [
            text
            for index, item in enumerate(value)
            for text in _violations(f"{name}.{index + 1}.member", item, shape.member)
        ]
    shown = "" if shape.metadata.get("sensitive") else f", is {value!r}"
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if shape.type_name in ("integer", "long"):
        if not isinstance(value, int) or isinstance(value, bool):
            return [f"'{name}' must be a whole number{shown}"]
        measure, unit = value, ""
    else:
        if not isinstance(value, str):
            return [f"'{name}' must be a string{shown}"]
        measure, unit = len(value), " characters"
    found = []
    if low is not None and measure < low:
        found.append(
            f"'{name}' must have at least {low}{unit}{shown}" if unit else f"'{name}' must be {low} or more{shown}"
        )
    if high is not None and measure > high:
        found.append(
            f"'{name}' must have at most {high}{unit}{shown}" if unit else f"'{name}' must be {high} or less{shown}"
        )
    if isinstance(value, str):
        pattern = shape.metadata.get("pattern")
        # As in the service's own language: \S and \d are about ASCII. A dot may be a line break, so that `.*\S.*`
        # asks for one visible character and nothing else.
        if pattern is not None and not re.fullmatch(pattern, value, re.ASCII | re.DOTALL):
            found.append(f"'{name}' must match {pattern}{shown}")
        if shape.enum and value not in shape.enum:
            found.append(f"'{name}' must be one of {', '.join(shape.enum)}{shown}")
    return found
