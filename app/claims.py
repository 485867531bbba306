"""What the claims of a well-signed bearer token mean, by whatever names its issuer gives them.

The contract's names are the defaults, Microsoft Entra's beside them. ID tokens and other kinds of JWT from the same
issuer, signed with the same keys, are told apart here (RFC 8725 section 2.8, RFC 9068 section 4).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any
from uuid import UUID

from app.domain.callers import Actor, ActorType, Bearer
from app.errors import Unauthenticated
from app.permissions import ROLES, Role, known_permissions

EVERY_ORGANISATION = "*"
APPLICATION = "app"
_LONGEST_ID = 200
_BUILT_IN: Mapping[str, Role] = MappingProxyType({role.value: role for role in Role})

_ACCESS_TOKEN_TYPES = frozenset(("at+jwt", "jwt"))  # the second is what Entra, and most others, write
# An ID token's (OpenID Connect Core sections 3.1.3.6 and 3.3.2.11), a logout token's (Back-Channel Logout section 2.4).
_OF_OTHER_TOKENS = ("at_hash", "c_hash", "s_hash", "events")


@dataclass(frozen=True, slots=True)
class ClaimNames:
    """Where a claim stands: the first name that the token has counts.

    A name with dots that is no claim itself is a path: `realm_access.roles`.
    """

    subject: tuple[str, ...] = ("oid", "sub")
    tenant: tuple[str, ...] = ("zf_tenant", "tid")
    organisations: tuple[str, ...] = ("zf_organisations",)
    roles: tuple[str, ...] = ("roles",)
    permissions: tuple[str, ...] = ("permissions",)
    name: tuple[str, ...] = ("name",)
    azp: tuple[str, ...] = ("azp",)
    idtyp: tuple[str, ...] = ("idtyp",)


@dataclass(frozen=True, slots=True)
class ClaimRules:
    """How an issuer's tokens are read.

    `tenant_roles` are the issuer's own words for roles, when it has any: they alone count then, and a token that
    has one of them and names no organisations has it in every organisation of its tenant.
    """

    names: ClaimNames = field(default_factory=ClaimNames)
    tenant_roles: Mapping[str, Role] = field(default_factory=dict)

    def bearer(self, header: Mapping[str, Any], claims: Mapping[str, Any]) -> Bearer:
        """The bearer that the token describes.

        Raises: Unauthenticated, when it is no access token, or a claim is not of its shape.
        """
        if not _is_access_token(header, claims):
            raise Unauthenticated("This is not an access token.")
        try:
            return self._bearer(claims)
        except (KeyError, TypeError, ValueError, AttributeError):
            raise Unauthenticated("The bearer token does not name its subject and tenant.") from None

    def _bearer(self, claims: Mapping[str, Any]) -> Bearer:
        names = self.names
        roles = self._roles(claims)
        words = _first(claims, names.permissions) or []
        granted = set(known_permissions(words.split() if isinstance(words, str) else _listed(words)))  # OAuth: one text
        for role in roles:
            granted |= ROLES[role]
        organisations: frozenset[UUID] | None = frozenset()
        if named := list(_found(claims, names.organisations)):
            listed = _listed(named[0])
            organisations = None if EVERY_ORGANISATION in listed else frozenset(UUID(text) for text in listed)
        elif self.tenant_roles and roles:
            organisations = None
        application = _first(claims, names.idtyp) == APPLICATION
        return Bearer(
            actor=Actor(
                ActorType.APPLICATION if application else ActorType.EMPLOYEE,
                _plain_id(_first(claims, names.subject)),
                _plain_name(_first(claims, names.name))
                or (_plain_name(_first(claims, names.azp)) if application else None),
            ),
            tenant_id=UUID(_first(claims, names.tenant)),
            organisation_ids=organisations,
            permissions=frozenset(granted),
            expires_at=float(claims["exp"]),
        )

    def _roles(self, claims: Mapping[str, Any]) -> list[Role]:
        known = self.tenant_roles or _BUILT_IN
        return [known[word] for word in _listed(_first(claims, self.names.roles) or []) if word in known]


def _found(claims: Mapping[str, Any], names: tuple[str, ...]) -> Iterator[Any]:
    """The values of those of the names that the token has."""
    for name in names:
        value: Any = claims
        for step in (name,) if name in claims else name.split("."):
            if not isinstance(value, Mapping) or step not in value:
                break
            value = value[step]
        else:
            yield value


def _first(claims: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    """The first value that says something."""
    return next((value for value in _found(claims, names) if value not in (None, "")), None)


def _is_access_token(header: Mapping[str, Any], claims: Mapping[str, Any]) -> bool:
    kind = header.get("typ", "jwt")
    if not isinstance(kind, str) or kind.lower().removeprefix("application/") not in _ACCESS_TOKEN_TYPES:
        return False
    if any(name in claims for name in _OF_OTHER_TOKENS):
        return False
    # Keycloak and Cognito say in a claim what a token is for. Older ones of Keycloak repeat the nonce in access tokens.
    said = claims.get("typ", "Bearer")
    return (
        said == "Bearer"
        and claims.get("token_use", "access") == "access"
        and ("nonce" not in claims or "typ" in claims)
    )


def _listed(given: Any) -> list[Any]:
    """A list; one text is a list of one.

    Raises: TypeError.
    """
    if isinstance(given, str):
        return [given]
    if not isinstance(given, list):
        raise TypeError("what is many is a list")
    return given


def _plain_id(value: Any) -> str:
    """A subject as it may stand in the log.

    Raises: ValueError.
    """
    if not isinstance(value, str) or not value.isprintable() or not 1 <= len(value) <= _LONGEST_ID:
        raise ValueError("a subject is a line of text")
    return value


def _plain_name(value: Any) -> str | None:
    """A name without what steers terminals and mails; what is no text is no name."""
    if not isinstance(value, str):
        return None
    return "".join(character if character.isprintable() else " " for character in value)[:_LONGEST_ID].strip() or None
