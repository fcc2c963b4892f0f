"""A short-lived certificate for this machine, to serve TLS on the loopback interface."""

import datetime
import ipaddress
import os
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_NAMES = ("localhost",)
_ADDRESSES = ("127.0.0.1", "::1")


@dataclass(frozen=True)
class Certificate:
    """Two PEM files: a self-signed certificate, which is its own trust anchor, and its private key."""

    certificate: Path
    key: Path

    def environment(self) -> dict[str, str]:
        """Return the variables that make Python's ssl, botocore and requests trust this certificate, and no other."""
        path = str(self.certificate)
        return {"SSL_CERT_FILE": path, "AWS_CA_BUNDLE": path, "REQUESTS_CA_BUNDLE": path}

    def server_context(self) -> ssl.SSLContext:
        """Return a context for a server that shows this certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context

    def client_context(self) -> ssl.SSLContext:
        """Return a context for a client that trusts this certificate only."""
        return ssl.create_default_context(cafile=str(self.certificate))


def make_certificate(
    folder: Path,
    *,
    names: Sequence[str] = _NAMES,
    addresses: Sequence[str] = _ADDRESSES,
    lifetime: datetime.timedelta = datetime.timedelta(days=1),
) -> Certificate:
    """Write `certificate.pem` and `key.pem` into `folder`, valid for the DNS names and IP addresses given.

    The certificate passes the strict checks that are Python's default from 3.13 on. `folder` must exist; files of
    these names in it are overwritten. Raises OSError if they cannot be written.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    public_key = key.public_key()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    now = datetime.datetime.now(datetime.UTC)
    alternatives = [x509.DNSName(name) for name in names]
    addresses_in_certificate = [x509.IPAddress(ipaddress.ip_address(address)) for address in addresses]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        # An hour back: the clocks of a container and its host may differ.
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + lifetime)
        .add_extension(x509.SubjectAlternativeName([*alternatives, *addresses_in_certificate]), critical=False)
        # It signs itself, so it must be allowed to sign; path length 0: nothing below it but leaves.
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=True,
                crl_sign=True,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public_key), critical=False)
        .sign(key, hashes.SHA256())
    )
    paths = Certificate(certificate=folder / "certificate.pem", key=folder / "key.pem")
    paths.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths.key.unlink(missing_ok=True)
    # Created with the final mode, so that the key is at no moment readable by others.
    descriptor = os.open(paths.key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
    return paths
