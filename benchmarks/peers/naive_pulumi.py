"""Dynamic providers as they are written in a hurry: one that does nothing, and one that looks and waits by itself."""

from __future__ import annotations

import threading
import time
from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, ReadResult, Resource, ResourceProvider

_SECONDS = 0.5
"""Between two looks of one who waits."""

_lock = threading.Lock()


class MembershipProvider(ResourceProvider):
    """A look and a wait of its own for each resource."""

    serialize_as_secret_always = False

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Look, associate, look until it is there."""
        if self._status(props):
            raise RuntimeError("it is there already")
        self._client(props).associate_user_to_permission_group(
            permissionGroupId=props["permission_group_id"], userId=props["user_id"]
        )
        while self._status(props) != "ADDITION_SUCCESS":
            time.sleep(_SECONDS)
        return CreateResult(f"{props['permission_group_id']}/{props['user_id']}", props)

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Look."""
        return ReadResult(id_, props) if self._status(props) else ReadResult("", {})

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Compare the two parties."""
        changed = [name for name in ("permission_group_id", "user_id") if olds.get(name) != news.get(name)]
        return DiffResult(changes=bool(changed), replaces=changed)

    def delete(self, _id: str, props: dict[str, Any]) -> None:
        """Disassociate, look until it is gone."""
        self._client(props).disassociate_user_from_permission_group(
            permissionGroupId=props["permission_group_id"], userId=props["user_id"]
        )
        while self._status(props):
            time.sleep(_SECONDS)

    def _client(self, props: dict[str, Any]) -> Any:
        from benchmarks.peers.plain import finspace  # imports boto3

        with _lock:
            return finspace(props["environment_id"])

    def _status(self, props: dict[str, Any]) -> str:
        client = self._client(props)
        found = client.list_permission_groups_by_user(userId=props["user_id"], maxResults=100)["permissionGroups"]
        return next(
            (each["membershipStatus"] for each in found if each["permissionGroupId"] == props["permission_group_id"]),
            "",
        )


class NothingProvider(ResourceProvider):
    """What any dynamic resource costs whose state is as large as a membership's: the engine's work grows with that."""

    serialize_as_secret_always = False

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Do nothing."""
        told = {"region": "us-east-1", "account": "123456789012", "adopted": False, "status_code": 200}
        told |= {"membership_status": "ADDITION_SUCCESS", "request_id": "0" * 32}
        id_ = f"membership/v1/{'0' * 60}/{props['permission_group_id']}/{props['user_id']}"
        return CreateResult(id_, {**props, **told})

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Compare the two parties."""
        changed = [name for name in ("permission_group_id", "user_id") if olds.get(name) != news.get(name)]
        return DiffResult(changes=bool(changed), replaces=changed)


class Nothing(Resource):
    """A resource that is nothing but declared, with the properties of a membership."""

    def __init__(self, name: str, environment_id: str, permission_group_id: str, user_id: str) -> None:
        outputs = dict.fromkeys(("region", "account", "adopted", "membership_status", "status_code"))
        declared = {"environment_id": environment_id, "permission_group_id": permission_group_id, "user_id": user_id}
        declared_by = [pulumi.get_organization(), pulumi.get_project(), pulumi.get_stack(), "", name]
        options = {"on_existing": "fail", "timeout_seconds": 300, "declared_by": declared_by}
        super().__init__(NothingProvider(), name, {**outputs, **declared, **options})
