"""The writes of RBAC for Applications, each on a simulated tenant that has the application, and repeated there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from mimapp.errors import UnsafePlanError
from mimapp.exchange import EWS_ROLE, NewGroup, member_of_group
from mimapp.provisioning.rbac_actions import (
    RoleWork,
    assign_role,
    make_pointer,
    make_scope,
    remove_assignment,
    remove_pointer,
    remove_scope,
    stand_role,
)
from mimapp.provisioning.rbac_view import assignment_name, read_roles
from mimapp.spec import Scope
from support.tenants import name_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mimapp.tenant import Tenant
    from support.tenants import Place

OUTSIDE = "other@contoso.onmicrosoft.com"
GROUP = "mimapp-mimservice@contoso.onmicrosoft.com"


@pytest.fixture
def tenant(place: Place) -> Iterator[Tenant]:
    with place.connect() as connected:
        yield connected


def work_on(place: Place, tenant: Tenant, **more: Any) -> RoleWork:
    wanted = place.registration(scope=Scope.RBAC, **more)
    application = tenant._graph.applications.by_unique_name(wanted.unique_name)
    assert application is not None
    principal = tenant._graph.service_principals.by_app_id(application.app_id)
    assert principal is not None
    return RoleWork(
        services=tenant._services(wanted),
        wanted=wanted,
        app_id=application.app_id,
        principal_id=principal.id,
        group=GROUP,
        outside=OUTSIDE,
    )


def test_pointer_and_assignment_are_made_once_and_stand(place: Place, tenant: Tenant) -> None:
    work = work_on(place, tenant)

    assert [make_pointer(work).wrote, assign_role(work).wrote] == [True, True]
    view = stand_role(work)
    assert [one.name for one in view.assignments] == [assignment_name(work.wanted, work.principal_id)]
    assert (view.reaches_inside, view.reaches_outside, view.is_unlimited) == (True, False, False)
    assert [make_pointer(work).wrote, assign_role(work).wrote] == [False, False]


def test_a_management_scope_holds_the_members_of_the_group(place: Place, tenant: Tenant) -> None:
    work = work_on(place, tenant, management_scope=True)
    make_pointer(work)

    assert [make_scope(work).wrote, assign_role(work).wrote, make_scope(work).wrote] == [True, True, False]
    view = stand_role(work)
    assert [one.custom_resource_scope for one in view.assignments] == ["mimapp-mimservice"]
    assert view.scope is not None


def test_a_scope_of_our_name_with_another_filter_is_refused(place: Place, tenant: Tenant) -> None:
    work = work_on(place, tenant, management_scope=True)
    tenant._exchange.rbac.create_scope("mimapp-mimservice", "Alias -eq 'other'")

    with pytest.raises(UnsafePlanError, match="holds something else"):
        make_scope(work)


def test_an_assignment_made_by_hand_with_the_same_limit_is_used(place: Place, tenant: Tenant) -> None:
    work = work_on(place, tenant)
    make_pointer(work)
    tenant._exchange.rbac.assign(work.principal_id, EWS_ROLE, GROUP)

    assert assign_role(work).wrote is False
    assert len(stand_role(work).assignments) == 1


def test_a_management_scope_made_by_hand_of_the_group_is_recognised(place: Place, tenant: Tenant) -> None:
    work = work_on(place, tenant)
    make_pointer(work)
    group = tenant._exchange.groups.get(GROUP)
    assert group is not None
    tenant._exchange.rbac.create_scope("By hand", member_of_group(group.distinguished_name))
    tenant._exchange.rbac.assign(work.principal_id, EWS_ROLE, scope="By hand")

    assert assign_role(work).wrote is False
    assert stand_role(work).stands


def test_an_assignment_with_another_limit_is_a_persons_to_decide(place: Place, tenant: Tenant) -> None:
    work = work_on(place, tenant)
    make_pointer(work)
    elsewhere = "elsewhere@contoso.onmicrosoft.com"
    tenant._exchange.groups.create(
        NewGroup(name="elsewhere", alias="elsewhere", address=elsewhere, members=(OUTSIDE,), managed_by=(OUTSIDE,))
    )
    tenant._exchange.rbac.assign(work.principal_id, EWS_ROLE, elsewhere)

    with pytest.raises(UnsafePlanError, match="reach adds up") as refused:
        assign_role(work)
    assert "Remove-ManagementRoleAssignment" in str(refused.value.hint)


def test_a_lost_reply_makes_no_second_pointer_and_no_second_assignment(place: Place, tenant: Tenant) -> None:
    work = work_on(place, tenant)
    lost: list[str] = []

    def lose(request: httpx.Request, _: httpx.Response) -> None:
        name = name_of(request)
        if name.startswith("New-") and name not in lost:
            lost.append(name)
            raise httpx.ReadTimeout("no reply", request=request)

    place.wire.after = lose
    assert [make_pointer(work).wrote, assign_role(work).wrote] == [True, True]

    assert lost == ["New-ServicePrincipal", "New-ManagementRoleAssignment"]
    view = stand_role(work)
    assert len(view.assignments) == 1


def test_what_was_made_is_taken_away_and_taking_it_away_twice_is_fine(place: Place, tenant: Tenant) -> None:
    work = work_on(place, tenant, management_scope=True)
    make_pointer(work)
    make_scope(work)
    assign_role(work)
    services, wanted = work.services, work.wanted

    (made,) = read_roles(services.exchange, wanted, work.app_id, outside=OUTSIDE).assignments

    assert remove_assignment(services, made) is True
    assert [remove_pointer(services, wanted, work.app_id), remove_scope(services, wanted)] == [True, True]
    assert remove_assignment(services, made) is False
    assert [remove_pointer(services, wanted, work.app_id), remove_scope(services, wanted)] == [False, False]
    assert read_roles(services.exchange, wanted, work.app_id, outside=OUTSIDE).pointer is None


def test_a_pointer_that_somebody_else_made_is_used_and_stays(place: Place, tenant: Tenant) -> None:
    work = work_on(place, tenant)
    tenant._exchange.rbac.create_service_principal(work.app_id, work.principal_id, "MIM")

    assert make_pointer(work).wrote is False
    assert remove_pointer(work.services, work.wanted, work.app_id) is False


def test_a_pointer_to_another_service_principal_is_refused(place: Place, tenant: Tenant) -> None:
    work = work_on(place, tenant)
    make_pointer(work)

    with pytest.raises(UnsafePlanError, match="names the service principal"):
        make_pointer(replace(work, principal_id="77777777-7777-7777-7777-777777777777"))
