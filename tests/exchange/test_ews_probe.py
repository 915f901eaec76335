"""The probe: its requests, and its verdict on each answer that the facts know."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from exchange_stage import HOST, Script, staged

from mimapp.errors import BadReplyError
from mimapp.exchange import EwsAnswer, EwsKind, EwsProbe
from mimapp.transport import Reply

if TYPE_CHECKING:
    from collections.abc import Callable

MAILBOX = "mimservice@contoso.com"
SUBJECT = "mimapp & you"

# The cassette, what is asked, the verdict, the HTTP status, EWS's own code.
ANSWERS: dict[str, tuple[Callable[[EwsProbe], EwsAnswer], EwsKind, int, str]] = {
    "get_inbox": (lambda p: p.get_inbox(MAILBOX), EwsKind.SUCCESS, 200, "NoError"),
    "get_inbox.again": (lambda p: p.get_inbox(MAILBOX), EwsKind.SUCCESS, 200, "NoError"),
    "get_inbox.ews-disabled": (lambda p: p.get_inbox(MAILBOX), EwsKind.EWS_DISABLED, 403, ""),
    "get_inbox.ews-blocked": (lambda p: p.get_inbox(MAILBOX), EwsKind.EWS_BLOCKED, 403, ""),
    "get_inbox.no-permission": (lambda p: p.get_inbox(MAILBOX), EwsKind.NO_PERMISSION, 403, ""),
    "get_inbox.no-permission-401": (lambda p: p.get_inbox(MAILBOX), EwsKind.NO_PERMISSION, 401, ""),
    "get_inbox.diagnosed": (lambda p: p.get_inbox(MAILBOX), EwsKind.DIAGNOSED, 401, ""),
    "get_inbox.policy-denied": (lambda p: p.get_inbox(MAILBOX), EwsKind.POLICY_DENIED, 403, ""),
    "get_inbox.bad-token": (lambda p: p.get_inbox(MAILBOX), EwsKind.BAD_TOKEN, 401, ""),
    "get_inbox.no-mailbox": (lambda p: p.get_inbox(MAILBOX), EwsKind.NO_MAILBOX, 500, "ErrorNonExistentMailbox"),
    "get_inbox.no-mailbox-localised": (
        lambda p: p.get_inbox(MAILBOX),
        EwsKind.NO_MAILBOX,
        500,
        "ErrorNonExistentMailbox",
    ),
    "get_inbox.access-denied": (lambda p: p.get_inbox(MAILBOX), EwsKind.ACCESS_DENIED, 500, "ErrorAccessDenied"),
    "get_inbox.impersonation-denied": (
        lambda p: p.get_inbox(MAILBOX),
        EwsKind.IMPERSONATION_DENIED,
        500,
        "ErrorImpersonateUserDenied",
    ),
    "get_inbox.busy": (lambda p: p.get_inbox(MAILBOX), EwsKind.BUSY, 500, "ErrorServerBusy"),
    "get_inbox.error-in-200": (lambda p: p.get_inbox(MAILBOX), EwsKind.ACCESS_DENIED, 200, "ErrorAccessDenied"),
    "get_inbox.other-code": (lambda p: p.get_inbox(MAILBOX), EwsKind.OTHER, 500, "ErrorInternalServerError"),
    "send_to_self": (lambda p: p.send_to_self(MAILBOX, SUBJECT, "A test."), EwsKind.SUCCESS, 200, "NoError"),
    "find": (lambda p: p.find(MAILBOX, SUBJECT), EwsKind.SUCCESS, 200, "NoError"),
    "find.none": (lambda p: p.find(MAILBOX, SUBJECT), EwsKind.SUCCESS, 200, "NoError"),
    "delete": (lambda p: p.delete(MAILBOX, ["PLACEHOLDER-ITEM="]), EwsKind.SUCCESS, 200, "NoError"),
}
BROKEN = {"get_inbox.html": "not a SOAP envelope", "get_inbox.doctype": "document type"}


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_is_judged_in_the_documented_order(name: str) -> None:
    ask, kind, status, code = ANSWERS[name]
    with staged(f"ews/{name}") as stage:
        answer = ask(stage.probe)
    assert (answer.kind, answer.status, answer.response_code) == (kind, status, code)
    assert answer.request_id == "00000000-0000-0000-0000-000000000001"


@pytest.mark.parametrize("name", BROKEN)
def test_a_success_that_is_no_ews_answer_is_a_bad_reply(name: str) -> None:
    with staged(f"ews/{name}") as stage, pytest.raises(BadReplyError, match=BROKEN[name]):
        stage.probe.get_inbox(MAILBOX)


def test_only_the_two_policy_reasons_say_nothing_of_the_scope() -> None:
    policy = {EwsKind.EWS_DISABLED, EwsKind.EWS_BLOCKED}
    assert {kind for kind in EwsKind if EwsAnswer(kind=kind, status=0).is_ews_policy} == policy


def test_what_ews_says_is_kept_for_showing() -> None:
    with staged("ews/get_inbox.busy") as stage:
        answer = stage.probe.get_inbox(MAILBOX)
        assert stage.clock.slept == []
    assert answer.back_off == 297.749
    assert answer.text == "The server cannot service this request right now. Try again later."
    with staged("ews/get_inbox.ews-disabled") as stage:
        answer = stage.probe.get_inbox(MAILBOX)
    assert answer.policy_reason == "EWS is disabled for this user or tenant"
    with staged("ews/get_inbox.no-permission") as stage:
        answer = stage.probe.get_inbox(MAILBOX)
    assert "not enough scope" in answer.diagnostics


def test_found_mails_are_given_by_their_ids() -> None:
    with staged("ews/find") as stage:
        assert stage.probe.find(MAILBOX, SUBJECT).items == ("PLACEHOLDER-ITEM=",)
    with staged("ews/find.none") as stage:
        assert stage.probe.find(MAILBOX, SUBJECT).items == ()


def test_a_fault_is_never_sent_again_and_a_mail_never_twice() -> None:
    script = Script(*[Reply(status=503)] * 4)
    probe = EwsProbe(script, f"{HOST}/")
    answers = [
        probe.get_inbox(MAILBOX),
        probe.find(MAILBOX, SUBJECT),
        probe.delete(MAILBOX, ["x"]),
        probe.send_to_self(MAILBOX, SUBJECT),
    ]
    assert {answer.kind for answer in answers} == {EwsKind.BUSY}
    assert [request.repeatable for request in script.sent] == [True, True, True, False]
    assert all(500 in request.answers for request in script.sent)
    assert [request.again_when(Reply(status=503)) for request in script.sent] == [True, True, True, False]
    assert not any(request.again_when(Reply(status=500)) for request in script.sent)
    assert {request.url for request in script.sent} == {f"{HOST}/EWS/Exchange.asmx"}


@pytest.mark.parametrize("text", ['a<b>&"c"\'d@contoso.com', "</t:SmtpAddress><x/>"])
def test_values_cannot_leave_their_element(text: str) -> None:
    script = Script(Reply(status=401), Reply(status=401), Reply(status=401))
    probe = EwsProbe(script, HOST)
    probe.send_to_self(text, text, text)
    probe.find(text, text)
    probe.delete(text, [text])
    for request in script.sent:
        assert text.encode() not in request.content


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(status=403, content=b"<html><body>blocked</body></html>"), EwsKind.OTHER),
        (Reply(status=403, content=b" \r\n"), EwsKind.POLICY_DENIED),
        (Reply(status=401, content=b"plain words"), EwsKind.BAD_TOKEN),
        (Reply(status=404), EwsKind.OTHER),
        (Reply(status=429), EwsKind.BUSY),
        (Reply(status=200, headers={"x-ews-policy-reason": "x"}, content=b"<Envelope><a/></Envelope>"), EwsKind.OTHER),
        (
            Reply(
                status=500,
                content=b"<Envelope><Fault><faultcode>a:ErrorAccessDenied</faultcode></Fault></Envelope>",
            ),
            EwsKind.ACCESS_DENIED,
        ),
        (Reply(status=403, headers={"x-ews-policy-reason": "Another reason"}), EwsKind.EWS_BLOCKED),
        (Reply(status=403, headers={"x-ms-diagnostics": " 2000008;reason=x"}), EwsKind.NO_PERMISSION),
    ],
)
def test_answers_beyond_the_known_ones(reply: Reply, kind: EwsKind) -> None:
    assert EwsProbe(Script(reply), HOST).get_inbox(MAILBOX).kind is kind


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<Envelope>",
        b"<a/><b/>",
        b"\xff\xfe",
        b"<a>" * 200,
        '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE a [<!ENTITY e "e">]><Envelope>&e;</Envelope>'.encode(
            "utf-16"
        ),
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><Envelope/>',
        b"<Envelope>&e;</Envelope>",
    ],
)
def test_xml_that_is_broken_or_declares_anything_is_refused(content: bytes) -> None:
    with pytest.raises(BadReplyError):
        EwsProbe(Script(Reply(status=200, content=content)), HOST).get_inbox(MAILBOX)
