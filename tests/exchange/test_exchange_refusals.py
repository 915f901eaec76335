"""Refusals and broken answers: each becomes one error of the tree, with what a person needs to go on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from exchange_stage import APP, GROUP, MAILBOX, MARK, OTHER_APP, staged

from mimapp.errors import (
    BadReplyError,
    BusyError,
    ConflictError,
    DeniedError,
    MimappError,
    NotFoundError,
    ServiceError,
)
from mimapp.exchange import Exchange, NewGroup

Call = Callable[[Exchange], Any]

LEAST_GROUP = NewGroup(name="mim-scope", alias="mim-scope", address=GROUP, members=())


def _get(x: Exchange) -> Any:
    return x.mailboxes.get(MAILBOX)


def _policy(x: Exchange) -> Any:
    return x.access_policies.create(APP, GROUP, MARK)


# The cassette, the call, the error, words of its message, words of its hint ("" for no hint).
REFUSALS: dict[str, tuple[Call, type[MimappError], tuple[str, ...], str]] = {
    "mailboxes.get.several": (_get, ConflictError, ("2 objects", MAILBOX), "object id"),
    "mailboxes.get.denied-diagnostics": (
        _get,
        DeniedError,
        ("Get-Mailbox", MAILBOX, "role required", "HTTP 403", "00000000-0000-0000-0000-000000000001"),
        "the account needs an Exchange role that has this cmdlet",
    ),
    "mailboxes.get.denied-bare": (_get, DeniedError, ("no reason given", "HTTP 403"), "sign in again"),
    "mailboxes.get.denied-nul": (_get, DeniedError, ("does not let this account run Get-Mailbox",), "new sign-in"),
    "mailboxes.get.unauthorized": (_get, DeniedError, ("HTTP 401",), "did not take the token"),
    "mailboxes.get.html": (_get, BadReplyError, ("Get-Mailbox", "HTTP 200", "text/html"), "proxy"),
    "mailboxes.get.truncated": (_get, BadReplyError, ("is not Exchange's answer",), "proxy"),
    "mailboxes.client_access.absent": (
        lambda x: x.mailboxes.client_access(MAILBOX),
        NotFoundError,
        ("Get-CASMailbox", "couldn't be found", "ManagementObjectNotFoundException", "Ex6F9304", "HTTP 404"),
        "minutes",
    ),
    "groups.create.taken": (
        lambda x: x.groups.create(LEAST_GROUP),
        ConflictError,
        ("New-DistributionGroup", GROUP, "ADObjectAlreadyExistsException"),
        "looks what is there",
    ),
    "groups.create.lost": (
        lambda x: x.groups.create(LEAST_GROUP),
        BusyError,
        ("New-DistributionGroup", "HTTP 503"),
        "may have been carried out all the same",
    ),
    "groups.members.expired-link": (
        lambda x: x.groups.members(GROUP),
        ServiceError,
        ("Get-DistributionGroupMember", "page 2"),
        "5 to 10 minutes",
    ),
    "rbac.test.absent": (
        lambda x: x.rbac.test(APP, MAILBOX),
        NotFoundError,
        ("Test-ServicePrincipalAuthorization", "couldn't be found"),
        "minutes",
    ),
    "access_policies.list.not-found": (
        lambda x: x.access_policies.list(),
        NotFoundError,
        ("Get-ApplicationAccessPolicy", "something else"),
        "minutes",
    ),
    "access_policies.create.no-principal": (
        _policy,
        ServiceError,
        ("New-ApplicationAccessPolicy", APP, GROUP, "is not a security principal", "HTTP 400"),
        "mail-enabled security group",
    ),
    "access_policies.create.full": (_policy, ServiceError, ("total size", "exceeded the limit"), "remove policies"),
    "access_policies.create.unknown-cmdlet": (
        _policy,
        DeniedError,
        ("is not recognized",),
        "Organization Configuration",
    ),
    "access_policies.test.strange": (
        lambda x: x.access_policies.test(MAILBOX, APP),
        BadReplyError,
        ("Maybe", "neither granted nor denied"),
        "",
    ),
    "organization.write_allowed.busy": (
        lambda x: x.organization.write_allowed(f"{OTHER_APP},{APP}"),
        BusyError,
        ("Set-OrganizationConfig",),
        "looks before it goes on",
    ),
    "session.cmdlets.denied": (
        lambda x: x.session.cmdlets(),
        DeniedError,
        ("the cmdlets of this account",),
        "sign in again",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_becomes_an_error_that_helps(name: str) -> None:
    call, kind, said, hint = REFUSALS[name]
    with staged(f"exchange/{name}") as stage, pytest.raises(kind) as caught:
        call(stage.exchange)
    assert type(caught.value) is kind
    for words in said:
        assert words in caught.value.message
    assert hint in (caught.value.hint or "")
    assert bool(hint) == bool(caught.value.hint)
    if isinstance(caught.value, ServiceError):
        assert caught.value.service == "exchange"


def test_an_error_carries_its_parts() -> None:
    with staged("exchange/mailboxes.client_access.absent") as stage, pytest.raises(NotFoundError) as caught:
        stage.exchange.mailboxes.client_access(MAILBOX)
    assert caught.value.status == 404
    assert caught.value.code == "ManagementObjectNotFoundException"
    assert caught.value.request_id == "00000000-0000-0000-0000-000000000001"


def test_a_write_that_may_have_been_carried_out_is_not_sent_again() -> None:
    with staged("exchange/organization.write_allowed.busy") as stage:
        with pytest.raises(BusyError):
            stage.exchange.organization.write_allowed(f"{OTHER_APP},{APP}")
        assert stage.clock.slept == []
