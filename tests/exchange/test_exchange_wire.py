"""What no cassette can show: hosts that a token must not follow, circles, odd shapes, and what may be sent twice."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from exchange_stage import APP, GROUP, HOST, MAILBOX, MARK, OTHER_APP, OWNER, POLICY, PRINCIPAL, TENANT, scripted

from mimapp.errors import (
    BadReplyError,
    MimappError,
    NotFoundError,
    ServiceError,
    UnreachableError,
    UsageError,
)
from mimapp.exchange import (
    EWS_ROLE,
    EwsSettings,
    Exchange,
    GroupChange,
    NewGroup,
    Unknown,
    anchor_for_app,
    anchor_for_mailbox,
    anchor_for_user,
)
from mimapp.transport import Reply, Request
from support.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Callable

INVOKE = f"{HOST}/adminapi/beta/{TENANT}/InvokeCommand"


def answer(*items: object, **more: object) -> Reply:
    return Reply(status=200, content=json.dumps({"value": items, **more}).encode())


def refusal(status: int, message: str, code: str = "BadRequest") -> Reply:
    body = {"error": {"code": code, "message": "Error executing cmdlet", "details": [{"message": message}]}}
    return Reply(status=status, content=json.dumps(body).encode())


MISSING = refusal(404, "Ex1|Some.ManagementObjectNotFoundException|object 'x' couldn't be found on 'y'.", "NotFound")
THROTTLED = Reply(status=400, content=b"You have reached the maximum number of concurrent requests per tenant.")


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/adminapi/beta/next",
        "http://outlook.office365.com/adminapi/beta/next",
        "https://outlook.office365.com:444/adminapi/beta/next",
        "https://outlook.office365.com.evil.example/next",
        "//evil.example/next",
    ],
)
def test_a_next_page_on_another_host_is_refused(link: str) -> None:
    exchange, script = scripted(answer({"PrimarySmtpAddress": MAILBOX}, **{"@odata.nextLink": link}))
    with pytest.raises(BadReplyError, match="another host"):
        exchange.groups.members(GROUP)
    assert len(script.sent) == 1


def test_a_relative_next_page_is_on_the_same_host() -> None:
    exchange, script = scripted(
        answer({"PrimarySmtpAddress": MAILBOX}, **{"@odata.nextLink": "InvokeCommand?$skiptoken=2"}), answer()
    )
    assert len(exchange.groups.members(GROUP)) == 1
    assert script.sent[1].url == f"{INVOKE}?$skiptoken=2"
    assert script.sent[1].content == script.sent[0].content


def test_a_page_that_names_itself_as_the_next_ends_in_an_error() -> None:
    link = {"@odata.nextLink": f"{INVOKE}?$skiptoken=2"}
    exchange, script = scripted(answer(**link), answer(**link), answer(**link))
    with pytest.raises(BadReplyError, match="as its own next page"):
        exchange.groups.members(GROUP)
    assert len(script.sent) == 2


def test_a_later_page_never_means_absent_and_is_not_asked_for_as_fresh() -> None:
    link = {"@odata.nextLink": f"{INVOKE}?$skiptoken=2"}
    exchange, script = scripted(answer({"PrimarySmtpAddress": GROUP}, **link), MISSING)
    with pytest.raises(ServiceError) as caught:
        exchange.groups.get(GROUP, fresh=True)
    assert not isinstance(caught.value, NotFoundError)
    assert script.sent[0].again_when(MISSING)
    assert not script.sent[1].again_when(MISSING)


def test_a_redirect_within_the_host_suffix_is_followed_by_hand_with_method_and_body() -> None:
    away = Reply(status=302, headers={"location": "https://eur01.outlook.office365.com/adminapi/beta/x/InvokeCommand"})
    exchange, script = scripted(away, answer({"PrimarySmtpAddress": MAILBOX}))
    assert len(exchange.groups.members(GROUP)) == 1
    assert script.sent[1].method == "POST"
    assert script.sent[1].url.startswith("https://eur01.outlook.office365.com/")
    assert script.sent[1].content == script.sent[0].content


@pytest.mark.parametrize(
    "headers",
    [
        {"location": "https://login.example/"},
        {"location": "https://office365.com.evil.example/"},
        {"location": "https://evil-office365.com/"},
        {"location": "http://eur01.outlook.office365.com/"},
        {},
    ],
)
def test_a_redirect_elsewhere_is_not_followed(headers: dict[str, str]) -> None:
    exchange, script = scripted(Reply(status=302, headers=headers))
    with pytest.raises(BadReplyError, match="redirected to"):
        exchange.groups.members(GROUP)
    assert len(script.sent) == 1


def test_redirects_in_a_circle_end() -> None:
    away = Reply(status=307, headers={"location": INVOKE})
    exchange, _ = scripted(*[away] * 10)
    with pytest.raises(BadReplyError, match="in a circle"):
        exchange.groups.members(GROUP)


@pytest.mark.parametrize(
    "content",
    [b"[]", b'"text"', b'{"value": "text"}', b'{"value": ["text"]}', b'{"other": []}', b"\xff\xfe", b'{"value": [{}'],
)
def test_a_read_whose_answer_has_another_shape_is_a_bad_reply(content: bytes) -> None:
    exchange, _ = scripted(Reply(status=200, content=content))
    with pytest.raises(BadReplyError, match="is not Exchange's answer"):
        exchange.groups.members(GROUP)


def test_a_property_of_another_type_is_named() -> None:
    exchange, _ = scripted(answer({"PrimarySmtpAddress": GROUP, "IsDirSynced": {"a": 1}}))
    with pytest.raises(BadReplyError, match="IsDirSynced"):
        exchange.groups.get(GROUP)


def test_one_object_without_its_list_is_taken() -> None:
    exchange, _ = scripted(Reply(status=200, content=b'{"value": {"PrimarySmtpAddress": "a@contoso.com"}}'))
    assert [one.primary_smtp_address for one in exchange.groups.members(GROUP)] == ["a@contoso.com"]


@pytest.mark.parametrize("reply", [Reply(status=204), Reply(status=200), answer(), Reply(status=200, content=b"{}")])
def test_a_write_succeeds_with_nothing_in_its_answer(reply: Reply) -> None:
    exchange, _ = scripted(reply)
    assert exchange.groups.delete(GROUP) is True


def test_a_create_that_answers_with_nothing_is_not_taken_for_done() -> None:
    exchange, _ = scripted(answer())
    with pytest.raises(BadReplyError, match="with nothing"):
        exchange.access_policies.create(APP, GROUP, MARK)


def test_errors_beside_results_are_not_a_success() -> None:
    text = "Ex1|Some.ManagementObjectNotFoundException|object 'x' couldn't be found on 'y'."
    exchange, _ = scripted(answer({"PrimarySmtpAddress": MAILBOX}, **{"@adminapi.errors": [text]}))
    with pytest.raises(NotFoundError, match="couldn't be found"):
        exchange.groups.members(GROUP)


def test_a_bare_404_is_the_wrong_address_and_not_an_absent_object() -> None:
    exchange, _ = scripted(Reply(status=404))
    with pytest.raises(ServiceError) as caught:
        exchange.mailboxes.get(MAILBOX)
    assert not isinstance(caught.value, NotFoundError)


def test_two_organisations_are_a_bad_reply() -> None:
    exchange, _ = scripted(answer({}, {}))
    with pytest.raises(BadReplyError, match="2 organisations"):
        exchange.organization.read()


def test_a_switch_that_is_no_switch_is_a_bad_reply() -> None:
    exchange, _ = scripted(answer({"EwsEnabled": "perhaps", "EwsAllowedAppIDs": ""}))
    with pytest.raises(BadReplyError, match="perhaps"):
        exchange.organization.read()


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({}, EwsSettings(ews_enabled=None, allowed_app_ids=Unknown(reason=""))),
        ({"EwsAllowedAppIDs": APP}, EwsSettings(ews_enabled=None, allowed_app_ids=Unknown(reason=""))),
        ({"EwsEnabled": True}, EwsSettings(ews_enabled=True, allowed_app_ids=Unknown(reason=""))),
    ],
)
def test_a_property_that_is_missing_makes_the_list_unknown(item: dict[str, object], expected: EwsSettings) -> None:
    exchange, _ = scripted(answer(item))
    read = exchange.organization.read()
    assert isinstance(read.allowed_app_ids, Unknown)
    assert read.ews_enabled is expected.ews_enabled
    assert read.lists(APP) is None


@pytest.mark.parametrize("app_ids", ["", " , ", [], "not-an-id", [APP, "x"], f"{APP};{OTHER_APP}"])
def test_a_list_that_is_empty_or_no_list_is_never_written(app_ids: str | list[str]) -> None:
    exchange, script = scripted()
    with pytest.raises(UsageError, match="the EWS list cannot be written"):
        exchange.organization.write_allowed(app_ids)
    assert script.sent == []


@pytest.mark.parametrize(("group", "scope"), [("", ""), (GROUP, "mim-scope")])
def test_a_role_without_exactly_one_limit_is_never_given(group: str, scope: str) -> None:
    exchange, script = scripted()
    with pytest.raises(UsageError, match="exactly one limit"):
        exchange.rbac.assign(PRINCIPAL, EWS_ROLE, group, scope=scope)
    assert script.sent == []


NEW = NewGroup(name="g", alias="g", address=GROUP, members=(MAILBOX,))
# Sent again after a lost reply: what leaves things as sending it once does.
REPEATABLE: dict[str, Callable[[Exchange], Any]] = {
    "a read": lambda x: x.groups.members(GROUP),
    "a test": lambda x: x.rbac.test(APP, MAILBOX),
    "a setting": lambda x: x.groups.change(GROUP, GroupChange(hidden=True)),
    "notes": lambda x: x.groups.set_notes(GROUP, MARK),
    "a member": lambda x: x.groups.add_member(GROUP, MAILBOX),
    "no member": lambda x: x.groups.remove_member(GROUP, MAILBOX),
    "a deletion": lambda x: x.groups.delete(GROUP),
    "a removal": lambda x: x.access_policies.remove(POLICY),
    "a switch": lambda x: x.organization.enable(True),
}
ONCE: dict[str, Callable[[Exchange], Any]] = {
    "a group": lambda x: x.groups.create(NEW),
    "a policy": lambda x: x.access_policies.create(APP, GROUP, MARK),
    "the list": lambda x: x.organization.write_allowed([APP]),
    "a pointer": lambda x: x.rbac.create_service_principal(APP, PRINCIPAL, "name"),
    "a scope": lambda x: x.rbac.create_scope("s", "f"),
    "an assignment": lambda x: x.rbac.assign(PRINCIPAL, EWS_ROLE, GROUP),
}


@pytest.mark.parametrize("name", [*REPEATABLE, *ONCE])
def test_only_what_does_no_harm_is_marked_as_repeatable(name: str) -> None:
    exchange, script = scripted(answer({"Name": "x", "AppId": APP}))
    (REPEATABLE | ONCE)[name](exchange)
    assert [request.repeatable for request in script.sent] == [name in REPEATABLE]


def test_a_request_is_what_the_facts_say() -> None:
    exchange, script = scripted(answer())
    exchange.access_policies.list()
    (request,) = script.sent
    assert (request.method, request.url) == ("POST", INVOKE)
    assert request.headers == {
        "Content-Type": "application/json; charset=utf-8",
        "Accept": "application/json",
        "Prefer": "odata.maxpagesize=1000",
        "X-AnchorMailbox": f"UPN:{OWNER}",
        "Accept-Encoding": "identity",
    }
    assert json.loads(request.content) == {
        "CmdletInput": {"CmdletName": "Get-ApplicationAccessPolicy", "Parameters": {}}
    }
    assert request.what


def test_anchors() -> None:
    assert anchor_for_user("a@contoso.com") == "UPN:a@contoso.com"
    assert anchor_for_app(TENANT) == f"APP:SystemMailbox{{bb558c35-97f1-4cb9-8ff7-d53741dc928c}}@{TENANT}"
    assert anchor_for_mailbox("a@contoso.com") == "SMTP:a@contoso.com"


@pytest.mark.parametrize(
    ("fresh", "reply", "again"),
    [
        (True, MISSING, True),
        (True, refusal(400, "||object 'x' couldn\u2019t be found on 'y'."), True),
        (True, answer(), True),
        (True, Reply(status=204), True),
        (True, answer({"Name": "g"}), False),
        (True, Reply(status=200, content=b"<html>"), False),
        (True, refusal(400, "||The parameter is wrong."), False),
        (True, Reply(status=403), False),
        (False, MISSING, False),
        (False, answer(), False),
        (
            False,
            Reply(status=400, content=b"You have reached the maximum number of concurrent requests per tenant."),
            True,
        ),
    ],
)
def test_what_means_ask_again(*, fresh: bool, reply: Reply, again: bool) -> None:
    exchange, script = scripted(answer({"PrimarySmtpAddress": GROUP}))
    exchange.groups.get(GROUP, fresh=fresh)
    assert script.sent[0].again_when(reply) is again


class Failing:
    """A sender that cannot send."""

    def __init__(self, error: MimappError) -> None:
        self._error = error

    def send(self, _: Request) -> Reply:
        raise self._error


@pytest.mark.parametrize("error", [UnreachableError("no network"), BadReplyError("broke off")])
def test_errors_of_the_transport_pass_unchanged(error: MimappError) -> None:
    exchange = Exchange(Failing(error), HOST, TENANT, anchor=anchor_for_app(TENANT), clock=FakeClock())
    with pytest.raises(type(error)) as caught:
        exchange.groups.members(GROUP)
    assert caught.value is error


@pytest.mark.parametrize("content", [b"<html>", b"[]", b'{"value": 1}', b"\xff"])
def test_a_module_file_of_another_shape_is_a_bad_reply(content: bytes) -> None:
    exchange, _ = scripted(Reply(status=200, content=content))
    with pytest.raises(BadReplyError, match="the cmdlets of this account"):
        exchange.session.cmdlets()


@pytest.mark.parametrize(
    ("item", "allow", "block"),
    [
        ({"EwsAllowList": "MIM/*", "EwsBlockList": ""}, ("MIM/*",), ()),
        ({"EwsAllowList": ["MIM/*", "A/*"]}, ("MIM/*", "A/*"), ()),
    ],
)
def test_user_agents_come_as_one_text_or_as_a_list(
    item: dict[str, object], allow: tuple[str, ...], block: tuple[str, ...]
) -> None:
    exchange, _ = scripted(answer({"EwsEnabled": True, "EwsAllowedAppIDs": "", **item}))
    read = exchange.organization.read()
    assert (read.allow_list, read.block_list) == (allow, block)


def test_an_application_is_on_the_list_or_not() -> None:
    exchange, _ = scripted(answer({"EwsEnabled": True, "EwsAllowedAppIDs": f" {OTHER_APP.upper()} "}))
    read = exchange.organization.read()
    assert read.lists(OTHER_APP) is True
    assert read.lists(APP) is False


def test_warnings_without_a_listener_are_no_error() -> None:
    exchange, _ = scripted(answer(**{"@adminapi.warnings": ["careful", {"Message": "an object"}]}))
    exchange.groups.set_notes(GROUP, MARK)


def test_an_empty_change_is_sent_as_it_is() -> None:
    exchange, script = scripted(Reply(status=204))
    exchange.groups.change(GROUP, GroupChange())
    assert json.loads(script.sent[0].content)["CmdletInput"]["Parameters"] == {
        "Identity": GROUP,
        "BypassSecurityGroupManagerCheck": True,
    }
