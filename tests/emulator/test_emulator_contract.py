"""The seam to moto, and the service model against what the code says. Fails first, and loudly, when moto moves."""

import inspect
import re
from typing import Any

import pytest
from moto import __version__, backend_index, backends, mock_aws
from moto.core.base_backend import BackendDict
from moto.core.responses import BaseResponse
from moto.core.utils import camelcase_to_underscores
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from finspace_emulator import exceptions, models, wire
from finspace_emulator.exceptions import FinSpaceDataError
from finspace_emulator.plugin import SERVICE, register
from finspace_emulator.responses import FinSpaceDataResponse
from tests.emulator.emulation import Emulator

MOVED = (
    f"moto {__version__} moved what the emulator is built on. Pin moto to the last minor version that worked, "
    "then adapt finspace_emulator/plugin.py (and responses.py, server.py). What is missing: "
)


def test_motos_internals_are_where_the_emulator_needs_them(botocore_session: Any) -> None:
    """Every internal of moto that the emulator uses is there, has the shape it had, and leads to the emulator."""
    register()
    patterns = backend_index.backend_url_patterns
    assert isinstance(patterns, list), MOVED + "backend_index.backend_url_patterns as a list that can be extended"
    assert all(isinstance(name, str) and isinstance(pattern, re.Pattern) for name, pattern in patterns), (
        MOVED + "pairs of a service name and a pattern in backend_index.backend_url_patterns"
    )
    get_backend: Any = backends.get_backend
    assert get_backend(SERVICE) is models.finspacedata_backends, MOVED + "the import of moto.<name> for a service"
    parameters = inspect.signature(BackendDict).parameters
    assert {"use_boto3_regions", "additional_regions"} <= parameters.keys(), MOVED + "BackendDict's parameters"
    assert "use_raw_body" in inspect.signature(BaseResponse.setup_class).parameters, (
        MOVED + "BaseResponse.setup_class(use_raw_body)"
    )
    host = DomainDispatcherApplication(create_backend_app).get_backend_for_host("finspace-api.us-east-1.amazonaws.com")
    assert host == SERVICE, MOVED + "the server's way from a host to a service"
    with mock_aws():
        response = Emulator(None, None, botocore_session).credentials()  # type: ignore[arg-type]
    assert response["accessKeyId"], MOVED + "the way from botocore's before-send event to a service"


def test_registering_twice_is_registering_once() -> None:
    """register() is idempotent."""
    register()
    register()
    assert [name for name, _ in backend_index.backend_url_patterns].count(SERVICE) == 1


def test_every_operation_of_the_service_model_is_served() -> None:
    """The emulator's service model promises nothing that has no method."""
    for name in wire.service_model().operation_names:
        assert callable(getattr(FinSpaceDataResponse, camelcase_to_underscores(name), None)), name


@pytest.mark.parametrize("shape", wire.service_model().error_shapes, ids=lambda shape: shape.name)
def test_errors_have_the_published_shape(shape: Any) -> None:
    """An error's HTTP status and members are those of the service model."""
    error: type[FinSpaceDataError] = getattr(exceptions, shape.name)
    assert error.code == shape.metadata["error"]["httpStatusCode"]
    assert set(error.members) == set(shape.members)
