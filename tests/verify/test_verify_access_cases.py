"""The rows of verify against the table of access cases; and exchangelib, which others wrote, on the same answers."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from access_cases import CASES
from access_facts import AccessCase, Expect
from access_tenant import PRINCIPAL_ID, address_of

from mimapp.checks.verify_ews import Windows, inside_row, outside_row
from mimapp.checks.verify_row import Verdict
from support.access import OURS, Bench, situation

if TYPE_CHECKING:
    from collections.abc import Iterator

exchangelib: Any = pytest.importorskip("exchangelib")
requests: Any = pytest.importorskip("requests")
oauthlib: Any = pytest.importorskip("oauthlib.oauth2")

#: What the row has to name, so that a person looks in the right place.
NAMES = {
    Expect.DISABLED: ("switch", "EWS ended"),
    Expect.BLOCKED: ("list", "User-Agent"),
    Expect.NO_RIGHT: ("neither full_access_as_app nor a role", "right stands in the tenant"),
    Expect.NO_MAILBOX: ("has no mailbox",),
    Expect.DENIED: ("access policy or the limit of a role",),
    Expect.OUT_OF_SCOPE: ("access policy or the limit of a role",),
}


#: The probe names mailboxes by address alone, as MIM's configuration does.
BY_ADDRESS = [case for case in CASES if "PrincipalName" not in case.source]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    made = Bench(tmp_path_factory.mktemp("verify"))
    yield made
    made.close()


def under_way(case: AccessCase, bench: Bench) -> Windows:
    """What the journal would know, had mimapp made the change that a case says is under way."""
    facts, later = case.facts, bench.tenant.clock.now() + timedelta(minutes=60)
    pending = any(one.enforced_in for one in facts.policies) or any(one.enforced_in for one in facts.roles)
    switches = [one for one in (facts.switch_pending, facts.mailbox_switch_pending) if one is not None and one.acts_in]
    listed = facts.listed_pending is not None and facts.listed_pending.acts_in > 0
    return Windows(
        scope=later if pending else None, listed=later if listed else None, switch=later if switches else None
    )


@pytest.mark.parametrize("case", BY_ADDRESS, ids=lambda case: case.name)
def test_the_row_says_what_the_table_says(bench: Bench, case: AccessCase) -> None:
    bench.stand(case)
    answer = bench.ask(case)
    row = inside_row("inbox", "GetFolder", answer, situation(bench, case, Windows()))
    waiting = inside_row("inbox", "GetFolder", answer, situation(bench, case, under_way(case, bench)))

    assert (row.verdict is Verdict.HOLDS) is (case.expected is Expect.GRANTED)
    if case.expected is not Expect.GRANTED:
        assert row.verdict is Verdict.BROKEN
        assert row.todo
        assert any(name in row.meaning for name in NAMES[case.expected]), row.meaning
        assert waiting.verdict is (Verdict.NOT_YET if under_way(case, bench) != Windows() else Verdict.BROKEN)
        assert (waiting.until is not None) is (waiting.verdict is Verdict.NOT_YET)


@pytest.mark.parametrize("case", BY_ADDRESS, ids=lambda case: case.name)
def test_outside(bench: Bench, case: AccessCase) -> None:
    """The same answer for a mailbox that must not open: success is the alarm, and what says nothing proves nothing."""
    bench.stand(case)
    answer, seen = bench.ask(case), situation(bench, case, Windows())
    row = outside_row("GetFolder", address_of(case.mailbox), answer, seen, inside_opened=True)
    closed = outside_row("GetFolder", address_of(case.mailbox), answer, seen, inside_opened=False)

    expected = {
        Expect.GRANTED: Verdict.BROKEN,
        Expect.DISABLED: Verdict.NOT_PROBED,
        Expect.BLOCKED: Verdict.NOT_PROBED,
        Expect.NO_MAILBOX: Verdict.NOT_PROBED,
    }
    assert row.verdict is expected.get(case.expected, Verdict.HOLDS)
    assert closed.verdict is not Verdict.HOLDS


def adapter_over(bench: Bench) -> type[Any]:
    """A transport for requests, exchangelib's own seam, that hands everything to the sandbox in process."""

    class InProcess(requests.adapters.HTTPAdapter):  # type: ignore[misc] # requests is untyped here
        def send(self, request: Any, **_: Any) -> Any:
            answer = bench.tenant.http.post(request.url, content=request.body, headers=dict(request.headers))
            reply = requests.Response()
            reply.status_code = answer.status_code
            reply.headers = requests.structures.CaseInsensitiveDict(answer.headers)
            reply.raw = io.BytesIO(answer.content)
            reply.url = request.url
            reply.request = request
            return reply

        def close(self) -> None:
            pass

    return InProcess


def exchangelib_opens(bench: Bench, case: AccessCase) -> str:
    """The name of the error with which exchangelib ends, or nothing where it opens the inbox."""
    roles = ["full_access_as_app"] if case.facts.granted else []
    token = bench.tenant.token(appid=OURS, oid=PRINCIPAL_ID, roles=roles)
    config = exchangelib.Configuration(
        service_endpoint="https://outlook.office365.com/EWS/Exchange.asmx",
        credentials=exchangelib.OAuth2AuthorizationCodeCredentials(
            access_token=oauthlib.OAuth2Token({"access_token": token, "token_type": "Bearer"})
        ),
        auth_type=exchangelib.OAUTH2,
        version=exchangelib.Version(build=exchangelib.version.EXCHANGE_O365),
        max_connections=1,
    )
    account = exchangelib.Account(
        primary_smtp_address=address_of(case.mailbox),
        config=config,
        autodiscover=False,
        access_type=exchangelib.IMPERSONATION,
        default_timezone=exchangelib.EWSTimeZone("UTC"),
    )
    try:
        account.inbox.refresh()
    except exchangelib.errors.EWSError as error:
        return type(error).__name__
    return ""


#: By every answer some cases; exchangelib sends a User-Agent of its own, so those about agents are not its business.
AGREED = [
    case
    for expected in Expect
    for case in [one for one in BY_ADDRESS if one.expected is expected and "agent" not in one.name][:3]
]


@pytest.mark.parametrize("case", AGREED, ids=lambda case: case.name)
def test_exchangelib_agrees(bench: Bench, case: AccessCase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchangelib.protocol.BaseProtocol, "HTTP_ADAPTER_CLS", adapter_over(bench))
    bench.stand(case)
    row = inside_row("inbox", "GetFolder", bench.ask(case), situation(bench, case, Windows()))
    try:
        error = exchangelib_opens(bench, case)
    finally:
        exchangelib.close_connections()

    assert (error == "") is (row.verdict is Verdict.HOLDS)
    if case.expected in {Expect.NO_MAILBOX, Expect.OUT_OF_SCOPE}:
        assert error in row.came
