"""A stack of memberships in a real CloudFormation engine."""

from __future__ import annotations

import json
from collections.abc import Mapping

from demo.story import Story
from engines.ministack import Ministack, StackResult

Properties = Mapping[str, str]


class Stack:
    """One stack, whose resources are all of one type and of the function that the demo deployed."""

    def __init__(self, story: Story, engine: Ministack, name: str, resource_type: str) -> None:
        self._story = story
        self._engine = engine
        self._name = name
        self._type = resource_type

    def deploy(self, resources: Mapping[str, Properties], *, one_by_one: bool = False) -> StackResult:
        """Create or update it; what fails is shown. ``one_by_one``: each resource depends on the one before it."""
        declared: dict[str, object] = {}
        for name, properties in resources.items():
            declared[name] = {
                "Type": self._type,
                **({"DependsOn": list(declared)} if one_by_one and declared else {}),
                "Properties": {"ServiceToken": {"Fn::ImportValue": "aws-associations-ServiceToken"}, **properties},
            }
        result = self._engine.deploy(self._name, json.dumps({"Resources": declared}))
        for event in result.events:
            if event.reason and event.logical_id in resources:
                self._story.failure(f"{event.logical_id} {event.status}", event.reason)
        return result

    def delete(self) -> StackResult:
        """Delete it."""
        return self._engine.delete(self._name)

    def ids(self) -> dict[str, str]:
        """The physical ids of its resources by their logical ids."""
        return self._engine.resources(self._name)
