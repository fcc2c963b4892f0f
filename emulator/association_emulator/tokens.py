"""Client tokens: a call with a token that already succeeded is answered with that success and has no effect."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any


@dataclass
class RememberedCall:
    """A call with a client token. ``answer`` is None if it was refused."""

    operation: str
    parameters: dict[str, Any]
    answer: dict[str, Any] | None
    forgotten_at: float

    def is_of(self, operation: str, parameters: dict[str, Any]) -> bool:
        """Tell whether this very call was made."""
        return (self.operation, self.parameters) == (operation, parameters)


class TokenMemory:
    """The tokens of one place, each for so many seconds after the call that used it first.

    ``prolonging``: every reuse of a token that succeeded makes it last that long again.
    """

    def __init__(self, seconds: float, *, prolonging: bool = False) -> None:
        self._seconds = seconds
        self._prolonging = prolonging
        self._calls: dict[Hashable, RememberedCall] = {}

    def recall(self, key: Hashable, now: float) -> RememberedCall | None:
        """Return the call that used the token, if it is still remembered."""
        call = self._calls.get(key)
        return call if call is not None and now < call.forgotten_at else None

    def remember(
        self, key: Hashable, now: float, operation: str, parameters: dict[str, Any], answer: dict[str, Any] | None
    ) -> None:
        """Remember a call that has just been completed."""
        self._calls[key] = RememberedCall(operation, parameters, answer, now + self._seconds)

    def reuse(self, call: RememberedCall, now: float) -> dict[str, Any]:
        """Return the answer of a call that succeeded, for a call that repeats it."""
        assert call.answer is not None
        if self._prolonging:
            call.forgotten_at = max(call.forgotten_at, now + self._seconds)
        return call.answer
