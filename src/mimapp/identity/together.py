"""What goes side by side in a sign-in: finding the tenant with loading the libraries, and the two services' tokens."""

from __future__ import annotations

import importlib
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mimapp.errors import CancelledError, SignInError, UsageError
from mimapp.identity.bearer import Bearer, Closed
from mimapp.identity.discovery import detect, discover
from mimapp.identity.options import EXCHANGE, GRAPH

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mimapp.clouds import Cloud
    from mimapp.identity.claims import Operator
    from mimapp.identity.desk import Desk
    from mimapp.identity.discovery import TenantFacts
    from mimapp.identity.operator import OperatorSignIn
    from mimapp.identity.options import SignInOptions
    from mimapp.transport import Http

__all__ = ["SignedIn", "find_tenant", "sign_in_to"]

#: Seconds; Windows interrupts no wait, so it is made of short ones.
_BEAT = 0.1
_FOR_PERSONS = ("msal", "azure.core.credentials")
_FOR_OTHERS = ("azure.identity", "mimapp.identity.azure_adapter")


def find_tenant(
    http: Http, tenant: str, cloud: Cloud | None, ways: Sequence[SignInOptions] = ()
) -> tuple[Cloud, TenantFacts]:
    """The tenant's cloud, and what is publicly known of the tenant; nobody signs in.

    Args:
        http: the client of the run.
        tenant: the tenant's GUID, or one of its domains.
        cloud: the cloud that was chosen, which has to be the tenant's; None: the one that the tenant lives in.
        ways: how the sign-in will go: what it needs is loaded meanwhile.

    Raises:
        UsageError: nobody chose a cloud, and Entra leaves open which it is.
        SignInError: the tenant is in no known cloud, or in another than the chosen one.
        TransportError: Entra gave no readable answer.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="load") as pool:
        pool.submit(_load, ways)
        if cloud is None:
            return detect(http, tenant)
        return cloud, discover(http, cloud, tenant)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """The two services, signed in to.

    Attributes:
        graph: sends to Microsoft Graph.
        exchange: sends to Exchange Online.
        operators: who signed in to each; where only one was signed in to, its operator stands for both.
    """

    graph: Bearer | Closed
    exchange: Bearer | Closed
    operators: tuple[Operator, Operator]


def sign_in_to(services: frozenset[str], sign_in: OperatorSignIn, permissions: Sequence[str]) -> SignedIn:
    """Sign in to the services side by side; when one sign-in fails, nobody is asked for the other, or waited for.

    Persons are asked one after the other, for Microsoft Graph first, and only when no other sign-in can still fail
    without them: see `mimapp.identity.desk`.

    Args:
        services: `GRAPH`, `EXCHANGE` or both; the other is signed in to when something is asked of it.
        sign_in: who signs in, and how.
        permissions: the delegated permissions that a person's Graph sign-in asks for.

    Raises:
        UsageError: a way to sign in lacks something.
        SignInError: a sign-in failed, or its token does not say which tenant it is of.
        TransportError: no readable answer came.
        KeyboardInterrupt: a person interrupted; a person who is being asked is not waited for.
    """
    graph = _made(lambda: sign_in.graph(permissions), needed=GRAPH in services)
    exchange = _made(sign_in.exchange, needed=EXCHANGE in services)
    both = {GRAPH: graph, EXCHANGE: exchange}
    wanted = {what: one for what, one in both.items() if what in services and isinstance(one, Bearer)}
    operators = _side_by_side(sign_in.desk, wanted)
    if not all(operator.tenant_id for operator in operators):
        raise SignInError("the token does not say which tenant it is of, and that is needed")
    return SignedIn(graph=graph, exchange=exchange, operators=(operators[0], operators[-1]))


def _made(make: Callable[[], Bearer], *, needed: bool) -> Bearer | Closed:
    try:
        return make()
    except UsageError as error:
        if needed:
            raise
        return Closed(error)


def _side_by_side(desk: Desk, bearers: Mapping[str, Bearer]) -> list[Operator]:
    def sign_in(service: str) -> Operator:
        try:
            return bearers[service].operator()
        except BaseException:
            desk.close()  # before this sign-in ends: nobody is asked for the other one meanwhile
            raise
        finally:
            desk.end(service)

    desk.expect(tuple(bearers))
    with ThreadPoolExecutor(len(bearers), thread_name_prefix="sign-in") as pool:
        asked = [pool.submit(sign_in, service) for service in bearers]
        try:
            while wait(asked, timeout=_BEAT).not_done:
                pass
        except BaseException:
            desk.close()
            raise
    failures = [error for one in asked if (error := one.exception()) is not None]
    if failures:
        # Who was only interrupted because the other failed says nothing of why.
        raise next((error for error in failures if not isinstance(error, CancelledError)), failures[0])
    return [one.result() for one in asked]


def _load(ways: Sequence[SignInOptions]) -> None:
    """Import what the sign-in will need; a tenth of a second and more that a request's way covers."""
    for way in ways:
        if way.credential is None:
            for name in _FOR_PERSONS if way.method.is_person else _FOR_OTHERS:
                importlib.import_module(name)
