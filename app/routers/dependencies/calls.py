"""What a call says of itself: who saw it, where it belongs, its bearer."""

from dataclasses import replace
from uuid import UUID

from fastapi import Request

from app.domain.callers import Place, Seen
from app.domain.sessions import PortalVisitor
from app.errors import OrganisationHeaderInvalid, Unauthenticated


def seen_of_call(request: Request) -> Seen:
    """Who the log says was there."""
    agent = request.headers.get("user-agent", "")[:300]
    return Seen(
        correlation_id=request.state.correlation_id,
        ip_address=request.client.host if request.client else None,
        user_agent=(agent if agent.isprintable() else "".join(c for c in agent if c.isprintable())) or None,
    )


def seen_of_visit(visitor: PortalVisitor, request: Request) -> Seen:
    """The same of a call with a session; an employee's names the impersonation."""
    during = visitor.impersonation
    return replace(seen_of_call(request), impersonation=during.ref if during else None)


def organisation_header(request: Request, name: str) -> UUID:
    """The id in one of the two headers that say where a call belongs.

    Raises: OrganisationHeaderInvalid.
    """
    text = request.headers.get(name)
    try:
        if text is None or len(text) != 36:
            raise ValueError
        return UUID(text)
    except ValueError:
        raise OrganisationHeaderInvalid(f"The header {name} is missing or not a UUID.") from None


def place(request: Request) -> Place:
    """The optional headers of a portal session."""
    tenant_id, organisation_id = (
        organisation_header(request, name) if name in request.headers else None for name in ("zf-tuuid", "zf-ouuid")
    )
    return Place(tenant_id, organisation_id)


def bearer_of(request: Request) -> str:
    """The token of the Authorization header.

    Raises: Unauthenticated.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated
    return token.strip()
