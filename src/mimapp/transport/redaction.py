"""Secrets in requests and replies: how they are known, and what a recording holds in their place.

A text is a secret by the name that it stands under (``client_secret``, ``access_token``, a key that merely looks like
one), by its form (a JSON Web Token, an Entra secret), or because it was a secret somewhere else in the same recording.
It knows no service: the names are those of OAuth 2.0 (RFC 6749, 7521, 8628), OpenID Connect, HTTP and of objects that
hold secrets in Microsoft Graph. Who is spoken of is not its business: see `mimapp.transport.stand_ins`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mimapp.transport.rewriting import rewrite_body, rewrite_url, simple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mimapp.transport.rewriting import Place

__all__ = ["REDACTED", "Header", "Secrets"]

Header = tuple[str, str]

REDACTED = "REDACTED"

_DROPPED_HEADERS = frozenset({"authorization", "proxyauthorization", "cookie", "cookie2", "setcookie", "setcookie2"})
#: How managed identities show themselves to their endpoint:
#: https://learn.microsoft.com/azure/app-service/overview-managed-identity
_SECRET_HEADERS = frozenset({"secret", "xidentityheader"})
_SECRET_NAMES = frozenset(
    {
        "accesstoken",
        "assertion",
        "clientassertion",
        "clientsecret",
        "devicecode",
        "idtoken",
        "idtokenhint",
        "password",
        "privatekey",
        "proof",
        "refreshtoken",
        "secrettext",
        "usercode",
    }
)
#: Secrets in a form or a query; elsewhere ``code`` is an error's number.
_SECRET_FIELDS = frozenset({"code", "codeverifier", "sig", "token"})
_LOOKS_SECRET = re.compile(r"secret|passw|pwd|token|assertion|cookie|apikey|accesskey|privatekey|signature|credential")
#: What stands at the end of a name that speaks about a secret and holds none.
_ABOUT = re.compile(
    r"(type|types|endpoint|supported|version|ids?|thumbprint|polic(y|ies)|datetime|date|time|ur[il]s?|lifetime|format|"
    r"name|description|count|days?|enabled|disabled|required|methods?|issuance|expiration|settings?|skiptoken)$"
)
_FORMS = (
    re.compile(r"eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)*"),  # a JSON Web Token
    re.compile(r"[\w.~-]{3}\dQ~[\w.~-]{31,34}"),  # an Entra client secret
    re.compile(r"(?<![\w.-])[01]\.A[\w-]{20,}(?:\.[\w-]+)*"),  # an authorization code or refresh token of Entra
    re.compile(r"sandbox-[\w-]{20,}"),  # a simulated tenant's secret or code
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
)
_SCHEME = re.compile(r"\b(Bearer|Basic)\s+[\w.~+/-]{16,}=*", re.IGNORECASE)
_SHORTEST_KNOWN = 8


class Secrets:
    """Takes secrets out of messages, and knows those it has met wherever they stand later.

    One object a recording; not safe for several threads at a time.
    """

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._known_form: re.Pattern[str] | None = None

    @property
    def known(self) -> frozenset[str]:
        """The values met so far that are long enough to be told from words."""
        return frozenset(self._known)

    def headers(self, headers: Sequence[Header]) -> tuple[Header, ...]:
        """Headers without those that carry credentials or cookies, and with others that look secret replaced."""
        kept: list[Header] = []
        for name, value in headers:
            plain = simple(name)
            if plain in _DROPPED_HEADERS:
                self._remember(value.rpartition(" ")[2])
            elif plain in _SECRET_HEADERS or _is_secret(plain):
                self._remember(value)
                kept.append((name, REDACTED))
            else:
                kept.append((name, self.scrub(value)))
        return tuple(kept)

    def url(self, url: str) -> str:
        """A URL without secrets in its query or path."""
        return rewrite_url(url, self._visit)

    def body(self, text: str, content_type: str) -> str:
        """A body without secrets."""
        known = len(self._known)
        new = rewrite_body(text, content_type, self._visit)
        # A code may be told in a sentence before it stands under its name.
        return new if len(self._known) == known else rewrite_body(text, content_type, self._visit)

    def scrub(self, text: str) -> str:
        """A text without what has the form of a secret, and without secrets met before."""
        for form in _FORMS:
            text = form.sub(REDACTED, text)
        text = _SCHEME.sub(rf"\1 {REDACTED}", text)
        if self._known and self._known_form is None:
            longest_first = sorted(self._known, key=len, reverse=True)
            self._known_form = re.compile("|".join(map(re.escape, longest_first)))
        return self._known_form.sub(REDACTED, text) if self._known_form is not None else text

    def _visit(self, text: str, place: Place) -> str:
        if not text:
            return text
        if _is_secret(place.name) or (place.is_field and place.name in _SECRET_FIELDS):
            self._remember(text)
            return REDACTED
        if place.name == "hint" and "keyId" in place.owner:
            return REDACTED  # the first three characters of a client secret
        return self.scrub(text)

    def _remember(self, value: str) -> None:
        is_word = value.isalpha() and not value.isupper()
        # What its form gives away need not be remembered.
        if len(value) >= _SHORTEST_KNOWN and not is_word and self.scrub(value) == value and value != REDACTED:
            self._known.add(value)
            self._known_form = None


def _is_secret(name: str) -> bool:
    return name in _SECRET_NAMES or (_LOOKS_SECRET.search(name) is not None and _ABOUT.search(name) is None)
