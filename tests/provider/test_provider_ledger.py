"""Several resources and one membership, in the order of the engine's calls, with each ledger.

Every run is a host process of its own, as every update has.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

import pytest

from engines.pulumi_host import HostError, PulumiHost
from finspace_emulator.control import EmulatorControl
from pulumi_aws_associations.finspace import PermissionGroupMembershipProvider
from tests.provider.declared import ALICE_ID, declared

Start = Callable[..., PulumiHost]
ASSOCIATE, DISASSOCIATE = "AssociateUserToPermissionGroup", "DisassociateUserFromPermissionGroup"

pytestmark = pytest.mark.usefixtures("ledger")
in_memory = pytest.mark.parametrize("ledger", ["memory"], indirect=True)


@pytest.fixture
def update(service: EmulatorControl, aws: dict[str, str]) -> Iterator[Start]:
    """Begin an update: another host process."""
    assert service is not None
    hosts: list[PulumiHost] = []

    def begin(**more: Any) -> PulumiHost:
        host = PulumiHost(PermissionGroupMembershipProvider(), environment=aws, **more)
        hosts.append(host.__enter__())
        return host

    yield begin
    for host in hosts:
        host.__exit__(None, None, None)


def of(name: str, user: str = "alice", stack: str = "dev", **more: Any) -> dict[str, Any]:
    """The inputs of the resource with that name: the user's membership of analysts."""
    return declared(user_id=user, declared_by=["organization", "project", stack, "", name], **more)


def members(service: EmulatorControl) -> set[str]:
    """Who is in analysts, by the service's own word."""
    return {now.user_id for now in service.memberships()}


def deleting_slowly(service: EmulatorControl, call: Callable[[], None]) -> Future[None]:
    """Make a delete whose call of the service is on its way for some seconds."""
    service.add_fault("slow", operation=DISASSOCIATE, seconds=3)
    exchanges = len(service.journal("GetProgrammaticAccessCredentials"))
    pool = ThreadPoolExecutor(1)
    future = pool.submit(call)
    pool.shutdown(wait=False)
    limit = time.monotonic() + 10
    while len(service.journal("GetProgrammaticAccessCredentials")) == exchanges:
        assert time.monotonic() < limit
        time.sleep(0.02)
    time.sleep(0.5)
    return future


# -- one stack --------------------------------------------------------------------------------------------------------


def test_what_a_refresh_found_gone_is_no_evidence(update: Start, service: EmulatorControl) -> None:
    """Revoked by others, dropped by the refresh, granted again by others: it is theirs now."""
    old = update().create(of("old"))
    service.revoke("env1", "analysts", "alice")
    run = update()
    assert run.read(old.id, old.outputs).gone
    service.grant("env1", "analysts", "alice")

    with pytest.raises(HostError, match="AlreadyExists"):
        run.create(of("new"))


def test_what_this_run_revoked_is_no_evidence(update: Start, service: EmulatorControl) -> None:
    """Somebody else who grants what a swap has just let go of keeps it; the message says what happened."""
    b = update().create(of("b"))
    run = update()
    run.diff(b.id, b.outputs, of("b", "bob"))
    run.delete(b.id, b.outputs)
    service.grant("env1", "analysts", "alice")

    with pytest.raises(HostError, match="this run revoked it, so somebody else has granted it since"):
        run.create(of("a"))
    assert members(service) == {"alice"}


def test_two_deletes_at_once_do_not_leave_it_to_each_other(update: Start, service: EmulatorControl) -> None:
    """A destroy deletes the resources of a shared membership at the same time, and nothing remains."""
    run = update()
    a, b = run.create(of("a")), run.create(of("b"))
    run = update()
    for resource in (a, b):
        run.diff(resource.id, resource.outputs, of("either"))
    with ThreadPoolExecutor(2) as pool:
        for delete in [pool.submit(run.delete, each.id, each.outputs) for each in (a, b)]:
            delete.result()

    assert members(service) == set()
    assert len(service.journal(DISASSOCIATE)) == 1


def test_nothing_is_taken_over_while_it_is_being_revoked(
    update: Start, service: EmulatorControl, aws: dict[str, str]
) -> None:
    """A create that comes during another resource's delete waits, and grants anew."""
    aws["PYTHONNODEBUGRANGES"] = "1"  # a host on the machine's clock, by which the slow call is slow
    a = update().create(of("a"))
    run = update()
    run.diff(a.id, a.outputs, of("a", "bob"))
    deleting = deleting_slowly(service, lambda: run.delete(a.id, a.outputs))

    created = run.create(of("b"))
    deleting.result()

    assert created.outputs["status_code"] == 200
    assert members(service) == {"alice"}


@in_memory
def test_what_was_revoked_for_one_is_granted_again_for_another(update: Start, service: EmulatorControl) -> None:
    """A resource that is seen only while its membership is being revoked for another one gets it back."""
    run = update()
    a, b = run.create(of("a")), run.create(of("b"))
    run = update()
    run.diff(a.id, a.outputs, of("a", "bob"))
    deleting = deleting_slowly(service, lambda: run.delete(a.id, a.outputs))

    difference = run.diff(b.id, b.outputs, of("b"))
    assert (difference.changes, difference.replaces) == (True, ())
    deleting.result()
    service.add_fault("error", operation=ASSOCIATE, error_code="ValidationException")
    with pytest.raises(HostError, match=r"Validation.* run `pulumi up --refresh`, which grants what is missing"):
        run.update(b.id, b.outputs, of("b"))
    outputs = run.update(b.id, b.outputs, of("b"))

    assert outputs == b.outputs
    assert members(service) == {"alice"}
    assert run.diff(b.id, outputs, of("b")).changes is False


@in_memory
def test_a_create_waits_for_a_resource_that_the_engine_shows_after_it(update: Start, service: EmulatorControl) -> None:
    """The engine shows one resource after the other, and of an exchange none is first: the pair is shared."""
    b = update().create(of("b"))
    run = update()
    with ThreadPoolExecutor(1) as pool:
        creating = pool.submit(run.create, of("a"))
        wait([creating], timeout=0.7)  # as long as it does not know of the other one
        run.diff(b.id, b.outputs, of("b", "bob"))
        assert creating.result().id == ALICE_ID

    run.delete(b.id, b.outputs)
    assert members(service) == {"alice"}


def test_what_a_failed_create_left_is_this_stacks_own(update: Start, service: EmulatorControl, ledger: str) -> None:
    """A create that can neither be told nor undone is the stack's own for whoever has the ledger."""
    service.add_fault("cut", operation=ASSOCIATE, when="after", count=None)
    service.add_fault("throttled", operation="ListPermissionGroupsByUser", skip=1, count=None)
    service.add_fault("cut", operation=DISASSOCIATE, count=None)
    run = update()
    way_on = {"memory": "adopt it with on_existing='adopt'", "table": "the next up that declares it takes it"}[ledger]
    with pytest.raises(HostError, match=f"Whether it took effect is not known.*{way_on}"):
        run.create(of("a", timeout_seconds=10))
    service.clear_faults()

    run = run if ledger == "memory" else update()
    created = run.create(of("a"))
    run.delete(created.id, created.outputs)

    assert created.id == ALICE_ID
    assert members(service) == set()


# -- a table ----------------------------------------------------------------------------------------------------------

with_a_table = pytest.mark.parametrize("ledger", ["table"], indirect=True)


@with_a_table
def test_the_stacks_configuration_wins_over_the_environment(update: Start, aws: dict[str, str]) -> None:
    """``pulumi config set aws-associations:ledger`` names the table, or its ARN."""
    named = aws["AWS_ASSOCIATIONS_LEDGER"]
    arn = f"arn:aws:dynamodb:us-east-1:123456789012:table/{named}"
    update(config={"aws-associations:ledger": arn}).create(of("old"))
    aws["AWS_ASSOCIATIONS_LEDGER"] = "missing"

    assert update(config={"aws-associations:ledger": named}).create(of("new")).outputs["status_code"] == 0


@with_a_table
def test_a_claim_goes_on_under_a_new_name(update: Start, service: EmulatorControl) -> None:
    """After a rename with an alias the table names the new one, and its delete leaves no claim of the old one."""
    created = update().create(of("old"))
    run = update()
    assert run.diff(created.id, created.outputs, of("new")).changes is True
    outputs = run.update(created.id, created.outputs, of("new"))
    with pytest.raises(HostError, match="resource new of Pulumi stack organization/project/dev declares it already"):
        update().create(of("a", stack="other"))

    update().delete(created.id, outputs)
    assert members(service) == set()


@with_a_table
def test_without_its_table_nothing_is_written_and_a_preview_goes_on(
    update: Start, service: EmulatorControl, aws: dict[str, str]
) -> None:
    """A create or delete fails before any write and names the table; a diff takes it for no news."""
    created = update().create(of("a"))
    aws["AWS_ASSOCIATIONS_LEDGER"] = "missing"
    run, writes = update(), len(service.journal(ASSOCIATE))
    words = "DynamoDB table missing in us-east-1 cannot be used.*Create or restore the table"

    assert run.diff(created.id, created.outputs, of("a")).changes is False
    with pytest.raises(HostError, match=words):
        run.create(of("b", "bob"))
    for call in (run.delete, run.read):
        with pytest.raises(HostError, match=words):
            call(created.id, created.outputs)
    assert (len(service.journal(ASSOCIATE)), service.journal(DISASSOCIATE)) == (writes, [])
