"""Errors as users meet them: told apart by type; verb, noun, id, cause and advice in one message; nothing secret."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from association_emulator.control import EmulatorControl
from aws_associations.errors import (
    AccessDenied,
    AssociationError,
    InternalFailure,
    InvalidRequest,
    NotFound,
    ResourceConflict,
    ServiceUnavailable,
    Throttling,
)
from aws_associations.identity import AssociationId, Identity
from aws_associations.kind import Retirement
from aws_associations.kinds.finspace_permission_group_membership import KIND as PERMISSION_GROUP_MEMBERSHIP
from aws_associations.kinds.iot_thing_group_membership import KIND as THING_GROUP_MEMBERSHIP
from aws_associations.lifecycle import Removal
from aws_associations.service import Services
from tests.core.world import ACCOUNT, ASSOCIATE, DISASSOCIATE, EXCHANGE, GROUP, LOOK, REGION, USER, WORDS, World

URL = "http://user:hunter2@127.0.0.1:9/path"
PAGE = "<html><head><title>404</title></head><body>Nothing here any more</body></html>"


@pytest.mark.parametrize(
    ("code", "status", "meaning", "advice"),
    [
        ("InternalServerException", 500, ServiceUnavailable, "Wait until the service answers, then try again"),
        ("ValidationException", 400, InvalidRequest, "Correct what this message names, then try again"),
        ("ThrottlingException", 429, Throttling, "change fewer associations at once"),
        ("AccessDeniedException", 403, AccessDenied, "finspace-api:GetProgrammaticAccessCredentials"),
        ("ResourceNotFoundException", 404, NotFound, "Check that the user and the permission group exist"),
        ("ConflictException", 409, ResourceConflict, "Wait until other changes"),
    ],
)
def test_the_six_errors_of_the_api_are_told_apart(
    inner: World, code: str, status: int, meaning: type[AssociationError], advice: str
) -> None:
    """Each has a type of its own, and a message with verb, noun, id, operation, cause, reason and what to do."""
    body = '{"message": "because.", "reason": "REASON"}'
    inner.control.add_fault("answer", operation=ASSOCIATE, status=status, error_code=code, body=body, count=None)

    with pytest.raises(AssociationError) as caught:
        inner.create()

    assert type(caught.value) is meaning
    assert caught.value.code == meaning.__name__
    message = str(caught.value)
    named = WORDS.named(inner.identity())
    assert message.startswith(f"creating FinSpace permission group membership {named}: {meaning.__name__}: ")
    assert f"{ASSOCIATE} answered {code}, because" in message
    assert advice in message
    assert "\n" not in message
    if code in {"ValidationException", "ResourceNotFoundException", "ConflictException"}:
        assert "(REASON)" in message


def test_every_verb_is_named(inner: World) -> None:
    """The message begins with what was being done: creating, reading, updating, deleting."""
    inner.control.configure(allowed_access_keys=[])
    attempts: dict[str, Callable[[], object]] = {
        "creating": inner.create,
        "reading": inner.read,
        "updating": lambda: inner.update(inner.id(), inner.identity(), heal=True),
        "deleting": inner.delete,
    }
    for verb, attempt in attempts.items():
        with pytest.raises(AccessDenied, match=f"^{verb} FinSpace permission group membership its user_id 'alice'"):
            attempt()


@pytest.mark.parametrize("party", ["user", "group"])
def test_a_missing_party_is_not_found(world: World, party: str) -> None:
    """A create for a user or a group that does not exist is a definite NotFound that names which."""
    identity = world.identity(user="nobody") if party == "user" else world.identity(group="nothing")

    with pytest.raises(NotFound, match="nobody does not exist" if party == "user" else "nothing does not exist") as e:
        world.create(identity=identity)

    assert not e.value.outcome_unknown


def test_an_endpoint_that_does_not_resolve_says_that_the_service_has_ended(
    outer: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name of the host, that AWS ended the service, when, and what to do for tests; and nothing remains."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_FINSPACE_DATA", "http://finspace-api.invalid")

    with pytest.raises(ServiceUnavailable) as caught:
        outer.create()

    message = str(caught.value)
    for words in ("finspace-api.invalid", "AWS ended Amazon FinSpace on 2026-10-07", "AWS_ENDPOINT_URL_FINSPACE_DATA"):
        assert words in message
    assert caught.value.gone
    assert not caught.value.outcome_unknown


def test_a_stack_stays_deletable_after_the_end(outer: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the endpoint is gone, deleting succeeds with a warning, as the service's end took every grant along."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_FINSPACE_DATA", "http://finspace-api.invalid")

    assert outer.delete() is Removal.SERVICE_ENDED
    assert "service-ended" in outer.host.warnings


def test_a_service_that_has_not_ended_is_only_unreachable(outer: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same for a kind that is live, or ends some day: the delete is an error, and says nothing of an end."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_FINSPACE_DATA", "http://finspace-api.invalid")
    retirement = PERMISSION_GROUP_MEMBERSHIP.retirement
    assert retirement is not None
    live = replace(PERMISSION_GROUP_MEMBERSHIP, retirement=None)
    ending = replace(live, retirement=Retirement(retirement.ended.replace(year=2999), "It ends in 2999."))

    for kind in (live, ending):
        with pytest.raises(ServiceUnavailable, match=r"finspace-api\.invalid") as caught:
            outer.lifecycle.delete(kind, outer.request(physical_id=outer.id()))
        assert "2026" not in str(caught.value)


ANSWERS: dict[str, dict[str, Any]] = {
    "a page": {"status": 200, "body": PAGE, "content_type": "text/html"},
    "a page, 404": {"status": 404, "body": PAGE, "content_type": "text/html"},
    "a page, 403": {"status": 403, "body": PAGE, "content_type": "text/html"},
    "nothing, 410": {"status": 410, "body": "", "content_type": "text/plain"},
    "a page, 503": {"status": 503, "body": PAGE, "content_type": "text/html"},
    "an unpublished error": {"status": 400, "body": "{}", "error_code": "UnknownOperationException"},
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_an_answer_that_the_api_does_not_have_says_that_the_service_has_ended(
    world: World, answer: dict[str, Any]
) -> None:
    """A decommissioned endpoint answers anything: ServiceUnavailable with the end; one line; a delete succeeds."""
    world.control.add_fault("answer", count=None, **answer)

    with pytest.raises(ServiceUnavailable, match="AWS ended Amazon FinSpace") as caught:
        world.create()

    assert "\n" not in str(caught.value)
    assert "Nothing here any more" not in str(caught.value)
    assert not caught.value.outcome_unknown
    assert world.delete() is Removal.SERVICE_ENDED
    assert "service-ended" in world.host.warnings


def test_a_foreign_error_from_the_callers_own_chain_is_no_end_of_the_service(
    inner: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A role that cannot be assumed is the caller's problem: a delete that meets it must not succeed."""
    from botocore import client
    from botocore.exceptions import ClientError

    refusal = {"Error": {"Code": "InvalidIdentityToken", "Message": "No OpenIDConnect provider found"}}
    status = {"ResponseMetadata": {"HTTPStatusCode": 400}}

    def refuse(*_: object, **__: object) -> None:
        raise ClientError({**refusal, **status}, "AssumeRoleWithWebIdentity")

    monkeypatch.setattr(client.BaseClient, "_make_api_call", refuse)
    inner.grant_as_others_do()

    with pytest.raises(AssociationError, match="AssumeRoleWithWebIdentity answered InvalidIdentityToken") as caught:
        inner.delete()

    assert not caught.value.gone
    assert "ended" not in str(caught.value)


@pytest.fixture
def no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing in the caller's chain."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)


@pytest.mark.usefixtures("no_credentials")
def test_no_credentials(outer: World) -> None:
    """AccessDenied that says that none were found, before anything is sent; a delete is an error too."""
    for attempt in (outer.create, outer.delete, lambda: outer.services.account(REGION, outer.request().deadline)):
        with pytest.raises(AccessDenied, match="no usable AWS credentials") as caught:
            attempt()
        assert not caught.value.outcome_unknown
    assert outer.control.journal() == []


@pytest.mark.usefixtures("no_credentials")
def test_no_credentials_advice_is_about_credentials(outer: World) -> None:
    """Who has no credentials at all is told where they come from, not which FinSpace role they need."""
    with pytest.raises(AccessDenied, match="environment, a profile or a role"):
        outer.create()


def test_no_region(monkeypatch: pytest.MonkeyPatch) -> None:
    """InvalidRequest that tells the ways to set one."""
    monkeypatch.delenv("AWS_REGION")
    services = Services()

    for attempt in (services.default_region,):
        with pytest.raises(InvalidRequest, match=r"no AWS region is set.*AWS_REGION"):
            attempt()


def test_a_profile_that_does_not_exist(monkeypatch: pytest.MonkeyPatch, outer: World) -> None:
    """A mistyped profile is a short message that names it, whatever is asked first."""
    monkeypatch.setenv("AWS_PROFILE", "mistyped")
    monkeypatch.delenv("AWS_REGION")

    for attempt in (
        lambda: Services().default_region(),
        lambda: Services().account(REGION, outer.request().deadline),
        lambda: outer.create(),
    ):
        with pytest.raises(InvalidRequest, match="mistyped"):
            attempt()


@pytest.mark.parametrize(
    ("name", "arguments", "meaning"),
    [
        ("SSOTokenLoadError", {"error_msg": "expired"}, AccessDenied),
        ("UnauthorizedSSOTokenError", {}, AccessDenied),
        ("TokenRetrievalError", {"provider": "sso", "error_msg": "expired"}, AccessDenied),
        ("CredentialRetrievalError", {"provider": "process", "error_msg": "exit 1"}, AccessDenied),
        ("SSLError", {"endpoint_url": "https://x.invalid", "error": "certificate"}, ServiceUnavailable),
        ("ProxyConnectionError", {"proxy_url": "http://proxy.invalid"}, ServiceUnavailable),
        ("ConnectTimeoutError", {"endpoint_url": "https://x.invalid"}, ServiceUnavailable),
    ],
)
def test_what_the_sdk_raises_on_a_users_machine_is_no_defect_of_ours(
    inner: World, monkeypatch: pytest.MonkeyPatch, name: str, arguments: dict[str, Any], meaning: type[AssociationError]
) -> None:
    """An expired sign-on, a certificate, a proxy: AccessDenied or ServiceUnavailable, never InternalFailure."""
    from botocore import client, exceptions

    def fail(*_: object, **__: object) -> None:
        raise getattr(exceptions, name)(**arguments)

    monkeypatch.setattr(client.BaseClient, "_make_api_call", fail)

    with pytest.raises(AssociationError) as caught:
        inner.read()

    assert type(caught.value) is meaning
    assert "defect" not in str(caught.value)


def test_a_page_token_that_comes_again_is_a_failure_and_not_an_endless_loop(world: World) -> None:
    """A list that answers the same page token for ever: InternalFailure at the second time, never absence."""
    body = '{"permissionGroups": [], "nextToken": "again"}'
    world.control.add_fault("answer", operation=LOOK, status=200, body=body, count=50)

    with pytest.raises(InternalFailure, match="same page token twice") as caught:
        world.read()

    assert len(world.control.journal(LOOK)) == 2
    assert not caught.value.outcome_unknown


@pytest.fixture
def leaks(inner: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Everything secret: the caller's key, and whatever the service issued."""
    from botocore.credentials import RefreshableCredentials

    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the-callers-secret-key")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "the-callers-session-token")
    secrets = ["the-callers-secret-key", "the-callers-session-token"]
    make = RefreshableCredentials.__init__

    def keep(self: Any, access_key: str, secret_key: str, token: str, *args: Any, **kwargs: Any) -> None:
        secrets.extend((secret_key, token))
        make(self, access_key, secret_key, token, *args, **kwargs)

    monkeypatch.setattr(RefreshableCredentials, "__init__", keep)
    yield secrets
    assert len(secrets) > 2
    assert inner.host.notes


FAILURES: list[dict[str, Any]] = [
    {"kind": "internal_error"},
    {"kind": "cut"},
    {"kind": "throttled"},
    {"kind": "answer", "status": 200, "body": PAGE, "content_type": "text/html"},
    {"kind": "answer", "status": 403, "error_code": "SignatureDoesNotMatch", "body": "{}"},
]


@pytest.mark.parametrize("failure", FAILURES, ids=lambda fault: str(fault.get("error_code", fault["kind"])))
@pytest.mark.parametrize("operation", [ASSOCIATE, DISASSOCIATE, EXCHANGE, LOOK])
def test_nothing_secret_is_told(inner: World, leaks: list[str], failure: dict[str, Any], operation: str) -> None:
    """No key, session token, signature or URL in a message or a note, however a call fails."""
    inner.create()
    inner.control.advance(61 * 60)
    inner.control.add_fault(operation=operation, count=None, **failure)
    told = []
    for attempt in (lambda: inner.create(identity=inner.identity(user="bob")), inner.delete, inner.read):
        inner.control.add_user("env1", "bob")
        try:
            attempt()
        except AssociationError as error:
            told += [str(error), repr(error), error.cause, error.advice]
    told += [f"{event} {dict(fields)}" for event, fields in inner.host.notes]

    everything = "\n".join(told)
    assert operation in everything
    for secret in leaks:
        assert secret not in everything
    assert not re.search(r"Authorization|Signature=|X-Amz-|AWS4-HMAC|https?://(?!docs)", everything)


@pytest.mark.parametrize("code", ["InvalidSignatureException", "SignatureDoesNotMatch"])
def test_what_quotes_the_signed_request_is_not_repeated(outer: World, code: str) -> None:
    """AWS explains a wrong signature by the whole request, its session token included: only the code is told."""
    quoted = "The Canonical String should have been 'GET\\n/user\\nx-amz-security-token:FwoGZXIvYXdzEXAMPLE'"
    body = json.dumps({"message": quoted})
    outer.control.add_fault("answer", status=403, error_code=code, body=body, count=None)

    with pytest.raises(AccessDenied, match=code) as caught:
        outer.create()

    assert "FwoGZXIvYXdzEXAMPLE" not in str(caught.value)


def test_an_endpoint_of_the_callers_own_chain_is_not_the_services(
    monkeypatch: pytest.MonkeyPatch, outer: World, tmp_path: Path
) -> None:
    """A role that cannot be assumed because STS is unreachable says nothing of the service: the delete is an error."""
    outer.grant_as_others_do()
    outer.control.advance(400 * 86_400)
    config = tmp_path / "config"
    role = "[default]\nrole_arn = arn:aws:iam::123456789012:role/deployer\nsource_profile = base\n"
    config.write_text(role + "[profile base]\naws_access_key_id = testing\naws_secret_access_key = testing\n")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "http://sts.invalid")

    with pytest.raises(AssociationError) as caught:
        World(outer.control).delete()

    assert not caught.value.gone
    assert outer.members() == {(GROUP, USER)}


def test_an_account_that_cannot_be_looked_up_promises_nothing_of_a_write(outer: World) -> None:
    """No write was sent, so the message must not say that one may have taken effect."""
    everything = EmulatorControl(os.environ["AWS_ENDPOINT_URL"])
    everything.add_fault("internal_error", service="sts", operation="GetCallerIdentity", count=None)

    with pytest.raises(ServiceUnavailable, match="GetCallerIdentity") as caught:
        outer.services.account(REGION, outer.request().deadline)

    assert not caught.value.outcome_unknown


def test_a_configuration_that_cannot_be_used_is_the_users(monkeypatch: pytest.MonkeyPatch, outer: World) -> None:
    """A certificate bundle that is set and empty is InvalidRequest that says so, not a defect of ours."""
    monkeypatch.setenv("AWS_CA_BUNDLE", "")

    with pytest.raises(InvalidRequest, match=r"the AWS configuration cannot be used.*CA bundle"):
        World(outer.control).create()


@pytest.mark.parametrize(
    ("variables", "profile", "named"),
    [
        ({"AWS_ENDPOINT_URL_IOT": URL}, "", "the environment variable AWS_ENDPOINT_URL_IOT"),
        ({"AWS_ENDPOINT_URL": URL}, "", "the environment variable AWS_ENDPOINT_URL"),
        ({"AWS_ENDPOINT_URL": "http://[", "AWS_ENDPOINT_URL_IOT": URL}, "", "AWS_ENDPOINT_URL_IOT"),
        ({}, f"endpoint_url = {URL}", "endpoint_url of the AWS profile"),
        ({}, f"services = mine\n[services mine]\niot =\n  endpoint_url = {URL}", "endpoint_url of the AWS profile"),
    ],
)
def test_an_endpoint_that_a_setting_names_is_told_with_that_setting(
    inner: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variables: dict[str, str], profile: str, named: str
) -> None:
    """Host and port, who sent the call there, and what to do; whoever set it put credentials into no message."""
    config = tmp_path / "config"
    config.write_text(f"[default]\n{profile}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    identity = Identity.of(THING_GROUP_MEMBERSHIP, ACCOUNT, REGION, {"thing_group_name": "g", "thing_name": "t"})

    with pytest.raises(ServiceUnavailable) as caught:
        World(inner.control).lifecycle.read(identity, inner.request())

    said = str(caught.value)
    assert "ListThingGroupsForThing cannot reach 127.0.0.1:9, which " in said
    assert f"{named} names. Start what is to listen there, or correct or unset " in said
    assert said.endswith(f"{named}. Then try again.")
    assert "hunter2" not in said


def test_a_live_services_endpoint_that_is_gone_is_an_error(outer: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a retired kind's delete succeeds without its service."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_IOT", "http://iot.invalid")
    values = {"thing_group_name": "g", "thing_name": "t"}
    text = AssociationId(Identity.of(THING_GROUP_MEMBERSHIP, ACCOUNT, REGION, values)).text

    with pytest.raises(ServiceUnavailable, match=r"cannot reach iot\.invalid") as caught:
        outer.lifecycle.delete(THING_GROUP_MEMBERSHIP, outer.request(physical_id=text))

    assert "ended" not in str(caught.value)
