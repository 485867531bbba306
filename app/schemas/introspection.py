"""Token introspection (RFC 7662): who a portal session is, for other services of the platform."""

from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.domain.impersonations import AccessMode, PortalAct, act_refusal
from app.domain.sessions import PortalVisitor


class ActingParty(BaseModel):
    """The employee who is logged in as the customer (RFC 8693, section 4.1)."""

    sub: str
    name: str | None = None


class IntrospectionBody(BaseModel):
    """A live session, or nothing but `{"active": false}`. The names are those of the standards."""

    model_config = ConfigDict(frozen=True)

    active: bool
    sub: UUID | None = Field(None, description="The customer's id.")
    organisation_id: UUID | None = None
    account_number: str | None = None
    exp: int | None = Field(None, description="Seconds since 1970.")
    iat: int | None = Field(None, description="Seconds since 1970.")
    scope: str | None = Field(None, description="`look`, `change` and `owners`: what the session may do.")
    act: ActingParty | None = Field(None, description="Present while an employee is logged in as the customer.")
    access_mode: AccessMode | None = Field(None, description="Present while an employee is logged in as the customer.")

    @classmethod
    def of(cls, visitor: PortalVisitor | None) -> "IntrospectionBody":
        """From the visitor behind a live session; None is an inactive one."""
        if visitor is None:
            return cls(active=False)
        during, standing = visitor.impersonation, visitor.standing
        return cls(
            active=True,
            sub=standing.customer.customer_id,
            organisation_id=standing.organisation.organisation_id,
            account_number=standing.customer.account_number,
            exp=int(visitor.expires_at.timestamp()),
            iat=int(visitor.created_at.timestamp()),
            scope=" ".join(act for act in PortalAct if not during or act_refusal(act, during.access_mode) is None),
            act=ActingParty(sub=during.employee.id, name=during.employee.name) if during else None,
            access_mode=during.access_mode if during else None,
        )
