from __future__ import annotations

import subprocess
import sys

HEAVY = ("msal", "msal_extensions", "azure", "requests", "cryptography", "truststore")


def test_the_package_and_a_sign_in_that_nobody_uses_load_no_sign_in_library() -> None:
    program = f"""
import sys
import mimapp.clouds, mimapp.identity, mimapp.transport.network
from mimapp.clock import SystemClock
from mimapp.transport import Http, Patience
from mimapp.transport.network import Network, network_transport
http = Http(Patience(SystemClock()), transport=network_transport(Network()))
options = mimapp.identity.SignInOptions()
operator = mimapp.identity.OperatorSignIn(
    http, mimapp.clouds.cloud("global"), tenant="contoso.com", graph=options, exchange=options, show_code=print
)
operator.graph(["User.Read"]), operator.exchange()
print([name for name in {HEAVY!r} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
