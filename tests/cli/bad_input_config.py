"""Configuration files and variables that cannot be used: the line names the file and the key, or the variable."""

from __future__ import annotations

from cli.bad_input import REGISTER, STATUS, Case

_FILE = "{home}/config.toml"
_DURATION = "a number and ms, s, m, h or d without a blank, such as 10m or 180d"
_KNOWN = "known keys: auth, …"


def _file(text: str | bytes, line: str, hint: str = "", *, without: str = "") -> Case:
    """A file under ``MIMAPP_HOME``; `without` takes a variable away that would go before it."""
    variables = {without: ""} if without else {}
    return Case(argv=REGISTER, config=text, variables=variables, code=2, line=f"{_FILE}{line}", hint=hint)


def _variable(name: str, value: str, line: str, hint: str = "") -> Case:
    return Case(argv=REGISTER, variables={name: value}, code=2, line=line, hint=hint)


FILES = {
    "a key mistyped": _file('tenat = "x"', ": unknown key 'tenat'", "perhaps 'tenant'"),
    "a key with an underscore": _file("secret_to = []", ": unknown key 'secret_to'", "perhaps 'secret-to'"),
    "a key without a name": _file('"" = 1', ": unknown key ''", _KNOWN),
    "a secret": _file(
        'client-secret = "replaced-by-hand"', ": unknown key 'client-secret'", "perhaps 'client-secret-file'"
    ),
    "the sandbox": _file("sandbox = true", ": unknown key 'sandbox'", _KNOWN),
    "consent in advance": _file("yes = true", ": unknown key 'yes'", _KNOWN),
    "a recording": _file('record = "x"', ": unknown key 'record'", _KNOWN),
    "a number for a tenant": _file(
        "tenant = 3", ": tenant = 3 is a whole number; wanted text", without="MIMAPP_TENANT"
    ),
    "truth for a tenant": _file(
        "tenant = true", ": tenant = True is true or false; wanted text", without="MIMAPP_TENANT"
    ),
    "a list for a tenant": _file('tenant = ["x"]', ": tenant = ['x'] is a list; wanted text", without="MIMAPP_TENANT"),
    "a day for a tenant": _file(
        "tenant = 2026-11-21", ": tenant = … is a date or time; wanted text", without="MIMAPP_TENANT"
    ),
    "a table for a tenant": _file("[tenant]", ": tenant = {} is a table; wanted text", without="MIMAPP_TENANT"),
    "nothing for a tenant": _file('tenant = ""', ": tenant: is empty", without="MIMAPP_TENANT"),
    "seconds for a deadline": _file("deadline = 600", ': deadline = 600 is a whole number; wanted text such as "10m"'),
    "words for a deadline": _file('deadline = "10 minutes"', ": deadline: '10 minutes' is not a duration", _DURATION),
    "days for a lifetime": _file(
        "secret-lifetime = 180", ': secret-lifetime = 180 is a whole number; wanted text such as "10m"'
    ),
    "a number for silence": _file("quiet = 1", ": quiet = 1 is a whole number; wanted true or false"),
    "a word for silence": _file('quiet = "yes"', ": quiet = 'yes' is text; wanted true or false"),
    "truth for a count": _file("verbose = true", ": verbose = True is true or false; wanted a whole number"),
    "a text for a list": _file('secret-to = "stdout"', ": secret-to = 'stdout' is text; wanted a list of texts"),
    "numbers in a list": _file("secret-to = [1]", ": secret-to = [1] is a list; wanted a list of texts"),
    "a number for a file": _file("ca-bundle = 1", ": ca-bundle = 1 is a whole number; wanted text"),
    "a sign-in that is none": _file('auth = "password"', ": auth: 'password' is none of …", without="MIMAPP_AUTH"),
    "no value": _file("tenant =", " is not TOML: …"),
    "a key twice": _file('tenant = "a"\ntenant = "b"', " is not TOML: …"),
    "json": _file('{"tenant": "x"}', " is not TOML: …"),
    "bytes": _file(b'tenant = "\xff"', " is not TOML: …"),
    "zeros": _file(b"\0\0\0", " is not TOML: …"),
    "a named file that is not there": Case(
        argv=f"{STATUS} --config {{files}}/none.toml",
        code=2,
        line="{files}/none.toml cannot be read: No such file or directory",
    ),
    "a named file that is a folder": Case(
        argv=f"{STATUS} --config {{files}}/folder", code=2, line="{files}/folder cannot be read: Is a directory"
    ),
    "a named file that is notes": Case(
        argv=f"{STATUS} --config {{files}}/notes.txt", code=2, line="{files}/notes.txt is not TOML: …"
    ),
}

VARIABLES = {
    "a word for truth": _variable("MIMAPP_QUIET", "perhaps", "MIMAPP_QUIET: 'perhaps' is neither true nor false"),
    "less than nothing": _variable("MIMAPP_VERBOSE", "-1", "MIMAPP_VERBOSE: '-1' is not a whole number"),
    "a deadline in words": _variable("MIMAPP_DEADLINE", "soon", "MIMAPP_DEADLINE: 'soon' is not a duration", _DURATION),
    "a lifetime without a unit": _variable(
        "MIMAPP_SECRET_LIFETIME", "0", "MIMAPP_SECRET_LIFETIME: '0' is not a duration", _DURATION
    ),
    "a window in words": _variable(
        "MIMAPP_REPLICATION_WINDOW", "x", "MIMAPP_REPLICATION_WINDOW: 'x' is not a duration", _DURATION
    ),
    "a blank tenant": _variable("MIMAPP_TENANT", " ", "MIMAPP_TENANT: is empty"),
    "a blank secret": _variable("AZURE_CLIENT_SECRET", " ", "AZURE_CLIENT_SECRET: is empty"),
    "a blank bundle": _variable("MIMAPP_CA_BUNDLE", " ", "MIMAPP_CA_BUNDLE: is empty"),
    "one store of two that is none": _variable(
        "MIMAPP_SECRET_TO",
        "file:a.json,,vault:x",
        "secret store 'vault:x' is not known",
        "one of file:PATH, …",
    ),
    "a sign-in that is none": _variable("MIMAPP_AUTH", "x", "MIMAPP_AUTH: 'x' is none of …"),
    "a host without tls": _variable(
        "MIMAPP_LOGIN_URL",
        "http://x",
        "the login host 'http://x' is not https: tokens and secrets travel over TLS only",
        "give a host, host:port or https://host:port",
    ),
    "a group owner that is no address": _variable(
        "MIMAPP_GROUP_OWNER",
        "x",
        "group owner: 'x' is not an e-mail address",
        "give the mailbox's SMTP address, such as MIMService@contoso.onmicrosoft.com",
    ),
    "a form of output that is none": Case(
        argv=STATUS,
        variables={"MIMAPP_OUTPUT": "yaml"},
        code=2,
        line="MIMAPP_OUTPUT: 'yaml' is none of text, json, html",
        as_text=True,
    ),
}

CASES = {f"file: {name}": case for name, case in FILES.items()} | {
    f"variable: {name}": case for name, case in VARIABLES.items()
}
