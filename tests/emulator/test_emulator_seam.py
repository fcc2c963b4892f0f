"""The seam to moto for all services, the program, and what loads what. Fails first, and loudly, when moto moves."""

import importlib
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from moto import __version__, backend_index, backends

from association_emulator.catalogue import CATALOGUE, Offer
from association_emulator.control import EmulatorControl
from association_emulator.plugin import EVERYTHING, register
from association_emulator.server import EmulatorServer
from tests.emulator.associations import Associations
from tests.emulator.emulation import refused

MOVED = (
    f"moto {__version__} moved what the emulator is built on. Pin moto to the last minor version that worked, "
    "then adapt association_emulator/plugin.py. What is missing: "
)


@pytest.mark.parametrize(
    "offer", [offer for offer in CATALOGUE if offer.addition], ids=lambda offer: offer.service.name
)
def test_services_that_moto_lacks_are_added_once(offer: Offer) -> None:
    """An added service is one of moto's, by its name and by one pattern."""
    register()
    register()
    assert offer.addition is not None
    name = offer.addition.moto_name
    get_backend: Any = backends.get_backend
    assert get_backend(name) is getattr(offer.addition.models, f"{name}_backends"), (
        MOVED + "the import of moto.<name> for a service"
    )
    assert [known for known, _ in backend_index.backend_url_patterns].count(name) == 1, (
        MOVED + "pairs of a service name and a pattern in backend_index.backend_url_patterns"
    )


@pytest.mark.parametrize(
    "offer", [offer for offer in CATALOGUE if offer.moto_urls], ids=lambda offer: offer.service.name
)
def test_paths_of_moto_are_taken_over_once(offer: Offer) -> None:
    """A service of moto has one path, the emulator's, in the dictionary that its backend reads."""
    register()
    register()
    assert offer.moto_urls is not None
    paths = importlib.import_module(offer.moto_urls).url_paths
    assert list(paths) == [EVERYTHING]
    get_backend: Any = backends.get_backend
    backend = get_backend(offer.moto_urls.split(".")[1])["123456789012"]
    place = "us-east-1" if "us-east-1" in backend else "aws"
    assert set(backend[place].urls.values()) == set(paths.values()), MOVED + "url_paths as what a backend reads"


def test_the_program_serves_every_service(botocore_session: Any) -> None:
    """``python -m association_emulator`` prints its URL, serves on it at once, and ends on SIGTERM with status 0."""
    with subprocess.Popen(
        [sys.executable, "-m", "association_emulator", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        control = EmulatorControl(url)
        control.directory.add_group("d-1234567890", "g")
        associations = Associations(url, control, botocore_session)
        for service in ("ds-data", "sts"):
            client = associations.client(service)
            if service == "ds-data":
                client.list_group_members(DirectoryId="d-1234567890", SAMAccountName="g")
            else:
                client.get_caller_identity()
        assert [entry.service for entry in control.journal()] == ["ds-data", "sts"]
        process.send_signal(signal.SIGTERM)
        output, errors = process.communicate(timeout=10)
    assert (process.returncode, output, errors) == (0, "", "")


def test_the_server_has_the_control_of_all_services() -> None:
    """EmulatorServer.control reaches every service, and FinSpace's old paths are still there."""
    with EmulatorServer() as server:
        control = server.control
        control.reset()
        control.opensearch.add_domain("logs")
        assert control.finspace.memberships() == []
        assert set(control.settings()) == {offer.service.name for offer in CATALOGUE}


def test_the_control_over_http_needs_no_moto() -> None:
    """A process that only controls an emulator elsewhere does not load moto or botocore."""
    code = (
        "import sys, association_emulator.control as c; c.EmulatorControl('http://127.0.0.1:1');"
        "assert not {'moto', 'botocore', 'werkzeug'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)


def sign_for_another(request: Any, **_: Any) -> None:
    """Name another service in the signature than the one that is called."""
    credential = "AKIAIOSFODNN7EXAMPLE/20260101/us-east-1/iot/aws4_request"
    del request.headers["Authorization"]
    request.headers["Authorization"] = f"AWS4-HMAC-SHA256 Credential={credential}, Signature=x"


def unsign(request: Any, **_: Any) -> None:
    """Take the signature away."""
    del request.headers["Authorization"]


@contextmanager
def changed(client: Any, change: Callable[..., None]) -> Iterator[Callable[[], Any]]:
    """A call whose request is changed before it is sent."""
    client.meta.events.register_first("before-send.directory-service-data", change, unique_id="signature")
    yield lambda: client.list_group_members(DirectoryId="d-1234567890", SAMAccountName="g")
    client.meta.events.unregister("before-send.directory-service-data", unique_id="signature")


@pytest.mark.parametrize("associations", ["in-process"], indirect=True)
@pytest.mark.parametrize(
    ("change", "code"),
    [(sign_for_another, "InvalidSignatureException"), (unsign, "MissingAuthenticationTokenException")],
)
def test_in_process_the_signature_has_to_agree_with_the_host(
    associations: Associations, change: Callable[..., None], code: str
) -> None:
    """The host decides the service, and whoever signed for another one, or not at all, is refused."""
    with changed(associations.client("ds-data", signature_version="v4"), change) as call:
        refused(code, call)


@pytest.mark.parametrize("associations", ["http"], indirect=True)
def test_over_http_the_signature_decides_the_service(associations: Associations) -> None:
    """All services are at one host there: what is signed for another reaches that one, which does not know it."""
    with changed(associations.client("ds-data", signature_version="v4"), sign_for_another) as call:
        refused("404", call)

    assert [(entry.service, entry.operation) for entry in associations.control.journal()] == [("iot", None)]


@pytest.mark.parametrize("associations", ["http"], indirect=True)
def test_over_http_an_unsigned_request_reaches_none_of_the_services(associations: Associations) -> None:
    """Nothing tells whose it is: it fails, and no service of the emulator is asked."""
    with changed(associations.client("ds-data", signature_version="v4"), unsign) as call:
        refused("500", call)

    assert associations.control.journal() == []
