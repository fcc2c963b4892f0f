"""Several resources of one stack and one membership: what the host process knows, in the order of the engine's calls.

Every run is a host process of its own, as every update has.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from engines.pulumi_host import Created, HostError, PulumiHost
from finspace_emulator.control import EmulatorControl
from pulumi_aws_associations.finspace import PermissionGroupMembershipProvider
from pulumi_aws_associations.iot import ThingGroupMembershipProvider
from tests.provider.declared import ALICE_ID, declared

Start = Callable[..., PulumiHost]
ASSOCIATE, DISASSOCIATE = "AssociateUserToPermissionGroup", "DisassociateUserFromPermissionGroup"


@pytest.fixture
def update(service: EmulatorControl, aws: dict[str, str]) -> Iterator[Start]:
    """Begin an update: another host process."""
    assert service is not None
    hosts: list[PulumiHost] = []

    def begin(**environment: str) -> PulumiHost:
        host = PulumiHost(PermissionGroupMembershipProvider(), environment={**aws, **environment})
        hosts.append(host.__enter__())
        return host

    yield begin
    for host in hosts:
        host.__exit__(None, None, None)


def of(name: str, user: str = "alice", parent: str = "", **more: Any) -> dict[str, Any]:
    """The inputs of the resource with that name: the user's membership of analysts."""
    return declared(user_id=user, declared_by=["organization", "project", "dev", parent, name], **more)


def members(service: EmulatorControl) -> set[str]:
    """Who is in analysts, by the service's own word."""
    return {now.user_id for now in service.memberships()}


def started(service: EmulatorControl, operation: str, calls: int = 1) -> None:
    """Wait until the service has received that many calls."""
    limit = time.monotonic() + 10
    while len(service.journal(operation)) < calls:
        assert time.monotonic() < limit
        time.sleep(0.02)


def at_once(call: Callable[..., Any], *arguments: Any) -> Future[Any]:
    """Make a call while others run."""
    pool = ThreadPoolExecutor(1)
    future = pool.submit(call, *arguments)
    pool.shutdown(wait=False)
    return future


def test_a_swap_takes_over_what_another_resource_still_holds(update: Start, service: EmulatorControl) -> None:
    """A resource may take what another one holds in the state; that one's delete then lets go and revokes nothing."""
    first = update()
    a, b = first.create(of("a", "alice")), first.create(of("b", "bob"))
    second = update()
    for resource, user in ((b, "alice"), (a, "bob")):
        assert second.diff(resource.id, resource.outputs, {**resource.outputs, "user_id": user}).replaces

    second.delete(b.id, b.outputs)
    taken = second.create(of("b", "alice"))
    second.delete(a.id, a.outputs)
    second.create(of("a", "bob"))

    assert members(service) == {"alice", "bob"}
    assert (taken.id, taken.outputs["status_code"]) == (ALICE_ID, 0)
    assert [entry.operation for entry in service.journal(DISASSOCIATE)] == [DISASSOCIATE]
    assert "warning: taken-over" in second.output
    assert "from: a" in second.output


def test_what_is_taken_over_stays_adopted(update: Start, service: EmulatorControl) -> None:
    """Whether a membership was there before the stack does not change with the resource that declares it."""
    service.grant("env1", "analysts", "alice")
    old = update().create(of("old", on_existing="adopt"))
    second = update()
    second.read(old.id, old.outputs)

    assert second.create(of("new")).id == old.id == ALICE_ID + "?adopted"


def test_a_rename_with_adoption_keeps_the_membership(update: Start, service: EmulatorControl) -> None:
    """The old name is seen only when it is deleted, last: the new one holds the membership by then."""
    old = update().create(of("old"))
    second = update()
    new = second.create(of("new", on_existing="adopt"))
    second.delete(old.id, old.outputs)
    assert members(service) == {"alice"}

    third = update()
    assert third.diff(new.id, new.outputs, of("new", on_existing="adopt")).changes is False
    third.delete(new.id, new.outputs)
    assert members(service) == set()


def test_a_rename_that_failed_halfway_is_completed_by_the_next_update(update: Start, service: EmulatorControl) -> None:
    """The old name's delete, in a later process, finds the new one by its diff."""
    old = update().create(of("old"))
    new = update().create(of("new", on_existing="adopt"))
    third = update()

    third.diff(new.id, new.outputs, of("new", on_existing="adopt"))
    third.delete(old.id, old.outputs)

    assert members(service) == {"alice"}


def test_a_rename_without_adoption_names_the_ways_on(update: Start, service: EmulatorControl) -> None:
    """Nothing is lost, and the message holds what to write for a rename and what to run for an exchange."""
    update().create(of("old"))

    with pytest.raises(HostError) as failed:
        update().create(of("new"))

    assert "AlreadyExists" in failed.value.message
    assert "opts=pulumi.ResourceOptions(aliases=[pulumi.Alias(name='old')])" in failed.value.message
    assert "`pulumi up --refresh`" in failed.value.message
    assert members(service) == {"alice"}


def test_a_refresh_shows_what_a_renamed_resource_held(update: Start, service: EmulatorControl) -> None:
    """An update that begins with a refresh reads every resource, so a new name takes over without adoption."""
    old = update().create(of("old"))
    second = update()
    second.read(old.id, old.outputs)

    assert second.create(of("new")).id == ALICE_ID
    second.delete(old.id, old.outputs)

    assert members(service) == {"alice"}
    assert len(service.journal(ASSOCIATE)) == 1


def test_what_a_refresh_found_gone_is_no_evidence(update: Start, service: EmulatorControl) -> None:
    """Revoked by others, dropped by the refresh, granted again by others: it is theirs now."""
    old = update().create(of("old"))
    service.revoke("env1", "analysts", "alice")
    second = update()
    assert second.read(old.id, old.outputs).gone
    service.grant("env1", "analysts", "alice")

    with pytest.raises(HostError, match="AlreadyExists"):
        second.create(of("new"))


def test_what_this_run_revoked_is_no_evidence(update: Start, service: EmulatorControl) -> None:
    """Somebody else who grants what a swap has just let go of keeps it; the message says what happened."""
    b = update().create(of("b"))
    second = update()
    second.diff(b.id, b.outputs, of("b", "bob"))
    second.delete(b.id, b.outputs)
    service.grant("env1", "analysts", "alice")

    with pytest.raises(HostError, match="this run revoked it for 'b', so somebody else has granted it since"):
        second.create(of("a"))
    assert members(service) == {"alice"}


def test_a_delete_that_failed_still_holds(update: Start, service: EmulatorControl) -> None:
    """The state keeps a resource whose delete failed, so what it holds is still the stack's."""
    old = update().create(of("old"))
    second = update()
    service.add_fault("error", operation=DISASSOCIATE, error_code="AccessDeniedException")
    with pytest.raises(HostError, match="AccessDenied"):
        second.delete(old.id, old.outputs)

    assert second.create(of("new")).outputs["status_code"] == 0


def test_a_shared_membership_lives_until_its_last_resource_is_deleted(update: Start, service: EmulatorControl) -> None:
    """Two resources may declare the same membership: the first delete lets go, the last one revokes."""
    first = update()
    a, b = first.create(of("a")), first.create(of("b"))
    assert "warning: taken-over" in first.output
    second = update()
    second.diff(b.id, b.outputs, of("b"))

    second.delete(a.id, a.outputs)
    assert members(service) == {"alice"}
    second.delete(b.id, b.outputs)
    assert members(service) == set()


def test_two_deletes_at_once_do_not_leave_it_to_each_other(update: Start, service: EmulatorControl) -> None:
    """A destroy deletes the resources of a shared membership at the same time, and nothing remains."""
    first = update()
    a, b = first.create(of("a")), first.create(of("b"))
    second = update()
    for resource in (a, b):
        second.diff(resource.id, resource.outputs, of("either"))
    deletes = [at_once(second.delete, each.id, each.outputs) for each in (a, b)]
    for delete in deletes:
        delete.result()

    assert members(service) == set()
    assert len(service.journal(DISASSOCIATE)) == 1


def test_nothing_is_taken_over_while_it_is_being_revoked(update: Start, service: EmulatorControl) -> None:
    """A create that comes during another resource's delete waits, loses none of its time, and grants anew."""
    a = update().create(of("a"))
    second = update()
    second.diff(a.id, a.outputs, of("a", "bob"))
    service.add_fault("slow", operation=DISASSOCIATE, seconds=5)
    deleting = at_once(second.delete, a.id, a.outputs)
    started(service, "GetProgrammaticAccessCredentials", 2)
    time.sleep(0.5)  # the slow call is on its way

    created = second.create(of("b", timeout_seconds=4))
    deleting.result()

    assert created.outputs["status_code"] == 200
    assert members(service) == {"alice"}


def test_what_was_revoked_for_one_is_granted_again_for_another(update: Start, service: EmulatorControl) -> None:
    """A replacement deletes before the run has seen every resource: one that is seen later gets it back."""
    first = update()
    a, b = first.create(of("a")), first.create(of("b"))
    second = update()
    second.diff(a.id, a.outputs, of("a", "bob"))
    second.delete(a.id, a.outputs)
    assert members(service) == set()

    difference = second.diff(b.id, b.outputs, of("b"))
    assert (difference.changes, difference.replaces) == (True, ())
    outputs = second.update(b.id, b.outputs, of("b"))

    assert outputs == b.outputs
    assert members(service) == {"alice"}
    assert second.diff(b.id, outputs, of("b")).changes is False


def test_a_diff_waits_for_a_delete_that_did_not_know_of_it(update: Start, service: EmulatorControl) -> None:
    """A resource that is seen while its membership is being revoked for another one is granted it again."""
    first = update()
    a, b = first.create(of("a")), first.create(of("b"))
    second = update()
    second.diff(a.id, a.outputs, of("a", "bob"))
    service.add_fault("slow", operation=DISASSOCIATE, seconds=2)
    deleting = at_once(second.delete, a.id, a.outputs)
    started(service, "GetProgrammaticAccessCredentials", 2)
    time.sleep(0.5)  # the slow call is on its way

    assert second.diff(b.id, b.outputs, of("b")).changes is True
    deleting.result()
    second.update(b.id, b.outputs, of("b"))

    assert members(service) == {"alice"}


def test_a_failure_to_grant_again_says_how_to_go_on(update: Start, service: EmulatorControl) -> None:
    """The state goes on showing it, so only a refresh finds it gone: the message says so."""
    first = update()
    a, b = first.create(of("a")), first.create(of("b"))
    second = update()
    second.diff(a.id, a.outputs, of("a", "bob"))
    second.delete(a.id, a.outputs)
    second.diff(b.id, b.outputs, of("b"))
    service.add_fault("error", operation=ASSOCIATE, error_code="AccessDeniedException", count=None)

    with pytest.raises(HostError, match=r"AccessDenied.* run `pulumi up --refresh`, which grants what is missing"):
        second.update(b.id, b.outputs, of("b"))


def test_a_replacement_keeps_what_it_has_in_common_with_what_it_replaces(
    update: Start, service: EmulatorControl
) -> None:
    """Created first because the user's options say so: both have one owner and one id, and are two resources still."""
    old = update().create(of("a"))
    for _ in range(2):
        run = update()
        run.read(old.id, old.outputs)
        new = run.create(of("a"))
        run.delete(old.id, old.outputs)
        assert members(service) == {"alice"}
        old = new

    run.delete(new.id, new.outputs)
    assert members(service) == set()


def test_what_was_left_to_a_resource_that_was_gone_is_revoked_by_its_replacement(
    update: Start, service: EmulatorControl
) -> None:
    """Its replacement had failed in an earlier run after its delete, which this one does not make again."""
    first = update()
    a, b = first.create(of("a")), first.create(of("b"))
    second = update()
    second.diff(a.id, a.outputs, of("a", "bob"))
    second.diff(b.id, b.outputs, of("b"))
    second.delete(a.id, a.outputs)
    third = update()
    third.diff(a.id, a.outputs, of("a", "bob"))
    third.diff(b.id, b.outputs, of("b", "carol"))

    third.delete(b.id, b.outputs)
    assert members(service) == {"alice"}
    third.create(of("a", "bob"))
    third.create(of("b", "carol"))

    assert members(service) == {"bob", "carol"}


def test_equal_names_in_two_components_are_two_resources(update: Start, service: EmulatorControl) -> None:
    """The parent tells them apart, also in the message."""
    first = update()
    one = first.create(of("member", parent="urn:pulumi:dev::project::team::one"))
    two = first.create(of("member", parent="urn:pulumi:dev::project::team::two"))
    assert "from: member in one" in first.output
    second = update()
    second.diff(two.id, two.outputs, of("member", parent="urn:pulumi:dev::project::team::two"))

    second.delete(one.id, one.outputs)

    assert members(service) == {"alice"}


def test_what_a_failed_create_left_is_this_resources_own(update: Start, service: EmulatorControl) -> None:
    """A create whose outcome nobody could tell, made again in the same process, finds its own membership."""
    service.add_fault("cut", operation=ASSOCIATE, when="after", count=None)
    service.add_fault("throttled", operation="ListPermissionGroupsByUser", skip=1, count=None)
    service.add_fault("cut", operation=DISASSOCIATE, count=None)
    run = update()
    with pytest.raises(HostError, match="Whether it took effect is not known"):
        run.create(of("a", timeout_seconds=10))
    service.clear_faults()

    with pytest.raises(HostError, match="AlreadyExists"):
        run.create(of("another"))
    created = run.create(of("a"))

    assert (created.id, created.outputs["status_code"]) == (ALICE_ID, 0)


def test_a_refresh_after_the_services_end_keeps_the_state(update: Start, service: EmulatorControl) -> None:
    """FinSpace has ended: where its endpoint is gone, a refresh forgets nothing and fails nothing, and warns."""
    created = update().create(of("a"))
    ended = update(AWS_ENDPOINT_URL_FINSPACE_DATA="http://finspace-api.invalid")

    found = ended.read(created.id, created.outputs)

    assert (found.id, found.outputs) == (created.id, created.outputs)
    assert "warning: service-ended" in ended.output
    assert service is not None


def test_a_live_service_that_cannot_be_reached_is_an_error(aws: dict[str, str]) -> None:
    """A refresh of what has not ended fails when its endpoint does not resolve."""
    created = Created(
        "iot-thing-group-membership/v1/123456789012/us-east-1/sensors/thermometer",
        {"declared_by": ["organization", "project", "dev", "", "a"], "timeout_seconds": 3},
    )
    environment = {**aws, "AWS_ENDPOINT_URL_IOT": "http://iot.invalid"}
    with (
        PulumiHost(ThingGroupMembershipProvider(), environment=environment) as host,
        pytest.raises(HostError, match=r"ServiceUnavailable.*cannot reach iot\.invalid"),
    ):
        host.read(created.id, created.outputs)
