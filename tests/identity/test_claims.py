from __future__ import annotations

from datetime import UTC, datetime

import pytest

from mimapp.identity import Operator, TokenClaims
from support.player import unsigned_token

TENANT = "aaaabbbb-0000-cccc-1111-dddd2222eeee"
GRAPH_CLIENT = "14d82eec-204b-4c2f-b7e8-296a70dab67e"


def test_a_delegated_token() -> None:
    claims = TokenClaims.of(
        unsigned_token(
            {
                "aud": "https://graph.microsoft.com",
                "tid": TENANT.upper(),
                "appid": GRAPH_CLIENT,
                "oid": "AAAA0000-0000-0000-0000-000000000001",
                "upn": "admin@contoso.com",
                "scp": "Application.ReadWrite.All User.Read",
                "wids": ["62e90394-69f5-4237-9190-012177145e10", "b79fbf4d-3ef9-4689-8143-76b194e85509"],
                "exp": 1795251600,
            }
        )
    )
    assert claims.tid == TENANT
    assert claims.scopes == {"Application.ReadWrite.All", "User.Read"}
    assert claims.expires == datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
    assert not claims.is_app_only
    operator = Operator.of(claims)
    assert operator.name == "admin@contoso.com"
    assert operator.directory_roles == ("Global Administrator",)
    assert operator.oid == "aaaa0000-0000-0000-0000-000000000001"


def test_an_application_token_of_version_2() -> None:
    claims = TokenClaims.of(
        unsigned_token({"azp": "00001111-AAAA-2222-bbbb-3333cccc4444", "roles": ["full_access_as_app"]})
    )
    assert claims.app_id == "00001111-aaaa-2222-bbbb-3333cccc4444"
    assert claims.is_app_only
    assert Operator.of(claims).name == "application 00001111-aaaa-2222-bbbb-3333cccc4444"


@pytest.mark.parametrize(("idtyp", "app_only"), [("app", True), ("user", False)])
def test_idtyp_decides_where_it_is_there(idtyp: str, app_only: bool) -> None:  # noqa: FBT001 - a column of the table
    assert TokenClaims.of(unsigned_token({"idtyp": idtyp})).is_app_only is app_only


def test_an_unknown_directory_role_keeps_its_id() -> None:
    claims = TokenClaims.of(unsigned_token({"wids": ["11111111-2222-3333-4444-555555555555"]}))
    assert Operator.of(claims).directory_roles == ("11111111-2222-3333-4444-555555555555",)


@pytest.mark.parametrize("token", ["opaque", "a.b.c", "a.bm8.c", "", "..", "a.WzFd.c"])
def test_a_token_that_is_no_jwt_says_nothing(token: str) -> None:
    assert TokenClaims.of(token) == TokenClaims()


def test_claims_of_the_wrong_type_are_left_out() -> None:
    token = unsigned_token({"tid": 1, "roles": "x", "wids": [1, "A"], "exp": True, "scp": None})
    assert TokenClaims.of(token) == TokenClaims(wids=frozenset({"a"}))


def test_a_moment_that_no_calendar_has_is_none() -> None:
    assert TokenClaims.of(unsigned_token({"exp": 10**20})).expires is None
