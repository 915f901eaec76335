"""Results that are files: a script, a sheet or a page goes to ``--out FILE`` or to stdout as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mimapp.cli.exit_codes import ExitCode
from mimapp.cli.result import Line, Raw, Result
from mimapp.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from mimapp.cli.result import JsonValue

__all__ = ["file_result"]


def file_result(
    *,
    schema: str,
    document: Mapping[str, JsonValue],
    text: str,
    encoded: bytes,
    out: Path | None,
    next_steps: Sequence[str] = (),
    code: ExitCode = ExitCode.DONE,
) -> Result:
    """Write a text where it was asked for: to a file, or on stdout.

    Args:
        schema: of the document.
        document: what ``--output json`` shows; ``writtenTo`` is added.
        text: what a terminal shows.
        encoded: the content of the file, which a pipe gets too.
        out: the file; None is stdout.
        next_steps: lines for people after a file was written.
        code: how the command ends.

    Raises:
        UsageError: the file cannot be written.
    """
    written = None if out is None else out.absolute()
    if written is not None:
        try:
            written.write_bytes(encoded)
        except OSError as error:
            raise UsageError(f"--out {out} cannot be written: {error.strerror or error}") from error
    shown = {**document, "writtenTo": None if written is None else str(written)}
    if written is not None:
        lines = (Line(f"Written to {written}."), *map(Line, next_steps))
        return Result(schema=schema, document=shown, text=lines, code=code)
    return Result(schema=schema, document=shown, text=Raw(text, encoded), code=code)
