"""Secrets never get into a recording: by name, by form, by having been met before; what is no secret stays readable."""

from __future__ import annotations

import json
import string
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mimapp.transport.redaction import REDACTED, Secrets
from support.player import unsigned_token

TOKEN = unsigned_token({"tid": "5a6db0c0", "roles": ["full_access_as_app"]}) + "c2lnbmF0dXJl"
ENTRA_SECRET = "abC8Q~" + "k" * 34
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    "name",
    [
        "secretText",
        "client_secret",
        "clientSecret",
        "access_token",
        "refresh_token",
        "id_token",
        "client_assertion",
        "assertion",
        "password",
        "Password",
        "device_code",
        "user_code",
        "proof",
        "x_custom_secret",
        "sessionToken",
        "apiKey",
        "userPassword",
    ],
)
def test_a_json_value_is_a_secret_by_its_name(name: str) -> None:
    body = json.dumps({"outer": [{name: "Value7-of-it"}], "plain": "stays"})

    assert json.loads(Secrets().body(body, JSON)) == {"outer": [{name: REDACTED}], "plain": "stays"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("token_type", "Bearer"),
        ("token_endpoint", "https://login.microsoftonline.com/common/oauth2/v2.0/token"),
        ("token_endpoint_auth_methods_supported", ["client_secret_post"]),
        ("tokenEncryptionKeyId", "0a1b"),
        ("passwordPolicies", "DisablePasswordExpiration"),
        ("lastPasswordChangeDateTime", "2026-11-21T09:00:00Z"),
        ("requestedAccessTokenVersion", 2),
        ("enableAccessTokenIssuance", False),
        ("passwordCredentials", []),
        ("code", "Request_ResourceNotFound"),
        ("displayName", "mimapp 2026-11-21 0123456789"),
        ("keyId", "0a1b"),
    ],
)
def test_what_only_speaks_about_secrets_stays(name: str, value: object) -> None:
    body = json.dumps({name: value}, indent=1)

    assert Secrets().body(body, JSON) == body


@pytest.mark.parametrize(
    "secret",
    [
        TOKEN,
        ENTRA_SECRET,
        f"x{ENTRA_SECRET}",
        "sandbox-" + "q" * 32,
        "0.AXoA" + "w" * 60 + ".AgAB",
        "Bearer " + "o" * 40,
    ],
)
def test_a_form_gives_a_secret_away_wherever_it_stands(secret: str) -> None:
    secrets = Secrets()
    found = [
        secrets.body(json.dumps({"message": f"got {secret} there"}), JSON),
        secrets.body(f"got {secret} there", "text/plain"),
        secrets.body(f"<a><b>{secret}</b></a>", "text/xml"),
        secrets.url(f"https://graph.microsoft.com/v1.0/{secret}?x={secret}"),
        secrets.headers([("x-note", f"got {secret}")])[0][1],
    ]

    core = secret.removeprefix("Bearer ")
    assert [text for text in found if core in text] == []
    assert all(REDACTED in text for text in found)


def test_a_private_key_goes_even_where_it_is_cut_off() -> None:
    whole = "-----BEGIN RSA PRIVATE KEY-----\nAAAA\nBBBB\n-----END RSA PRIVATE KEY-----"

    assert Secrets().body(f"x {whole} y", "") == f"x {REDACTED} y"
    assert "AAAA" not in Secrets().body(f"x {whole[:40]}", "")


def test_fields_of_a_form() -> None:
    body = (
        "client_id=14d82eec&grant_type=authorization_code&code=C0de.of-login&client_secret=a%20b%26c"
        "&client_assertion_type=urn%3Aietf%3Ajwt&code_verifier=Verifier_1&scope=https%3A%2F%2Fx%2F.default+openid"
    )

    assert Secrets().body(body, FORM) == (
        "client_id=14d82eec&grant_type=authorization_code&code=REDACTED&client_secret=REDACTED"
        "&client_assertion_type=urn%3Aietf%3Ajwt&code_verifier=REDACTED&scope=https%3A%2F%2Fx%2F.default+openid"
    )


def test_a_form_without_secrets_is_left_byte_for_byte() -> None:
    body = "a=1%2f2&b=x+y&c="

    assert Secrets().body(body, FORM) == body


def test_a_url_keeps_its_writing_and_loses_its_secrets() -> None:
    secrets = Secrets()
    plain = "https://graph.microsoft.com/v1.0/servicePrincipals(appId='0a1b')?$select=id,appId&$filter=a%20eq%20'b'"

    assert secrets.url(plain) == plain
    assert secrets.url("https://me:pass@vault.azure.net/a?sig=abc%3D&api-version=7.4") == (
        "https://vault.azure.net/a?sig=REDACTED&api-version=7.4"
    )


def test_headers_with_credentials_are_left_out_and_others_that_look_secret_replaced() -> None:
    given = [
        ("Authorization", f"Bearer {TOKEN}"),
        ("Proxy-Authorization", "Basic dXNlcjpwYXNzd29yZA=="),
        ("Cookie", "esctx=PAQABAAEAAAD"),
        ("Set-Cookie", "fpc=AhX; path=/; HttpOnly"),
        ("X-IDENTITY-HEADER", "853b9a84-5bfa-4b22-a3f3-0b9a43d9ad8a"),
        ("secret", "853b9a84"),
        ("x-ms-session-token", "abc"),
        ("WWW-Authenticate", 'Bearer realm="", authorization_uri="https://login.microsoftonline.com/x"'),
        ("client-request-id", "0a1b"),
    ]

    assert Secrets().headers(given) == (
        ("X-IDENTITY-HEADER", REDACTED),
        ("secret", REDACTED),
        ("x-ms-session-token", REDACTED),
        given[7],
        given[8],
    )


def test_a_secret_is_known_again_where_nothing_names_it() -> None:
    secrets = Secrets()
    secrets.body("client_secret=plain-but-secret-1", FORM)

    assert secrets.body('{"echo":"you sent plain-but-secret-1"}', JSON) == '{"echo":"you sent REDACTED"}'
    assert secrets.url("https://x.example/plain-but-secret-1") == "https://x.example/REDACTED"


def test_a_secret_that_a_sentence_tells_before_its_key_does() -> None:
    body = '{"message":"enter the code BCDFGHJKL to sign in","user_code":"BCDFGHJKL"}'

    assert "BCDFGHJKL" not in Secrets().body(body, JSON)


def test_a_word_that_was_a_password_stays_a_word_elsewhere() -> None:
    secrets = Secrets()
    secrets.body('{"password":"Resources"}', JSON)

    assert secrets.known == frozenset()
    assert secrets.scrub("Resources of the tenant") == "Resources of the tenant"


def test_a_reply_that_was_cut_off_is_searched_by_name_too() -> None:
    assert Secrets().body('{"keyId":"k","secretText":"half-of-a-sec', JSON) == '{"keyId":"k","secretText":"REDACTED'


def test_the_hint_of_a_secret_goes_with_it_and_other_hints_stay() -> None:
    body = '{"hint":"take another","c":{"keyId":"k","hint":"abC"}}'

    assert Secrets().body(body, JSON) == '{"hint":"take another","c":{"keyId":"k","hint":"REDACTED"}}'


def test_elements_and_attributes_of_xml() -> None:
    body = '<s:E xmlns:s="urn:x"><o:Password Type="t">p&amp;ss word9</o:Password><t:Item Secret="s3" Id="AAMk"/></s:E>'

    assert Secrets().body(body, "text/xml; charset=utf-8") == (
        '<s:E xmlns:s="urn:x"><o:Password Type="t">REDACTED</o:Password><t:Item Secret="REDACTED" Id="AAMk"/></s:E>'
    )


def test_of_a_page_for_people_the_title_stays() -> None:
    page = '<!DOCTYPE html><html><head><title>Sign in &amp; go</title></head><body><input value="ctx-1"/></body></html>'

    kept = Secrets().body(page, "text/html")

    assert "<title>Sign in &amp; go</title>" in kept
    assert "ctx-1" not in kept
    assert f"{len(page)} characters left out" in kept


VALUES = st.text(alphabet=string.ascii_letters + string.digits + '~._-+/=&%"\\<> ü', min_size=8, max_size=40).map(
    lambda text: f"{text}7Q"
)
NAMES = st.sampled_from(["secretText", "client_secret", "access_token", "refresh_token", "password", "customToken"])
AROUND = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(alphabet='abc {}[]",:', max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abcxyz", min_size=1, max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=120)
@given(value=VALUES, name=NAMES, around=AROUND, depth=st.integers(0, 3), ascii_only=st.booleans())
def test_no_secret_survives_in_any_shape(value: str, name: str, around: Any, depth: int, *, ascii_only: bool) -> None:
    """Under its name at any depth, and then again as a bare text in whatever else is recorded."""
    body: Any = {"first": around, name: value, "last": around}
    for _ in range(depth):
        body = {"inner": [around, body]}
    secrets = Secrets()
    kept = secrets.body(json.dumps(body, ensure_ascii=ascii_only), JSON)
    again = json.loads(secrets.body(json.dumps({"echo": f"<{value}>"}), JSON))["echo"]
    form = parse_qs(secrets.body(urlencode({"x": value, "y": "1"}), FORM))

    assert REDACTED in kept
    assert value not in json.dumps(json.loads(kept), ensure_ascii=False)
    assert value not in again
    assert form["x"] != [value]
    assert form["y"] == ["1"]
