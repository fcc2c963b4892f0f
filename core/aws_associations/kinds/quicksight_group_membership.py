"""QuickSight: a user in a group. Wire facts: service model ``quicksight`` 2018-04-01 (API reference).

AccessDeniedException is HTTP 401 here.
"""

from __future__ import annotations

from aws_associations import errors
from aws_associations.kind import Duplicates, Kind, Look, Part, Permission, Rejection

KIND = Kind(
    name="quicksight-group-membership",
    noun="QuickSight group membership",
    cloudformation_type="Custom::QuickSightGroupMembership",
    service="quicksight",
    scope=(Part("namespace", "Namespace", "Namespace of group and user", "default", default="default"),),
    parties=(
        Part("group_name", "GroupName", "Name of the group", "analysts"),
        Part("member_name", "MemberName", "Name of the user", "alice"),
    ),
    account_member="AwsAccountId",
    associate="CreateGroupMembership",
    disassociate="DeleteGroupMembership",
    look=Look(
        operation="DescribeGroupMembership",
        request={
            "AwsAccountId": "account",
            "Namespace": "namespace",
            "GroupName": "group_name",
            "MemberName": "member_name",
        },
        items="[GroupMember]",
        match={"MemberName": "member_name"},
    ),
    errors={
        "AccessDeniedException": errors.AccessDenied,
        "InternalFailureException": errors.ServiceUnavailable,
        "InvalidParameterValueException": errors.InvalidRequest,
        "PreconditionNotMetException": errors.ResourceConflict,
        "ResourceNotFoundException": errors.NotFound,
        "ResourceUnavailableException": errors.ServiceUnavailable,
        "ThrottlingException": errors.Throttling,
    },
    busy=(Rejection("PreconditionNotMetException"), Rejection("ResourceUnavailableException")),
    unseen=(Rejection("InvalidParameterValueException", message="(?i)invalid user"),),
    lasting=(Rejection("AccessDeniedException", message="(?i)region"),),  # it names the region of the identities
    advice={
        # Observed (cloud-custodian 10168): the service tells where the account's users and groups are.
        "identity region is {region}": "Users and groups of this account are in {region}: {set_region} {region}.",
        "PreconditionNotMetException": "Bring account, namespace and group into the state that the service asks for,"
        " then {again}.",
    },
    duplicates=Duplicates.UNDOCUMENTED,
    permissions=(
        Permission(
            (
                "quicksight:CreateGroupMembership",
                "quicksight:DeleteGroupMembership",
                "quicksight:DescribeGroupMembership",
            ),
            ("arn:${Partition}:quicksight:${Region}:${Account}:group/*",),
        ),
    ),
    summary="A user's membership in a QuickSight group.",
    notes=(
        "Users and groups live in the region of the account's identities; deploy there.",
        "No maximum is published for group names; an id of over 1024 bytes is refused before any call.",
    ),
    proof="moto's QuickSight with the missing operations added, the published service model",
)
