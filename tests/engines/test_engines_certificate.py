"""The certificate for localhost."""

import socket
import ssl
import threading
from pathlib import Path

import pytest

from engines.certificate import Certificate, make_certificate


def handshake(certificate: Certificate, name: str, *, flags: ssl.VerifyFlags) -> None:
    """Shake hands with a server that shows the certificate, which is expected to be this host."""
    client_end, server_end = socket.socketpair()
    context = certificate.client_context()
    context.verify_flags |= flags

    def serve() -> None:
        with server_end, certificate.server_context().wrap_socket(server_end, server_side=True) as connection:
            connection.recv(1)

    server = threading.Thread(target=serve)
    server.start()
    with client_end, context.wrap_socket(client_end, server_hostname=name) as connection:
        connection.send(b"x")
    server.join()


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "::1"])
def test_strict_clients_accept_it(certificate: Certificate, name: str) -> None:
    """The checks that are the default from Python 3.13 on pass for the name and for both addresses."""
    handshake(certificate, name, flags=ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN)


def test_its_key_is_for_the_owner_only(tmp_path: Path) -> None:
    """Nobody else on the machine can read the key, also when the files are made again."""
    make_certificate(tmp_path)
    made = make_certificate(tmp_path)
    assert made.key.stat().st_mode & 0o777 == 0o600
    assert made.environment()["SSL_CERT_FILE"] == str(made.certificate)
