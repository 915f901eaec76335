"""The life of one client secret: issued and stored in one step, proven by a token, revoked only with the right to.

`provisioning` and `rotation` decide when a secret is wanted; this room knows how one is made without losing it.
"""

from mimapp.credentials.desk import Desk
from mimapp.credentials.issue import Issued, issue, issue_if
from mimapp.credentials.labels import is_ours, new_label
from mimapp.credentials.prove import Proof, Verdict, prove
from mimapp.credentials.recover import sweep, unfinished

__all__ = [
    "Desk",
    "Issued",
    "Proof",
    "Verdict",
    "is_ours",
    "issue",
    "issue_if",
    "new_label",
    "prove",
    "sweep",
    "unfinished",
]
