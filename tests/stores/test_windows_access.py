"""Access lists on Windows, by a stand-in for its programs that answers as their documentation has it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from test_file_store import FIRST, VALUE

from mimapp.errors import StoreError
from mimapp.secret import Secret
from mimapp.stores import FileStore, PlainFileStore
from mimapp.stores.private import WindowsAccess
from mimapp.stores.programs import Ended

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

OWN = "S-1-5-21-1004336348-1177238915-682003330-1104"
ADMINISTRATOR = "S-1-5-21-1004336348-1177238915-682003330-500"


@dataclass
class Windows:
    """``whoami`` and ``icacls``: what a new file inherits, and what is left of it.

    https://learn.microsoft.com/windows-server/administration/windows-commands/whoami
    https://learn.microsoft.com/windows-server/administration/windows-commands/icacls
    """

    sid: str = OWN
    stubborn: str = ""
    fails: str = ""
    missing: str = ""
    is_restricted: bool = False
    content_when_restricted: list[bytes] = field(default_factory=list)

    def __call__(
        self,
        words: Sequence[str],
        *,
        stdin: bytes | None = None,
        environ: Mapping[str, str] | None = None,
        seconds: float = 30.0,
    ) -> Ended:
        assert (stdin, environ, seconds) == (None, None, 30.0)
        name, *rest = words
        if name == self.missing:
            raise FileNotFoundError(2, "No such file or directory", name)
        if self.fails and self.fails in words:
            return Ended(code=5, said=b"Successfully processed 0 files\r\nZugriff verweigert\r\n\r\n")
        if name == "whoami":
            assert rest == ["/user", "/fo", "csv", "/nh"]
            return Ended(code=0, said=f'"contoso\\mim-ops","{self.sid}"\r\n'.encode())
        assert name == "icacls"
        path = rest[0]
        if rest[1] == "/save":
            text = f"{Path(path).name}\r\n{self._sddl(path)}\r\n"
            Path(rest[2]).write_bytes(text.encode("utf-16-le"))
            return Ended(code=0, said=b"processed file\r\n")
        assert rest[1:] == ["/inheritance:r", "/grant:r", f"*{self.sid}:F"]
        self.content_when_restricted.append(Path(path).read_bytes())
        self.is_restricted = True
        return Ended(code=0, said=b"processed file\r\n")

    def _sddl(self, path: str) -> str:
        if self.stubborn:
            return self.stubborn
        shown = {"S-1-5-18": "SY"}.get(self.sid, "LA" if self.sid.endswith("-500") else self.sid)
        assert Path(path).exists()
        return f"D:PAI(A;;FA;;;{shown})" if self.is_restricted else "D:AI(A;ID;FA;;;BA)(A;ID;0x1200a9;;;BU)"


@pytest.mark.parametrize("sid", [OWN, ADMINISTRATOR, "S-1-5-18"])
def test_a_file_is_restricted_while_it_is_empty_and_read_back(tmp_path: Path, sid: str) -> None:
    windows = Windows(sid=sid)
    store = FileStore(tmp_path / "mim.json", access=WindowsAccess(windows))
    store.preflight()
    store.put(FIRST)
    assert store.get(FIRST.key_id) == Secret(VALUE)
    assert all(VALUE.encode() not in content for content in windows.content_when_restricted)
    assert len(windows.content_when_restricted) == 2  # the probe of the preflight, and the file


LISTS = {
    "inherits": f"D:AI(A;;FA;;;{OWN})",
    "users read": f"D:PAI(A;;FA;;;{OWN})(A;;0x1200a9;;;BU)",
    "somebody else's": "D:PAI(A;;FA;;;S-1-5-21-1-2-3-9)",
    "everybody's": "D:NO_ACCESS_CONTROL",
    "empty": "D:P",
    "denied": f"D:P(D;;FA;;;{OWN})",
    "no list": "",
}


@pytest.mark.parametrize("sddl", LISTS.values(), ids=LISTS)
def test_a_list_that_lets_others_in_is_found_before_a_secret_is_issued(tmp_path: Path, sddl: str) -> None:
    windows = Windows(stubborn=sddl or " ")
    for store in (
        FileStore(tmp_path / "mim.json", access=WindowsAccess(windows)),
        PlainFileStore(tmp_path / "mim.secret", access=WindowsAccess(windows)),
    ):
        with pytest.raises(StoreError, match="can be read by others: its access list is not this account's alone"):
            store.preflight()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("windows", "reason"),
    [
        (Windows(fails="/inheritance:r"), "icacls ended with 5: Zugriff verweigert"),
        (Windows(fails="/save"), "icacls ended with 5"),
        (Windows(fails="/user"), "whoami ended with 5"),
        (Windows(missing="icacls"), "icacls could not be started"),
        (Windows(sid="nobody"), "whoami does not say which account this is"),
    ],
)
def test_what_windows_refuses_leaves_nothing_behind(tmp_path: Path, windows: Windows, reason: str) -> None:
    store = FileStore(tmp_path / "mim.json", access=WindowsAccess(windows))
    with pytest.raises(StoreError, match=reason):
        store.preflight()
    assert list(tmp_path.iterdir()) == []
