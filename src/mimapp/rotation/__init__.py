"""Due or not, hand-over evidence, retirement: how a registration's secret is replaced before it ends.

The law of the room: issued and proven by mimapp is not the same as used by MIM. No secret that MIM may use is revoked
without evidence that MIM uses its successor.
"""

from mimapp.rotation.decide import OVERLAP, Policy
from mimapp.rotation.due import DuePolicy, Urgency, due
from mimapp.rotation.evidence import EvidenceStore
from mimapp.rotation.handing import Statement
from mimapp.rotation.hooks import CommandHook, Hook, HookCall, HookEnd, Hooks
from mimapp.rotation.outcome import HandOver, HandOverState, Outcome
from mimapp.rotation.retiring import RetirementOutcome
from mimapp.rotation.rotation import Rotation
from mimapp.rotation.standing import Standing, standing
from mimapp.rotation.work import Phase

__all__ = [
    "OVERLAP",
    "CommandHook",
    "DuePolicy",
    "EvidenceStore",
    "HandOver",
    "HandOverState",
    "Hook",
    "HookCall",
    "HookEnd",
    "Hooks",
    "Outcome",
    "Phase",
    "Policy",
    "RetirementOutcome",
    "Rotation",
    "Standing",
    "Statement",
    "Urgency",
    "due",
    "standing",
]
