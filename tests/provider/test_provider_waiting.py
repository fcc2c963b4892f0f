"""A long wait says so in Pulumi's diagnostics, which are what the host writes to standard error."""

from __future__ import annotations

import itertools
import re
import time

from engines.pulumi_host import PulumiHost
from finspace_emulator.control import EmulatorControl
from tests.provider.declared import declared


def _told(host: PulumiHost, lines: int) -> list[re.Match[str]]:
    """The lines about waiting, once there are so many; they arrive beside the answer."""
    end = time.monotonic() + 10
    while True:
        told = [*re.finditer(r"^waiting: (.*), until: (\w+), status: (.*), seconds: (\d+)$", host.output, re.MULTILINE)]
        if len(told) >= lines or time.monotonic() > end:
            return told


def test_a_long_wait_is_told_every_ten_seconds(host: PulumiHost, service: EmulatorControl) -> None:
    """At most one line in ten seconds for each resource, with what is waited for and the status."""
    service.configure(addition_seconds=45)
    host.create(declared(timeout_seconds=300))

    told = _told(host, 3)
    assert 2 <= len(told) <= 4
    assert {line[1] for line in told} == {
        "association: user_id 'alice' in permission_group_id 'analysts' (environment_id 'env1', account 123456789012,"
        " us-east-1)"
    }
    assert {(line[2], line[3]) for line in told} == {("granted", "ADDITION_IN_PROGRESS (being added)")}
    seconds = [int(line[4]) for line in told]
    assert seconds[0] >= 10
    assert all(later - earlier >= 9 for earlier, later in itertools.pairwise(seconds))


def test_a_short_wait_is_not_told(host: PulumiHost, service: EmulatorControl) -> None:
    """An ordinary create and delete write nothing."""
    service.configure(addition_seconds=2, removal_seconds=2)
    created = host.create(declared())
    host.delete(created.id, created.outputs)

    assert "waiting" not in host.output
