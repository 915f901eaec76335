"""A schedule for Kubernetes: a CronJob that signs in by workload identity and runs with no rights in its container.

MIMAPP_HOME lies on a persistent volume, or is empty at each run where a store keeps what has to be remembered.

https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/cron-job-v1/
https://azure.github.io/azure-workload-identity/docs/topics/service-account-labels-and-annotations.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from mimapp.errors import UsageError
from mimapp.host.schedule import ScheduleFile, flat
from mimapp.host.schedule_yaml import dump

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mimapp.host.schedule import Job
    from mimapp.host.schedule_yaml import Node

__all__ = ["HOME", "kubernetes_file"]

#: Where MIMAPP_HOME is mounted.
HOME: Final = "/var/lib/mimapp"
_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
#: A CronJob adds eleven signs to its name for each Job, whose names end at 63.
_LONGEST: Final = 52
_USER: Final = 10001


def kubernetes_file(job: Job, *, image: str, volume: str | None, service_account: str) -> ScheduleFile:
    """The manifest.

    Args:
        job: what is run; its program and paths are those of the image.
        image: the container's image, with mimapp in it.
        volume: the persistent volume claim for MIMAPP_HOME; None: it is empty at each run.
        service_account: the service account with the workload identity.

    Raises:
        UsageError: a name is none that Kubernetes takes.
    """
    for what, name in (("--volume", volume), ("--service-account", service_account)):
        if name is not None and _NAME.fullmatch(name) is None:
            raise UsageError(f"{what} {name!r} is no name of a Kubernetes object")
    command = [*job.program, *flat(job.words)]
    if job.on_failure:
        command = ["/bin/sh", "-c", f'"$@" || {{ code=$?; {job.on_failure}; exit "$code"; }}', "mimapp", *command]
    home: Mapping[str, Node] = {"emptyDir": {}} if volume is None else {"persistentVolumeClaim": {"claimName": volume}}
    container: dict[str, Node] = {
        "name": "mimapp",
        "image": image,
        "command": command,
        "env": [{"name": name, "value": value} for name, value in job.environment.items()],
        "volumeMounts": [{"name": "home", "mountPath": HOME}, {"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108 - the container's own
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    pod: dict[str, Node] = {
        "serviceAccountName": service_account,
        "restartPolicy": "Never",
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "fsGroup": _USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": [{"name": "home", **home}, {"name": "tmp", "emptyDir": {}}],
    }
    manifest: dict[str, Node] = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": job.name[:_LONGEST].rstrip("-")},
        "spec": {
            "schedule": job.times.cron,
            "concurrencyPolicy": "Forbid",
            "startingDeadlineSeconds": 3600,
            "successfulJobsHistoryLimit": 1,
            "failedJobsHistoryLimit": 3,
            "jobTemplate": {
                "spec": {
                    "backoffLimit": 0,
                    "activeDeadlineSeconds": 3600,
                    "template": {
                        "metadata": {"labels": {"azure.workload.identity/use": "true"}},
                        "spec": pod,
                    },
                }
            },
        },
    }
    return ScheduleFile(name=f"{job.name}.yaml", text=dump(manifest))
