"""The regions of the function's template: what enables a kind, what it may call, and what narrows that."""

from __future__ import annotations

import textwrap
from pathlib import Path

from aws_associations.kind import Kind, Permission
from aws_associations.kinds import KINDS
from generation.facts import sentence
from generation.regions import filled

_FILE = "handlers/template.yaml"


def files(root: Path) -> dict[str, str]:
    """Path → text of the template."""
    contents = {
        "parameter groups": "".join(_group(kind) for kind in KINDS),
        "parameters": "".join(_parameters(kind) for kind in KINDS),
        "conditions": "".join(_conditions(kind) for kind in KINDS),
        "statements": "".join(_statements(kind) for kind in KINDS),
        "environment": "".join(f'          {kind.switch}: !Join [",", !Ref {kind.switch}]\n' for kind in KINDS),
    }
    return {_FILE: filled((root / _FILE).read_text(encoding="utf-8"), "yaml", contents)}


def narrowing(kind: Kind) -> str:
    """The parameter that narrows the kind's statements; empty if they are as narrow as can be."""
    wide = any("*" in resource for permission in kind.permissions for resource in permission.resources)
    return f"{kind.switch}Resources" if wide else ""


def _group(kind: Kind) -> str:
    names = "".join(f"          - {name}\n" for name in (kind.switch, narrowing(kind)) if name)
    return f"      - Label:\n          default: {kind.cloudformation_type}\n        Parameters:\n{names}"


def _parameters(kind: Kind) -> str:
    party = kind.parties[0].property_name
    text = f"""\
  {kind.switch}:
    Type: CommaDelimitedList
    Default: ""
    Description: >-
{
        _folded(
            f"Empty: {kind.cloudformation_type} is not served. Otherwise the {party} values for which it may be"
            " granted, as patterns with * and ?."
        )
    }"""
    if narrowing(kind):
        known = " and ".join(dict.fromkeys(arn for permission in kind.permissions for arn in permission.resources))
        text += f"""\
  {narrowing(kind)}:
    Type: CommaDelimitedList
    Default: ""
    Description: >-
{_folded(f"ARNs that the role is limited to for {kind.cloudformation_type}. Empty: {sentence(known)}")}"""
    return text


def _folded(text: str) -> str:
    lines = textwrap.wrap(text, 114, break_long_words=False, break_on_hyphens=False)
    return "".join(f"      {line}\n" for line in lines)


def _conditions(kind: Kind) -> str:
    text = f'  Serves{kind.switch}: !Not [!Equals [!Join ["", !Ref {kind.switch}], ""]]\n'
    if narrowing(kind):
        text += f'  Narrows{kind.switch}: !Not [!Equals [!Join ["", !Ref {narrowing(kind)}], ""]]\n'
    return text


def _statements(kind: Kind) -> str:
    return "".join(_statement(kind, number, permission) for number, permission in enumerate(kind.permissions))


def _statement(kind: Kind, number: int, permission: Permission) -> str:
    actions = "".join(f"                    - {action}\n" for action in (*permission.actions, *permission.dependent))
    places = {"${Partition}": "${AWS::Partition}", "${Region}": "${AWS::Region}", "${Account}": "${AWS::AccountId}"}
    arns = []
    for arn in permission.resources:
        for ours, theirs in places.items():
            arn = arn.replace(ours, theirs)
        arns.append(f"!Sub {arn}")
    if narrowing(kind):
        resources = (
            "                  Resource: !If\n"
            f"                    - Narrows{kind.switch}\n"
            f"                    - !Ref {narrowing(kind)}\n"
            + "".join(f"                    {'- -' if not index else '  -'} {arn}\n" for index, arn in enumerate(arns))
        )
    else:
        resources = "                  Resource:\n" + "".join(f"                    - {arn}\n" for arn in arns)
    condition = ""
    if permission.granting_key:
        condition = f"""\
                  Condition:
                    StringLike:
                      {permission.granting_key}: !Ref {kind.switch}
"""
    return f"""\
              - !If
                - Serves{kind.switch}
                - Sid: {kind.switch}{number or ""}
                  Effect: Allow
                  Action:
{actions}{resources}{condition}\
                - !Ref AWS::NoValue
"""
