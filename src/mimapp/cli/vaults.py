"""How stores in Azure Key Vault sign in: with the operator's own options, over a client of their own.

What goes to a vault is the secret itself, so nothing of it is recorded. The embedded sandbox has no vault.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from mimapp.cli.browser import open_page
from mimapp.cli.sign_in import show_code, sign_in_of, tell_person
from mimapp.clouds import DEFAULT_CLOUD, cloud
from mimapp.errors import UsageError
from mimapp.identity import OperatorSignIn
from mimapp.identity.late import LateVaultCredential
from mimapp.provisioning.events import Waiting
from mimapp.stores import VaultSignIn
from mimapp.transport import Http, Patience
from mimapp.transport.network import Network, network_transport

if TYPE_CHECKING:
    from collections.abc import Callable

    from mimapp.cli.command import Run
    from mimapp.clouds import Cloud

__all__ = ["vault_sign_in"]

#: The clouds by their vaults' names; GCC High and DoD share both these and the login host.
#: https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates (DNS suffixes)
_CLOUDS: Final = {".vault.azure.cn": "china", ".vault.usgovcloudapi.net": "gcc-high"}


def vault_sign_in(run: Run, tenant_id: str) -> Callable[[str], VaultSignIn]:
    """What `mimapp.stores.Surroundings.vault` takes.

    Args:
        run: its options say how the operator signs in.
        tenant_id: the tenant that the operator is in.
    """

    def sign_in(vault: str) -> VaultSignIn:
        if run.options.sandbox:
            raise UsageError(f"--sandbox asks no real host, and {vault} is one", hint="use --secret-to file:PATH")
        used = _cloud(run, vault)
        patience = Patience(run.world.clock, limit=run.options.deadline)
        patience.on_wait = lambda wait: run.progress(Waiting(wait=wait))
        hosts = frozenset(urlsplit(url).netloc for url in (used.login, vault))
        network = network_transport(Network(ca_bundle=run.options.ca_bundle, hosts=hosts))
        http = Http(patience, transport=run.world.transport or network)

        def make() -> OperatorSignIn:
            ways = sign_in_of(run, used)
            return OperatorSignIn(
                http,
                used,
                tenant=tenant_id,
                graph=ways.graph,
                exchange=ways.exchange,
                show_code=lambda code: show_code(run, code),
                ask_people=run.world.can_ask,
                open_browser=lambda url: open_page(run, None, url),
                environ=run.world.environ,
                memory=ways.memory,
                tell=lambda text: tell_person(run, text),
            )

        return VaultSignIn(credential=LateVaultCredential(make, tenant_id), http=http)

    return sign_in


def _cloud(run: Run, vault: str) -> Cloud:
    host = urlsplit(vault).hostname or ""
    by_name = next((key for suffix, key in _CLOUDS.items() if host.endswith(suffix)), DEFAULT_CLOUD)
    return cloud(run.options.cloud or by_name).with_hosts(login=run.options.login_url)
