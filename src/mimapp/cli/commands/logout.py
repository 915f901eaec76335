"""``mimapp logout``: what is remembered of the operator's sign-in, forgotten."""

from __future__ import annotations

from mimapp.cli.command import Run, command
from mimapp.cli.options import NoOptions
from mimapp.cli.result import Line, Result

__all__ = ["logout"]


@command(NoOptions)
def logout(run: Run, _options: NoOptions) -> Result:
    """Forget the sign-in that --remember kept on this machine.

    Nothing is asked of Microsoft: a token that another program holds, such as Azure CLI, stays as it is.
    """
    from mimapp.cli.sign_in import memory_of  # noqa: PLC0415 - help need not import it

    was_kept = memory_of(run).forget()
    text = "The remembered sign-in is forgotten." if was_kept else "No sign-in was remembered."
    return Result(schema="mimapp.logout/1", document={"forgotten": was_kept}, text=(Line(text),))
