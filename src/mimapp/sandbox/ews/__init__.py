"""The simulated Exchange Web Services: the inbox of a mailbox, for an application that may open it.

wire.py asks the rules of sandbox.exchange.access and words their verdicts (errors.py); soap.py reads and writes
envelopes; folders.py and items.py are the operations, mailstore.py the mail.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mimapp.sandbox.exchange.weather import Calm, Weather

if TYPE_CHECKING:
    from mimapp.sandbox.app import App, AppContext

__all__ = ["add_routes"]


def add_routes(app: App, context: AppContext, weather: Weather | None = None) -> None:
    """Serve ``/EWS/Exchange.asmx``; without weather everything acts at once."""
    from mimapp.sandbox.ews.wire import ExchangeAsmxResource  # noqa: PLC0415 - paid for by use only

    app.add_route("/EWS/Exchange.asmx", ExchangeAsmxResource(context, weather or Calm()))
