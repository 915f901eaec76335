"""From options to a tenant that is signed in to, real or embedded, and to the stores of its secrets.

Imported by command bodies, not by their modules: help needs none of what it brings.
"""

from __future__ import annotations

import contextlib
import importlib.util
import ipaddress
from typing import TYPE_CHECKING

import httpx

from mimapp.cli.home import make_home
from mimapp.cli.meant import secret_folder
from mimapp.cli.result import Line
from mimapp.clouds import DEFAULT_CLOUD, cloud
from mimapp.errors import UsageError
from mimapp.identity import Method, SignInOptions
from mimapp.provisioning.steps import EVERY_PART, Part
from mimapp.secret import Secret
from mimapp.spec import REPLICATION_WINDOW
from mimapp.stores import FileStore, parse_store
from mimapp.tenant import REGISTER_PERMISSIONS, Tenant
from mimapp.transport.network import Network, network_transport

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import timedelta

    from mimapp.cli.command import Run
    from mimapp.clouds import Cloud
    from mimapp.identity import DeviceCode
    from mimapp.sandbox import Sandbox
    from mimapp.secret import SecretStore

__all__ = ["connect", "stores_of"]

_HOST_OPTIONS = ("login_url", "graph_url", "exchange_url", "graph_scope", "exchange_scope")
#: What the simulated tenants' public secrets begin with: no real host is ever sent one.
_SANDBOX_SECRET = "sandbox-"  # noqa: S105 - a prefix


@contextlib.contextmanager
def connect(
    run: Run,
    tenant: str,
    *,
    window: timedelta = REPLICATION_WINDOW,
    parts: frozenset[Part] = EVERY_PART,
    permissions: tuple[str, ...] = REGISTER_PERMISSIONS,
) -> Iterator[Tenant]:
    """Sign in to a tenant, and hold it open.

    Args:
        run: its options say how to sign in, and where.
        tenant: the tenant's GUID or one of its domains.
        window: how long a new secret may be invisible or refused.
        parts: which services the command needs.
        permissions: the delegated permissions that it needs of a person's Graph sign-in.

    Raises:
        UsageError: the options do not go together.
        SignInError: the sign-in failed.
    """
    home = make_home(run.home)
    with contextlib.ExitStack() as stack:
        used = _cloud(run)
        transport = run.world.transport or network_transport(Network(ca_bundle=run.options.ca_bundle, hosts=used.hosts))
        if run.options.sandbox:
            sandbox = _open_sandbox(run)
            stack.callback(sandbox.close)
            used = used.with_hosts(login=sandbox.origin, graph=sandbox.origin, exchange=sandbox.origin)
            transport = _OnlyTheSandbox(sandbox)
        sign_in = _sign_in(run, used)
        yield stack.enter_context(
            Tenant.connect(
                tenant,
                graph=sign_in,
                exchange=sign_in,
                cloud=used,
                home=home,
                transport=run.recording.over(transport, used),
                clock=run.world.clock,
                deadline=run.options.deadline,
                window=window,
                parts=parts,
                permissions=permissions,
                show_code=lambda code: _show_code(run, code),
                sandbox=run.options.sandbox,
            )
        )


def stores_of(run: Run, given: Sequence[str], tenant_id: str, key: str) -> tuple[SecretStore, ...]:
    """The stores that ``--secret-to`` names, or the default: an owner-only file under ``MIMAPP_HOME``.

    Raises:
        UsageError: no such store, or a secret on stdout would spoil the JSON document there.
    """
    if not given:
        return (FileStore(secret_folder(run) / tenant_id / f"{key}.json"),)
    if "stdout" in given and run.output.as_json:
        raise UsageError(
            "--secret-to stdout and --output json both want stdout", hint="use --secret-to file:PATH with JSON"
        )
    return tuple(
        parse_store(text, show=lambda line: _print(run, line), is_terminal=run.world.stdout.isatty()) for text in given
    )


class _OnlyTheSandbox(httpx.BaseTransport):
    """Answers for the embedded tenant, and lets nothing out."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._host = httpx.URL(sandbox.origin).host
        self._inner = sandbox.transport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.host != self._host:
            raise UsageError(f"--sandbox asks no real host, and something asked for {request.url.host}")
        return self._inner.handle_request(request)


def _open_sandbox(run: Run) -> Sandbox:
    given = [name for name in _HOST_OPTIONS if getattr(run.options, name) is not None]
    if given:
        option = f"--{given[0].replace('_', '-')}"
        raise UsageError(f"--sandbox is a tenant of its own and does not go with {option}")
    if importlib.util.find_spec("falcon") is None:
        raise UsageError("--sandbox needs parts that are not installed", hint="pip install 'mimapp[sandbox]'")
    from mimapp.sandbox import SandboxError, open_sandbox  # noqa: PLC0415 - only --sandbox needs it

    try:
        return open_sandbox(run.home, clock=run.world.clock)
    except SandboxError as error:
        raise UsageError(str(error), hint="move the file away to begin with a fresh simulated tenant") from error


def _cloud(run: Run) -> Cloud:
    options = run.options
    return cloud(options.cloud or DEFAULT_CLOUD).with_hosts(
        login=options.login_url,
        graph=options.graph_url,
        exchange=options.exchange_url,
        graph_scope=options.graph_scope,
        exchange_scope=options.exchange_scope,
    )


def _sign_in(run: Run, used: Cloud) -> SignInOptions:
    options = run.options
    method = Method(options.auth or Method.DEVICE_CODE)
    if method is not Method.CLIENT_SECRET:
        # The embedded tenant's administrator signs in by a code that the tenant itself approves.
        return SignInOptions(method=method, client_id=None if options.sandbox else options.client_id)
    secret = options.client_secret
    if options.client_secret_file is not None:
        secret = _read_secret(run)
    if secret is not None and secret.reveal().startswith(_SANDBOX_SECRET) and not _is_simulated(run, used):
        raise UsageError(
            "this client secret is a simulated tenant's: it is not sent to a real host",
            hint="set --login-url to the served sandbox, or use a real secret",
        )
    return SignInOptions(method=method, client_id=options.client_id, secret=secret)


def _read_secret(run: Run) -> Secret:
    path = run.options.client_secret_file
    if path is None:
        raise AssertionError("asked for only where a file is named")
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise UsageError(f"--client-secret-file {path} cannot be read: {reason}") from error
    if not text:
        raise UsageError(f"--client-secret-file {path} is empty")
    return Secret(text)


def _is_simulated(run: Run, used: Cloud) -> bool:
    host = httpx.URL(used.login).host
    if run.options.sandbox or host == "localhost" or host.endswith(".invalid"):
        return True  # .invalid is reserved: no network resolves it (RFC 2606)
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _show_code(run: Run, code: DeviceCode) -> None:
    if run.options.sandbox:
        return
    run.progress.close()
    run.output.tell((Line(f"Sign in to {code.what}: open {code.url} and enter {code.code}", "heading"),))


def _print(run: Run, line: str) -> None:
    run.world.stdout.write(f"{line}\n")
    run.world.stdout.flush()
