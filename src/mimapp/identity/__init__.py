"""Sign-in: the operator's (any azure-identity credential) and the application's own (msal), all over our HTTP client.

Importing this package loads neither msal nor azure-identity; the first sign-in does. It holds no business rules: what
a token is good for is decided by those who ask for it.
"""

from mimapp.identity.app import AppSignIn, AppToken, Refusal, RefusalKind
from mimapp.identity.bearer import Bearer
from mimapp.identity.certificate import Certificate
from mimapp.identity.claims import Operator, TokenClaims
from mimapp.identity.discovery import TenantFacts, detect, discover
from mimapp.identity.failures import MethodUnavailableError
from mimapp.identity.methods import Method
from mimapp.identity.operator import OperatorSignIn
from mimapp.identity.options import SignInOptions, person_method
from mimapp.identity.person import DeviceCode
from mimapp.identity.remember import Memory

__all__ = [
    "AppSignIn",
    "AppToken",
    "Bearer",
    "Certificate",
    "DeviceCode",
    "Memory",
    "Method",
    "MethodUnavailableError",
    "Operator",
    "OperatorSignIn",
    "Refusal",
    "RefusalKind",
    "SignInOptions",
    "TenantFacts",
    "TokenClaims",
    "detect",
    "discover",
    "person_method",
]
