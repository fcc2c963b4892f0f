"""Directory Service Data: a member of a group of an AWS Managed Microsoft AD directory.

Wire facts: service model ``ds-data`` 2023-05-31 and its documentation (API reference).
"""

from __future__ import annotations

import datetime

from aws_associations import errors
from aws_associations.kind import (
    Asked,
    ClientToken,
    Duplicates,
    Kind,
    Look,
    Part,
    Permission,
    Rejection,
    Scope,
    domain_name,
    without_case,
)

_MEMBER = {"DirectoryId": "directory_id", "SAMAccountName": "member_name"}

KIND = Kind(
    name="directory-group-membership",
    noun="directory group membership",
    cloudformation_type="Custom::DirectoryGroupMembership",
    service="ds-data",
    scope=(
        Part("directory_id", "DirectoryId", "Id of the directory", "d-1234567890"),
        Part(
            "member_realm",
            "MemberRealm",
            "Domain of the member (the directory's own if left out)",
            "corp.example.com",
            compared_as=domain_name,
            default=Asked("ListGroupsForMember", _MEMBER, "MemberRealm", {"MaxResults": 1}),
        ),
    ),
    parties=(
        Part("group_name", "GroupName", "Name of the group (sAMAccountName)", "Analysts", compared_as=without_case),
        Part("member_name", "MemberName", "Name of the member", "alice", compared_as=without_case),
    ),
    associate="AddGroupMember",
    disassociate="RemoveGroupMember",
    look=Look(
        operation="ListGroupsForMember",
        request={**_MEMBER, "MemberRealm": "member_realm"},
        items="Groups[]",
        match={"SAMAccountName": "group_name"},
        page_token=("NextToken", "NextToken"),
    ),
    errors={
        "AccessDeniedException": errors.AccessDenied,
        "ConflictException": errors.ResourceConflict,
        "DirectoryUnavailableException": errors.ServiceUnavailable,
        "InternalServerException": errors.ServiceUnavailable,
        "ResourceNotFoundException": errors.NotFound,
        "ThrottlingException": errors.Throttling,
        "ValidationException": errors.InvalidRequest,
    },
    transient={"DirectoryUnavailableException": frozenset({"DIRECTORY_TIMEOUT", "DIRECTORY_RESOURCES_EXCEEDED"})},
    lasting=(
        Rejection("AccessDeniedException", "DATA_DISABLED"),
        Rejection("AccessDeniedException", "DIRECTORY_AUTH"),
    ),
    refusals=frozenset({"INVALID_DIRECTORY_STATE", "NO_DISK_SPACE", "TRUST_AUTH_FAILURE"}),
    advice={
        "member_name '{user}@{realm}'": "Declare {member_name} '{user}' and {member_realm} '{realm}'.",
        r"member_name '{domain}\\{user}'": "Declare {member_name} '{user}' and, as {member_realm}, the DNS name of"
        " {domain}.",
        "IAM_AUTH": "Allow the caller ds-data:AddGroupMember, RemoveGroupMember, ListGroupsForMember and"
        " ds:AccessDSData on the directory, then {again}.",
        "DIRECTORY_AUTH": "Check {directory_id}, and that group and member are in the part of the directory that is"
        " delegated to you, then {again}.",
        "DATA_DISABLED": "Enable data access with `aws ds enable-directory-data-access --directory-id ...`, then"
        " {again}.",
        "INVALID_REALM": "Declare as {member_realm} the DNS name of the directory's own domain or of one that it"
        " trusts, then {again}.",
        "INVALID_DIRECTORY_TYPE": "Declare the {directory_id} of an AWS Managed Microsoft AD, which alone has this"
        " API, then {again}.",
        "INVALID_SECONDARY_REGION": "Call the directory where it was made: {set_region} its primary region.",
        "LDAP_SIZE_LIMIT_EXCEEDED": "The directory has reached a limit: make room in the group or the directory, then"
        " {again}.",
        "LDAP_UNSUPPORTED_OPERATION": "The directory refuses this change: check type and scope of the group, then"
        " {again}.",
        "INVALID_DIRECTORY_STATE": "Bring the directory back into the state Active, then {again}.",
        "DIRECTORY_TIMEOUT": "Wait until the directory answers in time, then {again}.",
        "DIRECTORY_RESOURCES_EXCEEDED": "Wait until the directory has less to do, or add domain controllers, then"
        " {again}.",
        "NO_DISK_SPACE": "The directory's disks are full: remove what it needs no more, or ask AWS Support, then"
        " {again}.",
        "TRUST_AUTH_FAILURE": "Check the trust between the directory and the member's domain, then {again}.",
        "DirectoryUnavailableException": "Bring the directory back into service, then {again}.",
    },
    duplicates=Duplicates.CONFLICT,
    # Not the owner's token: every reuse prolongs it by 8 hours, so a stack that is deployed daily would never lose it.
    token=ClientToken("ClientToken", datetime.timedelta(hours=8), (Scope.REQUEST,)),
    permissions=(
        Permission(
            ("ds-data:AddGroupMember", "ds-data:RemoveGroupMember", "ds-data:ListGroupsForMember"),
            ("arn:${Partition}:ds:${Region}:${Account}:directory/*",),
            dependent=("ds:AccessDSData",),
        ),
    ),
    summary="A user, group or computer as a member of a group in an AWS Managed Microsoft AD directory.",
    notes=(
        "Data access must be enabled on the directory, and calls go to its primary region.",
        "Names and realm compare without case; another spelling is the same membership, and keeps the first one's id.",
        "Without MemberRealm one more call asks the directory for its own domain.",
    ),
    proof="the published service model and documentation, and a strict emulator with a switch for each thing left open",
)
