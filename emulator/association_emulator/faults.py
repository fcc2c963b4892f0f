"""Faults on demand: throttling, failures, cut connections, slowness, and any answer at all."""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

from .clock import ServiceClock

FaultKind = Literal["throttled", "internal_error", "error", "cut", "slow", "answer"]
When = Literal["before", "after"]


@dataclass
class Fault:
    """What happens to the next calls of an operation instead of, or around, the usual answer."""

    kind: FaultKind
    """throttled and internal_error: as the service answers them. error: any error of the service, by ``error_code``.

    cut: no answer. slow: the usual answer, late. answer: any other.
    """
    service: str | None = None
    """botocore's name of the service; None: any."""
    operation: str | None = None
    """The API's name of the operation; None: any."""
    when: When = "before"
    """before: the call has no effect (slow: the effect is late). after: it has taken effect."""
    count: int | None = 1
    """How many calls it hits; None: all until the faults are cleared."""
    skip: int = 0
    """How many calls of the operation pass unharmed first."""
    lasts: float | None = None
    """For how many seconds of the service clock it hits, whatever ``count`` says; None: until it has hit them all.

    What AWS shows at first and no more later: a user that was created a moment ago is not found (observed:
    data-workspace-frontend 939), a policy is not in effect yet (aws-cdk 37675), a domain is busy with a change
    (siem-on-amazon-opensearch-service 444).
    """
    seconds: float = 0.0
    """Real time to wait before the fault strikes; for slow, the delay itself."""
    status: int | None = None
    """error: the HTTP status; None: the one that the service model gives the error, or 400. answer: 500 if None."""
    error_code: str | None = None
    """error: the code. answer: the x-amzn-ErrorType header, if any."""
    members: dict[str, Any] = field(default_factory=dict)
    """throttled, internal_error, error: members of the error beside or instead of the message, by their API names."""
    body: str = ""
    """answer: the body, sent as it is."""
    content_type: str = "application/json"
    """answer: the Content-Type header."""
    ends: float = field(default=float("inf"), init=False)
    """When ``lasts`` is over, by the service clock; not told, since JSON has no infinity."""

    def __post_init__(self) -> None:
        for name, allowed in (("kind", get_args(FaultKind)), ("when", get_args(When))):
            if getattr(self, name) not in allowed:
                raise ValueError(f"a fault's {name} is one of {', '.join(allowed)}, not {getattr(self, name)!r}")
        if self.kind == "throttled" and self.when == "after":
            raise ValueError("a throttled call has no effect: 'when' can only be before")
        if self.kind == "error" and self.error_code is None:
            raise ValueError("a fault of the kind error needs an error_code")
        if not isinstance(self.members, dict):
            raise ValueError("a fault's members are an object")  # noqa: TRY004 - as every other refusal
        if (self.count is not None and self.count < 1) or min(self.skip, self.seconds, self.lasts or 0) < 0:
            raise ValueError("a fault's count is at least 1, its skip, seconds and lasts at least 0")

    @property
    def label(self) -> str:
        """The name in the journal."""
        return f"{self.kind}:{self.when}"

    def to_dict(self) -> dict[str, Any]:
        """Return the fault as JSON types."""
        return {name: value for name, value in asdict(self).items() if name != "ends"}


class FaultQueue:
    """The faults to come, in order: a call meets the first one that is for its operation."""

    def __init__(self, clock: ServiceClock) -> None:
        self.pending: list[Fault] = []
        self._clock = clock

    def add(self, fault: Fault) -> None:
        """Queue a fault behind the others."""
        self.pending.append(fault)
        if fault.lasts is not None:
            fault.count = None
            fault.ends = self._clock.now() + fault.lasts

    def take(self, service: str, operation: str | None) -> Fault | None:
        """Return the fault that this call of the operation meets, if any, and count it."""
        now = self._clock.now()
        self.pending = [fault for fault in self.pending if fault.ends >= now]
        for fault in self.pending:
            if fault.service in (None, service) and fault.operation in (None, operation):
                if fault.skip > 0:
                    fault.skip -= 1
                    return None
                if fault.count is not None:
                    fault.count -= 1
                    if fault.count == 0:
                        self.pending.remove(fault)
                return fault
        return None

    def of(self, service: str | None) -> list[Fault]:
        """Return the faults to come that are for this service alone; None: all."""
        return [fault for fault in self.pending if service in (None, fault.service)]

    def clear(self, service: str | None = None) -> None:
        """Forget the faults of a service, or all."""
        self.pending = [fault for fault in self.pending if service not in (None, fault.service)]
