"""Messages taken apart into named texts and put together again: the form of a body, not what it may hold.

A JSON value, a form, XML and a URL are each walked, and every text in them is handed to a visitor together with its
name. What the visitor leaves alone comes back byte for byte. Anything else is one text without a name.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from html import escape, unescape
from typing import TYPE_CHECKING, Protocol, TypeAlias
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["JsonValue", "Place", "Visitor", "rewrite_body", "rewrite_json", "rewrite_url", "simple"]

JsonValue: TypeAlias = "str | int | float | bool | list[JsonValue] | dict[str, JsonValue] | None"

_NAMED_IN_PIECES = re.compile(r'"([^"\\]{1,80})"(\s*:\s*)"((?:[^"\\]|\\.)*)')
_ELEMENT = re.compile(r"<(?P<name>[\w.:-]+)(?P<rest>(?:\s[^<>]*)?)>(?P<text>[^<]+)(?=</(?P=name)\s*>)")
_ATTRIBUTE = re.compile(r'(?P<name>[\w.:-]+)="(?P<text>[^"<]*)"')
_TITLE = re.compile(r"<title[^>]*>([^<]*)", re.IGNORECASE)
_SEGMENT_SAFE = "!$&'()*+,;=:@~"
_QUERY_SAFE = "!$'()*,;:@/?~"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a text stands.

    Attributes:
        name: its own name, as `simple` writes it: a key, a field, an element, a header; empty for a bare text.
        within: the names of what is around it, the outermost first.
        owner: the JSON object that it belongs to; empty elsewhere.
        is_field: whether it is a field of a form or of a query, where ``code`` is a secret and not an error's number.
    """

    name: str
    within: tuple[str, ...]
    owner: Mapping[str, JsonValue]
    is_field: bool = False


class Visitor(Protocol):
    """Decides about one text."""

    def __call__(self, text: str, place: Place) -> str:
        """The text that stands there instead; the same one leaves it."""
        ...


def simple(name: str) -> str:
    """A name by which ``secret_text``, ``secretText`` and ``Secret-Text`` are the same."""
    return re.sub(r"[^a-z0-9]", "", name.rpartition(":")[2].lower())


def rewrite_url(url: str, visit: Visitor) -> str:
    """A URL with its path's segments and its query's values visited; name and password in it are left out."""
    parts = urlsplit(url)
    path = "/".join(_segment(segment, visit) for segment in parts.path.split("/"))
    query = "&".join(_pair(pair, visit) for pair in parts.query.split("&")) if parts.query else ""
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], path, query, ""))


def rewrite_body(text: str, content_type: str, visit: Visitor) -> str:
    """A body with every text in it visited.

    Args:
        text: the body.
        content_type: what its message says it is; believed for forms and pages only.
        visit: asked about every text.
    """
    kind = content_type.lower()
    if "x-www-form-urlencoded" in kind:
        return _form(text, visit)
    head = text.lstrip("\ufeff \t\r\n")[:200].lower()
    if head.startswith(("{", "[")):
        return _json_text(text, visit)
    if head.startswith(("<!doctype html", "<html")) or "text/html" in kind:
        return _page(text, visit)
    if head.startswith("<"):
        return _xml(text, visit)
    return visit(text, _bare())


def rewrite_json(
    value: JsonValue,
    visit: Visitor,
    *,
    name: str = "",
    within: tuple[str, ...] = (),
    owner: Mapping[str, JsonValue] | None = None,
) -> JsonValue:
    """A JSON value with every text in it visited; the items of a list have the list's name."""
    if isinstance(value, str):
        return visit(value, Place(name=name, within=within, owner=owner or {}))
    if isinstance(value, list):
        return [rewrite_json(item, visit, name=name, within=within, owner=owner) for item in value]
    if isinstance(value, dict):
        inside = (*within, name) if name else within
        return {
            key: rewrite_json(item, visit, name=simple(key), within=inside, owner=value) for key, item in value.items()
        }
    return value


def _bare() -> Place:
    return Place(name="", within=(), owner={})


def _field(name: str) -> Place:
    return Place(name=simple(unquote(name)), within=(), owner={}, is_field=True)


def _segment(raw: str, visit: Visitor) -> str:
    text = unquote(raw)
    new = visit(text, _bare())
    return raw if new == text else quote(new, safe=_SEGMENT_SAFE)


def _pair(raw: str, visit: Visitor) -> str:
    name, equals, value = raw.partition("=")
    if not equals:
        return raw
    text = unquote(value.replace("+", " "))
    new = visit(text, _field(name))
    return raw if new == text else f"{name}={quote(new, safe=_QUERY_SAFE)}"


def _form(text: str, visit: Visitor) -> str:
    pairs = parse_qsl(text, keep_blank_values=True)
    new = [(name, visit(value, _field(name))) for name, value in pairs]
    return text if new == pairs else urlencode(new)


def _json_text(text: str, visit: Visitor) -> str:
    try:
        value: JsonValue = json.loads(text.lstrip("\ufeff"))
    except (ValueError, RecursionError):
        return _broken_json(text, visit)
    new = rewrite_json(value, visit)
    return text if new == value else json.dumps(new, ensure_ascii=False, separators=(",", ":"))


def _broken_json(text: str, visit: Visitor) -> str:
    """A reply that was cut off: its texts are still found by their names, the last one without its end too."""

    def replaced(match: re.Match[str]) -> str:
        new = visit(match[3], Place(name=simple(match[1]), within=(), owner={}))
        return f'"{match[1]}"{match[2]}"{new}'

    return visit(_NAMED_IN_PIECES.sub(replaced, text), _bare())


def _xml(text: str, visit: Visitor) -> str:
    def place(name: str) -> Place:
        return Place(name=simple(name), within=("xml",), owner={})

    def attribute(match: re.Match[str]) -> str:
        old = unescape(match["text"])
        new = visit(old, place(match["name"]))
        return match[0] if new == old else f'{match["name"]}="{escape(new)}"'

    def element(match: re.Match[str]) -> str:
        old = unescape(match["text"])
        new = visit(old, place(match["name"]))
        return match[0] if new == old else f"<{match['name']}{match['rest']}>{escape(new, quote=False)}"

    return _ATTRIBUTE.sub(attribute, _ELEMENT.sub(element, text))


def _page(text: str, visit: Visitor) -> str:
    """A page for people, of which the title is kept: sign-in pages carry session secrets in fields and scripts."""
    title = _TITLE.search(text)
    shown = "" if title is None else visit(unescape(title[1]).strip(), _bare())
    return f"<html><head><title>{escape(shown)}</title></head><body>({len(text)} characters left out)</body></html>"
