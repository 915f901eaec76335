"""What every Set- cmdlet answers when it changes nothing."""

from __future__ import annotations

from mimapp.sandbox.exchange.call import Outcome

__all__ = ["unchanged_warning"]


def unchanged_warning(name: str) -> Outcome:
    """Success with a warning; the wording is the PowerShell module's, over REST it is not recorded."""
    return Outcome(warnings=(f"The command completed successfully but no settings of '{name}' have been modified.",))
