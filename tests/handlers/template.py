"""The function's template as CloudFormation reads it: with its intrinsics resolved for some parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
FUNCTION_TEMPLATE = ROOT / "handlers" / "template.yaml"
EXAMPLES = sorted((ROOT / "examples" / "cloudformation").glob("*.yaml"))

Place = tuple[str, str, str]
"""Partition, region, account."""
SOMEWHERE: Place = ("aws-us-gov", "us-gov-west-1", "111122223333")
"""No place that the template could name by accident."""

_NO_VALUE = object()


class _Loader(yaml.SafeLoader):
    """Reads ``!Ref x`` as ``{"Ref": "x"}`` and the like."""


def _intrinsic(loader: Any, name: str, node: yaml.Node) -> dict[str, object]:
    value: object
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    return {name: value}


_Loader.add_multi_constructor("!", _intrinsic)


def read(path: Path) -> dict[str, Any]:
    """Return a template as data, its intrinsics as they are."""
    found: dict[str, Any] = yaml.load(path.read_text(), _Loader)  # noqa: S506
    return found


def resolved(
    template: Mapping[str, Any], given: Mapping[str, str] | None = None, place: Place = SOMEWHERE
) -> dict[str, Any]:
    """Return the resources that are made for these parameters; what refers to another one becomes ``<LogicalId>``.

    Raises KeyError for a parameter, condition or intrinsic that there is not.
    """
    resolver = _Resolver(template, given or {}, place)
    made = {
        name: resource
        for name, resource in template["Resources"].items()
        if "Condition" not in resource or resolver.holds(resource["Condition"])
    }
    found: dict[str, Any] = resolver.value(made)
    return found


def statements(
    template: Mapping[str, Any], given: Mapping[str, str] | None = None, place: Place = SOMEWHERE
) -> list[dict[str, Any]]:
    """Return what the function's role is allowed, if these parameters are given."""
    (policy,) = resolved(template, given, place)["Role"]["Properties"]["Policies"]
    found: list[dict[str, Any]] = policy["PolicyDocument"]["Statement"]
    return found


class _Resolver:
    def __init__(self, template: Mapping[str, Any], given: Mapping[str, str], place: Place) -> None:
        self._template = template
        parameters = template["Parameters"]
        self._known: dict[str, Any] = {
            **dict(zip(("AWS::Partition", "AWS::Region", "AWS::AccountId"), place, strict=True)),
            "AWS::NoValue": _NO_VALUE,
            **{name: f"<{name}>" for name in template["Resources"]},
            **{name: _typed(declared["Type"], str(declared["Default"])) for name, declared in parameters.items()},
            **{name: _typed(parameters[name]["Type"], value) for name, value in given.items()},
        }
        self._intrinsics = {
            "Ref": lambda name: self._known[name],
            "GetAtt": lambda path: f"<{path}>",
            "Sub": lambda text: re.sub(r"\$\{([^}]+)\}", lambda found: str(self._known[found[1]]), text),
            "Join": lambda pair: self.value(pair[0]).join(self.value(pair[1])),
            "Equals": lambda pair: self.value(pair[0]) == self.value(pair[1]),
            "Not": lambda one: not self.value(one[0]),
            "If": self._if,
        }

    def value(self, raw: Any) -> Any:
        if isinstance(raw, list):
            items = [self.value(item) for item in raw]
            return [item for item in items if item is not _NO_VALUE]
        if not isinstance(raw, dict):
            return raw
        if len(raw) == 1 and next(iter(raw)) in self._intrinsics:
            ((name, argument),) = raw.items()
            return self._intrinsics[name](argument)
        members = {name: self.value(item) for name, item in raw.items()}
        return {name: item for name, item in members.items() if item is not _NO_VALUE}

    def _if(self, argument: list[Any]) -> Any:
        condition, then, otherwise = argument
        return self.value(then if self.holds(condition) else otherwise)

    def holds(self, condition: str) -> bool:
        """Whether a condition of the template is true."""
        return bool(self.value(self._template["Conditions"][condition]))


def _typed(kind: str, text: str) -> Any:
    # CloudFormation trims the members of a list. An empty text is a list of one empty member.
    return [member.strip() for member in text.split(",")] if kind == "CommaDelimitedList" else text
