"""The example program of every kind under the real Pulumi engine, wherever there is a CLI."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from aws_associations.kind import Kind
from aws_associations.kinds.opensearch_package_association import KIND as PACKAGE_ASSOCIATION
from engines.pulumi_engine import PulumiProject, find_pulumi
from tests.provider.declared import aws_environment
from tests.provider.kinds import ROOT, Parties, every_kind, example_config

_FOUND, _REASON = find_pulumi()
pytestmark = pytest.mark.skipif(_FOUND is None, reason=f"not run under a real engine: {_REASON}")


@every_kind
def test_the_example_of_a_kind_is_granted_replaced_and_revoked(kind: Kind, emulated: str, tmp_path: Path) -> None:
    """Up grants, the same again changes nothing, another configuration replaces, destroy revokes."""
    it = Parties(kind)
    required = [part.name for part in kind.parts if part.default is None]
    before, after = it.scenery.values, it.other(*required)
    folder = shutil.copytree(ROOT / "examples" / "pulumi" / kind.name, tmp_path / "example")

    with PulumiProject(folder, config=example_config(kind, before), environment=aws_environment(emulated)) as project:
        assert project.up().operations == [("create", "example")]
        assert it.granted() == {it.identity(before)}
        assert project.up(expect_no_changes=True).operations == []

        project.set_config(example_config(kind, after))
        operations = [operation for operation, _ in project.up().operations]
        # A thing, say, is in one billing group only.
        deleted_first = operations.index("delete-replaced") < operations.index("create-replacement")
        assert deleted_first == kind.look.exclusive
        assert it.granted() == {it.identity(after)}

        project.destroy()
        assert it.granted() == set()


_NESTED = """
import pulumi
from pulumi_aws_associations.opensearch import PackageAssociation

first = PackageAssociation("first", domain_name="search", package_id="F123456789")
second = PackageAssociation(
    "second",
    domain_name="search",
    package_id="F987654321",
    prerequisite_package_id_list=[first.package_id],
    association_configuration={
        "KeyStoreAccessOption": {
            # Not known before the first one is there.
            "KeyAccessRoleArn": first.account.apply(lambda account: f"arn:aws:iam::{account}:role/keys"),
            "KeyStoreAccessEnabled": first.adopted.apply(lambda adopted: not adopted),
        }
    },
)
pulumi.export("configuration", second.association_configuration)
pulumi.export("status", second.status)
"""


def test_outputs_within_options_are_awaited(emulated: str) -> None:
    """What is unknown deep inside an option passes a preview, arrives as its value, and is the same the next time."""
    it = Parties(PACKAGE_ASSOCIATION)
    expected = {
        "KeyStoreAccessOption": {
            "KeyAccessRoleArn": "arn:aws:iam::123456789012:role/keys",
            "KeyStoreAccessEnabled": True,
        }
    }
    with PulumiProject(_NESTED, environment=aws_environment(emulated)) as project:
        assert project.preview().operations == [("create", "first"), ("create", "second")]
        project.up()
        assert len(it.granted()) == 2
        assert project.outputs() == {"configuration": expected, "status": "ACTIVE"}
        sent = it.control.journal("AssociatePackage")[-1].parameters
        assert (sent["AssociationConfiguration"], sent["PrerequisitePackageIDList"]) == (expected, ["F123456789"])

        assert project.up(expect_no_changes=True).operations == []
        project.destroy()
    assert it.granted() == set()
