"""Who may do what: the permissions, and the built-in roles that bundle them."""

from collections.abc import Iterable
from enum import StrEnum
from types import MappingProxyType


class Permission(StrEnum):
    """One right of an employee or application, as it stands in a bearer token."""

    CUSTOMER_WRITE = "customer.write"
    PORTAL_READ = "portal.read"
    PORTAL_INVITE = "portal.invite"
    PORTAL_RESET_PASSWORD = "portal.resetpassword"
    PORTAL_RESET_ACCOUNT = "portal.resetaccount"
    PORTAL_IMPERSONATE = "portal.impersonate"
    PORTAL_IMPORT = "portal.import"
    PORTAL_ACTIVITY_READ = "portal.activity.read"
    PORTAL_SETTINGS_READ = "portal.settings.read"
    PORTAL_SETTINGS_WRITE = "portal.settings.write"
    PORTAL_WEBHOOKS_WRITE = "portal.webhooks.write"
    PORTAL_INTROSPECT = "portal.introspect"
    ACCESS_WRITE = "access.write"


class Role(StrEnum):
    """A built-in role."""

    ADMINISTRATOR = "administrator"
    USER = "user"
    READONLY = "readonly"


_READONLY = frozenset({Permission.PORTAL_READ, Permission.PORTAL_ACTIVITY_READ, Permission.PORTAL_SETTINGS_READ})

ROLES = MappingProxyType(
    {
        Role.ADMINISTRATOR: frozenset(Permission),
        Role.USER: _READONLY | {Permission.CUSTOMER_WRITE, Permission.PORTAL_INVITE, Permission.PORTAL_RESET_PASSWORD},
        Role.READONLY: _READONLY,
    }
)

_WORDS = frozenset(permission.value for permission in Permission)


def known_permissions(words: Iterable[str]) -> frozenset[Permission]:
    """The permissions that these words name; a word that this version does not know grants nothing."""
    return frozenset(Permission(word) for word in words if word in _WORDS)
