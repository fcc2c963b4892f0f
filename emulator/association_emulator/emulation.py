"""What all services of the process share, and what one service is to the parts that serve all.

``emulation`` is the state outside moto's backends; ``EmulatedService`` describes one service and reaches that state.
"""

from functools import cached_property
from threading import RLock
from typing import Any, Generic, TypeVar

from botocore.loaders import Loader
from botocore.model import ServiceModel
from moto.core.base_backend import BackendDict, BaseBackend
from moto.core.models import DEFAULT_ACCOUNT_ID

from .clock import ServiceClock
from .faults import FaultQueue
from .journal import Journal, JournalEntry
from .settings import Settings

State = TypeVar("State")
OwnSettings = TypeVar("OwnSettings", bound=Settings)


class Emulation:
    """Clock, faults, journal, and one object of every type of state that a service asks for.

    Hold ``lock`` to read or write it. Never ask moto for a backend while holding the lock: moto has a lock of its own,
    and a reset takes them the other way round.
    """

    def __init__(self) -> None:
        self.lock = RLock()
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        with self.lock:
            self.clock = ServiceClock()
            self.faults = FaultQueue(self.clock)
            self.journal = Journal()
            self._states: dict[type[Any], Any] = {}

    def state(self, kind: type[State]) -> State:
        """Return the object of this type, made anew after a reset."""
        with self.lock:
            if kind not in self._states:
                self._states[kind] = kind()
            found: State = self._states[kind]
            return found


emulation = Emulation()


class EmulationBackend(BaseBackend):
    """A backend with nothing in it: moto resets it along with its own, and thereby tells the emulation to."""

    def reset(self) -> None:
        """Forget everything, when moto does."""
        emulation.reset()
        super().reset()


_emulation_backends = BackendDict(
    EmulationBackend, "emulation", use_boto3_regions=False, additional_regions=["us-east-1"]
)


def wake() -> None:
    """Make moto know of the emulation: it resets only the backends that it has handed out since the last time."""
    _ = _emulation_backends[DEFAULT_ACCOUNT_ID]["us-east-1"]


class EmulatedService(Generic[OwnSettings]):
    """One service: its name and model at botocore, its settings, and the codes of what any service may answer."""

    entry_type: type[JournalEntry] = JournalEntry

    def __init__(
        self,
        name: str,
        settings: type[OwnSettings],
        *,
        throttled: str = "ThrottlingException",
        internal_error: str = "InternalServerException",
        data_path: str | None = None,
        regions: tuple[str, ...] | None = None,
    ) -> None:
        """``data_path``: where the model is if not at botocore. ``regions``: where its endpoints resolve; None: all."""
        self.name = name
        self.throttled = throttled
        self.internal_error = internal_error
        self.regions = regions
        self._settings = settings
        self._data_path = data_path

    @cached_property
    def model(self) -> ServiceModel:
        """The service model."""
        loader = Loader()
        if self._data_path is not None:
            # Whatever botocore brings along.
            loader = Loader(extra_search_paths=[self._data_path], include_default_search_paths=False)
        return ServiceModel(loader.load_service_model(self.name, "service-2"), self.name)

    @property
    def lock(self) -> Any:
        """The emulation's lock."""
        return emulation.lock

    @property
    def clock(self) -> ServiceClock:
        """The emulation's clock."""
        return emulation.clock

    @property
    def settings(self) -> OwnSettings:
        """The service's switches and settings."""
        return emulation.state(self._settings)
