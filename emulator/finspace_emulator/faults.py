"""Faults on demand: throttling, failures, cut connections, slowness, and any answer at all."""

from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

FaultKind = Literal["throttled", "internal_error", "cut", "slow", "answer"]
When = Literal["before", "after"]


@dataclass
class Fault:
    """What happens to the next calls of an operation instead of, or around, the usual answer."""

    kind: FaultKind
    """throttled (429), internal_error (500), cut (no answer), slow (the usual answer, late), answer (any other)."""
    operation: str | None = None
    """The API's name of the operation; None: any."""
    when: When = "before"
    """before: the call has no effect (slow: the effect is late). after: it has taken effect."""
    count: int | None = 1
    """How many calls it hits; None: all until the faults are cleared."""
    skip: int = 0
    """How many calls of the operation pass unharmed first."""
    seconds: float = 0.0
    """Real time to wait before the fault strikes; for slow, the delay itself."""
    status: int = 500
    """answer: the HTTP status."""
    error_code: str | None = None
    """answer: the x-amzn-ErrorType header, if any."""
    body: str = ""
    """answer: the body, sent as it is."""
    content_type: str = "application/json"
    """answer: the Content-Type header."""

    def __post_init__(self) -> None:
        for name, allowed in (("kind", get_args(FaultKind)), ("when", get_args(When))):
            if getattr(self, name) not in allowed:
                raise ValueError(f"a fault's {name} is one of {', '.join(allowed)}, not {getattr(self, name)!r}")
        if self.kind == "throttled" and self.when == "after":
            raise ValueError("a throttled call has no effect: 'when' can only be before")
        if (self.count is not None and self.count < 1) or self.skip < 0 or self.seconds < 0:
            raise ValueError("a fault's count is at least 1, its skip and seconds at least 0")

    @property
    def label(self) -> str:
        """The name in the journal."""
        return f"{self.kind}:{self.when}"

    def to_dict(self) -> dict[str, Any]:
        """Return the fault as JSON types."""
        return asdict(self)


class FaultQueue:
    """The faults to come, in order: a call meets the first one that is for its operation."""

    def __init__(self) -> None:
        self.pending: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Queue a fault behind the others."""
        self.pending.append(fault)

    def take(self, operation: str | None) -> Fault | None:
        """Return the fault that this call of the operation meets, if any, and count it."""
        for fault in self.pending:
            if fault.operation in (None, operation):
                if fault.skip > 0:
                    fault.skip -= 1
                    return None
                if fault.count is not None:
                    fault.count -= 1
                    if fault.count == 0:
                        self.pending.remove(fault)
                return fault
        return None

    def clear(self) -> None:
        """Forget all faults."""
        self.pending.clear()
