"""Storing the customer's contact address."""

from dataclasses import replace

from app.domain.accounts import masked
from app.domain.activities import ActivityType, NewActivity, Subject, SubjectType
from app.domain.callers import Actor, Seen
from app.domain.cards import Standing
from app.repositories.unit_of_work import UnitOfWork


async def store_contact_email(uow: UnitOfWork, standing: Standing, email: str, *, by: Actor, seen: Seen) -> Standing:
    """The customer's address from now on; the standing with it."""
    customer = standing.customer
    if email == customer.email:
        return standing
    await uow.customers.set_email(customer.customer_id, email)
    uow.activities.record(contact_email_changed(standing, email, by=by, seen=seen))
    return replace(standing, customer=replace(customer, email=email))


def contact_email_changed(standing: Standing, email: str | None, *, by: Actor, seen: Seen) -> NewActivity:
    """The log's entry for a new contact address."""
    return NewActivity(
        ActivityType.CONTACT_EMAIL_CHANGED,
        by,
        seen,
        Subject(SubjectType.CUSTOMER, standing.customer.customer_id),
        standing.ref,
        {"email": masked(email) if email else None},
    )
