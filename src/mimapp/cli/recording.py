"""``--record`` and ``--anonymize``: whether a run is recorded, what kind of recording it is, and what is told of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from mimapp.cli.result import Line
from mimapp.errors import UsageError

if TYPE_CHECKING:
    from types import TracebackType

    import httpx

    from mimapp.cli.options import CommonOptions
    from mimapp.cli.output import Output
    from mimapp.cli.world import World
    from mimapp.clouds import Cloud
    from mimapp.transport.recording import CassetteFile, Kind
    from mimapp.transport.stand_ins import StandIns

__all__ = ["Recording"]

#: Names of Microsoft's own applications and roles, which every tenant shows; beside those that mimapp knows by id.
_MICROSOFTS_NAMES = (
    "Microsoft Azure CLI",
    "Microsoft Exchange REST API Based Powershell",
    "Microsoft Graph",
    "Microsoft Graph Command Line Tools",
    "Office 365 Exchange Online",
)
#: What the tokens of every user name among their directory roles; it is none of them (see `mimapp.identity.claims`).
_EVERY_USER = "b79fbf4d-3ef9-4689-8143-76b194e85509"


class Recording:
    """What becomes of ``--record`` in one run; at its end stderr is told what the file holds.

    Raises:
        UsageError: ``--anonymize`` stands alone.
    """

    def __init__(self, options: CommonOptions, output: Output, world: World) -> None:
        if options.anonymize and options.record is None:
            raise UsageError("--anonymize says how a recording is written, and there is none", hint="add --record FILE")
        self._options = options
        self._output = output
        self._world = world
        self._file: CassetteFile | None = None

    def over(self, transport: httpx.BaseTransport, cloud: Cloud) -> httpx.BaseTransport:
        """The transport, with everything that passes written down where that is asked for.

        Raises:
            UsageError: the file cannot be written, or holds something else than a recording.
        """
        path = self._options.record
        if path is None:
            return transport
        from mimapp.transport.recording import CassetteFile, Recorder  # noqa: PLC0415 - only this option needs it

        # Evidence is only what Microsoft's own hosts answered over the real network.
        is_real = self._world.transport is None and not cloud.overridden
        kind: Kind = "recorded" if is_real else "sandbox"
        self._file = CassetteFile(
            path,
            kind=kind,
            cloud=cloud.key,
            begun=self._world.clock.now(),
            stand_ins=_stand_ins() if self._options.anonymize else None,
        )
        return Recorder(transport, self._file)

    def found_in(self, cloud: Cloud) -> None:
        """Say which cloud the tenant lives in, once that is known."""
        if self._file is not None:
            self._file.found_in(cloud.key)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        path = self._options.record
        if path is None:
            return
        if self._file is None:
            if error is None:
                self._output.tell((Line("Nothing is recorded: this command sent no request.", "warn"),))
            return
        said = [Line(f"Recorded {self._file.count} requests in {path}.", "dim")]
        if self._file.problem:
            said.append(Line(f"The recording stopped there: {self._file.problem}", "bad"))
        if not self._options.quiet or self._file.problem:
            self._output.tell(said)


def _stand_ins() -> StandIns:
    """Stand-ins for all but what is the same in every tenant."""
    import re  # noqa: PLC0415 - only --anonymize needs what follows

    from mimapp.exchange import anchor_for_app  # noqa: PLC0415 - as above
    from mimapp.graph import wellknown  # noqa: PLC0415 - as above
    from mimapp.identity import operator  # noqa: PLC0415 - as above
    from mimapp.identity.claims import DIRECTORY_ROLES  # noqa: PLC0415 - as above
    from mimapp.spec import DISPLAY_NAME, SCRIPT_DISPLAY_NAME  # noqa: PLC0415 - as above
    from mimapp.transport.stand_ins import StandIns  # noqa: PLC0415 - as above

    guid = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
    constants = [value for module in (wellknown, operator) for value in vars(module).values() if isinstance(value, str)]
    ids = {value for value in constants if guid.fullmatch(value)}
    ids |= {_EVERY_USER, *DIRECTORY_ROLES, *guid.findall(anchor_for_app(""))}
    names = {DISPLAY_NAME, SCRIPT_DISPLAY_NAME, *_MICROSOFTS_NAMES, *DIRECTORY_ROLES.values()}
    return StandIns(ids=frozenset(ids), names=frozenset(names))
