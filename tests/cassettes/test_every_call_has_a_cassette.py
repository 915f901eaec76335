"""No client call without a cassette whose replies are Microsoft's: recorded, or written after a page that it names.

A client is a class that a room exports and that is built on a `Sender` or an `Http`, directly or by way of another
class of its room; its calls are its public methods. An exported function that takes one is a call too. The cassettes
of `mimapp.<room>.<Class>.<method>` are ``cassettes/<room>/<class>.<method>[.<variant>].yaml``, the class in snake
case; what is named otherwise stands in `NAMED`.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from typing import TYPE_CHECKING, Any

import pytest

from support.player import CASSETTES, Cassette, Provenance

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROOMS = ("graph", "exchange", "identity")
TRANSPORT = frozenset({"Sender", "Http"})
# What counts: replies whose source others can open. A page or thread; a file of a repository at a commit, or a person.
TRUSTED = {
    "documented": re.compile(r"https://[\w.-]+/\S+"),
    "recorded": re.compile(r"[\w.-]+/[\w.-]+@[0-9a-f]{7,40} \S+|recorded by \S+"),
}

# Calls whose cassettes have another name than the rule gives, by the beginning of that name.
NAMED = {
    "exchange.OrganizationSettings.": "exchange/organization.",
    "exchange.EwsProbe.": "ews/",
    "identity.AppSignIn.token": "login/app-token",
    "identity.discover": "login/discovery",
    "identity.detect": "login/discovery",
    "identity.find_tenant": "login/discovery",
    # The sign-in of the operator is azure-identity's traffic, and the same in every cloud's first calls.
    "identity.OperatorSignIn.": "login/cloud",
    "identity.Bearer.": "login/cloud",
    "identity.AsApplication.send": "ews/get_inbox",
}
FOLDERS = ("graph", "exchange", "ews", "login")


def modules(room: str) -> list[Any]:
    package = importlib.import_module(f"mimapp.{room}")
    names = [info.name for info in pkgutil.iter_modules(package.__path__)]
    return [package, *(importlib.import_module(f"mimapp.{room}.{name}") for name in names)]


def parameter_types(target: Any) -> set[str]:
    """The names in the annotations of a function's parameters, which are texts where they are for checkers only."""
    if not inspect.isfunction(target):
        return set()  # a constructor in C: the model of a reply, an enumeration
    parameters = inspect.signature(target).parameters.values()
    return {word for one in parameters for word in re.findall(r"\w+", str(one.annotation))}


def clients(room: str) -> set[str]:
    """The names of the room's classes that send something."""
    classes = {
        name: value
        for module in modules(room)
        for name, value in vars(module).items()
        if inspect.isclass(value) and value.__module__.startswith(f"mimapp.{room}")
    }
    found: set[str] = set()
    while True:
        more = {
            name
            for name, value in classes.items()
            if parameter_types(vars(value).get("__init__")) & (TRANSPORT | found)
        }
        if more <= found:
            return found
        found |= more


def calls(room: str) -> Iterator[str]:
    """Every call of a room as ``room.Class.method`` or ``room.function``."""
    package = importlib.import_module(f"mimapp.{room}")
    sending = clients(room)
    for name in package.__all__:
        value = getattr(package, name)
        if inspect.isclass(value) and name in sending:
            yield from (
                f"{room}.{name}.{method}"
                for method, function in vars(value).items()
                if inspect.isfunction(function) and not method.startswith("_")
            )
        elif inspect.isfunction(value) and parameter_types(value) & TRANSPORT:
            yield f"{room}.{name}"


def stem(call: str) -> str:
    """How the names of a call's cassettes begin, below ``cassettes/``."""
    named = next((target for source, target in NAMED.items() if call.startswith(source)), None)
    room, *rest = call.split(".")
    if named is None:
        owner = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", rest[0]).lower()
        return "/".join([room, ".".join([owner, *rest[1:]])])
    return named + rest[-1] if named.endswith((".", "/")) else named


def cassettes_of(call: str) -> list[Path]:
    folder, _, begin = stem(call).rpartition("/")
    return [path for path in (CASSETTES / folder).glob("*.yaml") if f"{path.stem}.".startswith(f"{begin}.")]


def is_trusted(provenance: Provenance | None) -> bool:
    if provenance is None or provenance.kind not in TRUSTED:
        return False
    return TRUSTED[provenance.kind].search(provenance.source) is not None


CALLS = [call for room in ROOMS for call in calls(room)]
FILES = sorted(CASSETTES.rglob("*.yaml"))


def test_the_calls_are_found() -> None:
    assert "graph.Applications.upsert" in CALLS
    assert "graph.Credentials.add_password" in CALLS
    assert "exchange.AccessPolicies.create" in CALLS
    assert "identity.AppSignIn.token" in CALLS
    assert not [call for call in CALLS if call.startswith("graph.Application.")], "a model is no client"


@pytest.mark.parametrize("call", CALLS)
def test_a_call_has_a_cassette_of_microsofts_replies(call: str) -> None:
    origins = [Cassette.load(path).provenance for path in cassettes_of(call)]
    assert any(is_trusted(origin) for origin in origins), f"no recorded or documented {stem(call)}[.variant].yaml"


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_cassette_says_where_it_comes_from_and_belongs_to_a_call(path: Path) -> None:
    cassette = Cassette.load(path)
    provenance = cassette.provenance
    assert provenance is not None
    assert provenance.source.strip()
    assert provenance.kind != "recorded" or is_trusted(provenance)
    assert any(path in cassettes_of(call) for call in CALLS), "no call has this name"
    headers = {name for one in cassette.interactions for name in one.response_headers}
    looks_recorded = headers & {"x-ms-ags-diagnostic", "x-ms-resource-unit"}
    assert provenance.kind == "recorded" or not looks_recorded, "only the service itself sends these headers"


def test_what_is_made_up_does_not_count() -> None:
    assert is_trusted(Provenance(kind="documented", source="https://learn.microsoft.com/graph/api/application-get"))
    assert is_trusted(Provenance(kind="recorded", source="Azure/azure-cli@34e8d1941567 src/x.yaml"))
    assert not is_trusted(Provenance(kind="documented", source="made up: a proxy's page"))
    assert not is_trusted(Provenance(kind="recorded", source="https://learn.microsoft.com/graph/api/application-get"))
    assert not is_trusted(Provenance(kind="sandbox", source="https://learn.microsoft.com/graph/api/application-get"))
    assert not is_trusted(None)


def test_every_folder_is_known() -> None:
    assert {path.parent.name for path in FILES} <= set(FOLDERS)
