"""FinSpace: a user's membership in a permission group.

Wire facts: service model ``finspace-data`` 2020-07-13 as last published (botocore 1.43.116). AWS ended the service on
2026-10-07, so behaviour beyond that model cannot be observed any more; what it leaves open is declared as undocumented.
"""

from __future__ import annotations

import datetime

from aws_associations.errors import (
    AccessDenied,
    InvalidRequest,
    NotFound,
    ResourceConflict,
    ServiceUnavailable,
    Throttling,
)
from aws_associations.kind import (
    ClientToken,
    CredentialExchange,
    Duplicates,
    Kind,
    Look,
    Part,
    Permission,
    Retirement,
    Scope,
    State,
)

_EXCHANGE = "GetProgrammaticAccessCredentials"

KIND = Kind(
    name="finspace-permission-group-membership",
    noun="FinSpace permission group membership",
    cloudformation_type="Custom::FinSpacePermissionGroupMembership",
    service="finspace-data",
    api_version="2020-07-13",
    scope=(Part("environment_id", None, "Id of the FinSpace environment", "env1", (_EXCHANGE, "environmentId")),),
    parties=(
        Part("permission_group_id", "permissionGroupId", "Id of the permission group", "analysts"),
        Part("user_id", "userId", "Id of the FinSpace user", "alice"),
    ),
    status_name="membership_status",
    associate="AssociateUserToPermissionGroup",
    disassociate="DisassociateUserFromPermissionGroup",
    look=Look(
        operation="ListPermissionGroupsByUser",
        request={"userId": "user_id"},
        constants={"maxResults": 100},  # required by the API; 100 is its maximum
        items="permissionGroups[]",
        match={"permissionGroupId": "permission_group_id"},
        page_token=("nextToken", "nextToken"),
        status="membershipStatus",
        states={
            "ADDITION_IN_PROGRESS": State.ADDING,
            "ADDITION_SUCCESS": State.PRESENT,
            "REMOVAL_IN_PROGRESS": State.REMOVING,
        },
    ),
    errors={
        "AccessDeniedException": AccessDenied,
        "ConflictException": ResourceConflict,
        "InternalServerException": ServiceUnavailable,
        "ResourceNotFoundException": NotFound,
        "ThrottlingException": Throttling,
        "ValidationException": InvalidRequest,
    },
    advice={
        AccessDenied: (
            "The caller needs finspace-api:GetProgrammaticAccessCredentials, and its IAM role must be registered as the"
            " apiAccessPrincipalArn of an enabled FinSpace user who is a superuser or holds ManageUsersAndGroups. Then"
            " {again}."
        ),
        NotFound: "Check that the user and the permission group exist in this environment, then {again}.",
    },
    duplicates=Duplicates.UNDOCUMENTED,
    # The owner token first, so that deploying again repeats the same request (the API reference: a token expires in 10
    # minutes); the request token if that was a replay without effect.
    token=ClientToken("clientToken", datetime.timedelta(minutes=10), (Scope.OWNER, Scope.REQUEST)),
    exchange=CredentialExchange(
        operation=_EXCHANGE,
        request={"environmentId": "environment_id"},
        constants={"durationInMinutes": 60},  # the API's maximum
        access_key="credentials.accessKeyId",
        secret_key="credentials.secretAccessKey",  # noqa: S106 - a path in the answer
        session_token="credentials.sessionToken",  # noqa: S106 - a path in the answer
        minutes="durationInMinutes",
    ),
    permissions=(
        Permission(
            ("finspace-api:GetProgrammaticAccessCredentials",),
            ("arn:${Partition}:finspace-api:${Region}:${Account}:/credentials/programmatic",),
        ),
    ),
    retirement=Retirement(
        datetime.date(2026, 10, 7),
        "AWS ended Amazon FinSpace on 2026-10-07. For tests, point AWS_ENDPOINT_URL_FINSPACE_DATA at an emulator.",
    ),
    summary="A user's membership in a FinSpace permission group.",
    notes=(
        "FinSpace authorizes by credentials of its own: register the caller's role as the apiAccessPrincipalArn of an"
        " enabled FinSpace user who is a superuser or holds ManageUsersAndGroups.",
    ),
    proof="the last published service model, and a strict emulator with a switch for each thing never published",
)
