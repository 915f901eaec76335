"""Sign-in: the operator's (any azure-identity credential) and the application's own (msal), all over our HTTP client.

Importing this package loads neither msal nor azure-identity; the first sign-in does. It holds no business rules: what
a token is good for is decided by those who ask for it.
"""

from mimapp.identity.app import AppSignIn, AppToken, AsApplication, Refusal, RefusalKind
from mimapp.identity.bearer import Bearer, Closed
from mimapp.identity.certificate import Certificate
from mimapp.identity.claims import Operator, TokenClaims
from mimapp.identity.discovery import TenantFacts, detect, discover
from mimapp.identity.failures import MethodUnavailableError
from mimapp.identity.methods import Method
from mimapp.identity.operator import OperatorSignIn
from mimapp.identity.options import EXCHANGE, GRAPH, SignInOptions, complete, person_method
from mimapp.identity.person import DeviceCode, tell_nobody
from mimapp.identity.remember import Memory
from mimapp.identity.together import SignedIn, find_tenant, sign_in_to

__all__ = [
    "EXCHANGE",
    "GRAPH",
    "AppSignIn",
    "AppToken",
    "AsApplication",
    "Bearer",
    "Certificate",
    "Closed",
    "DeviceCode",
    "Memory",
    "Method",
    "MethodUnavailableError",
    "Operator",
    "OperatorSignIn",
    "Refusal",
    "RefusalKind",
    "SignInOptions",
    "SignedIn",
    "TenantFacts",
    "TokenClaims",
    "complete",
    "detect",
    "discover",
    "find_tenant",
    "person_method",
    "sign_in_to",
    "tell_nobody",
]
