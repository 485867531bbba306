"""Calls that the platform's front end and its integrations have made all along."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path, Request

from app.domain.callers import Bearer, Place
from app.errors import OrganisationHeaderInvalid
from app.routers.dependencies.backoffice import BackOffice, StartingImpersonation
from app.routers.dependencies.calls import organisation_header
from app.routers.dependencies.queries import SAMPLES
from app.routers.dependencies.services import Services

PlatformCustomerId = Annotated[
    UUID, Path(alias="customeruuid", description="The customer's id.", openapi_examples=SAMPLES)
]

_HEADERS = ("zf-tuuid", "zf-ouuid")


class StartingPlatformImpersonation(StartingImpersonation):
    """The same deed, at an address that names the customer in the platform's way."""

    customer_parameter = "customeruuid"


class SendingForPlatform(BackOffice):
    """A call that may leave the organisation to its bearer, if that names a single one."""

    headers_optional = True

    def place(self, request: Request, bearer: Bearer) -> tuple[UUID, UUID]:
        """Raises: OrganisationHeaderInvalid."""
        if any(name in request.headers for name in _HEADERS):
            return super().place(request, bearer)
        if bearer.organisation_ids is None or len(bearer.organisation_ids) != 1:
            raise OrganisationHeaderInvalid(
                "Without the headers zf-tuuid and zf-ouuid the bearer token must name exactly one organisation."
            )
        return bearer.tenant_id, next(iter(bearer.organisation_ids))


class FindingPortal:
    """A call of the portal that may not know yet whose portal it is."""

    async def __call__(self, request: Request) -> Place:
        """Raises: OrganisationHeaderInvalid."""
        if not any(name in request.headers for name in _HEADERS):
            return Place()
        tenant_id, organisation_id = (organisation_header(request, name) for name in _HEADERS)
        wired: Services = request.app.state.services
        await wired.access.check_organisation(tenant_id, organisation_id)
        return Place(tenant_id, organisation_id)


AnyPortal = Annotated[Place, Depends(FindingPortal())]
