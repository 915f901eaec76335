"""An HTML page as a test reads it: whether it is whole, what it says, and that it fetches nothing."""

from __future__ import annotations

from html.parser import HTMLParser

__all__ = ["Page", "read_page"]

_VOID = frozenset({"meta", "br", "hr"})
_FETCHES = frozenset({"script", "link", "img", "iframe", "object", "embed", "image", "use", "audio", "video"})


class Page(HTMLParser):
    """A page that has been read; `tags` with their attributes, `texts` as a reader sees them."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []

    @property
    def words(self) -> str:
        return "".join(self.texts)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def read_page(html: str) -> Page:
    """A page of mimapp's: closed as it was opened, with nothing from outside and no script."""
    page = Page()
    page.feed(html)
    page.close()
    assert page.open == []
    assert html.startswith("<!DOCTYPE html>")
    assert {tag for tag, _ in page.tags}.isdisjoint(_FETCHES)
    names = {name for _, attrs in page.tags for name in attrs}
    assert names.isdisjoint({"href", "src", "style"})
    assert not [name for name in names if name.startswith("on")]
    assert "url(" not in html
    assert "@import" not in html
    return page
