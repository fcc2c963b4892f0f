"""What the core asks of a Pulumi run, and where its notes go."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from aws_associations.identity import Identity
from aws_associations.records import Claim, Owner
from pulumi_aws_associations.run import Run
from pulumi_aws_associations.words import WORDS

_SECONDS_BETWEEN_LINES = 10.0


class RunHost:
    """What the run tells of the stack's other resources, and where notes go."""

    words = WORDS

    def __init__(self, run: Run, owner: Owner, say: Callable[[str], None]) -> None:
        """Args: run: that of this process; owner: who asks; say: shows one line to the user."""
        self._run, self._owner, self._say = run, owner, say
        self._said = 0.0

    def took(self, id_text: str, since: float) -> bool:
        """Never: it is asked only of an answer that was recorded and of which the create failed all the same."""
        return False

    def stands(self, owner: Owner, claim: Claim, identity: Identity) -> bool:
        """Whether another owner still declares the association. Raises CannotAsk."""
        return self._run.stands(self._owner, owner, claim.state)

    def adoption_completed(self, since: float) -> bool:
        """Always: a create that fails leaves nothing in Pulumi's state, so every delete of an adopted one is meant."""
        return True

    def note(self, event: str, fields: Mapping[str, object], *, warning: bool = False) -> None:
        """Show warnings in Pulumi's diagnostics, which are what a plugin writes to standard error."""
        if warning:
            text = ", ".join(f"{name}: {value}" for name, value in fields.items())
            self._say(f"warning: {event}: {text}")

    def waiting(self, seconds: float, fields: Mapping[str, object]) -> None:
        """Say it there as well, at most one line in ten seconds."""
        if seconds - self._said >= _SECONDS_BETWEEN_LINES:
            self._said = seconds
            self._say("waiting: " + ", ".join(f"{name}: {value}" for name, value in fields.items()))
