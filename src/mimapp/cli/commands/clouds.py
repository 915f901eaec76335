"""``mimapp clouds``: the Microsoft clouds that mimapp knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mimapp.cli.command import Run, command
from mimapp.cli.options import NoOptions
from mimapp.cli.result import Line, Result, Table
from mimapp.clouds import CLOUDS, DEFAULT_CLOUD

if TYPE_CHECKING:
    from mimapp.clouds import Cloud

__all__ = ["clouds"]


@command(NoOptions)
def clouds(_run: Run, _options: NoOptions) -> Result:
    """List the Microsoft clouds, their hosts, and when EWS ends in each."""
    rows = tuple(CLOUDS.values())
    return Result(
        schema="mimapp.clouds/1",
        document={
            "clouds": [
                {
                    "key": row.key,
                    "title": row.title,
                    "login": row.login,
                    "graph": row.graph,
                    "exchange": row.exchange,
                    "graphScope": row.graph_scope,
                    "exchangeScope": row.exchange_scope,
                    "ewsEnds": None if row.ews_ends is None else row.ews_ends.isoformat(),
                    "unknowns": list(row.unknowns),
                    "default": row.key == DEFAULT_CLOUD,
                }
                for row in rows
            ]
        },
        text=(
            Table(
                ("cloud", "name", "sign-in", "Graph", "Exchange", "EWS ends"),
                [
                    (row.key, row.title, _host(row.login), _host(row.graph), _host(row.exchange), _end(row))
                    for row in rows
                ],
            ),
            *_unknowns(rows),
        ),
    )


def _host(url: str) -> str:
    return url.removeprefix("https://")


def _end(row: Cloud) -> str:
    return "no date known" if row.ews_ends is None else row.ews_ends.isoformat()


def _unknowns(rows: tuple[Cloud, ...]) -> tuple[Line, ...]:
    """What no source says, each sentence once, with the clouds that it is about."""
    about: dict[str, list[str]] = {}
    for row in rows:
        for sentence in row.unknowns:
            about.setdefault(sentence, []).append(row.key)
    if not about:
        return ()
    sentences = (Line(f"{', '.join(keys)}: {sentence}", "dim") for sentence, keys in about.items())
    return (Line(), Line("Not known:", "heading"), *sentences)
