"""Query options on plain documents: ``$filter``, ``$select``, ``$top``, ``$count``, ``$orderby``, ``$search``, paging.

Of ``$filter`` this knows what recordings and facts use: ``eq``, ``ne``, ``in``, ``startswith``, ``endswith``, ``any``
over a list of text, ``and``, ``or``, ``not`` and parentheses. Text is compared without regard to case, as the directory
does. Anything else is refused with Graph's own code, never answered wrongly. Advanced queries need
``ConsistencyLevel: eventual`` and ``$count=true`` ("Advanced query capabilities on directory objects").
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from mimapp.sandbox.graph import errors

if TYPE_CHECKING:
    from collections.abc import Callable

    from mimapp.sandbox.state import Document

__all__ = ["Query", "parse_query"]

PAGE_SIZE = 100
_LARGEST_PAGE = 999
_KNOWN = frozenset({"$filter", "$select", "$top", "$count", "$orderby", "$search", "$skiptoken", "$expand"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """The options of one request, understood.

    Attributes:
        test: whether an object is wanted.
        select: the properties wanted, None for the default ones.
        top: the page size.
        count: whether ``@odata.count`` is wanted.
        order: the property to sort by and whether downwards, None for the order of making.
        after: the id of the last object of the page before.
        expand: the relations wanted with each object.
    """

    test: Callable[[Document], bool]
    select: tuple[str, ...] | None = None
    top: int = PAGE_SIZE
    count: bool = False
    order: tuple[str, bool] | None = None
    after: str | None = None
    expand: tuple[str, ...] = ()


def parse_query(text: str, *, consistency_level: str | None) -> Query:
    """The options of a query string.

    Raises:
        GraphError: an option is unknown or has a form that is not understood.
    """
    options = {name if name.startswith("$") else f"${name}": value for name, value in parse_qsl(text)}
    unknown = options.keys() - _KNOWN
    if unknown:
        raise errors.GraphError(400, "BadRequest", f"The query parameter '{min(unknown)}' is not supported.")
    is_advanced = (consistency_level or "").casefold() == "eventual" and options.get("$count") == "true"
    tests: list[Callable[[Document], bool]] = []
    if "$filter" in options:
        tests.append(_Filter(options["$filter"], is_advanced=is_advanced).parse())
    if "$search" in options:
        tests.append(_search(options["$search"], is_advanced=(consistency_level or "").casefold() == "eventual"))
    return Query(
        test=lambda document: all(test(document) for test in tests),
        select=_names(options.get("$select")) or None,
        top=_top(options.get("$top")),
        count=options.get("$count") == "true",
        order=_order(options.get("$orderby")),
        after=_after(options.get("$skiptoken")),
        expand=_names(options.get("$expand")),
    )


def skip_token(id_: str) -> str:
    """What the next page is asked for with."""
    return base64.urlsafe_b64encode(id_.encode()).rstrip(b"=").decode()


def _after(token: str | None) -> str | None:
    if token is None:
        return None
    try:
        return base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
    except ValueError:
        raise errors.GraphError(
            400, "Directory_ExpiredPageToken", "The specified page token value has expired."
        ) from None


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in (text or "").split(",") if name.strip())


def _top(text: str | None) -> int:
    if text is None:
        return PAGE_SIZE
    if not text.isdigit() or not 0 < int(text) <= _LARGEST_PAGE:
        raise errors.unsupported_query("Invalid page size specified: must be between 1 and 999 inclusive.")
    return int(text)


def _order(text: str | None) -> tuple[str, bool] | None:
    if text is None:
        return None
    name, _, direction = text.strip().partition(" ")
    return name, direction.strip().casefold() == "desc"


def _search(text: str, *, is_advanced: bool) -> Callable[[Document], bool]:
    match = re.fullmatch(r'"(\w+):([^"]*)"', text.strip())
    if match is None or not is_advanced:
        raise errors.unsupported_query(
            "Request with $search query parameter only works with ConsistencyLevel: eventual."
        )
    name, wanted = match[1], match[2].casefold()
    return lambda document: wanted in str(document.get(name) or "").casefold()


_TOKEN = re.compile(r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<mark>[(),:])|(?P<word>[^\s(),:']+))")


class _Filter:
    """A recursive descent over one filter expression."""

    def __init__(self, text: str, *, is_advanced: bool) -> None:
        self._text = text
        self._is_advanced = is_advanced
        self._tokens: list[str] = []
        position = 0
        while position < len(text.rstrip()):
            match = _TOKEN.match(text, position)
            if match is None:
                raise self._invalid()
            self._tokens.append(match.group().strip())
            position = match.end()

    def parse(self) -> Callable[[Document], bool]:
        test = self._alternatives()
        if self._tokens:
            raise self._invalid()
        return test

    def _alternatives(self) -> Callable[[Document], bool]:
        tests = [self._conjunction()]
        while self._take("or"):
            tests.append(self._conjunction())
        return lambda document: any(test(document) for test in tests)

    def _conjunction(self) -> Callable[[Document], bool]:
        tests = [self._primary()]
        while self._take("and"):
            tests.append(self._primary())
        return lambda document: all(test(document) for test in tests)

    def _primary(self) -> Callable[[Document], bool]:
        if self._take("not"):
            self._need_advanced()
            test = self._primary()
            return lambda document: not test(document)
        if self._take("("):
            test = self._alternatives()
            self._expect(")")
            return test
        word = self._next()
        if word.casefold() in {"startswith", "endswith"}:
            return self._function(word.casefold())
        if word.endswith("/any"):
            return self._any(word.removesuffix("/any"))
        return self._comparison(word)

    def _function(self, name: str) -> Callable[[Document], bool]:
        if name == "endswith":
            self._need_advanced()
        self._expect("(")
        member = self._next()
        self._expect(",")
        wanted = str(self._literal()).casefold()
        self._expect(")")
        if name == "startswith":
            return lambda document: str(_member(document, member) or "").casefold().startswith(wanted)
        return lambda document: str(_member(document, member) or "").casefold().endswith(wanted)

    def _any(self, member: str) -> Callable[[Document], bool]:
        self._expect("(")
        variable = self._next()
        self._expect(":")
        if self._take("startswith"):
            begins = self._function_of(variable)
            self._expect(")")
            return lambda document: any(begins(value) for value in _member(document, member) or ())
        if self._next() != variable or not self._take("eq"):
            raise self._invalid()
        wanted = _folded(self._literal())
        self._expect(")")
        return lambda document: any(_folded(value) == wanted for value in _member(document, member) or ())

    def _function_of(self, variable: str) -> Callable[[object], bool]:
        """The rest of ``startswith(t,'x')`` inside an ``any`` over t."""
        self._expect("(")
        if self._next() != variable:
            raise self._invalid()
        self._expect(",")
        wanted = str(self._literal()).casefold()
        self._expect(")")
        return lambda value: str(value).casefold().startswith(wanted)

    def _comparison(self, member: str) -> Callable[[Document], bool]:
        operator = self._next().casefold()
        if operator == "in":
            self._expect("(")
            values = [_folded(self._literal())]
            while self._take(","):
                values.append(_folded(self._literal()))
            self._expect(")")
            return lambda document: _folded(_member(document, member)) in values
        if operator not in {"eq", "ne"}:
            raise self._invalid()
        wanted = _folded(self._literal())
        if operator == "eq":
            return lambda document: _folded(_member(document, member)) == wanted
        self._need_advanced()
        return lambda document: _folded(_member(document, member)) != wanted

    def _literal(self) -> str | bool | None:
        word = self._next()
        if word.startswith("'"):
            return word[1:-1].replace("''", "'")
        constants = {"true": True, "false": False, "null": None}
        if word in constants:
            return constants[word]
        if re.fullmatch(r"[0-9a-fA-F-]{36}|[\w.+-]+", word) is None:
            raise self._invalid()
        return word

    def _take(self, word: str) -> bool:
        if self._tokens and self._tokens[0].casefold() == word:
            self._tokens.pop(0)
            return True
        return False

    def _expect(self, word: str) -> None:
        if not self._take(word):
            raise self._invalid()

    def _next(self) -> str:
        if not self._tokens:
            raise self._invalid()
        return self._tokens.pop(0)

    def _need_advanced(self) -> None:
        if not self._is_advanced:
            raise errors.unsupported_query(f"Unsupported or invalid query filter clause specified: {self._text}")

    def _invalid(self) -> errors.GraphError:
        return errors.GraphError(400, "BadRequest", f"Invalid filter clause: {self._text}")


def _member(document: Document, path: str) -> Any:  # noqa: ANN401 - a JSON value
    """The value at a path of members; hidden twins (``_mailNickname``) count as members."""
    value: Any = document
    for name in path.split("/"):
        if not isinstance(value, dict):
            return None
        value = value.get(name, value.get(f"_{name}"))
    return value


def _folded(value: Any) -> Any:  # noqa: ANN401 - a JSON value
    return value.casefold() if isinstance(value, str) else value
