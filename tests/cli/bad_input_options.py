"""Options that cannot be used: what is wrong is said before anything is sent."""

from __future__ import annotations

from cli.bad_input import NOBODY, REGISTER, STATUS, Case
from support.tenants import MAILBOX

_ADDRESS = "give the mailbox's SMTP address, such as MIMService@contoso.onmicrosoft.com"
_DURATION = "a number and ms, s, m, h or d without a blank, such as 10m or 180d"
_KEY = "lower-case letters, digits and inner hyphens, 40 characters at most"
_DAYS = "from 1 to 730 days, such as 180d"
_TENANT = "such as contoso.onmicrosoft.com, or the tenant id that Entra shows"
_HOST = "give a host, host:port or https://host:port"
_STORES = "one of file:PATH, …"
_CLOUDS = "known clouds: global, gcc, gcc-high, dod, china, bleu, delos"
_CLIENT_ID = "it is a GUID: the application id, not the object id, of the Entra admin centre"
_OWNER = "such as --owner ada@contoso.com, or the object id that Entra shows"
_RECORD = "name a file that does not exist yet, or an earlier recording, which is then replaced"
_LONG = "x" * 300


def _with(*words: str) -> tuple[str, ...]:
    return (*REGISTER.split(), *words)


def _refused(option: str, value: str, line: str, hint: str = "") -> Case:
    """One value of one option of register."""
    return Case(argv=_with(option, value), code=2, line=line, hint=hint)


def _no_address(text: str, shown: str = "") -> Case:
    line = f"mailbox: {shown or repr(text)} is not an e-mail address"
    return Case(argv=("register", "--yes", "--mailbox", text), code=2, line=line, hint=_ADDRESS)


def _no_tenant(text: str) -> Case:
    return _refused("--tenant", text, f"tenant: {text[:60]!r} is neither a domain nor an id", _TENANT)


def _no_duration(option: str, text: str) -> Case:
    return _refused(option, text, f"{option}: {text!r} is not a duration", _DURATION)


MAILBOXES = {
    "no address": _no_address("MIMService"),
    "no top domain": _no_address("MIMService@contoso"),
    "no local part": _no_address("@contoso.com"),
    "two at signs": _no_address("a@b@contoso.com"),
    "a blank": _no_address("a b@contoso.com"),
    "two dots": _no_address("x@contoso..com"),
    "a dot first": _no_address(".x@contoso.com"),
    "a dot last": _no_address("x.@contoso.com"),
    "a hyphen first": _no_address("x@-contoso.com"),
    "a letter of another alphabet": _no_address("mïm@contoso.com"),
    "angle brackets": _no_address("<x@contoso.com>"),
    "a link": _no_address("mailto:x@contoso.com"),
    "two addresses": _no_address("x@contoso.com,y@contoso.com"),
    "a local part of 65": _no_address("x" * 65 + "@contoso.com"),
    "300 characters": _no_address(_LONG + "@contoso.com", f"'{'x' * 40}… (312 characters)'"),
    "no mailbox": Case(
        argv="register --yes",
        code=2,
        line="which mailbox?",
        hint="--mailbox ADDRESS, such as --mailbox MIMService@contoso.onmicrosoft.com",
    ),
    "neither mailbox nor tenant": Case(
        argv="status",
        variables={"MIMAPP_TENANT": ""},
        code=2,
        line="which tenant?",
        hint="--tenant NAME or --mailbox ADDRESS",
    ),
    "a page of a command that draws none": Case(
        argv="clouds --output html",
        code=2,
        line="--output html: this command draws no page",
        hint="--output text or json",
        as_text=True,
    ),
    "a place for a page, and no page": Case(
        argv=f"status --mailbox {MAILBOX} --out page.html", code=2, line="--out is for a page", hint="add --output html"
    ),
    "no mailbox to check": Case(
        argv="check",
        code=2,
        line="which mailbox?",
        hint="--mailbox ADDRESS, such as --mailbox MIMService@contoso.onmicrosoft.com",
    ),
}

NAMES = {
    "a name of 300": _refused("--name", _LONG, "name: 300 characters are too many", "1 to 120 printable characters"),
    "a name of two lines": _refused(
        "--name", "a\nb", "name: it holds characters that do not print", "1 to 120 printable characters"
    ),
    "a name with an escape": _refused(
        "--name", "a\x1b[31mb", "name: it holds characters that do not print", "1 to 120 printable characters"
    ),
    "a name of blanks": _refused("--name", "  ", "--name: is empty"),
    "a key of two words": _refused("--registration", "A b", "registration: 'A b' cannot be a key", _KEY),
    "a key with a capital": _refused("--registration", "Prod", "registration: 'Prod' cannot be a key", _KEY),
    "a key with an underscore": _refused("--registration", "a_b", "registration: 'a_b' cannot be a key", _KEY),
    "a key of 41": _refused("--registration", "k" * 41, f"registration: '{'k' * 41}' cannot be a key", _KEY),
    "a key that begins with a hyphen": Case(
        argv=_with("--registration=-a"), code=2, line="registration: '-a' cannot be a key", hint=_KEY
    ),
    "a tag of 300": _refused("--tag", _LONG, "tag: 300 characters are too many", "1 to 256 printable characters"),
    "a tag of mimapp's": _refused(
        "--tag",
        "mimapp:other",
        "tag: 'mimapp:other' looks like one of the marks by which mimapp knows its own",
        "give a tag that does not begin with mimapp",
    ),
    "notes of 2000": _refused(
        "--notes", "n" * 2000, "notes: 2000 characters are too many", "1 to 1024 printable characters"
    ),
    "a service reference of 300": _refused(
        "--service-management-reference",
        _LONG,
        "service management reference: 300 characters are too many",
        "1 to 256 printable characters",
    ),
    "a change reference that rings": _refused(
        "--change-ref", "a\ab", "change ref: it holds characters that do not print", "1 to 256 printable characters"
    ),
}

WHERE = {
    "a tenant without a dot": _no_tenant("contoso"),
    "a tenant as a link": _no_tenant("https://contoso.onmicrosoft.com"),
    "a tenant with a slash": _no_tenant("contoso.onmicrosoft.com/"),
    "a tenant with a query": _no_tenant("contoso.onmicrosoft.com?x=1"),
    "the tenant of everybody": _no_tenant("common"),
    "the tenant of organisations": _no_tenant("organizations"),
    "a tenant that climbs": _no_tenant("../x"),
    "a tenant of two words": _no_tenant("a b"),
    "a tenant of 300": _no_tenant(_LONG),
    "a tenant as an address": _no_tenant("user@contoso.onmicrosoft.com"),
    "a cloud that is none": _refused("--cloud", "mars", "no cloud is called 'mars'", _CLOUDS),
    "a cloud with a capital": _refused("--cloud", "Global", "no cloud is called 'Global'", _CLOUDS),
    "a cloud for a script": Case(
        argv="host collect --cloud mars", code=2, line="no cloud is called 'mars'", hint=_CLOUDS
    ),
    "a host without tls": _refused(
        "--login-url",
        "http://x",
        "the login host 'http://x' is not https: tokens and secrets travel over TLS only",
        _HOST,
    ),
    "a host of another protocol": _refused(
        "--graph-url",
        "ftp://x",
        "the graph host 'ftp://x' is not https: tokens and secrets travel over TLS only",
        _HOST,
    ),
    "a host with a path": _refused(
        "--exchange-url", "https://x/y", "the exchange host 'https://x/y' is not a host", _HOST
    ),
    "a host with a port that is none": _refused(
        "--login-url", "https://x:99999", "the login host 'https://x:99999' has no usable port", _HOST
    ),
    "a host with somebody's name": _refused(
        "--login-url", "https://me@x", "the login host 'https://me@x' is not a host", _HOST
    ),
    "no host": _refused("--login-url", "https://", "the login host 'https://' is not a host", _HOST),
    "an empty scope": _refused("--graph-scope", "", "--graph-scope: is empty"),
    "the sandbox with a host": Case(
        argv=f"{REGISTER} --sandbox",
        code=2,
        line="--sandbox is a tenant of its own and does not go with --login-url",
    ),
}

TIMES = {
    "a lifetime of nothing": _refused("--secret-lifetime", "0d", "secret lifetime: 0 days is out of range", _DAYS),
    "a lifetime of an hour": _refused(
        "--secret-lifetime", "1h", "secret lifetime: 0.0416667 days is out of range", _DAYS
    ),
    "a lifetime of 731 days": _refused("--secret-lifetime", "731d", "secret lifetime: 731 days is out of range", _DAYS),
    "a lifetime without a unit": _no_duration("--secret-lifetime", "0"),
    "a lifetime with a blank": _no_duration("--secret-lifetime", "180 d"),
    "a lifetime below nothing": _no_duration("--secret-lifetime", "-1d"),
    "a lifetime in capitals": _no_duration("--secret-lifetime", "180D"),
    "a lifetime in other digits": _no_duration("--secret-lifetime", "²d"),
    "a lifetime beyond time": _refused(
        "--secret-lifetime", "99999999999999d", "--secret-lifetime: '99999999999999d' is longer than any date can hold"
    ),
    "a deadline in words": _no_duration("--deadline", "soon"),
    "a window in words": _no_duration("--replication-window", "a while"),
    "a moment in words": Case(
        argv="host secret-script --account regular --accept-unsupported --old-secret-expires soon",
        code=2,
        line="--old-secret-expires: 'soon' is not a date or time",
        hint="such as 2027-05-20 or 2027-05-20T10:00:00Z",
    ),
}

CHOICES = {
    "a sign-in that is none": Case(argv=_with("--auth", "password"), code=2, line="--auth: 'password' is none of …"),
    "a part that is none": _refused("--only", "all", "--only: 'all' is none of entra, exchange, consent"),
    "an output that is none": Case(
        argv=f"{STATUS} --output xml", code=2, line="--output: 'xml' is none of text, json, html", as_text=True
    ),
    "a client id that is none": _refused("--app-id", "x", "app id: 'x' is not an application's client id", _CLIENT_ID),
    "app id and new": Case(
        argv=_with("--app-id", NOBODY, "--new"),
        code=2,
        line="app id and new contradict each other",
        hint="give one of --app-id and --new",
    ),
    "restore and purge": Case(
        argv=_with("--restore", "--purge-deleted"),
        code=2,
        line="restore and purge contradict each other",
        hint="give one of --restore and --purge-deleted",
    ),
    "a word for the fence without consent": _refused(
        "--fence-confirmed-by",
        "Ada",
        "fence confirmed by: only a run that does nothing but consent takes somebody's word for the fence",
        "use it with --only consent",
    ),
    "a group owner without a domain": _refused(
        "--group-owner", "nobody", "group owner: 'nobody' is not an e-mail address", _ADDRESS
    ),
    "the mailbox as group owner": _refused(
        "--group-owner",
        MAILBOX,
        "group owner: the MIM mailbox itself may not own the group that fences it in",
        "name an administrator's mailbox with --group-owner ADDRESS",
    ),
    "an owner that climbs": _refused(
        "--owner", "../x", "owner: '../x' is neither a user name nor an object id", _OWNER
    ),
    "an owner by first name": _refused(
        "--owner", "ada", "owner: 'ada' is neither a user name nor an object id", _OWNER
    ),
    "a store that is none": _refused("--secret-to", "vault:x", "secret store 'vault:x' is not known", _STORES),
    "a store in capitals": _refused("--secret-to", "FILE:/x", "secret store 'FILE:/x' is not known", _STORES),
    "a file store without a file": _refused("--secret-to", "file:", "secret store 'file:' is not known", _STORES),
    "a store of somebody unknown": _refused(
        "--secret-to",
        "file:~nobodyatall/x",
        "secret store 'file:~nobodyatall/x': Could not determine home directory.",
        _STORES,
    ),
    "secret and document on stdout": _refused(
        "--secret-to",
        "stdout",
        "--secret-to stdout and --output json both want stdout",
        "use --secret-to file:PATH with JSON",
    ),
    "a store to check": Case(
        argv=f"check --mailbox {MAILBOX} --secret-to vault:x",
        code=2,
        line="secret store 'vault:x' is not known",
        hint=_STORES,
    ),
    "no client id": Case(
        argv=REGISTER,
        variables={"AZURE_CLIENT_ID": ""},
        code=2,
        line="sign-in to Microsoft Graph as an application needs its client id",
        hint="give --client-id, or set AZURE_CLIENT_ID",
    ),
    "no client secret": Case(
        argv=REGISTER,
        variables={"AZURE_CLIENT_SECRET": ""},
        code=2,
        line="sign-in to Microsoft Graph with client-secret needs the secret",
        hint="give --client-secret-file FILE, or set AZURE_CLIENT_SECRET",
    ),
    "a secret's id in place of the secret": Case(
        argv=REGISTER,
        variables={"AZURE_CLIENT_SECRET": NOBODY},
        code=2,
        line="the client secret has the form of a GUID: this is the secret's id, not its value",
        hint="copy the value that was shown once when the secret was made, or issue a new one: mimapp rotate",
    ),
    "a simulated secret for a real host": Case(
        argv=REGISTER,
        variables={"MIMAPP_LOGIN_URL": "", "MIMAPP_GRAPH_URL": "", "MIMAPP_EXCHANGE_URL": ""},
        code=2,
        line="this client secret is a simulated tenant's: it is not sent to a real host",
        hint="set --login-url to the served sandbox, or use a real secret",
    ),
}

LINES = {
    "an option that is none": Case(
        argv=f"{REGISTER} --nonsense",
        code=2,
        line="No such option: --nonsense…",
        hint="mimapp register --help lists what there is",
    ),
    "an option mistyped": Case(
        argv=f"{REGISTER} --mailbx x",
        code=2,
        line="No such option: --mailbx (Possible options: --mailbox)",
        hint="mimapp register --help lists what there is",
    ),
    "a short option that is none": Case(
        argv=f"{REGISTER} -x", code=2, line="No such option: -x", hint="mimapp register --help lists what there is"
    ),
    "one word too many": Case(
        argv=f"{REGISTER} extra",
        code=2,
        line="unexpected argument: extra",
        hint="mimapp register --help lists what there is",
    ),
    "an option before the command": Case(
        argv="--tenant x register",
        code=2,
        line="No such option: --tenant",
        hint="options stand after the command, such as: mimapp clouds --output json",
    ),
    "a command that is none": Case(
        argv="xyzzy", code=2, line="No such command 'xyzzy'.", hint="mimapp --help lists what there is"
    ),
    "a command mistyped": Case(
        argv="host chek",
        code=2,
        line="No such command 'chek'. Did you mean 'check'?",
        hint="mimapp host --help lists what there is",
    ),
    "nobody to ask": Case(
        argv=f"register --mailbox {MAILBOX}",
        code=2,
        line="this command changes a tenant and nobody can be asked: stdin is no terminal",
        hint="add --yes to make the changes, or --dry-run to see them",
    ),
    "nobody to ask about taking away": Case(
        argv=f"unregister --mailbox {MAILBOX}",
        code=2,
        line="this command changes a tenant and nobody can be asked: stdin is no terminal",
        hint="add --yes to make the changes, or --dry-run to see them",
    ),
    "stand-ins for nothing": Case(
        argv=f"{STATUS} --anonymize",
        code=2,
        line="--anonymize says how a recording is written, and there is none",
        hint="add --record FILE",
    ),
    "a recording in place of notes": Case(
        argv=f"{STATUS} --record {{files}}/notes.txt",
        code=2,
        line="{files}/notes.txt exists and is no recording: it is left as it is",
        hint=_RECORD,
    ),
    "a recording in place of a folder": Case(
        argv=f"{STATUS} --record {{files}}/folder",
        code=2,
        line="{files}/folder exists and is no recording: it is left as it is",
        hint=_RECORD,
    ),
    "a recording below a file": Case(
        argv=f"{STATUS} --record {{files}}/notes.txt/run.json",
        code=2,
        line="the recording {files}/notes.txt/run.json cannot be written: Not a directory",
    ),
    "how many in words": Case(argv="log --last x", code=2, line="--last: 'x' is not a whole number"),
    "how many below nothing": Case(argv="log --last=-1", code=2, line="--last: '-1' is not a whole number"),
}

CASES = MAILBOXES | NAMES | WHERE | TIMES | CHOICES | LINES
