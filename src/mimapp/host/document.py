"""Self-contained HTML pages of this room: one frame, light and dark by the reader's setting, printable, no script.

Owns escaping and style; what stands on a page belongs to the modules that build it.
"""

from __future__ import annotations

from html import escape
from importlib.resources import files

__all__ = ["page", "tag", "text"]


def text(value: str) -> str:
    """A text made safe for HTML, quotes included."""
    return escape(value, quote=True)


def tag(name: str, *content: str, css: str = "") -> str:
    """An element around content that is HTML already."""
    attribute = f' class="{text(css)}"' if css else ""
    return f"<{name}{attribute}>{''.join(content)}</{name}>"


def page(title: str, *body: str) -> str:
    """A whole document: everything inline, nothing fetched."""
    style = files("mimapp.host").joinpath("scripts", "document.css").read_text(encoding="utf-8")
    return (
        "<!DOCTYPE html>\n"
        '<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{text(title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(body)
        + "\n</main>\n</body>\n</html>\n"
    )
