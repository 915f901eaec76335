"""``mimapp consent``: the grant alone, by API, on Entra's consent page, or by a link for somebody else."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta  # noqa: TC003 - the decorator reads a dataclass's field types at run time
from typing import TYPE_CHECKING

from mimapp.cli.command import Run, command
from mimapp.cli.exit_codes import ExitCode
from mimapp.cli.kinds import DURATION, FLAG, TEXT
from mimapp.cli.meant import find_registration, tenant_of
from mimapp.cli.options import option
from mimapp.cli.result import Line, Pairs, Result
from mimapp.clock import duration_text
from mimapp.errors import DeadlineError, UsageError
from mimapp.spec import CONSENT_LIMIT, ConsentBy, Only

if TYPE_CHECKING:
    from mimapp.provisioning.plan import Plan
    from mimapp.tenant import Tenant

__all__ = ["ConsentOptions", "consent", "consent_result"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentOptions:
    """How, and on whose word."""

    browser: bool = option(
        FLAG, "--browser", default=False, help="on Entra's consent page, in a browser on this machine"
    )
    no_browser: bool = option(
        FLAG, "--no-browser", default=False, help="give the link to that page, for somebody else to open"
    )
    wait: timedelta | None = option(  # noqa: RUF009 - makes a dataclasses.field
        DURATION, "--wait", default=None, help="look for so long whether somebody consents; with --browser default: 5m"
    )
    fence_confirmed_by: str | None = option(
        TEXT,
        "--fence-confirmed-by",
        default=None,
        metavar="NAME",
        help="where you cannot read Exchange: who says that the fence stands; recorded",
    )
    consent_all: bool = option(
        FLAG,
        "--consent-all",
        default=False,
        help="consent on the page although the application asks for more than MIM needs",
    )


@command(ConsentOptions, writes=True, reads_with=lambda options: options.no_browser)
def consent(run: Run, options: ConsentOptions) -> Result:
    """Consent to the application, once its fence stands: by API, in a browser, or by a link for somebody else.

    It is refused until the fence stands. Whether consent was given is read from the grant itself.
    """
    from mimapp.cli.browser import require_browser  # noqa: PLC0415 - help need not import it
    from mimapp.cli.connect import connect  # noqa: PLC0415 - help need not import it
    from mimapp.cli.plans import plan_result  # noqa: PLC0415 - help need not import it
    from mimapp.provisioning.consent import CONSENT_PERMISSIONS  # noqa: PLC0415 - help need not import it
    from mimapp.provisioning.steps import EVERY_PART, Part  # noqa: PLC0415 - help need not import it

    way = _way(run, options)
    if way is ConsentBy.BROWSER:
        require_browser(run)
    parts = EVERY_PART if options.fence_confirmed_by is None else frozenset({Part.ENTRA})
    with connect(run, tenant_of(run), parts=parts, permissions=CONSENT_PERMISSIONS[way]) as tenant:
        wanted = replace(
            find_registration(run, tenant),
            only=Only.CONSENT,
            consent_by=way,
            consent_all=options.consent_all,
            fence_confirmed_by=options.fence_confirmed_by,
        )
        plan = tenant.plan(wanted, on_event=run.progress)
        if run.writing.plan_out is not None or (run.writing.dry_run and way is not ConsentBy.LINK):
            return plan_result(run, plan, command="consent")
        return consent_result(run, tenant, plan, wait=options.wait)


def consent_result(run: Run, tenant: Tenant, plan: Plan, *, wait: timedelta | None = None) -> Result:
    """Carry a plan of ``consent`` out, wait where that was asked for, and say what came of it.

    Raises:
        DeadlineError: it was waited in vain.
        MimappError: as `mimapp.cli.plans.ask_and_apply`.
    """
    from mimapp.cli.plans import ask_and_apply  # noqa: PLC0415 - help need not import it
    from mimapp.cli.registering import changes_document, did, matters  # noqa: PLC0415 - help need not import it
    from mimapp.identity.admin_consent import admin_consent_url  # noqa: PLC0415 - help need not import it

    if run.writing.dry_run:
        plan = replace(plan, steps=())
    outcome = ask_and_apply(
        run,
        plan,
        lambda: tenant.apply(
            plan,
            on_event=run.progress,
            observe_again=not run.writing.yes,
            consent_limit=CONSENT_LIMIT if wait is None else wait,
        ),
    )
    url = admin_consent_url(tenant.cloud, tenant.tenant_id, outcome.application_id)
    granted, attention = outcome.consented, outcome.attention
    if not granted and plan.wanted.consent_by is ConsentBy.LINK:
        attention = (*attention, f"admin consent is missing: let an administrator who may give it open {url}")
    if not granted and wait is not None and plan.wanted.consent_by is not ConsentBy.BROWSER:
        run.output.tell([Line(f"To do: {matter}", "bad") for matter in attention])
        granted = tenant.wait_for_consent(plan, limit=wait, on_event=run.progress)
        run.progress.close()
        if not granted:
            raise DeadlineError(f"nobody has consented in {duration_text(wait)}", hint=f"the consent page is {url}")
        attention = ()
    outcome = replace(outcome, consented=granted, attention=attention)
    return Result(
        schema="mimapp.consent/1",
        document={
            "tenantId": outcome.tenant_id,
            "applicationId": outcome.application_id,
            "consent": "granted" if granted else "missing",
            "url": url,
            **changes_document(outcome),
        },
        text=(
            Line("The application is consented to." if granted else "The application is not consented to.", "heading"),
            *((did(outcome),) if outcome.changes else ()),
            Pairs([("ApplicationId", outcome.application_id), *([] if granted else [("Consent page", url)])]),
            *matters(outcome),
        ),
        code=ExitCode.DONE if granted else ExitCode.ATTENTION,
    )


def _way(run: Run, options: ConsentOptions) -> ConsentBy:
    if options.browser and options.no_browser:
        raise UsageError("--browser and --no-browser contradict each other", hint="give one of them")
    if options.no_browser and run.writing.plan_out is not None:
        raise UsageError("--plan-out: a link changes nothing, so there is no plan", hint="leave --plan-out away")
    if options.consent_all and not (options.browser or options.no_browser):
        raise UsageError(
            "--consent-all is about the consent page; by API only the one role is granted",
            hint="use it with --browser or --no-browser",
        )
    if options.browser:
        return ConsentBy.BROWSER
    return ConsentBy.LINK if options.no_browser else ConsentBy.API
