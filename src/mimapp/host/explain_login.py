"""Entra's sign-in codes as the MIM server, its installer and mimapp's operators meet them.

Codes and general meaning: "Microsoft Entra authentication and authorization error codes"
(https://learn.microsoft.com/entra/identity-platform/reference-error-codes). Narrower causes and advice are experience
unless the row says otherwise; Microsoft warns that texts and numbers change.
"""

from __future__ import annotations

from mimapp.host.explanation import Cause, Explanation, Sign
from mimapp.host.facts import Mark, Source

__all__ = ["LOGIN"]

_CODES = Source(name="Microsoft Entra authentication and authorization error codes", mark=Mark.DOC)
_FIELD = Source(name="causes and advice from experience", mark=Mark.UNVERIFIED)
_INSTALLER = Source(name="MIM Service and Portal install guide, screenshot of the pop-up", mark=Mark.SCREEN)
_SAAS = Source(name="Azure/Commercial-Marketplace-SaaS-Accelerator#830", mark=Mark.ISSUE_THREAD)
_CSS = Source(name="microsoft/CSS-Exchange#1593", mark=Mark.ISSUE_THREAD)


def _row(
    codes: tuple[int, ...],
    title: str,
    *causes: Cause,
    phrases: tuple[str, ...] = (),
    sources: tuple[Source, ...] = (_CODES, _FIELD),
) -> Explanation:
    names = tuple(f"aadsts{code}" for code in codes)
    return Explanation(
        key=f"AADSTS{codes[0]}", keys=names, phrases=phrases, title=title, causes=causes, sources=sources
    )


def _cause(what: str, tell: str, fix: str, *signs: Sign) -> Cause:
    return Cause(what=what, tell=tell, fix=fix, signs=signs)


_ASK_AGAIN = "run the same command again"

LOGIN: tuple[Explanation, ...] = (
    _row(
        (7000215,),
        "Invalid client secret provided",
        _cause(
            "the Secret ID was pasted instead of the secret's value",
            "what was typed has the form of a GUID (8-4-4-4-12 hexadecimal digits)",
            "paste the value: mimapp secret show; where it is lost: mimapp rotate",
        ),
        _cause(
            "a blank or line end was pasted along, or a sign was lost",
            "mimapp verify works with the stored secret, MIM does not",
            "type it again from mimapp secret show",
            Sign.ISSUED,
        ),
        _cause(
            "it is the secret of another application",
            "the Application ID beside it is not the registration's",
            "mimapp status shows the Application ID; mimapp host sheet the three values together",
            Sign.OTHER_APPLICATION,
        ),
        _cause(
            "the secret was removed from the application",
            "mimapp secret list does not show its label or hint",
            "mimapp rotate, then Change mode on each node: mimapp host sheet",
            Sign.GONE,
        ),
        _cause(
            "it was made moments ago and has not reached every server of Entra",
            "it is less than some minutes old",
            "wait two minutes and try again; it does not mean that the secret has expired",
            Sign.NEW,
        ),
        phrases=("invalid client secret",),
        sources=(_CODES, _INSTALLER, _FIELD),
    ),
    _row(
        (7000222,),
        "The client secret has expired",
        _cause(
            "nobody replaced it in time: nothing in MIM warns",
            "mimapp secret list shows its end in the past",
            "mimapp rotate, then Change mode on each node: mimapp host sheet",
            Sign.EXPIRED,
        ),
        _cause(
            "the secret was replaced in Entra, and this node still has the old one",
            "mimapp secret list shows a live one; mimapp host check says that the node was written before it",
            "Change mode on this node: mimapp host sheet",
            Sign.REPLACED,
        ),
        phrases=("client secret keys for app", "client secret has expired"),
    ),
    _row(
        (700016,),
        "The application is not in this tenant",
        _cause(
            "wrong Application ID, or the object id was taken for it",
            "it differs from the Application ID of mimapp status",
            "mimapp host sheet prints the three values that belong together",
            Sign.OTHER_APPLICATION,
        ),
        _cause(
            "wrong Tenant ID", "it differs from the Tenant ID of mimapp status", "mimapp host sheet", Sign.OTHER_TENANT
        ),
        _cause(
            "the application was deleted",
            "mimapp status finds none",
            "mimapp register (a deleted one is found and offered for 30 days)",
            Sign.NO_APPLICATION,
        ),
        _cause("it was made moments ago", "it is less than some minutes old", "wait a minute and try again"),
        phrases=("was not found in the directory",),
    ),
    _row(
        (7000229,),
        "The application exists, its service principal does not",
        _cause(
            "the registration stopped half-way, or somebody removed the enterprise application",
            "mimapp status says so",
            "mimapp register makes what is missing",
            Sign.NO_PRINCIPAL,
        ),
        phrases=("missing service principal in the tenant",),
        sources=(_CODES, _SAAS),
    ),
    _row(
        (7000112,),
        "The application is disabled",
        _cause(
            "somebody locked it: mimapp lockdown, or Enabled for users to sign-in set to No in Entra",
            "mimapp status shows the service principal disabled; mimapp log shows who",
            "mimapp lockdown --release, when the reason is gone",
            Sign.DISABLED,
        ),
    ),
    _row(
        (7000218,),
        "Neither a secret nor an assertion was sent",
        _cause(
            "MIM sent an empty secret: the value in the registry does not open for the account that runs the service",
            "mimapp host check shows a secret; the service account was changed since",
            "Change mode as the present account: mimapp host sheet",
        ),
        _cause(
            "the operator's own application is no public client",
            "it happens at mimapp's own sign-in",
            "allow public client flows on that application, or --auth client-secret",
        ),
    ),
    _row(
        (700025,),
        "A public client sent a secret",
        _cause(
            "the application was made as a public client",
            "Entra, Authentication: Allow public client flows is Yes",
            "set it to No; mimapp register makes it so",
            Sign.PUBLIC_CLIENT,
        ),
    ),
    _row(
        (700027,),
        "The certificate is not on the application",
        _cause(
            "another certificate was uploaded, or it was removed",
            "the thumbprint in the message is not on the application",
            "upload the certificate, or choose the right one with --certificate",
        ),
    ),
    _row(
        (90002,),
        "The tenant was not found",
        _cause(
            "wrong Tenant ID, or a domain name with a typing fault",
            "mimapp status shows another Tenant ID",
            "type the Tenant ID (the GUID) from mimapp host sheet",
            Sign.OTHER_TENANT,
        ),
        _cause(
            "the installer's Azure Cloud page names another cloud than the tenant's",
            "mimapp check names the tenant's cloud",
            "go back to the Azure Cloud page; mimapp host sheet names the label where it is known",
            Sign.OTHER_CLOUD,
        ),
        phrases=("check to make sure you have the correct tenant id",),
        sources=(_CODES, _INSTALLER, _FIELD),
    ),
    _row(
        (90038,),
        "The tenant lives in another national cloud",
        _cause(
            "sign-in went to the worldwide host",
            "mimapp clouds lists the hosts; mimapp check names the tenant's cloud",
            "--cloud, and the right label on the installer's Azure Cloud page",
            Sign.OTHER_CLOUD,
        ),
    ),
    _row(
        (900382, 900432),
        "Confidential Client is not supported in Cross Cloud request",
        _cause(
            "the application belongs to GCC High or DoD, and its token is asked for at the worldwide host",
            "the login host in the log is login.microsoftonline.com",
            "choose the tenant's cloud (--cloud gcc-high or dod); which installer label GCC High needs is not known",
            Sign.OTHER_CLOUD,
        ),
        phrases=("cross cloud request",),
        sources=(_CODES, _CSS),
    ),
    _row(
        (50059, 50128),
        "The request named no tenant",
        _cause(
            "no tenant was given, or an empty one",
            "the Tenant ID field is empty",
            "give --tenant, or type the Tenant ID",
        ),
    ),
    _row(
        (50194,),
        "An application of one tenant was used through /common",
        _cause("the Tenant ID is missing", "the authority in the log ends in /common", "give the Tenant ID (the GUID)"),
    ),
    _row(
        (500011, 650052),
        "The tenant does not know the service",
        _cause(
            "the tenant has no Exchange Online",
            "no mailbox is in the cloud; mimapp check says so",
            "an Exchange Online subscription, or installer options A or F (mailbox on Exchange Server)",
            Sign.NO_MAILBOX,
            Sign.ON_PREMISES,
        ),
        _cause(
            "the scope names another cloud's host", "mimapp check names the tenant's cloud", "--cloud", Sign.OTHER_CLOUD
        ),
    ),
    _row(
        (650056, 650057),
        "The permission is not on the application, or not consented",
        _cause(
            "admin consent is missing",
            "mimapp status: consent",
            "mimapp consent",
            Sign.NO_CONSENT,
        ),
        _cause(
            "full_access_as_app was taken off the application",
            "mimapp status: permissions found",
            "mimapp register puts it back",
            Sign.NO_PERMISSION,
        ),
    ),
    _row(
        (65001,),
        "Nobody consented to this for this client",
        _cause("admin consent is missing", "mimapp status: consent", "mimapp consent", Sign.NO_CONSENT),
        _cause(
            "an own application asked for AdminApi.AccessAsUser.All, which cannot be granted to it",
            "it happens at mimapp's Exchange sign-in with --exchange-client-id",
            "leave the option out, or give that application the delegated permission Exchange.Manage",
        ),
        phrases=("has not consented to use the application",),
    ),
    _row(
        (65002,),
        "This Microsoft client is not preauthorised for that service",
        _cause(
            "the client id belongs to a tool that may not ask for this",
            "it happens at mimapp's own sign-in with a client id that was given",
            "leave --graph-client-id and --exchange-client-id out, or name an own application",
        ),
    ),
    _row(
        (65004,),
        "The consent was declined",
        _cause("a person pressed Cancel", "the browser showed the consent page", f"{_ASK_AGAIN} and accept"),
    ),
    _row(
        (90094, 90095),
        "An administrator must consent",
        _cause(
            "the signed-in person may not consent for the organisation",
            "the page says that approval is required",
            "mimapp consent --no-browser prints the address for an administrator",
        ),
    ),
    _row(
        (70011, 28002),
        "The scope is not valid",
        _cause(
            "a wrong --graph-scope or --exchange-scope",
            "the scope stands in the message",
            "leave the option out; --cloud chooses",
        ),
    ),
    _row(
        (700022,),
        "One token was asked for two services",
        _cause(
            "the scopes of two services stand in one request",
            "both stand in the message",
            "give one scope; where no such option was given: a bug of mimapp, report it",
        ),
    ),
    _row(
        (50011,),
        "The redirect address is not registered",
        _cause(
            "the application lacks the address that the browser sign-in uses",
            "the address stands in the message",
            "add exactly that address (for an own client: http://localhost), or --auth device-code",
        ),
    ),
    _row(
        (50034, 51004, 50020),
        "The account is not in this tenant",
        _cause(
            "another account is signed in",
            "mimapp whoami",
            "mimapp logout, then sign in with the right account; or --tenant",
        ),
    ),
    _row(
        (50126,),
        "Wrong user name or password",
        _cause("mistyped", "the account works elsewhere", _ASK_AGAIN),
    ),
    _row(
        (50055,),
        "The password has expired",
        _cause(
            "it was not changed in time", "the account cannot sign in elsewhere either", "change it, then sign in again"
        ),
    ),
    _row(
        (50057,),
        "The account is disabled",
        _cause(
            "an administrator blocked it", "Entra, Users: account enabled is No", "another account, or have it enabled"
        ),
    ),
    _row(
        (50072, 50074, 50076, 50079, 50158),
        "More authentication is needed",
        _cause(
            "a policy asks for multi-factor authentication or an external step",
            "the same account works in a browser",
            "--auth browser",
        ),
    ),
    _row(
        (53000, 53001, 53003, 530032),
        "Blocked by Conditional Access or the state of the device",
        _cause(
            "a policy blocks this method or device; device code is often what is blocked",
            "the sign-in log in Entra names the policy",
            "--auth browser on a compliant device; for the MIM application itself: exclude it from the policy for "
            "workload identities, or allow the server's address",
        ),
    ),
    _row(
        (50105,),
        "The account is not assigned to the application",
        _cause(
            "the enterprise application asks for an assignment",
            "Entra, Enterprise applications, Properties: Assignment required is Yes",
            "assign the account, or use another client id",
        ),
    ),
    _row(
        (70016,),
        "The device code has not been entered yet",
        _cause("it waits for a person", "the code is on the screen", "enter it on the page that is shown"),
    ),
    _row(
        (70018, 70019, 90120),
        "The device code was mistyped, used already, or too late",
        _cause("it was not used within 15 minutes, or not rightly", "the time on the screen", _ASK_AGAIN),
    ),
    _row(
        (700082, 70043, 50173, 50089),
        "The sign-in has ended",
        _cause(
            "it expired, was revoked, or the password was changed", "mimapp whoami", "mimapp logout, then sign in again"
        ),
    ),
    _row(
        (50196,),
        "The same request was repeated in a loop",
        _cause(
            "something polls too fast", "a schedule runs every few seconds", "wait some minutes, then mend the schedule"
        ),
    ),
    _row(
        (50033, 90006, 90012, 90024, 90033, 90090),
        "Entra is temporarily unavailable",
        _cause("a passing fault", "it goes away", f"{_ASK_AGAIN} in a few minutes"),
    ),
    _row(
        (700024,),
        "The assertion is not within its time",
        _cause(
            "this machine's clock is wrong",
            "compare it with a time server",
            "set the clock, then run the command again",
        ),
        sources=(_CODES,),
    ),
)
