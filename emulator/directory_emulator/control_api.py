"""The directories' part of the control API: directories with objects and memberships, as a test sets and sees them."""

from typing import Any

from association_emulator.routes import Routes, all_backends, backend_of

from .models import DirectoryDataBackend, dsdata_backends
from .service import service


def _backend(body: dict[str, Any]) -> DirectoryDataBackend:
    backend: DirectoryDataBackend = backend_of(dsdata_backends, body)
    return backend


def _put_directory(body: dict[str, Any]) -> dict[str, Any]:
    reasons = service.model.shape_for("DirectoryUnavailableReason").enum
    if body.get("unavailable") not in (None, *reasons):
        raise ValueError(f"unavailable is null or one of {', '.join(reasons)}, not {body['unavailable']!r}")
    backend = _backend(body)
    with service.lock:
        directory = backend.directory(body["directory_id"])
        directory.domain = body.get("domain", directory.domain)
        directory.data_access = body.get("data_access", directory.data_access)
        directory.unavailable = body.get("unavailable", directory.unavailable)
        directory.trusted |= set(body.get("trusted", ()))
    return {}


def _remove_directory(body: dict[str, Any]) -> dict[str, Any]:
    backend = _backend(body)
    with service.lock:
        del backend.directories[body["directory_id"]]
    return {}


def _put_object(body: dict[str, Any]) -> dict[str, Any]:
    fields = {name: body[name] for name in ("member_type", "group_scope", "group_type") if name in body}
    _backend(body).put(body["directory_id"], body["name"], body.get("realm"), **fields)
    return {}


def _remove_object(body: dict[str, Any]) -> dict[str, Any]:
    backend = _backend(body)
    with service.lock:
        directory = backend.directory(body["directory_id"])
        directory.remove(directory.object(body["name"], body.get("realm")))
    return {}


def _memberships(_: dict[str, Any]) -> list[dict[str, Any]]:
    return [membership for backend in all_backends(dsdata_backends) for membership in backend.memberships()]


def _grant(body: dict[str, Any]) -> dict[str, Any]:
    changed = _backend(body).grant(
        body["directory_id"], body["group_name"], body["member_name"], body.get("member_realm")
    )
    return {"changed": changed}


def _revoke(body: dict[str, Any]) -> dict[str, Any]:
    changed = _backend(body).revoke(
        body["directory_id"], body["group_name"], body["member_name"], body.get("member_realm")
    )
    return {"changed": changed}


ROUTES: Routes = {
    ("POST", "directories"): _put_directory,
    ("DELETE", "directories"): _remove_directory,
    ("POST", "objects"): _put_object,
    ("DELETE", "objects"): _remove_object,
    ("GET", "memberships"): _memberships,
    ("POST", "memberships"): _grant,
    ("DELETE", "memberships"): _revoke,
}
