"""What the organisation decides about its portal."""

from dataclasses import fields
from typing import Any

from app.domain.activities import ActivityType, NewActivity, Subject, SubjectType
from app.domain.callers import Call
from app.domain.organisations import Organisation
from app.errors import FieldError, InvalidUrl, ResourceNotFound
from app.repositories.unit_of_work import Transactions


class PortalSettings:
    """The organisation's portal settings.

    `production` decides whether a portal without TLS is acceptable, `check_portals` whether a new address is tried.
    """

    def __init__(self, transaction: Transactions, *, production: bool, check_portals: bool) -> None:
        self._transaction = transaction
        self._production = production
        self._check_portals = check_portals

    async def get(self, *, call: Call) -> Organisation:
        """The settings.

        Raises: ResourceNotFound, before the first PUT.
        """
        async with self._transaction.reading(call.organisation_id) as uow:
            found = await uow.organisations.get()
        if found is None:
            raise ResourceNotFound("The organisation has no portal settings yet: PUT them here first.")
        return found

    async def put(self, new: Organisation, *, call: Call) -> tuple[Organisation, bool]:
        """Create the organisation or replace its settings; the settings, and whether they were created.

        Raises: ResourceNotFound, when another tenant has the organisation; InvalidUrl.
        """
        if self._production and new.portal_url and not new.portal_url.startswith("https://"):
            message = "The portal's URL must start with https://"
            raise InvalidUrl(message, errors=[FieldError("portalUrl", InvalidUrl.key, message)])
        async with self._transaction.of(call) as uow:
            before = await uow.organisations.lock()
            created = await uow.organisations.put(new)
            changed = _changed(before, new)
            if self._check_portals and new.portal_url and (before is None or before.portal_url != new.portal_url):
                uow.jobs.check_portal_url()
            if changed:
                uow.activities.record(
                    NewActivity(
                        ActivityType.SETTINGS_CHANGED,
                        call.actor,
                        call.seen,
                        Subject(SubjectType.ORGANISATION, new.organisation_id),
                        payload={"created": created, "changed": changed},
                    )
                )
            return new, created


def _changed(before: Organisation | None, new: Organisation) -> list[str]:
    """The settings that differ, by the API's names; values stay out of the log, some are addresses."""
    kept: set[str] = {"tenant_id", "organisation_id", "page_notifications"}

    def value(of: Organisation | None, name: str) -> Any:
        return getattr(of, name) if of else None

    changed = [f.name for f in fields(Organisation) if value(before, f.name) != value(new, f.name)]
    return [_camel(name) for name in changed if name not in kept]


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)
