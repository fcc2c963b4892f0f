"""QuickSight's part of the control API: groups, users and memberships, as a test sets and sees them."""

from typing import Any

from association_emulator.routes import Routes, all_backends, backend_of

from .models import GroupMembershipBackend, membership_backends

DEFAULT_NAMESPACE = "default"


def _backend(body: dict[str, Any]) -> GroupMembershipBackend:
    backend: GroupMembershipBackend = backend_of(membership_backends, body)
    return backend


def _namespace(body: dict[str, Any]) -> str:
    return str(body.get("namespace", DEFAULT_NAMESPACE))


def _add_group(body: dict[str, Any]) -> dict[str, Any]:
    _backend(body).add_group(_namespace(body), body["group_name"])
    return {}


def _remove_group(body: dict[str, Any]) -> dict[str, Any]:
    _backend(body).remove_group(_namespace(body), body["group_name"])
    return {}


def _add_user(body: dict[str, Any]) -> dict[str, Any]:
    _backend(body).add_user(_namespace(body), body["user_name"])
    return {}


def _remove_user(body: dict[str, Any]) -> dict[str, Any]:
    _backend(body).remove_user(_namespace(body), body["user_name"])
    return {}


def _memberships(_: dict[str, Any]) -> list[dict[str, Any]]:
    return [membership for backend in all_backends(membership_backends) for membership in backend.memberships()]


def _grant(body: dict[str, Any]) -> dict[str, Any]:
    return {"changed": _backend(body).grant(_namespace(body), body["group_name"], body["member_name"])}


def _revoke(body: dict[str, Any]) -> dict[str, Any]:
    return {"changed": _backend(body).revoke(_namespace(body), body["group_name"], body["member_name"])}


ROUTES: Routes = {
    ("POST", "groups"): _add_group,
    ("DELETE", "groups"): _remove_group,
    ("POST", "users"): _add_user,
    ("DELETE", "users"): _remove_user,
    ("GET", "memberships"): _memberships,
    ("POST", "memberships"): _grant,
    ("DELETE", "memberships"): _revoke,
}
