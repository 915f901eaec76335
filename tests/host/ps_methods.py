"""Methods of text and time in the PowerShell model."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from ps_values import Bag, Enum, PsError, Value, shown

_SPANS = {"addhours": 3600, "adddays": 86_400, "addminutes": 60, "addseconds": 1, "touniversaltime": 0}


def text_method(target: Value, name: str, arguments: list[Value]) -> Value:  # noqa: C901, PLR0911, PLR0912 - one case a method
    if name == "tostring" and not arguments:
        return shown(target)
    assert not isinstance(target, Enum), f"enum method {name}"
    if isinstance(target, Bag) and name == "containskey":
        return arguments[0] in target
    if not isinstance(target, str):
        if isinstance(target, datetime) and name == "tostring":
            return date_text(target, arguments[0])
        if isinstance(target, datetime) and name in _SPANS:
            return target + timedelta(seconds=_SPANS[name] * (arguments[0] if arguments else 0))
        raise PsError(f"Method invocation failed because {type(target).__name__} has no method {name}.")
    match name:
        case "startswith":
            return target.startswith(arguments[0])
        case "endswith":
            return target.endswith(arguments[0])
        case "lastindexof":
            return target.rfind(arguments[0])
        case "indexof":
            return target.find(arguments[0])
        case "substring":
            return target[arguments[0] :] if len(arguments) == 1 else target[arguments[0] : sum(arguments)]
        case "trim":
            return target.strip("".join(arguments) or None)
        case "tolower" | "tolowerinvariant":
            return target.lower()
        case "contains":
            return arguments[0] in target
        case "replace":
            return target.replace(arguments[0], arguments[1])
        case "split":
            return target.split(arguments[0])
        case _:
            raise AssertionError(f"string method {name} is not modelled")


def date_text(moment: datetime, pattern: str) -> str:
    """The .NET date patterns that the scripts use."""
    if pattern == "o":
        return str(moment.strftime("%Y-%m-%dT%H:%M:%S.%f")) + "0Z"
    assert re.fullmatch(r"[yMdHmsfTZ:'-]+", pattern), pattern
    for sign, code in (("yyyy", "%Y"), ("MM", "%m"), ("dd", "%d"), ("HH", "%H"), ("mm", "%M"), ("ss", "%S")):
        pattern = pattern.replace(sign, code)
    return str(moment.strftime(pattern.replace("fff", f"{moment.microsecond // 1000:03d}").replace("'", "")))
