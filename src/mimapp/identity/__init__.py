"""Sign-in: the operator's (any azure-identity credential) and the application's own (msal), all over our HTTP client.

Importing this package loads neither msal nor azure-identity; the first sign-in does. It holds no business rules: what
a token is good for is decided by those who ask for it.
"""

from mimapp.identity.app import AppSignIn, AppToken, Refusal, RefusalKind
from mimapp.identity.bearer import Bearer
from mimapp.identity.claims import Operator, TokenClaims
from mimapp.identity.operator import Method, OperatorSignIn, SignInOptions
from mimapp.identity.person import DeviceCode

__all__ = [
    "AppSignIn",
    "AppToken",
    "Bearer",
    "DeviceCode",
    "Method",
    "Operator",
    "OperatorSignIn",
    "Refusal",
    "RefusalKind",
    "SignInOptions",
    "TokenClaims",
]
