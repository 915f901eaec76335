"""An envelope for the MIM server: the secret encrypted for a document-encryption certificate (CMS, RFC 5652).

The server opens it with PowerShell's own ``Unprotect-CmsMessage``; so the file may cross a share or a ticket. Nobody
here can read it back: which secret it holds stands in the index beside it. It holds the document of
`mimapp.stores.document`, whose ``clientSecret``, ``applicationId`` and ``keyId`` ``mimapp host secret-script`` reads.

What the cmdlet asks for, by its published source (PowerShell/PowerShell, CertIsGoodForEncryption and
RemoveAsciiArmor): the extended key usage 1.3.6.1.4.1.311.80.1, key or data encipherment in the key usage, a private
key in the store My of the account or the machine, and ``-----BEGIN CMS-----`` around the base64. The content is
AES-256-CBC, as ``Protect-CmsMessage`` makes it; the key is transported by RSA (PKCS #1 v1.5), the recipient named by
issuer and serial number. Opened by OpenSSL in the tests; not yet executed on Windows.

https://learn.microsoft.com/powershell/module/microsoft.powershell.security/unprotect-cmsmessage
"""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mimapp.clock import SystemClock
from mimapp.errors import StoreError
from mimapp.stores import document
from mimapp.stores.extras import load
from mimapp.stores.file import read_regular
from mimapp.stores.indexed import IndexedFile

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from mimapp.clock import Clock
    from mimapp.secret import Secret, StoredSecret

__all__ = ["CmsStore"]

DOCUMENT_ENCRYPTION: Final = "1.3.6.1.4.1.311.80.1"
_SHORTEST_KEY: Final = 2048
_LINE: Final = 64
_HOW: Final = (
    "on the MIM server: New-SelfSignedCertificate -Type DocumentEncryptionCert -Subject 'CN=MIM secrets' "
    "-KeyUsage KeyEncipherment, then Export-Certificate"
)


class CmsStore:
    """Writes envelopes; reads none.

    Args:
        certificate: the recipient's certificate, PEM or DER, without a private key.
        path: the envelope; made absolute.
        clock: tells whether the certificate is valid now.
    """

    def __init__(self, certificate: Path | str, path: Path | str, *, clock: Clock | None = None) -> None:
        self.certificate = Path(os.path.abspath(certificate))  # noqa: PTH100 - resolve() would follow links
        self.path = Path(os.path.abspath(path))  # noqa: PTH100 - as above
        self._clock = clock or SystemClock()
        self._file = IndexedFile(self.path, self.uri, _EverybodyReads())

    @property
    def uri(self) -> str:
        """``cms:``, the certificate's and the envelope's path."""
        return f"cms:{self.certificate}:{self.path}"

    def __repr__(self) -> str:
        return f"CmsStore({str(self.certificate)!r}, {str(self.path)!r})"

    def preflight(self) -> None:
        """Raise unless the certificate can be encrypted for and the file can be written.

        Raises:
            StoreError: one of them cannot.
            UsageError: the extra is not installed.
        """
        self._envelope(b"probe")
        self._file.preflight()

    def put(self, stored: StoredSecret) -> None:
        """Write the envelope; the former one stays beside it."""
        self._file.put(stored, self._envelope(document.encode(stored, indent=False)))

    def has(self, key_id: str) -> bool:
        """Whether an envelope of this credential's value is here."""
        return self._file.find(key_id) is not None

    def get(self, key_id: str) -> Secret | None:
        """Only the recipient can open it."""
        del key_id
        return None

    def forget(self, key_id: str) -> None:
        """Remove the envelope of this credential's value."""
        self._file.forget(key_id)

    def _envelope(self, content: bytes) -> bytes:
        recipient = self._recipient()
        pkcs7 = load("cryptography.hazmat.primitives.serialization.pkcs7", extra="cms", store="cms:")
        from cryptography.hazmat.primitives.ciphers.algorithms import AES256  # noqa: PLC0415 - the extra is there
        from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415 - as above

        builder = pkcs7.PKCS7EnvelopeBuilder().set_data(content).add_recipient(recipient)
        sealed: bytes = builder.set_content_encryption_algorithm(AES256).encrypt(
            Encoding.DER,
            [pkcs7.PKCS7Options.Binary],  # as it is: no MIME headers, no changed line ends
        )
        text = base64.b64encode(sealed).decode()
        lines = [text[start : start + _LINE] for start in range(0, len(text), _LINE)]
        return "\n".join(("-----BEGIN CMS-----", *lines, "-----END CMS-----", "")).encode()

    def _recipient(self) -> Certificate:
        load("cryptography.x509", extra="cms", store="cms:")
        from cryptography import x509  # noqa: PLC0415 - the extra is there

        name = f"the certificate {self.certificate}"
        content = read_regular(self.certificate, name)
        if content is None:
            raise StoreError(f"{name} is not there", hint=_HOW)
        if b"PRIVATE KEY" in content:
            raise StoreError(f"{name} comes with a private key, which belongs on the MIM server alone", hint=_HOW)
        try:
            is_pem = b"-----BEGIN CERTIFICATE-----" in content
            found = (x509.load_pem_x509_certificate if is_pem else x509.load_der_x509_certificate)(content)
            wrong = self._what_is_wrong(found)
        except ValueError as error:
            raise StoreError(f"{name} cannot be read as an X.509 certificate", hint=_HOW) from error
        if wrong:
            raise StoreError(f"{name} {wrong}", hint=_HOW)
        return found

    def _what_is_wrong(self, certificate: Certificate) -> str:
        from cryptography import x509  # noqa: PLC0415 - the caller has loaded it
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey  # noqa: PLC0415 - as above

        key = certificate.public_key()
        if not isinstance(key, RSAPublicKey):
            return "has no RSA key, and Unprotect-CmsMessage of Windows PowerShell needs one"
        if key.key_size < _SHORTEST_KEY:
            return f"has a key of {key.key_size} bits; wanted {_SHORTEST_KEY} at least"
        now = self._clock.now()
        if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
            return (
                f"is valid from {certificate.not_valid_before_utc:%Y-%m-%d} to "
                f"{certificate.not_valid_after_utc:%Y-%m-%d}, and not now"
            )
        try:
            usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
            is_for_documents = any(usage.dotted_string == DOCUMENT_ENCRYPTION for usage in usages)
        except x509.ExtensionNotFound:
            is_for_documents = False
        if not is_for_documents:
            return f"is not for document encryption: its extended key usage lacks {DOCUMENT_ENCRYPTION}"
        try:
            usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
        except x509.ExtensionNotFound:
            usage = None
        if usage is None or not (usage.key_encipherment or usage.data_encipherment):
            return "allows neither key nor data encipherment in its key usage"
        return ""


class _EverybodyReads:
    """An envelope is meant to travel, and its index names ids only: whoever may read the folder may read them."""

    _MODE = 0o644

    def restrict(self, path: Path) -> None:
        """Give the file the rights that an ordinary one has; on Windows it has those of its folder already."""
        if os.name != "nt":
            path.chmod(self._MODE)

    def check(self, path: Path) -> None:
        """There is nothing to hide."""
