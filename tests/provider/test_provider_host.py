"""The provider in Pulumi's real dynamic host, over gRPC."""

from __future__ import annotations

import base64
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from engines.pulumi_host import UNKNOWN, HostError, PulumiHost, serialize_provider
from finspace_emulator.control import EmulatorControl
from finspace_emulator.server import EmulatorServer
from pulumi_aws_associations.directory import GroupMembershipProvider
from pulumi_aws_associations.finspace import PermissionGroupMembershipProvider
from pulumi_aws_associations.iot import ThingGroupMembershipProvider
from tests.provider.declared import ALICE_ID, declared


def test_a_membership_lives_through_create_read_and_delete(host: PulumiHost, service: EmulatorControl) -> None:
    """What is declared is granted, seen and revoked, and nothing else is called."""
    created = host.create(host.check(declared()).inputs)

    assert created.id == ALICE_ID
    assert [m.user_id for m in service.memberships()] == ["alice"]
    found = host.read(created.id, created.outputs)
    assert (found.id, found.outputs) == (created.id, created.outputs)
    host.delete(created.id, created.outputs)
    assert service.memberships() == []
    assert [entry.operation for entry in service.journal()] == [
        "GetProgrammaticAccessCredentials",
        "ListPermissionGroupsByUser",
        "AssociateUserToPermissionGroup",
        "ListPermissionGroupsByUser",
        "ListPermissionGroupsByUser",
        "DisassociateUserFromPermissionGroup",
        "ListPermissionGroupsByUser",
    ]


def test_the_same_declaration_sends_the_same_token(host: PulumiHost, service: EmulatorControl) -> None:
    """A stable clientToken: it depends on who declares the membership and on the pair, not on the call."""
    inputs = declared()
    for other in (inputs, inputs, declared(declared_by=["organization", "project", "prod", "", "alice"])):
        created = host.create(other)
        host.delete(created.id, created.outputs)
        service.advance(601)

    first, second, third = [e.client_token for e in service.journal("AssociateUserToPermissionGroup")]
    assert first == second != third
    removals = [e.client_token for e in service.journal("DisassociateUserFromPermissionGroup")]
    assert len(set(removals)) == 3


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("user_id", ["u" * 27, "   "]),
        ("on_existing", ["Adopt", ["fail"]]),
        ("timeout_seconds", [0, 86_401, "300"]),
        ("region", [""]),
        ("revision", [2, True]),
    ],
)
def test_check_refuses_what_can_never_be_granted(idle_host: PulumiHost, name: str, wrong: list[Any]) -> None:
    """A wrong input is refused by its name, in a short sentence, an unknown one is not; no call would find anybody."""
    for value in wrong:
        checked = idle_host.check(declared(**{name: value}))
        assert [failure.property for failure in checked.failures] == [name]
        assert len(checked.failures[0].reason) < 100
    assert idle_host.check(declared(**{name: UNKNOWN})).failures == ()


def test_diff_is_unmoved_by_the_serialized_provider(host: PulumiHost) -> None:
    """Another Python version may write other bytes for the same provider."""
    created = host.create(declared())
    other_bytes = base64.b64encode(base64.b64decode(host.provider)[2:]).decode()
    assert other_bytes != host.provider

    difference = host.diff(created.id, {**created.outputs, "__provider": other_bytes}, declared())

    assert difference.changes is False


def test_read_tells_a_membership_that_is_gone(host: PulumiHost, service: EmulatorControl) -> None:
    """A membership removed behind the stack's back, or whose user is gone, leaves the state at the next refresh."""
    created = host.create(declared())
    service.revoke("env1", "analysts", "alice")
    assert host.read(created.id, created.outputs).gone

    service.remove_user("env1", "alice")
    assert host.read(created.id, created.outputs).gone


@pytest.mark.parametrize("fault", ["throttled", "internal_error", "cut"])
def test_read_never_takes_a_failure_for_absence(host: PulumiHost, service: EmulatorControl, fault: Any) -> None:
    """A look that fails is an error, so that a refresh does not drop a live membership."""
    created = host.create(declared())
    service.add_fault(fault, operation="ListPermissionGroupsByUser", count=None)

    with pytest.raises(HostError):
        host.read(created.id, created.outputs)


def test_the_credentials_of_another_account_are_refused(host: PulumiHost, service: EmulatorControl) -> None:
    """With the wrong profile everything looks absent, so nothing is believed and nothing is written."""
    created = host.create(declared())
    elsewhere = created.id.replace("123456789012", "999999999999")
    calls = len(service.journal())

    for call in (host.read, host.delete):
        with pytest.raises(HostError, match="belongs to account 999999999999"):
            call(elsewhere, created.outputs)
    assert len(service.journal()) == calls
    assert [m.user_id for m in service.memberships()] == ["alice"]


def test_somebody_elses_membership_is_not_taken(host: PulumiHost, service: EmulatorControl) -> None:
    """A membership that is there already is an error that names it and every way to go on."""
    service.grant("env1", "analysts", "alice")

    with pytest.raises(HostError) as failed:
        host.create(declared())

    for word in ("AlreadyExists", "alice", "analysts", "adopt", "remove this resource", "revoke it first"):
        assert word in failed.value.message
    assert {e.operation for e in service.journal()} <= {
        "GetProgrammaticAccessCredentials",
        "ListPermissionGroupsByUser",
    }


def test_an_adopted_membership_is_revoked_by_its_delete(host: PulumiHost, service: EmulatorControl) -> None:
    """Adopting is a decision: afterwards the membership belongs to the stack."""
    service.grant("env1", "analysts", "alice")

    created = host.create(declared(on_existing="adopt"))

    assert created.id == ALICE_ID + "?adopted"
    assert (created.outputs["adopted"], created.outputs["status_code"]) == (True, 0)
    host.delete(created.id, created.outputs)
    assert service.memberships() == []


def test_a_failure_shows_as_a_short_message(host: PulumiHost) -> None:
    """A user reads the host's own few frames and one line that says what to do, and nothing of botocore."""
    with pytest.raises(HostError) as failed:
        host.create(declared(user_id="nobody"))

    assert failed.value.message.startswith(
        "aws_associations.errors.NotFound: creating FinSpace permission group membership user_id 'nobody'"
    )
    assert len(failed.value.details.splitlines()) <= 12
    assert "botocore" not in failed.value.details


def test_no_region_is_said_so(service: EmulatorControl, aws: dict[str, str]) -> None:
    """Without a region the error names the ways to give one."""
    assert service is not None
    del aws["AWS_REGION"]
    with (
        PulumiHost(PermissionGroupMembershipProvider(), environment=aws) as host,
        pytest.raises(HostError, match=r"no AWS region is set.*AWS_REGION"),
    ):
        host.create(declared())


def test_the_time_out_is_the_users(host: PulumiHost, service: EmulatorControl) -> None:
    """A membership that does not become effective in time is an error that names the last status seen."""
    service.configure(addition_seconds=600)

    with pytest.raises(HostError, match=r"NotStabilized.*ADDITION_IN_PROGRESS"):
        host.create(declared(timeout_seconds=2))


def test_the_provider_is_stored_by_reference() -> None:
    """The state holds the class's import path and nothing of an instance, in at most 124 characters."""
    provider = PermissionGroupMembershipProvider()
    provider.api_key = "a secret"  # type: ignore[attr-defined]

    stored = serialize_provider(provider)

    assert stored == serialize_provider(PermissionGroupMembershipProvider())
    assert len(stored) <= 124
    content = base64.b64decode(stored)
    assert b"pulumi_aws_associations.finspace" in content
    assert b"PermissionGroupMembershipProvider" in content
    assert b"secret" not in content


def test_a_program_loads_nothing_of_the_aws_sdk() -> None:
    """Declaring a membership costs a program no botocore: that is loaded in the provider's process."""
    script = (
        "import sys, pulumi_aws_associations.finspace;"
        "print([m for m in sys.modules if m.split('.')[0] in ('boto3', 'botocore')])"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_a_create_that_times_out_leaves_nothing_behind(host: PulumiHost, service: EmulatorControl) -> None:
    """Pulumi keeps nothing of a failed create, so it is undone: the next up, with more time, starts anew."""
    service.configure(addition_seconds=30)
    with pytest.raises(HostError, match="NotStabilized"):
        host.create(declared(timeout_seconds=4))
    assert service.memberships() == []

    service.configure(addition_seconds=0)
    assert host.create(declared()).id == ALICE_ID


def test_a_create_that_cannot_be_undone_says_how_to_go_on(host: PulumiHost, service: EmulatorControl) -> None:
    """When nobody can tell whether it was granted, the message names the way back: adopt what the next up finds."""
    service.add_fault("cut", operation="AssociateUserToPermissionGroup", when="after", count=None)
    service.add_fault("throttled", operation="ListPermissionGroupsByUser", skip=1, count=None)
    service.add_fault("cut", operation="DisassociateUserFromPermissionGroup", count=None)

    with pytest.raises(HostError, match=r"Whether it took effect is not known.*adopt it with on_existing='adopt'"):
        host.create(declared(timeout_seconds=10))


def test_a_region_of_its_own_needs_no_default(service: EmulatorControl, aws: dict[str, str]) -> None:
    """With the region property, neither create nor delete asks for one in the environment."""
    del aws["AWS_REGION"]
    with PulumiHost(PermissionGroupMembershipProvider(), environment=aws) as host:
        created = host.create(declared(region="us-east-1"))
        assert host.read(created.id, created.outputs).id == ALICE_ID
        host.delete(created.id, created.outputs)
    assert service.memberships() == []


def test_a_refresh_after_the_services_end_keeps_the_state(
    host: PulumiHost, service: EmulatorControl, aws: dict[str, str]
) -> None:
    """FinSpace has ended: where its endpoint is gone, a refresh forgets nothing and warns; a delete succeeds."""
    created = host.create(declared())
    aws["AWS_ENDPOINT_URL_FINSPACE_DATA"] = "http://finspace-api.invalid"
    with PulumiHost(PermissionGroupMembershipProvider(), environment=aws) as ended:
        found = ended.read(created.id, created.outputs)
        ended.delete(created.id, created.outputs)

        assert (found.id, found.outputs) == (created.id, created.outputs)
        assert ended.output.count("warning: service-ended") == 2
    assert len(service.memberships()) == 1


def test_a_live_service_that_cannot_be_reached_is_an_error(aws: dict[str, str]) -> None:
    """A refresh of what has not ended fails when its endpoint does not resolve."""
    id_ = "iot-thing-group-membership/v1/123456789012/us-east-1/sensors/thermometer"
    environment = {**aws, "AWS_ENDPOINT_URL_IOT": "http://iot.invalid"}
    with (
        PulumiHost(ThingGroupMembershipProvider(), environment=environment) as host,
        pytest.raises(HostError, match=r"ServiceUnavailable.*cannot reach iot\.invalid"),
    ):
        host.read(id_, declared(timeout_seconds=3))


# -- the stack's configuration ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "more", "region"),
    [
        ({}, {}, "us-east-1"),
        ({"aws:region": "eu-west-1"}, {}, "eu-west-1"),
        ({"aws:region": "us-east-2", "aws-associations:region": "eu-west-1"}, {}, "eu-west-1"),
        ({"aws:region": "us-east-2", "aws-associations:region": "us-west-2"}, {"region": "eu-west-1"}, "eu-west-1"),
    ],
)
def test_the_region_is_the_resources_the_configurations_or_the_environments(
    provider_server: EmulatorServer,
    service: EmulatorControl,
    aws: dict[str, str],
    config: dict[str, str],
    more: dict[str, str],
    region: str,
) -> None:
    """In this order; delete stays with the region of creation, whatever the configuration says then."""
    there = EmulatorControl(provider_server.url, region="eu-west-1")
    there.add_permission_group("env1", "analysts")
    there.add_user("env1", "alice")
    with PulumiHost(PermissionGroupMembershipProvider(), environment=aws, config=config) as host:
        created = host.create(declared(**more))
    assert created.id == ALICE_ID.replace("us-east-1", region)
    assert [now.region for now in service.memberships()] == [region]

    with PulumiHost(PermissionGroupMembershipProvider(), environment=aws, config={"aws:region": "us-east-2"}) as host:
        assert host.diff(created.id, created.outputs, declared(**more)).changes is False
        host.delete(created.id, created.outputs)
    assert service.memberships() == []


@pytest.mark.parametrize("ours", [{}, {"aws-associations:profile": "deploy"}], ids=["theirs", "ours"])
def test_the_profile_of_the_configuration_signs(
    service: EmulatorControl, aws: dict[str, str], tmp_path: Path, ours: dict[str, str]
) -> None:
    """``aws:profile``, or ours before it, wins over the keys of the environment; its region is the last to count."""
    del aws["AWS_REGION"]
    aws["AWS_CONFIG_FILE"] = str(tmp_path / "config")
    profiles = {"deploy": "of-deploy", "other": "of-other"}
    (tmp_path / "config").write_text(
        "".join(
            f"[profile {name}]\nregion = us-east-1\naws_access_key_id = {key}\naws_secret_access_key = secret\n"
            for name, key in profiles.items()
        )
    )
    config = {"aws:profile": "other" if ours else "deploy", **ours}
    with PulumiHost(PermissionGroupMembershipProvider(), environment=aws, config=config) as host:
        assert host.create(declared()).id == ALICE_ID

    assert {entry.access_key_id for entry in service.journal("GetProgrammaticAccessCredentials")} == {"of-deploy"}


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"aws:profile": "nope"}, r"profile \(nope\) could not be found"),
        ({"aws:assumeRoles": '[{"roleArn": "r"}]'}, "aws:assumeRoles .*`pulumi config set aws-associations:profile"),
        ({"aws:accessKey": "AKIAEXAMPLE", "aws:secretKey": "s3cret"}, "aws:accessKey, aws:secretKey in the stack"),
    ],
)
def test_credentials_that_cannot_be_had_are_refused_at_preview(
    aws: dict[str, str], tmp_path: Path, config: dict[str, str], words: str
) -> None:
    """What the configuration says of credentials is obeyed or refused, and no secret told; a profile of ours wins."""
    aws["AWS_CONFIG_FILE"] = str(tmp_path / "config")
    (tmp_path / "config").write_text("[profile deploy]\nregion = us-east-1\n")
    with PulumiHost(PermissionGroupMembershipProvider(), environment=aws, config=config) as host:
        (failure,) = host.check(declared()).failures
    assert re.search(words, failure.reason)
    assert "s3cret" not in failure.reason

    chosen = {**config, "aws-associations:profile": "deploy"}
    with PulumiHost(PermissionGroupMembershipProvider(), environment=aws, config=chosen) as host:
        assert host.check(declared()).failures == ()


@pytest.mark.parametrize("name", ["member_name", "group_name"])
def test_a_wrong_part_has_a_hint(idle_host: PulumiHost, name: str) -> None:
    """A user principal name is taken apart; what the configuration made a number of belongs in quotes."""
    provider = serialize_provider(GroupMembershipProvider())
    given = {"directory_id": "d-1234567890", "group_name": "g", "member_name": "m"}

    (failure,) = idle_host.check({**given, name: 1.5}, provider=provider).failures
    assert failure.reason.endswith("(write it in quotes)")
    (failure,) = idle_host.check({**given, "member_name": "bob@corp.example.com"}, provider=provider).failures
    assert "member_name 'bob' and member_realm 'corp.example.com'" in failure.reason
