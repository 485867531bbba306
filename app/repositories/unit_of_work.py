"""One use case, one transaction: the repositories it works with, and what is written with its commit."""

from collections.abc import AsyncIterator, Awaitable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import cached_property
from types import TracebackType
from typing import TypeVar
from uuid import UUID

from app.database import Connection, Database
from app.domain.callers import Call
from app.domain.idempotency import Once
from app.repositories.account_records import AccountRecords
from app.repositories.accounts import Accounts
from app.repositories.activities import Activities
from app.repositories.adoption import Adoption
from app.repositories.cards import Cards
from app.repositories.communications import Communications
from app.repositories.customers import Customers
from app.repositories.diagnosis import DiagnosisFacts
from app.repositories.documents import Documents
from app.repositories.ends import Ends
from app.repositories.every_organisation import EveryOrganisation
from app.repositories.idempotency import Idempotency
from app.repositories.impersonation_pages import ImpersonationPages
from app.repositories.impersonations import Impersonations
from app.repositories.invitation_batch_items import InvitationBatchItems
from app.repositories.invitation_batches import InvitationBatches
from app.repositories.jobs import Jobs
from app.repositories.links import Links
from app.repositories.logins import Logins
from app.repositories.mail_history import MailHistory
from app.repositories.organisations import Organisations
from app.repositories.platform_customers import PlatformCustomers
from app.repositories.platform_events import PlatformEvents
from app.repositories.portal_accounts import PortalAccounts
from app.repositories.portal_addresses import PortalAddresses
from app.repositories.portal_url_checks import PortalUrlChecks
from app.repositories.retention import Retention
from app.repositories.role_assignments import RoleAssignments
from app.repositories.roles import Roles
from app.repositories.seals import Seals
from app.repositories.sessions import Sessions
from app.repositories.tokens import Tokens
from app.repositories.webhook_deliveries import WebhookDeliveries
from app.repositories.webhook_endpoints import WebhookEndpoints

T = TypeVar("T")


class UnitOfWork:
    """The repositories of one organisation on one connection."""

    def __init__(self, connection: Connection, organisation_id: UUID, once: Once | None = None) -> None:
        self.connection = connection
        self.organisation_id = organisation_id
        self._once = once
        self._answered = once is None
        self._result: object = None

    @cached_property
    def organisations(self) -> Organisations:
        """The organisation's settings."""
        return Organisations(self.connection)

    @cached_property
    def customers(self) -> Customers:
        """Customers' records."""
        return Customers(self.connection)

    @cached_property
    def documents(self) -> Documents:
        """Documents that the portal shows."""
        return Documents(self.connection)

    @cached_property
    def platform_customers(self) -> PlatformCustomers:
        """Customers as the platform's existing calls show them."""
        return PlatformCustomers(self.connection)

    @cached_property
    def portal_addresses(self) -> PortalAddresses:
        """Where the portal is found."""
        return PortalAddresses(self.connection)

    @cached_property
    def portal_url_checks(self) -> PortalUrlChecks:
        """How the portal's address answered."""
        return PortalUrlChecks(self.connection)

    @cached_property
    def platform_events(self) -> PlatformEvents:
        """What the platform told."""
        return PlatformEvents(self.connection)

    @cached_property
    def seals(self) -> Seals:
        """The log's seals."""
        return Seals(self.connection, self.organisation_id)

    @cached_property
    def retention(self) -> Retention:
        """Deleting what has been kept long enough."""
        return Retention(self.connection)

    @cached_property
    def cards(self) -> Cards:
        """Customer-portal cards."""
        return Cards(self.connection)

    @cached_property
    def accounts(self) -> Accounts:
        """Portal accounts."""
        return Accounts(self.connection)

    @cached_property
    def account_records(self) -> AccountRecords:
        """Every portal account known, the retired ones too."""
        return AccountRecords(self.connection)

    @cached_property
    def portal_accounts(self) -> PortalAccounts:
        """Portal accounts across customers."""
        return PortalAccounts(self.connection)

    @cached_property
    def adoption(self) -> Adoption:
        """Figures of the portal."""
        return Adoption(self.connection)

    @cached_property
    def tokens(self) -> Tokens:
        """One-time tokens."""
        return Tokens(self.connection)

    @cached_property
    def links(self) -> Links:
        """Tokens with what they hang on."""
        return Links(self.connection)

    @cached_property
    def ends(self) -> Ends:
        """All that hangs on an account."""
        return Ends(self.connection)

    @cached_property
    def invitation_batches(self) -> InvitationBatches:
        """Batches of invitations."""
        return InvitationBatches(self.connection)

    @cached_property
    def invitation_batch_items(self) -> InvitationBatchItems:
        """The customers of each batch."""
        return InvitationBatchItems(self.connection)

    @cached_property
    def sessions(self) -> Sessions:
        """Portal sessions."""
        return Sessions(self.connection)

    @cached_property
    def logins(self) -> Logins:
        """Whom logins mean."""
        return Logins(self.connection)

    @cached_property
    def communications(self) -> Communications:
        """Mails."""
        return Communications(self.connection)

    @cached_property
    def mail_history(self) -> MailHistory:
        """Mails as the customers' cards list them."""
        return MailHistory(self.connection)

    @cached_property
    def activities(self) -> Activities:
        """The log."""
        return Activities(self.connection)

    @cached_property
    def jobs(self) -> Jobs:
        """What is left to the workers."""
        return Jobs(self.connection, self.organisation_id)

    def answer(self, result: T) -> T:
        """The use case's result; when it must be done once only, its answer is kept with the commit."""
        self._result = result
        self._answered = True
        return result

    @cached_property
    def diagnosis(self) -> DiagnosisFacts:
        """What the diagnosis looks at."""
        return DiagnosisFacts(self.connection)

    @cached_property
    def impersonations(self) -> Impersonations:
        """Employees logged in as customers."""
        return Impersonations(self.connection)

    @cached_property
    def roles(self) -> Roles:
        """Roles of the organisation's own."""
        return Roles(self.connection)

    @cached_property
    def role_assignments(self) -> RoleAssignments:
        """Who has which role."""
        return RoleAssignments(self.connection)

    @cached_property
    def webhook_endpoints(self) -> WebhookEndpoints:
        """Where activities go."""
        return WebhookEndpoints(self.connection)

    @cached_property
    def webhook_deliveries(self) -> WebhookDeliveries:
        """Activities on their way there."""
        return WebhookDeliveries(self.connection)

    @cached_property
    def impersonation_pages(self) -> ImpersonationPages:
        """Looking back on them."""
        return ImpersonationPages(self.connection)

    async def begin(self) -> None:
        """Claim the idempotency key, if there is one.

        Raises: Replay, IdempotencyKeyReused, IdempotencyInProgress.
        """
        if self._once is not None:
            await Idempotency(self.connection).claim(self._once)

    async def finish(self) -> None:
        """Write what the transaction reports, leaves to workers and answers."""
        if not self._answered:
            raise AssertionError("a use case that may carry an Idempotency-Key ends with uow.answer(…)")
        if wanted := await self.activities.write():
            await self.webhook_deliveries.add(wanted)
            for endpoint_id in {one.endpoint_id for one in wanted}:
                self.jobs.serve_webhook_endpoint(endpoint_id)
        await self.jobs.write()
        if self._once is not None:
            await Idempotency(self.connection).remember(self._once, self._once.render(self._result))


class _Working:
    """A transaction that commits at the end of the block, with its activities and jobs, or not at all."""

    __slots__ = ("_block", "_once", "_organisation_id", "_uow")

    def __init__(self, database: Database, organisation_id: UUID, once: Once | None) -> None:
        self._block = database.transaction(organisation_id)
        self._organisation_id = organisation_id
        self._once = once

    async def __aenter__(self) -> UnitOfWork:
        self._uow = UnitOfWork(await self._block.__aenter__(), self._organisation_id, self._once)
        await self._or_roll_back(self._uow.begin())
        return self._uow

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, places: TracebackType | None
    ) -> None:
        if error is None:
            await self._or_roll_back(self._uow.finish())
        await self._block.__aexit__(kind, error, places)

    async def _or_roll_back(self, work: Awaitable[None]) -> None:
        try:
            await work
        except BaseException as error:
            await self._block.__aexit__(type(error), error, error.__traceback__)
            raise


class _Reading:
    """Each statement stands for itself, and nothing can be recorded."""

    __slots__ = ("_block", "_organisation_id", "_uow")

    def __init__(self, database: Database, organisation_id: UUID) -> None:
        self._block = database.reading(organisation_id)
        self._organisation_id = organisation_id

    async def __aenter__(self) -> UnitOfWork:
        self._uow = UnitOfWork(await self._block.__aenter__(), self._organisation_id)
        return self._uow

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, places: TracebackType | None
    ) -> None:
        await self._block.__aexit__(kind, error, places)
        if error is None and (self._uow.activities.waiting or self._uow.jobs.waiting):
            raise AssertionError("what reads records nothing; open a transaction")


class Transactions:
    """Opens units of work. The only way for services to reach the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def __call__(self, organisation_id: UUID, once: Once | None = None) -> AbstractAsyncContextManager[UnitOfWork]:
        """A transaction that commits at the end of the block, with its activities and jobs, or not at all."""
        return _Working(self._database, organisation_id, once)

    def of(self, call: Call) -> AbstractAsyncContextManager[UnitOfWork]:
        """A transaction for a back-office call, done once if the call says so."""
        return self(call.organisation_id, call.once)

    @asynccontextmanager
    async def everywhere(self) -> AsyncIterator[EveryOrganisation]:
        """A transaction across organisations, which can only name them and plan their daily work."""
        async with self._database.transaction(None) as connection:
            yield EveryOrganisation(connection)

    def reading(self, organisation_id: UUID) -> AbstractAsyncContextManager[UnitOfWork]:
        """For reads: each statement stands for itself, and nothing can be recorded."""
        return _Reading(self._database, organisation_id)
