"""Schedules for Windows, Kubernetes and GitHub, checked by tables of their schemas, and read back by what runs them."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from defusedxml.ElementTree import fromstring
from schedule_jobs import AWKWARD, PLAIN
from schedule_tables import CRON_JOB, NAMESPACE, TASK, WORKFLOW, check_tree, check_xml

from mimapp.errors import UsageError
from mimapp.host.schedule import Times
from mimapp.host.schedule_github import github_file
from mimapp.host.schedule_kubernetes import HOME, kubernetes_file
from mimapp.host.schedule_windows import windows_file
from mimapp.host.schedule_yaml import dump
from support.machine import posix_only

if TYPE_CHECKING:
    from pathlib import Path
    from xml.etree.ElementTree import Element

    from mimapp.host.schedule import Job
    from mimapp.host.schedule_yaml import Node

BASH = shutil.which("bash")
START = datetime(2026, 11, 21, 9, tzinfo=UTC)
WINDOWS = replace(
    PLAIN,
    program=(r"C:\Program Files\mimapp\mimapp.exe",),
    words=("rotate", "--if-due", "--yes", "--secret-to", r"file:D:\mim secrets\mim.json"),
    environment={"MIMAPP_HOME": r"C:\ProgramData\mim & app"},
)


def task(job: Job = WINDOWS, account: str = "SYSTEM") -> Element:
    file = windows_file(job, account=account, start=START)
    content = file.encoded()
    assert content.startswith(b"\xff\xfe")
    assert file.name == f"{job.name}.xml"
    made: Element = fromstring(content)
    assert made.tag == f"{NAMESPACE}Task"
    return made


def text(element: Element, path: str) -> str:
    found = element.find("/".join(f"{NAMESPACE}{name}" for name in path.split("/")))
    assert found is not None, path
    return found.text or ""


@pytest.mark.parametrize("account", ["SYSTEM", "CONTOSO\\mimapp$"])
@pytest.mark.parametrize("every", [24, 6])
@pytest.mark.parametrize("on_failure", ["", r"C:\ops\tell.exe 'a & b'"])
def test_a_task_has_the_order_and_the_types_of_its_schema(account: str, every: int, on_failure: str) -> None:
    job = replace(WINDOWS, times=Times(hour=3, minute=17, every=every), on_failure=on_failure)
    assert check_xml(task(job, account), TASK) == []


def test_the_table_finds_what_the_schema_forbids() -> None:
    made = task()
    calendar = made.find(f"{NAMESPACE}Triggers/{NAMESPACE}CalendarTrigger")
    assert calendar is not None
    first = calendar[0]
    calendar.remove(first)
    calendar.append(first)
    made.remove(made[-1])
    faults = check_xml(made, TASK)
    assert any("is not the order of" in fault for fault in faults)
    assert "Task: Actions is missing" in faults


def test_the_two_accounts_need_no_stored_password() -> None:
    system, managed = task(), task(account="CONTOSO\\mimapp$")
    principal = "Principals/Principal"
    assert text(system, f"{principal}/UserId") == "S-1-5-18"
    assert system.find(f".//{NAMESPACE}LogonType") is None
    assert text(managed, f"{principal}/UserId") == "CONTOSO\\mimapp$"
    assert text(managed, f"{principal}/LogonType") == "Password"
    context = managed.find(f"{NAMESPACE}Actions")
    owner = managed.find(f"{NAMESPACE}Principals/{NAMESPACE}Principal")
    assert context is not None
    assert owner is not None
    assert context.get("Context") == owner.get("id")


@pytest.mark.parametrize("account", ["CONTOSO\\ops", "mimapp$", "", "CONTOSO\\a b$", "x\\y$\\z$"])
def test_any_other_account_is_refused(account: str) -> None:
    with pytest.raises(UsageError, match="neither SYSTEM nor a group-managed account"):
        windows_file(WINDOWS, account=account, start=START)


def test_a_task_sets_the_home_runs_the_command_and_fails_as_it_fails() -> None:
    plain = text(task(), "Actions/Exec/Arguments")
    command = r'"C:\Program Files\mimapp\mimapp.exe" rotate --if-due --yes --secret-to "file:D:\mim secrets\mim.json"'
    assert plain == rf'/d /s /c "set "MIMAPP_HOME=C:\ProgramData\mim & app"&&{command}"'
    failing = text(task(replace(WINDOWS, on_failure=r"C:\ops\tell.exe")), "Actions/Exec/Arguments")
    assert failing.endswith(rf'&&({command}) || (C:\ops\tell.exe & exit 1)"')


@pytest.mark.parametrize("word", ["100%", "%PATH%", 'say "hi"', "two\nlines"])
def test_a_word_that_cmd_would_change_is_refused(word: str) -> None:
    with pytest.raises(UsageError, match=r"cmd\.exe would change|control character"):
        windows_file(replace(WINDOWS, words=(word,)), account="SYSTEM", start=START)


def test_a_command_that_is_too_long_is_refused() -> None:
    with pytest.raises(UsageError, match=r"cmd\.exe takes 8191"):
        windows_file(replace(WINDOWS, words=("x" * 8200,)), account="SYSTEM", start=START)


def test_a_backslash_at_the_end_does_not_quote_the_quote() -> None:
    arguments = text(task(replace(WINDOWS, words=("--out", "C:\\my folder\\"))), "Actions/Exec/Arguments")
    assert arguments.endswith(r'--out "C:\my folder\\""')


def cron_job(job: Job = PLAIN, volume: str | None = "mimapp") -> Any:
    file = kubernetes_file(job, image="registry.example/mimapp:1", volume=volume, service_account="mimapp")
    assert file.name == f"{job.name}.yaml"
    return yaml.safe_load(file.text)


@pytest.mark.parametrize("volume", ["mimapp", None])
@pytest.mark.parametrize("on_failure", ["", "/bin/tell 'it failed'"])
@pytest.mark.parametrize("every", [24, 6])
def test_a_cron_job_has_the_fields_and_types_of_its_api(volume: str | None, on_failure: str, every: int) -> None:
    job = replace(PLAIN, on_failure=on_failure, times=Times(hour=3, minute=17, every=every))
    assert check_tree(cron_job(job, volume), CRON_JOB) == []


@pytest.mark.parametrize(
    ("table", "document"),
    [
        (CRON_JOB, {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "x"}, "spec": {"schedule": 5}}),
        (WORKFLOW, {True: {"schedule": [{"cron": "* * *"}]}, "jobs": {"a": {"steps": []}}}),
    ],
)
def test_the_tables_find_what_is_wrong(table: object, document: object) -> None:
    assert len(check_tree(document, table)) >= 2


def test_a_long_name_leaves_room_for_what_kubernetes_adds() -> None:
    made = cron_job(replace(PLAIN, name="mimapp-rotate-" + "a" * 37 + "-" + "b" * 20))
    assert made["metadata"]["name"] == "mimapp-rotate-" + "a" * 37
    assert check_tree(made, CRON_JOB) == []


def test_the_container_has_no_rights_and_its_home_on_the_volume() -> None:
    pod = cron_job()["spec"]["jobTemplate"]["spec"]["template"]
    assert pod["metadata"]["labels"] == {"azure.workload.identity/use": "true"}
    (container,) = pod["spec"]["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
    mounted = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    assert {volume["name"] for volume in pod["spec"]["volumes"]} == set(mounted)
    assert mounted["home"] == HOME
    (home,) = [volume for volume in pod["spec"]["volumes"] if volume["name"] == "home"]
    assert home["persistentVolumeClaim"] == {"claimName": "mimapp"}
    (bare,) = [
        v
        for v in cron_job(volume=None)["spec"]["jobTemplate"]["spec"]["template"]["spec"]["volumes"]
        if v["name"] == "home"
    ]
    assert bare == {"name": "home", "emptyDir": {}}


@pytest.mark.parametrize(("volume", "account"), [("Mim App", "mimapp"), ("mimapp", "a/b"), ("", "mimapp")])
def test_a_name_that_kubernetes_does_not_take_is_refused(volume: str, account: str) -> None:
    with pytest.raises(UsageError, match="is no name of a Kubernetes object"):
        kubernetes_file(PLAIN, image="x", volume=volume, service_account=account)


def note_of(folder: Path) -> tuple[str, str]:
    note = folder / "note"
    return str(note), f"import sys; open({str(note)!r}, 'w').write(repr(sys.argv[1:]))"


@posix_only
@pytest.mark.parametrize("on_failure", ["", "true"])
def test_a_container_gets_every_word_as_it_is(tmp_path: Path, on_failure: str) -> None:
    note, script = note_of(tmp_path)
    words = (*AWKWARD, "100%", '"', "${{ x }}", "yes", "null", "1")
    job = replace(PLAIN, program=(sys.executable, "-c", script), words=words, on_failure=on_failure)
    (container,) = cron_job(job)["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    subprocess.run(container["command"], check=True)
    with open(note, encoding="utf-8") as read:  # noqa: PTH123 - a path as text
        assert read.read() == repr(list(words))


@posix_only
def test_a_failed_container_calls_the_hook_and_fails_with_its_own_code(tmp_path: Path) -> None:
    job = replace(
        PLAIN, program=("/bin/sh", "-c", "exit 3"), words=(), on_failure=f"touch {shlex.quote(str(tmp_path / 'told'))}"
    )
    (container,) = cron_job(job)["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    assert subprocess.run(container["command"], check=False).returncode == 3
    assert (tmp_path / "told").exists()


def workflow(job: Job = PLAIN) -> Any:
    file = github_file(replace(job, program=("mimapp",)), version="1.2.3")
    assert file.name == f"{job.name}.yml"
    assert '\n"on":\n' in file.text  # bare, YAML 1.1 takes it for true
    return yaml.safe_load(file.text)


@pytest.mark.parametrize("on_failure", ["", "./tell.sh"])
@pytest.mark.parametrize("every", [24, 8])
def test_a_workflow_has_the_keys_and_types_of_its_syntax(on_failure: str, every: int) -> None:
    job = replace(PLAIN, on_failure=on_failure, times=Times(hour=3, minute=17, every=every))
    assert check_tree(workflow(job), WORKFLOW) == []


def test_a_workflow_asks_for_an_identity_token_and_nothing_it_does_not_need() -> None:
    made = workflow(replace(PLAIN, on_failure="./tell.sh"))
    assert made["permissions"] == {"id-token": "write", "contents": "read"}
    steps = made["jobs"]["rotate"]["steps"]
    assert "mimapp[keyvault]==1.2.3" in steps[1]["run"]
    assert steps[2]["env"] == {"MIMAPP_HOME": "/var/lib/mimapp"}
    assert steps[3] == {"name": "Tell", "if": "failure()", "run": "./tell.sh"}
    assert all(("run" in step) != ("uses" in step) for step in steps)


@pytest.mark.skipif(BASH is None, reason="a runner's shell is bash, and there is none here")
def test_a_runners_shell_reads_every_word_as_it_is(tmp_path: Path) -> None:
    note, script = note_of(tmp_path)
    job = replace(PLAIN, words=(*AWKWARD, "100%", '"', "$"))
    command = workflow(job)["jobs"]["rotate"]["steps"][2]["run"]
    shell = f'mimapp() {{ {shlex.join([sys.executable, "-c", script])} "$@"; }}\n{command}'
    assert BASH is not None
    subprocess.run([BASH, "-e", "-c", shell], check=True)
    with open(note, encoding="utf-8") as read:  # noqa: PTH123 - a path as text
        assert read.read() == repr([*AWKWARD, "100%", '"', "$"])


@pytest.mark.parametrize(
    "job", [replace(PLAIN, words=("${{ secrets.X }}",)), replace(PLAIN, on_failure="echo ${{ x }}")]
)
def test_an_expression_of_githubs_is_refused(job: Job) -> None:
    with pytest.raises(UsageError, match="begins an expression of GitHub's"):
        github_file(job, version="1")


def test_yaml_says_what_it_was_given() -> None:
    tree: dict[str, Node] = {
        "text": 'a: "b" # c\n- d',
        "looks like": ["yes", "null", "1", "1.5", "~", "", "üñ\u2028"],
        "number": 5,
        "flag": True,
        "empty": {},
        "none": [],
        "nested": [{"a": 1, "b": {"c": ["d", {"e": "f"}]}}, ["x", ["y"]]],
        "on": "on",
        "azure.workload.identity/use": "true",
    }
    assert yaml.safe_load(dump(tree)) == tree
