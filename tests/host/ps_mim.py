"""A MIM Service node for the secret script: DPAPI, the service and its token, tasks, pipes, events, a CMS envelope.

DPAPI here is a stand-in with its real outer form (header, base64); what is real is all that happens before and after
the Windows call. MIM's behaviour is what is known of it: it reads the secret at start, gets a token with a right one
and writes it below its account's part of the registry, or logs its token message.
"""

from __future__ import annotations

import base64
import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.serialization import pkcs7
from ps_values import Bag, Host, PsError, Value, shown
from ps_windows import Windows, enum
from registry_model import Registry

from mimapp.host.registry import MIM_KEY, SECRET_NAME, SERVICE_KEY

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from ps_run import Call

HEADER = bytes.fromhex("01000000d08c9ddf0115d1118c7a00c04fc297eb")
APP = "213ca08c-94a9-414d-b09f-123456789012"
OLD, NEW, BAD = "old-secret-REDACTED-0001", "new-secret-REDACTED-0002", "bad-secret-REDACTED-0003"
SIDS = {
    r"CONTOSO\svcMIM": "S-1-5-21-1-2-3-1001",
    r"CONTOSO\svcMIM$": "S-1-5-21-1-2-3-1002",
    r"MIM01\admin": "S-1-5-21-9",
}
EVENT = "The Forefront Identity Manager Service cannot connect to the Exchange Web Service."
MESSAGE = (
    "Could not get access token for office365 mailbox. Probably registry value is empty because token was not obtained."
)
IMAGE = r"C:\Program Files\MIM\Microsoft.ResourceManagement.Service.exe"
KEY_IMAGE = r"C:\Program Files\MIM\Microsoft.IdentityManagement.KeyProtectService.exe"
SCRIPT = r"C:\run\mimapp-secret.ps1"


def protect(plain: bytes, sid: str) -> bytes:
    """What DPAPI would give for this account: its header, then something that only the account opens."""
    return HEADER + sid.encode() + b"\0" + plain[::-1]


def unprotect(blob: bytes, sid: str) -> bytes:
    """The plain bytes, or DPAPI's refusal."""
    start = HEADER + sid.encode() + b"\0"
    if not blob.startswith(start):
        raise PsError(
            "Key not valid for use in specified state.", "System.Security.Cryptography.CryptographicException"
        )
    return blob[len(start) :][::-1]


def stored(secret: str, sid: str) -> str:
    """The registry text for a secret."""
    return base64.b64encode(protect(secret.encode("utf-16-le"), sid)).decode()


class Node(Windows):
    """One MIM Service node with a working old secret."""

    def __init__(self, account: str) -> None:
        super().__init__(Registry())
        self.account, self.sid = account, SIDS[account]
        self.user = r"MIM01\admin"
        self.live = {OLD, NEW}
        self.logs_message = True
        self.token_after = 5.0
        self.asks = True
        self.mail_works = True
        self.prompt = NEW
        self.batch_right = True
        self.stop_fails = False
        self.native_code = 0
        self.token_while_stopping = False
        self.key_service_breaks = False
        self.services: dict[str, str] = {"FIMService": "Running"}
        self.key_service_account = ""
        self.pipe: list[bytes] = []
        self.plain_seen: list[bytes] = []
        self.folder_rights: list[Value] = []
        self.tasks: list[str] = []
        self.events: list[Bag] = []
        self.due: list[tuple[datetime, str]] = []
        self.cleared = 0
        self.envelope_key: tuple[x509.Certificate, RSAPrivateKey] | None = None
        self.script = ""
        put = self.registry.put
        put("HKLM", SERVICE_KEY, "ObjectName", "String", account)
        put("HKLM", SERVICE_KEY, "ImagePath", "ExpandString", f'"{IMAGE}"')
        put("HKLM", MIM_KEY, "ExchangeOnlineApplicationID", "String", APP)
        put("HKLM", MIM_KEY, SECRET_NAME, "String", stored(OLD, self.sid))
        put("HKU", rf"{self.sid}\{MIM_KEY}", "Unknown", "String", "old-token." * 40)
        self.files[KEY_IMAGE.lower()] = "program"
        self.now += timedelta(hours=1)
        self._install()

    @property
    def value(self) -> str:
        """What the registry holds as the secret."""
        found = self.registry.get("HKLM", MIM_KEY, SECRET_NAME)
        assert found is not None
        assert found[0] == "String"
        return str(found[1])

    def run(self, text: str, **arguments: Value) -> tuple[int, list[str]]:
        """Run the script, as whoever `user` is."""
        self.script = text
        self.files[SCRIPT.lower()] = text
        machine = self.machine(PSCommandPath=SCRIPT, LASTEXITCODE=0)
        code = machine.run(text, **arguments)
        return code, machine.output + machine.what_if

    def sleep(self, seconds: float) -> None:
        """Time passes, and what was due happens."""
        end = self.now + timedelta(seconds=seconds)
        for moment, what in sorted(self.due):
            if moment > end:
                continue
            self.due.remove((moment, what))
            self.now = moment
            if what == "token":
                self.registry.put("HKU", rf"{self.sid}\{MIM_KEY}", "Unknown", "String", "new-token." * 40)
            else:
                self.log(12 if what == EVENT else 3, what)
        self.now = end

    def log(self, number: int, text: str) -> None:
        """An entry of the Application log, now."""
        self.events.insert(0, Bag([("Id", number), ("Message", text), ("TimeCreated", self.now)], table=False))

    def _start_mim(self) -> None:
        self.services["FIMService"] = "Running"
        try:
            secret = unprotect(base64.b64decode(self.value), self.sid).decode("utf-16-le")
        except PsError:
            secret = ""
        soon = self.now + timedelta(seconds=self.token_after)
        if not self.asks:
            return
        if secret in self.live:
            self.due.append((soon, "token"))
        elif self.logs_message:
            self.due.append((soon, MESSAGE))
        if secret not in self.live or not self.mail_works:
            self.due.append((soon, EVENT))

    # -- what the script reaches -----------------------------------------------------------------------------------

    def _install(self) -> None:
        self.extra_types |= {
            "MimappRegistry": Host("MimappRegistry", methods={"written": lambda key: key.written}),
            "Security.Principal.SecurityIdentifier": Host("SecurityIdentifier", methods={"cast": lambda value: value}),
            "Security.Principal.WindowsIdentity": Host("WindowsIdentity", methods={"getcurrent": self._identity}),
            "Security.Cryptography.ProtectedData": Host(
                "ProtectedData", methods={"protect": self._protect, "unprotect": self._unprotect}
            ),
            "Security.Cryptography.DataProtectionScope": enum("DataProtectionScope", "CurrentUser", "LocalMachine"),
            "Security.Cryptography.SHA256": Host("SHA256", methods={"create": _sha256}),
            "Text.Encoding": Host(
                "Encoding", properties={"unicode": lambda: _encoding("utf-16-le"), "utf8": lambda: _encoding("utf-8")}
            ),
            "Convert": Host(
                "Convert",
                methods={
                    "tobase64string": lambda data: base64.b64encode(data).decode(),
                    "frombase64string": _from_base64,
                },
            ),
            "Array": Host("Array", methods={"clear": self._clear}),
            "Guid": Host("Guid", methods={"newguid": lambda: "11111111-2222-3333-4444-555555555555"}),
            "Runtime.InteropServices.Marshal": Host(
                "Marshal",
                methods={
                    "securestringtobstr": lambda secure: secure["text"],
                    "ptrtostringbstr": lambda pointer: pointer,
                    "zerofreebstr": lambda _: None,
                },
            ),
            "Globalization.DateTimeStyles": enum("DateTimeStyles", "RoundtripKind"),
            "Globalization.CultureInfo": Host("CultureInfo", properties={"invariantculture": lambda: "invariant"}),
            "IO.Path": Host("Path", methods={"getdirectoryname": lambda path: path.rpartition("\\")[0]}),
        }
        nothing: set[str] = set()
        self.extra_commands |= {
            "Add-Type": (lambda _: None, {"TypeDefinition", "AssemblyName"}, nothing),
            "Get-WinEvent": (self._get_events, {"FilterHashtable", "MaxEvents"}, nothing),
            "Get-Service": (self._get_service, {"Name"}, nothing),
            "Stop-Service": (self._stop, {"Name"}, {"Force"}),
            "Start-Service": (lambda _: self._start_mim(), {"Name"}, nothing),
            "Read-Host": (lambda _: Bag([("text", self.prompt)], table=False), {"Prompt"}, {"AsSecureString"}),
            "Unprotect-CmsMessage": (self._open_envelope, {"LiteralPath"}, nothing),
            "icacls.exe": (self._icacls, nothing, nothing),
            "sc.exe": (self._sc, nothing, nothing),
            "New-ScheduledTaskAction": (
                lambda call: Bag(call.named.items(), table=False),
                {"Execute", "Argument"},
                nothing,
            ),
            "New-ScheduledTaskPrincipal": (
                lambda call: Bag(call.named.items(), table=False),
                {"UserId", "LogonType"},
                nothing,
            ),
            "Register-ScheduledTask": (self._register, {"TaskName", "Action", "Principal"}, nothing),
            "Start-ScheduledTask": (self._start_task, {"TaskName"}, nothing),
            "Unregister-ScheduledTask": (self._unregister, {"TaskName", "Confirm"}, nothing),
        }

    def _types(self) -> dict[str, Host]:
        found = super()._types()
        found["IO.File"].methods |= {
            "writealltext": lambda path, text, *_: self.files.__setitem__(path.lower(), text),
            "copy": lambda one, other, _: self.files.__setitem__(other.lower(), self.files[one.lower()]),
        }
        found["DateTime"].methods |= {
            "parse": lambda text, culture, style: datetime.fromisoformat(text),  # noqa: ARG005 - as in .NET
            "cast": lambda value: value,
        }
        return found

    def _identity(self) -> Value:
        return Bag([("User", Bag([("Value", SIDS[self.user])], table=False))], table=False)

    def _protect(self, plain: bytes, entropy: Value, scope: Value) -> bytes:
        assert entropy is None
        assert scope.name == "CurrentUser"
        self.plain_seen.append(bytes(plain))
        return protect(plain, SIDS[self.user])

    def _unprotect(self, blob: bytes, entropy: Value, scope: Value) -> bytes:
        assert entropy is None
        assert scope.name == "CurrentUser"
        return unprotect(blob, SIDS[self.user])

    def _clear(self, data: bytes, start: int, length: int) -> None:
        assert (start, length) == (0, len(data))
        self.cleared += 1

    def _get_events(self, call: Call) -> Value:
        query = call.named["FilterHashtable"]
        found = [one for one in self.events if one["TimeCreated"] >= query["StartTime"]]
        if not found:
            error = PsError("No events were found that match the specified selection criteria.")
            error.identifier = "NoMatchingEventsFound,Microsoft.PowerShell.Commands.GetWinEventCommand"
            raise error
        return found

    def _get_service(self, call: Call) -> Value:
        name = call.named.get("Name")
        if name is None:
            return [Bag([("Name", one)], table=False) for one in self.services]
        if name not in self.services:
            raise PsError(f"Cannot find any service with service name '{name}'.")

        def wait(status: str, _limit: str) -> None:
            if self.services[name] != status:
                raise PsError("Time out has expired.", "System.ServiceProcess.TimeoutException")

        return Host(
            "ServiceController",
            methods={
                "start": lambda argument: self._start_key_service(name, argument),
                "stop": lambda: self.services.__setitem__(name, "Stopped"),
                "waitforstatus": wait,
            },
            properties={"status": lambda: self.services[name]},
        )

    def _stop(self, call: Call) -> Value:
        assert call.named == {"Name": "FIMService", "Force": True}
        if self.stop_fails:
            raise PsError("Service 'FIMService' cannot be stopped.")
        self.now += timedelta(seconds=3)
        if self.token_while_stopping:
            self.registry.put("HKU", rf"{self.sid}\{MIM_KEY}", "Unknown", "String", "last-token." * 40)
        self.services["FIMService"] = "Stopped"
        self.due.clear()

    def _open_envelope(self, call: Call) -> Value:
        assert self.envelope_key is not None
        certificate, key = self.envelope_key
        data = self.files[call.named["LiteralPath"].lower()]
        assert data.startswith("-----BEGIN CMS-----")
        body = base64.b64decode("".join(data.strip().splitlines()[1:-1]))
        return pkcs7.pkcs7_decrypt_der(body, certificate, key, []).decode()

    def _icacls(self, call: Call) -> Value:
        self.folder_rights = call.positional
        call.machine.scopes[0]["lastexitcode"] = self.native_code

    def _sc(self, call: Call) -> Value:
        verb, name, *rest = [shown(one) for one in call.positional]
        call.machine.scopes[0]["lastexitcode"] = self.native_code
        if self.native_code:
            return
        if verb == "create":
            assert rest[0] == "binpath="
            assert rest[1] == KEY_IMAGE
            assert rest[-2] == "obj="
            self.services[name] = "Stopped"
            self.key_service_account = rest[-1]
        else:
            assert verb == "delete"
            del self.services[name]

    def _start_key_service(self, name: str, argument: str) -> None:
        assert (name, argument) == ("MIMKeyProtectService", "e")
        self.services[name] = "Running"

    def _register(self, call: Call) -> Value:
        assert call.named["Principal"]["LogonType"] == "Password"
        assert call.named["Principal"]["UserId"] == self.account
        assert call.named["Action"]["Execute"] == r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe"
        self.tasks.append(call.named["TaskName"])
        self._task_words = call.named["Action"]["Argument"]
        return "task"

    def _start_task(self, call: Call) -> Value:
        assert call.named["TaskName"] in self.tasks
        if not self.batch_right:
            return
        found = re.search(r'-File "([^"]+)" -Phase (\w+) -WorkFolder "([^"]+)"', self._task_words)
        assert found
        before, self.user = self.user, self.account
        machine = self.machine(PSCommandPath=found[1], LASTEXITCODE=0)
        assert machine.run(self.files[found[1].lower()], Phase=found[2], WorkFolder=found[3]) == 0
        self.user = before

    def _unregister(self, call: Call) -> Value:
        assert call.named["Confirm"] is False
        self.tasks.remove(call.named["TaskName"])

    def new_object(self, kind: str, arguments: list[Value]) -> Value:
        match kind:
            case "security.principal.ntaccount":
                found = Bag([("Value", SIDS[arguments[0]])], table=False)
                return Host("NTAccount", methods={"translate": lambda _: found})
            case "text.utf8encoding":
                assert arguments == [False], "without a mark"
                return "utf-8"
            case "io.pipes.namedpipeclientstream":
                assert arguments[:2] == [".", "keypipe"]
                return Host("NamedPipe", methods={"connect": lambda _: None, "dispose": lambda: None})
            case "io.streamwriter":
                return Host(
                    "StreamWriter",
                    methods={"write": self._send, "dispose": lambda: None},
                    setters={"autoflush": lambda _: None},
                )
            case "io.streamreader":
                return Host("StreamReader", methods={"readtoend": self._receive, "dispose": lambda: None})
            case _:
                raise AssertionError(kind)

    def _send(self, text: str) -> None:
        # A StreamWriter's own encoding: UTF-8 without a mark.
        self.pipe.append(text.encode())

    def _receive(self) -> str:
        if self.key_service_breaks:
            return ""
        secret = self.pipe[-1].decode()
        return stored(secret, SIDS[self.key_service_account])


def _encoding(name: str) -> Host:
    return Host(
        "Encoding",
        methods={"getbytes": lambda text: text.encode(name), "getstring": lambda data: bytes(data).decode(name)},
    )


def _from_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise PsError("The input is not a valid Base-64 string.", "System.FormatException") from None


def _sha256() -> Host:
    import hashlib  # noqa: PLC0415 - one use

    return Host("SHA256", methods={"computehash": lambda data: hashlib.sha256(data).digest(), "dispose": lambda: None})
