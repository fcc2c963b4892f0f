"""The body of an answer: always valid, at most 4096 bytes, its Reason readable from the start.

Limits: "Custom resource response objects", AWS CloudFormation User Guide.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from aws_associations_lambda.event import Event

MAX_BODY_BYTES = 4096

SUCCESS = "SUCCESS"
FAILED = "FAILED"

_CUT = " ... (the log has the rest)"


def body(event: Event, status: str, physical_id: str, reason: str, data: Mapping[str, str]) -> bytes:
    """Serialise an answer. ``reason`` loses its end if it does not fit; ids and ``data`` never lose anything."""
    answer: dict[str, object] = {
        "Status": status,
        "PhysicalResourceId": physical_id,
        "StackId": event.stack_id,
        "RequestId": event.request_id,
        "LogicalResourceId": event.logical_id,
        "Reason": "",
        "Data": dict(data) if status == SUCCESS else {},
    }
    room = MAX_BODY_BYTES - len(_json(answer))
    answer["Reason"] = _fit(reason or status.capitalize(), room)
    return _json(answer)


def _fit(reason: str, room: int) -> str:
    def size(text: str) -> int:
        return len(_json(text)) - 2  # without the quotes

    if size(reason) <= room:
        return reason
    low, high = 0, len(reason)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if size(reason[:middle] + _CUT) <= room else (low, middle - 1)
    return reason[:low] + _CUT


def _json(value: object) -> bytes:
    # Not escaped to ASCII, which would triple some texts; a lone surrogate is written as the escape that it is.
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")
