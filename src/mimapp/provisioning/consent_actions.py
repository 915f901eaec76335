"""The steps of a consent in the browser, and waiting for a consent that somebody else gives.

Success is read from the grant and from nothing else: what the page says on its way back decides only whether waiting
for the grant makes sense.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from mimapp.clock import duration_text
from mimapp.errors import DeadlineError, NotFoundError, UnsafePlanError
from mimapp.graph import ApplicationPatch, RedirectUris
from mimapp.identity.admin_consent import ConsentListener, admin_consent_url
from mimapp.provisioning.consent import is_temporary
from mimapp.provisioning.run import Done
from mimapp.spec import Scope

if TYPE_CHECKING:
    from mimapp.provisioning.observe import Resource
    from mimapp.provisioning.run import Run
    from mimapp.provisioning.services import Services

__all__ = ["add_redirect", "consent_in_browser", "remove_redirect", "wait_for_grant"]


#: How long a grant that the page speaks of may stay unseen; a run's measure, no promise of Microsoft's.
_GRANT_SHOWS = timedelta(minutes=2)
_LOOK_AT_ANSWER = 0.25
_LOOK_AT_GRANT = 5.0


def add_redirect(run: Run) -> Done:
    """Listen on a port of this machine, and let Entra send the browser there; forgotten URIs of ours go with it."""
    run.application()
    listener = ConsentListener()
    run.listener = listener
    before = _registered(run)
    kept = _without_ours(before)
    run.redirects_kept = kept
    _register(run, (*kept, listener.redirect_uri))
    run.services.http.patience.until(
        "the redirect URI", "it is not visible yet", lambda: listener.redirect_uri in _registered(run) or None
    )
    return Done(
        detail=listener.redirect_uri,
        before=f"redirect URIs {' '.join(before) or 'none'}",
        undo=f"mimapp consent --registration {run.wanted.key}",
    )


def consent_in_browser(run: Run) -> Done:
    """Open the page, wait for the browser's return or for the grant, and read the grant.

    Raises:
        UnsafePlanError: the fence does not stand: without it the application would read every mailbox.
        DeadlineError: nobody answered the page in time, or the grant that it spoke of is not to be seen.
    """
    if not run.stands and run.scope is not Scope.NONE:
        raise UnsafePlanError("the fence does not stand, so nothing is consented to")
    listener = run.listener
    if listener is None:
        raise AssertionError("the page is opened only after its way back is registered")
    services = run.services
    url = admin_consent_url(
        services.cloud,
        services.tenant_id,
        run.application_id,
        redirect_uri=listener.redirect_uri,
        state=listener.state,
    )
    if not services.open_browser(url):
        return _not_given(run, "no browser could be opened on this machine")
    word = run.wanted.fence_confirmed_by
    if word is not None:
        run.warnings.append(f"consented to on the word of {word} that the fence stands")
    resource = run.entra.resource
    if not _granted_meanwhile(services, run.application_id, resource, listener):
        answer = listener.answer
        if answer is None:
            raise DeadlineError(
                f"nobody answered the consent page in {duration_text(services.consent_limit)}",
                hint="run it again; --wait gives the person longer, --no-browser gives a link for somebody else",
            )
        limit = timedelta(0) if answer.refusal else _GRANT_SHOWS
        granted = wait_for_grant(services, run.application_id, resource, limit=limit)
        if not granted and answer.refusal:
            return _not_given(run, answer.refusal)
        if not granted:
            raise DeadlineError(
                "the consent page says that consent was given, and the grant cannot be seen yet",
                hint="run mimapp consent again in a few minutes: it looks first",
            )
    run.consented = True
    return Done(detail="granted on the page", undo=f"mimapp unregister --registration {run.wanted.key}")


def remove_redirect(run: Run) -> Done:
    """Take our redirect URIs away, this run's and forgotten ones, and stop listening."""
    listener, run.listener = run.listener, None
    if listener is not None:
        listener.close()
    run.application()
    before = _registered(run)
    kept = _without_ours(before)
    former = run.redirects_kept
    if former is not None and listener is not None and listener.redirect_uri not in before:
        kept = former  # the replica that answers may be behind our own write: what was there before it counts
    elif kept == before:
        return Done(detail="was gone", wrote=False)
    _register(run, kept)
    return Done(detail="gone", before=f"redirect URIs {' '.join(before) or 'none'}")


def wait_for_grant(services: Services, app_id: str, resource: Resource, *, limit: timedelta) -> bool:
    """Whether the application gets full_access_as_app within the limit, whoever grants it.

    A person takes as long as a person takes: the limit counts, and the run's own deadline begins anew with every look.

    Args:
        services: the rooms below.
        app_id: the application's client id.
        resource: Exchange Online and the role.
        limit: how long to look; it is looked once at least.
    """
    patience, clock = services.http.patience, services.clock
    begun = clock.monotonic()
    while True:
        patience.start()
        if _is_granted(services, app_id, resource):
            return True
        waited = clock.monotonic() - begun
        left = limit.total_seconds() - waited
        if left <= 0:
            return False
        patience.pause("admin consent", "it is not granted yet", min(_LOOK_AT_GRANT, left), waited=waited)


def _granted_meanwhile(services: Services, app_id: str, resource: Resource, listener: ConsentListener) -> bool:
    """Wait until the page has an answer; True where the grant is seen before, False also when the time is over."""
    patience, clock = services.http.patience, services.clock
    begun = looked = clock.monotonic()
    while listener.answer is None:
        waited = clock.monotonic() - begun
        if waited >= services.consent_limit.total_seconds():
            return False
        if clock.monotonic() - looked >= _LOOK_AT_GRANT:
            # The browser may never come back, from a page that is open on another machine.
            looked = clock.monotonic()
            patience.start()
            if _is_granted(services, app_id, resource):
                return True
        patience.pause("the consent page", "nobody has answered it yet", _LOOK_AT_ANSWER, waited=waited)
    return False


def _is_granted(services: Services, app_id: str, resource: Resource) -> bool:
    try:
        held = services.graph.role_grants.held_by(app_id)
    except NotFoundError:
        return False  # no service principal yet: the page makes it
    return any(one.resource_id == resource.principal_id and one.app_role_id == resource.role_id for one in held)


def _registered(run: Run) -> tuple[str, ...]:
    web = run.services.graph.applications.get(run.object_id, fresh=True).web
    return () if web is None else web.redirect_uris or ()


def _register(run: Run, uris: tuple[str, ...]) -> None:
    patch = ApplicationPatch(web=RedirectUris(redirect_uris=uris))
    run.services.graph.applications.change(run.object_id, patch, fresh=True)


def _without_ours(uris: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(uri for uri in uris if not is_temporary(uri))


def _not_given(run: Run, reason: str) -> Done:
    url = admin_consent_url(run.services.cloud, run.services.tenant_id, run.application_id)
    run.attention.append(
        f"admin consent is missing ({reason}): let a Privileged Role Administrator, Cloud Application Administrator or "
        f"Application Administrator open {url}, or run mimapp consent as one of them"
    )
    return Done(detail=f"not granted: {reason}", wrote=False)
