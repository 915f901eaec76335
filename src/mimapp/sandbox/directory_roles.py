"""Microsoft Entra directory roles that matter here, by the id of their template, which is the same in every tenant.

The first three are used by microsoft/CSS-Exchange under these names; the others are widely quoted [unverified].
"""

from __future__ import annotations

__all__ = [
    "APPLICATION_ADMINISTRATOR",
    "CLOUD_APPLICATION_ADMINISTRATOR",
    "EXCHANGE_ADMINISTRATOR",
    "GLOBAL_ADMINISTRATOR",
    "PRIVILEGED_ROLE_ADMINISTRATOR",
    "ROLE_NAMES",
]

GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"
APPLICATION_ADMINISTRATOR = "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3"
EXCHANGE_ADMINISTRATOR = "29232cdf-9323-42fd-ade2-1d097af3e4de"
CLOUD_APPLICATION_ADMINISTRATOR = "158c047a-c907-4556-b7ef-446551a6b5f7"
PRIVILEGED_ROLE_ADMINISTRATOR = "e8611ab8-c189-46e8-94e1-60213ab1f814"
ROLE_NAMES = {
    GLOBAL_ADMINISTRATOR: "Global Administrator",
    APPLICATION_ADMINISTRATOR: "Application Administrator",
    EXCHANGE_ADMINISTRATOR: "Exchange Administrator",
    CLOUD_APPLICATION_ADMINISTRATOR: "Cloud Application Administrator",
    PRIVILEGED_ROLE_ADMINISTRATOR: "Privileged Role Administrator",
}
"""The role templates that a simulated tenant knows."""
