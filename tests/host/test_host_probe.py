from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from defusedxml import ElementTree
from ps_tree import commands, parsed

from mimapp.clouds import CLOUDS
from mimapp.errors import UsageError
from mimapp.exchange import EwsProbe
from mimapp.host.probe import probe_script
from mimapp.transport import Reply, Request

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

APP, TENANT = "213ca08c-94a9-414d-b09f-123456789012", "5c79cea7-0e47-428c-de9c-987654321098"
MAILBOX = "o'brien@contoso.com"


def script(cloud: str = "global") -> str:
    return probe_script(application_id=APP, tenant_id=TENANT, mailbox=MAILBOX, cloud=CLOUDS[cloud]).text


class Sent:
    """Keeps the one request that mimapp itself sends."""

    def __init__(self) -> None:
        self.request: Request | None = None

    def send(self, request: Request) -> Reply:
        self.request = request
        return Reply(status=401)


def shape(root: Element) -> list[tuple[str, tuple[tuple[str, str], ...], str]]:
    return [(one.tag, tuple(sorted(one.attrib.items())), (one.text or "").strip()) for one in root.iter()]


def test_it_parses_and_runs_nothing_but_what_it_says() -> None:
    names = set(commands(parsed(script())))

    assert {"Read-Host", "Invoke-RestMethod", "Invoke-WebRequest"} <= names
    assert names <= {
        "Invoke-RestMethod",
        "Invoke-WebRequest",
        "New-Object",
        "Read-Answer",
        "Read-Host",
        "Write-Output",
    }


def test_values_stand_in_it_as_literals() -> None:
    text = script()

    assert f"$applicationId = '{APP}'" in text
    assert f"$tenantId = '{TENANT}'" in text
    assert "$mailbox = 'o''brien@contoso.com'" in text
    assert "$scope = 'https://outlook.office365.com/.default'" in text
    assert "client_secret = $secret" in text
    assert "Write-Output $secret" not in text


@pytest.mark.parametrize("cloud", CLOUDS)
def test_it_goes_to_the_hosts_of_the_cloud_and_to_no_other(cloud: str) -> None:
    hosts = set(re.findall(r"https://[\w.-]+", script(cloud)))
    row = CLOUDS[cloud]

    assert hosts == {row.login, row.exchange, row.exchange_scope.removesuffix("/.default")}


def test_it_asks_ews_what_mimapp_asks() -> None:
    sent = Sent()
    EwsProbe(sent, CLOUDS["global"].exchange).get_inbox("$address")
    assert sent.request is not None
    body = script().partition('@"\n')[2].partition('\n"@')[0]

    assert shape(ElementTree.fromstring(body)) == shape(ElementTree.fromstring(sent.request.content))
    assert sent.request.url.endswith("/EWS/Exchange.asmx")
    assert "$exchange/EWS/Exchange.asmx" in script()


def test_a_control_character_has_no_business_in_a_script() -> None:
    with pytest.raises(UsageError):
        probe_script(application_id=APP, tenant_id=TENANT, mailbox="a\n@contoso.com", cloud=CLOUDS["global"])
