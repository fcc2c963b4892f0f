"""The finder: what the service says of one association now."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from aws_associations.errors import (
    AssociationError,
    InternalFailure,
    NotFound,
)
from aws_associations.identity import Identity
from aws_associations.kind import Look, State
from aws_associations.patience import Patience
from aws_associations.service import Services
from aws_associations.shared_look import Listing, Page
from aws_associations.waiting import Deadline, delays

_T = TypeVar("_T")

_LATELY_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Sighting:
    """One look.

    Attributes:
        state: what it means.
        status: the service's own word for it, empty if it has none or nothing was found.
        details: the service's error details, or the other party that holds it.
    """

    state: State
    status: str = ""
    details: str = ""

    @property
    def told(self) -> str:
        """For messages, for example ``DISSOCIATING (being removed)``."""
        return f"{self.status} ({self.state.value})" if self.status else self.state.value


def look(services: Services, identity: Identity, deadline: Deadline) -> Sighting:
    """Look once: page through the kind's list and stop at the match.

    Whoever waits for the same party's list shares it; its reading begins after this was called. A party that does not
    exist means that the association is absent.

    Raises:
        AssociationError: the look was denied, throttled or failed, which is never absence. A look writes nothing, so
            its own outcome is never unknown; whether an earlier write's is, only the caller can say.
    """
    return _seen_in(services.listings.join(_party(identity)), services, identity, deadline)


def look_lately(services: Services, identity: Identity, deadline: Deadline) -> Sighting:
    """Look, or take what a list said in the last ten seconds, if this process has not written to the party since.

    For a refresh, which decides nothing that is written. A list of that age never says that something is gone.
    """
    party = _party(identity)
    listing, begun = services.listings.recent(party, deadline.moment - _LATELY_SECONDS)
    seen = _seen_in(listing, services, identity, deadline)
    return seen if not begun or seen.state in {State.ADDING, State.PRESENT} else look(services, identity, deadline)


def write(
    services: Services, identity: Identity, operation: str, parameters: Mapping[str, object], deadline: Deadline
) -> dict[str, Any]:
    """Associate or disassociate: what was listed before is not believed any more."""
    with services.listings.changing(_party(identity)):
        return services.call(identity.kind, identity, operation, parameters, deadline)


def _party(identity: Identity) -> tuple[str, ...]:
    """What is listed for a look: all associations for which this is the same are in one list."""
    kind = identity.kind
    named = {*kind.look.request.values(), *(part.name for part in kind.scope)}
    listed = [part.compared_as(identity[part.name]) for part in kind.parts if part.name in named]
    return (kind.name, identity.account, identity.region, *listed)


def _seen_in(listing: Listing, services: Services, identity: Identity, deadline: Deadline) -> Sighting:
    import jmespath

    kind = identity.kind
    how = kind.look
    parameters = identity.filled(how.request, how.constants)
    elsewhere: Sighting | None = None
    seen_tokens: set[str] = set()

    def read() -> Page:
        return services.call(kind, identity, how.operation, parameters, deadline)

    for number in itertools.count():
        try:
            page = services.listings.page(listing, number, read, deadline)
        except NotFound:
            return Sighting(State.ABSENT)
        except AssociationError as error:
            error.outcome_unknown = False
            raise
        for candidate in jmespath.search(how.items, page) or []:
            if candidate is None:
                continue  # an answer without the member that holds it
            if _matches(how, candidate, identity):
                return _sighting(how, candidate)
            if how.exclusive:
                other = ", ".join(str(jmespath.search(path, candidate)) for path in how.match)
                elsewhere = Sighting(State.ELSEWHERE, details=other)
        token = page.get(how.page_token[1]) if how.page_token else None
        if not token:
            return elsewhere or Sighting(State.ABSENT)
        if token in seen_tokens:
            raise InternalFailure(f"{how.operation} answered the same page token twice")
        seen_tokens.add(token)
        assert how.page_token is not None
        parameters[how.page_token[0]] = token
    raise AssertionError("pages are counted without end")


def look_patiently(services: Services, identity: Identity, patience: Patience, deadline: Deadline) -> Sighting:
    """Look, and repeat a look that fails as long as the request has patience with that."""
    return patiently(lambda: look(services, identity, deadline), patience)


def patiently(ask: Callable[[], _T], patience: Patience) -> _T:
    """Repeat what writes nothing as long as the request has patience with its failure."""
    for delay in delays():
        try:
            return ask()
        except AssociationError as error:
            if not patience.allows(error):
                raise
            patience.sleep(delay)
    raise AssertionError("delays are endless")


def _matches(how: Look, candidate: object, identity: Identity) -> bool:
    import jmespath

    compared_as = {part.name: part.compared_as for part in identity.kind.parts}
    return all(
        compared_as[part](str(jmespath.search(path, candidate))) == compared_as[part](identity[part])
        for path, part in how.match.items()
    )


def _sighting(how: Look, candidate: object) -> Sighting:
    import jmespath

    if how.status is None:
        return Sighting(State.PRESENT)
    status = str(jmespath.search(how.status, candidate) or "")
    details = str(jmespath.search(how.failure, candidate) or "") if how.failure else ""
    # A status that the published model does not have is waited out: it is neither presence nor absence.
    return Sighting(how.states.get(status, State.ADDING), status, details)
