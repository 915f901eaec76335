"""Sign-in by assertion: signed with the application's own certificate, or issued by somebody it trusts."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from assertion_world import AUDIENCE, ISSUER, MINE, SUBJECT, Client, signed, thumbprints
from cryptography.hazmat.primitives.asymmetric import ec

from mimapp.sandbox.sign_in_scenarios import trust_issuer
from support.certificates import Certificate, rsa_key

if TYPE_CHECKING:
    import httpx
    from sandbox_world import World


def refusal(reply: httpx.Response) -> tuple[int, str, int]:
    body = reply.json()
    return reply.status_code, body["error"], body["error_codes"][0]


@pytest.fixture
def client(world: World) -> Client:
    return Client(world, keyCredentials=[MINE.credential])


# An application's own certificate


@pytest.mark.parametrize("algorithm", ["RS256", "PS256"])
def test_a_certificate_signs_in(client: Client, algorithm: str) -> None:
    token = client.sign_in(client.own(algorithm=algorithm)).json()["access_token"]
    claims = jwt.decode(token, options={"verify_signature": False})
    assert (claims["appid"], claims["appidacr"]) == (client.app_id, "2")


def test_the_certificate_itself_is_never_shown(client: Client) -> None:
    shown = client.world.call("GET", f"/applications/{client.app['id']}").json()
    assert shown["keyCredentials"][0]["key"] is None
    assert shown["keyCredentials"][0]["customKeyIdentifier"] == MINE.sha1.hex().upper()
    assert not any(name.startswith("_") for name in shown)


def test_certificates_come_and_go_by_patch(client: Client) -> None:
    world, path = client.world, f"/applications/{client.app['id']}"
    held = world.call("GET", path).json()["keyCredentials"]
    second = Certificate("second")
    assert world.call("PATCH", path, json={"keyCredentials": [*held, second.credential]}).status_code == 204
    assert client.sign_in(client.own()).status_code == 200
    assert client.sign_in(client.own(second)).status_code == 200
    left = world.call("GET", path).json()["keyCredentials"][1:]
    assert world.call("PATCH", path, json={"keyCredentials": left}).status_code == 204
    assert refusal(client.sign_in(client.own()))[2] == 700027
    assert client.sign_in(client.own(second)).status_code == 200


@pytest.mark.parametrize(
    "name",
    [
        "{origin}/contoso.onmicrosoft.com/oauth2/v2.0/token",
        "{origin}/{tenant}/v2.0",
        "{origin}/CONTOSO.onmicrosoft.com/oauth2/token",
    ],
)
def test_the_audience_is_this_tenant_by_any_name(client: Client, name: str) -> None:
    audience = name.format(origin=client.world.sandbox.origin, tenant=client.world.info.tenant_id)
    assert client.sign_in(client.own(aud=audience)).status_code == 200


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"aud": "https://login.microsoftonline.com/contoso.onmicrosoft.com/oauth2/v2.0/token"}, 700023),
        ({"aud": "https://sandbox.invalid/common/oauth2/v2.0/token"}, 700023),
        ({"aud": "https://sandbox.invalid"}, 700023),
        ({"aud": None}, 700023),
        ({"sub": "somebody else"}, 700021),
        ({"exp": None}, 50027),
        ({"exp": "tomorrow"}, 50027),
        ({"nbf": None}, 50027),
    ],
)
def test_claims_that_prove_nothing(client: Client, changes: dict[str, Any], code: int) -> None:
    assert refusal(client.sign_in(client.own(**changes))) == (401, "invalid_client", code)


def test_a_clock_that_is_ten_minutes_off(client: Client) -> None:
    now = int(client.world.clock.now().timestamp())
    late = client.sign_in(client.own(nbf=now - 1200, exp=now - 600))
    early = client.sign_in(client.own(nbf=now + 600, exp=now + 1200))
    assert refusal(late) == refusal(early) == (401, "invalid_client", 700024)
    assert "Current time: 2026-11-21T09:00:00Z, assertion valid from" in late.json()["error_description"]
    near = client.sign_in(client.own(nbf=now + 200, exp=now + 800))
    assert near.status_code == 200


def test_a_certificate_that_nobody_registered(client: Client) -> None:
    reply = client.sign_in(client.own(Certificate("stranger")))
    assert refusal(reply) == (401, "invalid_client", 700027)
    assert f"Thumbprint of key used by client: '{Certificate('stranger').sha1.hex().upper()}'" in reply.text


def test_a_signature_of_another_key(client: Client) -> None:
    claims = jwt.decode(client.own(), options={"verify_signature": False})
    forged = signed(claims, rsa_key("stranger"), "RS256", {"x5t": thumbprints(MINE)["x5t"]})
    reply = client.sign_in(forged)
    assert refusal(reply) == (401, "invalid_client", 700027)
    assert "use of the key to verify the signature failed" in reply.text


def test_a_certificate_that_has_expired(world: World) -> None:
    short = Certificate("mine", ends=dt.datetime(2026, 12, 1, tzinfo=dt.UTC))
    client = Client(world, keyCredentials=[short.credential])
    assert client.sign_in(client.own(short)).status_code == 200
    world.clock.advance(timedelta(days=20))
    reply = client.sign_in(client.own(short))
    assert refusal(reply) == (401, "invalid_client", 700027)
    assert "The key used is expired." in reply.text


def test_what_is_no_assertion(client: Client) -> None:
    claims = jwt.decode(client.own(), options={"verify_signature": False})
    elliptic = signed(claims, ec.generate_private_key(ec.SECP256R1()), "ES256", thumbprints(MINE))
    nameless = signed(claims, MINE.key, "RS256", {})
    for text in ("no.jwt.at-all", "", elliptic, nameless):
        assert refusal(client.sign_in(text)) == (401, "invalid_client", 50027)
    untyped = client.sign_in(client.own(), client_assertion_type="something else")
    assert refusal(untyped) == (400, "invalid_request", 900144)


def test_a_client_that_shows_nothing(client: Client) -> None:
    form = {
        "grant_type": "client_credentials",
        "client_id": client.app_id,
        "scope": "https://graph.microsoft.com/.default",
    }
    reply = client.world.http.post(f"/{client.world.info.tenant_id}/oauth2/v2.0/token", data=form)
    assert refusal(reply) == (401, "invalid_client", 7000216)


def test_a_thumbprint_that_is_none_is_repeated_as_it_is(client: Client) -> None:
    claims = jwt.decode(client.own(), options={"verify_signature": False})
    reply = client.sign_in(signed(claims, MINE.key, "RS256", {"x5t": "A"}))
    assert refusal(reply)[2] == 700027
    assert "Thumbprint of key used by client: 'A'" in reply.text


def test_an_elliptic_key_is_no_key_for_an_assertion(world: World) -> None:
    from cryptography import x509  # noqa: PLC0415 - only here is such a certificate
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415 - as above

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([])
    begin = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    ).not_valid_before(begin).not_valid_after(begin + timedelta(days=900)).sign(key, hashes.SHA256())  # fmt: skip
    der = made.public_bytes(serialization.Encoding.DER)
    client = Client(world, keyCredentials=[MINE.credential | {"key": base64.b64encode(der).decode()}])
    claims = jwt.decode(client.own(), options={"verify_signature": False})
    thumbprint = base64.urlsafe_b64encode(hashlib.sha1(der).digest()).rstrip(b"=").decode()  # noqa: S324 - x5t is one
    assert refusal(client.sign_in(signed(claims, MINE.key, "RS256", {"x5t": thumbprint})))[2] == 700027


# Another issuer's token


def test_a_trusted_issuers_token_signs_in(client: Client) -> None:
    client.trust()
    token = client.sign_in(client.federated()).json()["access_token"]
    assert jwt.decode(token, options={"verify_signature": False})["appid"] == client.app_id
    several = client.federated(aud=["somebody", AUDIENCE])
    assert client.sign_in(several).status_code == 200


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"iss": "https://other.example"}, 700211),
        ({"iss": f"{ISSUER}/"}, 700211),
        ({"sub": "system:serviceaccount:mim:other"}, 700213),
        ({"sub": SUBJECT.lower()}, 7002138),
        ({"aud": "https://other.example"}, 700212),
        ({"exp": 1}, 700024),
    ],
)
def test_a_token_that_no_record_matches(client: Client, changes: dict[str, Any], code: int) -> None:
    client.trust()
    assert refusal(client.sign_in(client.federated(**changes))) == (401, "invalid_client", code)


def test_the_signature_counts_where_the_issuers_keys_are_known(client: Client) -> None:
    client.trust()
    key = jwt.algorithms.RSAAlgorithm.to_jwk(rsa_key("cluster").public_key(), as_dict=True) | {"kid": "k1"}
    trust_issuer(client.world.sandbox, ISSUER, {"keys": [key]})
    assert client.sign_in(client.federated()).status_code == 200
    assert refusal(client.sign_in(client.federated(rsa_key("stranger")))) == (401, "invalid_client", 700027)
    trust_issuer(client.world.sandbox, ISSUER, {"keys": [key | {"kid": "k2"}]})
    assert refusal(client.sign_in(client.federated())) == (401, "invalid_client", 700027)
    trust_issuer(client.world.sandbox, ISSUER, None)
    assert client.sign_in(client.federated(rsa_key("stranger"))).status_code == 200
