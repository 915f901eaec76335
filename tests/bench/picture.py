"""The picture of README.md, from a real run on the embedded tenant: ``cd tests && python -m bench.picture``.

Runs register in a terminal of its own, answers its question, and writes what the terminal showed at the end to
docs/register.svg. The folder of local state is shown as the place it has on Linux by default. POSIX only.
"""

from __future__ import annotations

import contextlib
import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import tempfile
import termios
from pathlib import Path

from rich.console import Console
from rich.text import Text

PICTURE = Path(__file__).parents[2] / "docs" / "register.svg"
COMMAND = ("mimapp", "register", "--mailbox", "MIMService@contoso.onmicrosoft.com", "--sandbox")
SHOWN_HOME = "~/.local/share/mimapp"
WIDTH, HEIGHT = 132, 60
_PIECE = re.compile(r"\x1b\[(?P<number>[0-9;?]*)(?P<letter>[A-Za-z])|(?P<control>[\r\n])|(?P<text>[^\x1b\r\n]+)")


def session(home: str) -> str:
    """What the program sent to its terminal."""
    master, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
    environ = {**os.environ, "MIMAPP_HOME": home, "TERM": "xterm-256color", "COLUMNS": str(WIDTH), "LANG": "C.UTF-8"}
    with subprocess.Popen(
        [sys.executable, "-m", *COMMAND], stdin=terminal, stdout=terminal, stderr=terminal, env=environ, close_fds=True
    ) as process:
        os.close(terminal)
        sent = bytearray()
        answered = False
        with contextlib.suppress(OSError):  # Linux ends the reading of a closed terminal with EIO
            while piece := os.read(master, 65_536):
                sent += piece
                if not answered and b"[y/N]" in sent:
                    os.write(master, b"y\n")
                    answered = True
    os.close(master)
    if process.returncode or not answered:
        raise SystemExit(f"register ended with {process.returncode}, asked: {answered}\n{sent.decode()}")
    return sent.decode()


def screen(sent: str) -> list[str]:
    """The lines that stay, with their colours: what is drawn in place is overwritten or erased."""
    lines = [""]
    row = 0
    for piece in _PIECE.finditer(sent):
        letter, control = piece["letter"], piece["control"]
        if control == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif letter == "A":
            row -= int(piece["number"] or 1)
        elif letter == "K":
            lines[row] = ""
        elif letter == "m" or piece["text"]:
            lines[row] += piece.group()
    return lines


def main() -> None:
    """Run, and write the picture."""
    with tempfile.TemporaryDirectory() as home:
        shown = [line.replace(home, SHOWN_HOME).rstrip() for line in screen(session(home))]
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text(f"$ {' '.join(COMMAND)}", style="bold"))
    for line in shown:
        console.print(Text.from_ansi(line), soft_wrap=True)
    drawn = console.export_svg(title="mimapp register, on the simulated tenant", unique_id="mimapp")
    # Fonts of another host are not fetched for a picture of text.
    drawn = re.sub(r"@font-face \{[^}]*\}\s*", "", drawn)
    PICTURE.write_text(drawn, encoding="utf-8")


if __name__ == "__main__":
    main()
