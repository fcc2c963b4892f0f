"""The control API's server side: one function from a request to an answer, used in-process and over HTTP alike.

Bodies and answers are JSON; names are those of the Python API, in snake case.
"""

from collections.abc import Callable
from typing import Any

from moto.core.base_backend import BackendDict
from moto.core.model_instances import reset_model_data
from moto.core.models import DEFAULT_ACCOUNT_ID

from .exceptions import ResourceNotFoundException
from .faults import Fault
from .models import REGIONS, FinSpaceDataBackend, PermissionGroup, User, finspacedata_backends
from .service import service
from .wire import service_model

PREFIX = "/_finspace/"
"""Where the control API begins; no operation of an AWS service has such a path."""


def handle(method: str, path: str, body: dict[str, Any]) -> tuple[int, Any]:
    """Answer a control request with an HTTP status and JSON content. ``path`` begins with ``/_finspace/``."""
    route = _ROUTES.get((method, path.removeprefix(PREFIX)))
    if route is None:
        known = ", ".join(f"{verb} {PREFIX}{name}" for verb, name in _ROUTES)
        return 404, {"message": f"there is no {method} {path}; there is {known}"}
    _wake_moto()
    try:
        return 200, route(body)
    except KeyError as error:
        return 400, {"message": f"{method} {path} needs {error} in its JSON body"}
    except (TypeError, ValueError) as error:
        return 400, {"message": f"{method} {path}: {error}"}
    except ResourceNotFoundException as error:
        return 404, {"message": error.message}


def _wake_moto() -> None:
    """Make moto know of a backend: it resets, and thereby tells the service to, only those that it has handed out."""
    _ = finspacedata_backends[DEFAULT_ACCOUNT_ID][REGIONS[0]]


def _backend(body: dict[str, Any]) -> FinSpaceDataBackend:
    region = body.get("region", "us-east-1")
    if region not in REGIONS:
        raise ValueError(f"FinSpace is not offered in {region!r}, only in {', '.join(REGIONS)}")
    return finspacedata_backends[body.get("account_id", DEFAULT_ACCOUNT_ID)][region]


def _reset(_: dict[str, Any]) -> dict[str, Any]:
    BackendDict.reset()
    reset_model_data()
    service.reset()
    return {}


def _settings(changes: dict[str, Any]) -> dict[str, Any]:
    with service.lock:
        service.settings.update(changes)
        return service.settings.to_dict()


def _faults(_: dict[str, Any]) -> list[dict[str, Any]]:
    with service.lock:
        return [fault.to_dict() for fault in service.faults.pending]


def _add_fault(body: dict[str, Any]) -> dict[str, Any]:
    fault = Fault(**body)
    operations = service_model().operation_names
    if fault.operation is not None and fault.operation not in operations:
        raise ValueError(f"operation {fault.operation!r} does not exist; there are {', '.join(operations)}")
    with service.lock:
        service.faults.add(fault)
        return fault.to_dict()


def _clear_faults(_: dict[str, Any]) -> dict[str, Any]:
    with service.lock:
        service.faults.clear()
    return {}


def _journal(_: dict[str, Any]) -> list[dict[str, Any]]:
    with service.lock:
        return [entry.to_dict() for entry in service.journal.entries]


def _clear_journal(_: dict[str, Any]) -> dict[str, Any]:
    with service.lock:
        service.journal.clear()
    return {}


def _clock(_: dict[str, Any]) -> dict[str, Any]:
    with service.lock:
        return {"now": service.clock.now(), "frozen": service.clock.frozen}


def _move_clock(body: dict[str, Any]) -> dict[str, Any]:
    if unknown := body.keys() - {"advance", "frozen"}:
        raise ValueError(f"{', '.join(sorted(unknown))} is unknown; there are advance and frozen")
    with service.lock:
        if body.get("frozen") is True:
            service.clock.freeze()
        elif body.get("frozen") is False:
            service.clock.unfreeze()
        service.clock.advance(body.get("advance", 0))
    return _clock({})


def _memberships(_: dict[str, Any]) -> list[dict[str, Any]]:
    backends = [backend for regional in list(finspacedata_backends.values()) for backend in list(regional.values())]
    return [membership for backend in backends for membership in backend.memberships()]


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
    known = {name: value for name, value in body.items() if name not in ("environment_id", "region", "account_id")}
    user = User(**{"email_address": f"{user_id}@example.com", "type": "APP_USER", **known})
    _backend(body).add_user(body["environment_id"], user)
    return {}


def _remove_user(body: dict[str, Any]) -> dict[str, Any]:
    _backend(body).remove_user(body["environment_id"], body["user_id"])
    return {}


def _add_permission_group(body: dict[str, Any]) -> dict[str, Any]:
    group_id = body["permission_group_id"]
    known = {name: value for name, value in body.items() if name not in ("environment_id", "region", "account_id")}
    group = PermissionGroup(**{"name": group_id, **known})
    _backend(body).add_permission_group(body["environment_id"], group)
    return {}


def _remove_permission_group(body: dict[str, Any]) -> dict[str, Any]:
    _backend(body).remove_permission_group(body["environment_id"], body["permission_group_id"])
    return {}


_ROUTES: dict[tuple[str, str], Callable[[dict[str, Any]], Any]] = {
    ("POST", "reset"): _reset,
    ("GET", "settings"): _settings,
    ("PATCH", "settings"): _settings,
    ("GET", "faults"): _faults,
    ("POST", "faults"): _add_fault,
    ("DELETE", "faults"): _clear_faults,
    ("GET", "journal"): _journal,
    ("DELETE", "journal"): _clear_journal,
    ("GET", "clock"): _clock,
    ("POST", "clock"): _move_clock,
    ("GET", "memberships"): _memberships,
    ("POST", "memberships"): _grant,
    ("DELETE", "memberships"): _revoke,
    ("POST", "environments"): _add_environment,
    ("POST", "users"): _add_user,
    ("DELETE", "users"): _remove_user,
    ("POST", "permission-groups"): _add_permission_group,
    ("DELETE", "permission-groups"): _remove_permission_group,
}
