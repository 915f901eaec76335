"""The forms of the sandbox's documents are learned on import: by threads, a first read may end the process."""

from __future__ import annotations

import subprocess
import sys

import pytest

from mimapp.sandbox.exchange import models, settings, store
from mimapp.sandbox.state import Record

# A class that msgspec has learned carries what it learned.
SCRIPT = """
from mimapp.sandbox.ews import mailstore
from mimapp.sandbox.exchange import store
forms = [*store._FORMS, mailstore.Item]
print([form.__name__ for form in forms if "__msgspec_cache__" not in form.__dict__])
"""


def test_every_form_is_learned_on_import() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, timeout=120)

    assert done.stdout.strip() == "[]"


def test_no_other_form_is_read() -> None:
    record = Record(tenant="t", kind="x", id="1", body={}, created=0.0, modified=0.0)
    with pytest.raises(LookupError, match="MailboxPart"):
        store._entity(record, models.MailboxPart)
    assert settings.Behaviour in store._FORMS
