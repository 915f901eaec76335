"""Stand-ins for what says whose a tenant is: ids, names, domains, addresses, the same one for the same value.

A stand-in keeps the form of what it stands for: an id is a GUID, a security identifier holds the stand-in of its
object's id, an address is an address in a domain under ``.example`` (RFC 2606). So a recording still holds together:
what was sent in one request as an id is what an earlier reply gave.

Names are learned from the keys that hold them and from addresses, and then replaced as words wherever they stand; so
are the keys that `mimapp.spec` derives from a mailbox. Words that point at nobody (`_PLAIN`) stay, and so does
what the caller names as Microsoft's or mimapp's own. A text that no key calls a name is not recognised as one: what is
to be shown to others wants a person's look, as docs/recording.md says.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import uuid
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from mimapp.spec import MARK, key_of_mailbox
from mimapp.transport.rewriting import rewrite_body, rewrite_json, rewrite_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from mimapp.transport.redaction import Header
    from mimapp.transport.rewriting import JsonValue, Place

__all__ = ["StandIns"]

_NAME_KEYS = frozenset(
    {
        "accountname",
        "alias",
        "alternativenames",
        "appdisplayname",
        "businessphones",
        "city",
        "companyname",
        "customresourcescope",
        "department",
        "displayname",
        "faxnumber",
        "givenname",
        "identity",
        "jobtitle",
        "mailnickname",
        "managedby",
        "members",
        "mobilephone",
        "name",
        "officelocation",
        "onpremisessamaccountname",
        "postalcode",
        "principaldisplayname",
        "resourcedisplayname",
        "roleassigneename",
        "samaccountname",
        "scopeidentity",
        "scopename",
        "street",
        "streetaddress",
        "subject",
        "surname",
        "telephonenumber",
    }
)
_FREE_TEXT_KEYS = frozenset({"appdescription", "description", "info", "marketingnotes", "notes", "tags"})
_DOMAIN_KEYS = frozenset({"domainname", "publisherdomain", "tenantname"})
#: What Microsoft's own descriptions stand in: the words there are the same in every tenant.
_MICROSOFTS = frozenset(
    {
        "approles",
        "assignedplans",
        "error",
        "innererror",
        "oauth2permissionscopes",
        "optionalclaims",
        "provisionedplans",
        "publishedpermissionscopes",
        "resourcespecificapplicationpermissions",
        "serviceplans",
        "verifieddomains",
    }
)
#: The tenant in which Microsoft keeps its own applications: https://learn.microsoft.com/troubleshoot/entra/entra-id/governance/verify-first-party-apps-sign-in
_MICROSOFT_TENANTS = frozenset({"f8cdef31-a31e-4b4a-93e4-5f571e91255a", "72f988bf-86f1-41af-91ab-2d7cd011db47"})
_NOBODYS_ID = "00000000-0000-0000-0000-000000000000"
#: Words that point at nobody. As names of people or things they are as good as a stand-in, and elsewhere they mean
#: something to the services.
_PLAIN = re.compile(
    r"access|admin|adminapi|administrator|alias|all|app|application|applications|archive|asmx|beta|com|common|company"
    r"|configuration|default|description|devicecode|discovery|everyone|ews|exchange|false|filter|global|graph|groups?"
    r"|guest|https?|id|identity|inbox|info|invokecommand|mail|mailbox|mailboxes|me|microsoft|mim|mimapp|name|none|notes"
    r"|null|oauth2|office|openid-configuration|org|organization|other|person|profile|read|resource|roles?|root|sandbox"
    r"|scope|security|select|self|sent|services?|serviceprincipals|site|support|system|tags|team|tenant|test|text|token"
    r"|true|type|users?|v1|v2|value|well-known|write|www"
)
#: How Exchange names its own: roles and what is made of them, containers of distinguished names.
_EXCHANGES = re.compile(
    r"(Application |Microsoft Exchange|Configuration$|ConfigurationUnits$|Recipients$|Services$|SystemMailbox)"
)
_MICROSOFT_TAGS = re.compile(r"(WindowsAzureActiveDirectory|HideApp$|AppServiceIntegratedApp$|disable)")
_OURS = re.compile(r"mimapp\b")
_SHORTEST_WORD = 3

_GUID = r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
#: Entra's objects have identifiers of four numbers, which are the bytes of their id.
_ENTRA_SID = "S-1-12-1"
_SID = r"S-1-(?:12-1|5-21)(?:-\d{1,10}){3,5}"
_ADDRESS = r"[\w{][\w.'+{}-]*@[A-Za-z0-9][A-Za-z0-9.-]*\.[A-Za-z]{2,}"
_MICROSOFT_DOMAIN = r"[\w-]+(?:\.mail)?\.onmicrosoft\.(?:com|us|cn|de)|[\w-]+\.sharepoint\.(?:com|us|cn)"
_FIXED = (
    rf"(?P<sid>\b{_SID}\b)"
    rf"|(?P<guid>(?<![0-9a-fA-F-]){_GUID}(?![0-9a-fA-F-]))"
    r"|(?P<hex>(?<![0-9A-Za-z])[0-9a-fA-F]{32}(?![0-9A-Za-z]))"
    r"|(?P<link>(?<![\w+/=-])(?:[\w-]{64}|[\w-]{43})(?![\w+/=-]))"
    r"|(?P<page>(?<=skiptoken=)[^&\"\s]+)"
    rf"|(?P<address>(?<![\w.]){_ADDRESS})"
    r"|(?P<ip>(?<![\w.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\w.]))"
)
_COMMON_NAME = re.compile(r"\bCN=([^,;\"\\]+)")
_NO_NAME = re.compile(rf"{_SID}|{_GUID}|{_ADDRESS}|https?://\S+|[\W_]+|\d+")
_GUID_BYTES: Final = 16


class StandIns:
    """Finds what points at a tenant and its people, and gives each value its stand-in.

    One object a recording; not safe for several threads at a time.

    Args:
        ids: GUIDs that are the same everywhere, such as Microsoft's applications and permissions.
        names: names that are the same everywhere, such as those that mimapp gives.
    """

    def __init__(self, *, ids: frozenset[str] = frozenset(), names: frozenset[str] = frozenset()) -> None:
        self._ids = {_NOBODYS_ID, *_MICROSOFT_TENANTS, *(known.lower() for known in ids)}
        self._public_names = {name.casefold() for name in names}
        self._given: dict[str, dict[str, str]] = {}
        self._names: dict[str, str] = {}
        self._domains: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    @property
    def known(self) -> frozenset[str]:
        """The names and domains met so far, in folded case; what was rewritten before may hold a later one."""
        return frozenset(self._names) | self._domains

    def learn(self, url: str, body: str, content_type: str) -> None:
        """Take in the names and domains of a message, without changing anything."""
        rewrite_url(url, self._learning)
        rewrite_body(body, content_type, self._learning)

    def url(self, url: str) -> str:
        """A URL with stand-ins."""
        return rewrite_url(url, self._visit)

    def body(self, text: str, content_type: str) -> str:
        """A body with stand-ins."""
        return rewrite_body(text, content_type, self._visit)

    def headers(self, headers: Sequence[Header]) -> tuple[Header, ...]:
        """Headers with stand-ins."""
        return tuple((name, self.text(value)) for name, value in headers)

    def claims(self, claims: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
        """The claims of a token with stand-ins."""
        rewrite_json(dict(claims), self._learning)
        new = rewrite_json(dict(claims), self._visit)
        return new if isinstance(new, dict) else {}

    def text(self, text: str) -> str:
        """A text with every id, address, domain and known name in it replaced."""
        if self._pattern is None:
            self._pattern = self._compiled()
        return self._pattern.sub(self._replaced, text)

    def _visit(self, text: str, place: Place) -> str:
        if place.name == "clientinfo":
            return self._packed(text)
        if place.name in {"key", "customkeyidentifier"} and "keyId" in place.owner:
            return base64.b64encode(self._of("key", text, "key{}").encode()).decode()
        if place.is_field and place.name == "skiptoken":
            return self._page(text)
        if place.within[:1] == ("xml",) and place.name in {"id", "changekey"} and len(text) >= _GUID_BYTES:
            return self._of("item", text, "AAMk{:08d}=")
        whole = self._names.get(text.casefold())
        if whole is not None and (place.name in _NAME_KEYS or place.name in _FREE_TEXT_KEYS):
            return whole
        return self.text(text)

    def _learning(self, text: str, place: Place) -> str:
        for match in re.finditer(_ADDRESS, text):
            local, _, domain = match[0].partition("@")
            self._learn_domain(domain)
            self._learn_name(local)
            self._learn_name(key_of_mailbox(match[0]), like=local)
        for match in _COMMON_NAME.finditer(text):
            self._learn_name(match[1])
        is_domain = place.name in _DOMAIN_KEYS or (place.name == "name" and "isInitial" in place.owner)
        if is_domain and "." in text:
            self._learn_domain(text)
        elif text.startswith(MARK):
            self._learn_name(text.removeprefix(MARK).partition(" ")[0])
        elif self._is_a_name(text, place):
            self._learn_name(text)
        return text

    def _is_a_name(self, text: str, place: Place) -> bool:
        if place.name not in _NAME_KEYS and place.name not in _FREE_TEXT_KEYS:
            return False
        if not _MICROSOFTS.isdisjoint(place.within):
            return False
        owner_of = place.owner.get("appOwnerOrganizationId")
        if owner_of in _MICROSOFT_TENANTS or "roleTemplateId" in place.owner:
            return False
        return place.name != "tags" or _MICROSOFT_TAGS.match(text) is None

    def _learn_name(self, name: str, *, like: str | None = None) -> None:
        folded = name.strip().casefold()
        if len(folded) < _SHORTEST_WORD or folded in self._names or folded in self._public_names:
            return
        if folded in self._domains or re.fullmatch(_MICROSOFT_DOMAIN, folded):
            return
        if not _NO_NAME.sub("", name) or _PLAIN.fullmatch(folded) or _OURS.match(folded) or _EXCHANGES.match(name):
            return
        # "Jane Roe", jane.roe and the key jane-roe are one name in three writings.
        word = re.sub(r"[\W_]+", "-", (like or folded).strip().casefold()).strip("-")
        self._names[folded] = self._of("name", word, "name{}")
        self._pattern = None

    def _learn_domain(self, domain: str) -> None:
        folded = domain.casefold().rstrip(".")
        if folded not in self._domains and not folded.endswith(".example"):
            self._domains.add(folded)
            self._pattern = None

    def _compiled(self) -> re.Pattern[str]:
        domains = "|".join(rf"(?:[\w-]+\.)*{re.escape(domain)}" for domain in _longest_first(self._domains))
        public = "|".join(map(re.escape, _longest_first(self._public_names)))
        names = "|".join(map(re.escape, _longest_first(self._names)))
        parts = [_FIXED, rf"(?P<domain>(?<![\w.-])(?:{domains or '(?!)'}|{_MICROSOFT_DOMAIN})(?![\w-]))"]
        parts.append(rf"(?P<public>(?<![^\W_])(?:{public or '(?!)'})(?![^\W_]))")
        parts.append(rf"(?P<name>(?<![^\W_])(?:{names or '(?!)'})(?![^\W_]))")
        return re.compile("|".join(parts), re.IGNORECASE)

    def _replaced(self, match: re.Match[str]) -> str:
        text = match[0]
        made: dict[str | None, Callable[[str], str]] = {
            "sid": self._security_id,
            "guid": lambda found: str(self._id(uuid.UUID(found))),
            "hex": lambda found: self._id(uuid.UUID(found)).hex,
            "link": self._link,
            "page": lambda found: self._page(unquote(found.replace("+", " "))),
            "address": self._address,
            "ip": lambda found: self._of("ip", found, "192.0.2.{}"),
            "domain": self._domain,
            "public": lambda found: found,
            "name": lambda found: self._names.get(found.casefold(), found),
        }
        return made[match.lastgroup](text)

    def _of(self, kind: str, value: str, form: str) -> str:
        """The stand-in of a value; `form` takes its number."""
        known = self._given.setdefault(kind, {})
        return known.setdefault(value, form.format(len(known) + 1))

    def _id(self, real: uuid.UUID) -> uuid.UUID:
        if str(real) in self._ids:
            return real
        known = self._given.setdefault("id", {})
        number = len(known) + 1
        return uuid.UUID(known.setdefault(str(real), f"{number:08x}-0000-4000-8000-{number:012x}"))

    def _address(self, text: str) -> str:
        local, _, domain = text.partition("@")
        # What is no name is one of the service's or of mimapp's own, with ids or keys in it.
        return f"{self._names.get(local.casefold()) or self.text(local)}@{self._domain(domain)}"

    def _domain(self, text: str) -> str:
        return self._of("domain", text.casefold(), "domain{}.example")

    def _page(self, text: str) -> str:
        return self._of("page", text, "page{}")

    def _security_id(self, text: str) -> str:
        numbers = text.upper().removeprefix(f"{_ENTRA_SID}-").split("-")
        if len(numbers) != _GUID_BYTES // 4 or not all(map(str.isdigit, numbers)):
            return self._of("sid", text.upper(), "S-1-5-21-1-2-3-{}")
        raw = b"".join((int(number) & 0xFFFFFFFF).to_bytes(4, "little") for number in numbers)
        new = self._id(uuid.UUID(bytes_le=raw)).bytes_le
        words = (str(int.from_bytes(new[at : at + 4], "little")) for at in range(0, _GUID_BYTES, 4))
        return "-".join([_ENTRA_SID, *words])

    def _link(self, text: str) -> str:
        """An id that Graph makes of two or three others, packed."""
        try:
            raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        except (binascii.Error, ValueError):
            return text
        if len(raw) % _GUID_BYTES:
            return text
        ids = [uuid.UUID(bytes_le=raw[at : at + _GUID_BYTES]) for at in range(0, len(raw), _GUID_BYTES)]
        return base64.urlsafe_b64encode(b"".join(self._id(one).bytes_le for one in ids)).rstrip(b"=").decode()

    def _packed(self, text: str) -> str:
        """What a sign-in says about the account, as base64 of JSON."""
        try:
            value: JsonValue = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        except (binascii.Error, ValueError):
            return self.text(text)
        new = json.dumps(rewrite_json(value, self._visit)).encode()
        return base64.urlsafe_b64encode(new).rstrip(b"=").decode()


def _longest_first(texts: Iterable[str]) -> list[str]:
    return sorted(texts, key=len, reverse=True)
