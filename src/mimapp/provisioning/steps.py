"""The steps of a plan, as data: what each changes, on what, to which value, and how a person would say it.

Applying them is `apply`'s business. A step carries no ids born in the run, no times, no labels: two reads of the same
tenant give the same steps, whatever order they were read in.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["EVERY_PART", "Part", "Step", "StepKind"]


class Part(StrEnum):
    """One half of the work, which one administrator can do without the rights of the other."""

    ENTRA = "entra"
    EXCHANGE = "exchange"


EVERY_PART = frozenset(Part)
#: What the names of Exchange's steps begin with.
_OF_EXCHANGE = frozenset({"group", "policy", "fence", "ews", "pointer", "scope", "role"})


class StepKind(StrEnum):
    """What a step does; the names are stable, output and records carry them."""

    CREATE_APPLICATION = "application.create"
    CORRECT_APPLICATION = "application.correct"
    ADOPT_APPLICATION = "application.adopt"
    RESTORE_APPLICATION = "application.restore"
    PURGE_APPLICATION = "application.purge"
    ADD_OWNER = "application.owner"
    CREATE_PRINCIPAL = "principal.create"
    TAG_PRINCIPAL = "principal.tag"
    CREATE_GROUP = "group.create"
    HIDE_GROUP = "group.hide"
    ADD_MEMBER = "group.member"
    CREATE_POLICY = "policy.create"
    CREATE_POINTER = "pointer.create"
    CREATE_SCOPE = "scope.create"
    ASSIGN_ROLE = "role.assign"
    STAND_FENCE = "fence.stand"
    HOLD_CONSENT = "consent.hold"
    GRANT_CONSENT = "consent.grant"
    ADD_REDIRECT = "consent.redirect"
    CONSENT_IN_BROWSER = "consent.browser"
    REMOVE_REDIRECT = "consent.redirect-remove"
    TRIM_USER_READ = "user-read.trim"
    ALLOW_EWS = "ews.allow"
    ENABLE_EWS = "ews.enable"
    DROP_RESTORED_SECRETS = "secret.drop-restored"
    ISSUE_SECRET = "secret.issue"  # noqa: S105 - the name of a step
    PROVE_SECRET = "secret.prove"  # noqa: S105 - the name of a step
    SWEEP_SECRETS = "secret.sweep"
    REVOKE_SECRET = "secret.revoke"  # noqa: S105 - the name of a step
    REVOKE_CONSENT = "consent.revoke"
    DISALLOW_EWS = "ews.disallow"
    DELETE_APPLICATION = "application.delete"
    DELETE_PRINCIPAL = "principal.delete"
    REMOVE_ROLE = "role.remove"
    REMOVE_POLICY = "policy.remove"
    REMOVE_POINTER = "pointer.remove"
    REMOVE_SCOPE = "scope.remove"
    REMOVE_GROUP = "group.remove"
    FORGET_SECRET = "secret.forget"  # noqa: S105 - the name of a step
    BLOCK_SIGN_IN = "sign-in.block"
    ALLOW_SIGN_IN = "sign-in.allow"
    PROVE_MAIL = "mail.prove"
    PROVE_ROLE = "role.prove"

    @property
    def part(self) -> Part:
        """Whose rights it needs, and so whose account does it."""
        return Part.EXCHANGE if self.value.partition(".")[0] in _OF_EXCHANGE else Part.ENTRA

    @property
    def cleans_up(self) -> bool:
        """Whether it takes away what an earlier step of its run put there for a while, and so is never left out."""
        return self is StepKind.REMOVE_REDIRECT

    @property
    def writes(self) -> bool:
        """Whether it changes the tenant; waiting, proving and forgetting a secret do not."""
        return self not in {
            StepKind.STAND_FENCE,
            StepKind.HOLD_CONSENT,
            StepKind.PROVE_SECRET,
            StepKind.FORGET_SECRET,
            StepKind.PROVE_MAIL,
            StepKind.PROVE_ROLE,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a plan.

    Attributes:
        kind: what it does.
        target: the object, by a key that is known before the object exists.
        desired: the value the object is to have, in a canonical form.
        title: what it does, for a person; may be reworded without making a plan stale.
    """

    kind: StepKind
    target: str
    desired: str
    title: str

    @property
    def identity(self) -> tuple[str, str, str]:
        """What a fingerprint covers of it."""
        return (self.kind, self.target, self.desired)
