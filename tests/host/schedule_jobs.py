"""Jobs that the tests of schedules write out: one of every day, and one with everything that needs quoting."""

from __future__ import annotations

from mimapp.host.schedule import Credential, Job, Times

PLAIN = Job(
    name="mimapp-rotate-mimservice",
    title="mimapp: rotate the client secret of MIMService@contoso.onmicrosoft.com when it is due",
    program=("/opt/mimapp/bin/mimapp",),
    words=(
        "rotate",
        "--if-due",
        "--yes",
        "--auth",
        "client-secret",
        "--client-secret-file",
        Credential(name="client-secret-file", path="/etc/mimapp/operator.secret"),
    ),
    environment={"MIMAPP_HOME": "/var/lib/mimapp"},
    times=Times(hour=3, minute=17),
    writes=("/var/lib/mimapp", "/srv/out put"),
)
#: Signs that some shell, manager or language changes; a double quote and a percent sign are left to those that can.
AWKWARD = ("it's", "a b", "$HOME", "`id`", "a\\b", "semi;colon", "&&", "*", "#", "", "üñ", "<&>", "(x)", "^")
