"""The client secrets of an application: issue one, remove one.

A secret has no key by which a second call would be recognised, so issuing is never repeated blindly; whoever calls
gives each try its own label and looks for a lost one by it.

https://learn.microsoft.com/graph/api/application-addpassword,
https://learn.microsoft.com/graph/api/application-removepassword
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec import Struct

from mimapp.clock import iso
from mimapp.errors import ReplyLostError
from mimapp.graph import consistency
from mimapp.graph.channel import Call, Test, segment
from mimapp.graph.wire import Moment, bad_reply, decode
from mimapp.secret import Secret

if TYPE_CHECKING:
    from datetime import datetime

    from mimapp.graph.channel import Channel
    from mimapp.transport import Reply

__all__ = ["Credentials", "IssuedPassword", "KeyCredential", "PasswordCredential"]

_NEEDS = "Application.ReadWrite.All (app-only: Application.ReadWrite.OwnedBy)"
_FIRST_SERVER_ERROR = 500
# So often "no such secret" must be said after a lost reply before it is believed; 31 s pass meanwhile, where 4 to
# 18 s of lag were seen (microsoft-graph-docs-contrib#1921).
_SIGHTINGS = 5


class PasswordCredential(Struct, frozen=True, kw_only=True, rename="camel"):
    """A client secret as Graph shows it; `secret_text` is there once, in the reply that issues it."""

    key_id: str | None = None
    display_name: str | None = None
    start_date_time: Moment | None = None
    end_date_time: Moment | None = None
    hint: str | None = None
    custom_key_identifier: str | None = None
    secret_text: Secret | None = None


class KeyCredential(Struct, frozen=True, kw_only=True, rename="camel"):
    """A certificate as Graph shows it, without the key itself."""

    key_id: str | None = None
    display_name: str | None = None
    start_date_time: Moment | None = None
    end_date_time: Moment | None = None
    type: str | None = None
    usage: str | None = None
    custom_key_identifier: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedPassword:
    """A client secret in the one moment in which its value is known.

    Attributes:
        key_id: Entra's id of it.
        secret: the value.
        label: its display name.
        start: from when it is valid.
        end: until when it is valid; the tenant may have cut it.
        hint: its first characters as Entra shows them later, or None.
    """

    key_id: str
    secret: Secret
    label: str
    start: datetime
    end: datetime
    hint: str | None = None


class _NewPassword(Struct, frozen=True, kw_only=True, rename="camel"):
    display_name: str
    start_date_time: str
    end_date_time: str


class _AddPassword(Struct, frozen=True, kw_only=True, rename="camel"):
    password_credential: _NewPassword


class _RemovePassword(Struct, frozen=True, kw_only=True, rename="camel"):
    key_id: str


class Credentials:
    """Issues and removes client secrets."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def add_password(
        self, application_object_id: str, *, label: str, start: datetime, end: datetime, fresh: bool = False
    ) -> IssuedPassword:
        """Issue a client secret.

        Args:
            application_object_id: the application object's id.
            label: its display name, by which it can be found when the reply is lost.
            start: from when it is valid.
            end: until when it is valid.
            fresh: the application was made by this run or the last one.

        Raises:
            ReplyLostError: it may have been issued.
            BusyError: with a 5xx status, it may have been issued too.
            BadReplyError: it was issued, and its value is lost.
            DeadlineError: the application is not visible yet.
            ServiceError: Graph refused; nothing was issued.
        """
        what = f"client secret {label}"
        call = Call(
            verb="issue",
            what=what,
            path=f"/applications/{segment(application_object_id)}/addPassword",
            method="POST",
            body=_AddPassword(
                password_credential=_NewPassword(display_name=label, start_date_time=iso(start), end_date_time=iso(end))
            ),
            needs=_NEEDS,
            lag=(consistency.is_missing, consistency.is_msa_not_replicated) if fresh else (),
        )
        reply = self._channel.check(call, self._channel.ask(call))
        made = decode(reply, PasswordCredential, what)
        if made.key_id is None or not made.secret_text:
            raise bad_reply(reply, what, "it lacks the value or the id of the secret")
        return IssuedPassword(
            key_id=made.key_id,
            secret=made.secret_text,
            label=made.display_name or label,
            start=made.start_date_time or start,
            end=made.end_date_time or end,
            hint=made.hint,
        )

    def remove_password(self, application_object_id: str, key_id: str, *, fresh: bool = False) -> bool:
        """Remove a client secret; False when Entra has none with this id.

        Args:
            application_object_id: the application object's id.
            key_id: Entra's id of the secret.
            fresh: the secret was issued by this run or the last one, so "no such secret" may be a replica that is
                behind and is asked again.

        Raises:
            NotFoundError: the application itself is not there.
            DeadlineError: a fresh secret is not visible yet, so it could not be removed.
            ServiceError: Graph refused.
        """
        lag = (consistency.is_missing_password, consistency.is_missing) if fresh else ()
        call = _removal(application_object_id, key_id, lag=lag)
        try:
            answer = self._channel.ask(call)
        except ReplyLostError:
            answer = None
        if answer is None or _is_undecided(answer.reply):
            # It may be removed by now: then "no such secret" is the good news, and asking on would never end.
            if fresh:
                lag = (_FewTimes(consistency.is_missing_password), consistency.is_missing)
            call = _removal(application_object_id, key_id, lag=lag, repeatable=True)
            answer = self._channel.ask(call)
        if consistency.is_missing_password(answer.reply) and not call.is_lag(answer.reply):
            return False
        self._channel.check(call, answer)
        return True


class _FewTimes:
    """Takes a reply for lag a few times, and for the truth from then on."""

    def __init__(self, test: Test) -> None:
        self._test = test
        self._seen = 0

    def __call__(self, reply: Reply) -> bool:
        if not self._test(reply):
            return False
        self._seen += 1
        return self._seen < _SIGHTINGS


def _removal(application_object_id: str, key_id: str, *, lag: tuple[Test, ...], repeatable: bool = False) -> Call:
    return Call(
        verb="remove",
        what=f"client secret {key_id}",
        path=f"/applications/{segment(application_object_id)}/removePassword",
        method="POST",
        body=_RemovePassword(key_id=key_id),
        needs=_NEEDS,
        repeatable=repeatable,
        lag=lag,
    )


def _is_undecided(reply: Reply) -> bool:
    return reply.status >= _FIRST_SERVER_ERROR and not consistency.is_concurrency_violation(reply)
