"""Two hundred memberships in Pulumi's real host, which serves four calls at a time: calls and time of each command."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from pulumi.dynamic import ResourceProvider

from benchmarks.finspace import Counted, FinSpaceService, Settings
from benchmarks.lambda_place import ROOT, peak_memory
from benchmarks.peers.naive_pulumi import MembershipProvider
from benchmarks.row import Figure, Row, figure
from benchmarks.turns import Progress
from engines.pulumi_host import Created, PulumiHost
from pulumi_aws_associations.finspace import PermissionGroupMembershipProvider

HOST_THREADS = 4
_CALLERS = 16
"""Calls that the engine has under way at once; more than the host takes."""

_COMMANDS = ("preview", "up", "refresh", "destroy")
_NAIVE = "a dynamic provider with a look and a wait (every 0.5 s) of its own for each"


@dataclass(frozen=True)
class Scale:
    """How many, and how slow the service is."""

    users: int = 20
    groups: int = 10
    many: int = 2000
    settings: Settings = field(default_factory=lambda: Settings(latency=0.1, final=2.0))

    @property
    def memberships(self) -> int:
        """Every user in every group."""
        return self.users * self.groups


@dataclass(frozen=True)
class Command:
    """What one command did. ``peak``: of the host's memory, in bytes."""

    seconds: float
    counted: Counted
    peak: float


@dataclass
class Stack:
    """Memberships of one provider, command by command, each in a host process of its own as under the engine."""

    service: FinSpaceService
    provider: ResourceProvider
    declared: list[dict[str, Any]]
    created: dict[int, Created] = field(default_factory=dict)

    def run(self, command: str) -> Command:
        """Run it for every resource; they arrive in an order of chance."""
        order = list(range(len(self.declared)))
        random.Random(command).shuffle(order)  # noqa: S311 - plays chance
        return self._run(order, getattr(self, f"_{command}"))

    def up_in_order(self) -> Command:
        """``up`` in the order of declaration."""
        return self._run(list(range(len(self.declared))), self._up)

    def _run(self, order: list[int], each: Callable[[PulumiHost, int], None]) -> Command:
        with PulumiHost(self.provider, environment=environment(self.service.url), timeout=900) as host:
            host.check(self.declared[0])  # the host loads the provider with its first call
            self.service.count()
            begun = perf_counter()
            with ThreadPoolExecutor(_CALLERS) as callers:
                list(callers.map(lambda number: each(host, number), order))
            return Command(perf_counter() - begun, self.service.count(), peak_memory(host.pid))

    def _preview(self, host: PulumiHost, number: int) -> None:
        host.check(self.declared[number])

    def _up(self, host: PulumiHost, number: int) -> None:
        self.created[number] = host.create(host.check(self.declared[number]).inputs)

    def _refresh(self, host: PulumiHost, number: int) -> None:
        known = self.created[number]
        if host.read(known.id, known.outputs).gone:
            raise RuntimeError(f"a refresh does not find {known.id}")

    def _destroy(self, host: PulumiHost, number: int) -> None:
        host.delete(self.created[number].id, self.created[number].outputs)


def environment(url: str) -> dict[str, str]:
    """The environment of a caller whose services are all at that address; boto3 knows no FinSpace any more."""
    return {
        "AWS_ACCESS_KEY_ID": "benchmark",
        "AWS_SECRET_ACCESS_KEY": "benchmark",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": url,
        "AWS_DATA_PATH": str(ROOT / "core" / "aws_associations" / "models"),
        "PYTHONPATH": str(ROOT),
    }


def declared(users: int, groups: int) -> list[dict[str, Any]]:
    """The inputs of every user in every group, group by group."""
    return [
        {
            "environment_id": "env1",
            "permission_group_id": f"group{group}",
            "user_id": f"user{user}",
            "on_existing": "fail",
            "timeout_seconds": 300,
            "declared_by": ["organization", "project", "dev", "", f"member{group}-{user}"],
        }
        for group, user in itertools.product(range(groups), range(users))
    ]


def rows(service: FinSpaceService, scale: Scale, progress: Progress) -> Iterator[Row]:
    """One run of each: they are long."""
    ours, theirs = (
        _commands(service, scale, provider, progress)
        for provider in (PermissionGroupMembershipProvider(), MembershipProvider())
    )
    count = scale.memberships
    what = f"{count} memberships, {scale.users} users x {scale.groups} groups"
    for command, limit in zip(_COMMANDS, (None, 0.5, None, None), strict=True):
        our_calls, their_calls = (figure([side[command].counted.total]) for side in (ours, theirs))
        if limit is not None:
            yield Row.of_ratio(f"Pulumi {command} of {what}: calls", _NAIVE, our_calls, their_calls, limit, noise=0)
        elif command == "refresh":
            most = scale.users + scale.groups
            yield Row("Pulumi refresh: calls", _NAIVE, our_calls, their_calls, our_calls, most, 0)
        elif command == "preview":
            yield Row("Pulumi preview: calls", _NAIVE, our_calls, their_calls, our_calls, 0, 0)
        else:
            yield Row.of_ratio(f"Pulumi {command}: calls", _NAIVE, our_calls, their_calls, 0.5, noise=0)
    associates = ours["up"].counted.calls["AssociateUserToPermissionGroup"]
    yield Row.of_limit("Pulumi up: associates", figure([associates]), count, noise=0)
    least = count / HOST_THREADS * (scale.settings.latency + scale.settings.final)
    for command in ("up", "destroy"):
        peer = f"{HOST_THREADS} host threads: {count}/{HOST_THREADS} x (call + wait)"
        yield Row.of_ratio(f"Pulumi {command}: time", peer, _seconds(ours[command]), figure([least], "s", 1), 1.1)
        yield Row.of_ratio(f"Pulumi {command}: time", _NAIVE, _seconds(ours[command]), _seconds(theirs[command]), 1.0)
    yield Row.of_ratio("Pulumi refresh: time", _NAIVE, _seconds(ours["refresh"]), _seconds(theirs["refresh"]), 1.0)
    yield from _throttled(service, scale, progress)
    yield from _memory(service, scale, progress)


def _commands(
    service: FinSpaceService, scale: Scale, provider: ResourceProvider, progress: Progress
) -> Mapping[str, Command]:
    service.reset(scale.settings)
    stack = Stack(service, provider, declared(scale.users, scale.groups))
    ran = {}
    for command in _COMMANDS:
        progress(f"{command} of {len(stack.declared)} memberships, {type(provider).__module__}")
        ran[command] = stack.run(command)
    if ran["up"].counted.members != scale.memberships or ran["destroy"].counted.members:
        raise RuntimeError(f"{type(provider).__module__} lost a membership, or left one: {ran}")
    return ran


def _throttled(service: FinSpaceService, scale: Scale, progress: Progress) -> Iterator[Row]:
    """Group by group, as fast as they go: the worst order."""
    ran = {}
    for rate in (0, 10):
        progress(f"up, {rate or 'any number of'} calls a second per party")
        service.reset(Settings(rate=rate))
        ran[rate] = Stack(
            service, PermissionGroupMembershipProvider(), declared(scale.users, scale.groups)
        ).up_in_order()
    calls, free = (figure([ran[rate].counted.total]) for rate in (10, 0))
    yield Row.of_ratio(
        "Pulumi up, 10 calls a second per group: calls", "the same, not throttled", calls, free, 1.5, noise=0
    )
    lost = scale.memberships - ran[10].counted.members
    yield Row.of_limit("Pulumi up, 10 calls a second per group: lost", figure([lost]), 0)


def _memory(service: FinSpaceService, scale: Scale, progress: Progress) -> Iterator[Row]:
    peaks = []
    for count in (scale.many, scale.many // 10):
        progress(f"memory of the host, {count} memberships")
        service.reset(Settings())
        users = max(1, count // scale.groups)
        peaks.append(Stack(service, PermissionGroupMembershipProvider(), declared(users, scale.groups)).run("up").peak)
    many, few = (figure([peak], "MB", 1, scale=1e-6) for peak in peaks)
    yield Row.of_ratio(f"memory of Pulumi's host, {scale.many} memberships", "a tenth of them", many, few, 1.2)


def _seconds(command: Command) -> Figure:
    return figure([command.seconds], "s", 1)
