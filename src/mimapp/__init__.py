"""mimapp gives a Microsoft Identity Manager Service its Exchange Online mailbox, and keeps it working."""

__version__ = "0.1.0"
