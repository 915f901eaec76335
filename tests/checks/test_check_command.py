"""The command and the whole: what it prints, how it ends, what it sends, and that no refusal ends it."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

import pytest

from checks.checking import as_application, check
from mimapp.checks.preflight import Row, Verdict, is_ready, stopping
from mimapp.errors import CancelledError
from mimapp.provisioning.events import Waiting
from mimapp.sandbox.obstacles import MailboxKind, change_mailbox, without_premium
from mimapp.spec import Only
from mimapp.stores import FileStore
from support.tenants import MAILBOX, name_of

if TYPE_CHECKING:
    import httpx

    from mimapp.provisioning.events import Event
    from support.tenants import Finished, Place


def run(place: Place, *more: str) -> Finished:
    return place.remote("check", "--mailbox", MAILBOX, *more)


def test_a_tenant_that_is_ready(place: Place) -> None:
    done = run(place)

    assert done.code == 0
    assert "mailbox                       ok       user mailbox MIMService@contoso.onmicrosoft.com" in done.out
    assert done.out.splitlines()[-1] == "Nothing stands in the way of mimapp register."


def test_the_document(place: Place) -> None:
    done = run(place, "--output", "json")

    document = done.document
    assert document["schema"] == "mimapp.check/1"
    assert document["ready"] is True
    assert document["tenantId"] == place.info.tenant_id
    assert document["registration"] == "mimservice"
    assert document["mailbox"] == MAILBOX
    assert {row["verdict"] for row in document["rows"]} <= {"ok", "warn", "stop", "unknown"}
    assert set(document["rows"][0]) == {"name", "verdict", "found", "why", "remedy", "details", "needsPerson"}


def test_a_row_that_stops_is_attention(place: Place) -> None:
    change_mailbox(place.sandbox, MailboxKind.MAIL_USER)

    done = run(place)

    assert done.code == 3
    assert "  To do: move it to Exchange Online, or keep it where it is and choose option A or F" in done.out
    assert done.out.splitlines()[-1] == "Not ready: mailbox must be mended first."
    assert run(place, "--output", "json").document["ready"] is False


def test_a_row_that_needs_a_person_is_attention(place: Place) -> None:
    change_mailbox(place.sandbox, MailboxKind.UNLICENSED)

    done = run(place)

    assert done.code == 3
    assert done.out.splitlines()[-1] == "Not ready: mailbox needs a person."


def test_a_warning_alone_is_none(place: Place) -> None:
    without_premium(place.sandbox)

    done = run(place)

    assert done.code == 0
    assert "licence: on its page Azure Cloud, the installer" in done.out


def test_an_error_is_one_as_usual(place: Place) -> None:
    assert place.remote("check", "--mailbox", "nonsense").code == 2
    assert place.remote("check").code == 2
    assert run(place, "--secret-to", "nowhere:x").code == 2
    assert place.remote("check", "--mailbox", MAILBOX, environ={"AZURE_CLIENT_SECRET": "replaced-secret"}).code == 4


def test_one_administrators_part(place: Place) -> None:
    done = run(place, "--only", "entra", "--output", "json")

    names = [row["name"] for row in done.document["rows"]]
    assert done.code == 0
    assert "licence" in names
    assert "secret store" in names
    assert not {"mailbox", "exchange rights", "ews"} & set(names)
    assert not any(request.url.path.startswith("/adminapi") for request in place.wire.requests)


def test_consent_alone(place: Place) -> None:
    done = run(place, "--only", "consent", "--output", "json")

    assert [row["name"] for row in done.document["rows"]] == [
        "tenant",
        "cloud",
        "clock",
        "graph permissions",
        "directory role",
        "scope",
        "exchange permission",
        "exchange rights",
    ]
    assert done.code == 0


def test_every_store_has_its_row(place: Place) -> None:
    blocked = place.home / "notes.txt"
    blocked.parent.mkdir(parents=True, exist_ok=True)
    blocked.write_text("mine")

    done = run(place, "--secret-to", f"file:{place.home}/a.json", "--secret-to", f"file:{blocked}", "--output", "json")

    stores = [row for row in done.document["rows"] if row["name"] == "secret store"]
    assert done.code == 3
    assert [row["verdict"] for row in stores] == ["ok", "stop"]
    assert stores[1]["found"] == f"file:{blocked}"
    assert "not a secret file of mimapp's" in stores[1]["why"]
    assert blocked.read_text() == "mine"
    assert not (place.home / "a.json").exists()


def test_nothing_is_written_before_or_after_a_registration(place: Place) -> None:
    run(place)
    assert place.wire.writes == []
    assert place.remote("register", "--mailbox", MAILBOX, "--yes").code == 0
    written = list(place.wire.writes)

    assert run(place).code == 0
    assert place.wire.writes == written


def test_what_it_costs(place: Place) -> None:
    def cost() -> list[str]:
        with place.connect(**as_application(place)) as tenant:
            before = len(place.wire.requests)
            tenant.check(place.registration(group_owner=place.info.administrator))
            return sorted(name_of(request) for request in place.wire.requests[before:])

    metadata = f"GET /{place.info.tenant_id}/v2.0/.well-known/openid-configuration"
    fresh = [
        "GET /adminapi/v1.0/5a6db0c0-0001-4c0a-8f00-c0de00000001/EXOModuleFile",
        "GET /v1.0/applications(uniqueName='mimapp-mimservice')",
        "GET /v1.0/organization",
        "GET /v1.0/policies/defaultAppManagementPolicy",
        "GET /v1.0/subscribedSkus",
        "Get-AcceptedDomain",
        "Get-CASMailbox",
        "Get-Mailbox",
        "Get-OrganizationConfig",
        "Get-Recipient",
        "Get-Recipient",
        "Get-Recipient",
        metadata,
        metadata,
    ]
    assert cost() == sorted(fresh)
    assert place.remote("register", "--mailbox", MAILBOX, "--yes").code == 0

    there = cost()

    assert len(there) == 14 + 7
    assert sum("appManagementPolicies" in name for name in there) == 1
    assert {"Get-DistributionGroup", "Get-DistributionGroupMember", "Get-Group"} <= set(there)


def test_both_rounds_go_side_by_side(place: Place) -> None:
    assert place.remote("register", "--mailbox", MAILBOX, "--yes").code == 0
    rounds = [(14, threading.Barrier(14)), (7, threading.Barrier(7))]
    places = iter([barrier for size, barrier in rounds for _ in range(size)])
    guard = threading.Lock()

    def wait_for_the_others(_: httpx.Request) -> None:
        with guard:
            barrier = next(places)
        barrier.wait(timeout=120)

    with place.connect() as tenant:
        place.wire.before = wait_for_the_others
        rows = tenant.check(place.registration())

    assert stopping(rows) == ()
    assert next(places, None) is None


def test_a_read_that_is_refused_is_a_row_and_never_an_error(place: Place) -> None:
    def refuse(request: httpx.Request, response: httpx.Response) -> None:
        if request.url.path.startswith(("/v1.0/", "/adminapi/")):
            response.status_code = 403
            response._content = json.dumps({"error": {"code": "Denied", "message": "no"}}).encode()

    place.wire.after = refuse

    rows = check(place)

    unknown = {name for name, row in rows.items() if row.verdict == "unknown"}
    assert unknown == {
        "tenant",
        "licence",
        "client secret policy",
        "audience policy",
        "identifier URI policy",
        "service management reference",
        "exchange rights",
        "mailbox",
        "mailbox region",
        "domain",
        "scoping group",
        "other rights",
        "ews",
        "mailbox ews",
    }
    assert {name for name in unknown if rows[name].needs_person} == {"tenant", "mailbox", "scoping group", "ews"}
    assert all(rows[name].why for name in unknown)


@pytest.mark.parametrize("at", ["/v1.0/subscribedSkus", "/v1.0/policies/defaultAppManagementPolicy"])
def test_one_reply_that_makes_no_sense_costs_one_row(place: Place, at: str) -> None:
    def garble(request: httpx.Request, response: httpx.Response) -> None:
        if request.url.path == at:
            response._content = b"<html>a proxy</html>"

    place.wire.after = garble

    rows = check(place, connect=as_application(place), group_owner=place.info.administrator)

    unknown = {name for name, row in rows.items() if row.verdict == "unknown"}
    assert unknown == {"service management reference", "licence" if "Skus" in at else "client secret policy"}


def test_a_wait_is_told(place: Place) -> None:
    told: list[Event] = []
    throttled = iter([429])

    def throttle(request: httpx.Request, response: httpx.Response) -> None:
        if request.url.path == "/v1.0/subscribedSkus" and (status := next(throttled, None)) is not None:
            response.status_code = status
            response.headers["retry-after"] = "7"

    place.wire.after = throttle
    with place.connect() as tenant:
        rows = tenant.check(place.registration(), on_event=told.append)

    assert [event.wait.what for event in told if isinstance(event, Waiting)] == ["the tenant's licences"]
    assert next(row for row in rows if row.name == "licence").verdict == "ok"


def test_an_interruption_ends_it(place: Place) -> None:
    with place.connect() as tenant:

        def interrupt(request: httpx.Request) -> None:
            if request.url.path == "/v1.0/organization":
                raise CancelledError("interrupted")

        place.wire.before = interrupt
        with pytest.raises(CancelledError):
            tenant.check(place.registration())


def test_stopping_and_ready() -> None:
    def row(verdict: Verdict, *, needs_person: bool = False) -> Row:
        return Row(name="x", verdict=verdict, found="", needs_person=needs_person)

    stop, warn, person = row(Verdict.STOP), row(Verdict.WARN), row(Verdict.WARN, needs_person=True)
    assert stopping((stop, warn, person)) == (stop,)
    assert is_ready((warn, row(Verdict.OK), row(Verdict.UNKNOWN)))
    assert not is_ready((warn, person))
    assert not is_ready((stop,))


def test_without_a_store_there_is_no_row_for_one(place: Place) -> None:
    rows = check(place, store=None)

    assert "secret store" not in rows


def test_a_store_is_not_asked_when_no_secret_is_made(place: Place) -> None:
    rows = check(place, only=Only.CONSENT, store=FileStore(place.home))

    assert "secret store" not in rows
