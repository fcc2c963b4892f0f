"""The world around a host: virtual time, one emulated service, everybody else, and every door that a process has.

Neutral to the host: CloudFormation's function (``function.py``) and Pulumi's provider both run in it. One
:class:`World` is one lifecycle; what is dear (clients, patches, moto) is made once, by :func:`worlds`.

A *door* is where something leaves a process: an attempt of a service call, a log line, an answer. Each is numbered, and
each may be met by a :class:`Mishap`: the process is killed before or after the effect, others act just before it, the
service fails, an answer takes its time. Nothing here knows a rule of the code that is tested.
"""

from __future__ import annotations

import copy
import datetime
import itertools
import logging
import os
import random
import threading
import types
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import botocore.credentials
import botocore.endpoint
import botocore.handlers
import botocore.retries.quota
import botocore.useragent
import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError, ReadTimeoutError
from moto import mock_aws
from moto.iot.models import iot_backends
from moto.organizations.models import organizations_backends

from association_emulator.clock import ServiceClock
from association_emulator.control import EmulatorControl
from association_emulator.emulation import emulation
from association_emulator.plugin import register
from aws_associations import dynamodb, service, waiting
from aws_associations.identity import Identity
from aws_associations.kind import Kind
from aws_associations.service import Services
from aws_associations.shared_look import Listings
from tests.contract.scenery import SCENERY, Scenery, Values, module_of
from tests.core.conftest import set_environment
from tests.model.aws import AwsError, Played
from tests.model.simulation import Killed, SharedLock, Simulation, Task, time_module
from tests.model.table import Table

ACCOUNT, REGION = "123456789012", "us-east-1"
BEGIN = datetime.datetime(2026, 1, 5, 12, tzinfo=datetime.UTC).timestamp()
"""Every lifecycle begins at the same moment; before FinSpace's end."""

OTHERS = "others"
"""Whoever acts on the service by himself: a person at a console, another tool."""

NOBODY = "the service"
"""What changed without a call: something that was under way came to its end."""

T = TypeVar("T")

SECONDS = 0.05
"""How long a request travels, and an answer."""


@dataclass(frozen=True)
class Door:
    """Something is about to leave a process.

    Attributes:
        number: counts from 1 since :meth:`World.count_doors_anew`.
        what: ``service``, the name of a played AWS API (``cloudformation``), ``line`` or ``answer``.
        operation: the API's name of the operation, or the line itself.
        actor: of the process.
        writes: it is the kind's associate or disassociate.
    """

    number: int
    what: str
    operation: str
    actor: object
    writes: bool = False


@dataclass
class Mishap:
    """What happens to one thing that leaves a process.

    Attributes:
        kill: ``before`` or ``after`` the effect, or ``meanwhile``: it has left and arrives; empty: the process lives.
        others: what somebody else does just before the effect.
        fault: of the service: ``throttled``, ``internal_error``, ``cut``, or an error code.
        when: whether the fault comes ``before`` or ``after`` the effect.
        seconds_before, seconds_after: how much longer the request travels, and its answer. Who waits longer than its
            client's time-out is told that it timed out; the effect comes all the same.
        sleeps_before, sleeps_after: for how long the process stands still before it sends, and before it reads.
    """

    kill: str = ""
    others: Callable[[], object] | None = None
    fault: str = ""
    when: str = "before"
    seconds_before: float = 0.0
    seconds_after: float = 0.0
    sleeps_before: float = 0.0
    sleeps_after: float = 0.0


@dataclass(frozen=True)
class Change:
    """An association began or ceased to be granted.

    Attributes:
        actor: of the process whose call did it, :data:`OTHERS` or :data:`NOBODY`.
    """

    number: int
    time: float
    identity: Identity
    granted: bool
    actor: object


@dataclass(frozen=True)
class Attempt:
    """One attempt of a call of the kind's service, at the moment when it arrived there.

    Attributes:
        fault: what was played instead of, or after, the usual answer; ``unanswered``: nobody was there to read it.
        changes: what it changed.
        error: the code that was answered; empty: it was accepted.
    """

    time: float
    actor: object
    operation: str
    parameters: Mapping[str, Any]
    fault: str
    changes: tuple[Change, ...]
    error: str = ""

    def is_about(self, identity: Identity) -> bool:
        """Whether it is a write of that association; spellings that mean the same count."""
        given = identity.parameters()
        return all(
            str(self.parameters.get(name, value)).casefold() == str(value).casefold() for name, value in given.items()
        )


@dataclass(frozen=True)
class Fault:
    """Something that left a process met a fault. ``what``: see :class:`Door`."""

    actor: object
    what: str
    fault: str


@dataclass
class Ledger:
    """What is granted in truth, and who granted and revoked it: from the service's state before and after every act."""

    truth: Callable[[], frozenset[Identity]]
    now: Callable[[], float]
    changes: list[Change] = field(default_factory=list)
    granted: dict[Identity, Change] = field(default_factory=dict)
    on_change: Callable[[Change], None] = lambda _: None

    def observe(self, actor: object) -> list[Change]:
        """Put down to this actor what is otherwise than it was."""
        truth = self.truth()
        differing = truth ^ self.granted.keys()
        found = []
        for identity in sorted(differing, key=str) if len(differing) > 1 else differing:
            change = Change(len(self.changes), self.now(), identity, identity in truth, actor)
            self.changes.append(change)
            found.append(change)
            if change.granted:
                self.granted[identity] = change
            else:
                del self.granted[identity]
            self.on_change(change)
        return found

    def of(self, identity: Identity) -> list[Change]:
        """What happened to one association, oldest first."""
        return [change for change in self.changes if change.identity == identity]


class World:
    """One lifecycle's world: a kind, its parties, nothing granted.

    Attributes:
        pairs: the values of the associations that scripts speak of: the first, the same with the other second party,
            with the other first party (unless the service lets a party be in one only), and both.
        table: the ledger's.
        aws: name of a service at botocore → who plays it.
        throttling: every call of the kind's service is throttled.
        failing: it has failed, or may have failed, what it had accepted.
        ended: the service has ended, and every grant with it.
        meet: what happens at a door; None: nothing.
    """

    def __init__(self, services: Services, kind: Kind, *, seed: int = 0, switches: Mapping[str, Any] | None = None):
        self.services = services
        self.kind = kind
        self.simulation = Simulation(BEGIN, seed)
        self.began = BEGIN
        self.control = EmulatorControl()
        self.scenery: Scenery = SCENERY[module_of(kind)](self.control, kind)
        self.table = Table(self.simulation)
        self.aws: dict[str, Played] = {"dynamodb": self.table}
        self.meet: Callable[[Door], Mishap | None] = lambda _: None
        self.doors = 0
        self.attempts: list[Attempt] = []
        self.faults: list[Fault] = []
        self.ledger = Ledger(self._truth, lambda: self.simulation.now)
        self._identities: dict[tuple[str, ...], Identity] = {}
        self._writes = {kind.associate, kind.disassociate}
        self.switches = dict(switches or {})
        self.throttling = self.failing = self.ended = False

    def arrange(self) -> None:
        """Make the parties."""
        self.control.reset()
        emulation.clock = _VirtualServiceClock(self.simulation)
        with self.simulation.outside():
            self.scenery.arrange()
            self.scenery.switch(self.switches)
        values, others = self.scenery.values, self.scenery.others
        first, second = (party.name for party in self.kind.parties)
        self.pairs: list[Values] = [values, {**values, second: others[second]}]
        if not self.kind.look.exclusive:
            self.pairs += [{**values, first: others[first]}, {**values, first: others[first], second: others[second]}]
        self.control.clear_journal()

    # -- the truth ----------------------------------------------------------------------------------------------------

    def identity(self, values: Values) -> Identity:
        """Which association these values are."""
        key = tuple(values[part.name] for part in self.kind.parts)
        if key not in self._identities:
            self._identities[key] = Identity.of(self.kind, ACCOUNT, REGION, values)
        return self._identities[key]

    def granted(self) -> frozenset[Identity]:
        """What is granted in truth, whatever the lists show."""
        self.ledger.observe(NOBODY)
        return frozenset(self.ledger.granted)

    def _truth(self) -> frozenset[Identity]:
        if self.ended:
            return frozenset()
        found = _TRUTH.get(self.kind.name)
        with self.simulation.outside():
            return frozenset(map(self.identity, found(self.control) if found else self.scenery.granted()))

    # -- everybody else -----------------------------------------------------------------------------------------------

    def others_grant(self, values: Values) -> bool:
        """Somebody else grants it. False: it was granted already, or cannot be."""
        return self._others_act(values, self.scenery.grant, present=True)

    def others_revoke(self, values: Values) -> bool:
        """Somebody else revokes it. False: it was not granted, or cannot be revoked now."""
        return self._others_act(values, self.scenery.revoke, present=False)

    def _others_act(self, values: Values, act: Callable[[Values], None], *, present: bool) -> bool:
        self.ledger.observe(NOBODY)
        if self.ended or (self.identity(values) in self.ledger.granted) == present:
            return False
        with self.simulation.outside():
            try:
                act(values)
            except (AssertionError, ValueError):  # being added or removed: the service refuses
                return False
        return bool(self.ledger.observe(OTHERS))

    # -- what lasts ---------------------------------------------------------------------------------------------------

    def recover(self) -> None:
        """Nothing fails any more, unless it is for good."""
        self.throttling = False
        self.table.recover()
        if self.kind.service == "opensearch":
            with self.simulation.outside():
                self.control.opensearch.configure(association_result="active", dissociation_result="dissociated")
                for now in self.control.opensearch.associations():
                    if now.in_use:
                        self.control.opensearch.set_in_use(now.package_id, now.domain_name, in_use=False)

    def let_support_clear(self, *, may: bool) -> None:
        """Whether AWS support clears an association that failed, which the service itself may not let go of."""
        if self.kind.service == "opensearch":
            itself = self.switches.get("dissociate_after_failure", "succeed")
            with self.simulation.outside():
                self.control.opensearch.configure(dissociate_after_failure="succeed" if may else itself)

    def fail_from_now_on(self, *, adding: bool = False, removing: bool = False) -> None:
        """What the service accepts from now on fails, where it has a status for that."""
        if self.kind.service == "opensearch":
            self.failing = True
            with self.simulation.outside():
                self.scenery.fail("This is a failure on demand.", adding=adding, removing=removing)

    def use(self, values: Values) -> None:
        """An index uses the package."""
        if self.kind.service == "opensearch" and self.identity(values) in self.granted():
            self.failing = True
            with self.simulation.outside():
                self.control.opensearch.set_in_use(values["package_id"], values["domain_name"])

    def end(self) -> None:
        """The service ends for good, as announced."""
        retirement = self.kind.retirement
        if retirement is not None:
            end = datetime.datetime.combine(retirement.ended, datetime.time(12), datetime.UTC).timestamp()
            self.simulation.pass_time(max(0.0, end - self.simulation.now))
            self.ended = True
            self.ledger.observe(NOBODY)

    # -- doors --------------------------------------------------------------------------------------------------------

    def count_doors_anew(self) -> None:
        """The next door is the first."""
        self.doors = 0

    def through(
        self,
        what: str,
        operation: str,
        effect: Callable[[], T],
        *,
        seconds: float = SECONDS,
        at_once: bool = False,
        service: str = "",
        fail: Callable[[str], T] | None = None,
        late: tuple[float, Callable[[], T]] | None = None,
        parameters: Mapping[str, Any] | None = None,
    ) -> T:
        """Let something leave the running process.

        Args:
            what, operation: see :class:`Door`.
            effect: what it does out there; what it returns goes back to the process.
            seconds: how long it travels each way.
            at_once: it takes no time whatever happens, and nobody gets in between.
            service: at which service of the emulator a fault is to be played.
            fail: makes the answer to a fault where no service of the emulator does.
            late: after how many seconds the client waits no longer, and what it makes of that.
            parameters: of a call.
        """
        task = self.simulation.current
        if task is None:
            return effect()
        task.check()
        door, mishap = self._met(what, operation, task)
        before, after = (0.0, 0.0) if at_once else (seconds + mishap.seconds_before, seconds + mishap.seconds_after)
        patience, give_up = late or (float("inf"), None)
        in_time = at_once or before + after <= patience
        if not in_time:
            self.faults.append(Fault(door.actor, what, "late"))
        if mishap.sleeps_before or mishap.sleeps_after:
            self.faults.append(Fault(door.actor, what, "asleep"))

        def arrive() -> T:
            return self._arrive(door, mishap, effect, fail, service, parameters, read=in_time and not mishap.kill)

        task.sleep(mishap.sleeps_before)
        if mishap.kill == "meanwhile":
            self.simulation.after(before, arrive)
            self._kill(task)
        if before > patience:
            self.simulation.after(before, arrive)
            task.sleep(patience)
        else:
            self._travel(task, before, arrive)
            if mishap.kill == "before":
                if door.writes:
                    self._journal(door, parameters, "unanswered")
                self._kill(task)
            result = arrive()
            if mishap.kill == "after":
                self._kill(task)
            task.sleep(min(after, patience - before))
        task.sleep(mishap.sleeps_after)
        if in_time:
            return result
        assert give_up is not None
        return give_up()

    def _met(self, what: str, operation: str, task: Task) -> tuple[Door, Mishap]:
        self.doors += 1
        writes = what == "service" and operation in self._writes
        door = Door(self.doors, what, operation, task.process.actor, writes)
        mishap = self.meet(door) or Mishap()
        lasting = {"service": "throttled" if self.throttling else "", "dynamodb": self.table.trouble}.get(what)
        if lasting and not mishap.fault:
            mishap.fault, mishap.when = lasting, "before"
        return door, mishap

    @staticmethod
    def _kill(task: Task) -> None:
        task.process.kill()
        raise Killed

    def _travel(self, task: Task, seconds: float, arrive: Callable[[], object]) -> None:
        """What has left arrives, though its process may end meanwhile."""
        arrival = self.simulation.now + seconds
        try:
            task.sleep(seconds)
        except Killed:
            if self.simulation.now < arrival:
                self.simulation.at(arrival, arrive)
            raise

    def _arrive(
        self,
        door: Door,
        mishap: Mishap,
        effect: Callable[[], T],
        fail: Callable[[str], T] | None,
        service: str,
        parameters: Mapping[str, Any] | None,
        *,
        read: bool,
    ) -> T:
        """It takes effect. ``read``: the process will see the answer."""
        if mishap.others is not None:
            with self.simulation.outside():
                mishap.others()
        if door.writes:
            self.ledger.observe(NOBODY)
        if mishap.fault:
            self.faults.append(Fault(door.actor, door.what, mishap.fault))
        if mishap.fault and service and not self.ended:
            self._add_fault(mishap, service, door.operation)
        if mishap.fault and fail is not None:
            if mishap.when == "after":
                effect()
            result = fail(mishap.fault)
        else:
            result = effect()
        if door.what == "service":
            changes = tuple(self.ledger.observe(door.actor)) if door.writes else ()
            fault = f"{mishap.fault} {mishap.when}" if mishap.fault else "" if read else "unanswered"
            self._journal(door, parameters, fault, changes, _error_of(result))
        return result

    def _journal(
        self,
        door: Door,
        parameters: Mapping[str, Any] | None,
        fault: str,
        changes: tuple[Change, ...] = (),
        error: str = "",
    ) -> None:
        now = self.simulation.now
        self.attempts.append(Attempt(now, door.actor, door.operation, parameters or {}, fault, changes, error))

    def _add_fault(self, mishap: Mishap, service: str, operation: str) -> None:
        kind, code = mishap.fault, None
        if kind not in {"throttled", "internal_error", "cut"}:
            kind, code = "error", mishap.fault
        when = "before" if kind == "throttled" else mishap.when
        self.control.add_fault(kind, service=service, operation=operation, when=when, error_code=code)  # type: ignore[arg-type]


class _VirtualServiceClock(ServiceClock):
    """The emulator's clock: the world's."""

    def __init__(self, simulation: Simulation) -> None:
        super().__init__()
        self._simulation = simulation

    def now(self) -> float:
        return self._simulation.now


# -- what is granted, where the scenery is slow to tell or tells more than that --------------------------------------


def _finspace(control: EmulatorControl) -> Iterator[Values]:
    for now in control.finspace.memberships():
        if now.membership_status != "REMOVAL_IN_PROGRESS":
            parts = ("environment_id", "permission_group_id", "user_id")
            yield {part: getattr(now, part) for part in parts}


def _opensearch(control: EmulatorControl) -> Iterator[Values]:
    for now in control.opensearch.associations():
        if now.status not in {"ASSOCIATION_FAILED", "DISSOCIATING"}:
            yield {"domain_name": now.domain_name, "package_id": now.package_id}


def _thing_groups(_: EmulatorControl) -> Iterator[Values]:
    for group in iot_backends[ACCOUNT][REGION].thing_groups.values():
        for arn in group.things:
            yield {"thing_group_name": group.thing_group_name, "thing_name": arn.rpartition("/")[2]}


def _billing_groups(_: EmulatorControl) -> Iterator[Values]:
    for group in iot_backends[ACCOUNT][REGION].billing_groups.values():
        for arn in group.things:
            yield {"billing_group_name": group.billing_group_name, "thing_name": arn.rpartition("/")[2]}


def _administrators(_: EmulatorControl) -> Iterator[Values]:
    for administrator in organizations_backends[ACCOUNT]["aws"].admins:
        for principal in administrator.services:
            yield {"service_principal": principal, "account_id": administrator.account.id}


_TRUTH: Mapping[str, Callable[[EmulatorControl], Iterator[Values]]] = {
    "finspace-permission-group-membership": _finspace,
    "iot-billing-group-membership": _billing_groups,
    "iot-thing-group-membership": _thing_groups,
    "opensearch-package-association": _opensearch,
    "organizations-delegated-administrator": _administrators,
}


# -- what is made once ------------------------------------------------------------------------------------------------


class Worlds:
    """Makes one world after the other; the newest one is where everything happens."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.patch = patch
        self.services = Services(lambda: datetime.datetime.fromtimestamp(self.world.simulation.now, datetime.UTC))
        self._world: World | None = None

    @property
    def world(self) -> World:
        """The newest."""
        assert self._world is not None, "there is no world yet"
        return self._world

    def new(self, kind: Kind, *, seed: int = 0, switches: Mapping[str, Any] | None = None) -> World:
        """A world of a kind, its parties made, nothing granted.

        Args:
            kind: what is associated.
            seed: of everything that is chance.
            switches: of the emulated service.
        """
        random.seed(seed)  # botocore spreads its retries by it
        self._world = world = World(self.services, kind, seed=seed, switches=switches)
        self._forget_credentials()
        world.arrange()
        return world

    def _forget_credentials(self) -> None:
        """What was exchanged in another world is nothing here."""
        past = datetime.datetime.fromtimestamp(0, datetime.UTC)
        for key, client in self.services._clients.items():
            if len(key) > 2:
                client._request_signer._credentials._expiry_time = past


@contextmanager
def worlds() -> Iterator[Worlds]:
    """Everything that worlds share: moto, clients, and virtual time wherever the core and botocore look at a clock."""
    register()
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        set_environment(patch)
        made = Worlds(patch)

        def lock() -> SharedLock:
            return SharedLock(lambda: made.world.simulation)

        patch.setattr(made.services, "_lock", lock())
        patch.setattr(service, "threading", _threads(lock))  # of exchanges
        patch.setattr(botocore.credentials, "threading", types.SimpleNamespace(Lock=lock))
        for module in (waiting, dynamodb):
            patch.setattr(module, "time", time_module(lambda: made.world.simulation))
        patch.setattr(waiting, "random", _Chance(made))
        patch.setattr(botocore.endpoint, "time", time_module(lambda: made.world.simulation))
        # Clients live longer here than in any process, so that their quota of retries would run dry.
        patch.setattr(botocore.retries.quota.RetryQuota, "acquire", lambda *_: True)
        patch.setattr(botocore.endpoint.Endpoint, "_do_get_response", _attempt_of(made, Services._before_send))
        patch.setattr(Services, "_before_send", lambda *_, **__: None)
        patch.setattr(
            botocore.handlers,
            "BUILTIN_HANDLERS",
            [*botocore.handlers.BUILTIN_HANDLERS, ("before-parameter-build", _keep_parameters)],
        )
        _spare_work(patch)
        yield made


def _threads(lock: Callable[[], SharedLock]) -> types.SimpleNamespace:
    """``threading`` with this lock."""
    return types.SimpleNamespace(Lock=lock, RLock=threading.RLock, local=threading.local)


def _spare_work(patch: pytest.MonkeyPatch) -> None:
    """What costs time in thousands of lifecycles and decides nothing."""
    set_level = logging.Logger.setLevel

    def set_other_level(self: logging.Logger, level: int | str) -> None:
        if logging.getLevelName(self.level) != level and self.level != level:
            set_level(self, level)

    patch.setattr(logging.Logger, "setLevel", set_other_level)
    patch.setattr(os, "urandom", random.randbytes)
    patch.setattr(botocore.useragent.UserAgentString, "to_string", lambda _: "model")


class _Chance:
    """What the core imported as ``random``: the chance of the newest world."""

    def __init__(self, made: Worlds) -> None:
        self._made = made

    def uniform(self, low: float, high: float) -> float:
        return self._made.world.simulation.random.uniform(low, high)


def _keep_parameters(params: Mapping[str, Any], context: dict[str, Any], **_: object) -> None:
    context["parameters as given"] = params


def _attempt_of(made: Worlds, check: Callable[..., None]) -> Callable[..., Any]:
    """One attempt of any call by botocore: through a door, then to moto, or to whoever plays that API.

    ``check``: what the core does before an attempt, when it leaves and not when it arrives.
    """
    send = botocore.endpoint.Endpoint._do_get_response

    def attempt(self: Any, request: Any, operation_model: Any, context: dict[str, Any]) -> Any:
        world, service = made.world, operation_model.service_model.service_name
        operation = str(operation_model.name)
        played = world.aws.get(service)
        late = (
            self.http_session._timeout.read_timeout,
            lambda: (None, ReadTimeoutError(endpoint_url=request.url)),
        )
        if played is not None:
            return world.through(
                service,
                operation,
                lambda: _answer(played, operation, context["parameters as given"], request.url),
                fail=lambda fault: _failure(fault, request.url),
                late=late,
            )

        def call() -> Any:
            answer = send(self, request, operation_model, context)
            # What botocore does before it sends has been done, and what the emulator did is nothing any more.
            return (None, EndpointConnectionError(endpoint_url=request.url)) if world.ended else answer

        exchange = world.kind.exchange
        # An exchange of credentials happens under a lock that all processes share here: nobody gets in between.
        at_once = exchange is not None and operation == exchange.operation
        if not at_once and world.simulation.current is not None:
            try:
                check(made.services, request, f"before-send.{service}.{operation}")
            except Exception as error:  # noqa: BLE001 - as botocore does
                return None, error
        return world.through(
            "service",
            operation,
            call,
            at_once=at_once,
            service=service,
            late=late,
            parameters=context.get("parameters as given"),
        )

    return attempt


def _error_of(result: Any) -> str:
    """The code of an error that an attempt ended with, or that no answer came; empty: it was accepted."""
    response, exception = result
    if response is None:
        return type(exception).__name__
    return str(response[1].get("Error", {}).get("Code", ""))


class _Empty:
    """The body of an answer whose content is parsed already."""

    def stream(self) -> list[bytes]:
        return [b""]


def _answer(played: Played, operation: str, parameters: Mapping[str, Any], url: str) -> Any:
    try:
        content, status = played(operation, parameters), 200
    except AwsError as error:
        content = {**error.more, "Error": {"Code": error.code, "Message": error.message, "Type": "Sender"}}
        status = error.status
    metadata = {"HTTPStatusCode": status, "HTTPHeaders": {}, "RequestId": "played"}
    return (AWSResponse(url, status, {}, _Empty()), {**content, "ResponseMetadata": metadata}), None


def _failure(fault: str, url: str) -> Any:
    def refuse(_: str, __: Mapping[str, Any]) -> dict[str, Any]:
        codes = {"throttled": ("Throttling", 400), "internal_error": ("InternalFailure", 500)}
        code, status = codes.get(fault, (fault, 403))
        raise AwsError(code, "Rate exceeded" if fault == "throttled" else "This is a failure on demand.", status)

    if fault == "cut":
        return None, ConnectionClosedError(endpoint_url=url.partition("?")[0])
    return _answer(refuse, "", {}, url)


def of_a_process(services: Services) -> Services:
    """The same clients for another process, which shares no look with anybody and has learned nothing yet."""
    services._session()  # dear, and made when first needed
    own = copy.copy(services)
    own.listings, own._paces = Listings(), {}
    return own


def numbered(first: int = 1) -> Iterator[str]:
    """Names for what needs one: ``00000001`` and so on, the same in every run."""
    return (f"{number:08d}" for number in itertools.count(first))
