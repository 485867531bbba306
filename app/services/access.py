"""Who a bearer is in which organisation, and what it may do there."""

from collections import OrderedDict
from uuid import UUID

from app.bearers import BearerVerifier
from app.domain.callers import Bearer, Caller
from app.errors import OrganisationHeaderInvalid, OrganisationOutOfReach
from app.repositories.unit_of_work import Transactions

_MOST_REMEMBERED = 10_000


class Access:
    """Turns bearer tokens into callers."""

    def __init__(self, transaction: Transactions, verifier: BearerVerifier) -> None:
        self._transaction = transaction
        self._verifier = verifier
        # An organisation never changes its tenant, so what was read once stays true.
        self._tenants: OrderedDict[UUID, UUID] = OrderedDict()

    async def bearer(self, token: str) -> Bearer:
        """Who the token speaks for.

        Raises: Unauthenticated, TemporarilyUnavailable.
        """
        return await self._verifier.verify(token)

    async def caller(self, bearer: Bearer, tenant_id: UUID, organisation_id: UUID) -> Caller:
        """The bearer at work in the organisation.

        Raises: PermissionInvalid.
        """
        reaches = bearer.reaches(tenant_id, organisation_id)
        if not reaches or await self._tenant_of(organisation_id) not in (None, tenant_id):
            raise OrganisationOutOfReach
        return Caller(bearer.actor, tenant_id, organisation_id, bearer.permissions)

    async def check_organisation(self, tenant_id: UUID, organisation_id: UUID) -> None:
        """Whether the headers of an anonymous call belong together; an unknown organisation has nothing to hide.

        Raises: OrganisationHeaderInvalid.
        """
        if await self._tenant_of(organisation_id) not in (None, tenant_id):
            raise OrganisationHeaderInvalid("zf-ouuid does not name an organisation of the tenant in zf-tuuid.")

    async def _tenant_of(self, organisation_id: UUID) -> UUID | None:
        known = self._tenants.get(organisation_id)
        if known is not None:
            return known
        async with self._transaction.reading(organisation_id) as uow:
            found = await uow.organisations.get()
        if found is None:
            return None
        self._tenants[organisation_id] = found.tenant_id
        if len(self._tenants) > _MOST_REMEMBERED:
            self._tenants.popitem(last=False)
        return found.tenant_id
