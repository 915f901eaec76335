"""Every verb has a cassette, every cassette is played, and each says where its replies come from."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

import pytest
from exchange_stage import scripted
from test_ews_probe import ANSWERS, BROKEN
from test_exchange_calls import CALLS
from test_exchange_refusals import REFUSALS

from mimapp.exchange import EwsProbe
from support.player import CASSETTES, Cassette

if TYPE_CHECKING:
    from pathlib import Path

FILES = sorted([*(CASSETTES / "exchange").glob("*.yaml"), *(CASSETTES / "ews").glob("*.yaml")])


def verbs(resource: object) -> set[str]:
    return {name for name, _ in inspect.getmembers(resource, inspect.ismethod) if not name.startswith("_")}


def files(folder: str) -> set[str]:
    return {path.stem for path in FILES if path.parent.name == folder}


def test_every_verb_has_a_cassette() -> None:
    exchange, _ = scripted()
    wanted = {f"{resource}.{verb}" for resource, client in vars(exchange).items() for verb in verbs(client)}
    assert len(wanted) > 25
    assert wanted == {".".join(name.split(".")[:2]) for name in files("exchange")}
    assert verbs(EwsProbe(scripted()[1], "https://x")) == {name.split(".")[0] for name in files("ews")}


def test_every_cassette_is_played() -> None:
    assert files("exchange") == CALLS.keys() | REFUSALS.keys()
    assert files("ews") == ANSWERS.keys() | BROKEN.keys()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_cassette_names_its_source_and_never_looks_recorded(path: Path) -> None:
    provenance = Cassette.load(path).provenance
    assert provenance is not None
    assert provenance.kind == "documented"
    assert provenance.source
    assert provenance.note
