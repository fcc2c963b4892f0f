"""What is measured of the Pulumi provider is there, is granted, and is counted."""

from __future__ import annotations

import os

import pytest

from benchmarks import pulumi_engine, pulumi_host, pulumi_state
from benchmarks.finspace import Settings, finspace
from benchmarks.pulumi_host import Scale, Stack, declared
from engines.pulumi_engine import find_pulumi
from pulumi_aws_associations.finspace import PermissionGroupMembershipProvider

_SMALL = Scale(users=3, groups=2, many=20, settings=Settings(latency=0.02, final=0.3))


def test_two_sides_run_every_command_and_calls_are_counted() -> None:
    """A small stack: nothing is called by a preview, one associate for each, one list of each user by a refresh."""
    with finspace() as service:
        rows = {(row.work, row.peer): row for row in pulumi_host.rows(service, _SMALL, lambda _: None)}

    calls = {work: row.ours.median for (work, _), row in rows.items() if work.endswith("calls")}
    assert calls["Pulumi preview: calls"] == 0
    assert calls["Pulumi refresh: calls"] <= 3 + 2  # a list for each user, the account, the credentials
    assert next(row.ours.median for (work, _), row in rows.items() if work.endswith("associates")) == 6
    assert next(row.ours.median for (work, _), row in rows.items() if work.endswith("lost")) == 0


def test_a_party_answers_as_many_calls_as_it_is_told() -> None:
    """More than that in one second are refused, counted, and sent again until they are answered."""
    with finspace() as service:
        service.reset(Settings(rate=5))
        ran = Stack(service, PermissionGroupMembershipProvider(), declared(12, 1)).up_in_order()

    assert ran.counted.members == 12
    assert ran.counted.throttled > 0
    assert ran.counted.calls["AssociateUserToPermissionGroup"] > 12


def test_the_state_of_a_resource_names_its_provider() -> None:
    """The longest name of a provider is as short as it has to be, and no code goes with it."""
    rows = [row for row in pulumi_state.rows(1, lambda _: None) if row.work.startswith("Pulumi state")]

    assert [row.met for row in rows] == [True, True]


def test_without_a_cli_a_row_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is measured where there is no engine, and nothing fails."""
    monkeypatch.setenv("PATH", os.devnull)
    with finspace() as service:
        (row,) = pulumi_engine.rows(service, _SMALL, lambda _: None)

    assert row.not_run == "not run: no pulumi on PATH"
    assert row.passes
    assert not row.met


@pytest.mark.skipif(find_pulumi()[0] is None, reason=f"not run under a real engine: {find_pulumi()[1]}")
def test_the_real_engine_runs_both_sides() -> None:
    """As many memberships as resources that do nothing."""
    with finspace() as service:
        (row,) = pulumi_engine.rows(service, _SMALL, lambda _: None)

    assert row.ours.median > 0
    assert row.theirs is not None
