"""The consent page's address and answers, and the listener on this machine that waits for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from mimapp.clouds import CLOUDS
from mimapp.identity.admin_consent import CONSENT_PATH, ConsentAnswer, ConsentListener, admin_consent_url

if TYPE_CHECKING:
    from collections.abc import Iterator

TENANT = "11111111-2222-3333-4444-555555555555"
APP = "66666666-7777-8888-9999-000000000000"


@pytest.fixture
def listener() -> Iterator[ConsentListener]:
    with ConsentListener() as made:
        yield made


def ask(address: str, method: str = "GET") -> httpx.Response:
    with httpx.Client(trust_env=False) as browser:
        return browser.request(method, address)


def test_the_link_needs_nothing_of_the_application() -> None:
    assert admin_consent_url(CLOUDS["global"], TENANT, APP) == (
        f"https://login.microsoftonline.com/{TENANT}/adminconsent?client_id={APP}"
    )


def test_the_page_with_a_way_back_is_of_the_tenants_cloud() -> None:
    url = admin_consent_url(
        CLOUDS["gcc-high"], TENANT, APP, redirect_uri="http://localhost:1/mimapp-consent", state="a b&c"
    )

    assert url == (
        f"https://login.microsoftonline.us/{TENANT}/adminconsent?client_id={APP}"
        "&redirect_uri=http%3A%2F%2Flocalhost%3A1%2Fmimapp-consent&state=a+b%26c"
    )


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [
        ({"admin_consent": "True", "tenant": TENANT}, ""),
        ({"admin_consent": "true"}, ""),
        ({"error": "access_denied"}, "access_denied"),
        ({"error": "permission_denied", "error_description": "The admin canceled"}, "The admin canceled"),
        (
            {"admin_consent": "True", "error": "consent_required", "error_description": "AADSTS65004: no.\r\nTrace"},
            "AADSTS65004: no.",
        ),
    ],
)  # fmt: skip
def test_error_comes_before_admin_consent(fields: dict[str, str], refusal: str) -> None:
    answer = ConsentAnswer.of(fields)

    assert answer is not None
    assert answer.refusal == refusal


@pytest.mark.parametrize("fields", [{}, {"admin_consent": "False"}, {"code": "abc"}, {"tenant": TENANT}])
def test_anything_else_is_no_answer(fields: dict[str, str]) -> None:
    assert ConsentAnswer.of(fields) is None


def test_a_refusal_is_never_longer_than_a_person_reads() -> None:
    answer = ConsentAnswer.of({"error": "x", "error_description": "y" * 10_000})

    assert answer is not None
    assert len(answer.refusal) == 300


def test_the_listener_takes_one_answer_with_its_state(listener: ConsentListener) -> None:
    assert listener.redirect_uri.endswith(CONSENT_PATH)
    assert listener.answer is None

    first = ask(f"{listener.redirect_uri}?state={listener.state}&admin_consent=True")
    second = ask(f"{listener.redirect_uri}?state={listener.state}&error=access_denied")

    assert first.status_code == second.status_code == 200
    assert "Consent was given" in first.text
    assert listener.answer == ConsentAnswer(refusal="")


@pytest.mark.parametrize(
    "address",
    [
        "{uri}?admin_consent=True",
        "{uri}?state=other&admin_consent=True",
        "{uri}?state=%C3%A4&error=access_denied",
        "{uri}?state={state}",
        "{uri}/?state={state}&admin_consent=True",
        "{root}/?state={state}&admin_consent=True",
        "{root}/favicon.ico",
    ],
)
def test_anything_else_is_sent_away_and_shown_nothing_of_itself(listener: ConsentListener, address: str) -> None:
    root = listener.redirect_uri.removesuffix(CONSENT_PATH)

    reply = ask(address.format(uri=listener.redirect_uri, root=root, state=listener.state))

    assert reply.status_code == 400
    assert listener.state not in reply.text
    assert listener.answer is None


def test_a_form_is_not_taken(listener: ConsentListener) -> None:
    reply = ask(f"{listener.redirect_uri}?state={listener.state}&admin_consent=True", "POST")

    assert reply.status_code == 501
    assert listener.answer is None


def test_two_listeners_differ_and_a_closed_one_is_gone() -> None:
    with ConsentListener() as one, ConsentListener() as other:
        assert one.redirect_uri != other.redirect_uri
        assert one.state != other.state
        gone = one.redirect_uri
    with pytest.raises(httpx.ConnectError):
        ask(gone)
