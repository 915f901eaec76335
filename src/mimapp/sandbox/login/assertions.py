"""Client assertions: a JWT in place of a secret, signed with the application's own certificate or by a trusted issuer.

An assertion whose issuer is the application itself is checked as "Microsoft identity platform application
authentication certificate credentials" describes it: the certificate is found by ``x5t`` (SHA-1) or ``x5t#S256``, the
algorithm is RS256 or PS256, and the signature is verified with the certificate that Graph was given. ``x5c`` is not
looked at: here every certificate is registered.

Any other issuer's has to match one of the application's federated credentials in issuer, subject and audience, to the
letter ("Workload identity federation"). Entra then fetches the issuer's keys. The sandbox asks no host, so it verifies
the signature only of an issuer whose keys it was given (`mimapp.sandbox.sign_in_scenarios.trust_issuer`), and believes
all others.

The order of the checks is [unverified].
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mimapp.sandbox.clock import parse_iso
from mimapp.sandbox.login import assertion_errors as errors
from mimapp.sandbox.tenants import find_tenant
from mimapp.sandbox.tokens import SANDBOX_WIDE

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from jwt.types import Options

    from mimapp.sandbox.state import Document, Record, Transaction
    from mimapp.sandbox.tenants import Tenant

__all__ = ["ASSERTION_TYPE", "ISSUER_KIND", "prove_by_assertion"]

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ISSUER_KIND = "login.issuer"
"""Documents with another issuer's keys, by its URL; sandbox-wide."""

_ALGORITHMS = ["RS256", "PS256"]
_SKEW_SECONDS = 300
_LAST_MOMENT = 2**33


@dataclass(frozen=True, slots=True, kw_only=True)
class _Assertion:
    """A JWT that was read and not believed yet."""

    text: str
    header: Document
    claims: Document

    @property
    def issuer(self) -> str:
        return str(self.claims.get("iss", ""))

    @property
    def subject(self) -> str:
        return str(self.claims.get("sub", ""))

    @property
    def audiences(self) -> list[str]:
        found = self.claims.get("aud", [])
        return [str(one) for one in found] if isinstance(found, list) else [str(found)]


def prove_by_assertion(tx: Transaction, tenant: Tenant, app: Record, text: str, *, origin: str) -> None:
    """Believe that the application sent this.

    Args:
        tx: the transaction.
        tenant: the tenant signed in to.
        app: the application that ``client_id`` names.
        text: the JWT.
        origin: scheme, host and port under which the sandbox is reached.

    Raises:
        LoginError: the assertion proves nothing.
    """
    given = _read(text)
    _check_time(given, tx.now)
    if given.issuer.casefold() == app.body["appId"].casefold():
        _check_audience(tx, tenant, given, origin)
        _check_certificate(app, given, tx.now)
    else:
        _check_federation(app, given)
        _check_issuer_key(tx, given)


def _read(text: str) -> _Assertion:
    import jwt  # noqa: PLC0415 - only a sandbox that is used pays for cryptography

    try:
        header = jwt.get_unverified_header(text)
        claims: Document = jwt.decode(text, options={"verify_signature": False})
    except jwt.InvalidTokenError as error:
        raise errors.malformed(str(error)) from error
    if header.get("alg") not in _ALGORITHMS:
        raise errors.malformed(f"'{header.get('alg')}' is not a supported signature algorithm.")
    return _Assertion(text=text, header=header, claims=claims)


def _check_time(given: _Assertion, now: float) -> None:
    starts, ends = _moment(given, "nbf", "iat"), _moment(given, "exp")
    if not starts - _SKEW_SECONDS <= now < ends + _SKEW_SECONDS:
        raise errors.outside_its_time(now=now, starts=starts, ends=ends)


def _moment(given: _Assertion, *names: str) -> float:
    """The first of these claims that is there, as a time."""
    found = next((given.claims[name] for name in names if name in given.claims), None)
    if not isinstance(found, int | float) or not 0 <= found <= _LAST_MOMENT:
        raise errors.malformed(f"It has no time in its claim '{names[0]}'.")
    return float(found)


# An application's own


def _check_audience(tx: Transaction, tenant: Tenant, given: _Assertion, origin: str) -> None:
    """The audience is the token endpoint, or the issuer, of this very tenant, by whatever name."""
    for audience in given.audiences:
        parts = urlsplit(audience)
        named = parts.path.split("/")[1:2]
        is_here = f"{parts.scheme}://{parts.netloc}".casefold() == origin.casefold()
        if is_here and named and find_tenant(tx, named[0]) == tenant:
            return
    raise errors.audience_wrong()


def _check_certificate(app: Record, given: _Assertion, now: float) -> None:
    if given.subject.casefold() != given.issuer.casefold():
        raise errors.application_differs()
    import jwt  # noqa: PLC0415 - see _read

    raw, credential, thumbprint = _certificate(app, given)
    starts, ends = credential["startDateTime"], credential["endDateTime"]
    if now >= parse_iso(ends):
        raise errors.key_unusable(thumbprint, "The key used is expired.", starts=starts, ends=ends)
    try:
        jwt.decode(given.text, _public_key(raw), algorithms=_ALGORITHMS, options=_ONLY_THE_SIGNATURE)
    except (jwt.InvalidTokenError, TypeError) as error:
        reason = "Key was found, but use of the key to verify the signature failed."
        raise errors.key_unusable(thumbprint, reason, starts=starts, ends=ends) from error


def _certificate(app: Record, given: _Assertion) -> tuple[bytes, Document, str]:
    """The registered certificate that the header names: its bytes, its credential and its thumbprint in words."""
    kept = app.body.get("_certificates", {})
    wanted = {name: given.header[name] for name in ("x5t", "x5t#S256") if isinstance(given.header.get(name), str)}
    if not wanted:
        raise errors.malformed("No certificate thumbprint specified in token header.")
    for credential in app.body["keyCredentials"]:
        raw = base64.b64decode(kept.get(credential["keyId"], ""))
        has = {"x5t": _base64url(hashlib.sha1(raw).digest()), "x5t#S256": _base64url(hashlib.sha256(raw).digest())}  # noqa: S324 - x5t is defined as SHA-1
        if raw and all(has[name] == value.rstrip("=") for name, value in wanted.items()):
            return raw, credential, _shown(next(iter(wanted.values())))
    raise errors.key_unknown(app.body["appId"], _shown(next(iter(wanted.values()))))


def _public_key(raw: bytes) -> RSAPublicKey:
    from cryptography import x509  # noqa: PLC0415 - see _read
    from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415 - see _read

    found = x509.load_der_x509_certificate(raw).public_key()
    if not isinstance(found, rsa.RSAPublicKey):
        raise TypeError("the certificate has no RSA key")
    return found


# Another issuer's


def _check_federation(app: Record, given: _Assertion) -> None:
    trusted: list[Document] = app.body.get("_federated", [])
    of_issuer = [one for one in trusted if one["issuer"] == given.issuer]
    if not of_issuer:
        raise errors.no_record_for_issuer(given.issuer)
    of_subject = [one for one in of_issuer if one["subject"] == given.subject]
    if not of_subject:
        is_near = any(one["subject"].casefold() == given.subject.casefold() for one in of_issuer)
        raise errors.no_record_for_subject(given.subject, but_for_case=is_near)
    if not any(set(one["audiences"]) & set(given.audiences) for one in of_subject):
        raise errors.no_record_for_audience(given.audiences)


def _check_issuer_key(tx: Transaction, given: _Assertion) -> None:
    known = tx.get(SANDBOX_WIDE, ISSUER_KIND, given.issuer)
    if known is None:
        return
    import jwt  # noqa: PLC0415 - see _read

    keys = {key.key_id: key for key in jwt.PyJWKSet.from_dict(known.body["keySet"]).keys}
    key = keys.get(given.header.get("kid"))
    if key is None:
        raise errors.issuer_key_unusable(given.issuer)
    try:
        jwt.decode(given.text, key, algorithms=_ALGORITHMS, options=_ONLY_THE_SIGNATURE)
    except jwt.InvalidTokenError as error:
        raise errors.issuer_key_unusable(given.issuer) from error


# Time and audience are compared above: with the sandbox's clock, and with Entra's words.
_ONLY_THE_SIGNATURE: Options = {"verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False}


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _shown(thumbprint: str) -> str:
    """A thumbprint as Entra writes it, in hexadecimal."""
    try:
        return base64.urlsafe_b64decode(thumbprint + "=" * (-len(thumbprint) % 4)).hex().upper()
    except (binascii.Error, ValueError):
        return thumbprint
