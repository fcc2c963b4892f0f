"""Engines that several of these tests share."""

from collections.abc import Iterator

import pytest

from engines.certificate import Certificate, make_certificate
from engines.response_sink import ResponseSink


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """Make a certificate for localhost."""
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def sink(certificate: Certificate) -> Iterator[ResponseSink]:
    """Start a fresh bucket for answers."""
    with ResponseSink(certificate) as running:
        yield running
