"""OpenSearch's part of the control API: domains, packages and associations, as a test sets and sees them."""

import inspect
from typing import Any

from moto.opensearch.models import OpenSearchServiceBackend, opensearch_backends

from association_emulator.routes import PLACE, Routes, all_backends, backend_of

from .exceptions import ResourceNotFoundException
from .models import Package, PackageBackend, package_backends


def _backend(body: dict[str, Any]) -> PackageBackend:
    backend: PackageBackend = backend_of(package_backends, body)
    return backend


def _add_domain(body: dict[str, Any]) -> dict[str, Any]:
    # As moto's own CreateDomain does with a name alone.
    nothing = dict.fromkeys(list(inspect.signature(OpenSearchServiceBackend.create_domain).parameters)[1:])
    given = {"domain_name": body["domain_name"], "engine_version": "OpenSearch_2.19", "is_es": False}
    backend_of(opensearch_backends, body).create_domain(**(nothing | given))
    return {}


def _remove_domain(body: dict[str, Any]) -> dict[str, Any]:
    if _backend(body).domains.pop(body["domain_name"], None) is None:
        raise ResourceNotFoundException(f"Domain {body['domain_name']} does not exist")
    return {}


def _add_package(body: dict[str, Any]) -> dict[str, Any]:
    known = {name: value for name, value in body.items() if name not in PLACE}
    _backend(body).add_package(Package(**{"package_name": f"package-{body['package_id'].lower()}", **known}))
    return {}


def _update_package(body: dict[str, Any]) -> dict[str, Any]:
    _backend(body).update_package(body["package_id"])
    return {}


def _remove_package(body: dict[str, Any]) -> dict[str, Any]:
    _backend(body).remove_package(body["package_id"])
    return {}


def _associations(_: dict[str, Any]) -> list[dict[str, Any]]:
    return [association for backend in all_backends(package_backends) for association in backend.current()]


def _associate(body: dict[str, Any]) -> dict[str, Any]:
    seconds, failed = body.get("in_progress_seconds", 0), body.get("failed", False)
    return {"changed": _backend(body).associate(body["package_id"], body["domain_name"], seconds, failed=failed)}


def _dissociate(body: dict[str, Any]) -> dict[str, Any]:
    seconds, failed = body.get("in_progress_seconds", 0), body.get("failed", False)
    return {"changed": _backend(body).dissociate(body["package_id"], body["domain_name"], seconds, failed=failed)}


def _set_in_use(body: dict[str, Any]) -> dict[str, Any]:
    _backend(body).set_in_use(body["package_id"], body["domain_name"], in_use=body["in_use"])
    return {}


ROUTES: Routes = {
    ("POST", "domains"): _add_domain,
    ("DELETE", "domains"): _remove_domain,
    ("POST", "packages"): _add_package,
    ("PATCH", "packages"): _update_package,
    ("DELETE", "packages"): _remove_package,
    ("GET", "associations"): _associations,
    ("POST", "associations"): _associate,
    ("PATCH", "associations"): _set_in_use,
    ("DELETE", "associations"): _dissociate,
}
