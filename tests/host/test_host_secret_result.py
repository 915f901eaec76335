from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import NameOID
from ps_mim import APP, NEW, OLD
from ps_values import PsError
from secret_runs import FORMS, KEY_ID, LATER, RESULT, apply_on, node_for, plain_of

from mimapp.errors import HostInputError
from mimapp.host.secret_script import read_result, secret_script

if TYPE_CHECKING:
    from mimapp.host.options import Account

# -- the envelope -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pair() -> tuple[x509.Certificate, rsa.RSAPrivateKey]:
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "MIM01 document encryption")])
    start = datetime(2026, 1, 1, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=3650))
        .sign(key, hashes.SHA256())
    )
    return certificate, key


def _envelope(text: str, certificate: x509.Certificate) -> str:
    """The PEM form that Unprotect-CmsMessage opens: RFC 5652 enveloped data between its own two lines."""
    der = (
        pkcs7.PKCS7EnvelopeBuilder()
        .set_data(text.encode())
        .add_recipient(certificate)
        .encrypt(serialization.Encoding.DER, [pkcs7.PKCS7Options.Binary])
    )
    return f"-----BEGIN CMS-----\n{base64.encodebytes(der).decode()}-----END CMS-----\n"


PATH = r"C:\share\secret.cms"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("document", [True, False])
def test_an_envelope_brings_the_secret(
    form: Account,
    document: bool,  # noqa: FBT001 - a parameter of the table
    pair: tuple[x509.Certificate, rsa.RSAPrivateKey],
) -> None:
    node = node_for(form, prompt="never asked", envelope_key=pair)
    inside = {"applicationId": APP, "tenantId": "t", "clientSecret": NEW, "keyId": KEY_ID, "expires": "x"}
    node.files[PATH.lower()] = _envelope(json.dumps(inside) if document else NEW, pair[0])
    text = secret_script(form, accept_unsupported=True, old_secret_expires=LATER).text
    code, _ = apply_on(node, form, text, EnvelopePath=PATH)
    assert code == 0
    assert plain_of(node) == NEW
    result = read_result(node.files[RESULT].encode())
    assert result.key_id == (KEY_ID if document else "")
    assert result.is_evidence is document


@pytest.mark.parametrize(
    ("inside", "words"),
    [
        ({"applicationId": KEY_ID, "clientSecret": NEW}, "another application"),
        ({"clientSecret": NEW, "keyId": APP}, "another key id"),
        ({"keyId": KEY_ID}, "no client secret"),
    ],
)
@pytest.mark.parametrize("form", FORMS)
def test_an_envelope_that_does_not_fit_is_refused(
    form: Account, inside: dict[str, str], words: str, pair: tuple[x509.Certificate, rsa.RSAPrivateKey]
) -> None:
    node = node_for(form, envelope_key=pair)
    node.files[PATH.lower()] = _envelope(json.dumps(inside), pair[0])
    with pytest.raises(PsError, match=words):
        apply_on(node, form, EnvelopePath=PATH)
    assert plain_of(node) == OLD


# -- the result file ----------------------------------------------------------------------------------------------

_GOOD = {
    "schema": "mimapp.secret-script-result/1",
    "server": "MIM01",
    "applicationId": APP,
    "keyId": KEY_ID,
    "account": "x",
    "writtenAt": "2026-11-21T10:00:00.0000000Z",
    "restartedAt": "2026-11-21T10:00:00.0000000Z",
    "tokenWrittenAt": "2026-11-21T10:00:05.0000000Z",
    "outcome": "success",
    "reason": "r",
    "event12": 0,
}


def test_a_result_is_read() -> None:
    found = read_result(b"\xef\xbb\xbf" + json.dumps(_GOOD).encode())
    assert found.is_evidence
    assert found.token_written_at == datetime(2026, 11, 21, 10, 0, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "change",
    [
        {"schema": "x"},
        {"outcome": "maybe"},
        {"tokenWrittenAt": None},
        {"tokenWrittenAt": "2026-11-21T09:00:00Z"},
        {"writtenAt": "then"},
        {"keyId": "not-a-guid"},
        {"applicationId": "x"},
        {"server": 1},
    ],
)
def test_a_result_that_proves_nothing_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(HostInputError):
        read_result(json.dumps({**_GOOD, **change}).encode())


@pytest.mark.parametrize("data", [b"", b"{", b"[" * 99_999, b"\xff\xfe"])
def test_a_broken_result_is_refused(data: bytes) -> None:
    with pytest.raises(HostInputError):
        read_result(data)


@pytest.mark.parametrize("outcome", ["rolled-back", "failed", "unfinished"])
def test_other_ends_are_no_evidence(outcome: str) -> None:
    assert not read_result(json.dumps({**_GOOD, "outcome": outcome}).encode()).is_evidence
    assert not read_result(json.dumps({**_GOOD, "keyId": ""}).encode()).is_evidence
