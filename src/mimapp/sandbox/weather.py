"""How badly the simulated services behave."""

from __future__ import annotations

__all__ = ["Conditions"]


class Conditions:
    """The weather of a running app: calm."""

    def secret_delay(self) -> float:
        """Seconds until a new secret is good for a token."""
        return 0.0
