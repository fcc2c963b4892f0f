"""What the comparison of the template's policy with every call of the suite (tests/policy.py) would notice."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from aws_associations.kinds import KINDS
from tests.handlers.template import ROOT
from tests.policy import ACCOUNT, BY_LAMBDA, RESOURCES, Call, allowed_actions, problems

THING = {"thingName": "meter", "thingGroupName": "meters"}
DELEGATED = {"AccountId": "222222222222", "ServicePrincipal": "guardduty.amazonaws.com"}
WRITE = {"TransactItems": [{"Put": {"TableName": "ledger"}}, {"Delete": {"TableName": "ledger"}}]}
STACK = f"arn:aws:cloudformation:us-east-1:{ACCOUNT}:stack/team/1"


def test_what_the_function_needs_is_allowed() -> None:
    """A call on the account's own resources is no problem."""
    calls = [
        *Call.of("iot", "AddThingToThingGroup", "eu-west-1", THING),
        *Call.of("organizations", "RegisterDelegatedAdministrator", "us-east-1", DELEGATED),
        *Call.of("ds-data", "AddGroupMember", "us-east-1", {"DirectoryId": "d-1"}),
        *Call.of("cloudformation", "DescribeStackEvents", "us-east-1", {"StackName": STACK}),
        *Call.of("dynamodb", "BatchGetItem", "us-east-1", {"RequestItems": {"ledger": {}}}),
        *Call.of("dynamodb", "TransactWriteItems", "us-east-1", WRITE),
    ]
    assert {call.action for call in calls} >= {
        *("ds:AccessDSData", "ds-data:AddGroupMember"),
        *("dynamodb:BatchGetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"),
    }
    assert problems(calls, whole=False) == []


@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        ("iot", "DeleteThing", THING),
        ("iot", "AddThingToBillingGroup", THING),  # names no billing group
        ("organizations", "RegisterDelegatedAdministrator", {"AccountId": "222222222222"}),
        ("cloudformation", "DescribeStacks", {}),
        ("cloudformation", "DescribeStacks", {"StackName": STACK.replace(ACCOUNT, "222222222222")}),
        ("cloudformation", "DescribeStacks", {"StackName": STACK.replace("us-east-1", "eu-west-1")}),
        ("cloudformation", "DescribeStackResources", {"StackName": STACK}),
        ("dynamodb", "BatchGetItem", {"RequestItems": {"ledger": {}, "other": {}}}),
        ("dynamodb", "Scan", {"TableName": "ledger"}),
        ("logs", "FilterLogEvents", {"logGroupName": "/aws/lambda/aws-associations"}),
        ("finspace-data", "ListUsers", {}),
    ],
)
def test_what_is_not_allowed_is_a_problem(service: str, operation: str, parameters: dict[str, Any]) -> None:
    """Another action, another account's or region's resource, and a condition that cannot be met."""
    (problem, *_) = problems(Call.of(service, operation, "us-east-1", parameters), whole=False)
    assert problem.startswith(f"not allowed by template.yaml: {service.removesuffix('-data')}")
    assert operation in problem


@pytest.mark.parametrize(
    ("member", "denied"),
    [
        ({"Put": {"TableName": "other"}}, "dynamodb:PutItem"),
        ({"ConditionCheck": {"TableName": "ledger"}}, "dynamodb:ConditionCheckItem"),
        ({"Update": {"TableName": "ledger"}}, "dynamodb:UpdateItem"),
    ],
)
def test_each_item_of_a_transaction_must_be_allowed(member: dict[str, Any], denied: str) -> None:
    """One that is not is a problem, whatever the others are."""
    write = {"TransactItems": [*WRITE["TransactItems"], member]}

    (problem,) = problems(Call.of("dynamodb", "TransactWriteItems", "us-east-1", write), whole=False)

    assert problem.startswith(f"not allowed by template.yaml: {denied} on ")


def test_the_table_that_the_function_was_told_is_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests may give the table any name; every other table is another's."""
    monkeypatch.setenv("LEDGER_TABLE", "of-a-test")
    own, others = (
        Call.of("dynamodb", "BatchGetItem", "us-east-1", {"RequestItems": {name: {}}})
        for name in ("of-a-test", "other")
    )

    assert problems(own, whole=False) == []
    assert len(problems(others, whole=False)) == 1


def test_what_nothing_needs_is_a_problem_of_the_whole_suite() -> None:
    """Each allowed action is missed if no test made the function call it."""
    assert problems([], whole=False) == []
    missed = {problem.rpartition(" ")[2] for problem in problems([], whole=True)}
    declared = {
        action
        for kind in KINDS
        for permission in kind.permissions
        for action in (*permission.actions, *permission.dependent)
    }
    assert declared <= missed
    assert missed == allowed_actions() - BY_LAMBDA
    # Of what is allowed the resources are known, or IAM asks for it beside another action.
    assert missed - RESOURCES.keys() == {"ds:AccessDSData"}


_SUITE = """
import boto3
from moto import mock_aws
from association_emulator.plugin import register

def test_that_calls():
    register()
    with mock_aws():
        boto3.client("iot", region_name="us-east-1").create_thing(thingName="meter")

def test_that_does_not():
    pass
"""


def test_the_run_fails_for_what_is_not_allowed(tmp_path: Path) -> None:
    """Every test passes, in a process of pytest-xdist, and yet the run fails and says why."""
    folder = tmp_path / "suite" / "handlers"
    folder.mkdir(parents=True)
    (folder / "test_calls.py").write_text(_SUITE)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    arguments = ["-q", "-p", "no:cacheprovider", "-p", "tests.policy", "-n", "1", "suite"]

    run = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert "2 passed" in run.stdout, run.stdout + run.stderr
    assert "not allowed by template.yaml: iot:CreateThing" in run.stdout
    assert run.returncode == 1
