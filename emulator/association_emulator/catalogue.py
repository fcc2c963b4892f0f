"""Every service that the process serves. The only place of the generic part that names one."""

from dataclasses import dataclass, field
from typing import Any

from directory_emulator import control_api as directory_control
from directory_emulator import models as directory_models
from directory_emulator import urls as directory_urls
from directory_emulator.service import service as directory
from finspace_emulator import control_api as finspace_control
from finspace_emulator import models as finspace_models
from finspace_emulator import urls as finspace_urls
from finspace_emulator.service import service as finspace
from opensearch_emulator import control_api as opensearch_control
from opensearch_emulator.responses import PackageResponse
from opensearch_emulator.service import service as opensearch
from quicksight_emulator import control_api as quicksight_control
from quicksight_emulator.responses import GroupMembershipResponse
from quicksight_emulator.service import service as quicksight

from .emulation import EmulatedService
from .responses import EmulatedResponse
from .routes import Routes
from .settings import Settings


@dataclass(frozen=True)
class Addition:
    """A service that moto lacks: what becomes one of moto's own."""

    moto_name: str
    """moto's name of the service: botocore's without hyphens."""
    models: Any
    urls: Any


@dataclass(frozen=True)
class Offer:
    """One service, and how it gets into moto: as an addition, or by taking over the paths of a service it has."""

    service: EmulatedService[Any]
    addition: Addition | None = None
    moto_urls: str | None = None
    """The module of moto whose paths are taken over."""
    own: type[EmulatedResponse] | None = None
    """What answers the operations that are not left to moto."""
    routes: Routes = field(default_factory=dict)
    """The service's part of the control API."""


CATALOGUE: tuple[Offer, ...] = (
    Offer(
        finspace,
        addition=Addition("finspacedata", finspace_models, finspace_urls),
        routes=finspace_control.ROUTES,
    ),
    Offer(
        directory,
        addition=Addition("dsdata", directory_models, directory_urls),
        routes=directory_control.ROUTES,
    ),
    Offer(
        opensearch,
        moto_urls="moto.es.urls",
        own=PackageResponse,
        routes=opensearch_control.ROUTES,
    ),
    Offer(
        quicksight,
        moto_urls="moto.quicksight.urls",
        own=GroupMembershipResponse,
        routes=quicksight_control.ROUTES,
    ),
    Offer(
        EmulatedService(
            "organizations", Settings, throttled="TooManyRequestsException", internal_error="ServiceException"
        ),
        moto_urls="moto.organizations.urls",
    ),
    Offer(
        EmulatedService("iot", Settings, internal_error="InternalFailureException"),
        moto_urls="moto.iot.urls",
    ),
    Offer(
        EmulatedService("sts", Settings, throttled="Throttling", internal_error="InternalFailure"),
        moto_urls="moto.sts.urls",
    ),
)

BY_NAME = {offer.service.name: offer for offer in CATALOGUE}
