"""What a run that does nothing but consent takes: by API, on Entra's consent page in a browser, or by a link to it.

The page grants everything static that the application asks for, so it is not opened, and its link not given, for an
application that asks for more. In a browser it has to come back to this machine, for which the application gets a
redirect URI of a form that nobody else gives: one that a killed run forgot is known by that form, and taken away by the
next run.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mimapp.errors import UnsafePlanError
from mimapp.graph import EXCHANGE_ONLINE_APP_ID, FULL_ACCESS_AS_APP, MICROSOFT_GRAPH_APP_ID, USER_READ_ID
from mimapp.identity.admin_consent import CONSENT_PATH
from mimapp.provisioning.plan_entra import consent_steps, hold_steps
from mimapp.provisioning.scope_notes import HOLD_NOTE
from mimapp.provisioning.steps import Step, StepKind
from mimapp.spec import ConsentBy, Scope

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mimapp.graph import Application
    from mimapp.provisioning.observe import EntraView, Observed
    from mimapp.spec import Registration

__all__ = ["CONSENT_PERMISSIONS", "consent_alone_steps", "is_temporary", "leftover_steps", "other_permissions"]

#: What a person's Graph sign-in asks for, by the way to consent.
CONSENT_PERMISSIONS = {
    ConsentBy.API: ("Application.Read.All", "AppRoleAssignment.ReadWrite.All", "Organization.Read.All"),
    ConsentBy.BROWSER: ("Application.ReadWrite.All", "Organization.Read.All"),
    ConsentBy.LINK: ("Application.Read.All", "Organization.Read.All"),
}
_TEMPORARY = re.compile(rf"http://localhost:\d{{1,5}}{re.escape(CONSENT_PATH)}")
_APPLICATIONS = {EXCHANGE_ONLINE_APP_ID: "Exchange Online", MICROSOFT_GRAPH_APP_ID: "Microsoft Graph"}


def consent_alone_steps(wanted: Registration, observed: Observed, fence: tuple[Step, ...]) -> Iterator[Step]:
    """The grant and nothing else, when somebody else has built what comes before it.

    Args:
        wanted: the registration, with the way to consent.
        observed: the tenant.
        fence: the steps that the fence still needs.

    Raises:
        UnsafePlanError: there is no application, the fence does not stand, or the page would grant more.
    """
    if observed.entra is None or observed.entra.application is None:
        raise UnsafePlanError(
            "there is no application to consent to yet", hint="somebody has to run mimapp register --only entra first"
        )
    if wanted.scope is Scope.RBAC:
        raise UnsafePlanError(
            "this registration is kept to its mailbox by a role in Exchange, and needs no consent: "
            f"{FULL_ACCESS_AS_APP} beside it would open every mailbox",
            hint="nothing is missing here; mimapp scope show says what the application reaches",
        )
    if observed.exchange is None and wanted.fence_confirmed_by is None:
        raise UnsafePlanError(
            "whether the fence stands was not read, so nothing is consented to",
            hint="name who saw it stand with --fence-confirmed-by NAME",
        )
    if observed.exchange is not None and fence:
        raise UnsafePlanError(
            "the fence does not stand: consented to now, the application could read every mailbox",
            hint="somebody has to run mimapp register --only exchange first",
            details=[f"missing: {step.title}" for step in fence],
        )
    seen = observed.entra
    if wanted.consent_by is ConsentBy.API:
        yield from leftover_steps(wanted, seen)
        yield from hold_steps(wanted, seen, observed.journal.since.get(HOLD_NOTE), observed.at)
        yield from consent_steps(wanted, seen)
        return
    if not seen.granted:
        _check_page(wanted, seen)
    if wanted.consent_by is ConsentBy.BROWSER and not seen.granted:
        yield from _browser_steps(wanted, seen)
    else:
        yield from leftover_steps(wanted, seen)


def leftover_steps(wanted: Registration, seen: EntraView) -> Iterator[Step]:
    """The temporary redirect URIs that a run which was killed left on an application of ours."""
    application = seen.application
    if application is None or seen.is_adopted or not any(map(is_temporary, _redirect_uris(application))):
        return
    yield Step(
        kind=StepKind.REMOVE_REDIRECT,
        target=f"redirect URIs of {wanted.unique_name}",
        desired=f"none that ends in {CONSENT_PATH}",
        title="Remove the redirect URI that an interrupted consent left",
    )


def is_temporary(uri: str) -> bool:
    """Whether a redirect URI is one of those that mimapp registers for a consent and removes again."""
    return _TEMPORARY.fullmatch(uri) is not None


def other_permissions(application: Application, role_id: str) -> tuple[str, ...]:
    """What the application asks for besides full_access_as_app, in words where they are known."""
    found: list[str] = []
    for resource in application.required_resource_access or ():
        of = _APPLICATIONS.get(resource.resource_app_id, f"the application {resource.resource_app_id}")
        for access in resource.resource_access:
            if (resource.resource_app_id, access.id) == (EXCHANGE_ONLINE_APP_ID, role_id):
                continue
            is_user_read = (resource.resource_app_id, access.id) == (MICROSOFT_GRAPH_APP_ID, USER_READ_ID)
            kind = "delegated permission" if access.type == "Scope" else "application role"
            found.append(f"{kind} {'User.Read' if is_user_read else access.id} of {of}")
    return tuple(found)


def _browser_steps(wanted: Registration, seen: EntraView) -> Iterator[Step]:
    if seen.is_adopted:
        raise UnsafePlanError(
            "the application was not made by mimapp: it gets no redirect URI for a consent in the browser",
            hint="mimapp consent --no-browser gives a link that needs no change to it",
        )
    name = wanted.unique_name
    yield Step(
        kind=StepKind.ADD_REDIRECT,
        target=f"redirect URIs of {name}",
        desired=f"one of this machine that ends in {CONSENT_PATH}",
        title="Let the consent page come back to this machine: a redirect URI to localhost, for as long as it takes",
    )
    yield Step(
        kind=StepKind.CONSENT_IN_BROWSER,
        target=f"consent of {name}",
        desired=f"{FULL_ACCESS_AS_APP}, on the consent page",
        title=f"Open the consent page in a browser, where an administrator grants {FULL_ACCESS_AS_APP}",
    )
    yield Step(
        kind=StepKind.REMOVE_REDIRECT,
        target=f"redirect URIs of {name}",
        desired=f"none that ends in {CONSENT_PATH}",
        title="Remove that redirect URI",
    )


def _check_page(wanted: Registration, seen: EntraView) -> None:
    if seen.application is None or wanted.consent_all:
        return
    others = other_permissions(seen.application, seen.resource.role_id)
    if others:
        raise UnsafePlanError(
            "the consent page would grant everything that the application asks for, not only what MIM needs",
            hint="mimapp consent grants the one role by API; --consent-all grants all of it on the page",
            details=[f"it asks for: {other}" for other in others],
        )


def _redirect_uris(application: Application) -> tuple[str, ...]:
    return () if application.web is None else application.web.redirect_uris or ()
