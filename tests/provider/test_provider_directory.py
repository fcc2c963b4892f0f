"""The directory's member_realm: a default that only the service can tell."""

from __future__ import annotations

import time
from typing import Any

import pytest

from aws_associations.kinds.directory_group_membership import KIND
from engines.pulumi_host import UNKNOWN, Created, Difference, PulumiHost
from tests.provider.declared import aws_environment
from tests.provider.kinds import Declared

pytestmark = pytest.mark.parametrize("kind", [KIND], ids=[""])

NO_CHANGE = (False, ())
REPLACED = (True, ("member_realm",))


def told(difference: Difference) -> tuple[bool | None, tuple[str, ...]]:
    """Whether it changes, and which properties replace it."""
    return difference.changes, difference.replaces


def written_out(it: Declared, **changes: Any) -> Created:
    """A membership whose realm was declared in so many words."""
    created = it.create(**changes)
    it.control.clear_journal()
    return created


def test_the_directorys_own_realm_written_out_and_left_out_again_is_no_change(declared_kind: Declared) -> None:
    """Whether a realm that is left out means the one that was written out is asked of the directory."""
    it = declared_kind
    created = written_out(it, member_realm="Corp.Example.COM.")

    assert told(it.diff(created, member_realm=None)) == NO_CHANGE
    assert it.calls() == ["ListGroupsForMember"]


def test_another_realm_left_out_replaces(declared_kind: Declared) -> None:
    """A member of another domain is another member than that of the directory's own."""
    it = declared_kind
    created = written_out(it, **it.other("member_realm"))

    assert told(it.diff(created, member_realm=None)) == REPLACED


@pytest.mark.parametrize("code", ["AccessDeniedException", "DirectoryUnavailableException", "InternalServerException"])
def test_a_question_that_fails_replaces_and_does_not_hold_up_a_plan(declared_kind: Declared, code: str) -> None:
    """A replacement ends with what is declared, whatever the default is; no plan waits as long as a deployment."""
    it = declared_kind
    created = written_out(it, timeout_seconds=86_400)
    it.control.add_fault(
        "error", service=it.kind.service, error_code=code, members={"Reason": "DIRECTORY_TIMEOUT"}, count=None
    )

    start = time.monotonic()
    assert told(it.diff(created, member_realm=None, timeout_seconds=86_400)) == REPLACED
    assert time.monotonic() - start < 15


def test_a_plan_without_credentials_replaces(declared_kind: Declared, emulated: str) -> None:
    """A diff that cannot even tell the account answers as one that cannot ask, without a traceback."""
    it = declared_kind
    created = written_out(it)
    nobody = {name: value for name, value in aws_environment(emulated).items() if "KEY" not in name}

    with PulumiHost(it.host.provider, environment={**nobody, "AWS_EC2_METADATA_DISABLED": "true"}) as it.host:
        assert told(it.diff(created, member_realm=None)) == REPLACED


@pytest.mark.parametrize("name", ["directory_id", "group_name", "member_name", "region"])
def test_nothing_is_asked_about_what_is_not_known_yet(declared_kind: Declared, name: str) -> None:
    """In a preview the parts that the question is about may be unknown; then both replace."""
    it = declared_kind
    created = written_out(it)

    difference = it.diff(created, **{"member_realm": None, name: UNKNOWN})

    assert difference.changes is True
    assert set(difference.replaces) == {"member_realm", name}
    assert it.calls() == []


def test_a_default_stays_what_it_was_while_other_parts_change(declared_kind: Declared) -> None:
    """A realm that was left out from the start is compared with nothing: only the changed part replaces."""
    it = declared_kind
    created = written_out(it, member_realm=None)

    assert told(it.diff(created, member_realm=None, member_name=UNKNOWN)) == (True, ("member_name",))
    assert it.calls() == []
