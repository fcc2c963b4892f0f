"""What goes back over the wire, and how an error looks in each protocol."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape

from botocore.model import ServiceModel, Shape

_JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Answer:
    """An HTTP answer. ``error_code`` is None unless it is an error's."""

    status: int
    body: str | bytes
    error_code: str | None = None
    headers: Mapping[str, str] = field(default_factory=lambda: _JSON)

    @classmethod
    def of_error(
        cls, model: ServiceModel, error_code: str, values: Mapping[str, Any], *, status: int | None = None
    ) -> "Answer":
        """Return an error as the service's protocol carries it; without a status, with the one of the service model.

        ``values``: the members by their API names. Services send a message even where the shape has none.
        """
        shape = _shape(model, error_code)
        known = dict(values)
        if status is None:
            status = 400 if shape is None else shape.metadata.get("error", {}).get("httpStatusCode", 400)
        protocol = model.metadata["protocol"]
        if protocol == "query":
            message = escape(str(values.get("message", "")))
            # botocore reads this for every query service; the namespace does not matter to it.
            body = (
                "<ErrorResponse><Error><Type>Sender</Type>"
                f"<Code>{_query_code(shape, error_code)}</Code><Message>{message}</Message></Error>"
                "<RequestId>00000000-0000-0000-0000-000000000000</RequestId></ErrorResponse>"
            )
            return cls(status, body, _query_code(shape, error_code), {"Content-Type": "text/xml"})
        if protocol == "json":
            version = model.metadata.get("jsonVersion", "1.1")
            body = json.dumps({"__type": error_code, **known})
            return cls(status, body, error_code, {"Content-Type": f"application/x-amz-json-{version}"})
        headers = {"x-amzn-ErrorType": error_code, **_JSON}
        for name in values:
            if header := _header(shape, name):
                headers[header] = str(known.pop(name))
        return cls(status, json.dumps(known), error_code, headers)


def on_demand(model: ServiceModel, error_code: str, members: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of an error that a fault plays: a message, unless there is one, and those given."""
    shape = _shape(model, error_code)
    names = [name for name in ("message", "Message") if shape is None or name in shape.members]
    return {**dict.fromkeys(names[:1], "This is a fault on demand."), **members}


def _shape(model: ServiceModel, error_code: str) -> Shape | None:
    return next((shape for shape in model.error_shapes if shape.name == error_code), None)


def _query_code(shape: Shape | None, error_code: str) -> str:
    return error_code if shape is None else str(shape.metadata.get("error", {}).get("code", error_code))


def _header(shape: Shape | None, member: str) -> str:
    """Return the name of the header that carries a member; empty if the body does."""
    if shape is None or member not in shape.members:
        return ""
    serialization = shape.members[member].serialization
    return str(serialization["name"]) if serialization.get("location") == "header" else ""
