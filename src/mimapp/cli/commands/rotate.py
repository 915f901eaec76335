"""``mimapp rotate``: a new client secret before the old one ends, and never a dead mailbox."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mimapp.cli.command import Run, command
from mimapp.cli.exit_codes import ExitCode
from mimapp.cli.meant import find_registration, tenant_of
from mimapp.cli.result import Line, Pairs, Result
from mimapp.cli.rotate_options import RotateOptions
from mimapp.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import timedelta

    from mimapp.cli.result import Block, JsonValue
    from mimapp.rotation import Hooks, Outcome, Policy
    from mimapp.rotation.plan import RotationPlan

__all__ = ["rotate"]


@command(RotateOptions, writes=True)
def rotate(run: Run, options: RotateOptions) -> Result:
    """Replace the client secret: issue and store a new one, prove it, hand it over; revoke the old one much later.

    The old secret goes in a later run, and only with evidence that MIM uses the new one: a deploy hook that succeeded,
    or mimapp handover confirm. Without evidence it is left to end by itself, and every run says so (exit code 3).
    """
    from mimapp.cli.connect import connect, stores_of  # noqa: PLC0415 - help need not import it
    from mimapp.cli.rotating import ask_and_do, plan_result  # noqa: PLC0415 - help need not import it
    from mimapp.provisioning.steps import Part  # noqa: PLC0415 - help need not import it
    from mimapp.tenant import ROTATION_PERMISSIONS  # noqa: PLC0415 - help need not import it

    policy, hooks = _policy(options), _hooks(run, options)
    hooks.check()  # before anybody signs in
    tenant_name = tenant_of(run)
    with connect(
        run,
        tenant_name,
        window=options.replication_window,
        parts=frozenset({Part.ENTRA}),
        permissions=ROTATION_PERMISSIONS,
    ) as tenant:
        wanted = replace(find_registration(run, tenant), secret_lifetime=options.secret_lifetime)
        wanted = wanted.stored_in(stores_of(run, options.secret_to, tenant.tenant_id, wanted.key))
        with tenant.rotation(wanted, on_event=run.progress) as rotation:
            plan = rotation.plan(policy, hooks)
            if run.writing.dry_run or run.writing.plan_out is not None:
                would = "Would issue a client secret" if plan.decision.issue else "Would issue no client secret"
                return plan_result(run, plan, tenant_name, f"{would}: {plan.decision.reason}")
            outcome = ask_and_do(
                run,
                plan,
                tenant_name,
                lambda: _after_jitter(
                    run, plan, options.jitter, lambda: rotation.rotate(plan, hooks, as_shown=not run.writing.yes)
                ),
                ask=(lambda: _confirm(run, plan, options.confirm)) if policy.compromised else None,
            )
    return Result(
        schema="mimapp.rotate/1",
        document=_document(outcome),
        text=_text(outcome),
        code=ExitCode.ATTENTION if outcome.attention else ExitCode.DONE,
    )


def _after_jitter(run: Run, plan: RotationPlan, most: timedelta, act: Callable[[], Outcome]) -> Outcome:
    """Act after a random time, where nobody waits for it and something is issued; the tenant is read again after it."""
    if most and plan.decision.issue and not run.world.can_ask:
        from random import uniform  # noqa: PLC0415 - only a schedule needs it

        from mimapp.provisioning.events import Waiting  # noqa: PLC0415 - help need not import it
        from mimapp.transport import Wait  # noqa: PLC0415 - as above

        seconds = uniform(0, most.total_seconds())  # noqa: S311 - spreads load, guards nothing
        run.progress(Waiting(wait=Wait(what="rotation", reason="--jitter spreads runs", seconds=seconds, waited=0.0)))
        run.world.clock.sleep(seconds)
    return act()


def _policy(options: RotateOptions) -> Policy:
    from mimapp.rotation import DuePolicy, Policy  # noqa: PLC0415 - help need not import it

    if options.confirm and not options.compromised:
        raise UsageError("--confirm answers the question of --compromised, which is not given")
    return Policy(
        if_due=options.if_due,
        again=options.again,
        due=DuePolicy(before=options.before, interval=options.interval),
        overlap=options.overlap,
        nodes=options.nodes,
        trust_report=options.trust_signin_report,
        compromised=tuple(dict.fromkeys(key_id.lower() for key_id in options.compromised)),
    )


def _hooks(run: Run, options: RotateOptions) -> Hooks:
    from mimapp.rotation import CommandHook, Hooks  # noqa: PLC0415 - help need not import it

    def hook(command: str | None, flag: str) -> CommandHook | None:
        return None if command is None else CommandHook(command=command, option=flag, environ=run.world.environ)

    return Hooks(
        pre=hook(options.pre_hook, "--pre-hook"),
        deploy=hook(options.deploy_hook, "--deploy-hook"),
        post=hook(options.post_hook, "--post-hook"),
        gives_secret=options.hook_stdin == "secret",
    )


def _confirm(run: Run, plan: RotationPlan, confirmed: tuple[str, ...]) -> None:
    """Show every other way into the application, and have the key ids typed; ``--yes`` is no answer to this."""
    from mimapp.cli.credentials import credential_table  # noqa: PLC0415 - help need not import it

    named = plan.policy.compromised
    run.output.tell(
        [
            Line(f"To be revoked in this run: {', '.join(named)}", "heading"),
            Line("Every other way into the application; none of them is touched:", "heading"),
            *credential_table(plan.other_ways),
            Line(f"Who can add secrets to it, beside administrators: {', '.join(plan.owners) or 'nobody'}"),
        ]
    )
    missing = [key_id for key_id in named if key_id not in {text.lower() for text in confirmed}]
    if not missing:
        return
    if not run.world.can_ask:
        raise UsageError(
            "this revokes a secret that MIM may be using, and --yes does not answer for it",
            hint=" ".join(f"--confirm {key_id}" for key_id in missing),
        )
    run.progress.pause()
    run.world.stderr.write(f"Type {' '.join(missing)} to go on: ")
    run.world.stderr.flush()
    if run.world.stdin.readline().lower().replace(",", " ").split() != missing:
        raise UsageError("nothing was changed: what was typed is not the key id")


def _document(outcome: Outcome) -> Mapping[str, JsonValue]:
    from mimapp.cli.credentials import credential_documents  # noqa: PLC0415 - help need not import it
    from mimapp.cli.rotating import handover_document, older_documents, secret_document  # noqa: PLC0415 - as above

    return {
        "tenantId": outcome.tenant_id,
        "registration": outcome.registration,
        "applicationId": outcome.application_id,
        "secret": secret_document(outcome.secret),
        "issued": outcome.issued,
        "reason": outcome.reason,
        "handover": handover_document(outcome.handover),
        "older": older_documents(outcome.older),
        "retired": list(outcome.retired),
        "otherWays": credential_documents(outcome.other_ways),
        "warnings": list(outcome.warnings),
        "attention": list(outcome.attention),
    }


def _text(outcome: Outcome) -> tuple[Block, ...]:
    secret = outcome.secret
    did = "Issued a new client secret" if outcome.issued else "No secret was issued"
    pairs = [("Application", outcome.application_id)]
    if secret is not None:
        ends = "no end" if secret.expires is None else f"{secret.expires:%Y-%m-%d}"
        where = ", ".join(secret.stores) or ("shown or sent away" if secret.is_here else "stored elsewhere")
        pairs += [
            ("Secret", f"{secret.label} ({secret.key_id})"),
            ("Ends", ends),
            ("Stored in", where),
            ("Proven", "yes" if secret.is_proven else "no"),
            ("Handed over", outcome.handover.state.value),
        ]
    if outcome.retired:
        pairs.append(("Revoked", ", ".join(outcome.retired)))
    return (
        Line(f"{did}: {outcome.reason}.", "good"),
        Line(),
        Pairs(pairs),
        *(Line(f"Note: {warning}", "warn") for warning in outcome.warnings),
        *(Line(f"To do: {matter}", "bad") for matter in outcome.attention),
    )
