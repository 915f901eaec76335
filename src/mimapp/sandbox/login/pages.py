"""The pages that a browser sees: plain HTML without scripts, but for the one form that sends itself.

They are the sandbox's own; Entra's look different, and a client must read none of them. What the form of
``response_mode=form_post`` does is OAuth 2.0 Form Post Response Mode.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["device_page", "form_post", "message", "sign_in_page"]

_HEAD = "<!doctype html><html lang=en><meta charset=utf-8><title>Sandbox sign-in</title>"


def message(text: str) -> str:
    """A page that only says something."""
    return f"{_HEAD}<p>{escape(text, quote=False)}</p>"


def device_page(tenant: str) -> str:
    """Where a person enters a device code."""
    return (
        f"{_HEAD}<form method=post><p>Simulated sign-in to {escape(tenant)}. "
        "<label>Code <input name=user_code></label> <label>User <input name=username></label> "
        "<button>Sign in</button></p></form>"
    )


def sign_in_page(*, client: str, tenant: str, user: str, scope: str, problem: str = "") -> str:
    """Where a person signs in, without a password, and accepts what the client asks for.

    Args:
        client: the client's name.
        tenant: the tenant's.
        user: the sign-in name that is expected.
        scope: what is asked for.
        problem: why the page is shown again.
    """
    shown = f"<p><strong>{escape(problem, quote=False)}</strong></p>" if problem else ""
    return (
        f"{_HEAD}{shown}<form method=post><p>Simulated sign-in of {escape(client, quote=False)} to"
        f" {escape(tenant, quote=False)}, which asks for: {escape(scope, quote=False)}.</p>"
        f'<p><label>User <input name=username value="{escape(user)}"></label> '
        "<button name=answer value=accept>Accept</button> <button name=answer value=cancel>Cancel</button></p></form>"
    )


def form_post(action: str, fields: Mapping[str, str]) -> str:
    """A page that posts fields to an address as soon as it is open; without scripts, by its button."""
    inputs = "".join(
        f'<input type=hidden name="{escape(name)}" value="{escape(value)}">' for name, value in fields.items()
    )
    return (
        f'{_HEAD}<body onload="document.forms[0].submit()"><form method=post action="{escape(action)}">{inputs}'
        "<button>Go on</button></form></body>"
    )
