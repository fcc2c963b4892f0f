"""What the function's role may do, what the function is told, and the table that records who was granted what."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from aws_associations.kind import Kind
from aws_associations.kinds import KINDS
from engines.certificate import Certificate
from engines.ministack import Ministack
from tests.handlers.engine import FUNCTION, Clone
from tests.handlers.template import FUNCTION_TEMPLATE, SOMEWHERE, read, resolved, statements

OWN_LOG = {
    "Sid": "OwnLogs",
    "Effect": "Allow",
    "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
    "Resource": "<LogGroup.Arn>",
}
# Read-only: whether the deployment that adopted something completed, and whether another claimant still exists.
ASKING = {
    "Sid": "AskingStacks",
    "Effect": "Allow",
    "Action": [
        "cloudformation:DescribeStackEvents",
        "cloudformation:DescribeStackResource",
        "cloudformation:DescribeStacks",
    ],
    "Resource": "arn:{}:cloudformation:{}:{}:stack/*".format(*SOMEWHERE),
}
LEDGER = {
    "Sid": "Ledger",
    "Effect": "Allow",
    "Action": ["dynamodb:BatchGetItem", "dynamodb:DeleteItem", "dynamodb:PutItem"],
    "Resource": "<Ledger.Arn>",
}
EACH_KIND = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    """The function's template as data."""
    return read(FUNCTION_TEMPLATE)


def needed(kind: Kind, patterns: list[str], narrowed: list[str] | None = None) -> list[dict[str, Any]]:
    """Return the statements that follow from the declaration of a kind, but for their Sids."""
    places = dict(zip(("${Partition}", "${Region}", "${Account}"), SOMEWHERE, strict=True))
    found = []
    for permission in kind.permissions:
        arns = list(permission.resources)
        for placeholder, place in places.items():
            arns = [arn.replace(placeholder, place) for arn in arns]
        statement: dict[str, Any] = {
            "Effect": "Allow",
            "Action": [*permission.actions, *permission.dependent],
            "Resource": narrowed or arns,
        }
        if permission.granting_key:
            statement["Condition"] = {"StringLike": {permission.granting_key: patterns}}
        found.append(statement)
    return found


def allowed(template: dict[str, Any], **given: str) -> list[dict[str, Any]]:
    """Return the role's statements beside the log, the ledger and the question to stacks, without their Sids."""
    *others, asking, ledger, log = statements(template, given)
    assert (asking, ledger, log) == (ASKING, LEDGER, OWN_LOG)
    return [{name: value for name, value in statement.items() if name != "Sid"} for statement in others]


def test_with_no_kind_enabled_the_role_has_its_log_its_ledger_stacks_to_ask_and_no_more(
    template: dict[str, Any],
) -> None:
    """By default the function may do nothing to anybody."""
    assert allowed(template) == []


@pytest.mark.parametrize("value", ["", " ", ",", " , "])
@EACH_KIND
def test_what_the_function_takes_for_empty_allows_nothing(template: dict[str, Any], kind: Kind, value: str) -> None:
    """A list of nothing but spaces and commas enables a kind neither in the role nor in the function."""
    assert allowed(template, **{kind.switch: value}) == []


@EACH_KIND
def test_one_enabled_kind_allows_what_it_declares(template: dict[str, Any], kind: Kind) -> None:
    """The role may call what the kind needs, dependent actions too, on its resources, for its parties: nothing else."""
    assert allowed(template, **{kind.switch: "one*, two?"}) == needed(kind, ["one*", "two?"])


@EACH_KIND
def test_narrowed_resources_are_the_only_ones(template: dict[str, Any], kind: Kind) -> None:
    """A kind whose ARNs hold a wildcard has a parameter that replaces all of them; one that has none has no such."""
    name = f"{kind.switch}Resources"
    wide = any("*" in arn for permission in kind.permissions for arn in permission.resources)
    assert (name in template["Parameters"]) == wide
    if wide:
        given = {kind.switch: "*", name: "arn:aws:a:::one, arn:aws:a:::two"}
        assert allowed(template, **given) == needed(kind, ["*"], ["arn:aws:a:::one", "arn:aws:a:::two"])
        assert allowed(template, **{name: "arn:aws:a:::one"}) == []


def test_all_kinds_together_allow_what_each_does(template: dict[str, Any]) -> None:
    """Enabling every kind adds up; the Sids are distinct and such as IAM takes."""
    given = {kind.switch: "*" for kind in KINDS}

    assert allowed(template, **given) == [statement for kind in KINDS for statement in needed(kind, ["*"])]
    sids = [statement["Sid"] for statement in statements(template, given)]
    assert len(set(sids)) == len(sids)
    assert [sid for sid in sids if not re.fullmatch("[A-Za-z0-9]+", sid)] == []


def test_no_action_is_allowed_by_a_wildcard(template: dict[str, Any]) -> None:
    """Every action of every kind is written out."""
    given = {kind.switch: "*" for kind in KINDS}
    actions = [action for statement in statements(template, given) for action in statement["Action"]]
    assert [action for action in actions if not re.fullmatch("[a-z-]+:[A-Za-z]+", action)] == []


def test_the_template_keeps_within_the_limits_of_aws(template: dict[str, Any]) -> None:
    """With all kinds the inline policy has at most 10,240 characters, the template 200 parameters and 51,200 bytes."""
    given = {kind.switch: "*" for kind in KINDS}
    policy = {"Version": "2012-10-17", "Statement": statements(template, given)}

    assert len(json.dumps(policy, separators=(",", ":"))) <= 10_240
    assert len(template["Parameters"]) <= 200
    assert FUNCTION_TEMPLATE.stat().st_size <= 51_200


def test_the_role_has_nothing_else(template: dict[str, Any]) -> None:
    """One role, with that one policy, which only Lambda may take."""
    resources = resolved(template)

    assert [resource["Type"] for resource in resources.values()].count("AWS::IAM::Role") == 1
    role = resources["Role"]["Properties"]
    assert role.keys() == {"Description", "AssumeRolePolicyDocument", "Policies"}
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust == {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}


def test_the_function_is_told_what_it_serves(template: dict[str, Any]) -> None:
    """Each kind's patterns arrive as the variable of the parameter's name, the table's name too, and nothing else."""
    given = {kind.switch: f"{kind.name}*, other" for kind in KINDS}

    def variables(parameters: dict[str, str]) -> Any:
        return resolved(template, parameters)["Function"]["Properties"]["Environment"]["Variables"]

    assert variables(given) == {"LEDGER_TABLE": "<Ledger>", **{kind.switch: f"{kind.name}*,other" for kind in KINDS}}
    assert variables({}) == {"LEDGER_TABLE": "<Ledger>", **{kind.switch: "" for kind in KINDS}}
    # Lambda's rule for the names of variables.
    assert [kind.switch for kind in KINDS if not re.fullmatch("[a-zA-Z][a-zA-Z0-9_]+", kind.switch)] == []


def test_the_table_outlives_its_stack(template: dict[str, Any]) -> None:
    """Deleting or replacing it is left to people, and it has no name that could stand in the way of another."""
    table = template["Resources"]["Ledger"]

    assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == ("Retain", "Retain")
    assert table["Properties"]["DeletionProtectionEnabled"] is True
    assert "TableName" not in table["Properties"]


def test_the_table_can_be_restored_is_encrypted_and_forgets_the_deleted(template: dict[str, Any]) -> None:
    """It is backed up continuously, under a key of the account, and removes a record when its time is over."""
    table = template["Resources"]["Ledger"]["Properties"]

    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["SSESpecification"] == {"SSEEnabled": True}
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires", "Enabled": True}


def test_the_table_costs_nothing_unused_and_has_the_key_of_the_ledger(template: dict[str, Any]) -> None:
    """It is paid for by the request; its key is one text."""
    table = template["Resources"]["Ledger"]["Properties"]

    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["KeySchema"] == [{"AttributeName": "key", "KeyType": "HASH"}]
    assert table["AttributeDefinitions"] == [{"AttributeName": "key", "AttributeType": "S"}]


def test_an_existing_table_is_used_instead(template: dict[str, Any]) -> None:
    """No table is made for LedgerTable; the function is told its name, and its role may use that one only."""
    given = {"LedgerTable": "restored"}
    resources = resolved(template, given)
    (ledger,) = [statement for statement in statements(template, given) if statement["Sid"] == "Ledger"]

    assert "Ledger" not in resources
    assert resources["Function"]["Properties"]["Environment"]["Variables"]["LEDGER_TABLE"] == "restored"
    assert ledger == {**LEDGER, "Resource": "arn:{}:dynamodb:{}:{}:table/restored".format(*SOMEWHERE)}


def test_the_table_of_a_deleted_stack_serves_the_next_function(
    package: Path, certificate: Certificate, tmp_path: Path
) -> None:
    """In a CloudFormation engine the table and its records stay, and the stack that is given its name makes none."""
    with Ministack(certificate=certificate) as ministack:
        packaged = Clone(ministack, package, tmp_path).packaged
        table = ministack.deploy("first", packaged).outputs["LedgerTableName"]
        dynamodb, functions = ministack.client("dynamodb"), ministack.client("lambda")
        dynamodb.put_item(TableName=table, Item={"key": {"S": "kept"}})

        assert ministack.delete("first").status == "DELETE_COMPLETE"
        second = ministack.deploy("second", packaged, {"LedgerTable": table})

        environment = functions.get_function_configuration(FunctionName=FUNCTION)["Environment"]["Variables"]
        assert (second.outputs["LedgerTableName"], environment["LEDGER_TABLE"]) == (table, table)
        assert dynamodb.list_tables()["TableNames"] == [table]
        assert dynamodb.scan(TableName=table)["Items"] == [{"key": {"S": "kept"}}]
        dynamodb.close()
        functions.close()


@pytest.mark.parametrize(
    ("name", "taken"), [("", True), ("team-a.ledger_1", True), ("ab", False), ("arn:aws:dynamodb:::table/a", False)]
)
def test_the_parameter_takes_a_name_or_nothing(template: dict[str, Any], name: str, taken: bool) -> None:
    """LedgerTable is no ARN: the role may use a table of its own account and region only."""
    pattern = template["Parameters"]["LedgerTable"]["AllowedPattern"]

    assert bool(re.fullmatch(pattern, name)) == taken


def test_the_function_has_the_time_that_the_parameter_says(template: dict[str, Any]) -> None:
    """TimeoutSeconds is the function's timeout, up to the longest that Lambda has."""
    assert resolved(template, {"TimeoutSeconds": "900"})["Function"]["Properties"]["Timeout"] == "900"
    assert template["Parameters"]["TimeoutSeconds"]["MaxValue"] == 900
