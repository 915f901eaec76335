"""Access tokens of the sandbox: signed JWTs with the claim names of Microsoft Entra, and their check.

Login issues them; Graph, Exchange administration and EWS verify them:

    claims = context.tokens.verify(req.get_header("Authorization"), audiences=EXCHANGE_AUDIENCES)

`verify` proves form, signature, time and audience, and nothing else. That the token is of the tenant in the path, and
what a caller may do with `roles`, `scopes` and `directory_roles`, is each service's own rule. Claims are as Microsoft
documents them in "Access token claims reference": v1.0 tokens name the client ``appid`` and the proof ``appidacr``,
v2.0 tokens ``azp`` and ``azpacr``.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mimapp.sandbox import catalog
from mimapp.sandbox.errors import TokenRefused

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    from mimapp.sandbox.catalog import FirstPartyService
    from mimapp.sandbox.clock import Clock
    from mimapp.sandbox.state import Document, State

__all__ = ["EXCHANGE_AUDIENCES", "GRAPH_AUDIENCES", "SANDBOX_WIDE", "Claims", "TokenService"]


def _audiences(service: FirstPartyService) -> frozenset[str]:
    addresses = {service.audience, *service.national_uris}
    return frozenset({service.app_id, *addresses, *(f"{address}/" for address in addresses)})


GRAPH_AUDIENCES = _audiences(catalog.GRAPH)
"""What Graph accepts as `aud`: its address in any cloud, and its application id."""
EXCHANGE_AUDIENCES = _audiences(catalog.EXCHANGE)
"""What Exchange administration and EWS accept as `aud`: the address in any cloud, and the application id."""

SANDBOX_WIDE = ""
"""The tenant under which documents of the sandbox itself are kept."""
_KEY_KIND = "sandbox.key"
_KEY_ID = "signing"
_LIFETIME_SECONDS = 3599
_CLOCK_SKEW_SECONDS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What a verified token says. Moments are seconds since 1970.

    Attributes:
        tenant_id: `tid`, the tenant that issued it.
        audience: `aud`, the service it is for.
        app_id: `appid` or `azp`, the client that asked for it.
        object_id: `oid`: the service principal of an app-only caller, the user of a delegated one.
        roles: application permissions that were granted when it was issued.
        scopes: delegated permissions, empty for an app-only token.
        directory_roles: `wids`, the role templates that the caller holds.
        user_principal_name: the signed-in user, None for an app-only token.
        name: the user's display name, None for an app-only token.
        issued: `iat`.
        expires: `exp`.
    """

    tenant_id: str
    audience: str
    app_id: str
    object_id: str
    roles: frozenset[str] = field(default_factory=frozenset)
    scopes: frozenset[str] = field(default_factory=frozenset)
    directory_roles: frozenset[str] = field(default_factory=frozenset)
    user_principal_name: str | None = None
    name: str | None = None
    issued: float = 0.0
    expires: float = 0.0

    @property
    def is_app_only(self) -> bool:
        """Whether no user stands behind it."""
        return self.user_principal_name is None


class TokenService:
    """Signs and verifies; the key is made once per sandbox and kept in its state."""

    def __init__(self, state: State, *, clock: Clock) -> None:
        self._clock = clock
        # At once, so that no service is inside a transaction when the key is first needed.
        self._key = _load_or_make(state)
        self._public = self._key.public_key()
        # A signature that held holds; a client sends one token with most of its requests.
        self._proven = functools.lru_cache(maxsize=256)(self._decode)

    def sign(self, claims: Document) -> str:
        """A JWT with exactly these claims, RS256, named by `kid` and `x5t` as Entra does."""
        import jwt  # noqa: PLC0415 - only a sandbox that is used pays for cryptography

        return jwt.encode(claims, self._key, algorithm="RS256", headers={"x5t": self.key_id, "kid": self.key_id})

    def verify(self, authorization: str | None, *, audiences: frozenset[str]) -> Claims:
        """The claims of an ``Authorization`` header.

        Raises:
            TokenRefused: the header is missing, or its token is not good for these audiences now.
        """
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.casefold() != "bearer" or not token.strip():
            raise TokenRefused("missing")
        found = self._proven(token.strip())
        now = self._clock.now().timestamp()
        if not found["nbf"] - _CLOCK_SKEW_SECONDS <= now < found["exp"] + _CLOCK_SKEW_SECONDS:
            raise TokenRefused("expired")
        if found["aud"] not in audiences:
            raise TokenRefused("audience")
        return _claims(found)

    def _decode(self, token: str) -> Document:
        """The claims of a token that was signed here.

        Raises:
            TokenRefused: it was not, or it is no token.
        """
        import jwt  # noqa: PLC0415 - see sign

        try:
            found: Document = jwt.decode(
                token,
                self._public,
                algorithms=["RS256"],
                # Time and audience are compared by `verify`: with the sandbox's clock, and with the service's words.
                options={"verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False},
            )
        except jwt.InvalidSignatureError as error:
            raise TokenRefused("signature") from error
        except jwt.InvalidTokenError as error:
            raise TokenRefused("malformed") from error
        return found

    def lifetime(self) -> tuple[int, int]:
        """`iat` and `exp` of a token issued now."""
        now = int(self._clock.now().timestamp())
        return now, now + _LIFETIME_SECONDS

    @property
    def key_id(self) -> str:
        """The `kid` of every token and of the key set."""
        modulus = self._public.public_numbers().n
        return _base64url(hashlib.sha256(modulus.to_bytes(256)).digest()[:20])

    def key_set(self) -> Document:
        """The JSON Web Key Set that proves the tokens."""
        numbers = self._public.public_numbers()
        key = {
            "kty": "RSA",
            "use": "sig",
            "kid": self.key_id,
            "x5t": self.key_id,
            "n": _base64url(numbers.n.to_bytes(256)),
            "e": _base64url(numbers.e.to_bytes(3)),
        }
        return {"keys": [key]}


def _load_or_make(state: State) -> RSAPrivateKey:
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - see sign
    from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415 - see sign

    with state.transaction() as tx:
        record = tx.get(SANDBOX_WIDE, _KEY_KIND, _KEY_ID)
        if record is None:
            made = _make_key()
            pem = made.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            tx.put(SANDBOX_WIDE, _KEY_KIND, _KEY_ID, {"pem": pem.decode()}, settled=True)
            return made
    # Made here: proving its primes again would cost more than all else at a start.
    pem_bytes = record.body["pem"].encode()
    loaded = serialization.load_pem_private_key(pem_bytes, password=None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(loaded, rsa.RSAPrivateKey):
        raise TypeError("the sandbox's signing key is no RSA key")
    return loaded


@functools.cache
def _make_key() -> RSAPrivateKey:
    """A key for a new sandbox; one process uses one, since making a key takes longer than all the rest of a sandbox."""
    from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415 - see sign

    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _claims(found: Document) -> Claims:
    return Claims(
        tenant_id=found["tid"],
        audience=found["aud"],
        app_id=found.get("appid") or found["azp"],
        object_id=found["oid"],
        roles=frozenset(found.get("roles", ())),
        scopes=frozenset(found.get("scp", "").split()),
        directory_roles=frozenset(found.get("wids", ())),
        user_principal_name=found.get("upn") or found.get("preferred_username"),
        name=found.get("name"),
        issued=float(found["iat"]),
        expires=float(found["exp"]),
    )


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def new_unique_token_id() -> str:
    """A fresh `uti`, which names one token in sign-in logs."""
    return _base64url(uuid.uuid4().bytes)
