"""The one HTTP client: timeouts, proxy, certificates, safe retries, redaction, recording.

It does not know Graph from Exchange: a service client says with each `Request` whether sending it twice does harm,
and which replies mean "not done, ask again".
"""

from mimapp.transport.http import Http
from mimapp.transport.message import Reply, Request, Sender
from mimapp.transport.patience import DEFAULT_DEADLINE, Patience, Wait

__all__ = ["DEFAULT_DEADLINE", "Http", "Patience", "Reply", "Request", "Sender", "Wait"]
