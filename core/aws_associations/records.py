"""The two records of the ledger, and the pure functions that change them.

docs/ownership.md shows both as state tables. Nothing here reads a clock, a store or a service.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, unquote

from aws_associations.identity import Identity, resembles_id

TOMBSTONE_SECONDS = 86_400
"""How long the record of a deleted resource is kept: a late delivery of an older request is then known to be late."""

_OVERTAKEN = 2.0
"""Seconds by which a Create may be signed after the Delete that overtook it: two machines sign them."""

_LONGEST_CREATE = 7200.0
"""Seconds: CloudFormation waits for an answer an hour at most (``ServiceTimeout``), and its Delete follows soon."""

_REMEMBERED = 20
"""How many requests and ids of the past one resource remembers: an operation of CloudFormation makes a few."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Who declares an association.

    Attributes:
        host: ``cloudformation`` or ``pulumi``.
        stack: CloudFormation: the StackId. Pulumi: organization, project, stack.
        name: CloudFormation: the logical id. Pulumi: URN of the parent, name.
        created_by: Pulumi: the create that made it, because a forced replacement creates before it deletes.
    """

    host: str
    stack: tuple[str, ...]
    name: tuple[str, ...]
    created_by: str = ""

    @property
    def declaration(self) -> tuple[str, ...]:
        """What stays the same in every deployment."""
        return (self.host, *self.stack, *self.name)

    @property
    def key(self) -> str:
        """Its text in the ledger, for example ``cloudformation/arn%3Aaws...|Membership``; read by :meth:`parse`."""
        sides = (self.host, *self.stack), (*self.name, *([self.created_by] if self.created_by else ()))
        return "|".join("/".join(quote(part, safe="") for part in side) for side in sides)

    @classmethod
    def parse(cls, key: str) -> Owner:
        """The owner with this :attr:`key`."""
        stack, name = ([unquote(part) for part in side.split("/")] for side in key.split("|"))
        created_by = name.pop() if stack[0] == "pulumi" and len(name) > 2 else ""
        return cls(stack[0], tuple(stack[1:]), tuple(name), created_by)

    def __str__(self) -> str:
        """For messages: ``resource Membership of stack arn:...``."""
        return f"resource {self.name[-1]} of {'Pulumi ' if self.host == 'pulumi' else ''}stack {'/'.join(self.stack)}"


class Basis(enum.StrEnum):
    """How a claimed association came to be."""

    GRANTED = "granted"
    """By a write of ours."""
    FOUND = "found"
    """It was there before, and was adopted."""
    ASKED = "asked"
    """An associate was sent, and its outcome is not known yet."""


class ClaimState(enum.StrEnum):
    """What an owner's claim to an association is."""

    PENDING = "pending"
    """Written before the associate; the request has not been answered."""
    HELD = "held"
    """The request was answered with success."""
    DROPPING = "dropping"
    """Written before the disassociate."""
    DROPPED = "dropped"
    """The disassociate was accepted, and nobody has seen its end."""

    @property
    def stands(self) -> bool:
        """Whether the owner still wants the association."""
        return self in {ClaimState.PENDING, ClaimState.HELD}


class HoldState(enum.StrEnum):
    """What a resource knows of one of its claims."""

    PENDING = "pending"
    HELD = "held"
    """Answered; CloudFormation has not shown yet that it took the answer."""
    SEEN = "seen"
    """CloudFormation has named the id since."""
    ASK = "ask"
    """A later request named another id: whether CloudFormation took this one must be asked."""
    DROP = "drop"
    """CloudFormation did not take it: to be dropped."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One owner's claim to an association.

    Attributes:
        state: see :class:`ClaimState`.
        request: that made it.
        since: epoch seconds.
        dropped_by: the request whose token the removal uses.
    """

    state: ClaimState
    request: str = ""
    since: float = 0.0
    dropped_by: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """An associate whose outcome is not known.

    Attributes:
        id: id text of the association, as it was spelled.
        token: empty if the service has none.
        at: when it was sent, epoch seconds.
    """

    id: str
    token: str = ""
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Association:
    """What the ledger says of one association. The default: nothing.

    Attributes:
        claims: key of the owner → claim.
        basis: how it came to be; None: nobody of us has granted or adopted it.
        asked: the associate that was sent, if the basis is ASKED.
        holder: the delivery that works on it; empty: none does.
        until: end of that lease, epoch seconds.
    """

    claims: Mapping[str, Claim] = field(default_factory=dict)
    basis: Basis | None = None
    asked: Asked | None = None
    holder: str = ""
    until: float = 0.0

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Association:
        """Read what :attr:`content` wrote."""
        claims = {
            owner: Claim(**{**claim, "state": ClaimState(claim["state"])})
            for owner, claim in content.get("claims", {}).items()
        }
        basis = Basis(content["basis"]) if "basis" in content else None
        rest = {name: content[name] for name in ("holder", "until") if name in content}
        asked = Asked(**content["asked"]) if "asked" in content else None
        return cls(claims, basis, asked, **rest)

    @property
    def content(self) -> dict[str, Any]:
        """As JSON; empty if there is nothing to remember."""
        if not self.claims and not self.holder:
            return {}
        claims = {
            owner: _told(claim, "state", "request", "since", "dropped_by") for owner, claim in self.claims.items()
        }
        asked = {"asked": _told(self.asked, "id", "token", "at")} if self.asked else {}
        return {"claims": claims, **asked, **_told(self, "basis", "holder", "until")}

    @property
    def is_dropped(self) -> bool:
        """Whether its removal was accepted and nobody has claimed it since."""
        states = {claim.state for claim in self.claims.values()}
        return ClaimState.DROPPED in states and not any(state.stands for state in states)

    def others(self, owner: str) -> dict[str, Claim]:
        """Claims of others that stand."""
        return {key: claim for key, claim in self.claims.items() if key != owner and claim.state.stands}

    def is_free(self, holder: str, now: float) -> bool:
        """Whether this delivery may work on it."""
        return not self.holder or self.holder == holder or self.until <= now

    def leased(self, holder: str, until: float) -> Association:
        """This delivery works on it until then."""
        return replace(self, holder=holder, until=until)

    def released(self) -> Association:
        """Nobody works on it."""
        return replace(self, holder="", until=0.0)

    def claimed(self, owner: str, claim: Claim, basis: Basis | None, *stale: str) -> Association:
        """The owner's claim stands on this basis; stale claims go."""
        claims = {key: each for key, each in self.claims.items() if key not in stale}
        asked = self.asked if basis is Basis.ASKED else None
        return replace(self, claims={**claims, owner: claim}, basis=basis, asked=asked)

    def asking(self, owner: str, claim: Claim, asked: Asked) -> Association:
        """An associate is about to be sent for the owner."""
        return replace(self, claims={**self.claims, owner: claim}, basis=Basis.ASKED, asked=asked)

    def dropping(self, owner: str, request: str, *stale: str) -> Association:
        """A disassociate is about to be sent. The first one's request keeps naming the token."""
        mine = self.claims[owner]
        state = ClaimState.DROPPING if mine.state.stands else mine.state
        dropping = replace(mine, state=state, dropped_by=mine.dropped_by or request)
        return replace(
            self, claims={**{key: each for key, each in self.claims.items() if key not in stale}, owner: dropping}
        )

    def dropped(self, owner: str) -> Association:
        """The disassociate for the owner was accepted."""
        return replace(self, claims={**self.claims, owner: replace(self.claims[owner], state=ClaimState.DROPPED)})

    def without(self, *owners: str) -> Association:
        """These claims are gone. With the last one that stands goes the basis, and what is left of removals."""
        left = {key: claim for key, claim in self.claims.items() if key not in owners}
        return (
            replace(self, claims=left)
            if any(claim.state.stands for claim in left.values())
            else replace(self, claims={}, basis=None, asked=None)
        )


@dataclass(frozen=True, slots=True)
class Main:
    """The newest Create or Update of a resource.

    Attributes:
        request: its id.
        signed: when the host made it, epoch seconds.
        answer: as it was given; None: it has not been answered.
        fenced: a Delete came after it, so that it must write nothing more.
        again: a create before it failed, whose Delete may still come.
    """

    request: str
    signed: float = 0.0
    answer: Mapping[str, Any] | None = None
    fenced: bool = False
    again: bool = False


@dataclass(frozen=True, slots=True)
class Hold:
    """What a resource claims.

    Attributes:
        id: the id text that was answered for it, or will be.
        state: see :class:`HoldState`.
        request: that claimed it.
        signed: when the host made that request, epoch seconds.
        since: when it was claimed, epoch seconds.
        status: the service's status at that time.
    """

    id: str
    state: HoldState
    request: str = ""
    signed: float = 0.0
    since: float = 0.0
    status: str = ""


class RequestType(enum.Enum):
    """What a host asks for."""

    GRANT = "Create or Update"
    DROP = "Delete"


class Admission(enum.Enum):
    """What is to be done with a request that arrives."""

    SERVE = "serve it"
    REPEAT = "send the answer that was given"
    REFUSE = "refuse it: the host has moved on"


@dataclass(frozen=True, slots=True)
class Resource:
    """What the ledger says of one resource. The default: nothing.

    Attributes:
        main: the newest Create or Update.
        deletes: id of a Delete → its answer, None: not yet. Deletes fence ``main``, not each other: a cleanup deletes
            several ids at once.
        closed: ids of Creates and Updates that were replaced by a newer one.
        deleted: the newest signing time of a Delete, epoch seconds.
        holds: key of an association → what the resource claims of it.
        settled: id texts that were dropped: a Delete of one of them has nothing to do.
    """

    main: Main | None = None
    deletes: Mapping[str, Mapping[str, Any] | None] = field(default_factory=dict)
    closed: tuple[str, ...] = ()
    deleted: float = 0.0
    holds: Mapping[str, Hold] = field(default_factory=dict)
    settled: tuple[str, ...] = ()

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Resource:
        """Read what :attr:`content` wrote."""
        main = content.get("main")
        holds = {
            key: Hold(**{**hold, "state": HoldState(hold["state"])}) for key, hold in content.get("holds", {}).items()
        }
        return cls(
            Main(**main) if main else None,
            dict(content.get("deletes", ())),
            tuple(content.get("closed", ())),
            content.get("deleted", 0.0),
            holds,
            tuple(content.get("settled", ())),
        )

    @property
    def content(self) -> dict[str, Any]:
        """As JSON."""
        main = {"main": _told(self.main, "request", "signed", "answer", "fenced", "again")} if self.main else {}
        names = ("id", "state", "request", "signed", "since", "status")
        holds = {key: _told(hold, *names) for key, hold in self.holds.items()}
        deletes = [[*each] for each in self.deletes.items()]  # pairs: a ledger sorts the names of an object
        rest = {"closed": list(self.closed), "settled": list(self.settled), "deletes": deletes}
        return {**main, "holds": holds, "deleted": self.deleted, **rest}

    # -- requests -----------------------------------------------------------------------------------------------------

    def admission(self, type_: RequestType, request: str, signed: float) -> Admission:
        """What to do with this request. In one second the later arrival counts as newer."""
        main = self.main
        if self.answer_to(request) is not None:
            return Admission.REPEAT
        if main is not None and main.request == request:
            return Admission.REFUSE if main.fenced else Admission.SERVE
        newest = max(main.signed if main else 0.0, self.deleted if type_ is RequestType.GRANT else 0.0)
        return Admission.REFUSE if request in self.closed or int(signed) < int(newest) else Admission.SERVE

    def answer_to(self, request: str) -> Mapping[str, Any] | None:
        """The answer that was given to this request."""
        if self.main is not None and self.main.request == request:
            return self.main.answer
        return self.deletes.get(request)

    def may_write(self, request: str) -> bool:
        """Whether the request is still the one that the host waits for."""
        return request in self.deletes or (
            self.main is not None and self.main.request == request and not self.main.fenced
        )

    def opened(self, type_: RequestType, request: str, signed: float, physical_id: str) -> Resource:
        """A request begins. One that is delivered again changes nothing."""
        if self.may_write(request):
            return self
        marked = self._marked(type_, signed, physical_id)
        if type_ is RequestType.DROP:
            fenced = replace(self.main, fenced=True) if self.main else None
            deletes = {**dict(list(self.deletes.items())[-_REMEMBERED:]), request: None}
            # An id that CloudFormation invented before its Create came: that one is late, though signed a second later.
            newest = signed + _OVERTAKEN if self.main is None and not self.knows(physical_id) else signed
            return replace(marked, main=fenced, deletes=deletes, deleted=max(self.deleted, newest))
        closed = (*self.closed, self.main.request) if self.main else self.closed
        again = not physical_id and self.main is not None and not self.main.fenced
        return replace(marked, main=Main(request, signed, again=again), closed=closed[-_REMEMBERED:])

    def _marked(self, type_: RequestType, signed: float, physical_id: str) -> Resource:
        """The host names an id: that one is taken. What the last request left is marked.

        A Delete with a marker, or an id that CloudFormation invents, is of the newest create, whose answer it did not
        take. It may be of another one if the create before that one failed, or if the newest one is long over.
        """
        main = self.main
        of_create = type_ is RequestType.DROP and not resembles_id(physical_id)
        not_taken = of_create and main is not None and not main.again and signed - main.signed < _LONGEST_CREATE

        def after(hold: Hold) -> HoldState:
            if hold.id == physical_id:
                return HoldState.SEEN
            if hold.state is HoldState.HELD:
                of_newest = main is not None and hold.request == main.request
                return HoldState.DROP if not_taken and of_newest else HoldState.ASK
            return HoldState.DROP if hold.state is HoldState.PENDING else hold.state

        return replace(self, holds={key: replace(hold, state=after(hold)) for key, hold in self.holds.items()})

    def answered(self, request: str, answer: Mapping[str, Any]) -> Resource:
        """The request has been answered."""
        if request in self.deletes:
            return replace(self, deletes={**self.deletes, request: answer})
        assert self.main is not None
        return replace(self, main=replace(self.main, answer=answer))

    # -- what it claims -----------------------------------------------------------------------------------------------

    def in_state(self, state: HoldState) -> dict[str, Hold]:
        """Its claims in this state."""
        return {key: hold for key, hold in self.holds.items() if hold.state is state}

    def knows(self, id_text: str) -> bool:
        """Whether the id is one that it has or had."""
        return id_text in self.settled or any(hold.id == id_text for hold in self.holds.values())

    def holding(self, key: str, hold: Hold) -> Resource:
        """It claims this."""
        settled = tuple(each for each in self.settled if each != hold.id)
        return replace(self, holds={**self.holds, key: hold}, settled=settled)

    def turned(self, key: str, state: HoldState) -> Resource:
        """One of its claims is in another state."""
        return replace(self, holds={**self.holds, key: replace(self.holds[key], state=state)})

    def never_held(self, key: str) -> Resource:
        """It did not come to claim this."""
        return replace(self, holds={each: hold for each, hold in self.holds.items() if each != key})

    def without(self, key: str) -> Resource:
        """It claims this no more."""
        gone = self.holds.get(key)
        if gone is None:
            return self
        left = {each: hold for each, hold in self.holds.items() if each != key}
        return replace(self, holds=left, settled=(*self.settled, gone.id)[-_REMEMBERED:])


def association_key(identity: Identity) -> str:
    """The key of an association's record: one for all spellings of one identity."""
    return "association/" + "/".join(quote(part, safe="") for part in identity.canonical)


def resource_key(owner: Owner) -> str:
    """The key of a resource's record."""
    return f"resource/{owner.key}"


def _told(record: object, *names: str) -> dict[str, Any]:
    """The attributes that say something."""
    found = {name: getattr(record, name) for name in names}
    return {name: value for name, value in found.items() if value not in (None, "", 0.0, False)}
