"""A plan as a document: what ``--plan-out`` writes, and how it is read back for ``mimapp apply``.

The file holds what was wanted, the steps that were shown and their fingerprint, and never a secret: stores by their
URI. It is read strictly, because people pass such files on and change them: an unknown key, a wrong type, steps that do
not fit the fingerprint, another version or a simulated tenant's plan are each refused by name. The fingerprint is no
signature. What protects the tenant is that `apply` reads it again and takes no step that is not in the file.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

import msgspec

from mimapp import __version__
from mimapp.cli.kinds import duration_option
from mimapp.clock import iso, parse_duration
from mimapp.errors import StalePlanError, UsageError
from mimapp.provisioning.planned import Planned
from mimapp.provisioning.steps import Step, StepKind
from mimapp.spec import ConsentBy, Only, Registration, Scope
from mimapp.transport.models import ready

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mimapp.cli.result import JsonValue

__all__ = ["PLAN_SCHEMA", "PlanFile", "plan_document", "read_plan"]

T = TypeVar("T")
PLAN_SCHEMA: Final = "mimapp.plan/1"
_PLACE = re.compile(r" - at `(?P<place>[^`]*)`$")
_LONGEST_SHOWN: Final = 60


class _Form(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """A table of the file: no key may be missing that has no default, and none may be there that is not known."""


class _Wanted(_Form, frozen=True, kw_only=True):
    """The registration without its mailbox, key and change reference, which stand above it."""

    display_name: str
    stores: tuple[str, ...]
    secret_lifetime: str
    group_owner: str | None
    owner: str | None
    app_id: str | None
    new: bool
    remove_user_read: bool
    restrict_existing: bool
    restore: bool
    purge_deleted: bool
    new_secret: bool
    only: Only | None
    fence_confirmed_by: str | None
    consent_by: ConsentBy
    consent_all: bool
    scope: Scope | None
    wait_for_scope: str | None
    management_scope: bool
    administrative_unit: str | None
    principal_id: str | None
    notes: str | None
    service_management_reference: str | None
    tags: tuple[str, ...]
    outside: str | None
    choices: tuple[Literal["purge", "first-entry", "enable", "release", "keep-policy"], ...]


class _Step(_Form, frozen=True, kw_only=True):
    step: StepKind
    target: str
    desired: str
    title: str


class _Document(_Form, frozen=True, kw_only=True):
    schema: str
    mimapp: str
    command: str
    made: datetime
    cloud: str | None
    tenant_id: str
    tenant_name: str
    operator: str
    exchange_operator: str | None
    mailbox: str
    registration: str
    change_ref: str | None
    fingerprint: str
    writes: int
    wanted: _Wanted
    steps: tuple[_Step, ...]
    warnings: tuple[str, ...]
    sandbox: bool


class _Head(msgspec.Struct, frozen=True, kw_only=True):
    """What every file of ours begins with; read before the rest, whose form another version may have changed."""

    schema: str = ""
    mimapp: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFile:
    """A plan that was written to a file.

    Attributes:
        path: the file.
        command: the command that made it.
        cloud: the cloud that was named; None: the default.
        stores: URIs of the stores that a new secret goes to.
        choices: the flags of the command that were given and that are no part of the registration.
        shown: the steps that were shown, and for whom; its registration has no stores yet.
    """

    path: Path
    command: str
    cloud: str | None
    stores: tuple[str, ...]
    choices: frozenset[str]
    shown: Planned


def plan_document(plan: Planned, *, command: str, cloud: str | None, made: datetime) -> Mapping[str, JsonValue]:
    """The plan as JSON, without ``schema`` and ``sandbox``, which every document gets.

    Args:
        plan: the plan.
        command: the command that made it, and that `apply` ends as.
        cloud: the cloud that the operator named, or None.
        made: when it was made.
    """
    wanted = plan.wanted
    return {
        "mimapp": __version__,
        "command": command,
        "made": iso(made),
        "cloud": cloud,
        "tenantId": plan.tenant_id,
        "tenantName": plan.tenant_name,
        "operator": plan.operator,
        "exchangeOperator": plan.exchange_operator,
        "mailbox": wanted.mailbox,
        "registration": wanted.key,
        "changeRef": wanted.change_ref,
        "fingerprint": plan.fingerprint,
        "writes": plan.writes,
        "wanted": {
            "displayName": wanted.display_name,
            "stores": [store.uri for store in wanted.stores],
            "secretLifetime": duration_option(wanted.secret_lifetime),
            "groupOwner": wanted.group_owner,
            "owner": wanted.owner,
            "appId": wanted.app_id,
            "new": wanted.new,
            "removeUserRead": wanted.remove_user_read,
            "restrictExisting": wanted.restrict_existing,
            "restore": wanted.restore,
            "purgeDeleted": wanted.purge_deleted,
            "newSecret": wanted.new_secret,
            "only": None if wanted.only is None else wanted.only.value,
            "fenceConfirmedBy": wanted.fence_confirmed_by,
            "consentBy": wanted.consent_by.value,
            "consentAll": wanted.consent_all,
            "scope": None if wanted.scope is None else wanted.scope.value,
            "waitForScope": None if wanted.wait_for_scope is None else duration_option(wanted.wait_for_scope),
            "managementScope": wanted.management_scope,
            "administrativeUnit": wanted.administrative_unit,
            "principalId": wanted.principal_id,
            "notes": wanted.notes,
            "serviceManagementReference": wanted.service_management_reference,
            "tags": list(wanted.further_tags),
            "outside": plan.outside,
            "choices": sorted(plan.choices),
        },
        "steps": [
            {"step": step.kind.value, "target": step.target, "desired": step.desired, "title": step.title}
            for step in plan.steps
        ],
        "warnings": list(plan.warnings),
    }


def read_plan(path: Path, *, sandbox: bool) -> PlanFile:
    """Read a plan's file.

    Args:
        path: the file.
        sandbox: whether this run works on the simulated tenant.

    Raises:
        UsageError: it cannot be read, is no plan, or holds a value that cannot be used: file, key and value are named.
        StalePlanError: another version of mimapp made it, or its steps are not those of its fingerprint.
    """
    content = _content(path)
    head = _decoded(path, content, _Head)
    if head.schema != PLAN_SCHEMA:
        raise UsageError(
            f"{path} is no plan: its schema is {_shown(head.schema)}, not {PLAN_SCHEMA}",
            hint="make one with --plan-out FILE",
        )
    if head.mimapp != __version__:
        raise StalePlanError(
            f"{path} was made by mimapp {head.mimapp or 'of an unknown version'}, and this is {__version__}: its steps "
            "may mean something else",
            hint="make the plan anew, and have that approved",
        )
    found = _decoded(path, content, _Document)
    if found.sandbox != sandbox:
        raise UsageError(
            f"{path} is the plan of a {'simulated' if found.sandbox else 'real'} tenant",
            hint="add --sandbox" if found.sandbox else "leave --sandbox away",
        )
    shown = Planned(
        tenant_id=found.tenant_id,
        tenant_name=found.tenant_name,
        operator=found.operator,
        exchange_operator=found.exchange_operator,
        wanted=_registration(path, found),
        steps=tuple(Step(kind=s.step, target=s.target, desired=s.desired, title=s.title) for s in found.steps),
        warnings=found.warnings,
        outside=found.wanted.outside,
    )
    if shown.fingerprint != found.fingerprint:
        raise StalePlanError(
            f"{path} was changed after it was made: its steps have the fingerprint {shown.fingerprint}, and it says "
            f"{_shown(found.fingerprint)}",
            hint="make the plan anew, and have that approved",
        )
    return PlanFile(
        path=path,
        command=found.command,
        cloud=found.cloud,
        stores=found.wanted.stores,
        choices=frozenset(found.wanted.choices),
        shown=shown,
    )


def _registration(path: Path, found: _Document) -> Registration:
    wanted = found.wanted
    try:
        return Registration(
            mailbox=found.mailbox,
            key=found.registration,
            change_ref=found.change_ref,
            display_name=wanted.display_name,
            secret_lifetime=parse_duration(wanted.secret_lifetime),
            group_owner=wanted.group_owner,
            owner=wanted.owner,
            app_id=wanted.app_id,
            new=wanted.new,
            remove_user_read=wanted.remove_user_read,
            restrict_existing=wanted.restrict_existing,
            restore=wanted.restore,
            purge_deleted=wanted.purge_deleted,
            new_secret=wanted.new_secret,
            only=wanted.only,
            fence_confirmed_by=wanted.fence_confirmed_by,
            consent_by=wanted.consent_by,
            consent_all=wanted.consent_all,
            scope=wanted.scope,
            wait_for_scope=None if wanted.wait_for_scope is None else parse_duration(wanted.wait_for_scope),
            management_scope=wanted.management_scope,
            administrative_unit=wanted.administrative_unit,
            principal_id=wanted.principal_id,
            notes=wanted.notes,
            service_management_reference=wanted.service_management_reference,
            further_tags=wanted.tags,
        )
    except UsageError as error:
        raise UsageError(f"{path}: {error.message}", hint=error.hint) from error


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from error


def _decoded(path: Path, content: bytes, form: type[T]) -> T:
    """The file in one of its forms."""
    try:
        return msgspec.json.decode(content, type=ready(form))
    except msgspec.ValidationError as error:
        raise UsageError(f"{path}: {_complaint(str(error), content)}", hint="make the plan anew") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is no JSON document: {error}", hint="make one with --plan-out FILE") from error


def _complaint(text: str, content: bytes) -> str:
    """What msgspec says, with the key in front and the value that is there behind."""
    match = _PLACE.search(text)
    if match is None:
        return text
    said, place = text[: match.start()], match["place"]
    return f"{place.removeprefix('$.')}: {said}, and it is {_shown(_value_at(place, content))}"


def _value_at(place: str, content: bytes) -> object:
    """The value at a place such as ``$.steps[2].title``."""
    value: Any = json.loads(content)
    for key, index in re.findall(r"\.([^.\[\]]+)|\[(\d+)\]", place):
        value = value[key] if key else value[int(index)]
    return value


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"
