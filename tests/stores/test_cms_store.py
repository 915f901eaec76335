"""Envelopes: opened by the openssl program, their structure read, unfit certificates refused."""

from __future__ import annotations

import base64
import datetime as dt
import functools
import json
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID, ObjectIdentifier
from test_file_store import FIRST, NEXT_VALUE, SECOND, VALUE

from mimapp.errors import StoreError
from mimapp.stores import CmsStore, ReadableStore
from support.clock import FakeClock
from support.machine import posix_only

if TYPE_CHECKING:
    from pathlib import Path

    from mimapp.secret import SecretStore

#: szOID_DOCUMENT_ENCRYPTION, as PowerShell's CertificateFilterInfo.DocumentEncryptionOid has it.
DOCUMENT_ENCRYPTION = ObjectIdentifier("1.3.6.1.4.1.311.80.1")
OPENSSL = shutil.which("openssl")
with_openssl = pytest.mark.skipif(OPENSSL is None, reason="there is no openssl program on this machine")


@functools.cache
def key_of(kind: str) -> Any:
    if kind == "ec":
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(public_exponent=65537, key_size=1024 if kind == "short" else 2048)


def certificate(
    *,
    key: str = "rsa",
    usage: str | None = "key_encipherment",
    extended: ObjectIdentifier | None = DOCUMENT_ENCRYPTION,
    ends: dt.datetime = dt.datetime(2036, 1, 1, tzinfo=dt.UTC),
) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "MIM secrets")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key_of(key).public_key())
        .serial_number(7)
        .not_valid_before(dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
        .not_valid_after(ends)
    )
    if extended is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage([extended]), critical=False)
    if usage is not None:
        names = (
            "digital_signature content_commitment key_encipherment data_encipherment key_agreement key_cert_sign "
            "crl_sign encipher_only decipher_only"
        )
        builder = builder.add_extension(x509.KeyUsage(**{name: name == usage for name in names.split()}), critical=True)
    return builder.sign(key_of(key), hashes.SHA256())


@pytest.fixture
def recipient(tmp_path: Path) -> Path:
    path = tmp_path / "mim.cer"
    path.write_bytes(certificate().public_bytes(serialization.Encoding.DER))
    return path


@pytest.fixture
def store(recipient: Path, tmp_path: Path) -> CmsStore:
    return CmsStore(recipient, tmp_path / "out" / "mim.cms", clock=FakeClock())


def opened(envelope: Path, tmp_path: Path) -> bytes:
    """What the recipient reads with OpenSSL, which has no label CMS for PEM: the lines between go to it as DER."""
    lines = envelope.read_text(encoding="ascii").splitlines()
    assert (lines[0], lines[-1]) == ("-----BEGIN CMS-----", "-----END CMS-----")
    assert all(len(line) <= 64 for line in lines[1:-1])
    der = tmp_path / "envelope.der"
    der.write_bytes(base64.b64decode("".join(lines[1:-1]), validate=True))
    key = tmp_path / "key.pem"
    key.write_bytes(
        key_of("rsa").private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    assert OPENSSL is not None
    words = [OPENSSL, "cms", "-decrypt", "-inform", "DER", "-in", str(der), "-inkey", str(key)]
    return subprocess.run(words, check=True, capture_output=True).stdout


def test_it_is_a_store_that_nobody_here_reads(store: CmsStore) -> None:
    seam: SecretStore = store
    assert not isinstance(store, ReadableStore)
    assert seam.uri == f"cms:{store.certificate}:{store.path}"
    assert repr(store) == f"CmsStore({str(store.certificate)!r}, {str(store.path)!r})"
    store.put(FIRST)
    assert seam.get(FIRST.key_id) is None


@with_openssl
def test_openssl_opens_the_document_that_the_servers_script_reads(store: CmsStore, tmp_path: Path) -> None:
    store.preflight()
    store.put(FIRST)
    document = json.loads(opened(store.path, tmp_path))
    assert document["clientSecret"] == VALUE
    assert document["applicationId"] == FIRST.application_id
    assert document["keyId"] == FIRST.key_id
    assert VALUE not in store.path.read_text()


class Der:
    """Just enough of X.690 to walk an envelope."""

    def __init__(self, content: bytes) -> None:
        self.tag = content[0]
        length, start = content[1], 2
        if length & 0x80:
            count = length & 0x7F
            length, start = int.from_bytes(content[2 : 2 + count]), 2 + count
        self.value = content[start : start + length]
        self.whole = content[: start + length]

    @property
    def parts(self) -> list[Der]:
        found, rest = [], self.value
        while rest:
            found.append(Der(rest))
            rest = rest[len(found[-1].whole) :]
        return found


def test_the_structure_is_what_unprotect_cms_message_decodes(store: CmsStore) -> None:
    """RFC 5652, 6.1: ContentInfo, EnvelopedData version 0, one KeyTransRecipientInfo by issuer and serial number."""
    store.put(FIRST)
    content_type, explicit = Der(base64.b64decode("".join(store.path.read_text().splitlines()[1:-1]))).parts
    assert content_type.value.hex() == "2a864886f70d010703"  # id-envelopedData
    assert explicit.tag == 0xA0
    version, recipients, encrypted = explicit.parts[0].parts
    assert version.value == b"\x00"
    (recipient,) = recipients.parts
    assert recipient.tag == 0x30  # ktri
    recipient_version, identifier, algorithm, key = recipient.parts
    assert recipient_version.value == b"\x00"
    assert identifier.parts[1].value == b"\x07"  # the serial number
    assert algorithm.parts[0].value.hex() == "2a864886f70d010101"  # rsaEncryption
    assert len(key.value) == 256
    inner_type, inner_algorithm, content = encrypted.parts
    assert inner_type.value.hex() == "2a864886f70d010701"  # id-data
    assert inner_algorithm.parts[0].value.hex() == "60864801650304012a"  # aes256-CBC
    assert len(inner_algorithm.parts[1].value) == 16  # its initialisation vector
    assert content.tag == 0x80  # [0] IMPLICIT, whole and not in pieces
    assert len(content.value) % 16 == 0


@with_openssl
def test_generations_stay_until_they_are_forgotten(store: CmsStore, tmp_path: Path) -> None:
    store.put(FIRST)
    store.put(SECOND)
    fresh = CmsStore(store.certificate, store.path)
    assert (fresh.has(FIRST.key_id), fresh.has(SECOND.key_id)) == (True, True)
    assert json.loads(opened(store.path, tmp_path))["clientSecret"] == NEXT_VALUE
    fresh.forget(FIRST.key_id)
    assert (fresh.has(FIRST.key_id), fresh.has(SECOND.key_id)) == (False, True)
    fresh.forget(SECOND.key_id)
    assert list(store.path.parent.iterdir()) == []


def test_no_file_beside_the_envelope_holds_the_secret(store: CmsStore) -> None:
    store.put(FIRST)
    store.put(SECOND)
    names = {path.name for path in store.path.parent.iterdir()}
    assert names == {"mim.cms", "mim.cms.index.json", f"mim.cms.former-{FIRST.key_id}"}
    for path in store.path.parent.iterdir():
        assert VALUE.encode() not in path.read_bytes()
        assert NEXT_VALUE.encode() not in path.read_bytes()


@posix_only
def test_an_envelope_may_be_read_by_those_who_carry_it(store: CmsStore) -> None:
    store.put(FIRST)
    assert store.path.stat().st_mode & 0o777 == 0o644


def test_an_envelope_that_somebody_replaced_is_no_longer_the_secrets(store: CmsStore) -> None:
    store.put(FIRST)
    store.path.write_text("-----BEGIN CMS-----\nAAAA\n-----END CMS-----\n")
    assert not store.has(FIRST.key_id)
    with pytest.raises(StoreError, match="exists and is not a secret file of mimapp's"):
        store.put(SECOND)


@pytest.mark.parametrize("usage", ["key_encipherment", "data_encipherment"])
def test_either_encipherment_will_do_and_pem_too(tmp_path: Path, usage: str) -> None:
    path = tmp_path / "mim.pem"
    path.write_bytes(certificate(usage=usage).public_bytes(serialization.Encoding.PEM))
    CmsStore(path, tmp_path / "mim.cms", clock=FakeClock()).preflight()
    assert sorted(one.name for one in tmp_path.iterdir()) == ["mim.pem"]


UNFIT = {
    "for servers": (certificate(extended=x509.oid.ExtendedKeyUsageOID.SERVER_AUTH), "is not for document encryption"),
    "for anything": (certificate(extended=None), "is not for document encryption"),
    "for signing": (certificate(usage="digital_signature"), "neither key nor data encipherment"),
    "without a usage": (certificate(usage=None), "neither key nor data encipherment"),
    "elliptic": (certificate(key="ec"), "has no RSA key"),
    "short": (certificate(key="short"), "has a key of 1024 bits"),
    "ended": (certificate(ends=dt.datetime(2026, 6, 1, tzinfo=dt.UTC)), "is valid from 2026-01-01 to 2026-06-01"),
}


@pytest.mark.parametrize(("made", "reason"), UNFIT.values(), ids=UNFIT)
def test_a_certificate_that_cannot_open_it_is_refused_before_anything_is_issued(
    tmp_path: Path, made: x509.Certificate, reason: str
) -> None:
    path = tmp_path / "mim.cer"
    path.write_bytes(made.public_bytes(serialization.Encoding.DER))
    with pytest.raises(StoreError, match=reason) as caught:
        CmsStore(path, tmp_path / "mim.cms", clock=FakeClock()).preflight()
    assert "New-SelfSignedCertificate" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "is not there"),
        (b"", "cannot be read as an X.509 certificate"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "cannot be read as an X.509 certificate"),
        (b"-----BEGIN PRIVATE KEY-----\n", "comes with a private key"),
    ],
)
def test_what_is_no_certificate_is_named(tmp_path: Path, content: bytes | None, reason: str) -> None:
    path = tmp_path / "mim.cer"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(StoreError, match=reason):
        CmsStore(path, tmp_path / "mim.cms", clock=FakeClock()).put(FIRST)
    assert not (tmp_path / "mim.cms").exists()
