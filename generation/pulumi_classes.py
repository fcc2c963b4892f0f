"""The Pulumi classes: one module a service, one provider and one resource a kind."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from aws_associations.kind import Kind, Option, Part
from aws_associations.kinds import KINDS
from generation.facts import class_name, declaration_module, limits, module_name, option_shape, sentence, short

_FOLDER = "provider/pulumi_aws_associations"
_WIDTH = 120


def files(_root: Path) -> dict[str, str]:
    """Path → text of every module."""
    return {
        f"{_FOLDER}/{name}.py": _formatted(_module(name, list(kinds)))
        for name, kinds in groupby(KINDS, key=module_name)
    }


def _formatted(text: str) -> str:
    for arguments in (("check", "--fix-only", "--select", "I,F401", "--quiet"), ("format",)):
        command = [sys.executable, "-m", "ruff", *arguments, "--stdin-filename", f"{_FOLDER}/generated.py", "-"]
        text = subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout  # noqa: S603
    return text


def _module(name: str, kinds: list[Kind]) -> str:
    imports = "\n".join(
        f"from aws_associations.kinds.{declaration_module(kind)} import KIND as {declaration_module(kind).upper()}"
        for kind in kinds
    )
    summaries = " ".join(kind.summary for kind in kinds)
    return "\n".join(
        [
            _doc(summaries, 0, after=WRITTEN),
            "from __future__ import annotations",
            "from collections.abc import Mapping, Sequence",
            "from typing import Any, Literal, Required, TypedDict",
            "import pulumi",
            imports,
            "from pulumi_aws_associations.provider import AssociationProvider",
            "from pulumi_aws_associations.resource import AssociationResource",
            "",
            *(text for kind in kinds for text in _kind(name, kind)),
        ]
    )


_OPTIONS = (
    "Options of every Pulumi resource. ``custom_timeouts``, ``import_`` and providers of AWS are refused: Pulumi does"
    " not tell a dynamic resource of them."
)

WRITTEN = "Written by `make generate` from the declarations in aws_associations.kinds; change those."
"""What every one of them says of itself."""


def _kind(module: str, kind: Kind) -> Iterator[str]:
    name = class_name(kind)
    for option in kind.options:
        yield from _typed_dicts(option_shape(kind, option), option.wire, option.description)
    notes = _pulumi_names(kind, " ".join(kind.notes))
    yield f'''
class {name}Provider(AssociationProvider):
    """Stored in the state of every {short(kind)} by this very name."""

    kind = {declaration_module(kind).upper()}


class {name}(AssociationResource, module="aws-associations/{module}", name="{name}"):
    {_doc(kind.summary, 4, after=notes, example=_example(kind, name))}
'''
    for attribute, kind_of, text in _outputs(kind):
        yield f"    {attribute}: pulumi.Output[{kind_of}]\n    {_doc(text, 4)}\n"
    yield _constructor(kind, name)


def _pulumi_names(kind: Kind, text: str) -> str:
    """The text with the properties as Pulumi spells them."""
    members: tuple[Part | Option, ...] = (*kind.parts, *kind.options)
    for member in members:
        text = re.sub(rf"\b{member.property_name}\b", f"``{member.name}``", text)
    return text


def _example(kind: Kind, name: str) -> str:
    """What a program writes at least."""
    given = "".join(f'    {part.name}="{part.example}",\n' for part in kind.parts if part.default is None)
    return f'{name}(\n    "example",\n{given})\n'


def _outputs(kind: Kind) -> Iterator[tuple[str, str, str]]:
    for part in kind.parts:
        yield part.name, "str", part.description
    for option in kind.options:
        yield option.name, f"{_type(kind, option, given=False)} | None", option.description
    yield "region", "str", f"AWS region in which the {short(kind)} was created"
    yield "account", "str", f"AWS account in which the {short(kind)} was created, 12 digits"
    yield "adopted", "bool", f"Whether the {short(kind)} was there before it was declared"
    if kind.look.status:
        yield kind.status_name, "str", "The service's word for its status"
    yield "status_code", "int", "HTTP status of the associate call; 0 if none was made"


def _constructor(kind: Kind, name: str) -> str:
    described: list[tuple[str, str]] = [
        ("name", "Logical name in the stack. To rename it, give ``opts`` an ``aliases`` entry for the old name.")
    ]
    arguments = []
    for part in kind.members:
        optional = part.default is not None
        arguments.append(f"{part.name}: pulumi.Input[str]" + (" | None = None" if optional else ""))
        described.append((part.name, _part_text(kind, part)))
    for option in kind.options:
        arguments.append(f"{option.name}: pulumi.Input[{_type(kind, option, given=True)}] | None = None")
        effect = f" Changing it replaces the {short(kind)}." if option.lasting else ""
        described.append((option.name, sentence(option.description) + effect))
    if not kind.is_global:
        arguments.append("region: pulumi.Input[str] | None = None")
        described.append(
            (
                "region",
                "AWS region; by default that of the stack's configuration or the environment when it is created.",
            )
        )
    arguments.append('on_existing: pulumi.Input[Literal["fail", "adopt"]] = "fail"')
    described.append(
        (
            "on_existing",
            f"What to do if the {short(kind)} is there already and nothing shows that this resource granted it:"
            " ``fail``, or ``adopt`` it, after which deleting the resource revokes it.",
        )
    )
    arguments.append("revision: pulumi.Input[str] | None = None")
    described.append(("revision", f"Any text. Changing it looks, and grants again if the {short(kind)} is gone."))
    arguments.append(f"timeout_seconds: pulumi.Input[float] = {kind.timeout_seconds}")
    described.append(
        ("timeout_seconds", "How long to wait for the service, for each create, read and delete; 1 to 86400.")
    )
    described.append(("opts", _OPTIONS))
    inputs = [argument.split(":")[0] for argument in arguments]
    given = "".join(f'                "{name}": {name},\n' for name in inputs)
    declared = "".join(f"        {argument},\n" for argument in arguments)
    text = "".join(_argument(argument, words) for argument, words in described)
    return f'''
    def __init__(
        self,
        name: str,
        *,
{declared}        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare one.

        Args:
{text}        """
        super().__init__(
            {name}Provider(),
            name,
            {{
{given}            }},
            opts,
        )
'''


def _argument(name: str, text: str) -> str:
    lines = textwrap.wrap(f"{name}: {text}", _WIDTH - 12, subsequent_indent="    ", break_long_words=False)
    return "".join(f"            {line}\n" for line in lines)


def _part_text(kind: Kind, part: Part) -> str:
    found = limits(kind, part)
    default = f" By default {part.default!r}." if isinstance(part.default, str) else ""
    head, semicolon, rest = part.description.partition(";")
    described = f"{head}, {found}{semicolon}{rest}" if found else part.description
    return f"{sentence(described)}{default} Changing it replaces the {short(kind)}."


def _type(kind: Kind, option: Option, *, given: bool) -> str:
    return _type_of(option_shape(kind, option), option.wire, given=given)


def _type_of(shape: Any, name: str, *, given: bool) -> str:
    """The type as it is given, with an output allowed anywhere in it, or as it comes out.

    Pulumi refuses an object at run time if the class says that a TypedDict comes out (measured with 3.272).
    """
    if shape.type_name == "structure":
        return f"{name}Args" if given else "Mapping[str, Any]"
    if shape.type_name == "list":
        item = _type_of(shape.member, name, given=given)
        return f"Sequence[pulumi.Input[{item}]]" if given else f"Sequence[{item}]"
    known = {"boolean": "bool", "string": "str"}  # those that aws_associations.properties can check
    if shape.type_name not in known:
        raise ValueError(f"{name} is of the type {shape.type_name}, which no option can have yet")
    return known[shape.type_name]


def _typed_dicts(shape: Any, name: str, description: str) -> Iterator[str]:
    """A class for every structure in the shape, the innermost first, with the members as the API spells them."""
    if shape.type_name == "list":
        yield from _typed_dicts(shape.member, name, description)
    if shape.type_name != "structure":
        return
    for member, inner in shape.members.items():
        yield from _typed_dicts(inner, member, f"``{member}`` of {name}")
    yield f"class {name}Args(TypedDict, total=False):\n    {_doc(f'{description}, as the API takes it', 4)}\n"
    for member, inner in shape.members.items():
        given = f"pulumi.Input[{_type_of(inner, member, given=True)}]"
        yield f"    {member}: Required[{given}]" if member in shape.required_members else f"    {member}: {given}"
    yield "\n"


def _doc(text: str, indent: int, after: str = "", example: str = "") -> str:
    """A docstring: the text, wrapped, after a blank line what comes after, and an example."""
    room = _WIDTH - indent - 6
    first = sentence(text)
    if not after and not example and len(first) <= room:
        return f'"""{first}"""'
    if len(first) > room:
        head, _, rest = first.partition(". ")
        first, after = sentence(head), f"{rest} {after}".strip()
    paragraphs = (
        [textwrap.fill(after, _WIDTH - indent, break_long_words=False, break_on_hyphens=False)] if after else []
    )
    paragraphs += ["Example::", textwrap.indent(example.rstrip("\n"), "    ")] if example else []
    body = textwrap.indent("\n\n".join(paragraphs), " " * indent)
    return f'"""{first}\n\n{body}\n{" " * indent}"""'
