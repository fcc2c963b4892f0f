"""The control API's server side: one function from a request to an answer, used in-process and over HTTP alike.

Bodies and answers are JSON; names are those of the Python API, in snake case. Under ``/_emulator/`` everything is about
all services, under ``/_emulator/<service>/`` about one.
"""

from functools import cache, partial
from typing import Any

from moto.core.base_backend import BackendDict
from moto.core.model_instances import reset_model_data

from .catalogue import BY_NAME, CATALOGUE
from .emulation import emulation, wake
from .exceptions import ServiceError
from .faults import Fault
from .routes import Routes
from .settings import Settings

PREFIX = "/_emulator/"
"""Where the control API begins; no operation of an AWS service has such a path."""

ALIASES = {"/_finspace/": "finspace-data"}
"""Other beginnings of a service's part."""


def is_control(path: str) -> bool:
    """Tell whether a path is the control API's."""
    return path.startswith((PREFIX, *ALIASES))


def handle(method: str, path: str, body: dict[str, Any]) -> tuple[int, Any]:
    """Answer a control request with an HTTP status and JSON content."""
    prefix, service = _split(path)
    routes = _routes(service)
    route = routes.get((method, path.removeprefix(prefix)))
    if route is None:
        known = ", ".join(f"{verb} {prefix}{name}" for verb, name in routes)
        return 404, {"message": f"there is no {method} {path}; there is {known}"}
    wake()
    try:
        return 200, route(body)
    except KeyError as error:
        return 400, {"message": f"{method} {path} needs {error} in its JSON body"}
    except (TypeError, ValueError) as error:
        return 400, {"message": f"{method} {path}: {error}"}
    except ServiceError as error:
        return 404, {"message": error.message}


def _split(path: str) -> tuple[str, str | None]:
    """Return the part of the API that a path is in: its beginning, and its service or None."""
    prefixes = ALIASES | {f"{PREFIX}{name}/": name for name in BY_NAME}
    return next(((prefix, name) for prefix, name in prefixes.items() if path.startswith(prefix)), (PREFIX, None))


@cache
def _routes(service: str | None) -> Routes:
    """Return what there is for all services, or for one."""
    own = BY_NAME[service].routes if service else {}
    return {
        ("POST", "reset"): _reset,
        ("GET", "settings"): partial(_settings, service),
        **({("PATCH", "settings"): partial(_settings, service)} if service else {}),
        ("GET", "faults"): partial(_faults, service),
        ("POST", "faults"): partial(_add_fault, service),
        ("DELETE", "faults"): partial(_clear_faults, service),
        ("GET", "journal"): partial(_journal, service),
        ("DELETE", "journal"): partial(_clear_journal, service),
        ("GET", "clock"): _clock,
        ("POST", "clock"): _move_clock,
        **own,
    }


def _reset(_: dict[str, Any]) -> dict[str, Any]:
    BackendDict.reset()
    reset_model_data()
    emulation.reset()
    return {}


def _settings(service: str | None, changes: dict[str, Any]) -> dict[str, Any]:
    with emulation.lock:
        if service is None:
            return {offer.service.name: offer.service.settings.to_dict() for offer in CATALOGUE}
        settings: Settings = BY_NAME[service].service.settings
        settings.update(changes)
        return settings.to_dict()


def _faults(service: str | None, _: dict[str, Any]) -> list[dict[str, Any]]:
    with emulation.lock:
        return [fault.to_dict() for fault in emulation.faults.of(service)]


def _add_fault(service: str | None, body: dict[str, Any]) -> dict[str, Any]:
    fault = Fault(**{**body, **({"service": service} if service else {})})
    if fault.service not in (None, *BY_NAME):
        raise ValueError(f"service {fault.service!r} is not emulated; there are {', '.join(BY_NAME)}")
    if fault.operation is not None:
        asked = [BY_NAME[fault.service]] if fault.service else CATALOGUE
        operations = [name for offer in asked for name in offer.service.model.operation_names]
        if fault.operation not in operations:
            known = f"; there are {', '.join(operations)}" if fault.service else ""
            raise ValueError(f"operation {fault.operation!r} does not exist{known}")
    with emulation.lock:
        emulation.faults.add(fault)
        return fault.to_dict()


def _clear_faults(service: str | None, _: dict[str, Any]) -> dict[str, Any]:
    with emulation.lock:
        emulation.faults.clear(service)
    return {}


def _journal(service: str | None, _: dict[str, Any]) -> list[dict[str, Any]]:
    with emulation.lock:
        return [entry.to_dict() for entry in emulation.journal.of(service)]


def _clear_journal(service: str | None, _: dict[str, Any]) -> dict[str, Any]:
    with emulation.lock:
        emulation.journal.clear(service)
    return {}


def _clock(_: dict[str, Any]) -> dict[str, Any]:
    with emulation.lock:
        return {"now": emulation.clock.now(), "frozen": emulation.clock.frozen}


def _move_clock(body: dict[str, Any]) -> dict[str, Any]:
    if unknown := body.keys() - {"advance", "frozen"}:
        raise ValueError(f"{', '.join(sorted(unknown))} is unknown; there are advance and frozen")
    with emulation.lock:
        if body.get("frozen") is True:
            emulation.clock.freeze()
        elif body.get("frozen") is False:
            emulation.clock.unfreeze()
        emulation.clock.advance(body.get("advance", 0))
    return _clock({})
