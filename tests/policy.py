"""The template's policy against every call that the function makes in the whole suite, on whatever path it is run.

A call that the policy does not allow fails the run. So does an allowed action that nothing needed, when the whole suite
was run: a part of it proves nothing about what is not used.

What reaches an emulated service is known from its journal, whichever process sent it; what this process asks
CloudFormation and the ledger's table from the SDK.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import botocore.handlers
import pytest

from association_emulator.journal import Journal, JournalEntry
from aws_associations.kinds import KINDS
from tests.handlers.template import FUNCTION_TEMPLATE, read, statements

ACCOUNT = "123456789012"
OF_THE_FUNCTION = ("contract", "handlers", "model", "readme")
"""The folders of tests in which it is the function's code that calls, but for what ``_OTHERS`` signed."""
_OTHERS = "somebody-else"
_IN_THIS_PROCESS = {"testing", "FOOBARKEY"}
"""The access keys of the function in this process: the tests' and moto's. The engines have others."""

_PREFIXES = {"finspace-data": "finspace-api", "opensearch": "es"}
"""botocore's name of a service → the prefix of its IAM actions, where it is another one."""

# Of each operation the resources on which IAM has to allow it: "Actions, resources, and condition keys for AWS
# services", Service Authorization Reference. What is in braces is a parameter of the call.
_DIRECTORY = ("arn:aws:ds:{region}:{account}:directory/{DirectoryId}",)
_THING = "arn:aws:iot:{region}:{account}:thing/{thingName}"
_THING_GROUP = (_THING, "arn:aws:iot:{region}:{account}:thinggroup/{thingGroupName}")
_BILLING_GROUP = (_THING, "arn:aws:iot:{region}:{account}:billinggroup/{billingGroupName}")
_TABLE = ("arn:aws:dynamodb:{region}:{account}:table/{TableName}",)
_DOMAIN = ("arn:aws:es:{region}:{account}:domain/{DomainName}",)
_MEMBER_ACCOUNT = ("arn:aws:organizations::{account}:account/o-exampleorgid/{AccountId}",)
_GROUP = ("arn:aws:quicksight:{region}:{account}:group/{Namespace}/{GroupName}",)
_STACK = ("{StackName}",)
RESOURCES: Mapping[str, tuple[str, ...]] = {
    "cloudformation:DescribeStackEvents": _STACK,
    "cloudformation:DescribeStackResource": _STACK,
    "cloudformation:DescribeStacks": _STACK,
    "ds-data:AddGroupMember": _DIRECTORY,
    "ds-data:ListGroupsForMember": _DIRECTORY,
    "ds-data:RemoveGroupMember": _DIRECTORY,
    "dynamodb:BatchGetItem": _TABLE,
    "dynamodb:DeleteItem": _TABLE,
    "dynamodb:PutItem": _TABLE,
    "es:AssociatePackage": _DOMAIN,
    "es:DissociatePackage": _DOMAIN,
    "es:ListPackagesForDomain": _DOMAIN,
    "finspace-api:GetProgrammaticAccessCredentials": (
        "arn:aws:finspace-api:{region}:{account}:/credentials/programmatic",
    ),
    "iot:AddThingToBillingGroup": _BILLING_GROUP,
    "iot:AddThingToThingGroup": _THING_GROUP,
    "iot:DescribeThing": (_THING,),
    "iot:ListThingGroupsForThing": (_THING,),
    "iot:RemoveThingFromBillingGroup": _BILLING_GROUP,
    "iot:RemoveThingFromThingGroup": _THING_GROUP,
    "organizations:DeregisterDelegatedAdministrator": _MEMBER_ACCOUNT,
    "organizations:ListDelegatedServicesForAccount": _MEMBER_ACCOUNT,
    "organizations:RegisterDelegatedAdministrator": _MEMBER_ACCOUNT,
    "quicksight:CreateGroupMembership": _GROUP,
    "quicksight:DeleteGroupMembership": _GROUP,
    "quicksight:DescribeGroupMembership": _GROUP,
}
_ALSO = {"ds-data": "ds:AccessDSData"}
"""Service → the action that IAM asks for beside that of any of its operations."""
_CONDITION_KEYS = {"organizations:ServicePrincipal": "ServicePrincipal"}
"""Condition key → the parameter that it is about."""
LEDGER_TABLE = "ledger"
"""The table of the function's stack, whatever the tests call it."""
BY_LAMBDA = frozenset({"logs:CreateLogStream", "logs:PutLogEvents"})
"""What Lambda itself does with the role; no call of the function's."""


@dataclass(frozen=True, order=True)
class Call:
    """What IAM decides about: an action, on resources, with condition keys."""

    action: str
    region: str
    resources: tuple[str, ...]
    keys: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, service: str, operation: str, region: str, parameters: Mapping[str, Any]) -> list[Call]:
        """The decisions that one call takes. Where a parameter is missing nothing is named, and nothing allowed."""
        found = []
        for part, given in _parts(operation, parameters):
            action = f"{_PREFIXES.get(service, service)}:{part}"
            known = {"region": region, "account": ACCOUNT, **given}
            arns = RESOURCES.get(action, ())
            resources = tuple(arn.format(**known) if known.keys() >= _members(arn) else "nothing named" for arn in arns)
            keys = tuple((key, str(known[name])) for key, name in _CONDITION_KEYS.items() if name in known)
            actions = [action, *([_ALSO[service]] if service in _ALSO else [])]
            found += [cls(one, region, resources, keys) for one in actions]
        return found

    @property
    def allowed(self) -> bool:
        """Whether the role may, with every kind enabled."""
        return bool(self.resources) and all(
            any(self._covered_by(statement, resource) for statement in _statements(self.region))
            for resource in self.resources
        )

    def _covered_by(self, statement: Mapping[str, Any], resource: str) -> bool:
        patterns = statement["Resource"]
        keys = dict(self.keys)
        conditions = statement.get("Condition", {})
        assert conditions.keys() <= {"StringLike"}
        liked = conditions.get("StringLike", {}).items()
        return (
            self.action in statement["Action"]
            and _like([patterns] if isinstance(patterns, str) else patterns, resource)
            and all(key in keys and _like(values, keys[key]) for key, values in liked)
        )

    def __str__(self) -> str:
        return f"{self.action} on {', '.join(self.resources) or 'what the Service Authorization Reference must tell'}"


def allowed_actions() -> frozenset[str]:
    """Every action that the role may take with every kind enabled."""
    return frozenset(action for statement in _statements("us-east-1") for action in statement["Action"])


def _parts(operation: str, parameters: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """What IAM decides about one by one: the items of a DynamoDB transaction and the tables of a batch."""
    if operation == "TransactWriteItems":
        return [
            (f"{verb}Item", {"TableName": _table(item["TableName"])})
            for items in parameters["TransactItems"]
            for verb, item in items.items()
        ]
    if operation == "BatchGetItem":
        return [(operation, {"TableName": _table(name)}) for name in parameters["RequestItems"]]
    return [(operation, parameters)]


def _table(name: str) -> str:
    """The name of the stack's table for the one that the function in this process was told."""
    return LEDGER_TABLE if name == os.environ.get("LEDGER_TABLE") else name


def _members(arn: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", arn))


def _like(patterns: Iterable[str], text: str) -> bool:
    wild = {"*": ".*", "?": "."}
    expressions = ("".join(wild.get(character) or re.escape(character) for character in one) for one in patterns)
    return any(re.fullmatch(expression, text, re.DOTALL) for expression in expressions)


@cache
def _statements(region: str) -> list[dict[str, Any]]:
    given = {"LedgerTable": LEDGER_TABLE, **{kind.switch: "*" for kind in KINDS}}
    return statements(read(FUNCTION_TEMPLATE), given, ("aws", region, ACCOUNT))


# -- what is called ----------------------------------------------------------------------------------------------------


class Calls:
    """What the function called in this process and, at the end of the run, in all of them."""

    def __init__(self) -> None:
        self.seen: set[Call] = set()
        self._folder = ""

    def enter(self, nodeid: str) -> None:
        """The test that runs from now on."""
        self._folder = "/".join(Path(nodeid.partition("::")[0]).parts[1:2])
        if self._folder in {"model", "readme"} and "pulumi" in nodeid.lower():
            self._folder = "provider"  # what the README's program and the model's Pulumi half call is Pulumi's

    def add(self, service: str, operation: str, region: str, parameters: Mapping[str, Any]) -> None:
        """Add a call of the function's."""
        self.seen.update(Call.of(service, operation, region, parameters))

    def journal(self, entry: JournalEntry) -> None:
        """Add what reached an emulated service, signed by the role: FinSpace has credentials of its own."""
        if self._folder in OF_THE_FUNCTION and entry.caller == "iam" and entry.access_key_id != _OTHERS:
            self.add(entry.service, str(entry.operation), str(entry.region), entry.parameters)

    def sdk(self, model: Any, params: Mapping[str, Any], request_signer: Any, context: Any, **_: object) -> None:
        """Add what this process asks beside those services."""
        service = model.service_model.service_name
        if service not in {"cloudformation", "dynamodb", "logs"} or self._folder not in OF_THE_FUNCTION:
            return
        if request_signer._credentials.access_key not in _IN_THIS_PROCESS:
            return
        body = params["body"]
        parameters = dict(body) if isinstance(body, Mapping) else json.loads(body)
        self.add(service, model.name, context["client_region"], parameters)


calls = Calls()


def problems(seen: Iterable[Call], *, whole: bool) -> list[str]:
    """What is wrong between the calls and the policy; what is unused only if the whole suite was run."""
    distinct = sorted(set(seen))
    denied = [f"not allowed by {FUNCTION_TEMPLATE.name}: {call}" for call in distinct if not call.allowed]
    unused = sorted(allowed_actions() - BY_LAMBDA - {call.action for call in distinct}) if whole else []
    return denied + [f"allowed by {FUNCTION_TEMPLATE.name}, and nothing needs it: {action}" for action in unused]


# -- pytest's hooks ----------------------------------------------------------------------------------------------------


def pytest_configure() -> None:
    """Watch from the first test on."""
    opened = Journal.open

    def opening(journal: Journal, kind: type[Any], **known: Any) -> Any:
        entry = opened(journal, kind, **known)
        calls.journal(entry)
        return entry

    Journal.open = opening  # type: ignore[method-assign, assignment]
    botocore.handlers.BUILTIN_HANDLERS.append(("before-call", calls.sdk))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Any:
    """Know whose calls they are; fixtures of a module end with its last test."""
    calls.enter(item.nodeid)
    return (yield)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over what a process of pytest-xdist saw."""
    for action, region, resources, keys in getattr(node, "workeroutput", {}).get("calls", []):
        calls.seen.add(Call(action, region, tuple(resources), tuple((key, value) for key, value in keys)))


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Hand over what was seen, or fail the run for it."""
    config = session.config
    if hasattr(config, "workeroutput"):
        config.workeroutput["calls"] = [(call.action, call.region, call.resources, call.keys) for call in calls.seen]
        return
    found = problems(calls.seen, whole=_is_whole(config) and exitstatus == pytest.ExitCode.OK)
    config.stash[_FOUND] = found
    if found and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Tell how much was compared, and what is wrong."""
    found = config.stash.get(_FOUND, [])
    actions = {call.action for call in calls.seen}
    if not actions and not found:
        return
    terminalreporter.section("the function's policy and what it called")
    everything = allowed_actions() - BY_LAMBDA
    terminalreporter.write_line(
        f"policy: {len(actions & everything)} of {len(everything)} allowed actions called, on"
        f" {len(calls.seen)} different resources"
    )
    for problem in found:
        terminalreporter.write_line(f"policy: {problem}", red=True)


_FOUND = pytest.StashKey[list[str]]()


def _is_whole(config: pytest.Config) -> bool:
    option = config.option
    chosen = option.keyword or option.markexpr or option.collectonly or getattr(option, "lf", False)
    return not chosen and config.args == config.getini("testpaths") and not config.getoption("deselect")
