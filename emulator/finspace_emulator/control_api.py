"""FinSpace's part of the control API: environments with users, groups and memberships, as a test sets and sees them."""

from typing import Any

from moto.core.models import DEFAULT_ACCOUNT_ID

from association_emulator.routes import PLACE, Routes, all_backends

from .models import FinSpaceDataBackend, PermissionGroup, User, finspacedata_backends
from .service import REGIONS


def _backend(body: dict[str, Any]) -> FinSpaceDataBackend:
    region = body.get("region", "us-east-1")
    if region not in REGIONS:
        raise ValueError(f"FinSpace is not offered in {region!r}, only in {', '.join(REGIONS)}")
    return finspacedata_backends[body.get("account_id", DEFAULT_ACCOUNT_ID)][region]


def _memberships(_: dict[str, Any]) -> list[dict[str, Any]]:
    return [membership for backend in all_backends(finspacedata_backends) for membership in backend.memberships()]


def _grant(body: dict[str, Any]) -> dict[str, Any]:
    changed = _backend(body).grant(
        body["environment_id"], body["permission_group_id"], body["user_id"], body.get("in_progress_seconds", 0)
    )
    return {"changed": changed}


def _revoke(body: dict[str, Any]) -> dict[str, Any]:
    changed = _backend(body).revoke(
        body["environment_id"], body["permission_group_id"], body["user_id"], body.get("in_progress_seconds", 0)
    )
    return {"changed": changed}


def _add_environment(body: dict[str, Any]) -> dict[str, Any]:
    _backend(body).create_environment(body["environment_id"])
    return {}


def _add_user(body: dict[str, Any]) -> dict[str, Any]:
    user_id = body["user_id"]
    known = {name: value for name, value in body.items() if name not in ("environment_id", *PLACE)}
    user = User(**{"email_address": f"{user_id}@example.com", "type": "APP_USER", **known})
    _backend(body).add_user(body["environment_id"], user)
    return {}


def _remove_user(body: dict[str, Any]) -> dict[str, Any]:
    _backend(body).remove_user(body["environment_id"], body["user_id"])
    return {}


def _add_permission_group(body: dict[str, Any]) -> dict[str, Any]:
    group_id = body["permission_group_id"]
    known = {name: value for name, value in body.items() if name not in ("environment_id", *PLACE)}
    group = PermissionGroup(**{"name": group_id, **known})
    _backend(body).add_permission_group(body["environment_id"], group)
    return {}


def _remove_permission_group(body: dict[str, Any]) -> dict[str, Any]:
    _backend(body).remove_permission_group(body["environment_id"], body["permission_group_id"])
    return {}


ROUTES: Routes = {
    ("GET", "memberships"): _memberships,
    ("POST", "memberships"): _grant,
    ("DELETE", "memberships"): _revoke,
    ("POST", "environments"): _add_environment,
    ("POST", "users"): _add_user,
    ("DELETE", "users"): _remove_user,
    ("POST", "permission-groups"): _add_permission_group,
    ("DELETE", "permission-groups"): _remove_permission_group,
}
