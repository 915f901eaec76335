"""The likely causes of an explanation, checked against the tenant in order of cost; nothing is written.

Only the looks that some cause asks for are taken, the cheapest first, and none after one that shows a cause: what it
shows is mended first, and the question asked again.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from mimapp.checks.explain_look import Looker
from mimapp.errors import CancelledError, MimappError
from mimapp.host.explanation import LiveCheck, Sign

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mimapp.checks.explain_look import Seen
    from mimapp.host.explanation import Cause, Explanation
    from mimapp.provisioning.services import Services
    from mimapp.spec import Registration

__all__ = ["Judgement", "Live", "Look", "Standing", "explain_live"]


class Standing(StrEnum):
    """How a cause stands after the looks."""

    SHOWN = "shown"
    """Something was found that is this cause."""
    LIKELY = "likely"
    """What was found fits it, and is no proof."""
    RULED_OUT = "ruled out"
    """Every look for it was taken, and found nothing of it."""
    NOT_ASKED = "not asked"
    """A cheaper look had shown a cause."""
    UNKNOWN = "not known"
    """A look for it could not be taken."""
    BY_HAND = "by hand"
    """No look at the tenant can tell; the cause says how a person can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look: what it saw, or why it could not be taken."""

    check: LiveCheck
    seen: Seen | None
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """How one cause stands, and what was seen of it."""

    standing: Standing
    told: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """The looks that were taken, in their order; `error` is why none could be: nobody could sign in, say."""

    looks: tuple[Look, ...]
    error: MimappError | None = None

    def judge(self, cause: Cause) -> Judgement:
        """How a cause stands."""
        if not cause.signs:
            return Judgement(standing=Standing.BY_HAND)
        if self.error is not None:
            return Judgement(standing=Standing.UNKNOWN, told=self.error.message)
        taken = {look.check: look for look in self.looks}
        found = [
            (sign, look.seen.signs[sign])
            for sign in cause.signs
            if (look := taken.get(sign.check)) and look.seen and sign in look.seen.signs
        ]
        for sign, told in sorted(found, key=lambda pair: not pair[0].is_proof):
            return Judgement(standing=Standing.SHOWN if sign.is_proof else Standing.LIKELY, told=told)
        checks = list(dict.fromkeys(sign.check for sign in cause.signs))
        failed = [look for check in checks if (look := taken.get(check)) and look.seen is None]
        if failed:
            return Judgement(standing=Standing.UNKNOWN, told=failed[0].problem)
        if any(check not in taken for check in checks):
            return Judgement(standing=Standing.NOT_ASKED)
        seen = [look.seen for check in checks if (look := taken.get(check))]
        return Judgement(standing=Standing.RULED_OUT, told="; ".join(one.found for one in seen if one))

    @property
    def is_refused(self) -> bool:
        """Whether a token or the mailbox was refused to mimapp itself."""
        seen = {sign for look in self.looks if look.seen for sign in look.seen.signs}
        return not seen.isdisjoint({Sign.REFUSED, Sign.DENIED})

    def shown(self, found: Sequence[Explanation]) -> tuple[Cause, ...]:
        """The causes that something in the tenant shows, in the table's order."""
        causes = dict.fromkeys(cause for row in found for cause in row.causes)
        return tuple(cause for cause in causes if self.judge(cause).standing is Standing.SHOWN)


def explain_live(services: Services, wanted: Registration, found: Sequence[Explanation], text: str) -> Live:
    """Look for the causes of some rows, the cheapest look first.

    Args:
        services: the rooms below.
        wanted: the registration that the text is about; its stores are where the secret is looked for.
        found: from `mimapp.host.explain.explain`.
        text: what was explained; the ids in it are compared with the registration's.

    Raises:
        CancelledError: a person interrupted. A look that fails is in the result.
    """
    causes = [cause for row in found for cause in row.causes]
    asked = {sign.check for cause in causes for sign in cause.signs}
    looker = Looker(services, wanted, text)
    looks: list[Look] = []
    for check in (one for one in LiveCheck if one in asked):
        looks.append(_look(looker, check))
        if Live(looks=tuple(looks)).shown(found):
            break
    return Live(looks=tuple(looks))


def _look(looker: Looker, check: LiveCheck) -> Look:
    try:
        return Look(check=check, seen=looker.look(check))
    except CancelledError:
        raise
    except MimappError as error:
        return Look(check=check, seen=None, problem=error.message)
