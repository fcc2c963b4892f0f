"""How long a failure that passes by itself is repeated, for each reason that it may pass."""

from __future__ import annotations

from aws_associations.errors import AssociationError, Passing
from aws_associations.kind import Kind
from aws_associations.waiting import Deadline

_MOST = 0.8
"""The part of the time that is left; the rest is for saying what went wrong."""

_PERMISSION_SECONDS = 30.0
"""IAM's changes take seconds; the AWS CDK repeats a denied call for about 31 seconds (aws-cdk 37675)."""


class Patience:
    """The patience of one request. The time of each reason begins with its first failure."""

    def __init__(self, kind: Kind, deadline: Deadline, outage: float = 0.0) -> None:
        """Args: outage: the part of the time from now on in which an outage is waited out."""
        self._kind, self._deadline = kind, deadline
        self._ends = {Passing.OUTAGE: deadline.part(outage)}

    def allows(self, error: AssociationError) -> bool:
        """Whether what failed may be tried again."""
        if error.passing is None:
            return False
        if error.passing not in self._ends:
            self._ends[error.passing] = self._deadline.part(self._share(error.passing))
        return self._ends[error.passing].remaining > 0

    def sleep(self, seconds: float) -> None:
        """Let time pass, until the deadline at most."""
        self._deadline.sleep(seconds)

    def _share(self, passing: Passing) -> float:
        """The part of the time that is left."""
        if passing is Passing.BUSY:
            return _MOST
        seconds = self._kind.party_seconds if passing is Passing.PARTY else _PERMISSION_SECONDS
        return min(_MOST, seconds / max(self._deadline.remaining, seconds))
