"""Storing customers' records whole."""

from collections.abc import Sequence

from app.domain.callers import Actor, Seen
from app.domain.customers import Customer
from app.repositories.unit_of_work import UnitOfWork
from app.services.deeds.contact_email import contact_email_changed


async def put_customers(uow: UnitOfWork, given: Sequence[Customer], *, by: Actor, seen: Seen) -> list[bool]:
    """These records from now on, none of them twice, under the customers' locks; for each, whether it was created.

    Raises: ResourceNotFound, ValidationFailed.
    """
    before = await uow.customers.lock_all([one.customer_id for one in given])
    created = await uow.customers.put_all(given)
    emails = {
        new.customer_id: new.email
        for new in given
        if new.customer_id in before and before[new.customer_id].email != new.email
    }
    for standing in await uow.customers.standings(list(emails)) if emails else ():
        email = emails[standing.customer.customer_id]
        uow.activities.record(contact_email_changed(standing, email, by=by, seen=seen))
    return created
