"""``mimapp secret``: list every way into the application, show the stored client secret."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mimapp.cli.command import Run, command
from mimapp.cli.kinds import TEXT
from mimapp.cli.meant import find_registration, tenant_of
from mimapp.cli.options import NoOptions, option
from mimapp.cli.result import Raw, Result
from mimapp.clock import iso
from mimapp.errors import StoreError, UsageError
from mimapp.spec import Registration

if TYPE_CHECKING:
    from mimapp.secret import StoredSecret
    from mimapp.stores import ReadableStore, VaultSignIn

__all__ = ["ShowOptions", "list_", "show"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowOptions:
    """Which store."""

    secret_from: str | None = option(
        TEXT,
        "--secret-from",
        default=None,
        metavar="STORE",
        help="the store to read, such as file:PATH or keyring:NAME; default: this machine's own",
    )


@command(NoOptions)
def list_(run: Run, _options: NoOptions) -> Result:
    """List every secret, certificate and federated credential of the application, and whose each is."""
    from mimapp.cli.connect import connect, stores_of  # noqa: PLC0415 - help need not import it
    from mimapp.cli.credentials import credential_documents, credential_table  # noqa: PLC0415 - help need not import it

    with connect(run, tenant_of(run)) as tenant:
        wanted = find_registration(run, tenant)
        found = tenant.status(wanted.stored_in(stores_of(run, (), tenant.tenant_id, wanted.key)))
    return Result(
        schema="mimapp.secrets/1",
        document={
            "tenantId": found.tenant_id,
            "applicationId": found.application_id,
            "credentials": credential_documents(found.credentials),
        },
        text=credential_table(found.credentials),
    )


@command(ShowOptions)
def show(run: Run, options: ShowOptions) -> Result:
    """Print the stored client secret, and nothing else; nobody signs in.

    This is one of the two ways in which mimapp prints a secret. A Key Vault alone asks for a sign-in.
    """
    stored = _stored(run, options)
    if stored.sandbox and not run.options.sandbox:
        raise UsageError("this secret is a simulated tenant's", hint="add --sandbox to see it")
    value = stored.secret.reveal()
    return Result(
        schema="mimapp.secret/1",
        document={
            "applicationId": stored.application_id,
            "tenantId": stored.tenant_id,
            "clientSecret": value,
            "keyId": stored.key_id,
            "expires": iso(stored.expires),
        },
        text=Raw(f"{value}\n"),
    )


def _stored(run: Run, options: ShowOptions) -> StoredSecret:
    """What the named store holds, or the one of this machine's own stores that the options can mean."""
    stores = [_named(run, options.secret_from)] if options.secret_from is not None else _own(run)
    found = [stored for stored in (store.current() for store in stores) if stored is not None]
    meant = [stored for stored in found if stored.sandbox == run.options.sandbox] or found
    if not meant:
        where = options.secret_from or "the stores of this machine"
        raise StoreError(
            f"no secret is stored in {where}",
            hint="name its store with --secret-from, or register first",
            explain="stored-elsewhere",
        )
    if len(meant) > 1:
        raise UsageError(
            f"{len(meant)} stored secrets fit",
            hint="say which with --mailbox, --registration or --tenant and the tenant's id",
            details=[f"tenant {stored.tenant_id}, application {stored.application_id}" for stored in meant],
        )
    return meant[0]


def _named(run: Run, text: str) -> ReadableStore:
    from mimapp.cli.vaults import vault_sign_in  # noqa: PLC0415 - help need not import it
    from mimapp.stores import ReadableStore, Surroundings, parse_store  # noqa: PLC0415 - as above

    def vault(host: str) -> VaultSignIn:
        return vault_sign_in(run, tenant_of(run))(host)

    around = Surroundings(
        show=lambda _: None, is_terminal=False, environ=run.world.environ, clock=run.world.clock, vault=vault
    )
    store = parse_store(text, around)
    if not isinstance(store, ReadableStore):
        raise UsageError(f"--secret-from {store.uri}: nothing can be read back from there")
    return store


def _own(run: Run) -> list[ReadableStore]:
    from mimapp.stores import own_stores  # noqa: PLC0415 - help need not import it

    key = run.options.registration
    if key is None and run.options.mailbox is not None:
        key = Registration(mailbox=run.options.mailbox).key
    return list(own_stores(run.home, tenant_id=run.options.tenant, key=key))
