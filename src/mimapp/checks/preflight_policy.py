"""The rows about app management policies: whether this application may have a client secret, and what other rules say.

A policy that is assigned to the application stands in the tenant's default one's place and inherits nothing from it
(https://learn.microsoft.com/graph/api/resources/applicationauthenticationmethodpolicy). Rules about audiences are
documented for beta only, and a demand for a service management reference nowhere: what cannot be read is said.
A caller whom a rule exempts by a custom security attribute (``excludeActors``) is not recognised.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from mimapp.checks.preflight_row import Row, Verdict
from mimapp.clock import duration_text, iso
from mimapp.graph import deciding_restrictions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from mimapp.errors import DeniedError
    from mimapp.graph import (
        Application,
        AppManagementPolicy,
        CredentialRestriction,
        DefaultCredentialPolicy,
        Restrictions,
    )
    from mimapp.spec import Registration

__all__ = ["PolicyView", "audience_row", "identifier_uri_row", "reference_row", "secret_row", "unread_row"]

_NAME = "client secret policy"
_ADDITION = "passwordAddition"
_LIFETIME = "passwordLifetime"
_ONE_TENANT = "AzureADMyOrg"


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyView:
    """What decides about one application.

    Attributes:
        default: the tenant's policy.
        own: the policies that are assigned to the application; one at most, by Microsoft's pages.
        application: the application, or None where it does not exist yet.
        has_secret: whether a store of this run holds a live secret of it, so that none is issued now.
    """

    default: DefaultCredentialPolicy
    own: tuple[AppManagementPolicy, ...]
    application: Application | None
    has_secret: bool

    @property
    def assigned(self) -> AppManagementPolicy | None:
        """The policy of this application alone that is in force."""
        return next((policy for policy in self.own if policy.is_enabled is not False), None)

    @property
    def name(self) -> str:
        """The policy that decides."""
        return (self.assigned or self.default).display_name or "the tenant's default app management policy"

    @property
    def restrictions(self) -> Restrictions | None:
        """Its rules; None where it has none, or is switched off."""
        return deciding_restrictions(self.default, self.own)

    @property
    def about_secrets(self) -> tuple[CredentialRestriction, ...]:
        """Its rules about client secrets, in force for this application or not."""
        return () if self.restrictions is None else self.restrictions.password_credentials or ()

    def rules(self, kind: str, now: datetime) -> Iterator[CredentialRestriction]:
        """The rules of one kind about client secrets that hold for this application."""
        made = now if self.application is None else self.application.created_date_time or now
        yield from (rule for rule in self.about_secrets if rule.restriction_type == kind and rule.holds_for(made))


def secret_row(view: PolicyView, wanted: Registration, now: datetime, graph_url: str) -> Row:
    """Whether a client secret of the wanted lifetime may be issued: yes, only a shorter one, or none.

    Args:
        view: what decides.
        wanted: the registration.
        now: the moment.
        graph_url: the cloud's Graph host, for the calls of an exemption.
    """
    if any(view.rules(_ADDITION, now)):
        return _forbidden(view, wanted, graph_url)
    limits = [rule.max_lifetime for rule in view.rules(_LIFETIME, now) if rule.max_lifetime is not None]
    if not limits:
        return Row(name=_NAME, verdict=Verdict.OK, found="no rule against client secrets")
    limit: timedelta = min(limits)
    found = f"{view.name}: at most {duration_text(limit)}"
    if wanted.secret_lifetime <= limit:
        return Row(name=_NAME, verdict=Verdict.OK, found=found)
    days = limit // timedelta(days=1)
    return Row(
        name=_NAME,
        verdict=Verdict.WARN if view.has_secret else Verdict.STOP,
        found=found,
        why=f"the wanted lifetime is {duration_text(wanted.secret_lifetime)}, which Graph would refuse"
        + ("; the stored secret keeps working, the next one needs the shorter lifetime" if view.has_secret else ""),
        remedy=f"--secret-lifetime {days}d"
        if days
        else "ask the policy's owner for at least one day, which is mimapp's shortest",
    )


def audience_row(application: Application | None) -> Row:
    """Whether a rule about sign-in audiences can hit the application.

    Only multi-tenant and personal-account audiences can be restricted:
    https://learn.microsoft.com/graph/api/resources/audiencesconfiguration (beta; v1.0 does not show these rules).
    """
    name = "audience policy"
    audience = _ONE_TENANT if application is None else application.sign_in_audience or _ONE_TENANT
    if audience == _ONE_TENANT:
        return Row(
            name=name,
            verdict=Verdict.OK,
            found=f"{_ONE_TENANT}: no rule can restrict it",
        )
    return Row(
        name=name,
        verdict=Verdict.WARN,
        found=f"the application that exists is for {audience}",
        why="a tenant may forbid changes to such applications, and Graph's v1.0 does not show that rule; mimapp never "
        "changes the audience of an application that it did not make",
        remedy="where Graph answers SignInAudienceNotAllowedAsPerAppPolicy, ask the policy's owner for an exemption, "
        "or let --new make an application of this tenant only",
    )


def identifier_uri_row(application: Application | None) -> Row:
    """Whether a rule about identifier URIs can hit the application: mimapp sets none, so none can.

    https://learn.microsoft.com/graph/api/resources/identifieruriconfiguration
    """
    uris = () if application is None else application.identifier_uris or ()
    return Row(
        name="identifier URI policy",
        verdict=Verdict.OK,
        found=f"the application has {len(uris)}, which stay as they are" if uris else "the application needs none",
        why="rules about identifier URIs hold for new ones, and mimapp adds none",
    )


def reference_row(application: Application | None, reference: str | None) -> Row:
    """Whether the tenant may ask for a service management reference when the application is made.

    The demand is known from the refusal only, code ``ServiceTreeValueMissing``
    (microsoft-foundry/foundry-agent-webapp#3), seen in tenants of Microsoft itself.
    """
    name = "service management reference"
    if reference is not None:
        return Row(name=name, verdict=Verdict.OK, found=f"{reference} is given")
    if application is not None:
        held = application.service_management_reference
        found = f"the application has {held}" if held else "none; the application exists, and only making one asks"
        return Row(name=name, verdict=Verdict.OK, found=found)
    return Row(
        name=name,
        verdict=Verdict.UNKNOWN,
        found="none is given; no policy shows whether the tenant asks for one",
        why="few tenants do; Graph then refuses to make the application (ServiceTreeValueMissing)",
        remedy="where it does, give register --service-management-reference",
    )


def unread_row(error: DeniedError, *, is_person: bool) -> Row:
    """The policies may not be read: the registration goes on, and Graph judges."""
    return Row(
        name=_NAME,
        verdict=Verdict.UNKNOWN,
        found="the policies may not be read by this account",
        why="where a rule forbids client secrets, or long ones, Graph says so when the secret is issued: "
        f"{error.message}",
        remedy="mimapp check --read-policies asks for Policy.Read.All, and Global Reader is role enough"
        if is_person
        else "grant the application permission Policy.Read.All to this sign-in",
    )


def _forbidden(view: PolicyView, wanted: Registration, graph_url: str) -> Row:
    found = f"{view.name} forbids client secrets"
    owner = (
        "the policy's owner (Policy.ReadWrite.ApplicationConfiguration and a directory role such as Application "
        "Administrator) exempts this application alone, then mimapp register goes on where it stopped"
    )
    if view.has_secret:
        return Row(
            name=_NAME,
            verdict=Verdict.WARN,
            found=found,
            why="the stored secret keeps working; the next one will be refused",
            remedy=f"before it ends, {owner}",
            details=tuple(_exemption(view, wanted, graph_url)),
            needs_person=True,
        )
    if view.application is None:
        # Only an application that exists can be exempted: to stop here would stop for ever.
        return Row(
            name=_NAME,
            verdict=Verdict.WARN,
            found=found,
            why="MIM takes nothing else; register makes the application and its fence, and stops at the secret",
            remedy=f"run mimapp register, then {owner}; mimapp check then names the application's id",
            details=tuple(_exemption(view, wanted, graph_url)),
            needs_person=True,
        )
    return Row(
        name=_NAME,
        verdict=Verdict.STOP,
        found=found,
        why="MIM takes nothing else",
        remedy=owner,
        details=tuple(_exemption(view, wanted, graph_url)),
    )


def _exemption(view: PolicyView, wanted: Registration, graph_url: str) -> Iterator[str]:
    """The calls that let this one application have client secrets, and leave every other rule as it is.

    https://learn.microsoft.com/graph/api/appmanagementpolicy-post,
    https://learn.microsoft.com/graph/api/appmanagementpolicy-post-appliesto and, since an application follows one
    policy only, https://learn.microsoft.com/graph/api/appmanagementpolicy-delete-appliesto.
    """
    base = f"{graph_url}/v1.0"
    of_application = f"{base}/applications/{_id_of(view)}/appManagementPolicies"
    certificates = () if view.restrictions is None else view.restrictions.key_credentials or ()
    body = {
        "displayName": f"MIM Service mailbox ({wanted.mark})",
        "description": f"Client secrets for the application of {wanted.mailbox} alone; MIM Service takes nothing else.",
        "isEnabled": True,
        "restrictions": {
            "passwordCredentials": [
                _rule(rule, lifted=rule.restriction_type == _ADDITION) for rule in view.about_secrets
            ],
            "keyCredentials": [_rule(rule) for rule in certificates],
        },
    }
    if view.assigned is not None:
        yield f"DELETE {of_application}/{view.assigned.id}/$ref"
    yield f"POST {base}/policies/appManagementPolicies"
    yield json.dumps(body)
    yield f"POST {of_application}/$ref"
    yield json.dumps({"@odata.id": f"{base}/policies/appManagementPolicies/<id from the first reply>"})
    yield "(the other rules are those mimapp can read of the policy in force: compare them before sending)"


def _id_of(view: PolicyView) -> str:
    return "<object id of the application>" if view.application is None else view.application.id


def _rule(rule: CredentialRestriction, *, lifted: bool = False) -> dict[str, str | None]:
    since = rule.restrict_for_apps_created_after_date_time
    return {
        "restrictionType": rule.restriction_type,
        "state": "disabled" if lifted else rule.state or "enabled",
        "maxLifetime": None if rule.max_lifetime is None else _iso_duration(rule.max_lifetime),
        "restrictForAppsCreatedAfterDateTime": None if since is None else iso(since),
    }


def _iso_duration(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes, seconds = divmod(rest, 60)
    clock = "".join(f"{count}{unit}" for count, unit in ((hours, "H"), (minutes, "M"), (seconds, "S")) if count)
    return f"P{days}D" + (f"T{clock}" if clock else "")
