"""What three schemas say of the parts that schedules use: order, types, required fields; and the checks by them.

Task Scheduler: https://learn.microsoft.com/windows/win32/taskschd/task-scheduler-schema and, for the same types,
[MS-TSCH] 2.5 (triggers 2.5.3, settings 2.5.4, principals 2.5.6, actions 2.5.7).
Kubernetes: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/ (cron-job-v1, job-v1, pod-v1).
GitHub: https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

NAMESPACE: Final = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"

BOOLEAN: Final = re.compile(r"true|false")
DURATION: Final = re.compile(r"P(?=.)(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+S)?)?")
DATE_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
PATH: Final = re.compile(r".{1,260}")
TEXT: Final = re.compile(r".*")
NON_EMPTY: Final = re.compile(r".+")


@dataclass(frozen=True)
class Xml:
    """A complex type: its children by name, in this order where it is a sequence; those that are required."""

    children: dict[str, Xml | re.Pattern[str]]
    is_sequence: bool = False
    required: frozenset[str] = frozenset()
    attributes: dict[str, re.Pattern[str]] = field(default_factory=dict)


_REPETITION = Xml(
    {"Interval": DURATION, "Duration": DURATION, "StopAtDurationEnd": BOOLEAN}, required=frozenset({"Interval"})
)
#: triggerBaseType's sequence, which calendarTriggerType extends with its own.
_CALENDAR = Xml(
    {
        "Enabled": BOOLEAN,
        "StartBoundary": DATE_TIME,
        "EndBoundary": DATE_TIME,
        "Repetition": _REPETITION,
        "ExecutionTimeLimit": DURATION,
        "RandomDelay": DURATION,
        "ScheduleByDay": Xml({"DaysInterval": re.compile(r"[1-9]|[1-9]\d|[12]\d\d|3[0-5]\d|36[0-5]")}),
    },
    is_sequence=True,
    required=frozenset({"ScheduleByDay"}),
)
_SETTINGS = Xml(
    {
        "AllowStartOnDemand": BOOLEAN,
        "MultipleInstancesPolicy": re.compile(r"Parallel|Queue|IgnoreNew|StopExisting"),
        "DisallowStartIfOnBatteries": BOOLEAN,
        "StopIfGoingOnBatteries": BOOLEAN,
        "AllowHardTerminate": BOOLEAN,
        "StartWhenAvailable": BOOLEAN,
        "RunOnlyIfNetworkAvailable": BOOLEAN,
        "WakeToRun": BOOLEAN,
        "Enabled": BOOLEAN,
        "Hidden": BOOLEAN,
        "ExecutionTimeLimit": DURATION,
        "Priority": re.compile(r"\d|10"),
    }
)
_PRINCIPAL = Xml(
    {
        "UserId": NON_EMPTY,
        "LogonType": re.compile(r"S4U|Password|InteractiveToken|InteractiveTokenOrPassword"),
        "GroupId": NON_EMPTY,
        "DisplayName": TEXT,
        "RunLevel": re.compile(r"LeastPrivilege|HighestAvailable"),
    },
    attributes={"id": NON_EMPTY},
)
TASK: Final = Xml(
    {
        "RegistrationInfo": Xml({"Date": DATE_TIME, "Author": TEXT, "Description": TEXT, "URI": TEXT}),
        "Triggers": Xml({"CalendarTrigger": _CALENDAR}),
        "Settings": _SETTINGS,
        "Principals": Xml({"Principal": _PRINCIPAL}, required=frozenset({"Principal"})),
        "Actions": Xml(
            {
                "Exec": Xml(
                    {"Command": PATH, "Arguments": TEXT, "WorkingDirectory": PATH}, required=frozenset({"Command"})
                )
            },
            required=frozenset({"Exec"}),
            attributes={"Context": NON_EMPTY},
        ),
    },
    required=frozenset({"Actions"}),
    attributes={"version": re.compile(r"1\.[2-6]")},
)


def check_xml(element: Element, kind: Xml, where: str = "Task") -> list[str]:
    """Everything in an element that its type does not have."""
    faults: list[str] = []
    names = [child.tag.removeprefix(NAMESPACE) for child in element]
    known = list(kind.children)
    faults += [f"{where}: {name} is unknown" for name in names if name not in known]
    faults += [f"{where}: {name} is missing" for name in kind.required - set(names)]
    faults += [f"{where}: {name} comes twice" for name in set(names) if names.count(name) > 1]
    if kind.is_sequence and [name for name in known if name in names] != names:
        faults.append(f"{where}: {names} is not the order of {known}")
    for name, value in element.attrib.items():
        pattern = kind.attributes.get(name)
        if pattern is None or not pattern.fullmatch(value):
            faults.append(f"{where}: attribute {name}={value!r}")
    for child, name in zip(element, names, strict=True):
        below = kind.children.get(name)
        if isinstance(below, Xml):
            faults += check_xml(child, below, f"{where}/{name}")
        elif below is not None and (len(child) or not below.fullmatch(child.text or "")):
            faults.append(f"{where}/{name}: {child.text!r} is not of its type")
    return faults


#: A type in a table below: a Python type, a pattern for a text, a list of one type, or a mapping of fields, where a
#: name that ends in ``!`` is required and ``*`` stands for any name.
Table = Any

CRON: Final = re.compile(r"(\d|[1-5]\d) (\d|1\d|2[0-3])(-23/\d+)? \* \* \*")
LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
QUANTITY: Final = re.compile(r"\S+")

_POD_SPEC: Table = {
    "containers!": [
        {
            "name!": LABEL,
            "image": NON_EMPTY,
            "command": [str],
            "args": [str],
            "env": [{"name!": re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*"), "value": str}],
            "volumeMounts": [{"name!": LABEL, "mountPath!": re.compile(r"/[^:]*"), "readOnly": bool}],
            "securityContext": {
                "allowPrivilegeEscalation": bool,
                "readOnlyRootFilesystem": bool,
                "runAsNonRoot": bool,
                "capabilities": {"drop": [str], "add": [str]},
            },
        }
    ],
    "restartPolicy!": re.compile(r"OnFailure|Never"),  # a Job takes no other (job-v1, template)
    "serviceAccountName": LABEL,
    "securityContext": {
        "runAsNonRoot": bool,
        "runAsUser": int,
        "runAsGroup": int,
        "fsGroup": int,
        "seccompProfile": {"type!": re.compile(r"RuntimeDefault|Unconfined|Localhost"), "localhostProfile": str},
    },
    "volumes": [
        {
            "name!": LABEL,
            "emptyDir": {"medium": str, "sizeLimit": QUANTITY},
            "persistentVolumeClaim": {"claimName!": NON_EMPTY, "readOnly": bool},
        }
    ],
}
CRON_JOB: Final[Table] = {
    "apiVersion!": re.compile(r"batch/v1"),
    "kind!": re.compile(r"CronJob"),
    "metadata!": {"name!": re.compile(r"(?=.{1,52}$)[a-z0-9]([-a-z0-9.]*[a-z0-9])?"), "labels": {"*": str}},
    "spec!": {
        "schedule!": CRON,
        "timeZone": str,
        "concurrencyPolicy": re.compile(r"Allow|Forbid|Replace"),
        "startingDeadlineSeconds": int,
        "suspend": bool,
        "successfulJobsHistoryLimit": int,
        "failedJobsHistoryLimit": int,
        "jobTemplate!": {
            "metadata": {"labels": {"*": str}},
            "spec!": {
                "backoffLimit": int,
                "activeDeadlineSeconds": int,
                "ttlSecondsAfterFinished": int,
                "template!": {"metadata": {"labels": {"*": str}, "annotations": {"*": str}}, "spec!": _POD_SPEC},
            },
        },
    },
}
WORKFLOW: Final[Table] = {
    "name": str,
    "on!": {"schedule": [{"cron!": CRON}], "workflow_dispatch": {}},
    "permissions": {"id-token": re.compile(r"write|none"), "contents": re.compile(r"read|write|none")},
    "concurrency": {"group!": NON_EMPTY, "cancel-in-progress": bool},
    "jobs!": {
        "*": {
            "runs-on!": NON_EMPTY,
            "timeout-minutes": int,
            "steps!": [
                {
                    "name": str,
                    "if": NON_EMPTY,
                    "uses": re.compile(r"[\w.-]+/[\w./-]+@[\w.-]+"),
                    "with": {"*": str},
                    "run": NON_EMPTY,
                    "env": {"*": str},
                }
            ],
        }
    },
}


def check_tree(value: object, table: Table, where: str = "") -> list[str]:
    """Everything in a document that its table does not have."""
    if isinstance(table, dict):
        return _check_mapping(value, table, where)
    if isinstance(table, list):
        if not isinstance(value, list) or not value:
            return [f"{where}: {value!r} is no list, or an empty one"]
        return [fault for number, one in enumerate(value) for fault in check_tree(one, table[0], f"{where}[{number}]")]
    if isinstance(table, re.Pattern):
        fits = isinstance(value, str) and table.fullmatch(value) is not None
    else:
        fits = type(value) is table
    return [] if fits else [f"{where}: {value!r} is not of its type"]


def _check_mapping(value: object, table: dict[str, Table], where: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{where}: {value!r} is no mapping"]
    known = {name.rstrip("!"): kind for name, kind in table.items()}
    faults = [f"{where}.{name} is missing" for name in table if name.endswith("!") and name.rstrip("!") not in value]
    for name, one in value.items():
        kind = known.get(name, known.get("*"))
        if kind is None:
            faults.append(f"{where}.{name} is unknown")
        else:
            faults += check_tree(one, kind, f"{where}.{name}")
    return faults
