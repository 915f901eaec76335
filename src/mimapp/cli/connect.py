"""From options to a tenant that is signed in to, real or embedded, and to the stores of its secrets.

Imported by command bodies, not by their modules: help needs none of what it brings.
"""

from __future__ import annotations

import contextlib
import importlib.util
from typing import TYPE_CHECKING

import httpx

from mimapp.cli.browser import open_page
from mimapp.cli.home import make_home
from mimapp.cli.sign_in import show_code, sign_in_of, tell_person
from mimapp.cli.vaults import vault_sign_in
from mimapp.clouds import DEFAULT_CLOUD, cloud
from mimapp.errors import UsageError
from mimapp.provisioning.steps import EVERY_PART, Part
from mimapp.spec import REPLICATION_WINDOW
from mimapp.stores import Surroundings, default_store, parse_store
from mimapp.tenant import REGISTER_PERMISSIONS, Tenant
from mimapp.transport.network import Network, network_transport

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import timedelta

    from mimapp.cli.command import Run
    from mimapp.clouds import Cloud
    from mimapp.sandbox import Sandbox
    from mimapp.secret import SecretStore

__all__ = ["connect", "stores_of"]

_HOST_OPTIONS = ("login_url", "graph_url", "exchange_url", "graph_scope", "exchange_scope")


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
        used, is_chosen = _cloud(run)
        network = network_transport(Network(ca_bundle=run.options.ca_bundle))
        transport = run.world.transport or network
        if run.options.sandbox:
            sandbox = _open_sandbox(run)
            stack.callback(sandbox.close)
            used = used.with_hosts(login=sandbox.origin, graph=sandbox.origin, exchange=sandbox.origin)
            transport = _OnlyTheSandbox(sandbox)
        sign_in = sign_in_of(run, used)

        def found_in(cloud: Cloud) -> None:
            network.hosts = cloud.hosts
            run.recording.found_in(cloud)

        yield stack.enter_context(
            Tenant.connect(
                tenant,
                graph=sign_in.graph,
                exchange=sign_in.exchange,
                cloud=used if is_chosen else None,
                on_cloud=found_in,
                home=home,
                transport=run.recording.over(transport, used),
                clock=run.world.clock,
                deadline=run.options.deadline,
                window=window,
                parts=parts,
                permissions=permissions,
                open_browser=lambda url: open_page(run, transport, url),
                show_code=lambda code: show_code(run, code),
                tell=lambda text: tell_person(run, text),
                ask_people=run.world.can_ask,
                environ=run.world.environ,
                memory=sign_in.memory,
                sandbox=run.options.sandbox,
            )
        )


def stores_of(run: Run, given: Sequence[str], tenant_id: str, key: str) -> tuple[SecretStore, ...]:
    """The stores that ``--secret-to`` names, or this machine's default.

    Raises:
        UsageError: no such store, or a secret on stdout would spoil the JSON document there.
    """
    if not given:
        return (default_store(run.home, tenant_id, key),)
    if run.output.as_json and any(text.startswith("stdout") for text in given):
        raise UsageError(
            "--secret-to stdout and --output json both want stdout", hint="use --secret-to file:PATH with JSON"
        )
    around = Surroundings(
        show=lambda line: _print(run, line),
        is_terminal=run.world.stdout.isatty(),
        environ=run.world.environ,
        clock=run.world.clock,
        vault=vault_sign_in(run, tenant_id),
    )
    return tuple(parse_store(text, around) for text in given)


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


def _cloud(run: Run) -> tuple[Cloud, bool]:
    """The cloud that is named, and whether it is: a named host says it too, and then nothing looks for the tenant."""
    options = run.options
    found = cloud(options.cloud or DEFAULT_CLOUD).with_hosts(
        login=options.login_url,
        graph=options.graph_url,
        exchange=options.exchange_url,
        graph_scope=options.graph_scope,
        exchange_scope=options.exchange_scope,
    )
    names_host = any(getattr(options, name) is not None for name in _HOST_OPTIONS)
    return found, options.sandbox or options.cloud is not None or names_host


def _print(run: Run, line: str) -> None:
    run.world.stdout.write(f"{line}\n")
    run.world.stdout.flush()
