"""Options of the commands around the tenant: the MIM server's sheets and scripts, and the sandbox."""

from __future__ import annotations

from cli.bad_input import OTHER, Case
from support.tenants import MAILBOX

SERVER = {
    "no option of the installer": Case(
        argv=f"host sheet --mailbox {MAILBOX}",
        code=2,
        line="which option of the installer?",
        hint="--option H, or --mail-server office-365 --auth-method application-context --account gmsa",
    ),
    "an option of the installer that is none": Case(
        argv=f"host sheet --mailbox {MAILBOX} --option Z", code=2, line="there is no installer option 'Z'", hint="…"
    ),
    "an option and an account": Case(
        argv=f"host sheet --mailbox {MAILBOX} --option H --account gmsa",
        code=2,
        line="--option says the authentication and the account already",
        hint="--option H, or --mail-server office-365 --auth-method application-context --account gmsa",
    ),
    "a mail server that is none": Case(
        argv=f"host sheet --mailbox {MAILBOX} --mail-server lotus",
        code=2,
        line="--mail-server: 'lotus' is none of exchange, office-365, office-365-21vianet, office-365-government, "
        "smtp, none",
    ),
    "a way to sign in that is gone": Case(
        argv=f"host sheet --mailbox {MAILBOX} --mail-server office-365 --account gmsa --auth-method basic",
        code=2,
        line="installer option G (Group-managed service account + Office 365 basic authentication) is retired: …",
        hint="take option H (Group-managed service account + Office 365 application context authentication)",
    ),
    "an account that is none": Case(
        argv=f"host sheet --mailbox {MAILBOX} --account root", code=2, line="--account: 'root' is none of regular, gmsa"
    ),
    "a form of the sheet that is none": Case(
        argv=f"host sheet --mailbox {MAILBOX} --option H --format pdf",
        code=2,
        line="--format: 'pdf' is none of text, markdown, html",
    ),
    "a form of the script that is none": Case(
        argv="host tls --format bat", code=2, line="--format: 'bat' is none of script, reg"
    ),
    "no account for the script": Case(
        argv="host secret-script",
        code=2,
        line="what does MIM Service run as?",
        hint="--account regular, or --account gmsa",
    ),
    "a script that nobody supports": Case(
        argv="host secret-script --account gmsa",
        code=2,
        line="writing the secret into the registry is not a documented procedure",
        hint="the documented way is Change mode: mimapp host sheet; otherwise add --accept-unsupported",
    ),
    "an application id that is none": Case(
        argv="host secret-script --account regular --accept-unsupported --application-id x",
        code=2,
        line="the application id 'x' is not a GUID",
    ),
    "a key id that is none": Case(
        argv="host secret-script --account regular --accept-unsupported --key-id x",
        code=2,
        line="the key id 'x' is not a GUID",
    ),
    "a registry and a file": Case(
        argv="host check --local {files}/notes.txt", code=2, line="--local and FILE do not go together"
    ),
}

SANDBOX = {
    "a port that is none": Case(
        argv="sandbox serve --port 99999", code=2, line="--port: 99999 is no port", hint="0 to 65535"
    ),
    "a port in words": Case(argv="sandbox serve --port abc", code=2, line="--port: 'abc' is not a whole number"),
    "served to the world": Case(
        argv="sandbox serve --host 0.0.0.0",
        code=2,
        line="the sandbox is served on loopback addresses only, not on 0.0.0.0",
    ),
    "a lag without a unit": Case(
        argv="sandbox serve --lag 5",
        code=2,
        line="lag '5' is not a duration: a number and ms, s, m, h or d, without a blank",
    ),
    "a share above one": Case(
        argv="sandbox serve --throttle 2", code=2, line="throttle '2' is not a share: a number from 0 to 1"
    ),
    "a share below nothing": Case(
        argv="sandbox serve --lose-replies=-1", code=2, line="lose-replies '-1' is not a share: a number from 0 to 1"
    ),
    "a fault that is none": Case(
        argv="sandbox serve --fault nonsense", code=2, line="'nonsense' is not a fault: METHOD PATH OUTCOME [xN], …"
    ),
    "a seed in words": Case(argv="sandbox serve --seed x", code=2, line="seed 'x' is not a whole number"),
    "weather and a lag": Case(
        argv="sandbox serve --weather x --lag 5s", code=2, line="--weather and --lag do not go together"
    ),
    "a state of EWS that is none": Case(
        argv="sandbox seed --ews x",
        code=2,
        line="--ews: 'x' is none of null, null-list, true-empty, true-list, false, false-list, mailbox-off",
    ),
    "a tenant that nobody begins with": Case(
        argv="sandbox seed --tenant fabrikam.com",
        code=2,
        line="fabrikam.com is no initial domain: a simulated tenant's ends in .onmicrosoft.com",
    ),
    "a secret on an application that is not there": Case(
        argv=f"sandbox seed --mailbox {OTHER} --foreign-secret",
        code=2,
        line="no application has the uniqueName mimapp-other",
    ),
}

CASES = SERVER | SANDBOX
