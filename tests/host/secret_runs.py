"""What the tests of the secret script share: the two forms, a node for each, the documented order."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

from ps_mim import HEADER, Node

from mimapp.host.options import Account
from mimapp.host.secret_script import secret_script

KEY_ID = "9f0b3c52-1111-4222-8333-444455556666"
FOLDER = r"C:\ProgramData\mimapp\secret"
RESULT = rf"{FOLDER}\result-MIM01.json".lower()
LATER, EARLIER = datetime(2026, 12, 31, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)
REGULAR = secret_script(Account.REGULAR, accept_unsupported=True, key_id=KEY_ID, old_secret_expires=LATER).text
GMSA = secret_script(Account.GMSA, accept_unsupported=True, key_id=KEY_ID, old_secret_expires=LATER).text
ACCOUNTS = {Account.REGULAR: r"CONTOSO\svcMIM", Account.GMSA: r"CONTOSO\svcMIM$"}
FORMS = [Account.REGULAR, Account.GMSA]


def script_for(form: Account, expires: datetime | None = LATER) -> str:
    return secret_script(form, accept_unsupported=True, key_id=KEY_ID, old_secret_expires=expires).text


def node_for(form: Account, **change: Any) -> Node:
    node = Node(ACCOUNTS[form])
    for name, value in change.items():
        setattr(node, name, value)
    return node


def apply_on(node: Node, form: Account, text: str | None = None, **arguments: Any) -> tuple[int, list[str]]:
    """The documented order: for a regular account Protect as the account, then Apply as an administrator."""
    text = text or script_for(form)
    if form is Account.REGULAR:
        node.run(text, Phase="Prepare")
        node.user = ACCOUNTS[form]
        node.run(text, Phase="Protect", **arguments)
        node.user = r"MIM01\admin"
        return node.run(text, Phase="Apply")
    return node.run(text, Phase="Apply", **arguments)


def result_of(node: Node) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(node.files[RESULT])
    return found


def plain_of(node: Node) -> str:
    raw = base64.b64decode(node.value)
    return raw[len(HEADER + node.sid.encode()) + 1 :][::-1].decode("utf-16-le")
