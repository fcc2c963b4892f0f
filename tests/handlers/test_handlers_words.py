"""What whoever deploys a stack reads at 3 a.m.: CloudFormation's own names, and advice that fits what was done."""

from __future__ import annotations

import re
from typing import Any

import pytest

from aws_associations.kind import Kind
from aws_associations.kinds import KINDS
from engines.response_sink import Answer
from tests.contract.cases import modelled_errors
from tests.contract.scenery import SCENERY, module_of
from tests.handlers.kinds import can_fail, kind, kinds
from tests.handlers.stage import KindStage

ADD, REMOVE = "creating", "deleting"
REPEAT = {ADD: "deploy again", REMOVE: "delete the stack again or, if the stack stays, revoke"}


def _kind(switch: str) -> Kind:
    return next(each for each in KINDS if each.switch == switch)


def failing(stage: KindStage, doing: str, code: str, members: dict[str, str]) -> str:
    """Let the associate or the disassociate be answered with an error, and return the Reason."""
    operation = stage.kind.associate if doing == ADD else stage.kind.disassociate
    if doing == REMOVE:
        stage.scenery.grant(stage.values())
    stage.control.add_fault(
        "error", service=stage.kind.service, operation=operation, error_code=code, members=members, count=None
    )
    answer = stage.create() if doing == ADD else stage.delete(stage.id())
    assert answer.status == "FAILED"
    return str(answer.reason)


def told(answer: Answer) -> str:
    """The Reason of a request that failed."""
    assert answer.status == "FAILED"
    return str(answer.reason)


def _every_error() -> list[Any]:
    """Each error that a service model has for a write, and each reason in it that has advice of its own."""
    rows = []
    for each in KINDS:
        reasons = SCENERY[module_of(each)].reasons
        for error in modelled_errors(each):
            gone = each.errors[error.code].code == "NotFound" and error.operation == each.disassociate
            if error.operation not in {each.associate, each.disassociate} or gone:
                continue
            doing = ADD if error.operation == each.associate else REMOVE
            for reason in ("", *(reason for reason, code in reasons.items() if code == error.code)):
                name = "-".join(filter(None, (each.name, doing, error.code, reason)))
                rows.append(pytest.param(each, doing, error.code, reason, id=name))
    return rows


@pytest.mark.parametrize(("kind_stage", "doing", "code", "reason"), _every_error(), indirect=["kind_stage"])
def test_every_error_tells_the_next_step_in_cloudformations_words(
    kind_stage: KindStage, doing: str, code: str, reason: str
) -> None:
    """What was being done to what, by the template's names; a next step; nothing of Pulumi, no blank left unfilled."""
    stage = kind_stage
    said = failing(stage, doing, code, {"Reason": reason} if reason else {})

    head, _, advice = said.partition(": ")[2].partition(f" answered {code}")
    assert said.startswith(f"{doing} {stage.kind.noun} ")
    assert all(f"{part.property_name} '" in said for part in stage.kind.parts)
    assert head
    assert not re.search(r"\{\w+\}|[Pp]ulumi|on_existing|timeout_seconds|Correct the value", said), said
    assert REPEAT[REMOVE if doing == ADD else ADD] not in advice
    assert REPEAT[doing] in advice or "deploy the function and this stack in" in advice


MOVED = "Operation is being called from endpoint us-east-1, but your identity region is eu-west-2. Please use it."
ROWS: list[tuple[str, str, str, dict[str, str], str, str]] = [
    (
        "QuickSightGroupMembership",
        ADD,
        "AccessDeniedException",
        {"Message": MOVED},
        "this stack in eu-west-2",
        "permission",
    ),
    ("QuickSightGroupMembership", REMOVE, "PreconditionNotMetException", {}, "state that the service asks", "Correct"),
    (
        "OrganizationsDelegatedAdministrator",
        ADD,
        "ConstraintViolationException",
        {"Reason": "SERVICE_ACCESS_NOT_ENABLED"},
        "aws organizations enable-aws-service-access",
        "Correct",
    ),
    (
        "OrganizationsDelegatedAdministrator",
        ADD,
        "ConstraintViolationException",
        {"Reason": "MAX_DELEGATED_ADMINISTRATORS_FOR_SERVICE_LIMIT_EXCEEDED"},
        "deregister one",
        "Correct",
    ),
    (
        "OrganizationsDelegatedAdministrator",
        ADD,
        "ConstraintViolationException",
        {"Reason": "CANNOT_REGISTER_SUSPENDED_ACCOUNT_AS_DELEGATED_ADMINISTRATOR"},
        "Reactivate the account",
        "Correct",
    ),
    (
        "OrganizationsDelegatedAdministrator",
        REMOVE,
        "ConstraintViolationException",
        {"Reason": "TAG_POLICY_VIOLATION"},
        "No property is wrong",
        "Correct",
    ),
    (
        "OrganizationsDelegatedAdministrator",
        ADD,
        "AccountNotFoundException",
        {},
        "Declare as AccountId a member account",
        "Create the missing",
    ),
    (
        "DirectoryGroupMembership",
        ADD,
        "ValidationException",
        {"Reason": "INVALID_SECONDARY_REGION"},
        "this stack in its primary region",
        "Correct",
    ),
    (
        "DirectoryGroupMembership",
        ADD,
        "ValidationException",
        {"Reason": "INVALID_REALM"},
        "Declare as MemberRealm",
        "Correct",
    ),
    (
        "DirectoryGroupMembership",
        ADD,
        "AccessDeniedException",
        {"Reason": "DIRECTORY_AUTH"},
        "Check DirectoryId",
        "permission",
    ),
    (
        "DirectoryGroupMembership",
        REMOVE,
        "DirectoryUnavailableException",
        {"Reason": "NO_DISK_SPACE"},
        "disks are full",
        "deploy again",
    ),
    ("OpenSearchPackageAssociation", ADD, "ConflictException", {}, "no change in progress", "index"),
    (
        "OpenSearchPackageAssociation",
        REMOVE,
        "ConflictException",
        {},
        "delete or change that index first",
        "deploy again",
    ),
    ("IotThingGroupMembership", ADD, "InvalidRequestException", {}, "static groups only", "Correct"),
    (
        "IotThingGroupMembership",
        REMOVE,
        "InvalidRequestException",
        {},
        "Correct what this message names",
        "static groups",
    ),
    (
        "FinSpacePermissionGroupMembership",
        ADD,
        "ExpiredTokenException",
        {},
        "renew the caller's credentials",
        "apiAccessPrincipalArn",
    ),
    (
        "OrganizationsDelegatedAdministrator",
        ADD,
        "ExpiredTokenException",
        {},
        "renew the caller's credentials",
        "management account",
    ),
    ("IotBillingGroupMembership", ADD, "SignatureDoesNotMatch", {}, "clock of this machine", "permission"),
]
"""Type, what is being done, error code, members of the error: words that must be in the Reason, and that must not."""


@pytest.mark.parametrize(
    ("kind_stage", "doing", "code", "members", "must", "must_not"),
    [
        pytest.param(
            _kind(name),
            doing,
            code,
            members,
            must,
            must_not,
            id=f"{name}-{doing}-{code}-{''.join(members.values())[:30]}",
        )
        for name, doing, code, members, must, must_not in ROWS
    ],
    indirect=["kind_stage"],
)
def test_the_advice_fits_the_cause(
    kind_stage: KindStage, doing: str, code: str, members: dict[str, str], must: str, must_not: str
) -> None:
    """The step that mends this very error, and not one that mends another."""
    said = failing(kind_stage, doing, code, members)

    assert must in said
    assert must_not not in said


@kinds(can_fail)
def test_what_the_service_gave_up_is_not_waited_for_longer(kind_stage: KindStage) -> None:
    """A failed association and a failed removal: mend what the service says; no time-out is too short for that."""
    stage = kind_stage
    stage.scenery.fail("The dictionary has a syntax error", adding=True)
    added = told(stage.create())
    stage.scenery.fail("The domain is red", removing=True)
    stage.scenery.grant(stage.values("package_id"))
    removed = told(stage.delete(stage.id(stage.values("package_id"))))

    for said, doing in ((added, ADD), (removed, REMOVE)):
        assert "Mend what the service says" in said
        assert "TimeoutSeconds" not in said
        assert REPEAT[doing] in said


@kinds()
def test_what_is_only_slow_is_given_more_time_by_its_cloudformation_name(kind_stage: KindStage) -> None:
    """A look that never shows the association ends with the function's own parameter."""
    stage = kind_stage
    stage.scenery.show(present=False, count=None)

    said = told(stage.create())

    assert "NotStabilized" in said
    assert "raise TimeoutSeconds of the function's stack. Then deploy again." in said


@kinds()
def test_what_is_there_already_is_adopted_by_its_cloudformation_name(kind_stage: KindStage) -> None:
    """Every way to go on, in the words of a template."""
    kind_stage.scenery.grant(kind_stage.values())

    said = told(kind_stage.create())

    assert "declare OnExisting: Adopt. " in said
    assert "ulumi" not in said


@kind("DirectoryGroupMembership")
def test_a_default_that_cannot_be_told_is_not_named(kind_stage: KindStage) -> None:
    """A realm that was left out has no value to show: neither the word default nor the property is in the message."""
    stage = kind_stage
    stage.scenery.remove("member_name")
    values = {name: value for name, value in stage.values().items() if name != "member_realm"}

    said = told(stage.create(stage.properties(values)))

    assert said.startswith("reading the defaults of directory group membership MemberName ")
    assert "MemberRealm" not in said
    assert "Create the missing party first" in said


# -- wrong properties --------------------------------------------------------------------------------------------------


@kinds()
def test_all_that_is_wrong_is_told_at_once(kind_stage: KindStage) -> None:
    """Every wrong value with its property, a missing one, a misspelt one and a wrong OnExisting: one deployment."""
    stage = kind_stage
    first, *others = (part for part in stage.kind.parts if part.default is None)
    wrong = {part.property_name: "\u2028" * 300 for part in others}
    declared = {**wrong, "OnExisting": "adopt", "Revison": "2"}

    said = told(stage.create(declared))

    assert f"property {first.property_name} is missing" in said
    for part in others:
        assert re.search(rf"property {part.property_name} must .*'\\u2028", said)
    assert "property OnExisting must be Fail or Adopt, is 'adopt' (did you mean Adopt?)" in said
    assert "property Revison is not known (did you mean Revision?)" in said
    assert said.endswith("Correct the template, then deploy again.")
    assert stage.journal() == []


HINTS = [
    (
        "DirectoryGroupMembership",
        "MemberName",
        "bob@corp.example.com",
        "declare MemberName 'bob' and MemberRealm 'corp.example.com'",
    ),
    (
        "DirectoryGroupMembership",
        "MemberName",
        r"CORP\bob",
        "declare MemberName 'bob' and, as MemberRealm, the DNS name of CORP",
    ),
    ("OrganizationsDelegatedAdministrator", "AccountId", "1234-5678-9012", "12 digits and no hyphens"),
    ("OrganizationsDelegatedAdministrator", "AccountId", "12345678901", "quote it in YAML"),
    (
        "IotThingGroupMembership",
        "ThingName",
        "arn:aws:iot:eu-west-1:111122223333:thing/meter-7",
        "did you mean 'meter-7'?",
    ),
    ("OpenSearchPackageAssociation", "DomainName", "search\n", "did you mean 'search'?"),
]


@pytest.mark.parametrize(
    ("kind_stage", "name", "value", "hint"),
    [pytest.param(_kind(switch), name, value, hint, id=f"{name}-{value}") for switch, name, value, hint in HINTS],
    indirect=["kind_stage"],
)
def test_a_common_mistake_has_a_hint(kind_stage: KindStage, name: str, value: str, hint: str) -> None:
    """The wrong value, and in brackets what was probably meant."""
    said = told(kind_stage.create({**kind_stage.properties(), name: value}))

    assert f"property {name} must " in said
    assert f" {value!r} (" in said
    assert hint in said


@pytest.mark.parametrize(
    ("resource_type", "advice"),
    [
        ("AWS::CloudFormation::CustomResource", "Name the kind in Type, in the CDK's CustomResource in resourceType"),
        ("Custom::DirectoryGroupMember", "Did you mean Custom::DirectoryGroupMembership?"),
        ("Custom::iot-thing-group-membership", "Did you mean Custom::IotThingGroupMembership?"),
        ("Custom::Unicorn", "is not served by this function. Served are: Custom::"),
    ],
)
@kind("DirectoryGroupMembership")
def test_a_type_that_is_not_served_tells_what_to_write(kind_stage: KindStage, resource_type: str, advice: str) -> None:
    """The CDK's default type, a misspelt one, and one that is nothing like any: the message lists what is served."""
    said = told(kind_stage.create(resource_type=resource_type))

    assert f"the resource type {resource_type!r} is not served by this function" in said
    assert advice in said
    assert all(each.cloudformation_type in said for each in KINDS)


# -- what an operator must look at -------------------------------------------------------------------------------------


def _level(stage: KindStage) -> list[str]:
    return [line["level"] for line in stage.lines.named("failed")]


@kinds()
def test_a_mistake_of_whoever_deploys_is_no_alarm(kind_stage: KindStage) -> None:
    """A misspelt property, a missing party and a foreign association: INFO; a permission of the role: WARNING."""
    stage = kind_stage
    stage.create({})
    assert _level(stage) == ["INFO"]
    stage.scenery.grant(stage.values())
    stage.create()
    assert _level(stage) == ["INFO"]
    stage.scenery.revoke(stage.values())

    failing(stage, ADD, "AccessDeniedException", {})
    assert _level(stage) == ["WARNING"]


@kind("OpenSearchPackageAssociation")
def test_a_failed_delete_is_an_alarm_whatever_the_cause(kind_stage: KindStage) -> None:
    """After a clean-up no resource of the stack shows any more what is left."""
    failing(kind_stage, REMOVE, "ConflictException", {})

    assert _level(kind_stage) == ["WARNING"]
