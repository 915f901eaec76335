"""What Graph, Exchange administration and mimapp itself say when they refuse.

Graph codes: recorded replies and public threads; Exchange texts: cmdlet pages and public threads. Keys of mimapp's own
errors are the `explain` of its error classes.
"""

from __future__ import annotations

from mimapp.host.explanation import Cause, Explanation, Sign
from mimapp.host.facts import Mark, Source

__all__ = ["SERVICES"]

_RECORDED = Source(name="recorded replies in Azure/azure-cli", mark=Mark.PUBLIC_CODE)
_AAP = Source(name="New-ApplicationAccessPolicy", mark=Mark.DOC)
_RBAC = Source(name="Role Based Access Control for Applications in Exchange Online", mark=Mark.DOC)
_MIMAPP = Source(name="mimapp's own rule", mark=Mark.DOC)


def _thread(name: str) -> Source:
    return Source(name=name, mark=Mark.ISSUE_THREAD)


def _row(
    key: str,
    title: str,
    *causes: Cause,
    phrases: tuple[str, ...] = (),
    also: tuple[str, ...] = (),
    sources: tuple[Source, ...],
) -> Explanation:
    return Explanation(key=key, keys=(key.lower(), *also), phrases=phrases, title=title, causes=causes, sources=sources)


_AGAIN = "run the same command again: every step is safe to repeat"

_GRAPH = (
    _row(
        "Request_ResourceNotFound",
        "Graph: the object does not exist",
        Cause(what="it was made moments ago and has not reached every replica", tell="it is minutes old", fix=_AGAIN),
        Cause(
            what="it was deleted",
            tell="mimapp status; Entra, Deleted applications",
            fix="mimapp register offers to restore it within 30 days",
            signs=(Sign.NO_APPLICATION,),
        ),
        sources=(_RECORDED,),
    ),
    _row(
        "Authorization_RequestDenied",
        "Graph: Insufficient privileges to complete the operation",
        Cause(
            what="the signed-in account lacks the directory role",
            tell="mimapp whoami",
            fix="Application Administrator or Cloud Application Administrator to register; Privileged Role "
            "Administrator or Global Administrator where those may not consent; activate it in PIM, then sign in anew",
        ),
        Cause(
            what="the token lacks the scope",
            tell="mimapp whoami: rights",
            fix="sign in with another method: each method reaches something else",
        ),
        phrases=("insufficient privileges to complete the operation",),
        sources=(_RECORDED,),
    ),
    _row(
        "unique-name-taken",
        "Graph: another object has the same uniqueName",
        Cause(
            what="a deleted application keeps its uniqueName for 30 days",
            tell="mimapp check lists deleted candidates",
            fix="mimapp register --restore, or --purge-deleted",
            signs=(Sign.NO_APPLICATION,),
        ),
        phrases=("same value for property uniquename already exists",),
        sources=(_thread("byte5ai/omadia#916"), _thread("microsoftgraph/msgraph-bicep-types#137, #202")),
    ),
    _row(
        "Directory_ConcurrencyViolation",
        "Graph: somebody else writes to the same object",
        Cause(what="another administrator or schedule changes its credentials now", tell="it goes away", fix=_AGAIN),
        phrases=("due to concurrent requests being made",),
        sources=(_thread("nais/azurerator#448"), _thread("Azure/azure-cli#23081")),
    ),
    _row(
        "Directory_QuotaExceeded",
        "Graph: this account may own no more objects",
        Cause(
            what="a person without an administrator role may own 250 objects; deleted ones count for 30 days",
            tell="mimapp whoami: no role",
            fix="sign in as an administrator, or purge deleted applications",
        ),
        sources=(Source(name="Microsoft Entra service limits", mark=Mark.DOC),),
    ),
    _row(
        "CredentialInvalidLifetimeAsPerAppPolicy",
        "Graph: the tenant's policy lets no client secret live so long",
        Cause(
            what="an app management policy limits the life of secrets",
            tell="mimapp check names the limit",
            fix="--secret-lifetime with a shorter time, or an exemption for this application (mimapp check prints it)",
        ),
        sources=(_thread("OfficeDev/TeamsFx#10998"),),
    ),
    _row(
        "CredentialTypeNotAllowedAsPerAppPolicy",
        "Graph: the tenant's policy forbids client secrets",
        Cause(
            what="an app management policy forbids new secrets, and MIM takes nothing else",
            tell="mimapp check",
            fix="the policy's owner exempts this application: mimapp check prints the calls",
        ),
        sources=(_thread("OfficeDev/TeamsFx#10998"),),
    ),
    _row(
        "SignInAudienceNotAllowedAsPerAppPolicy",
        "Graph: the tenant's policy forbids this sign-in audience",
        Cause(
            what="a policy on audiences", tell="mimapp check", fix="its owner allows AzureADMyOrg (this tenant only)"
        ),
        also=("invaliduniquetenantidentifierasperapppolicy",),
        sources=(_thread("OfficeDev/TeamsFx#10998"),),
    ),
    _row(
        "application-not-replicated",
        "Graph: the appId of the service principal does not reference a valid application object",
        Cause(
            what="the application was made moments ago and has not reached the replica", tell="minutes old", fix=_AGAIN
        ),
        Cause(
            what="the application was deleted meanwhile",
            tell="mimapp status",
            fix="mimapp register",
            signs=(Sign.NO_APPLICATION,),
        ),
        phrases=("does not reference a valid application object", "must in the local tenant"),
        sources=(Source(name="terraform-provider-azuread, vault-plugin-secrets-azure", mark=Mark.PUBLIC_CODE),),
    ),
    _row(
        "already-granted",
        "Graph: the permission being assigned already exists",
        Cause(what="the consent is there already", tell="mimapp status: consent", fix="nothing: it counts as done"),
        phrases=("permission being assigned already exists", "entitlementgrant entry already exists"),
        also=("request_multipleobjectswithsamekeyvalue",),
        sources=(_thread("microsoftgraph/msgraph-bicep-types#161"),),
    ),
    _row(
        "Error_MsaAppDoesNotExist",
        "Graph: the corresponding MSA application does not exist",
        Cause(
            what="the application is open to personal accounts, whose directory has not seen it yet",
            tell="its sign-in audience includes personal accounts",
            fix=f"{_AGAIN}; mimapp's own applications are for this tenant only",
        ),
        sources=(_thread("hashicorp/terraform-provider-azuread#1764"),),
    ),
    _row(
        "graph-throttled",
        "Graph: too many requests",
        Cause(
            what="other programs use up the tenant's or the client's share",
            tell="HTTP 429",
            fix=f"wait a minute, then {_AGAIN}",
        ),
        also=("toomanyrequests", "429"),
        phrases=("http 429", "too many requests"),
        sources=(Source(name="Microsoft Graph service-specific throttling limits", mark=Mark.DOC),),
    ),
    _row(
        "not-a-valid-reference-update",
        "Graph: Not a valid reference update",
        Cause(what="a service principal made moments ago has not reached the replica", tell="minutes old", fix=_AGAIN),
        Cause(
            what="an application id was given where the service principal's object id belongs",
            tell="the two ids of mimapp status",
            fix="where a program gave it, a bug of that program: report it",
        ),
        phrases=("not a valid reference update",),
        sources=(_thread("microsoftgraph/microsoft-graph-docs-contrib#1407"),),
    ),
)

_EXCHANGE = (
    _row(
        "not-a-security-principal",
        "Exchange: The identity of the policy scope is not a security principal",
        Cause(
            what="the scope is a plain distribution, Microsoft 365 or dynamic group, or a shared or resource mailbox",
            tell="mimapp scope show",
            fix="mimapp register makes a mail-enabled security group of its own",
            signs=(Sign.CONTRADICTED,),
        ),
        phrases=("not a security principal",),
        sources=(_AAP,),
    ),
    _row(
        "policy-space-full",
        "Exchange: The total size of App Access Policies exceeded the limit",
        Cause(
            what="the organisation has about as many policies as fit",
            tell="Get-ApplicationAccessPolicy",
            fix="remove policies of applications that are gone, or --scope rbac",
        ),
        phrases=("total size of app access policies exceeded", "cannot have more than 100 policies"),
        sources=(_AAP,),
    ),
    _row(
        "ManagementObjectNotFoundException",
        "Exchange: the object could not be found",
        Cause(what="it was made moments ago: up to some minutes", tell="it is minutes old", fix=_AGAIN),
        Cause(
            what="no policy was ever made here: the object is named OU=...,OU=Microsoft Exchange Hosted Organizations",
            tell="the object's name",
            fix="nothing: it counts as an empty list",
        ),
        Cause(what="wrong address", tell="mimapp check: mailbox", fix="--mailbox", signs=(Sign.NO_MAILBOX,)),
        phrases=("couldn't be found on", "specified mailbox doesn't exist"),
        sources=(_thread("Microsoft365DSC/Microsoft365DSC#2998, #6643"),),
    ),
    _row(
        "AADServicePrincipalNotFound",
        "Exchange: No ServicePrincipal with this Object Id",
        Cause(
            what="the registration's object id was given, not the service principal's",
            tell="the two ids of mimapp status",
            fix="mimapp register --scope rbac takes the right one",
        ),
        Cause(
            what="the application was made anew: the pointer is stale", tell="mimapp scope show", fix="mimapp register"
        ),
        phrases=("no serviceprincipal with object id",),
        sources=(_RBAC,),
    ),
    _row(
        "exchange-403",
        "Exchange administration: 403 without a reason",
        Cause(
            what="the role was activated moments ago, or the token is older than it",
            tell="mimapp whoami",
            fix="mimapp logout, then sign in again; after a PIM activation wait some minutes",
        ),
        Cause(
            what="the account is no Exchange administrator",
            tell="mimapp whoami: rights",
            fix="Exchange Administrator, or the role group Organization Management",
        ),
        Cause(
            what="an own client has Exchange.ManageV2, which these cmdlets refuse",
            tell="the scopes of mimapp whoami",
            fix="give it Exchange.Manage instead",
        ),
        sources=(Source(name="tiredithumans/azapptoolkit", mark=Mark.PUBLIC_CODE),),
    ),
    _row(
        "exchange-throttled",
        "Exchange: You have reached the maximum number of concurrent requests per tenant",
        Cause(
            what="other tools run cmdlets at the same time", tell="it goes away", fix=f"wait a minute, then {_AGAIN}"
        ),
        phrases=("maximum number of concurrent requests per tenant",),
        sources=(Source(name="GreyCorbel/ExoHelper, cisagov/ScubaGear", mark=Mark.PUBLIC_CODE),),
    ),
    _row(
        "cannot-update-mail-enabled-group",
        "Graph: Cannot Update a mail-enabled security groups and or distribution list",
        Cause(
            what="such groups are made and changed through Exchange only",
            tell="the group is mail-enabled",
            fix="mimapp register does it through Exchange",
        ),
        phrases=("cannot update a mail-enabled security groups and or distribution list",),
        sources=(Source(name="Microsoft Graph, groups", mark=Mark.DOC),),
    ),
)

_OWN = (
    _row(
        "stale-plan",
        "mimapp: the plan is stale",
        Cause(
            what="the tenant moved since the plan was shown: it would now take steps that were not shown",
            tell="the message names them",
            fix="make the plan again, read it, apply it",
        ),
        sources=(_MIMAPP,),
    ),
    _row(
        "not-proven-restricted",
        "mimapp: not yet proven restricted",
        Cause(
            what="Exchange may enforce a new access policy an hour or more after it is listed",
            tell="the time in the message",
            fix="mimapp verify after that time, with --outside ADDRESS for a real refusal",
            signs=(Sign.SCOPE_SOON,),
        ),
        also=("scope-waiting",),
        sources=(_AAP,),
    ),
    _row(
        "stored-elsewhere",
        "mimapp: the secret is stored elsewhere",
        Cause(
            what="mimapp issued it, and neither this machine nor a store named in this run has its value",
            tell="mimapp secret list",
            fix="run on the machine that has it, or name the store (--secret-to); otherwise mimapp rotate",
        ),
        sources=(_MIMAPP,),
    ),
    _row(
        "no-handover-evidence",
        "mimapp: no evidence that the new secret is in use",
        Cause(
            what="nobody confirmed that every MIM node has the new secret, so the old one is kept",
            tell="mimapp handover show",
            fix="mimapp handover confirm KEYID --node NAME, or --from with the result file of the secret script",
        ),
        sources=(_MIMAPP,),
    ),
    _row(
        "host-input",
        "mimapp: the server's file cannot be read",
        Cause(
            what="it was cut off or changed on the way, or it is no collected file and no .reg export",
            tell="the line or place in the message",
            fix="mimapp host collect, run it on the server again, copy the file as it is",
        ),
        sources=(_MIMAPP,),
    ),
    _row(
        "unsupported-secret-script",
        "mimapp: --accept-unsupported is missing",
        Cause(
            what="writing the secret into the registry is no documented procedure",
            tell="Microsoft publishes the mechanism for the password, not for the client secret",
            fix="Change mode: mimapp host sheet; or add --accept-unsupported and read the script's head",
        ),
        sources=(Source(name="Update of MIM Specific Service account for notifications to gMSA", mark=Mark.DOC),),
    ),
)

SERVICES: tuple[Explanation, ...] = _GRAPH + _EXCHANGE + _OWN
