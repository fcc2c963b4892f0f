"""What the comparison of the template's policy with every call of the suite (tests/policy.py) would notice."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from aws_associations.kinds import KINDS
from tests.handlers.template import ROOT
from tests.policy import ACCOUNT, BY_LAMBDA, RESOURCES, Call, allowed_actions, problems

THING = {"thingName": "meter", "thingGroupName": "meters"}
DELEGATED = {"AccountId": "222222222222", "ServicePrincipal": "guardduty.amazonaws.com"}
STACK = f"arn:aws:cloudformation:us-east-1:{ACCOUNT}:stack/team/1"


def test_what_the_function_needs_is_allowed() -> None:
    """A call on the account's own resources is no problem."""
    calls = [
        *Call.of("iot", "AddThingToThingGroup", "eu-west-1", THING),
        *Call.of("organizations", "RegisterDelegatedAdministrator", "us-east-1", DELEGATED),
        *Call.of("ds-data", "AddGroupMember", "us-east-1", {"DirectoryId": "d-1"}),
        *Call.of("cloudformation", "DescribeStackEvents", "us-east-1", {"StackName": STACK}),
        *Call.of("logs", "FilterLogEvents", "us-east-1", {"logGroup": "<LogGroup.Arn>"}),
    ]
    assert {call.action for call in calls} >= {"ds:AccessDSData", "ds-data:AddGroupMember"}
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
        ("logs", "FilterLogEvents", {"logGroup": "the log group of somebody else"}),
        ("finspace-data", "ListUsers", {}),
    ],
)
def test_what_is_not_allowed_is_a_problem(service: str, operation: str, parameters: dict[str, str]) -> None:
    """Another action, another account's or region's resource, and a condition that cannot be met."""
    (problem, *_) = problems(Call.of(service, operation, "us-east-1", parameters), whole=False)
    assert problem.startswith(f"not allowed by template.yaml: {service.removesuffix('-data')}")
    assert operation in problem


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
