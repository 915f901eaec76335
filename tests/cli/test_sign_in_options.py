"""What the sign-in options mean, what is missing, what does not go together: said before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from mimapp.cli.connection_options import AUTH_METHODS
from mimapp.identity import Method
from support.certificates import Certificate
from support.microsoft import Machine
from support.tenants import Place
from support.vault import vaults

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from mimapp.identity.remember import Persistence

APP = "00001111-aaaa-2222-bbbb-3333cccc4444"
GUID = "99999999-0000-cccc-1111-dddd2222eeee"
PASSWORD = "replaced-password"


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    monkeypatch.chdir(tmp_path)
    Certificate().write_pem(tmp_path / "open.pem")
    Certificate().write_pem(tmp_path / "locked.pem", PASSWORD.encode())
    Certificate().write_pfx(tmp_path / "locked.pfx", PASSWORD.encode())
    (tmp_path / "wrong").write_text("replaced-other\n", encoding="utf-8")
    (tmp_path / "right").write_text(f"{PASSWORD}\n", encoding="utf-8")
    (tmp_path / "empty").write_text("\n", encoding="utf-8")
    (tmp_path / "guid").write_text(GUID, encoding="utf-8")
    made = Machine(tmp_path / "home")
    yield made
    made.close()


@dataclass(frozen=True)
class Wrong:
    argv: str
    line: str
    hint: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)


AS_APP = f"--client-id {APP}"
WRONG = {
    "no such method": Wrong("--auth password", "--auth: 'password' is none of browser, device-code, azure-cli,"),
    "no such method for one service": Wrong("--exchange-auth x", "--exchange-auth: 'x' is none of browser,"),
    "no client id": Wrong(
        "--auth client-secret",
        "sign-in to Microsoft Graph as an application needs its client id",
        "give --client-id, or set AZURE_CLIENT_ID",
    ),
    "no secret": Wrong(
        f"--auth client-secret {AS_APP}",
        "sign-in to Microsoft Graph with client-secret needs the secret",
        "give --client-secret-file FILE, or set AZURE_CLIENT_SECRET",
    ),
    "no secret for one service": Wrong(
        f"--exchange-auth client-secret {AS_APP}", "sign-in to Exchange Online with client-secret needs the secret"
    ),
    "a secret's id": Wrong(
        f"--auth client-secret {AS_APP} --client-secret-file guid",
        "the client secret has the form of a GUID: this is the secret's id, not its value",
        "copy the value that was shown once when the secret was made",
    ),
    "an empty secret": Wrong(
        f"--auth client-secret {AS_APP} --client-secret-file empty", "--client-secret-file empty is empty"
    ),
    "a secret that is not there": Wrong(
        f"--auth client-secret {AS_APP} --client-secret-file none", "--client-secret-file none cannot be read: No such"
    ),
    "no certificate": Wrong(
        f"--auth certificate {AS_APP}",
        "sign-in to Microsoft Graph with certificate needs a certificate with its private key",
        "give --certificate FILE (PEM or PFX), or set AZURE_CLIENT_CERTIFICATE_PATH",
    ),
    "a certificate that is not there": Wrong(
        f"--auth certificate {AS_APP} --certificate none.pem", "the certificate none.pem cannot be read: No such file"
    ),
    "a certificate without its password": Wrong(
        f"--auth certificate {AS_APP} --certificate locked.pfx",
        "the certificate locked.pfx needs its password",
        "--certificate-password-file FILE, AZURE_CLIENT_CERTIFICATE_PASSWORD, or a terminal to ask at",
    ),
    "a certificate with a wrong password": Wrong(
        f"--auth certificate {AS_APP} --certificate locked.pem --certificate-password-file wrong",
        "the certificate locked.pem cannot be used: its password is wrong, or it is not a PEM file",
    ),
    "a certificate that is none": Wrong(
        f"--auth certificate {AS_APP} --certificate right", "the certificate right cannot be used: it is not a PEM file"
    ),
    "variables of the environment": Wrong(
        "--auth environment",
        "sign-in to Microsoft Graph with environment needs variables that are not all set",
        "set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET or AZURE_CLIENT_CERTIFICATE_PATH",
        {"AZURE_CLIENT_ID": APP},
    ),
    "no platform": Wrong(
        f"--auth workload-identity {AS_APP}",
        "workload-identity found no platform",
        "see docs/sign-in.md for what Kubernetes, GitHub Actions and Azure DevOps have to set",
    ),
    "no client id on a platform": Wrong(
        "--auth workload-identity", "workload-identity needs the client id of the application", "see docs/sign-in.md"
    ),
    "a person's client by the wrong name": Wrong(
        f"--auth device-code {AS_APP}",
        "--client-id is for an application that signs in as itself, and device-code asks a person",
        "a person's own client is given with --graph-client-id and --exchange-client-id",
    ),
    "remembering an application": Wrong(
        f"--auth certificate --certificate open.pem {AS_APP} --remember",
        "--remember keeps a person's sign-in, and no person signs in here",
    ),
    "a program in the sandbox": Wrong(
        "--auth azure-cli --sandbox",
        "--sandbox asks nothing of the real world, and azure-cli would",
        "sign in by device-code, which the simulated administrator answers, or as an application",
    ),
    "a browser in the sandbox": Wrong("--graph-auth browser --sandbox", "--sandbox asks nothing of the real world"),
    "the sandbox's secret for a real host": Wrong(
        f"--auth client-secret {AS_APP}",
        "this client secret is a simulated tenant's: it is not sent to a real host",
        "set --login-url to the served sandbox, or use a real secret",
        {"AZURE_CLIENT_SECRET": "sandbox-operator-of-every-simulated-tenant"},
    ),
    "the sandbox's secret for a real host by the environment": Wrong(
        "--auth environment",
        "this client secret is a simulated tenant's: it is not sent to a real host",
        variables={
            "AZURE_CLIENT_ID": APP,
            "AZURE_TENANT_ID": GUID,
            "AZURE_CLIENT_SECRET": "sandbox-operator-of-every-simulated-tenant",
        },
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_missing_or_wrong_is_one_line_before_anything_is_sent(machine: Machine, name: str) -> None:
    wrong = WRONG[name]
    done = machine("whoami", *wrong.argv.split(), environ=wrong.variables)

    lines = [line for line in done.err.splitlines() if not line.startswith("SANDBOX:")]
    assert done.code == 2, done.err
    assert lines[0].startswith(f"mimapp: {wrong.line}"), done.err
    assert wrong.hint in done.err
    assert done.out == ""
    assert machine.microsoft.requests == []
    for secret in (PASSWORD, GUID, "replaced-other", "sandbox-operator"):
        assert secret not in done.err


@pytest.mark.parametrize("method", ["azure-cli", "azure-powershell"])
def test_what_reaches_graph_only_names_the_pair_that_does(machine: Machine, method: str) -> None:
    done = machine("status", "--mailbox", machine.info.mailbox, "--auth", method)

    assert done.code == 2
    assert f"{method} counts as reaching Microsoft Graph only" in done.err
    assert f"--graph-auth {method} --exchange-auth device-code" in done.err
    assert machine.microsoft.requests == []


def test_a_part_that_needs_graph_only_takes_what_reaches_graph_only(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    done = machine("register", "--mailbox", machine.info.mailbox, "--only", "entra", "--yes", "--auth", "azure-cli")

    assert done.code == 4
    assert "Azure CLI not found" in done.err, "it was tried"


def test_the_methods_are_those_of_the_library() -> None:
    assert tuple(Method) == AUTH_METHODS


@pytest.mark.parametrize(
    ("variables", "asks"),
    [({}, "enter"), ({"DISPLAY": ":0"}, "in a browser"), ({"DISPLAY": ":0", "SSH_TTY": "/dev/pts/1"}, "enter")],
)
def test_without_a_choice_a_person_is_asked_as_this_machine_allows(
    machine: Machine, variables: dict[str, str], asks: str
) -> None:
    world = machine.world(open_browser=lambda _: False)
    done = machine("whoami", world=replace(world, environ=variables))

    assert f"Sign in to Microsoft Graph{':' if asks == 'enter' else ''}" in done.err
    assert asks in done.err


def test_what_a_sign_in_leaves_behind_is_said_before_the_code(machine: Machine) -> None:
    done = machine("status", "--mailbox", machine.info.mailbox)

    notice, code = done.err.splitlines()[:2]
    assert notice.startswith("Microsoft Graph Command Line Tools asks for Application.ReadWrite.All, ")
    assert "stays in the tenant after this command" in notice
    assert code.startswith("Sign in to Microsoft Graph: open https://login.microsoftonline.com/")
    assert done.out.startswith("MIMService@contoso")


def test_two_who_sign_in_by_two_ways(tmp_path: Path) -> None:
    place = Place(tmp_path / "home")
    done = place.remote("whoami", "--graph-auth", "device-code", "--output", "json")
    place.close()

    assert done.code == 0, done.err
    graph, exchange = done.document["services"]
    assert (graph["service"], graph["applicationOnly"], graph["name"]) == ("graph", False, place.info.administrator)
    assert (exchange["service"], exchange["applicationOnly"]) == ("exchange", True)
    assert exchange["clientId"] == place.info.operator_client_id
    assert "Exchange.ManageAsApp" in exchange["permissions"]


def test_a_pipelines_client_id_is_not_a_persons(machine: Machine) -> None:
    """Other products' variables stay set; a person still signs in with Microsoft's client."""
    done = machine("whoami", "--output", "json", environ={"AZURE_CLIENT_ID": APP})

    assert done.code == 0, done.err
    assert done.document["services"][0]["clientId"] == "14d82eec-204b-4c2f-b7e8-296a70dab67e"


def test_what_is_set_for_real_tenants_does_not_keep_the_sandbox_closed(machine: Machine) -> None:
    variables = {"MIMAPP_AUTH": "azure-cli", "MIMAPP_REMEMBER": "true"}
    done = machine("whoami", "--sandbox", environ=variables)

    assert done.code == 0, done.err
    assert machine.microsoft.requests == []


def test_whoami_says_who_where_and_with_which_rights_until_when(machine: Machine) -> None:
    done = machine("whoami", "--output", "json")

    assert done.document["schema"] == "mimapp.whoami/1"
    assert done.document["tenantId"] == machine.info.tenant_id
    assert done.document["tenantName"] == machine.info.tenant_name
    assert done.document["cloud"] == "global"
    graph, exchange = done.document["services"]
    assert graph["permissions"] == ["User.Read"]
    assert graph["expires"] == exchange["expires"] == "2026-11-21T09:59:59Z"
    assert "AdminApi.AccessAsUser.All" in exchange["permissions"]
    assert "Global Administrator" in graph["directoryRoles"]
    text = machine("whoami").out
    for word in ("Worldwide", "Microsoft Graph\n", "Exchange Online\n", machine.info.administrator, "2026-11-21 09:59"):
        assert word in text


def test_whoami_by_a_way_that_reaches_graph_only_says_so(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    done = machine("whoami", "--exchange-auth", "azure-cli", "--graph-auth", "device-code")

    assert done.code == 0, done.err
    assert "Exchange Online\n" not in done.out
    assert "Not signed in to Exchange Online: this way counts as reaching Microsoft Graph only." in done.out


def test_a_remembered_sign_in_asks_nobody_the_next_time_and_logout_forgets_it(machine: Machine) -> None:
    kept: dict[str, str] = {}
    first = machine("whoami", "--remember", world=machine.world(protected_storage=vaults(kept)))
    second = machine("whoami", "--remember", world=machine.world(protected_storage=vaults(kept)))
    without = machine("whoami", world=machine.world(protected_storage=vaults(kept)))

    assert (first.code, second.code, without.code) == (0, 0, 0)
    assert first.err.count("Sign in to") == 2
    assert "Sign in to" not in second.err
    assert without.err.count("Sign in to") == 2, "only who asks for it is remembered"
    assert "sandbox-refresh-" in next(iter(kept.values()))

    out = machine("logout", "--output", "json", world=machine.world(protected_storage=vaults(kept)))
    assert out.document == {"schema": "mimapp.logout/1", "forgotten": True, "sandbox": False}
    assert set(kept.values()) == {"{}"}
    again = machine("logout", world=machine.world(protected_storage=vaults(kept)))
    assert again.out == "No sign-in was remembered.\n"
    third = machine("whoami", "--remember", world=machine.world(protected_storage=vaults(kept)))
    assert third.err.count("Sign in to") == 2


def test_nothing_is_remembered_in_plain_text(machine: Machine) -> None:
    kept: dict[str, str] = {}
    plain = vaults(kept, is_encrypted=False)
    done = machine("whoami", "--remember", world=machine.world(protected_storage=plain))

    assert done.code == 2
    assert done.err.startswith("mimapp: this machine's storage for sign-ins is plain text\n  leave --remember out")
    assert machine.microsoft.requests == []
    assert kept == {}


def test_a_machine_without_protected_storage_says_so_before_anything_is_sent(machine: Machine) -> None:
    def none_here(_: str) -> Persistence:
        raise ImportError("No module named 'gi'")

    done = machine("whoami", "--remember", world=machine.world(protected_storage=none_here))

    assert done.code == 2
    assert done.err.startswith("mimapp: this machine has no protected storage for sign-ins (No module named 'gi')")
    assert machine.microsoft.requests == []


@pytest.mark.parametrize("name", ["locked.pem", "locked.pfx"])
@pytest.mark.parametrize("way", ["file", "variable", "prompt"])
def test_a_certificates_password_by_file_variable_and_prompt(machine: Machine, name: str, way: str) -> None:
    asked: list[str] = []

    def ask(question: str) -> str:
        asked.append(question)
        return PASSWORD

    argv = ["whoami", "--auth", "certificate", "--certificate", name, "--client-id", APP]
    argv += ["--certificate-password-file", "right"] if way == "file" else []
    world = machine.world(stdin="", ask_hidden=ask)
    done = machine(
        *argv, world=world, environ={"AZURE_CLIENT_CERTIFICATE_PASSWORD": PASSWORD} if way == "variable" else {}
    )

    assert done.code == 4, done.err
    assert "the application is not known in this tenant" in done.err, "the certificate was opened, and sent"
    assert asked == ([f"Password of {name}: "] if way == "prompt" else [])
    assert PASSWORD not in done.err


def test_a_prompt_that_nobody_answers(machine: Machine) -> None:
    def end_of_input(_: str) -> str:
        raise EOFError

    argv = ("whoami", "--auth", "certificate", "--certificate", "locked.pem", "--client-id", APP)
    done = machine(*argv, world=machine.world(stdin="", ask_hidden=end_of_input))

    assert done.code == 2
    assert done.err.startswith("mimapp: Password of locked.pem: nothing was typed\n")
