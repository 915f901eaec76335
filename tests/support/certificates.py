"""Certificates with their keys, made on the spot, and what a client and Graph want of them."""

from __future__ import annotations

import base64
import datetime as dt
import functools
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from pathlib import Path


@functools.cache
def rsa_key(name: str) -> rsa.RSAPrivateKey:
    """A key by a name: making one takes longer than a test, so equal names share one."""
    assert name
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass(frozen=True)
class Certificate:
    """A self-signed certificate, valid from 2026 to 2036."""

    name: str = "mimapp test"
    ends: dt.datetime = dt.datetime(2036, 1, 1, tzinfo=dt.UTC)

    @property
    def key(self) -> rsa.RSAPrivateKey:
        return rsa_key(self.name)

    @functools.cached_property
    def public(self) -> x509.Certificate:
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.name)])
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(self.key.public_key())
            .serial_number(1)
            .not_valid_before(dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
            .not_valid_after(self.ends)
            .sign(self.key, hashes.SHA256())
        )

    @property
    def der(self) -> bytes:
        return self.public.public_bytes(serialization.Encoding.DER)

    @property
    def public_pem(self) -> str:
        return self.public.public_bytes(serialization.Encoding.PEM).decode()

    def private_pem(self, password: bytes | None = None) -> str:
        locked = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
        return self.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked).decode()

    @property
    def sha1(self) -> bytes:
        return hashlib.sha1(self.der).digest()  # noqa: S324 - a thumbprint is one

    @property
    def credential(self) -> dict[str, Any]:
        """As Graph takes it."""
        return {
            "type": "AsymmetricX509Cert",
            "usage": "Verify",
            "key": base64.b64encode(self.der).decode(),
            "displayName": self.name,
        }

    def write_pem(self, path: Path, password: bytes | None = None) -> Path:
        """Key and certificate in one file."""
        path.write_text(self.private_pem(password) + self.public_pem, encoding="ascii")
        return path

    def write_pfx(self, path: Path, password: bytes | None = None) -> Path:
        locked = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
        path.write_bytes(pkcs12.serialize_key_and_certificates(b"mimapp", self.key, self.public, None, locked))
        return path
