"""Logs go to stderr, ours first, never a token, and leave the loggers as they were."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from mimapp.cli.result import Result

if TYPE_CHECKING:
    from mimapp.cli.command import Run
    from support.command_line import Cli

TOKEN = "eyJ0eXAiOiJKV1QiLCJhbGciOiJub25lIn0.eyJhdWQiOiJodHRwczovL2dyYXBoIn0.c2lnbmF0dXJl"
NAMES = ("mimapp.transport.http", "httpx", "httpcore.http11", "msal.application", "azure.identity")


def body(_run: Run) -> Result:
    for name in NAMES:
        logging.getLogger(name).debug("%s debug", name)
        logging.getLogger(name).info("%s info", name)
    return Result(schema="mimapp.test/1", document={})


@pytest.mark.parametrize(
    ("verbose", "lines"),
    [
        (0, []),
        (1, ["INFO mimapp.transport.http: mimapp.transport.http info"]),
        (
            2,
            [
                "DEBUG mimapp.transport.http: mimapp.transport.http debug",
                "INFO mimapp.transport.http: mimapp.transport.http info",
            ],
        ),
        (
            3,
            [
                "DEBUG mimapp.transport.http: mimapp.transport.http debug",
                "INFO mimapp.transport.http: mimapp.transport.http info",
                "INFO httpx: httpx info",
                "INFO msal.application: msal.application info",
                "INFO azure.identity: azure.identity info",
            ],
        ),
    ],
)
def test_verbosity_chooses_loggers_and_levels(cli: Cli, verbose: int, lines: list[str]) -> None:
    ended = cli.body(body, verbose=verbose)

    assert ended.err.splitlines() == lines
    assert ended.out == ""


def test_what_looks_like_a_token_is_taken_out(cli: Cli) -> None:
    def leak(_run: Run) -> Result:
        logging.getLogger("mimapp.x").info("Authorization: Bearer %s, and %s.", TOKEN, TOKEN[:30])
        return Result(schema="mimapp.test/1", document={})

    assert cli.body(leak, verbose=1).err == "INFO mimapp.x: Authorization: Bearer (token), and (token).\n"


def test_loggers_are_left_as_they_were(cli: Cli) -> None:
    before = [(logging.getLogger(name).level, list(logging.getLogger(name).handlers)) for name in ("mimapp", "httpx")]

    cli.body(body, verbose=3)

    after = [(logging.getLogger(name).level, list(logging.getLogger(name).handlers)) for name in ("mimapp", "httpx")]
    assert after == before
