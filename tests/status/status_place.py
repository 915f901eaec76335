"""A registered tenant in several states of its life, for the tests of status."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from support.tenants import CONTOSO, MAILBOX

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from support.tenants import Place

__all__ = ["OTHER", "export", "register", "status"]

OTHER = f"other@{CONTOSO}"


def register(place: Place, mailbox: str = MAILBOX) -> None:
    done = place.remote("register", "--mailbox", mailbox, "--yes")
    assert done.code == 0, done.err


def status(place: Place, *more: str) -> Mapping[str, Any]:
    done = place.remote("status", "--mailbox", MAILBOX, "--output", "json", *more)
    assert done.code in {0, 3}, done.err
    return done.document


def export(path: Path, application_id: str) -> Path:
    """A .reg file as the MIM server's administrator exports it, with one id in it."""
    key = r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Forefront Identity Manager\2010\Service"
    lines = (
        "Windows Registry Editor Version 5.00",
        "",
        f"[{key}]",
        f'"ExchangeOnlineApplicationID"="{application_id}"',
    )
    path.write_bytes("\r\n".join((*lines, "")).encode("utf-16"))
    return path
