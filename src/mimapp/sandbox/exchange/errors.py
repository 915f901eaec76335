"""How a cmdlet fails, in Exchange's words: status, code, and the pipe-separated detail of the wire.

Texts that facts/exchange.md or a public page gives are used as they stand; a text marked unverified here is our best
knowledge of Exchange's wording, and clients must not match on it. How an error travels is wire.py's business.
"""

from __future__ import annotations

__all__ = [
    "CmdletError",
    "address_taken",
    "already_exists",
    "already_member",
    "ambiguous",
    "bad_parameter",
    "no_service_principal",
    "not_a_manager",
    "not_a_member",
    "not_a_security_principal",
    "not_found",
    "out_of_policy_space",
    "synced",
    "unknown_parameter",
]

_TASKS = "Microsoft.Exchange.Configuration.Tasks"
_MANAGEMENT = "Microsoft.Exchange.Management"


class CmdletError(Exception):
    """A cmdlet ended with an error.

    Attributes:
        status: the HTTP status.
        code: ``NotFound`` or ``BadRequest``.
        error_id: the first part of the detail, such as ``Ex6F9304``; empty where none is known.
        exception_type: the second part.
        text: the third part.
    """

    def __init__(self, text: str, *, exception_type: str, error_id: str = "", missing: bool = False) -> None:
        super().__init__(text)
        self.status = 404 if missing else 400
        self.code = "NotFound" if missing else "BadRequest"
        self.error_id = error_id
        self.exception_type = exception_type
        self.text = text

    @property
    def detail(self) -> str:
        """``error.details[].message``."""
        return f"{self.error_id}|{self.exception_type}|{self.text}"


def not_found(identity: str, server: str) -> CmdletError:
    """No object of that identity; the text is Microsoft365DSC#2998's."""
    return CmdletError(
        f"The operation couldn't be performed because object '{identity}' couldn't be found on '{server}'.",
        exception_type=f"{_TASKS}.ManagementObjectNotFoundException",
        error_id="Ex6F9304",
        missing=True,
    )


def ambiguous(identity: str) -> CmdletError:
    """A write whose identity fits several objects; text unverified."""
    return CmdletError(
        f"The operation couldn't be performed because '{identity}' matches multiple entries.",
        exception_type=f"{_TASKS}.ManagementObjectAmbiguousException",
    )


def bad_parameter(
    text: str, *, exception_type: str = "System.Management.Automation.ParameterBindingException"
) -> CmdletError:
    """A parameter's value cannot be used; how it looks over REST is unverified, the texts are PowerShell's."""
    return CmdletError(text, exception_type=exception_type)


def unknown_parameter(name: str) -> CmdletError:
    """The cmdlet has no such parameter."""
    return bad_parameter(f"A parameter cannot be found that matches parameter name '{name}'.")


def already_exists(what: str) -> CmdletError:
    """A duplicate; exception type and text are unverified (facts/exchange.md 4)."""
    return CmdletError(
        f"The object '{what}' already exists.",
        exception_type="Microsoft.Exchange.Data.Directory.ADObjectAlreadyExistsException",
    )


def address_taken(address: str, holder: str) -> CmdletError:
    """A mail address that another recipient has; text of Microsoft's page about shared mailboxes."""
    return CmdletError(
        f'The proxy address "SMTP:{address}" is already being used by the proxy addresses or LegacyExchangeDN of '
        f'"{holder}". Please choose another proxy address.',
        exception_type="Microsoft.Exchange.Data.Directory.ProxyAddressExistsException",
    )


def already_member(member: str, group: str) -> CmdletError:
    """The core of the text is azapptoolkit's (facts/exchange.md 4)."""
    return CmdletError(
        f'The recipient "{member}" is already a member of the group "{group}".',
        exception_type=f"{_MANAGEMENT}.RecipientTasks.MemberAlreadyExistsException",
    )


def not_a_member(member: str, group: str) -> CmdletError:
    """The core of the text is azapptoolkit's (facts/exchange.md 4)."""
    return CmdletError(
        f'The recipient "{member}" isn\'t a member of the group "{group}".',
        exception_type=f"{_MANAGEMENT}.RecipientTasks.MemberNotFoundException",
    )


def not_a_manager() -> CmdletError:
    """The caller owns no such group and did not bypass the check; text of Microsoft's troubleshooting page."""
    return CmdletError(
        "You don't have sufficient permissions. This operation can only be performed by a manager of the group.",
        exception_type=f"{_TASKS}.OperationRequiresGroupManagerException",
    )


def synced(cmdlet: str, identity: str) -> CmdletError:
    """The object is mastered on-premises; that it is refused, and the text, are unverified."""
    return CmdletError(
        f"The action '{cmdlet}' can't be performed on the object '{identity}' because the object is being synchronized "
        "from your on-premises organization. This action should be performed on the object in your on-premises "
        "organization.",
        exception_type="Microsoft.Exchange.Configuration.Authorization.CmdletAccessDeniedException",
    )


def not_a_security_principal() -> CmdletError:
    """The scope of an access policy must be one (facts/exchange.md 6); the exception's type is unverified."""
    return CmdletError(
        "The identity of the policy scope is not a security principal.",
        exception_type=f"{_MANAGEMENT}.Tasks.ApplicationAccessPolicyException",
    )


def no_service_principal(object_id: str) -> CmdletError:
    """New-ServicePrincipal was given another object's id (facts/exchange.md 7); the status is unverified."""
    return CmdletError(
        f"AADServicePrincipalNotFound: No ServicePrincipal with Object Id '{object_id}'.",
        exception_type=f"{_MANAGEMENT}.RbacTasks.AADServicePrincipalNotFoundException",
    )


def out_of_policy_space() -> CmdletError:
    """All access policies share one space (facts/exchange.md 6); the exception's type is unverified."""
    return CmdletError(
        "The total size of App Access Policies exceeded the limit.",
        exception_type=f"{_MANAGEMENT}.Tasks.ApplicationAccessPolicyException",
    )
