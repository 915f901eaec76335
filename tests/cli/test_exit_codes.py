"""Every way to end has its code, its words, and its line in docs/errors.md."""

from __future__ import annotations

import errno
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mimapp import errors
from mimapp.cli.exit_codes import BY_ERROR, ExitCode, Terminated, code_of
from mimapp.cli.result import Line, Result
from mimapp.errors import (
    BadReplyError,
    BusyError,
    CancelledError,
    ConflictError,
    DeadlineError,
    DeniedError,
    HostInputError,
    MimappError,
    NotFoundError,
    PlanError,
    ReplyLostError,
    ServiceError,
    SignInError,
    StalePlanError,
    StoppedError,
    StoreError,
    TransportError,
    UnreachableError,
    UnsafePlanError,
    UsageError,
)

if TYPE_CHECKING:
    from mimapp.cli.command import Run
    from support.command_line import Cli

PAGE = Path(__file__).parents[2] / "docs" / "errors.md"


def service(kind: type[ServiceError]) -> ServiceError:
    return kind("no", service="graph", status=403)


CODES = [
    (UsageError("no"), 2),
    (SignInError("no"), 4),
    (service(ServiceError), 5),
    (service(NotFoundError), 5),
    (service(DeniedError), 5),
    (DeniedError("no", service="graph", status=401), 4),
    (service(ConflictError), 5),
    (service(BusyError), 75),
    (TransportError("no"), 75),
    (UnreachableError("no"), 75),
    (ReplyLostError("no"), 75),
    (BadReplyError("no"), 5),
    (PlanError("no"), 6),
    (UnsafePlanError("no"), 6),
    (StalePlanError("no"), 6),
    (StoppedError("no"), 7),
    (StoreError("no"), 8),
    (HostInputError("no"), 9),
    (DeadlineError("no"), 75),
    (CancelledError("no"), 130),
    (KeyboardInterrupt(), 130),
    (Terminated(), 143),
    (RuntimeError("no"), 1),
    (OSError(errno.ENOSPC, "No space left on device", "a.json"), 2),
    (OSError(errno.ECONNRESET, "Connection reset by peer"), 1),
]


@pytest.mark.parametrize(("error", "code"), CODES, ids=lambda value: type(value).__name__)
def test_an_error_ends_a_command_with_its_code_in_words(cli: Cli, error: BaseException, code: int) -> None:
    def fail(_run: Run) -> Result:
        raise error

    ended = cli.body(fail)

    assert ended.code == code
    assert ended.out == ""
    assert ended.err.startswith("mimapp: ")
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(("error", "code"), CODES, ids=lambda value: type(value).__name__)
def test_an_error_is_one_document_under_json(cli: Cli, error: BaseException, code: int) -> None:
    def fail(_run: Run) -> Result:
        raise error

    ended = cli.body(fail, output="json")

    assert ended.code == code
    assert ended.document["schema"] == "mimapp.error/1"
    assert ended.document["exitCode"] == code
    assert ended.document["error"] == type(error).__name__
    assert ended.document["sandbox"] is False


def test_the_code_of_a_result_is_the_commands_own(cli: Cli) -> None:
    def attention(_run: Run) -> Result:
        return Result(schema="mimapp.test/1", document={}, text=(Line("look"),), code=ExitCode.ATTENTION)

    assert cli.body(attention).code == 3


@pytest.mark.parametrize(("cause", "code"), [(Terminated(), 143), (KeyboardInterrupt(), 130)])
def test_a_cancelled_run_is_143_when_sigterm_was_the_cause(cause: BaseException, code: int) -> None:
    error = CancelledError("stopped after the write in flight")
    error.__cause__ = cause

    assert code_of(error) == code


def test_every_error_class_has_a_code() -> None:
    known = [getattr(errors, name) for name in errors.__all__ if name != "MimappError"]

    assert all(issubclass(kind, MimappError) for kind in known)
    assert not [kind.__name__ for kind in known if not any(base in BY_ERROR for base in kind.__mro__)]


def test_the_page_has_every_code_and_no_other() -> None:
    codes = re.findall(r"^\| (\d+) \|", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)

    assert [int(code) for code in codes] == [code.value for code in ExitCode]


def test_the_page_has_every_error_class_with_its_code() -> None:
    rows = dict(re.findall(r"^\| `(\w+Error)` \| (\d+) \|", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE))

    def made(kind: type[MimappError]) -> MimappError:
        return service(kind) if issubclass(kind, ServiceError) else kind("no")

    assert rows == {
        name: str(code_of(made(getattr(errors, name))).value) for name in errors.__all__ if name != "MimappError"
    }


def test_the_example_on_the_page_is_what_a_run_prints(cli: Cli) -> None:
    example = re.search(r"```json\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)

    def fail(_run: Run) -> Result:
        raise DeniedError(
            "the application cannot be created",
            service="graph",
            status=403,
            code="Authorization_RequestDenied",
            request_id="5f1f0f4e-0000-0000-0000-000000000000",
            client_request_id="0c1d7a5e-0000-0000-0000-000000000000",
            hint="ask for the role Application Administrator",
        )

    assert example is not None
    assert cli.body(fail, output="json").document == json.loads(example[1])
