"""One look at the tenant each: what it finds that speaks for a cause of `mimapp.host.explain`'s rows. Reading only.

A look takes as few requests as its question needs; `mimapp.checks.explain_live` decides which are taken, and when to
stop.
"""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from mimapp.checks.scope import scope_report
from mimapp.checks.status import credentials_of
from mimapp.checks.verify import verify
from mimapp.checks.verify_row import Verdict
from mimapp.clock import iso
from mimapp.errors import NotFoundError, UsageError
from mimapp.exchange import EWS_ROLE
from mimapp.graph import EXCHANGE_ONLINE_APP_ID, FULL_ACCESS_AS_APP, FULL_ACCESS_AS_APP_ID
from mimapp.host.explanation import LiveCheck, Sign
from mimapp.provisioning.ews_now import Gate
from mimapp.provisioning.ews_view import observe_ews
from mimapp.provisioning.registrations import marked_registrations
from mimapp.provisioning.unregister_observe import find_application

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mimapp.checks.verify_row import Verification
    from mimapp.graph import Application
    from mimapp.provisioning.services import Services
    from mimapp.spec import Registration

__all__ = ["Looker", "Seen"]

_GUID = r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
#: As Entra's messages name a tenant and an application; trace and correlation ids stand in them too.
_TENANT = re.compile(rf"(?:tenant|directory)(?: id:?)? '?{_GUID}", re.IGNORECASE)
_APPLICATION = re.compile(
    rf"(?:\bapp|application|identifier|client)(?: with)?(?: id:?| identifier)? '?{_GUID}", re.IGNORECASE
)
_WORLDWIDE = frozenset({"global", "gcc"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What one look found.

    Attributes:
        found: what is there, in words.
        signs: what speaks for a cause, each with what was seen.
    """

    found: str
    signs: dict[Sign, str]


class Looker:
    """Looks at one registration; what one look has read, the next one does not read again.

    Args:
        services: the rooms below.
        wanted: the registration.
        text: what is to be explained: a message may name another tenant or application.
    """

    def __init__(self, services: Services, wanted: Registration, text: str) -> None:
        self._services = services
        self._wanted = wanted
        self._text = text

    def look(self, check: LiveCheck) -> Seen:
        """Take one look.

        Raises:
            MimappError: it could not be taken.
        """
        looks = {
            LiveCheck.CLOUD: self._cloud,
            LiveCheck.APPLICATION: self._application_look,
            LiveCheck.SECRET: self._secret,
            LiveCheck.CONSENT: self._consent,
            LiveCheck.MAILBOX: self._mailbox,
            LiveCheck.EWS: self._ews,
            LiveCheck.SCOPE: self._scope,
            LiveCheck.TOKEN: self._token,
            LiveCheck.PROBE: self._probe,
        }
        pairs = iter(looks[check]())
        _, found = next(pairs)
        return Seen(found=found, signs={sign: told for sign, told in pairs if sign is not None})

    # Each look gives what is there first, then its signs.

    def _cloud(self) -> Iterator[tuple[Sign | None, str]]:
        services = self._services
        cloud, today = services.cloud, services.clock.now().date()
        yield None, f"tenant {services.tenant_id} lives in {cloud.title}"
        if cloud.key not in _WORLDWIDE:
            yield Sign.OTHER_CLOUD, f"the tenant lives in {cloud.title}"
        other = _other_than(services.tenant_id, _TENANT.findall(self._text))
        if other:
            yield Sign.OTHER_TENANT, f"the text names {other}, the tenant is {services.tenant_id}"
        if cloud.ews_ends is not None and today >= cloud.ews_ends:
            yield Sign.EWS_ENDED, f"it ended in this cloud on {cloud.ews_ends:%Y-%m-%d}"

    def _application_look(self) -> Iterator[tuple[Sign | None, str]]:
        graph, application = self._services.graph, self._application
        if application is None:
            deleted = {one.key for one in marked_registrations(graph, deleted=True)}
            there = "it is in the recycle bin" if self._wanted.key in deleted else "nor in the recycle bin"
            yield None, f"no application of registration {self._wanted.key}"
            yield Sign.NO_APPLICATION, f"there is none of registration {self._wanted.key}; {there}"
            return
        app_id = application.app_id
        principal = graph.service_principals.by_app_id(app_id)
        yield (
            None,
            f"{application.display_name} ({app_id}), enabled, its service principal {principal and principal.id}",
        )
        if principal is None:
            yield Sign.NO_PRINCIPAL, f"application {app_id} has no service principal"
        elif principal.account_enabled is False:
            yield Sign.DISABLED, f"the service principal {principal.id} is disabled"
        other = _other_than(app_id, _APPLICATION.findall(self._text))
        if other:
            yield Sign.OTHER_APPLICATION, f"the text names {other}, the application is {app_id}"
        if application.is_fallback_public_client:
            yield Sign.PUBLIC_CLIENT, "Allow public client flows is Yes"
        if not _asks_for_the_right(application):
            yield Sign.NO_PERMISSION, f"it does not ask for {FULL_ACCESS_AS_APP} on Office 365 Exchange Online"

    def _secret(self) -> Iterator[tuple[Sign | None, str]]:
        services, application = self._services, self._there
        now = services.clock.now()
        all_of_them = credentials_of(services, self._wanted, application)
        secrets = [one for one in all_of_them if one.kind == "password"]
        live = [one for one in secrets if one.expires is None or one.expires > now]
        newest = max(live, key=lambda one: str(one.starts), default=None)
        if newest is None:
            yield None, "no live client secret"
            ends = max((one.expires for one in secrets if one.expires is not None), default=None)
            if ends is None:
                yield Sign.GONE, "the application has no client secret"
            else:
                yield Sign.EXPIRED, f"the last of {len(secrets)} ended on {ends:%Y-%m-%d}"
            return
        until = "without an end" if newest.expires is None else f"until {newest.expires:%Y-%m-%d}"
        yield None, f"{len(live)} live of {len(secrets)}; the newest is {newest.label or newest.key_id}, {until}"
        lost = self._lost_secret({one.key_id for one in secrets})
        if lost:
            yield Sign.GONE, lost
        if newest.starts is not None and now - newest.starts < services.window:
            yield Sign.NEW, f"{newest.label} was issued at {iso(newest.starts)}"
        if len(secrets) > 1 and newest.starts is not None:
            yield Sign.REPLACED, f"the newest was issued on {newest.starts:%Y-%m-%d}: a server may have an older one"

    def _lost_secret(self, there: set[str]) -> str:
        """A secret that this machine stored, and that is no more on the application; empty where there is none."""
        services, application = self._services, self._there
        desk = services.desk(self._wanted, application.app_id, application.id)
        stored = [one for one in desk.entries() if one.key_id and one.state in {"handed", "proven"}]
        late = services.clock.now() - services.window
        gone = [one for one in stored if one.key_id not in there and one.begun < late]
        return f"{gone[-1].label}, stored here, is not on the application any more" if gone else ""

    def _consent(self) -> Iterator[tuple[Sign | None, str]]:
        services, application = self._services, self._there
        offered = services.graph.service_principals.by_app_id(EXCHANGE_ONLINE_APP_ID)
        roles = (offered.app_roles or ()) if offered else ()
        ids = {FULL_ACCESS_AS_APP_ID, *(role.id for role in roles if role.value == FULL_ACCESS_AS_APP)}
        try:
            held = [one for one in services.graph.role_grants.held_by(application.app_id) if one.app_role_id in ids]
        except NotFoundError:
            held = []
        if held:
            since = held[0].created_date_time
            yield None, f"{FULL_ACCESS_AS_APP} is granted{'' if since is None else f' since {since:%Y-%m-%d}'}"
            return
        in_exchange = [one for one in services.exchange.rbac.assignments(application.app_id) if one.role == EWS_ROLE]
        if in_exchange:
            yield None, f"no grant in Entra; the role {EWS_ROLE} in Exchange is the right"
            return
        yield None, "neither a grant in Entra nor a role in Exchange"
        yield Sign.NO_CONSENT, f"the application does not hold {FULL_ACCESS_AS_APP}, nor a role in Exchange"

    def _mailbox(self) -> Iterator[tuple[Sign | None, str]]:
        mailboxes, address = self._services.exchange.mailboxes, self._wanted.mailbox
        mailbox = mailboxes.get(address)
        if mailbox is None:
            found = mailboxes.recipient(address)
            kind = "" if found is None else found.recipient_type_details or found.recipient_type or ""
            yield None, f"{address} is {kind or 'nobody'} in Exchange Online"
            if kind.endswith("MailUser"):
                yield Sign.ON_PREMISES, f"{address} is a {kind}: its mailbox is on-premises or in another organisation"
            else:
                yield Sign.NO_MAILBOX, f"Exchange Online has no mailbox {address}{f', but a {kind}' if kind else ''}"
            return
        yield None, f"{mailbox.recipient_type_details} {mailbox.primary_smtp_address}"
        if address.casefold() not in {own.casefold() for own in mailbox.addresses}:
            yield Sign.NO_MAILBOX, f"{address} is its sign-in name, and EWS finds a mailbox by an SMTP address only"
        if mailbox.sku_assigned is False and mailbox.recipient_type_details == "UserMailbox":
            yield Sign.UNLICENSED, "Exchange says that no licence is assigned"
        if mailboxes.client_access(address).ews_enabled is False:
            yield Sign.SWITCHED_OFF, "EwsEnabled of the mailbox is False"

    def _ews(self) -> Iterator[tuple[Sign | None, str]]:
        view = observe_ews(self._services, replace(self._wanted, app_id=self._there.app_id))
        now, settings = view.now, view.settings
        yield None, now.reason
        if now.gate is Gate.DISABLED:
            is_mailbox = view.access is not None and view.access.ews_enabled is False
            switched_off = is_mailbox and settings.ews_enabled is not False
            yield (Sign.SWITCHED_OFF if switched_off else Sign.EWS_OFF), now.reason
        elif now.gate is Gate.BLOCKED:
            is_list = settings.ews_enabled is True and settings.lists(view.application_id) is False
            yield (Sign.NOT_LISTED if is_list else Sign.AGENTS), now.reason
        elif settings.application_access_policy or (view.access and view.access.ews_application_access_policy):
            yield Sign.AGENTS, now.reason
        if view.expected is not None:
            yield Sign.EWS_SOON, f"written, in force everywhere by {iso(view.expected)}"

    def _scope(self) -> Iterator[tuple[Sign | None, str]]:
        report = scope_report(self._services, self._wanted)
        own = report.probed[0]
        yield None, f"{own.seen.address}: {own.reach.kind.value}; {own.reach.reason}"
        if not own.reach.reaches:
            yield Sign.MISSED, own.reach.reason
        odd = [one for one in report.oddities if one.needs_person]
        if odd:
            yield Sign.CONTRADICTED, "; ".join(f"{one.found}: {one.meaning}" for one in odd)
        if report.expected is not None:
            yield Sign.SCOPE_SOON, f"written, in force everywhere by {iso(report.expected)}"

    def _token(self) -> Iterator[tuple[Sign | None, str]]:
        rows = {row.name: row for row in self._verified.rows}
        token, claims = rows["token"], rows.get("claims")
        yield None, f"{token.came}: {token.meaning}"
        if token.verdict is not Verdict.HOLDS:
            yield Sign.REFUSED, f"{token.came}; {token.meaning}"
            return
        yield Sign.ISSUED, "the stored secret gets a token here: so what the server has is not that secret, or not read"
        if claims is not None and claims.verdict is Verdict.BROKEN:
            yield Sign.WRONG_CLAIMS, claims.meaning

    def _probe(self) -> Iterator[tuple[Sign | None, str]]:
        inbox = next(row for row in self._verified.rows if row.name == "inbox")
        yield None, f"{inbox.asked}: {inbox.came}"
        if inbox.verdict is Verdict.HOLDS:
            yield Sign.ANSWERED, "EWS opens the mailbox from here, with the stored secret: so it is the server"
        elif inbox.verdict is Verdict.BROKEN:
            yield Sign.DENIED, f"{inbox.came}; {inbox.meaning}"

    @cached_property
    def _application(self) -> Application | None:
        with ThreadPoolExecutor(2, thread_name_prefix="explain") as pool:
            return find_application(self._services.graph, self._wanted, pool)

    @property
    def _there(self) -> Application:
        if self._application is None:
            raise UsageError(f"there is no application of registration {self._wanted.key}")
        return self._application

    @cached_property
    def _verified(self) -> Verification:
        return verify(self._services, self._wanted)


def _other_than(right: str, named: list[str]) -> str:
    """The id that a text names in a place where ours belongs; empty where it names none, or ours."""
    others = [one for one in named if one.casefold() != right.casefold()]
    return others[0] if others and len(others) == len(named) else ""


def _asks_for_the_right(application: Application) -> bool:
    return any(
        item.id == FULL_ACCESS_AS_APP_ID
        for resource in application.required_resource_access or ()
        if resource.resource_app_id == EXCHANGE_ONLINE_APP_ID
        for item in resource.resource_access
    )
