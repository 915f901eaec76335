"""From options to ways to sign in: which method for which service, with what, and what a person is told.

Imported by command bodies, not by their modules: help needs none of what it brings.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from mimapp.cli.prompt import ask_hidden
from mimapp.cli.result import Line
from mimapp.errors import UsageError
from mimapp.identity import Certificate, Memory, Method, SignInOptions, person_method
from mimapp.identity.remember import protected_storage
from mimapp.provisioning.steps import EVERY_PART, Part
from mimapp.secret import Secret

if TYPE_CHECKING:
    from pathlib import Path

    from mimapp.cli.command import Run
    from mimapp.clouds import Cloud
    from mimapp.identity import DeviceCode

__all__ = ["SignIn", "memory_of", "reachable_parts", "show_code", "sign_in_of", "tell_person"]

#: What the simulated tenants' public secrets begin with: no real host is ever sent one.
_SANDBOX_SECRET: Final = "sandbox-"  # noqa: S105 - a prefix
#: The embedded tenant answers these; the others ask programs and hosts of the real world.
_IN_SANDBOX: Final = frozenset(
    {Method.DEVICE_CODE, Method.CLIENT_SECRET, Method.CERTIFICATE, Method.ENVIRONMENT, Method.WORKLOAD_IDENTITY}
)
_WITH_VARIABLES: Final = frozenset({Method.CLIENT_SECRET, Method.ENVIRONMENT, Method.AUTO})


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """How the operator signs in.

    Attributes:
        graph: to Microsoft Graph.
        exchange: to Exchange Online.
        memory: where a person's sign-in is kept for the next command; None keeps it nowhere.
    """

    graph: SignInOptions
    exchange: SignInOptions
    memory: Memory | None


def sign_in_of(run: Run, used: Cloud) -> SignIn:
    """The ways to sign in that the options mean; a terminal is asked for a certificate's password where it is needed.

    Raises:
        UsageError: the options do not go together, or a file cannot be read.
    """
    options = run.options
    graph, exchange = _method(run, "graph_auth"), _method(run, "exchange_auth")
    asks_person = {method for method in (graph, exchange) if method.is_person or method is Method.AUTO}
    if asks_person == {graph, exchange} and Method.AUTO not in asks_person and _is_typed(run, "client_id"):
        raise UsageError(
            f"--client-id is for an application that signs in as itself, and {graph} asks a person",
            hint="a person's own client is given with --graph-client-id and --exchange-client-id",
        )
    secret = _secret(run, used) if {graph, exchange} & _WITH_VARIABLES else None
    certificate = _certificate(run) if Method.CERTIFICATE in {graph, exchange} else None

    def way(method: Method, client_id: str | None) -> SignInOptions:
        return SignInOptions(
            method=method,
            client_id=client_id or (None if method.is_person else options.client_id),
            secret=secret if method is Method.CLIENT_SECRET else None,
            certificate=certificate if method is Method.CERTIFICATE else None,
            user=options.user,
        )

    return SignIn(
        graph=way(graph, options.graph_client_id),
        exchange=way(exchange, options.exchange_client_id),
        memory=_memory(run, asks_person=bool(asks_person)),
    )


def memory_of(run: Run) -> Memory:
    """What is remembered of the operator's sign-in under this home."""
    return Memory(run.home, storage=run.world.protected_storage or protected_storage)


def reachable_parts(run: Run) -> frozenset[Part]:
    """The services that the chosen ways reach; Exchange is left out where its way counts as Graph-only."""
    return EVERY_PART - {Part.EXCHANGE} if _method(run, "exchange_auth").is_graph_only else EVERY_PART


def show_code(run: Run, code: DeviceCode) -> None:
    """Tell a person the code; the embedded tenant's administrator enters it unseen."""
    tell_person(run, f"Sign in to {code.what}: open {code.url} and enter {code.code}", heading=True)


def tell_person(run: Run, text: str, *, heading: bool = False) -> None:
    """Tell a person who is about to sign in something; in the embedded tenant nobody is asked, and nobody told."""
    if run.options.sandbox:
        return
    run.progress.pause()
    run.output.tell((Line(text, "heading" if heading else "plain"),))


def _method(run: Run, name: str) -> Method:
    """The method for one service: its own option, else ``--auth``, else the one that fits this machine."""
    options = run.options
    own = {"graph_auth": options.graph_auth, "exchange_auth": options.exchange_auth}[name]
    named = own or options.auth
    default = Method.DEVICE_CODE if options.sandbox else person_method(run.world.environ)
    if named is None:
        return default
    method = Method(named)
    if not options.sandbox or method in _IN_SANDBOX:
        return method
    if _is_typed(run, name if own else "auth"):
        raise UsageError(
            f"--sandbox asks nothing of the real world, and {method} would",
            hint="sign in by device-code, which the simulated administrator answers, or as an application",
        )
    return default  # what is set for the real tenants is not meant for the simulated one


def _memory(run: Run, *, asks_person: bool) -> Memory | None:
    if not run.options.remember:
        return None
    if asks_person and not run.options.sandbox:
        return memory_of(run)
    if _is_typed(run, "remember"):
        raise UsageError("--remember keeps a person's sign-in, and no person signs in here")
    return None


def _is_typed(run: Run, name: str) -> bool:
    """Whether an option stands on the command line; what is set otherwise is meant for other runs too."""
    return any(value.name == name and value.source.startswith("option ") for value in run.values)


def _secret(run: Run, used: Cloud) -> Secret | None:
    path = run.options.client_secret_file
    secret = run.options.client_secret if path is None else _read_secret("--client-secret-file", path)
    if secret is not None and secret.reveal().startswith(_SANDBOX_SECRET) and not _is_simulated(run, used):
        raise UsageError(
            "this client secret is a simulated tenant's: it is not sent to a real host",
            hint="set --login-url to the served sandbox, or use a real secret",
        )
    return secret


def _certificate(run: Run) -> Certificate | None:
    options = run.options
    if options.certificate is None:
        return None  # the sign-in says what is missing
    password = options.certificate_password
    if options.certificate_password_file is not None:
        password = _read_secret("--certificate-password-file", options.certificate_password_file)
    given = Certificate(path=options.certificate, password=password)
    if given.is_locked and run.world.can_ask:
        given = Certificate(path=given.path, password=ask_hidden(run, f"Password of {given.path}: "))
    return given


def _read_secret(option: str, path: Path) -> Secret:
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise UsageError(f"{option} {path} cannot be read: {reason}") from error
    if not text:
        raise UsageError(f"{option} {path} is empty")
    return Secret(text)


def _is_simulated(run: Run, used: Cloud) -> bool:
    host = urlsplit(used.login).hostname or ""
    if run.options.sandbox or host == "localhost" or host.endswith(".invalid"):
        return True  # .invalid is reserved: no network resolves it (RFC 2606)
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
