"""The certificate that an application signs in with: a PEM or PFX file, opened before anything is sent.

azure-identity reads the file again when it signs in; what it would refuse is found here, in words and in time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mimapp.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from mimapp.secret import Secret

__all__ = ["Certificate"]

_PEM = b"-----BEGIN"
#: The first byte of DER, which a PFX file is in: a sequence.
_DER = b"\x30"
_FORM = "a PEM file with certificate and RSA private key, or a PFX file"
_PASSWORD_HINT = "--certificate-password-file FILE, AZURE_CLIENT_CERTIFICATE_PASSWORD, or a terminal to ask at"  # noqa: S105 - words


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A certificate with its private key.

    Attributes:
        path: a PEM or PFX file.
        password: what it is protected with, or None.
    """

    path: Path
    password: Secret | None = None

    def read(self) -> bytes:
        """The file.

        Raises:
            UsageError: it cannot be read.
        """
        try:
            return self.path.read_bytes()
        except OSError as error:
            raise UsageError(f"the certificate {self.path} cannot be read: {error.strerror}") from error

    @property
    def is_locked(self) -> bool:
        """Whether the file wants a password that is not given.

        Raises:
            UsageError: the file cannot be read.
        """
        if self.password is not None:
            return False
        data = self.read()
        try:
            _open(data, None)
        except TypeError:  # a PEM key that is encrypted
            return True
        except ValueError:  # for a PFX file this is "wrong password" and "no such thing" alike
            return _PEM not in data and data[:1] == _DER
        return False

    def check(self) -> None:
        """Open the file as the sign-in will.

        Raises:
            UsageError: it cannot be used; the message says why.
        """
        data = self.read()
        if self.is_locked:
            raise UsageError(f"the certificate {self.path} needs its password", hint=_PASSWORD_HINT)
        try:
            missing = _open(data, None if self.password is None else self.password.reveal().encode())
        except TypeError as error:
            raise UsageError(f"the certificate {self.path} has no password, and one is given") from error
        except ValueError as error:
            wrong = "its password is wrong, or it is not" if self.password is not None else "it is not"
            raise UsageError(
                f"the certificate {self.path} cannot be used: {wrong} {_FORM}",
                hint=_PASSWORD_HINT if self.password is not None else None,
            ) from error
        if missing:
            raise UsageError(f"the certificate {self.path} cannot be used: it holds no {missing}", hint=f"give {_FORM}")


def _open(data: bytes, password: bytes | None) -> str:
    """Take certificate and key out of a file; what is missing in it, in words, or nothing.

    Raises:
        TypeError: a PEM key's password is missing, or is given and not wanted.
        ValueError: the password is wrong, or the file is none.
    """
    from cryptography import x509  # noqa: PLC0415 - late: only this method needs it
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.serialization import pkcs12  # noqa: PLC0415 - as above

    certificate: x509.Certificate | None
    if _PEM in data:
        key: object = serialization.load_pem_private_key(data, password)
        certificate = x509.load_pem_x509_certificate(data) if b"-----BEGIN CERTIFICATE" in data else None
    else:
        key, certificate, _ = pkcs12.load_key_and_certificates(data, password)
    if not isinstance(key, RSAPrivateKey):
        return "RSA private key"
    return "" if certificate is not None else "certificate"
