"""``mimapp handover``: say that MIM uses a secret, and see what is known of that."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path  # noqa: TC003 - the decorator reads a dataclass's field types at run time
from typing import TYPE_CHECKING

from mimapp.cli.command import Run, command
from mimapp.cli.kinds import PATH, TEXT
from mimapp.cli.meant import find_registration, tenant_of
from mimapp.cli.options import argument, option
from mimapp.cli.result import Line, Result
from mimapp.cli.rotate_options import HandOverOptions
from mimapp.errors import HostInputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mimapp.cli.result import Block, JsonValue
    from mimapp.rotation import Standing, Statement
    from mimapp.rotation.view import View
    from mimapp.spec import Registration
    from mimapp.tenant import Tenant

__all__ = ["ConfirmOptions", "confirm", "show"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmOptions(HandOverOptions):
    """Which secret, and who says so."""

    key_id: str | None = argument(
        TEXT, "KEYID", default=None, required=False, help="the key id of the secret that MIM uses now"
    )
    node: str | None = option(
        TEXT, "--node", default=None, metavar="NAME", help="the MIM server that it is true of; default: all of them"
    )
    from_: Path | None = option(  # noqa: RUF009 - makes a dataclasses.field
        PATH,
        "--from",
        default=None,
        help="the result file that the secret script wrote on the MIM server; it names key id and server itself",
    )


@command(HandOverOptions)
def show(run: Run, options: HandOverOptions) -> Result:
    """List mimapp's client secrets with the evidence that MIM uses each, and when the older ones may go."""
    from mimapp.cli.connect import connect  # noqa: PLC0415 - help need not import it
    from mimapp.cli.rotating import policy_of  # noqa: PLC0415 - help need not import it
    from mimapp.provisioning.steps import Part  # noqa: PLC0415 - help need not import it
    from mimapp.tenant import ROTATION_PERMISSIONS  # noqa: PLC0415 - help need not import it

    with (
        connect(run, tenant_of(run), parts=frozenset({Part.ENTRA}), permissions=ROTATION_PERMISSIONS) as tenant,
        tenant.rotation(_wanted(run, options, tenant), on_event=run.progress) as rotation,
    ):
        return _result(*rotation.show(policy_of(options)))


@command(ConfirmOptions)
def confirm(run: Run, options: ConfirmOptions) -> Result:
    """Say that MIM uses a client secret now: evidence by which every older one of mimapp's may be revoked later.

    Nothing in the tenant is changed. With --from, the MIM server's own result file says so, and proves it.
    """
    from mimapp.cli.connect import connect  # noqa: PLC0415 - help need not import it
    from mimapp.cli.rotating import policy_of  # noqa: PLC0415 - help need not import it
    from mimapp.provisioning.steps import Part  # noqa: PLC0415 - help need not import it
    from mimapp.tenant import ROTATION_PERMISSIONS  # noqa: PLC0415 - help need not import it

    said = _said(options)
    with connect(run, tenant_of(run), parts=frozenset({Part.ENTRA}), permissions=ROTATION_PERMISSIONS) as tenant:
        wanted = _wanted(run, options, tenant)
        statement = said or _of_person(options, tenant.graph_operator.name)
        with tenant.rotation(wanted, on_event=run.progress) as rotation:
            return _result(*rotation.confirm(statement, policy_of(options)))


def _wanted(run: Run, options: HandOverOptions, tenant: Tenant) -> Registration:
    from mimapp.cli.connect import stores_of  # noqa: PLC0415 - help need not import it

    wanted = find_registration(run, tenant)
    return wanted.stored_in(stores_of(run, options.secret_to, tenant.tenant_id, wanted.key))


def _said(options: ConfirmOptions) -> Statement | None:
    """What the MIM server's own result file says; None where none is given.

    Raises:
        UsageError: it contradicts what was typed.
        HostInputError: it cannot be read, or is no evidence.
    """
    if options.from_ is None:
        return None
    from mimapp.host.secret_script import read_result  # noqa: PLC0415 - only --from needs it
    from mimapp.rotation import Statement  # noqa: PLC0415 - help need not import it

    path = options.from_
    try:
        result = read_result(path.read_bytes(), str(path))
    except OSError as error:
        raise HostInputError(f"{path} cannot be read: {error.strerror or error}") from error
    key_id = result.key_id or (options.key_id or "").lower()
    if not result.is_evidence:
        raise HostInputError(
            f"{path} is no evidence: on {result.server} the secret script ended with {result.outcome.value}"
            + (f" ({result.reason})" if result.reason else ""),
            hint="only a run that ended with success, and names the key id, shows that MIM uses the secret",
        )
    if options.key_id is not None and options.key_id.lower() != key_id:
        raise UsageError(f"{path} is about the secret {key_id}, not about {options.key_id}")
    if options.node is not None and options.node.casefold() != result.server.casefold():
        raise UsageError(f"{path} is about the server {result.server}, not about {options.node}")
    return Statement(key_id=key_id, by=result.server, node=result.server, kind="result")


def _of_person(options: ConfirmOptions, operator: str) -> Statement:
    from mimapp.rotation import Statement  # noqa: PLC0415 - help need not import it

    if options.key_id is None:
        raise UsageError("which secret?", hint="give its KEYID, or the server's result file with --from FILE")
    return Statement(key_id=options.key_id, by=operator, node=options.node or "")


def _result(view: View, standing: Standing) -> Result:
    return Result(schema="mimapp.handover/1", document=_document(view, standing), text=_text(view, standing))


def _document(view: View, standing: Standing) -> Mapping[str, JsonValue]:
    from mimapp.cli.rotating import (  # noqa: PLC0415 - help need not import it
        evidence_documents,
        handover_document,
        older_documents,
        secret_document,
    )

    return {
        "tenantId": view.desk.tenant_id,
        "registration": view.desk.key,
        "applicationId": view.desk.application_id,
        "handover": handover_document(standing.handover),
        "secrets": [
            {**(secret_document(one) or {}), "evidence": evidence_documents(one.evidence)} for one in view.secrets
        ],
        "older": older_documents(standing.older),
        "warnings": list(standing.warnings),
        "attention": list(standing.attention),
    }


def _text(view: View, standing: Standing) -> tuple[Block, ...]:
    from mimapp.cli.rotating import secret_table  # noqa: PLC0415 - help need not import it

    if not view.secrets:
        return (Line("The application has no client secret of mimapp's."),)
    return (
        secret_table(view.secrets),
        *(Line(f"Note: {warning}", "warn") for warning in standing.warnings),
        *(Line(f"To do: {matter}", "bad") for matter in standing.attention),
    )
