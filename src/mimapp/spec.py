"""What is wanted: one `Registration`, the names that follow from it, and the marks by which mimapp knows its own.

Nothing here has seen a tenant. Two registrations in one tenant never share an application, a group or a secret:
every name derives from the registration's key, which defaults to the mailbox's local part.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from mimapp.errors import UsageError

if TYPE_CHECKING:
    from mimapp.secret import SecretStore

__all__ = [
    "ADOPTED_TAG",
    "CONSENT_LIMIT",
    "DISPLAY_NAME",
    "LABEL_PREFIX",
    "MARK",
    "REPLICATION_WINDOW",
    "SCRIPT_DISPLAY_NAME",
    "ConsentBy",
    "Only",
    "Registration",
    "Scope",
    "check_address",
    "key_of_mailbox",
    "mailbox_of_tags",
    "registration_of_tags",
    "scope_of_tags",
]

#: The name that Microsoft's MIM install guide suggests.
#: https://learn.microsoft.com/microsoft-identity-manager/install-mim-service-portal-azure-ad-premium
DISPLAY_NAME = "MIM Service mailbox client access"
MARK = "mimapp:"
_MAILBOX_MARK = "mimapp-mailbox:"
_SCOPE_MARK = "mimapp-scope:"
#: On an application that mimapp did not make but took over: only what is needed is ever changed on it.
ADOPTED_TAG = "mimapp-adopted"
#: The name that Microsoft's retired script gave (read off its screen in the same guide).
SCRIPT_DISPLAY_NAME = "Microsoft Identity Manager Service Mailbox client"
LABEL_PREFIX = "mimapp "

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?\.[A-Za-z]{2,}")
_LONGEST_ADDRESS = 254
_LONGEST_LOCAL_PART = 64
_KEY = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
_LONGEST_KEY = 40
_GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_LONGEST_NAME = 120  # Graph's limit for an application's displayName is 256; 120 is what its portal shows and takes
#: How long Entra may take to show, or to accept, a new secret. 4 to 18 s were seen, no limit is promised
#: (microsoft-graph-docs-contrib#1921); five minutes is this product's bound.
REPLICATION_WINDOW = timedelta(minutes=5)
#: How long a person at the consent page is waited for; whether they have closed it, nobody can tell.
CONSENT_LIMIT = timedelta(minutes=5)
_LIFETIME_LIMITS = (timedelta(days=1), timedelta(days=730))
#: Graph documents 1,024 characters for a service principal's notes and nothing for an application's; the other bounds
#: are this product's.
_LONGEST_NOTES = 1024
_LONGEST_WORDS = 256


class Only(StrEnum):
    """One administrator's part of the work."""

    ENTRA = "entra"
    EXCHANGE = "exchange"
    CONSENT = "consent"


class Scope(StrEnum):
    """What keeps the application to its one mailbox.

    Attributes:
        POLICY: full_access_as_app, granted in Entra, and an application access policy that restricts it.
        RBAC: no grant at all; a role in Exchange, limited to the mailbox (RBAC for Applications).
        NONE: full_access_as_app and nothing that restricts it: every mailbox of the tenant.
    """

    POLICY = "policy"
    RBAC = "rbac"
    NONE = "none"


class ConsentBy(StrEnum):
    """How a run that does nothing but consent does it.

    Attributes:
        API: the one role is granted.
        BROWSER: on Entra's consent page, opened on this machine.
        LINK: on that page, opened by somebody else, whom the run gives the link for.
    """

    API = "api"
    BROWSER = "browser"
    LINK = "link"


def check_address(text: str, *, what: str) -> str:
    """An e-mail address, checked for form.

    Raises:
        UsageError: it has another form; `what` names the option or key.
    """
    address = text.strip()
    local = address.partition("@")[0]
    fits = len(address) <= _LONGEST_ADDRESS and len(local) <= _LONGEST_LOCAL_PART
    if (
        not fits
        or ".." in address
        or local.startswith(".")
        or local.endswith(".")
        or _ADDRESS.fullmatch(address) is None
    ):
        shown = address if len(address) <= _LONGEST_ADDRESS else f"{address[:40]}… ({len(address)} characters)"
        raise UsageError(
            f"{what}: {shown!r} is not an e-mail address",
            hint="give the mailbox's SMTP address, such as MIMService@contoso.onmicrosoft.com",
        )
    return address


def _words(text: str, *, what: str, longest: int = _LONGEST_WORDS, lines: bool = False) -> str:
    """A text of the operator's, without blanks around it; `lines` lets it have several lines."""
    words = text.strip()
    hint = f"1 to {longest} printable characters"
    if not words or len(words) > longest:
        raise UsageError(f"{what}: {len(words)} characters are too {'many' if words else 'few'}", hint=hint)
    if not (words.replace("\n", "") if lines else words).isprintable():
        raise UsageError(f"{what}: it holds characters that do not print", hint=hint)
    return words


def key_of_mailbox(mailbox: str) -> str:
    """The registration key that a mailbox has by default: its local part in lower case, letters, digits and hyphens."""
    local = mailbox.partition("@")[0].lower()
    slug = re.sub(r"[^a-z0-9]+", "-", local).strip("-") or "mailbox"
    if len(slug) <= _LONGEST_KEY:
        return slug
    return f"{slug[: _LONGEST_KEY - 9].rstrip('-')}-{hashlib.sha256(local.encode()).hexdigest()[:8]}"


def registration_of_tags(tags: tuple[str, ...]) -> str | None:
    """The key of the registration that marked an object with these tags, or None."""
    return next((tag.removeprefix(MARK) for tag in tags if tag.startswith(MARK)), None)


def mailbox_of_tags(tags: tuple[str, ...]) -> str | None:
    """The mailbox that a marked object was made for, or None."""
    return next((tag.removeprefix(_MAILBOX_MARK) for tag in tags if tag.startswith(_MAILBOX_MARK)), None)


def scope_of_tags(tags: tuple[str, ...]) -> Scope | None:
    """The scope that an application was registered with; None where its tags name none, which a policy needs not."""
    named = next((tag.removeprefix(_SCOPE_MARK) for tag in tags if tag.startswith(_SCOPE_MARK)), None)
    return next((scope for scope in Scope if scope.value == named), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """One MIM Service and its mailbox, as somebody wants it.

    Attributes:
        mailbox: the SMTP address of the MIM Service mailbox.
        key: tells registrations of one tenant apart; lower-case letters, digits and hyphens, 40 at most. Empty:
            the mailbox's local part.
        display_name: of the application in Entra.
        store: where the client secret goes; None leaves the choice to the caller of `Tenant`.
        further_stores: where it goes too.
        secret_lifetime: how long a new client secret lives.
        group_owner: the address that owns the scoping group; None: the signed-in administrator.
        owner: the object id or user name of a person to add as owner of the application; None adds nobody.
        app_id: the client id of an application that exists and is to be used; None finds or makes one.
        new: make an application although one that may be meant exists.
        remove_user_read: take User.Read away also where it is somebody's sign-in.
        restrict_existing: fence an application in although that takes mailboxes from what else uses it.
        restore: bring a deleted application of this registration back.
        purge_deleted: delete it for good, and make a new one.
        new_secret: issue a secret here although one of mimapp's is stored elsewhere; that one stays.
        only: do one administrator's part alone; None does everything.
        fence_confirmed_by: who says that the fence stands, for a consent whose giver cannot read Exchange.
        consent_by: how a run that does nothing but consent does it.
        consent_all: consent on the page although the application asks for more than MIM needs.
        change_ref: the change request that a run belongs to; every write it makes is recorded with it.
        notes: what the application's notes are to say; None leaves them alone.
        service_management_reference: where the application stands in an asset or service database; None leaves it.
        scope: what keeps it to the mailbox; None: whatever stands, and a policy where nothing does.
        wait_for_scope: how long consent is held back after the fence stands; None: as long as an earlier run was told.
        principal_id: the object id of the service principal, for a run that assigns a role and does not read Entra.
        management_scope: limit the role by a management scope of the group's members, not by the group itself.
        administrative_unit: limit the role by this Entra administrative unit, by id or name; no group is made.
        further_tags: tags of application and service principal beside mimapp's own; others are left alone.

    Raises:
        UsageError: a value cannot be used; the message names it.
    """

    mailbox: str
    key: str = ""
    display_name: str = DISPLAY_NAME
    store: SecretStore | None = None
    further_stores: tuple[SecretStore, ...] = field(default=())
    secret_lifetime: timedelta = timedelta(days=180)
    group_owner: str | None = None
    owner: str | None = None
    app_id: str | None = None
    new: bool = False
    remove_user_read: bool = False
    restrict_existing: bool = False
    restore: bool = False
    purge_deleted: bool = False
    new_secret: bool = False
    only: Only | None = None
    fence_confirmed_by: str | None = None
    consent_by: ConsentBy = ConsentBy.API
    consent_all: bool = False
    change_ref: str | None = None
    notes: str | None = None
    service_management_reference: str | None = None
    scope: Scope | None = None
    wait_for_scope: timedelta | None = None
    principal_id: str | None = None
    management_scope: bool = False
    administrative_unit: str | None = None
    further_tags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "mailbox", check_address(self.mailbox, what="mailbox"))
        object.__setattr__(self, "key", self.key or key_of_mailbox(self.mailbox))
        if _KEY.fullmatch(self.key) is None or len(self.key) > _LONGEST_KEY:
            raise UsageError(
                f"registration: {self.key[:60]!r} cannot be a key",
                hint=f"lower-case letters, digits and inner hyphens, {_LONGEST_KEY} characters at most",
            )
        object.__setattr__(self, "display_name", _words(self.display_name, what="name", longest=_LONGEST_NAME))
        shortest, longest = _LIFETIME_LIMITS
        if not shortest <= self.secret_lifetime <= longest:
            raise UsageError(
                f"secret lifetime: {self.secret_lifetime.total_seconds() / 86_400:g} days is out of range",
                hint=f"from {shortest.days} to {longest.days} days, such as 180d",
            )
        self._check_choice()
        self._check_words()
        if self.group_owner is not None:
            owner = check_address(self.group_owner, what="group owner")
            if owner.lower() == self.mailbox.lower():
                raise UsageError(
                    "group owner: the MIM mailbox itself may not own the group that fences it in",
                    hint="name an administrator's mailbox with --group-owner ADDRESS",
                )
            object.__setattr__(self, "group_owner", owner)
        if self.owner is not None:
            owner = self.owner.strip()
            if _GUID.fullmatch(owner) is None and _ADDRESS.fullmatch(owner) is None:
                raise UsageError(
                    f"owner: {owner[:60]!r} is neither a user name nor an object id",
                    hint="such as --owner ada@contoso.com, or the object id that Entra shows",
                )
            object.__setattr__(self, "owner", owner)

    def _check_choice(self) -> None:
        """Which application: what is named has to have a form, and not to contradict itself."""
        if self.app_id is not None and _GUID.fullmatch(self.app_id) is None:
            raise UsageError(
                f"app id: {self.app_id[:60]!r} is not an application's client id",
                hint="it is a GUID: the application id, not the object id, of the Entra admin centre",
            )
        if self.new and self.app_id is not None:
            raise UsageError("app id and new contradict each other", hint="give one of --app-id and --new")
        if self.restore and self.purge_deleted:
            raise UsageError(
                "restore and purge contradict each other", hint="give one of --restore and --purge-deleted"
            )
        if self.fence_confirmed_by is not None and self.only is not Only.CONSENT:
            raise UsageError(
                "fence confirmed by: only a run that does nothing but consent takes somebody's word for the fence",
                hint="use it with --only consent",
            )
        if (self.consent_by is not ConsentBy.API or self.consent_all) and self.only is not Only.CONSENT:
            raise UsageError("consent by: only a run that does nothing but consent has the choice")
        self._check_scope()

    def _check_scope(self) -> None:
        """What goes with which scope."""
        if self.principal_id is not None and _GUID.fullmatch(self.principal_id) is None:
            raise UsageError(
                f"principal id: {self.principal_id[:60]!r} is not an object id",
                hint="it is a GUID: the object id of the enterprise application, not of the registration",
            )
        if self.wait_for_scope and self.scope in {Scope.RBAC, Scope.NONE}:
            raise UsageError(f"wait for scope: with scope {self.scope} there is no fence that consent could wait for")
        if self.management_scope and self.administrative_unit is not None:
            raise UsageError(
                "management scope and administrative unit contradict each other",
                hint="give one of --management-scope and --administrative-unit",
            )
        if (self.management_scope or self.administrative_unit is not None) and self.scope is not Scope.RBAC:
            raise UsageError("only a role can be limited in that way", hint="add --scope rbac")

    def _check_words(self) -> None:
        """What is written beside the application and into the record, for people and for the tools of others."""
        for name in ("fence_confirmed_by", "change_ref", "service_management_reference", "administrative_unit"):
            text: str | None = getattr(self, name)
            if text is not None:
                object.__setattr__(self, name, _words(text, what=name.replace("_", " ")))
        if self.notes is not None:
            object.__setattr__(self, "notes", _words(self.notes, what="notes", longest=_LONGEST_NOTES, lines=True))
        tags = tuple(dict.fromkeys(_words(tag, what="tag") for tag in self.further_tags))
        for tag in tags:
            if tag.lower().startswith("mimapp"):
                raise UsageError(
                    f"tag: {tag!r} looks like one of the marks by which mimapp knows its own",
                    hint="give a tag that does not begin with mimapp",
                )
        object.__setattr__(self, "further_tags", tags)

    @property
    def unique_name(self) -> str:
        """The application's `uniqueName`, Graph's key for it."""
        return f"mimapp-{self.key}"

    @property
    def group_name(self) -> str:
        """The name and alias of the scoping group."""
        return f"mimapp-{self.key}"

    @property
    def mark(self) -> str:
        """What tags, notes and descriptions carry to say whose an object is."""
        return f"{MARK}{self.key}"

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags that application and service principal are to have, mimapp's marks first."""
        return (self.mark, f"{_MAILBOX_MARK}{self.mailbox.lower()}", *self.further_tags)

    @property
    def scope_tags(self) -> tuple[str, ...]:
        """What the application's tags say of its scope beside these; nothing for a policy, as it always was."""
        return () if self.scope in {None, Scope.POLICY} else (f"{_SCOPE_MARK}{self.scope}",)

    @property
    def stores(self) -> tuple[SecretStore, ...]:
        """Every store that a new secret goes to, the first one first."""
        return (*(() if self.store is None else (self.store,)), *self.further_stores)

    def stored_in(self, stores: tuple[SecretStore, ...]) -> Registration:
        """The same registration with these stores."""
        return replace(self, store=stores[0] if stores else None, further_stores=stores[1:])
