"""What the MIM server, its installer and EWS say: pop-ups, events, headers, response codes.

Sources stand in the rows; the order of causes follows what has been seen in the field.
"""

from __future__ import annotations

from mimapp.host.explanation import Cause, Explanation, Sign
from mimapp.host.facts import EWS_ENDS, Mark, Source

__all__ = ["MAIL"]

_GUIDE = Source(name="MIM Service and Portal install guide, screenshots", mark=Mark.SCREEN)
_WRITE_UP = Source(name="MIM Portal & Application Context Authentication (2022)", mark=Mark.WRITE_UP)
_FIELD = Source(name="order of causes from experience", mark=Mark.UNVERIFIED)
_EWS = Source(name="Control access to EWS in Exchange", mark=Mark.DOC)
_TEAM = Source(name="Exchange Team Blog 4561431, EWS Deprecation Is Here (2026-10-01)", mark=Mark.DOC)
_CODES = Source(name="EWS ResponseCode reference", mark=Mark.DOC)
_EXCHANGELIB = Source(name="ecederstrand/exchangelib#1321", mark=Mark.ISSUE_THREAD)
_BARE = Source(name="David-Barrett-MS/PowerShell-EWS-Scripts#62, ecederstrand/exchangelib#1199", mark=Mark.ISSUE_THREAD)
_MANAGED = Source(name="MicrosoftDocs/MIMDocs#202", mark=Mark.ISSUE_THREAD)
_HISTORY = Source(name="MIM version history", mark=Mark.DOC)
_LIMITS = Source(name="Limiting application permissions to specific Exchange Online mailboxes", mark=Mark.DOC)

_RESTART = "Restart-Service FIMService"
_SHEET = "Change mode on this node: mimapp host sheet"

_STRONG_CRYPTO = Cause(
    what="the .NET 2.0 strong-cryptography values are missing: MIM Service runs on .NET 3.5 and offers TLS 1.0 only",
    tell="mimapp host check: .NET v2.0.50727",
    fix=f"the script of mimapp host tls, then {_RESTART}",
    signs=(Sign.ANSWERED,),
)
_SECRET = Cause(
    what="the client secret is wrong or has expired",
    tell="mimapp secret list shows its end; mimapp verify proves the stored one",
    fix=f"mimapp rotate, then {_SHEET}",
    signs=(Sign.EXPIRED, Sign.GONE, Sign.REPLACED, Sign.REFUSED),
)
_BLOCKED = Cause(
    what="EWS is blocked for the organisation or the mailbox, or this application is not on the allow list",
    tell="mimapp ews status",
    fix="mimapp ews allow",
    signs=(Sign.SWITCHED_OFF, Sign.EWS_OFF, Sign.NOT_LISTED, Sign.AGENTS, Sign.EWS_SOON),
)
_POLICY = Cause(
    what="the access policy or RBAC scope does not hold the mailbox, or is not in force yet (up to 2 h)",
    tell="mimapp scope show",
    fix="mimapp scope test; within 2 h of a change wait, then mimapp verify",
    signs=(Sign.MISSED, Sign.SCOPE_SOON, Sign.DENIED),
)
_NETWORK = Cause(
    what="the server does not reach login or Exchange on port 443",
    tell="mimapp host check: the rows of the hosts",
    fix="open the way, or set the proxy for the service account",
    signs=(Sign.ANSWERED,),
)
_CONSENT = Cause(
    what="admin consent is missing, or the token is older than the consent",
    tell="mimapp status: consent; the token has no roles",
    fix=f"mimapp consent, then {_RESTART}",
    signs=(Sign.NO_CONSENT, Sign.WRONG_CLAIMS),
)
_ENDED = Cause(
    what=f"EWS in Exchange Online ended on {EWS_ENDS}",
    tell="today's date",
    fix="MIM's own ways out: mailbox on Exchange Server (options A, F), SMTP without approvals (D), no mail (E, I)",
    signs=(Sign.EWS_ENDED,),
)


def _row(
    key: str,
    title: str,
    *causes: Cause,
    phrases: tuple[str, ...] = (),
    also: tuple[str, ...] = (),
    sources: tuple[Source, ...] = (_FIELD,),
) -> Explanation:
    return Explanation(key=key, keys=(key.lower(), *also), phrases=phrases, title=title, causes=causes, sources=sources)


_INSTALLER = (
    _row(
        "installer-mailbox-failed",
        "Installer: Failed to access Office 365 mailbox",
        Cause(
            what="the Secret ID was typed instead of the secret's value (AADSTS7000215)",
            tell="the pop-up's AADSTS code; what was typed has the form of a GUID",
            fix="type the value: mimapp secret show",
        ),
        Cause(
            what="wrong Tenant ID, or the Azure Cloud page names another cloud (AADSTS90002)",
            tell="the pop-up's AADSTS code",
            fix="mimapp host sheet prints the values and the label",
            signs=(Sign.OTHER_TENANT, Sign.OTHER_CLOUD),
        ),
        _SECRET,
        _CONSENT,
        _BLOCKED,
        _POLICY,
        phrases=("failed to access office 365 mailbox", "please check authentication information provided"),
        sources=(_GUIDE, _FIELD),
    ),
    _row(
        "installer-invalid-pair",
        "Installer: Invalid Mail Authentication",
        Cause(
            what="mail server and authentication method do not go together",
            tell="the two lists of that page",
            fix="mimapp host sheet --mail-server office-365 --auth-method application-context --account gmsa|regular",
        ),
        phrases=("invalid mail authentication", "authentication method selected is not supported"),
        sources=(_GUIDE,),
    ),
    _row(
        "installer-licence",
        "Installer: no subscription with Microsoft Entra ID P1 or P2 found",
        Cause(
            what="the person who signed in belongs to another tenant",
            tell="the name in the sign-in window",
            fix="sign in as a user of the right tenant",
        ),
        Cause(
            what="the tenant has no P1 or P2 licence",
            tell="mimapp check: licence",
            fix="a licence, or the volume licence media (which have no such check)",
        ),
        sources=(_GUIDE,),
    ),
    _row(
        "installer-account-not-secure",
        "Installer: Service Account is not secure in its current configuration",
        Cause(
            what="the service account is not denied local logon",
            tell="it is a warning page",
            fix="Next goes on; deny the account local logon by policy later",
        ),
        phrases=("service account is not secure",),
        sources=(_GUIDE,),
    ),
    _row(
        "installer-account-managed",
        "Installer: The service account shouldn't be managed",
        Cause(
            what="with a group-managed service account the installer wants a user of its own for Exchange",
            tell="the account's name ends in $",
            fix="tick the choice of a different user for Exchange",
        ),
        phrases=("service account shouldn't be managed",),
        sources=(_MANAGED,),
    ),
)

_SERVER = (
    _row(
        "event-12",
        "Event 12: The Forefront Identity Manager Service cannot connect to the Exchange Web Service",
        _STRONG_CRYPTO,
        _SECRET,
        _BLOCKED,
        _POLICY,
        _NETWORK,
        _ENDED,
        also=("event 12", "event id 12", "12"),
        phrases=("cannot connect to the exchange web service", "event id 12", "event id: 12", "event 12"),
        sources=(_WRITE_UP, _FIELD),
    ),
    _row(
        "mim-token",
        "Could not get access token for office365 mailbox",
        _SECRET,
        Cause(
            what="Application ID or Tenant ID are not the registration's",
            tell="mimapp host check: Application ID, Tenant ID",
            fix=_SHEET,
            signs=(Sign.OTHER_TENANT, Sign.OTHER_APPLICATION),
        ),
        Cause(
            what="the service was not restarted after the change",
            tell="mimapp host check: the token is older than the secret",
            fix=_RESTART,
            signs=(Sign.REPLACED, Sign.ISSUED),
        ),
        Cause(
            what="the value in the registry was protected by another account, or on another server",
            tell="the service account was changed, or the value was copied from another node",
            fix=_SHEET,
            signs=(Sign.ISSUED,),
        ),
        _STRONG_CRYPTO,
        also=("token-message",),
        phrases=("could not get access token for office365 mailbox", "token was not obtained"),
        sources=(_WRITE_UP, _FIELD),
    ),
    _row(
        "approvals-ignored",
        "Mail goes out, approvals by mail are ignored",
        Cause(
            what="PollExchangeEnabled is not 1",
            tell="mimapp host check: PollExchangeEnabled",
            fix=f"set it to 1, then {_RESTART}",
        ),
        Cause(
            what="the mail server is SMTP, which gives no approvals",
            tell="installer option D",
            fix="options A, F, C or H",
        ),
        also=("poll-exchange",),
        sources=(Source(name="MIM documentation", mark=Mark.DOC),),
    ),
    _row(
        "stopped-after-hotfix",
        "It worked, and stopped after a hotfix",
        Cause(
            what="4.4.1459.0 clears the stored Exchange Online password",
            tell="the installed build",
            fix="4.5.26.0 or later, then Change mode",
        ),
        Cause(
            what="4.6.421.0 fails with a gMSA or Office 365 while PollExchangeEnabled is 1",
            tell="the hotfix's log",
            fix=f"PollExchangeEnabled 0, patch, 1, {_RESTART}",
        ),
        sources=(_HISTORY,),
    ),
    _row(
        "keyprotect-left-over",
        "MIMKeyProtectService is left over",
        Cause(
            what="a run of the password script or the secret script ended before it removed its temporary service; the "
            "installer fails on it, too",
            tell="sc.exe query MIMKeyProtectService",
            fix="sc.exe stop MIMKeyProtectService, then sc.exe delete MIMKeyProtectService",
        ),
        phrases=("mimkeyprotectservice",),
        sources=(Source(name="Update of MIM Specific Service account for notifications to gMSA", mark=Mark.DOC),),
    ),
)

_EWS_ROWS = (
    _row(
        "ews-disabled",
        "X-EWS-Policy-Reason: EWS is disabled for this user or tenant",
        Cause(
            what="EwsEnabled of the organisation is False",
            tell="mimapp ews status",
            fix="mimapp ews allow --enable (it opens EWS for every listed application: read what it shows)",
            signs=(Sign.EWS_OFF, Sign.EWS_SOON),
        ),
        Cause(
            what="EwsEnabled of the mailbox is False",
            tell="mimapp ews status: the mailbox's own switch",
            fix="Set-CASMailbox ADDRESS -EwsEnabled $true; wait about an hour",
            signs=(Sign.SWITCHED_OFF,),
        ),
        _ENDED,
        phrases=("ews is disabled for this user or tenant",),
        sources=(_EWS, _TEAM),
    ),
    _row(
        "ews-blocked-by-policy",
        "X-EWS-Policy-Reason: EWS is blocked by policy for this user or tenant",
        Cause(
            what="EwsAllowedAppIDs does not hold the Application ID, or is empty while EwsEnabled is True",
            tell="mimapp ews status",
            fix="mimapp ews allow; then wait up to 24 h",
            signs=(Sign.NOT_LISTED, Sign.EWS_SOON),
        ),
        Cause(
            what="the user-agent policy (EwsApplicationAccessPolicy) blocks MIM; its User-Agent is not known",
            tell="mimapp ews status: user-agent policy",
            fix="the Exchange administrator changes EwsAllowList or EwsBlockList",
            signs=(Sign.AGENTS,),
        ),
        phrases=("ews is blocked by policy for this user or tenant",),
        sources=(_EWS, _TEAM),
    ),
    _row(
        "x-ews-policy-reason",
        "HTTP 403 with X-EWS-Policy-Reason",
        _BLOCKED,
        _ENDED,
        phrases=("x-ews-policy-reason",),
        sources=(_EWS,),
    ),
    _row(
        "ews-no-scope",
        "x-ms-diagnostics 2000008: The token contains not enough scope to make this call",
        _CONSENT,
        Cause(
            what="the RBAC role is not in force yet",
            tell="mimapp scope show: when it was assigned",
            fix="wait 30 minutes to 2 hours, then mimapp verify",
            signs=(Sign.SCOPE_SOON,),
        ),
        also=("2000008",),
        phrases=("not enough scope to make this call",),
        sources=(_EXCHANGELIB,),
    ),
    _row(
        "ews-403",
        "HTTP 403 from EWS with an empty body and no telling header",
        _POLICY,
        Cause(
            what="another access policy denies the application, or restricts it to another group",
            tell="mimapp scope show lists every policy of the application",
            fix="the Exchange administrator removes or changes that policy",
            signs=(Sign.CONTRADICTED,),
        ),
        also=("403",),
        phrases=("http 403", "403 forbidden"),
        sources=(_BARE,),
    ),
    _row(
        "ews-401",
        "HTTP 401 from EWS",
        Cause(
            what="the token is for another audience, tenant or cloud, or has expired",
            tell="mimapp verify: claims",
            fix="--cloud; then mimapp verify",
            signs=(Sign.WRONG_CLAIMS, Sign.REFUSED),
        ),
        also=("401",),
        phrases=("http 401", "401 unauthorized"),
        sources=(_FIELD,),
    ),
    _row(
        "ErrorNonExistentMailbox",
        "EWS: The SMTP address has no mailbox associated with it",
        Cause(
            what="the mailbox has no Exchange Online licence",
            tell="mimapp check: mailbox",
            fix="give it a licence; wait some minutes",
            signs=(Sign.UNLICENSED,),
        ),
        Cause(
            what="wrong address in Service Email Account",
            tell="mimapp status: mailbox",
            fix=_SHEET,
            signs=(Sign.NO_MAILBOX,),
        ),
        Cause(
            what="the mailbox is still on-premises",
            tell="mimapp check: mailbox kind",
            fix="move it, or installer options A or F",
            signs=(Sign.ON_PREMISES,),
        ),
        phrases=("errornonexistentmailbox", "no mailbox associated with it"),
        sources=(_CODES, _FIELD),
    ),
    _row(
        "ErrorImpersonateUserDenied",
        "EWS: the application may not impersonate this mailbox",
        _POLICY,
        _CONSENT,
        also=("errorimpersonationdenied",),
        phrases=("errorimpersonateuserdenied", "errorimpersonationdenied"),
        sources=(_CODES, _FIELD),
    ),
    _row(
        "ErrorAccessDenied",
        "EWS: ErrorAccessDenied",
        _POLICY,
        Cause(
            what="the application has neither full_access_as_app nor the RBAC role that was asked for",
            tell="mimapp scope show",
            fix="mimapp consent, or mimapp register --scope rbac",
            signs=(Sign.NO_CONSENT,),
        ),
        phrases=("erroraccessdenied", "has not assigned any of the rbac roles"),
        sources=(_CODES, _FIELD),
    ),
    _row(
        "ErrorServerBusy",
        "EWS: the server cannot service this request right now",
        Cause(
            what="throttling",
            tell="BackOffMilliseconds in the answer",
            fix="wait that long; MIM does so by itself when it tries again",
        ),
        phrases=("errorserverbusy", "cannot service this request right now"),
        sources=(_CODES,),
    ),
    _row(
        "odata-disabled",
        "Access to OData is disabled",
        Cause(
            what="an application access policy refused a REST or Graph mail call; EWS, which MIM uses, never says this",
            tell="the call went to graph.microsoft.com or /api/",
            fix="mimapp scope show; for MIM itself run mimapp verify",
            signs=(Sign.MISSED,),
        ),
        phrases=("access to odata is disabled", "[raop]"),
        sources=(_LIMITS,),
    ),
    _row(
        "ews-ended",
        "The end of EWS",
        _ENDED,
        sources=(_TEAM,),
    ),
)

MAIL: tuple[Explanation, ...] = _INSTALLER + _SERVER + _EWS_ROWS
