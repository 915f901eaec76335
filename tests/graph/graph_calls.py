"""The table of Graph calls that `test_graph_cassettes` plays: the cassette, the call, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from mimapp.errors import ConflictError, DeniedError, MimappError, NotFoundError, ServiceError
from mimapp.graph import (
    EXCHANGE_ONLINE_APP_ID,
    FULL_ACCESS_AS_APP,
    FULL_ACCESS_AS_APP_ID,
    GLOBAL_ADMINISTRATOR,
    MICROSOFT_GRAPH_APP_ID,
    NAME_TAKEN,
    ApplicationPatch,
    Graph,
    PropertyLock,
    RedirectUris,
    RequiredResourceAccess,
    ResourceAccess,
    ServicePrincipalPatch,
)

if TYPE_CHECKING:
    from collections.abc import Callable

APP_OBJECT = "00000000-0000-0000-0000-000000000001"
APP = "00000000-0000-0000-0000-0000000000a1"
PRINCIPAL = "00000000-0000-0000-0000-000000000002"
EXCHANGE_PRINCIPAL = "00000000-0000-0000-0000-000000000003"
PERSON = "00000000-0000-0000-0000-000000000004"
KEY = "00000000-0000-0000-0000-0000000000c1"
GRANT = "grant-00000000000000000000000000000000000001"
LABEL = "mimapp 2026-11-21 0123456789"
START = datetime(2026, 11, 21, 9, tzinfo=UTC)
END = START + timedelta(days=180)

WANTED = ApplicationPatch(
    display_name="MIM Service mailbox client access",
    sign_in_audience="AzureADMyOrg",
    tags=("mimapp:mimservice",),
    is_fallback_public_client=False,
    required_resource_access=(
        RequiredResourceAccess(
            resource_app_id=EXCHANGE_ONLINE_APP_ID,
            resource_access=(ResourceAccess(id=FULL_ACCESS_AS_APP_ID, type="Role"),),
        ),
    ),
    service_principal_lock_configuration=PropertyLock(is_enabled=True, all_properties=True),
    web=RedirectUris(redirect_uris=()),
)
MARK = ServicePrincipalPatch(tags=("mimapp:mimservice",))
PERMISSIONS = ApplicationPatch(
    required_resource_access=(
        RequiredResourceAccess(
            resource_app_id=MICROSOFT_GRAPH_APP_ID,
            resource_access=(
                ResourceAccess(id="c79f8feb-a9db-4090-85f9-90d820caa0eb", type="Scope"),
                ResourceAccess(id="18a4783c-866b-4cc7-a460-3d5e5662c884", type="Role"),
            ),
        ),
    )
)


@dataclass(frozen=True)
class Case:
    """A cassette, the call, what of its result is looked at, and what that is; `slept` is the waiting it takes."""

    cassette: str
    call: Callable[[Graph], Any]
    seen: Callable[[Any], Any]
    expected: Any
    waits: int = 0


def same(value: Any) -> Any:
    return value


def add_password(graph: Graph, *, fresh: bool = False) -> Any:
    return graph.credentials.add_password(APP_OBJECT, label=LABEL, start=START, end=END, fresh=fresh)


def grant(graph: Graph, *, fresh: bool = False) -> Any:
    return graph.role_grants.grant(
        principal_id=PRINCIPAL, resource_id=EXCHANGE_PRINCIPAL, role_id=FULL_ACCESS_AS_APP_ID, fresh=fresh
    )


def issued(password: Any) -> tuple[Any, ...]:
    return (password.key_id, password.secret.reveal(), password.label, password.start, password.end, password.hint)


ISSUED = (KEY, "replaced-secret", LABEL, START, END, "REP")
IDS = (APP_OBJECT, APP)


def ids(application: Any) -> tuple[str, str]:
    return (application.id, application.app_id)


CASES = [
    Case(
        "applications.get",
        lambda g: g.applications.get(APP_OBJECT),
        lambda a: (*ids(a), a.unique_name, a.created_date_time, a.password_credentials[0].display_name, a.web),
        (*IDS, "mimapp-mimservice", START.replace(microsecond=123456), LABEL, RedirectUris(redirect_uris=())),
    ),
    Case("applications.get.lag", lambda g: g.applications.get(APP_OBJECT, fresh=True), ids, IDS, waits=2),
    Case(
        "applications.get.recorded",
        lambda g: g.applications.get("4877ab89-6ac2-4663-826b-fc79af2ad2e4"),
        lambda a: (a.display_name, a.service_management_reference, a.is_fallback_public_client, a.unique_name),
        ("azure-cli-test000001", "96524024-75b0-497b-ab38-0381399a6a9d", True, None),
    ),
    Case("applications.by_unique_name", lambda g: g.applications.by_unique_name("mimapp-mimservice"), ids, IDS),
    Case("applications.by_unique_name.none", lambda g: g.applications.by_unique_name("mimapp-mimservice"), same, None),
    Case(
        "applications.by_app_id",
        lambda g: g.applications.by_app_id("b2466de6-5867-4b23-83ff-449c85f44ba1"),
        ids,
        ("4877ab89-6ac2-4663-826b-fc79af2ad2e4", "b2466de6-5867-4b23-83ff-449c85f44ba1"),
    ),
    Case(
        "applications.by_app_id.none",
        lambda g: g.applications.by_app_id("99ebd4c0-4ac0-4bea-b902-31d9f7fd1ff7"),
        same,
        None,
    ),
    Case(
        "applications.by_app_id.with_key",
        lambda g: g.applications.by_app_id("270c2f53-e9ee-4b1d-8cfb-7e26065de0e0"),
        lambda a: [(k.type, k.usage, k.key_id) for k in a.key_credentials],
        [("AsymmetricX509Cert", "Verify", "e6a90ef7-647f-41dd-bb9f-cac3714c3a32")],
    ),
    Case(
        "applications.by_display_name",
        lambda g: g.applications.by_display_name("MIM's mailbox & more"),
        lambda found: [(*ids(a), a.unique_name) for a in found],
        [(*IDS, None)],
    ),
    Case(
        "applications.by_display_name.pages",
        lambda g: g.applications.by_display_name("MIM"),
        lambda found: [a.app_id[-2:] for a in found],
        ["a1", "b1"],
    ),
    Case("applications.by_tag", lambda g: g.applications.by_tag("mimapp:mimservice"), lambda f: [*map(ids, f)], [IDS]),
    Case(
        "applications.by_tag_prefix",
        lambda g: g.applications.by_tag_prefix("mimapp:"),
        lambda found: [a.tags for a in found],
        [("mimapp:mimservice",), ("mimapp:test",)],
    ),
    Case("applications.upsert.created", lambda g: g.applications.upsert("mimapp-mimservice", WANTED), ids, IDS),
    Case("applications.upsert.updated", lambda g: g.applications.upsert("mimapp-mimservice", WANTED), same, None),
    Case(
        "applications.change",
        lambda g: g.applications.change("f9cd3570-cd4b-4d5b-a82c-76ed7ee3bc65", PERMISSIONS),
        same,
        None,
    ),
    Case(
        "applications.change.lag",
        lambda g: g.applications.change(
            APP_OBJECT, ApplicationPatch(notes=None, tags=("mimapp:mimservice",)), fresh=True
        ),
        same,
        None,
        waits=1,
    ),
    Case("applications.delete", lambda g: g.applications.delete(APP_OBJECT), same, True),
    Case(
        "applications.delete.recorded",
        lambda g: g.applications.delete("4877ab89-6ac2-4663-826b-fc79af2ad2e4"),
        same,
        True,
    ),
    Case("applications.delete.gone", lambda g: g.applications.delete(APP_OBJECT), same, False),
    Case(
        "applications.owners",
        lambda g: g.applications.owners(APP_OBJECT),
        lambda found: [(o.id, o.odata_type, o.user_principal_name, o.app_id) for o in found],
        [
            (PERSON, "#microsoft.graph.user", "person@contoso.onmicrosoft.com", None),
            (PRINCIPAL, "#microsoft.graph.servicePrincipal", None, APP),
        ],
    ),
    Case(
        "applications.owners.recorded",
        lambda g: g.applications.owners("89264171-bbcc-4ac3-96d6-8f64f4069a95"),
        lambda found: [(o.display_name, o.user_principal_name) for o in found],
        [("rolelivetest", "example@example.com")],
    ),
    Case("applications.add_owner", lambda g: g.applications.add_owner(APP_OBJECT, PERSON), same, True),
    Case("applications.add_owner.already", lambda g: g.applications.add_owner(APP_OBJECT, PERSON), same, False),
    Case("applications.remove_owner", lambda g: g.applications.remove_owner(APP_OBJECT, PERSON), same, True),
    Case("applications.remove_owner.gone", lambda g: g.applications.remove_owner(APP_OBJECT, PERSON), same, False),
    Case(
        "applications.remove_owner.recorded",
        lambda g: g.applications.remove_owner(
            "89264171-bbcc-4ac3-96d6-8f64f4069a95", "6d97229a-391f-473a-893f-f0608b592d7b"
        ),
        same,
        True,
    ),
    Case(
        "applications.federated_credentials",
        lambda g: g.applications.federated_credentials(APP_OBJECT),
        lambda found: [(f.name, f.subject, f.audiences) for f in found],
        [("pipeline", "repo:example/example:ref:refs/heads/main", ("api://AzureADTokenExchange",))],
    ),
    Case(
        "service_principals.by_app_id",
        lambda g: g.service_principals.by_app_id(APP),
        lambda s: (s.id, s.app_id, s.account_enabled, s.tags),
        (PRINCIPAL, APP, True, ("mimapp:mimservice",)),
    ),
    Case(
        "service_principals.by_app_id.exchange",
        lambda g: g.service_principals.by_app_id(EXCHANGE_ONLINE_APP_ID),
        lambda s: (s.display_name, [r.id for r in s.app_roles if r.value == FULL_ACCESS_AS_APP]),
        ("Office 365 Exchange Online", [FULL_ACCESS_AS_APP_ID]),
    ),
    Case("service_principals.by_app_id.none", lambda g: g.service_principals.by_app_id(APP), same, None),
    Case(
        "service_principals.by_tag",
        lambda g: g.service_principals.by_tag("mimapp:mimservice"),
        lambda found: [*map(ids, found)],
        [(PRINCIPAL, APP)],
    ),
    Case("service_principals.upsert.created", lambda g: g.service_principals.upsert(APP, MARK), ids, (PRINCIPAL, APP)),
    Case("service_principals.upsert.updated", lambda g: g.service_principals.upsert(APP, MARK), same, None),
    Case(
        "service_principals.upsert.lag",
        lambda g: g.service_principals.upsert(APP, MARK, fresh=True),
        ids,
        (PRINCIPAL, APP),
        waits=2,
    ),
    Case(
        "service_principals.change",
        lambda g: g.service_principals.change(PRINCIPAL, ServicePrincipalPatch(account_enabled=False)),
        same,
        None,
    ),
    Case("service_principals.delete", lambda g: g.service_principals.delete(PRINCIPAL), same, True),
    Case("service_principals.delete.gone", lambda g: g.service_principals.delete(PRINCIPAL), same, False),
    Case("credentials.add_password", add_password, issued, ISSUED),
    Case("credentials.add_password.lag", lambda g: add_password(g, fresh=True), issued, ISSUED, waits=1),
    Case("credentials.add_password.concurrency", add_password, issued, ISSUED, waits=2),
    Case(
        "credentials.add_password.recorded",
        lambda g: g.credentials.add_password(
            "45a1e5f2-fb2a-4dab-9312-01d3a149bc7e",
            label="rbac",
            start=datetime(2023, 2, 14, 7, 55, 4, tzinfo=UTC),
            end=datetime(2024, 2, 14, 7, 55, 4, tzinfo=UTC),
        ),
        lambda p: (p.key_id, p.hint, p.secret.reveal()),
        ("fe4edecc-349b-4ace-b843-4816648c34ad", "nT4", "replaced-microsoft-graph-password"),
    ),
    Case("credentials.remove_password", lambda g: g.credentials.remove_password(APP_OBJECT, KEY), same, True),
    Case("credentials.remove_password.missing", lambda g: g.credentials.remove_password(APP_OBJECT, KEY), same, False),
    Case(
        "credentials.remove_password.lag",
        lambda g: g.credentials.remove_password(APP_OBJECT, KEY, fresh=True),
        same,
        True,
        waits=2,
    ),
    Case(
        "role_grants.held_by",
        lambda g: g.role_grants.held_by(APP),
        lambda found: [(r.id, r.app_role_id, r.principal_id, r.resource_id) for r in found],
        [(GRANT, FULL_ACCESS_AS_APP_ID, PRINCIPAL, EXCHANGE_PRINCIPAL)],
    ),
    Case("role_grants.held_by.lag", lambda g: g.role_grants.held_by(APP, fresh=True), same, (), waits=1),
    Case("role_grants.grant", grant, lambda r: (r.id, r.app_role_id), (GRANT, FULL_ACCESS_AS_APP_ID)),
    Case("role_grants.grant.already", grant, same, None),
    Case("role_grants.grant.lag", lambda g: grant(g, fresh=True), lambda r: r.id, GRANT, waits=2),
    Case("role_grants.revoke", lambda g: g.role_grants.revoke(PRINCIPAL, GRANT), same, True),
    Case("role_grants.revoke.gone", lambda g: g.role_grants.revoke(PRINCIPAL, GRANT), same, False),
    Case(
        "delegated_grants.of",
        lambda g: g.delegated_grants.of(PRINCIPAL),
        lambda found: [(d.id, d.consent_type, d.scopes) for d in found],
        [(GRANT, "AllPrincipals", ("User.Read", "Mail.Read"))],
    ),
    Case("delegated_grants.set_scope", lambda g: g.delegated_grants.set_scope(GRANT, "Mail.Read"), same, None),
    Case("delegated_grants.delete", lambda g: g.delegated_grants.delete(GRANT), same, True),
    Case("delegated_grants.delete.gone", lambda g: g.delegated_grants.delete(GRANT), same, False),
    Case(
        "directory.organization",
        lambda g: g.directory.organization(),
        lambda o: (o.id[-2:], o.display_name, [(d.name, d.is_initial) for d in o.verified_domains]),
        ("ff", "Contoso", [("contoso.onmicrosoft.com", True)]),
    ),
    Case(
        "directory.subscribed_skus",
        lambda g: g.directory.subscribed_skus(),
        lambda found: [(s.capability_status, [p.service_plan_name for p in s.service_plans]) for s in found],
        [("Enabled", ["AAD_PREMIUM"])],
    ),
    Case(
        "directory.me",
        lambda g: g.directory.me(),
        lambda u: (u.id, u.user_principal_name),
        (PERSON, "person@contoso.onmicrosoft.com"),
    ),
    Case("directory.me.app_only", lambda g: g.directory.me(), same, None),
    Case(
        "directory.my_roles",
        lambda g: g.directory.my_roles(),
        lambda found: [(r.display_name, r.role_template_id) for r in found],
        [("Global Administrator", GLOBAL_ADMINISTRATOR)],
    ),
    Case("directory.my_roles.app_only", lambda g: g.directory.my_roles(), same, ()),
    Case(
        "directory.user",
        lambda g: g.directory.user("person@contoso.onmicrosoft.com"),
        lambda u: (u.id, u.account_enabled),
        (PERSON, True),
    ),
    Case("directory.user.none", lambda g: g.directory.user("nobody#EXT#@contoso.onmicrosoft.com"), same, None),
    Case(
        "policies.default_credential_policy",
        lambda g: g.policies.default_credential_policy(),
        lambda p: [
            (r.restriction_type, r.state, r.max_lifetime) for r in p.application_restrictions.password_credentials
        ],
        [("passwordAddition", "disabled", None), ("passwordLifetime", "enabled", timedelta(days=90, hours=4))],
    ),
    Case(
        "policies.for_application",
        lambda g: g.policies.for_application(APP_OBJECT),
        lambda found: [(p.display_name, p.restrictions.password_credentials[0].state) for p in found],
        [("Exempt", "disabled")],
    ),
    Case(
        "reports.credential_sign_ins",
        lambda g: g.reports.credential_sign_ins(APP),
        lambda found: [(one.key_id, one.key_type, one.last_sign_in) for one in found],
        [
            (KEY, "clientSecret", datetime(2026, 11, 21, 7, 30, tzinfo=UTC)),
            (KEY.replace("c1", "c2"), "clientSecret", datetime(2026, 11, 19, 8, tzinfo=UTC)),
            (KEY.replace("c1", "c3"), "certificate", None),
        ],
    ),
    Case(
        "deleted_items.applications",
        lambda g: g.deleted.applications(),
        lambda found: [(*ids(a), a.deleted_date_time) for a in found],
        [(*IDS, datetime(2026, 11, 20, 9, tzinfo=UTC))],
    ),
    Case("deleted_items.restore", lambda g: g.deleted.restore(APP_OBJECT), lambda o: o.id, APP_OBJECT),
    Case("deleted_items.purge", lambda g: g.deleted.purge(APP_OBJECT), same, True),
    Case("deleted_items.purge.gone", lambda g: g.deleted.purge(APP_OBJECT), same, False),
    Case(
        "deleted_items.purge.recorded",
        lambda g: g.deleted.purge("4877ab89-6ac2-4663-826b-fc79af2ad2e4"),
        same,
        True,
    ),
]


@dataclass(frozen=True)
class Refusal:
    """A cassette, the call, and the error that it ends with."""

    cassette: str
    call: Callable[[Graph], Any]
    kind: type[MimappError]
    explain: str | None
    hint: str | None


REFUSALS = [
    Refusal(
        "applications.get.missing",
        lambda g: g.applications.get(APP_OBJECT),
        NotFoundError,
        "Request_ResourceNotFound",
        None,
    ),
    Refusal(
        "applications.get.missing_recorded",
        lambda g: g.applications.get("99ebd4c0-4ac0-4bea-b902-31d9f7fd1ff7"),
        NotFoundError,
        "Request_ResourceNotFound",
        None,
    ),
    Refusal(
        "applications.upsert.name_taken",
        lambda g: g.applications.upsert("mimapp-mimservice", WANTED),
        ConflictError,
        NAME_TAKEN,
        "30 days",
    ),
    Refusal(
        "credentials.add_password.policy",
        add_password,
        ServiceError,
        "CredentialInvalidLifetimeAsPerAppPolicy",
        "--secret-lifetime",
    ),
    Refusal(
        "role_grants.grant.denied",
        grant,
        DeniedError,
        "Authorization_RequestDenied",
        "AppRoleAssignment.ReadWrite.All",
    ),
    Refusal(
        "policies.default_credential_policy.denied",
        lambda g: g.policies.default_credential_policy(),
        DeniedError,
        "Authorization_RequestDenied",
        "Policy.Read.All",
    ),
    Refusal(
        "reports.credential_sign_ins.no_licence",
        lambda g: g.reports.credential_sign_ins(APP),
        DeniedError,
        "Authentication_RequestFromNonPremiumTenantOrB2CTenant",
        "AuditLog.Read.All",
    ),
]
