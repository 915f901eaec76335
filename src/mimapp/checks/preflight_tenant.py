"""The rows about the ground everything stands on: the tenant, its cloud, its licences, and this machine's clock."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from mimapp.checks.preflight_row import Row, Verdict
from mimapp.clock import duration_text
from mimapp.clouds import CLOUDS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from mimapp.clouds import Cloud
    from mimapp.errors import MimappError
    from mimapp.graph import Organization, SubscribedSku
    from mimapp.identity import TenantFacts

__all__ = ["clock_row", "cloud_row", "elsewhere_row", "licence_row", "tenant_row"]

_PREMIUM = {"AAD_PREMIUM": "Microsoft Entra ID P1", "AAD_PREMIUM_P2": "Microsoft Entra ID P2"}
#: ``capabilityStatus`` of https://learn.microsoft.com/graph/api/resources/subscribedsku: what still counts.
_COUNTS = frozenset({"Enabled", "Warning"})
#: Where the signs of a wrong clock begin; Entra's own limit is not documented.
_SKEW = timedelta(minutes=2)


def tenant_row(organization: Organization, tenant_id: str) -> Row:
    """Which tenant it is, by id and by name."""
    initial = next((domain.name for domain in organization.verified_domains or () if domain.is_initial), None)
    found = f"{organization.display_name or 'no name'} ({initial or 'no initial domain'}), {organization.id}"
    if organization.id.lower() != tenant_id.lower():
        return Row(
            name="tenant",
            verdict=Verdict.STOP,
            found=found,
            why=f"the token is of tenant {tenant_id}",
            remedy="sign in to the tenant of the mailbox, or check --tenant",
        )
    return Row(name="tenant", verdict=Verdict.OK, found=found)


def cloud_row(cloud: Cloud, facts: TenantFacts) -> Row:
    """Whether the tenant lives in the cloud that was chosen, and what nobody documents about that cloud."""
    region = " ".join(part for part in (facts.region_scope, facts.region_sub_scope) if part)
    found = f"{cloud.title}{f' (region {region})' if region else ''}"
    if len(facts.cloud_keys) > 1:
        titles = " or ".join(row.title for key, row in CLOUDS.items() if key in facts.cloud_keys)
        return Row(
            name="cloud",
            verdict=Verdict.WARN,
            found=found,
            why=f"Entra leaves open whether it is {titles}",
            remedy="make sure that --cloud names the right one",
            details=cloud.unknowns,
        )
    return Row(name="cloud", verdict=Verdict.OK, found=found, details=cloud.unknowns)


def elsewhere_row(cloud: Cloud, error: MimappError) -> Row:
    """The tenant is not in the cloud that was chosen."""
    return Row(
        name="cloud",
        verdict=Verdict.STOP,
        found=f"not in {cloud.title}",
        why=error.message,
        remedy=error.hint or "check --cloud",
    )


def licence_row(skus: Iterable[SubscribedSku]) -> Row:
    """Whether the tenant has the licence that the MIM installer looks for.

    The P1/P2 media look for it ("Install MIM 2016 with SP2: MIM Service and Portal for Microsoft Entra ID P1 or P2
    customers"); that it shows as these service plans is unverified.
    """
    plans = [
        (plan.service_plan_name or "", sku.capability_status or "")
        for sku in skus
        for plan in sku.service_plans or ()
        if plan.service_plan_name in _PREMIUM and plan.provisioning_status not in {"Disabled", "Error"}
    ]
    counting = sorted({_PREMIUM[plan] for plan, status in plans if status in _COUNTS})
    if counting:
        return Row(name="licence", verdict=Verdict.OK, found=" and ".join(counting))
    lapsed = sorted({f"{_PREMIUM[plan]} ({status or 'unknown'})" for plan, status in plans})
    return Row(
        name="licence",
        verdict=Verdict.WARN,
        found=" and ".join(lapsed) or "neither Microsoft Entra ID P1 nor P2",
        why="on its page Azure Cloud, the installer of the P1/P2 media will say that it found no subscription with "
        "Microsoft Entra ID P1 or P2 (its exact words are not documented); the volume licence media do not look",
        remedy="use the volume licence media, or a licence that includes Microsoft Entra ID P1",
    )


def clock_row(here: datetime, there: datetime | None) -> Row:
    """How far this machine's clock is from Entra's.

    Args:
        here: this machine's moment when the reply came.
        there: the reply's ``Date``, in whole seconds; None where it had none.
    """
    if there is None:
        return Row(
            name="clock", verdict=Verdict.UNKNOWN, found="not known", why="the reply of Entra carried no readable Date"
        )
    apart = here - there
    if abs(apart) <= _SKEW:
        return Row(name="clock", verdict=Verdict.OK, found=f"within {duration_text(_SKEW)} of Entra's")
    return Row(
        name="clock",
        verdict=Verdict.WARN,
        found=f"{duration_text(abs(apart))} {'ahead of' if apart > timedelta() else 'behind'} Entra's",
        why="tokens look expired or not yet valid, sign-ins with a certificate fail, and the end of the secret and "
        "every wait are reckoned wrongly",
        remedy="set this machine's clock (its time service), then check again",
    )
