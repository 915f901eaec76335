"""The simulated Exchange Online administration: cmdlets over InvokeCommand, and the rules of who reaches which mailbox.

models.py holds what an organisation is, access.py who may open which mailbox, cmdlets/ what administrators do to it,
store.py how it is kept, wire.py and replies.py how it speaks. EWS itself is its own room (sandbox/ews).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mimapp.sandbox.exchange.weather import Calm, Weather

if TYPE_CHECKING:
    from mimapp.sandbox.app import App, AppContext

__all__ = ["add_routes"]


def add_routes(app: App, context: AppContext, weather: Weather | None = None) -> None:
    """Serve ``/adminapi``; without weather everything acts at once."""
    from mimapp.sandbox.exchange.wire import InvokeCommandResource, ModuleFileResource  # noqa: PLC0415 - paid for by use only

    used = weather or Calm()
    app.add_route("/adminapi/{version}/{tenant}/InvokeCommand", InvokeCommandResource(context, used))
    app.add_route("/adminapi/{version}/{tenant}/EXOModuleFile", ModuleFileResource(context, used))
