"""The reference page of each kind, and the table of kinds in the README."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

from aws_associations.errors import AccessDenied, AssociationError, NotFound
from aws_associations.kind import Kind, property_name
from aws_associations.kinds import KINDS
from aws_associations.vocabulary import Vocabulary
from generation.facts import class_name, declaration_module, limits, module_name, pattern, sentence, short
from generation.regions import filled
from generation.template import narrowing

_WORDS = Vocabulary(
    called=lambda member: f"`{member.property_name}`",
    adopt="`OnExisting: Adopt`",
    more_time="give it more time",
    set_region="deploy in",
    again="deploy again",
)
"""For readers of either host: the table of properties tells how Pulumi spells each."""


def files(root: Path) -> dict[str, str]:
    """Path → text of every page, and of the README."""
    pages = {f"docs/kinds/{kind.name}.md": _page(kind) for kind in KINDS}
    readme = (root / "README.md").read_text(encoding="utf-8")
    return {**pages, "README.md": filled(readme, "md", {"kinds": _table()})}


def _table() -> str:
    rows = "".join(
        f"| [{kind.summary.rstrip('.')}](docs/kinds/{kind.name}.md){_ended(kind)} | `{kind.cloudformation_type}` |"
        f" `{module_name(kind)}.{class_name(kind)}` | {kind.proof} |\n"
        for kind in KINDS
    )
    return f"| association | CloudFormation | Pulumi | proven against |\n|---|---|---|---|\n{rows}"


def _ended(kind: Kind) -> str:
    return f" (ended {kind.retirement.ended.isoformat()})" if kind.retirement else ""


def _page(kind: Kind) -> str:
    notes = "".join(f"- {note}\n" for note in kind.notes)
    ended = f"> {kind.retirement.notice}\n\n" if kind.retirement else ""
    return f"""\
<!-- Written by `make generate` from core/aws_associations/kinds/{declaration_module(kind)}.py; change that. -->
# {kind.cloudformation_type}, `{module_name(kind)}.{class_name(kind)}`

{kind.summary}
Create calls `{kind.associate}` of `{kind.service}`, delete `{kind.disassociate}`, and both wait until
`{kind.look.operation}` says that it is so.

{ended}{notes}
What holds for every kind is in the [README](../../README.md): `OnExisting`, `Revision`, time-outs, errors.
[When an association is ours](../ownership.md) is the same for all, and so are the [limits](../limits.md).

## Properties

| CloudFormation | Pulumi | |
|---|---|---|
{_properties(kind)}
## Outputs

| CloudFormation | Pulumi | |
|---|---|---|
{_outputs(kind)}
## Example

```yaml
{_yaml(kind)}```

```python
{_python(kind)}```

As a whole stack: [`examples/cloudformation/{kind.name}.yaml`](../../examples/cloudformation/{kind.name}.yaml);
as a program: [`examples/pulumi/{kind.name}`](../../examples/pulumi/{kind.name}).

## Permissions

The role that you deploy with (Pulumi), or that of the function, needs:

| actions | resources |
|---|---|
{_permissions(kind)}
{_enabling(kind)}

## Pulumi

{_removing(kind)}

## Errors

| the service answers | the resource fails with |
|---|---|
{_errors(kind)}"""


def _properties(kind: Kind) -> str:
    text = ""
    for part in kind.members:
        words = [part.description + (f", {found}" if (found := limits(kind, part)) else "")]
        if pattern(kind, part):
            words.append(f"matches `{pattern(kind, part).replace('|', chr(92) + '|')}`")
        if isinstance(part.default, str):
            words.append(f"by default `{part.default}`")
        optional = "Optional." if part.default is not None else "Required."
        text += f"| `{part.property_name}` | `{part.name}` | {'; '.join(words)}. {optional} A change replaces it. |\n"
    for option in kind.options:
        effect = "Pulumi replaces it; CloudFormation keeps it, with a warning in the log" if option.lasting else ""
        change = f" On a change {effect}." if effect else " A change changes nothing that is there."
        text += f"| `{option.property_name}` | `{option.name}` | {sentence(option.description)} Optional.{change} |\n"
    return text


def _outputs(kind: Kind) -> str:
    segments = "/".join(f"<{part.name}>" for part in kind.parts)
    text = f"| `Ref` | `id` | `{kind.name}/v1/<account>/<region>/{segments}`, percent-encoded |\n"
    for part in kind.parts:
        default = ", or the default that was meant" if part.default is not None else ""
        text += f"| `{part.property_name}` | `{part.name}` | as declared{default} |\n"
    if kind.look.status:
        status = f"`{property_name(kind.status_name, None)}` | `{kind.status_name}`"
        text += f"| {status} | the service's word, {_words(kind)} |\n"
    text += "| `StatusCode` | `status_code` | HTTP status of the associate call; empty (Pulumi: 0) if none was made |\n"
    return (
        text
        + "| \N{EN DASH} | `account`, `region`, `adopted` | where it was created, and whether it was there before |\n"
    )


def _words(kind: Kind) -> str:
    return ", ".join(f"`{word}`" for word in kind.look.states)


def _yaml(kind: Kind) -> str:
    parts = "".join(f"  {part.property_name}: {_scalar(part.example)}\n" for part in kind.parts)
    options = "".join(f"  {option.property_name}: {json.dumps(option.example)}\n" for option in kind.options)
    head = (
        f"Type: {kind.cloudformation_type}\nProperties:\n  ServiceToken: !ImportValue aws-associations-ServiceToken\n"
    )
    lines = f"{head}{parts}{options}".splitlines()
    return f"{short(kind).capitalize()}:\n" + "".join(f"  {line}\n" for line in lines)


def _scalar(text: str) -> str:
    return f'"{text}"' if text.isdigit() else text


def _python(kind: Kind) -> str:
    name = class_name(kind)
    given = [f"{part.name}={part.example!r}" for part in kind.parts]
    given += [f"{option.name}={option.example!r}" for option in kind.options]
    arguments = "".join(f"    {argument},\n" for argument in given).replace("'", '"')
    return f'from pulumi_aws_associations.{module_name(kind)} import {name}\n\n{name}(\n    "example",\n{arguments})\n'


def _permissions(kind: Kind) -> str:
    text = ""
    for permission in kind.permissions:
        actions = ", ".join(f"`{action}`" for action in (*permission.actions, *permission.dependent))
        resources = ", ".join(f"`{resource}`" for resource in permission.resources)
        key = f"; condition key `{permission.granting_key}`" if permission.granting_key else ""
        text += f"| {actions} | {resources}{key} |\n"
    return text


def _enabling(kind: Kind) -> str:
    text = (
        f"In the function's template the parameter `{kind.switch}` enables the kind: it lists the"
        f" `{kind.parties[0].property_name}` values for which it may be granted, as patterns with `*` and `?`,"
        " separated by commas. Empty, which is the default, serves none."
    )
    parameter = narrowing(kind)
    if parameter:
        text += f" `{parameter}` limits the role to the ARNs that it lists."
    return _filled(text)


def _removing(kind: Kind) -> str:
    state = f"pulumi_aws_associations.{module_name(kind)}.{class_name(kind)}Provider"
    return _filled(
        f"The state names the class `{state}`, and Pulumi loads it to delete. Run `pulumi up` without the last"
        f" {short(kind)} before you remove the package. After a `ModuleNotFoundError` install the package again, run"
        " `pulumi up`, then remove it. `pulumi import` cannot import a dynamic resource (`KeyError: '__provider'`):"
        ' declare it with `on_existing="adopt"`.'
    )


def _filled(text: str) -> str:
    return textwrap.fill(text, 120, break_long_words=False, break_on_hyphens=False)


def _repeated(kind: Kind, code: str, failure: type[AssociationError]) -> str:
    """How long what may pass by itself is repeated, and for which reasons."""
    transient = kind.transient.get(code)
    busy = [rejection for rejection in kind.busy if rejection.code == code]
    lasting = [rejection for rejection in kind.lasting if rejection.code == code]
    if transient is not None:
        time, reasons = "half of the time", sorted(transient)
    elif busy:
        time, reasons = "most of the time", [rejection.reason for rejection in busy if rejection.reason]
    elif failure in (NotFound, AccessDenied) and not any(not (each.reason or each.message) for each in lasting):
        time = "a minute by a create" if failure is NotFound else "half a minute by a create"
        reasons = []
    else:
        return ""
    which = f" for {', '.join(f'`{reason}`' for reason in reasons)}" if reasons else ""
    but = ", ".join(f"`{rejection.reason}`" for rejection in lasting if rejection.reason)
    return f", after it was repeated for {time}{which}" + (f" (not {but})" if but else "")


def _errors(kind: Kind) -> str:
    text = ""
    for code, failure in sorted(kind.errors.items()):
        text += f"| `{code}` | `{failure.code}`{_repeated(kind, code, failure)} |\n"
    if kind.advice:
        text += "\n| where it says | what to do |\n|---|---|\n"
    for word, advice in kind.advice.items():
        text += f"| `{word if isinstance(word, str) else word.code}` | {_WORDS.say(advice, kind)} |\n"
    return text
