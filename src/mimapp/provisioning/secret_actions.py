"""The steps that concern the client secret: issue and store, prove, and look for what an earlier run left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mimapp.clock import iso
from mimapp.credentials import Verdict, issue, prove, sweep
from mimapp.errors import DeadlineError, StoreError
from mimapp.graph import FULL_ACCESS_AS_APP
from mimapp.journal import SecretEntry
from mimapp.provisioning.outcome import SecretResult
from mimapp.provisioning.run import Done
from mimapp.spec import Scope

if TYPE_CHECKING:
    from mimapp.credentials import Desk
    from mimapp.provisioning.run import Run

__all__ = ["issue_secret", "prove_secret", "sweep_secrets"]


def issue_secret(run: Run) -> Done:
    """Issue a secret and store it, unless an earlier run did and the read before this one missed it."""
    desk = run.desk()
    known = _stored_already(desk)
    if known is not None:
        run.secret = known
        return Done(detail=f"{known.label} is stored already", wrote=False)
    issued = issue(desk, run.wanted.secret_lifetime)
    run.secret = SecretResult(
        key_id=issued.key_id, label=issued.label, expires=issued.expires, stores=issued.stores, proven=False
    )
    return Done(
        detail=f"{issued.label}, until {iso(issued.expires)}, in {', '.join(issued.stores)}",
        undo=f"remove the credential {issued.key_id} from the application",
    )


def _stored_already(desk: Desk) -> SecretResult | None:
    """A secret that the journal calls handed or proven, that a store has, and that Entra has or may have soon."""
    now = desk.clock.now()
    for entry in desk.entries():
        if entry.key_id is None or entry.state not in {"handed", "proven"} or not desk.holders(entry.key_id):
            continue
        if entry.expires is not None and entry.expires <= now:
            continue
        if now < entry.begun + desk.window or _is_in_entra(desk, entry.key_id):
            return SecretResult(
                key_id=entry.key_id,
                label=entry.label,
                expires=entry.expires,
                stores=entry.stores,
                proven=entry.state == "proven",
            )
    return None


def _is_in_entra(desk: Desk, key_id: str) -> bool:
    application = desk.graph.applications.get(desk.object_id, fresh=True)
    return any(credential.key_id == key_id for credential in application.password_credentials or ())


def prove_secret(run: Run) -> Done:
    """Get a token with the stored secret.

    Raises:
        DeadlineError: Entra did not take it in the time of the run, and may yet.
        StoreError: no store gives the value back.
    """
    desk = run.desk()
    current = run.secret
    if current is None:
        raise StoreError("no secret is stored here", hint="run the same command again: it issues one")
    store = next(iter(desk.holders(current.key_id)), None)
    value = None if store is None else store.get(current.key_id)
    if value is None:
        run.warnings.append(f"{current.label} was shown or sent away and cannot be read back: it is not proven")
        return Done(detail="cannot be read back", wrote=False)
    entry = desk.entry_of(current.key_id) or SecretEntry(
        label=current.label,
        state="handed",
        application_id=desk.application_id,
        begun=desk.clock.now(),
        changed=desk.clock.now(),
        key_id=current.key_id,
        expires=current.expires,
        stores=current.stores,
    )
    proof = prove(desk, value, usable_by=entry.begun + desk.window)
    if proof.verdict is Verdict.WORKS:
        desk.note(entry, "proven")
        run.secret = current.as_proven()
        return Done(detail=_came(run, proof.roles), wrote=False)
    if proof.verdict is Verdict.BLOCKED:
        run.attention.append(
            f"a policy of the tenant keeps this machine from proving the secret ({proof.reason}); it is kept: prove it "
            f"on the MIM server with the script of: mimapp verify --print-probe --mailbox {run.wanted.mailbox}"
        )
        return Done(detail="blocked here by a policy of the tenant", wrote=False)
    if proof.verdict is Verdict.WRONG:
        desk.note(entry, "wrong")
        run.attention.append(
            f"Entra refuses the stored secret {current.label} ({proof.reason}): run the same command again, it issues "
            "a new one"
        )
        return Done(detail="refused by Entra", wrote=False)
    raise DeadlineError(
        f"the secret {current.label} is stored, and Entra does not take it yet ({proof.reason})",
        hint="run the same command again in a few minutes: it proves the stored secret",
    )


def _came(run: Run, roles: tuple[str, ...]) -> str:
    """What the token carried: with a role in Exchange nothing of it shows, and a grant must not."""
    if run.wanted.scope is not Scope.RBAC:
        return "a token came" + (f" with {FULL_ACCESS_AS_APP}" if roles else "")
    if FULL_ACCESS_AS_APP not in roles:
        return "a token came, without application roles: Exchange decides by its own role"
    run.attention.append(
        f"the application's token carries {FULL_ACCESS_AS_APP}, which reaches every mailbox beside the role: take the "
        "grant away with mimapp scope migrate; mimapp lockdown stops the application at once"
    )
    return f"a token came, and it carries {FULL_ACCESS_AS_APP}"


def sweep_secrets(run: Run) -> Done:
    """Revoke what an interrupted run asked for and never stored; it comes last, mail never waits for it."""
    swept = sweep(run.desk())
    parts = [
        f"{verb}: {', '.join(labels)}"
        for verb, labels in (
            ("revoked", swept.revoked),
            ("stored after all", swept.adopted),
            ("never made", swept.never_made),
        )
        if labels
    ]
    for label, reason in swept.left:
        run.attention.append(
            f"the secret {label} was asked for, is in no store and could not be revoked yet ({reason}): run mimapp "
            "register again"
        )
    return Done(detail="; ".join(parts) or "nothing found yet", wrote=bool(swept.revoked))
