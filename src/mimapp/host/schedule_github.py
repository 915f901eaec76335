"""A schedule for GitHub Actions: a workflow that signs in by OIDC and holds no secret.

Nothing of a runner survives its job, so what has to be remembered lies in a store with metadata. GitHub runs schedules
in UTC, late when it is busy, and stops them after sixty days without a commit in a public repository.

https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax
https://docs.github.com/actions/concepts/security/openid-connect
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from mimapp.errors import UsageError
from mimapp.host.schedule import ScheduleFile, flat
from mimapp.host.schedule_yaml import dump

if TYPE_CHECKING:
    from mimapp.host.schedule import Job
    from mimapp.host.schedule_yaml import Node

__all__ = ["github_file"]


def github_file(job: Job, *, version: str) -> ScheduleFile:
    """The workflow.

    Args:
        job: what is run; its program is found on the runner's path.
        version: the version of mimapp that is installed there.

    Raises:
        UsageError: a word holds what GitHub would take for an expression.
    """
    command = shlex.join([*job.program, *flat(job.words)])
    for text in (command, job.on_failure):
        if "${{" in text:
            raise UsageError("'${{' begins an expression of GitHub's and cannot go into a workflow")
    steps: list[Node] = [
        {"uses": "actions/setup-python@v5", "with": {"python-version": "3.12"}},
        {"run": f"python -m pip install 'mimapp[keyvault]=={version}'"},
        {"name": "Rotate", "run": command, "env": dict(job.environment)},
    ]
    if job.on_failure:
        steps.append({"name": "Tell", "if": "failure()", "run": job.on_failure})
    workflow: dict[str, Node] = {
        "name": job.title,
        "on": {"schedule": [{"cron": job.times.cron}], "workflow_dispatch": {}},
        "permissions": {"id-token": "write", "contents": "read"},
        "concurrency": {"group": job.name, "cancel-in-progress": False},
        "jobs": {"rotate": {"runs-on": "ubuntu-latest", "timeout-minutes": 60, "steps": steps}},
    }
    return ScheduleFile(name=f"{job.name}.yml", text=dump(workflow))
