"""What the control API is made of: functions from a JSON body to a JSON answer, by method and resource."""

from collections.abc import Callable, Mapping
from typing import Any

from moto.core.base_backend import BackendDict
from moto.core.models import DEFAULT_ACCOUNT_ID

Route = Callable[[dict[str, Any]], Any]
Routes = Mapping[tuple[str, str], Route]

PLACE = ("region", "account_id")
"""The members of a body that say where something is."""


def backend_of(backends: "BackendDict[Any]", body: dict[str, Any]) -> Any:
    """Return the backend of the place that a body names, or raise ValueError."""
    region = body.get("region", "us-east-1")
    regional = backends[body.get("account_id", DEFAULT_ACCOUNT_ID)]
    if region not in regional:
        raise ValueError(f"the service is not offered in {region!r}")
    return regional[region]


def all_backends(backends: "BackendDict[Any]") -> list[Any]:
    """Return the backends of every account and region that was in use."""
    return [backend for regional in list(backends.values()) for backend in list(regional.values())]
