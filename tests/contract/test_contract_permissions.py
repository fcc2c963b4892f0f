"""The IAM statement of every kind covers exactly the calls that its life takes."""

from __future__ import annotations

from aws_associations.identity import AssociationId
from aws_associations.lifecycle import Desired
from tests.contract.cases import case
from tests.contract.stage import Stage

PREFIXES = {
    "ds-data": "ds-data",
    "finspace-data": "finspace-api",
    "iot": "iot",
    "opensearch": "es",
    "organizations": "organizations",
    "quicksight": "quicksight",
}
"""botocore's name of a service → the prefix of its IAM actions (service authorization reference)."""

RESOURCES = {
    "ds-data": "ds",
    "finspace-data": "finspace-api",
    "iot": "iot",
    "opensearch": "es",
    "organizations": "organizations",
    "quicksight": "quicksight",
}
"""botocore's name of a service → the service in the ARNs of its resources."""


@case("permissions")
def test_the_statement_covers_exactly_the_calls_of_a_whole_life(stage: Stage) -> None:
    """Nothing missing, and nothing that is never called: declared without its defaults, read, healed, deleted."""
    given = {part.name: stage.scenery.values[part.name] for part in stage.kind.parts if part.default is None}
    request = stage.request()
    identity = stage.identify(given)

    granted = stage.world.lifecycle.create(Desired(identity), request)
    assert stage.read(identity) is not None
    stage.scenery.revoke(identity.parts())
    stage.update(granted.id.text, identity, heal=True)
    stage.delete(AssociationId(identity).text)

    called = {f"{PREFIXES[entry.service]}:{entry.operation}" for entry in stage.journal() if entry.caller == "iam"}
    assert {action for permission in stage.kind.permissions for action in permission.actions} == called


@case("permissions")
def test_every_call_of_the_declaration_is_made(stage: Stage) -> None:
    """What the declaration names is what a life takes; with an exchange the rest is signed with what it answered."""
    stage.create()
    stage.delete()

    calls = stage.journal()
    assert {entry.operation for entry in calls} == stage.kind.operations
    assert {entry.service for entry in calls} == {stage.kind.service}
    exchange = {stage.kind.exchange.operation} if stage.kind.exchange else stage.kind.operations
    assert {entry.operation for entry in calls if entry.caller == "iam"} == exchange


@case("permissions")
def test_the_statement_names_no_wildcard_action_and_its_own_resources(stage: Stage) -> None:
    """Each statement allows named actions on the service's own resources, in any partition."""
    for permission in stage.kind.permissions:
        assert all("*" not in action for action in (*permission.actions, *permission.dependent))
        prefix = f"arn:${{Partition}}:{RESOURCES[stage.kind.service]}:"
        assert permission.resources
        assert all(resource.startswith(prefix) for resource in permission.resources)
        assert all("${Account}" in resource for resource in permission.resources)
