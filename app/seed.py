"""A sample organisation with customers, so that there is something to look at. Everything in it is made up."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from argon2 import PasswordHasher

from app.domain.accounts import ImportedAccount
from app.domain.callers import Actor, ActorType, Call, Caller, Seen
from app.domain.customers import Contract, ContractStatus, Customer, Document, DocumentVisibility
from app.domain.organisations import Branding, Organisation, Sender
from app.errors import UserAlreadyExists
from app.main import Parts
from app.permissions import ROLES, Role

TENANT = UUID("0199d8a0-0000-7000-8000-000000000001")
ORGANISATION = UUID("0199d8a0-0000-7000-8000-000000000002")
PASSWORD = "seven warm radiators"

_PEOPLE = (
    ("20019188", "Jan Peeters", "jan.peeters@example.com", "nl-BE"),
    ("20019189", "Amélie Dubois", "amelie.dubois@example.com", "fr-BE"),
    ("20019190", "Aino Virtanen", "aino.virtanen@example.org", "fi-FI"),
    ("20019191", "Jonas Becker", "jonas.becker@example.org", "de-DE"),
    ("20019192", "Emma Clarke", None, "en-GB"),
)


@dataclass(frozen=True, slots=True)
class Seeded:
    """What the sample is known by."""

    tenant_id: UUID
    organisation_id: UUID
    customers: tuple[Customer, ...]


def sample_customers() -> tuple[Customer, ...]:
    """The sample's customers, the same at each call."""
    return tuple(
        Customer(
            customer_id=_id(0x10 + number),
            account_number=account_number,
            display_name=name,
            email=email,
            language=language,
            contracts=(Contract(_id(0x100 + number), f"C-{1000 + number}", ContractStatus.SIGNED, 3),),
            documents=(
                Document(
                    _id(0x200 + number), "Welcome letter", DocumentVisibility.PORTAL, datetime(2026, 1, 2, tzinfo=UTC)
                ),
            ),
        )
        for number, (account_number, name, email, language) in enumerate(_PEOPLE)
    )


async def seed(parts: Parts) -> Seeded:
    """Put the sample into the database; existing records are replaced, accounts and the log stay."""
    call = _call()
    organisation = Organisation(
        tenant_id=TENANT,
        organisation_id=ORGANISATION,
        name="Zonneveld Warmte",
        portal_enabled=True,
        portal_url="https://portal.example.com",
        default_language="nl-BE",
        sender=Sender("Zonneveld Warmte", "portal@example.com"),
        show_access_log=True,
        branding=Branding(primary_color="#0b6e4f", secondary_color="#f2a541"),
    )
    await parts.services.portal_settings.put(organisation, call=call)
    customers = sample_customers()
    for customer in customers:
        await parts.services.customers.put(customer, call=call)
    return Seeded(TENANT, ORGANISATION, customers)


async def register(parts: Parts, customer: Customer) -> None:
    """Give a customer an account with a password that everyone knows: for demonstrations."""
    account = ImportedAccount(
        email=str(customer.email),
        registered_at=datetime(2026, 1, 2, 9, 30, tzinfo=UTC),
        email_confirmed_at=datetime(2026, 1, 2, 9, 40, tzinfo=UTC),
        password_hash=PasswordHasher().hash(PASSWORD),
        live=True,
    )
    with suppress(UserAlreadyExists):
        await parts.services.accounts.take_over(customer.customer_id, account, call=_call())


def _call() -> Call:
    actor = Actor(ActorType.SYSTEM, "seed", "Sample data")
    return Call(Caller(actor, TENANT, ORGANISATION, ROLES[Role.ADMINISTRATOR]), Seen("seed"))


def _id(number: int) -> UUID:
    return UUID(f"0199d8a0-0000-7000-8000-{number:012x}")
