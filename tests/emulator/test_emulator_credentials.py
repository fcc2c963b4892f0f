"""Credentials: IAM's are only good for the exchange, FinSpace's for everything else, for as long as they last."""

from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from tests.emulator.emulation import ENVIRONMENT, IAM_CREDENTIALS, IAM_KEY, USER, Emulator, refused

CALLS: list[tuple[str, dict[str, Any]]] = [
    ("associate_user_to_permission_group", {"permissionGroupId": "g", "userId": "u"}),
    ("disassociate_user_from_permission_group", {"permissionGroupId": "g", "userId": "u"}),
    ("list_permission_groups_by_user", {"userId": "u", "maxResults": 1}),
    ("list_users_by_permission_group", {"permissionGroupId": "g", "maxResults": 1}),
    ("create_user", {"emailAddress": "a@example.com", "type": "APP_USER"}),
    ("disable_user", {"userId": "u"}),
    ("create_permission_group", {"name": "g", "applicationPermissions": []}),
    ("delete_permission_group", {"permissionGroupId": "g"}),
]


def list_groups(client: Any) -> Any:
    """Make the simplest call that needs FinSpace credentials."""
    return client.list_permission_groups_by_user(userId=USER, maxResults=1)


@pytest.fixture(autouse=True)
def _somebody(emulator: Emulator) -> None:
    emulator.control.add_user(ENVIRONMENT, USER)


@pytest.mark.parametrize(("operation", "parameters"), CALLS)
def test_iam_credentials_are_refused(emulator: Emulator, operation: str, parameters: dict[str, Any]) -> None:
    """Every operation but the exchange denies access to plain IAM credentials, and says what to do."""
    answer = refused("AccessDeniedException", lambda: getattr(emulator.client(), operation)(**parameters))
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert "GetProgrammaticAccessCredentials" in answer["message"]
    assert emulator.control.journal()[-1].caller == "iam"


def test_exchanged_credentials_are_accepted(emulator: Emulator) -> None:
    """The exchange gives temporary credentials that the other operations accept."""
    answer = emulator.client().get_programmatic_access_credentials(environmentId=ENVIRONMENT, durationInMinutes=15)

    assert answer["durationInMinutes"] == 15
    assert all(answer["credentials"][name] for name in ("accessKeyId", "secretAccessKey", "sessionToken"))
    list_groups(emulator.client(answer["credentials"]))
    exchange, listing = emulator.control.journal()
    assert (exchange.caller, exchange.access_key_id, exchange.environment_id) == ("iam", IAM_KEY, None)
    assert (listing.caller, listing.environment_id) == ("finspace", ENVIRONMENT)


def test_each_exchange_gives_new_credentials(emulator: Emulator) -> None:
    """Two exchanges give two sets, both good."""
    first, second = emulator.credentials(), emulator.credentials()
    assert first["accessKeyId"] != second["accessKeyId"]
    list_groups(emulator.client(first))
    list_groups(emulator.client(second))


def test_credentials_last_as_long_as_asked(emulator: Emulator) -> None:
    """Credentials are good until durationInMinutes have passed on the service's clock."""
    client = emulator.client(emulator.credentials(durationInMinutes=2))
    emulator.control.advance(119)
    list_groups(client)
    emulator.control.advance(1)
    refused("AccessDeniedException", lambda: list_groups(client))


def test_credentials_last_an_hour_at_most(emulator: Emulator) -> None:
    """Without durationInMinutes credentials last 60 minutes, which the answer says."""
    answer = emulator.client().get_programmatic_access_credentials(environmentId=ENVIRONMENT)
    client = emulator.client(answer["credentials"])
    assert answer["durationInMinutes"] == 60
    emulator.control.advance(3599)
    list_groups(client)
    emulator.control.advance(1)
    refused("AccessDeniedException", lambda: list_groups(client))


def test_expired_credentials_can_be_an_expired_token(emulator: Emulator) -> None:
    """expired_credentials=expired_token: the error is the one that AWS services share."""
    client = emulator.finspace()
    emulator.control.configure(expired_credentials="expired_token")
    emulator.control.advance(3600)
    answer = refused("ExpiredTokenException", lambda: list_groups(client))
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 403


@pytest.mark.parametrize("token", [None, "another"])
def test_the_session_token_must_match(emulator: Emulator, token: str | None) -> None:
    """An issued access key without its own session token is denied."""
    issued = {**emulator.credentials(), "sessionToken": token}
    refused("AccessDeniedException", lambda: list_groups(emulator.client(issued)))


def test_credentials_are_for_one_region(emulator: Emulator) -> None:
    """Credentials of one region are denied in another one."""
    issued = emulator.credentials(region="eu-west-1")
    refused("AccessDeniedException", lambda: list_groups(emulator.client(issued, region="us-east-1")))


def test_regions_share_nothing(emulator: Emulator) -> None:
    """The same environment id in two regions is two environments."""
    client = emulator.client(emulator.credentials(region="eu-west-1"), region="eu-west-1")
    refused("ResourceNotFoundException", lambda: list_groups(client))
    user = client.create_user(emailAddress="a@example.com", type="APP_USER")["userId"]
    refused(
        "ResourceNotFoundException",
        lambda: emulator.finspace().list_permission_groups_by_user(userId=user, maxResults=1),
    )


def test_finspace_credentials_cannot_be_exchanged(emulator: Emulator) -> None:
    """The exchange is for IAM credentials alone."""
    refused(
        "AccessDeniedException",
        lambda: emulator.finspace().get_programmatic_access_credentials(environmentId=ENVIRONMENT),
    )


def test_the_exchange_can_be_for_some_only(emulator: Emulator) -> None:
    """allowed_access_keys names the IAM keys that may exchange; an empty list denies all, null allows all."""
    other = {**IAM_CREDENTIALS, "accessKeyId": "AKIAI44QH8DHBEXAMPLE"}
    emulator.control.configure(allowed_access_keys=[IAM_KEY])
    emulator.credentials()
    refused(
        "AccessDeniedException",
        lambda: emulator.client(other).get_programmatic_access_credentials(environmentId=ENVIRONMENT),
    )
    emulator.control.configure(allowed_access_keys=[])
    refused("AccessDeniedException", emulator.credentials)
    emulator.control.configure(allowed_access_keys=None)
    emulator.client(other).get_programmatic_access_credentials(environmentId=ENVIRONMENT)


def test_environments_can_be_explicit(emulator: Emulator) -> None:
    """implicit_environments off: only the credentials of environments that were made can be had."""
    emulator.credentials("env8")
    emulator.control.configure(implicit_environments=False)
    refused("AccessDeniedException", lambda: emulator.credentials("env9"))
    emulator.control.add_environment("env9")
    emulator.credentials("env9")


# Over HTTP moto's server finds the service by the signature: such requests reach another one, or S3.
@pytest.mark.parametrize("emulator", ["in-process"], indirect=True)
def test_unsigned_requests_are_refused(emulator: Emulator) -> None:
    """In-process, where the host tells the service, a request without signature is answered as AWS does."""

    def unsign(request: Any, **_: Any) -> None:
        del request.headers["Authorization"]

    client = emulator.client()
    client.meta.events.register_first("before-send.finspace-data", unsign)
    refused("MissingAuthenticationTokenException", lambda: list_groups(client))
    assert emulator.control.journal()[-1].caller == "unsigned"


@pytest.mark.parametrize("emulator", ["in-process"], indirect=True)
def test_another_signing_name_is_refused(emulator: Emulator) -> None:
    """A request signed for another service is refused in-process, where it arrives by its host."""

    def sign_for_another(request: Any, **_: Any) -> None:
        header = request.headers["Authorization"]
        header = header.decode() if isinstance(header, bytes) else header
        del request.headers["Authorization"]
        request.headers["Authorization"] = header.replace("/finspace-api/", "/finspace/")

    client = emulator.client()
    client.meta.events.register_first("before-send.finspace-data", sign_for_another)
    refused("InvalidSignatureException", lambda: list_groups(client))


def test_a_region_without_finspace(emulator: Emulator) -> None:
    """Where FinSpace never was, no name resolves; at an endpoint given by URL the signature is refused."""
    if emulator.url is None:
        with pytest.raises(EndpointConnectionError, match=r"finspace-api\.eu-central-1"):
            emulator.credentials(region="eu-central-1")
    else:
        refused("InvalidSignatureException", lambda: emulator.credentials(region="eu-central-1"))
