"""Programs as users write them, taken by Pulumi's mocks: what they declare, and that it is typed."""

from __future__ import annotations

import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, get_type_hints

import pulumi
import pytest

from aws_associations.kind import Kind
from generation.facts import class_name, module_name
from tests.provider.kinds import ROOT, documented_outputs, every_kind, example_config
from tests.provider.programs import run_program


def of_every_kind(kind: Kind) -> dict[str, object]:
    """What a program declares without saying so."""
    return {"on_existing": "fail", "timeout_seconds": kind.timeout_seconds}


def resource_class(kind: Kind) -> Any:
    """The class that a program imports."""
    return getattr(importlib.import_module(f"pulumi_aws_associations.{module_name(kind)}"), class_name(kind))


def test_the_order_of_a_replacement_is_the_programs_or_left_to_the_diff(tmp_path: Path) -> None:
    """The class says nothing of ``delete_before_replace``: only the diff knows which order loses nothing."""
    program = tmp_path / "order.py"
    program.write_text(
        """
import pulumi
from pulumi_aws_associations.iot import BillingGroupMembership

pair = {"billing_group_name": "tariff-a", "thing_name": "meter-7"}
BillingGroupMembership("default", **pair)
BillingGroupMembership("other options", **pair, opts=pulumi.ResourceOptions(protect=True))
BillingGroupMembership("otherwise", **pair, opts=pulumi.ResourceOptions(delete_before_replace=True))
"""
    )

    ran = run_program(program)

    assert {made.name: made.deleted_first for made in ran.resources} == {
        "default": False,
        "other options": False,
        "otherwise": True,
    }


_AWS = 'aws = pulumi.ProviderResource("aws", "elsewhere", {})\n'
_TEAM = 'team = pulumi.ComponentResource("team:Team", "team", opts=pulumi.ResourceOptions(providers=[aws]))\n'


@pytest.mark.parametrize(
    ("before", "options", "told"),
    [
        ("", "custom_timeouts=pulumi.CustomTimeouts(delete='5m')", "custom_timeouts. Pass timeout_seconds"),
        ("", "import_='some id'", "pass on_existing='adopt'"),
        (_AWS, "provider=aws", "cannot use the provider of aws. Tell it the region with region="),
        (_AWS, "providers=[aws]", "the provider of aws in providers. Tell it the region"),
        (_AWS, "providers={'aws': aws}", "the provider of aws in providers. Tell it the region"),
        (_AWS + _TEAM, "parent=team", "the provider of aws that its parent passes on. Tell it the region"),
    ],
)
def test_options_that_pulumi_does_not_pass_on_are_refused(tmp_path: Path, before: str, options: str, told: str) -> None:
    """The program stops with one sentence; a region, or configuration, of its own says where instead of a provider."""
    program = tmp_path / "options.py"
    text = (
        f"import pulumi\nfrom pulumi_aws_associations.iot import BillingGroupMembership\n{before}"
        f"BillingGroupMembership('a', billing_group_name='b', thing_name='t', opts=pulumi.ResourceOptions({options}))\n"
    )
    program.write_text(text)
    ran = run_program(program)
    assert ran.error.startswith("IoT billing group membership 'a': ")
    assert told in ran.error

    for config, more in (({}, "region='us-east-1', "), ({"aws-associations:profile": "deploy"}, "")):
        program.write_text(text.replace("thing_name='t', ", f"thing_name='t', {more}"))
        assert (run_program(program, config).error == "") == ("the provider of aws " in told)


def test_a_secret_that_the_id_shows_is_told(tmp_path: Path) -> None:
    """A warning names the property; one that is no secret has none."""
    program = tmp_path / "secret.py"
    program.write_text(
        "import pulumi\nfrom pulumi_aws_associations.iot import BillingGroupMembership\n"
        "pulumi.log.warn = lambda text, *_: pulumi.export('warning', text)\n"
        "secret, plain = pulumi.Output.secret('t'), pulumi.Output.from_input('b')\n"
        "BillingGroupMembership('a', billing_group_name=plain, thing_name=secret)\n"
    )
    assert run_program(program).exports == {
        "warning": "IoT billing group membership 'a': thing_name is secret, but the id, the ledger and messages show it"
        " in clear."
    }


def typed(tmp_path: Path, text: str) -> str:
    """What mypy, as strict as it can be, says of a program; it finds the package as a user's does."""
    program = tmp_path / "typed.py"
    program.write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(ROOT / ".mypy_cache"), str(program)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.stdout


@every_kind
def test_the_example_program_declares_what_its_configuration_says(kind: Kind, tmp_path: Path) -> None:
    """The example of every kind is well typed, registers its own type with each required property, exports the id."""
    values = {part.name: part.example for part in kind.parts}
    program = ROOT / "examples" / "pulumi" / kind.name / "__main__.py"

    ran = run_program(program, example_config(kind, values))

    (resource,) = ran.resources
    module, name = module_name(kind), class_name(kind)
    assert (resource.type, resource.name) == (f"pulumi-python:dynamic/aws-associations/{module}:{name}", "example")
    required = {part.name: part.example for part in kind.parts if part.default is None}
    declared_by = ["organization", "project", "dev", "", "example"]
    assert resource.inputs == {**required, **of_every_kind(kind), "declared_by": declared_by}
    assert list(ran.exports.values()) == ["example-id"]
    assert typed(tmp_path, program.read_text()).startswith("Success")


@every_kind
def test_the_program_of_the_kinds_page_declares_every_property(kind: Kind, tmp_path: Path) -> None:
    """The Python of the reference page runs as it stands, options included."""
    page = (ROOT / "docs" / "kinds" / f"{kind.name}.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"^```python\n(.*?)^```$", page, flags=re.MULTILINE | re.DOTALL)
    program = tmp_path / "page.py"
    program.write_text(text)

    (resource,) = run_program(program).resources

    expected: dict[str, Any] = {part.name: part.example for part in kind.parts}
    expected |= {option.name: option.example for option in kind.options}
    assert {name: resource.inputs[name] for name in expected} == expected


@every_kind
def test_the_class_is_complete_in_an_editor(kind: Kind) -> None:
    """Every property is a documented keyword with a type, every documented output a typed attribute."""
    cls = resource_class(kind)
    parameters = inspect.signature(cls.__init__).parameters
    members = [*(part.name for part in kind.members), *(option.name for option in kind.options)]
    region = [] if kind.is_global else ["region"]

    assert list(parameters) == ["self", "name", *members, *region, "on_existing", "revision", "timeout_seconds", "opts"]
    assert all(parameter.kind is parameter.KEYWORD_ONLY for parameter in list(parameters.values())[2:])
    given = {name for name, parameter in parameters.items() if parameter.default is parameter.empty}
    assert given == {"self", "name", *(part.name for part in kind.parts if part.default is None)}
    for name in list(parameters)[1:]:
        assert f"\n            {name}: " in cls.__init__.__doc__
    get_type_hints(cls.__init__, localns={"Output": pulumi.Output, "T": object})  # every name in them is known
    outputs = inspect.get_annotations(cls, eval_str=True)
    attributes = documented_outputs(kind) | {option.name for option in kind.options}
    assert attributes <= set(outputs)
    for name in attributes:
        assert str(outputs[name]).startswith("pulumi.output.Output[")
        assert re.search(rf'^    {name}: pulumi\.Output\[.*\n    """.+', inspect.getsource(cls), re.MULTILINE)
    assert f"{class_name(kind)}(" in cls.__doc__


@every_kind
def test_every_documented_output_can_be_used_in_a_program(kind: Kind, tmp_path: Path) -> None:
    """Each output is an attribute at run time too, also those that nobody declares."""
    given = {part.name: part.example for part in kind.parts if part.default is None}
    names = sorted(documented_outputs(kind) | {option.name for option in kind.options})
    program = tmp_path / "outputs.py"
    program.write_text(
        f"import pulumi\nfrom pulumi_aws_associations.{module_name(kind)} import {class_name(kind)}\n"
        f"made = {class_name(kind)}('example', **{given!r})\n"
        f"for name in {names!r}:\n    pulumi.export(name, getattr(made, name))\n"
    )

    ran = run_program(program)

    assert ran.error == ""
    assert set(ran.exports) == set(names)
    assert {name: ran.exports[name] for name in given} == given


NESTED = """
import pulumi
from pulumi_aws_associations.opensearch import AssociationConfigurationArgs, PackageAssociation

role = pulumi.Output.from_input("arn:aws:iam::123456789012:role/keys")
first = PackageAssociation("first", domain_name="search", package_id="F111111111")
configuration: AssociationConfigurationArgs = {
    "KeyStoreAccessOption": {"KeyAccessRoleArn": role, "KeyStoreAccessEnabled": pulumi.Output.from_input(True)}
}
second = PackageAssociation(
    "second",
    domain_name=first.domain_name,
    package_id="F222222222",
    prerequisite_package_id_list=[first.package_id, "F333333333"],
    association_configuration=configuration,
    timeout_seconds=pulumi.Output.from_input(600),
)
PackageAssociation(
    "third",
    domain_name="search",
    package_id="F444444444",
    prerequisite_package_id_list=second.prerequisite_package_id_list.apply(lambda found: [*(found or [])]),
    association_configuration=pulumi.Output.from_input(configuration),
)
pulumi.export(
    "enabled",
    second.association_configuration.apply(
        lambda found: found["KeyStoreAccessOption"]["KeyStoreAccessEnabled"] if found else None
    ),
)
"""


def test_outputs_may_stand_anywhere_in_nested_properties(tmp_path: Path) -> None:
    """An output as a property, in a list, in an object or of a whole object arrives as its value."""
    program = tmp_path / "nested.py"
    program.write_text(NESTED)

    ran = run_program(program)

    inputs = {resource.name: resource.inputs for resource in ran.resources}
    configuration = {
        "KeyStoreAccessOption": {
            "KeyAccessRoleArn": "arn:aws:iam::123456789012:role/keys",
            "KeyStoreAccessEnabled": True,
        }
    }
    for name in ("second", "third"):
        assert inputs[name]["prerequisite_package_id_list"] == ["F111111111", "F333333333"]
        assert inputs[name]["association_configuration"] == configuration
    assert (inputs["second"]["domain_name"], inputs["second"]["timeout_seconds"]) == ("search", 600)
    assert ran.exports == {"enabled": True}


def test_a_program_with_nested_outputs_is_well_typed(tmp_path: Path) -> None:
    """The type checker of a user's editor accepts outputs wherever they work."""
    assert typed(tmp_path, NESTED).startswith("Success")


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ('association_configuration={"KeyStoreAccess": {}}', "association_configuration"),
        ('association_configuration={"KeyStoreAccessOption": {}}', "association_configuration"),
        ("prerequisite_package_id_list=[7]", "List item 0"),
        ('on_existing="Adopt"', "on_existing"),
        ("domain=7", "domain"),
    ],
)
def test_a_mistake_is_found_before_the_program_runs(tmp_path: Path, wrong: str, named: str) -> None:
    """A misspelt member, one that is required, another type or an unknown property is an error in the editor."""
    text = f"""
from pulumi_aws_associations.opensearch import PackageAssociation
PackageAssociation("a", domain_name="search", package_id="F111111111", {wrong})
"""
    assert re.search(rf"error: .*{named}", typed(tmp_path, text))


def test_the_root_program_declares_an_association_of_any_kind() -> None:
    """The repository's own program makes a resource of each entry of its configuration, whatever its type."""
    entries = {
        "a": {"type": "directory.GroupMembership", "directory_id": "d-1", "group_name": 1.5, "member_name": "m"},
        "b": {"type": "organizations.DelegatedAdministrator", "service_principal": "s", "account_id": 210987654321},
    }
    ran = run_program(ROOT / "__main__.py", {"associations": entries})

    assert [resource.type.rpartition("/")[2] for resource in ran.resources] == [
        "directory:GroupMembership",
        "organizations:DelegatedAdministrator",
    ]
    assert ran.resources[1].inputs["account_id"] == "210987654321"
    assert ran.resources[0].inputs["group_name"] == 1.5  # refused by check, for it was not written so
    assert ran.exports == {"associationIds": {"a": "a-id", "b": "b-id"}}


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"type": "finspace.PermissionGroupMembership", "environment_id": "env1"}, "permission_group_id"),
        ({"type": "finspace.Membership"}, r"associations\.a\.type is 'finspace.Membership'"),
        ({"type": "nowhere.Membership"}, r"associations\.a\.type"),
        ({}, r"associations\.a\.type"),
        ({"type": "iot.ThingGroupMembership", "thing": "t"}, r"associations\.a\.thing is not known.*thing_name"),
        ({"type": "iot.ThingGroupMembership", "thing_name": None}, r"associations\.a\.thing_name is empty"),
        ([], r"associations\.a\.type"),
    ],
)
def test_the_root_program_names_what_is_wrong_with_an_entry(entry: dict[str, Any], message: str) -> None:
    """A mistake in the configuration is one sentence that names the entry."""
    ran = run_program(ROOT / "__main__.py", {"associations": {"a": entry}})

    assert re.search(message, ran.error), ran
    assert ran.resources == []


def test_the_root_program_refuses_a_list() -> None:
    """``associations[0].type`` makes a list, which has no logical names; the message shows what to write."""
    ran = run_program(ROOT / "__main__.py", {"associations": [{"type": "iot.ThingGroupMembership"}]})

    assert "`pulumi config set --path 'associations.alice.type' directory.GroupMembership`" in ran.error
