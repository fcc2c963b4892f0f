"""The emulator's own service model of FinSpace Data."""

from botocore.model import ServiceModel

from .service import service


def service_model() -> ServiceModel:
    """Return the emulator's own service model, whatever botocore brings along."""
    return service.model
