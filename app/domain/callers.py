"""Who calls, and how the call was seen: what every activity names."""

from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import UUID

from app.domain.idempotency import Once
from app.errors import PermissionInvalid
from app.permissions import Permission


class ActorType(StrEnum):
    """What kind of actor did it."""

    EMPLOYEE = "employee"
    CUSTOMER = "customer"
    APPLICATION = "application"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it. `id` is the bearer's subject, the customer's id, or the name of a part of this service."""

    type: ActorType
    id: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class ImpersonationRef:
    """The impersonation during which something happened."""

    session_id: UUID
    employee_id: str
    employee_name: str | None


@dataclass(frozen=True, slots=True)
class Seen:
    """Where a call came from. Every activity takes it, so none of an impersonation can leave the employee out."""

    correlation_id: str
    ip_address: str | None = None
    user_agent: str | None = None
    impersonation: ImpersonationRef | None = None


@dataclass(frozen=True, slots=True)
class Bearer:
    """A verified bearer token of an employee or application, before it chose an organisation."""

    actor: Actor
    tenant_id: UUID
    organisation_ids: frozenset[UUID] | None  # None: every organisation of the tenant
    permissions: frozenset[Permission]
    expires_at: float  # seconds since the epoch

    def reaches(self, tenant_id: UUID, organisation_id: UUID) -> bool:
        """Whether the token names this tenant and organisation."""
        return tenant_id == self.tenant_id and (
            self.organisation_ids is None or organisation_id in self.organisation_ids
        )


@dataclass(frozen=True, slots=True)
class Caller:
    """An employee or application at work in one organisation.

    `assigned` are those of the permissions that came by a role assignment alone, and may go with it at any time.
    """

    actor: Actor
    tenant_id: UUID
    organisation_id: UUID
    permissions: frozenset[Permission]
    assigned: frozenset[Permission] = frozenset()

    def reassigned(self, permissions: frozenset[Permission]) -> "Caller":
        """The same caller, with these permissions by role assignments beside those of the bearer."""
        own = self.permissions - self.assigned
        return replace(self, permissions=own | permissions, assigned=permissions - own)

    def may(self, permission: Permission) -> bool:
        """Whether the caller has the permission here."""
        return permission in self.permissions

    def require(self, permission: Permission) -> None:
        """Raises: PermissionInvalid, which names the permission."""
        if permission not in self.permissions:
            raise PermissionInvalid(f"This needs the permission {permission.value}.")


@dataclass(frozen=True, slots=True)
class Call:
    """One back-office call: who, seen where, and whether it must be done once only."""

    caller: Caller
    seen: Seen
    once: Once | None = None

    @property
    def organisation_id(self) -> UUID:
        """The organisation that the call works in."""
        return self.caller.organisation_id

    @property
    def actor(self) -> Actor:
        """Who calls."""
        return self.caller.actor


@dataclass(frozen=True, slots=True)
class Place:
    """What the headers of a portal session say about tenant and organisation, if they say anything."""

    tenant_id: UUID | None = None
    organisation_id: UUID | None = None

    def admits(self, tenant_id: UUID, organisation_id: UUID) -> bool:
        """Whether a session of this organisation may be used here."""
        return self.tenant_id in (None, tenant_id) and self.organisation_id in (None, organisation_id)


@dataclass(frozen=True, slots=True)
class AnonymousCall:
    """A call of the portal before anyone has logged in."""

    organisation_id: UUID
    seen: Seen
