"""What every played AWS API has in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


class AwsError(Exception):
    """What a played AWS API refuses with; ``more``: other members of its answer."""

    def __init__(self, code: str, message: str, status: int = 400, more: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.status, self.more = code, message, status, more or {}


Played = Callable[[str, Mapping[str, Any]], dict[str, Any]]
"""A played AWS API: operation and parameters to its answer; raises AwsError."""
