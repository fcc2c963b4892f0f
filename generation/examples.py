"""One short stack and one short Pulumi program for each kind."""

from __future__ import annotations

from pathlib import Path

from aws_associations.kind import Kind, property_name
from aws_associations.kinds import KINDS
from generation.facts import class_name, module_name, sentence, short


def files(_root: Path) -> dict[str, str]:
    """Path → text of every example."""
    made = {}
    for kind in KINDS:
        made[f"examples/cloudformation/{kind.name}.yaml"] = _stack(kind)
        made[f"examples/pulumi/{kind.name}/Pulumi.yaml"] = _project(kind)
        made[f"examples/pulumi/{kind.name}/__main__.py"] = _program(kind)
    return made


def _stack(kind: Kind) -> str:
    required = [part for part in kind.parts if part.default is None]
    resource = short(kind).capitalize()
    parameters = "".join(
        f"  {part.property_name}:\n    Type: String\n    Description: {sentence(part.description)}\n"
        for part in required
    )
    properties = "".join(f"      {part.property_name}: !Ref {part.property_name}\n" for part in required)
    status = property_name(kind.status_name, None)
    outputs = f"  {resource}Id:\n    Value: !Ref {resource}\n"
    if kind.look.status:
        outputs += f"  {status}:\n    Value: !GetAtt {resource}.{status}\n"
    return f"""\
AWSTemplateFormatVersion: "2010-09-09"
Description: {kind.summary} Through the function of handlers/template.yaml.

Parameters:
  FunctionName:
    Type: String
    Default: aws-associations
    Description: FunctionName of the stack that holds the function.
{parameters}
Resources:
  {resource}:
    Type: {kind.cloudformation_type}
    Properties:
      ServiceToken: !ImportValue
        Fn::Sub: ${{FunctionName}}-ServiceToken
      # Room for the three deliveries that Lambda makes of one request, at most 900 seconds each, 1 and 2 minutes apart.
      ServiceTimeout: 2880
{properties}
Outputs:
{outputs}"""


def _project(kind: Kind) -> str:
    required = [part for part in kind.parts if part.default is None]
    config = "".join(
        f"  {_camel(part.name)}:\n    type: string\n    description: {sentence(part.description)}\n"
        for part in required
    )
    return f"""\
name: {kind.name}
description: {kind.summary}
runtime:
  name: python
  options:
    toolchain: pip
    virtualenv: ../../../.venv  # that of this clone: `make setup`, or `pulumi install` in its root, makes it
config:
{config}"""


def _program(kind: Kind) -> str:
    name, variable = class_name(kind), short(kind)
    required = [part for part in kind.parts if part.default is None]
    arguments = "".join(f'    {part.name}=config.require("{_camel(part.name)}"),\n' for part in required)
    return f'''"""{kind.summary}"""

import pulumi

from pulumi_aws_associations.{module_name(kind)} import {name}

config = pulumi.Config()

{variable} = {name}(
    "example",
{arguments})

pulumi.export("{variable}Id", {variable}.id)
'''


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)
