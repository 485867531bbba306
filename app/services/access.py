"""Who a bearer is in which organisation, and what it may do there."""

from collections import OrderedDict
from uuid import UUID

from app.bearers import BearerVerifier
from app.domain.callers import Bearer, Caller
from app.domain.roles import AssignedRights
from app.errors import OrganisationHeaderInvalid, OrganisationOutOfReach
from app.permissions import Permission
from app.repositories.unit_of_work import Transactions

_MOST_REMEMBERED = 10_000
_EVERYTHING = frozenset(Permission)


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
        """The bearer at work in the organisation, which its token names or a role assignment gives it.

        What the token itself allows counts where the token reaches, and nowhere else. Assignments are read anew at
        every call, so that a change acts at the next one on every node.

        Raises: PermissionInvalid.
        """
        if bearer.tenant_id != tenant_id:
            raise OrganisationOutOfReach
        reaches = bearer.reaches(tenant_id, organisation_id)
        own = bearer.permissions if reaches else frozenset()
        assigned = await self._assigned(bearer.actor.id, organisation_id, own)
        if assigned.tenant_id not in (None, tenant_id) or not (reaches or assigned.permissions):
            raise OrganisationOutOfReach
        added = assigned.permissions - own
        return Caller(bearer.actor, tenant_id, organisation_id, own | added, added)

    async def _assigned(self, subject: str, organisation_id: UUID, own: frozenset[Permission]) -> AssignedRights:
        tenant_id = self._tenants.get(organisation_id)
        if own == _EVERYTHING and tenant_id is not None:
            return AssignedRights(tenant_id, frozenset())  # no assignment could add anything
        async with self._transaction.reading(organisation_id) as uow:
            found = await uow.role_assignments.rights(subject)
        if found.tenant_id is not None:
            self._remember(organisation_id, found.tenant_id)
        return found

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
        self._remember(organisation_id, found.tenant_id)
        return found.tenant_id

    def _remember(self, organisation_id: UUID, tenant_id: UUID) -> None:
        self._tenants[organisation_id] = tenant_id
        if len(self._tenants) > _MOST_REMEMBERED:
            self._tenants.popitem(last=False)
