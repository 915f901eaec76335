"""What a person has to do about a registration, and the command that comes next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mimapp.checks.status_dates import newest_secret
from mimapp.rotation import HandOverState, Urgency, due
from mimapp.spec import Scope, key_of_mailbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mimapp.checks.status import Status

__all__ = ["attention_of", "meant", "next_command"]


def attention_of(found: Status) -> tuple[str, ...]:
    """Everything that needs a person, the worst first; empty when nothing does."""
    return tuple(told for told, _ in _matters(found))


def next_command(found: Status) -> str:
    """The command that comes next, whole; empty when nothing is to be done."""
    command = next((command for _, command in _matters(found) if command), "") or _idle(found)
    return f"{command} {meant(found)}" if command else ""


def meant(found: Status) -> str:
    """The options that name this registration."""
    words = [f"--mailbox {found.mailbox}"]
    if found.registration != key_of_mailbox(found.mailbox):
        words.append(f"--registration {found.registration}")
    if found.sandbox:
        words.append("--sandbox")
    return " ".join(words)


def _matters(found: Status) -> Iterator[tuple[str, str]]:
    """What needs a person, each with the command that deals with it, empty where none does."""
    if found.application_id is None:
        yield "it is not registered", "mimapp register"
        return
    if found.problem is not None:
        yield found.problem.message, "mimapp check"
    if found.signs_in is False:
        yield "its sign-in is stopped", "mimapp lockdown --release"
    if found.consented and not found.fence_stands and found.scope is Scope.POLICY:
        yield "it is consented to, and its restriction does not stand: it may read every mailbox", "mimapp register"
    if found.due:
        yield "it is not as register leaves it", "mimapp register"
    if found.ews_ends is not None and found.at.date() >= found.ews_ends:
        yield f"EWS ended in this cloud on {found.ews_ends:%Y-%m-%d}, and mail with it", "mimapp explain ews-ended"
    if found.ews.remedy:
        yield f"{found.ews.reason}: {found.ews.remedy}", "mimapp ews status"
    yield from _about_secrets(found)
    for host in found.hosts:
        if host.wrong:
            where = host.server or "a MIM server"
            yield (
                f"on {where}, by the check of {host.judged:%Y-%m-%d}: {', '.join(host.wrong)}",
                "mimapp host check FILE",
            )


def _about_secrets(found: Status) -> Iterator[tuple[str, str]]:
    newest = newest_secret(found.credentials, found.at)
    if newest is None:
        yield "no client secret of mimapp's is live", "mimapp rotate"
        return
    answer = due(newest, found.due_by, found.at)
    if answer.urgency is not Urgency.NOT_DUE:
        yield answer.reason, "mimapp rotate"
    if found.standing is not None and found.handover.state is HandOverState.WAITING:
        for told in found.standing.attention:
            yield told, f"mimapp handover confirm {newest.key_id}"


def _idle(found: Status) -> str:
    """What is worth doing when nothing has to be."""
    if found.standing is not None and any(one.allowed for one in found.standing.older):
        return "mimapp retire"
    if found.proof is None and not any(one.command.startswith("mimapp verify") for one in found.dates):
        return "mimapp verify --outside ADDRESS"
    return ""
