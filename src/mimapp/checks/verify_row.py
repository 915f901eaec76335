"""One row of a verification: what was asked, what came back, what that means and what to do; and the rows together."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date, datetime

    from mimapp.provisioning.scope_proof import Proof

__all__ = ["Verdict", "Verification", "VerifyRow", "nobody_named"]


class Verdict(StrEnum):
    """What an answer means for mail."""

    HOLDS = "holds"
    WARNING = "warning"
    """It holds now, and somebody should know what is ahead."""
    NOT_PROBED = "not probed"
    """Nothing was asked, or the answer says nothing about the question."""
    NOT_YET = "not yet"
    """Refused, within a time in which a change of ours may not have reached every server."""
    BROKEN = "broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyRow:
    """One question.

    Attributes:
        name: the question in a stable word or two, such as ``inbox``.
        asked: what was asked of which service.
        came: what came back: the deciding header or code, and the request's id.
        verdict: what that means.
        meaning: the same in words, with what may be behind it.
        todo: what to do; empty where nothing is.
        until: for `Verdict.NOT_YET`, when the answer is to be final; None where no time is known.
    """

    name: str
    asked: str
    came: str
    verdict: Verdict
    meaning: str = ""
    todo: str = ""
    until: datetime | None = None


def nobody_named() -> VerifyRow:
    """The row about a mailbox outside, where nobody named one: none is picked."""
    return VerifyRow(
        name="outside",
        asked="GetFolder inbox of a mailbox that the application must not reach",
        came="not asked",
        verdict=Verdict.NOT_PROBED,
        meaning="no address was named, and nobody's mailbox is picked for this",
        todo="name a mailbox that you may probe, with --outside ADDRESS",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """A registration's mail, as MIM Service would find it.

    Attributes:
        tenant_id: the tenant.
        registration: its key.
        mailbox: its mailbox.
        application_id: the client id; None where there is no application.
        rows: in the order in which they were asked.
        proof: the latest proof that the application is denied elsewhere; None where there is none.
        ews_ends: the first day without EWS in this cloud; None where no date is known.
        sandbox: whether the tenant is a simulated one.
    """

    tenant_id: str
    registration: str
    mailbox: str
    application_id: str | None
    rows: tuple[VerifyRow, ...]
    proof: Proof | None
    ews_ends: date | None
    sandbox: bool

    @property
    def verdict(self) -> Verdict:
        """Broken where a row is; not yet where one is; else it holds."""
        verdicts = {row.verdict for row in self.rows}
        return next((one for one in (Verdict.BROKEN, Verdict.NOT_YET) if one in verdicts), Verdict.HOLDS)

    @property
    def until(self) -> datetime | None:
        """When every row that is not yet final is to be; None where no time is known for one of them."""
        times = [row.until for row in self.rows if row.verdict is Verdict.NOT_YET]
        known = [moment for moment in times if moment is not None]
        return max(known) if known and len(known) == len(times) else None
