"""Storing a customer's record whole."""

from app.domain.callers import Actor, Seen
from app.domain.customers import Customer
from app.repositories.unit_of_work import UnitOfWork
from app.services.deeds.contact_email import contact_email_changed


async def put_customer(uow: UnitOfWork, new: Customer, *, by: Actor, seen: Seen) -> bool:
    """The record from now on, under the customer's lock; True when it was created.

    Raises: ResourceNotFound, ValidationFailed.
    """
    before = await uow.customers.lock(new.customer_id)
    created = await uow.customers.put(new)
    if before is not None and before.email != new.email:
        standing = await uow.customers.standing(new.customer_id)
        uow.activities.record(contact_email_changed(standing, new.email, by=by, seen=seen))
    return created
