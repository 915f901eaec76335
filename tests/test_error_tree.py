"""The error tree: what its docstring draws is what there is, and every member of it ends with an exit code."""

from __future__ import annotations

import inspect
import re

import pytest

from mimapp import errors
from mimapp.cli.exit_codes import BY_ERROR, ExitCode, code_of
from mimapp.errors import MimappError, ServiceError, StoreError

CLASSES = {
    name: kind
    for name, kind in vars(errors).items()
    if inspect.isclass(kind) and issubclass(kind, BaseException) and kind.__module__ == errors.__name__
}
_BRANCH = re.compile(r"    (?P<indent>[│ ]*)(?:[├└]── )?(?P<name>[A-Z][A-Za-z]+Error)\b(?P<meaning>.*)")


def _drawn() -> dict[str, str]:
    """Class name -> name of its base, as the module's docstring draws them."""
    path: list[str] = []
    found = {}
    for line in (errors.__doc__ or "").splitlines():
        match = _BRANCH.fullmatch(line)
        if match is None:
            continue
        depth = 0 if match["name"] == "MimappError" else len(match["indent"]) // 4 + 1
        path[depth:] = [match["name"]]
        found[match["name"]] = path[depth - 1] if depth else "Exception"
    return found


def _made(kind: type[MimappError]) -> MimappError:
    if issubclass(kind, ServiceError):
        return kind("no", service="graph", status=418)
    return kind("no")


def test_every_class_is_exported_and_nothing_else() -> None:
    assert sorted(CLASSES) == errors.__all__


def test_the_docstring_draws_the_tree_that_there_is() -> None:
    assert _drawn() == {name: kind.__base__.__name__ for name, kind in CLASSES.items() if kind.__base__ is not None}


def test_every_branch_of_the_drawing_has_its_meaning() -> None:
    lines = [match for line in (errors.__doc__ or "").splitlines() if (match := _BRANCH.fullmatch(line))]
    without = [match["name"] for match in lines if not match["meaning"].strip()]
    assert without == ["MimappError"]


@pytest.mark.parametrize("kind", CLASSES.values(), ids=CLASSES)
def test_every_class_says_what_it_means(kind: type[MimappError]) -> None:
    assert kind.__doc__
    assert kind.__doc__ != kind.__base__.__doc__ if kind.__base__ else True


@pytest.mark.parametrize(
    "kind", [kind for name, kind in CLASSES.items() if name != "MimappError"], ids=lambda k: k.__name__
)
def test_every_known_error_has_an_exit_code_of_its_own_or_of_its_branch(kind: type[MimappError]) -> None:
    code = code_of(_made(kind))
    assert code is not ExitCode.BUG
    assert code is not ExitCode.DONE
    assert code is next(BY_ERROR[base] for base in kind.__mro__ if base in BY_ERROR)


def test_the_table_of_exit_codes_names_only_errors_that_exist() -> None:
    assert set(BY_ERROR) - set(CLASSES.values()) == {KeyboardInterrupt}


def test_an_error_carries_its_words() -> None:
    error = StoreError("the place is full", hint="make room", details=["first", "second"], explain="full")
    assert str(error) == error.message == "the place is full"
    assert (error.hint, error.details, error.explain) == ("make room", ("first", "second"), "full")


def test_an_error_without_more_to_say_says_no_more() -> None:
    error = MimappError("no")
    assert (error.hint, error.details, error.explain) == (None, (), None)


def test_a_service_error_carries_what_the_service_said() -> None:
    error = ServiceError(
        "refused", service="exchange", status=403, code="AccessDenied", request_id="r-1", retry_after=2.5, details=["x"]
    )
    assert (error.service, error.status, error.code, error.request_id, error.retry_after, error.details) == (
        "exchange", 403, "AccessDenied", "r-1", 2.5, ("x",),
    )  # fmt: skip


def test_a_service_error_may_lack_code_and_ids() -> None:
    error = ServiceError("refused", service="login", status=400)
    assert (error.code, error.request_id, error.retry_after) == ("", None, None)
