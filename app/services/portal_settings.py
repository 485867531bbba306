"""What the organisation decides about its portal."""

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

from app.domain.activities import ActivityType, NewActivity, Subject, SubjectType
from app.domain.callers import Call, Place
from app.domain.organisations import Organisation
from app.domain.public_portal import Contact, portal_address
from app.errors import FieldError, InvalidUrl, ResourceNotFound
from app.repositories.unit_of_work import Transactions, UnitOfWork

Adjustment = Callable[[Organisation], Organisation]

_UNKNOWN = "The organisation has no portal settings yet: PUT /organisation/portal-settings creates it."
_NO_PORTAL = "No organisation has a portal at this URL."


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
            raise ResourceNotFound(_UNKNOWN)
        return found

    async def put(self, new: Organisation, *, call: Call) -> tuple[Organisation, bool]:
        """Create the organisation or replace its settings; the settings, and whether they were created.

        Raises: ResourceNotFound, when another tenant has the organisation; InvalidUrl.
        """
        self._check_url("portalUrl", new.portal_url)
        async with self._transaction.of(call) as uow:
            before = await uow.organisations.lock()
            if before is not None:
                new = replace(new, public_portal=before.public_portal, page_notifications=before.page_notifications)
            created = await uow.organisations.put(new)
            await uow.portal_addresses.put(new.addresses)
            if self._check_portals and new.portal_url and (before is None or before.portal_url != new.portal_url):
                uow.jobs.check_portal_url()
            _record(uow, before, new, created=created, call=call)
            return new, created

    async def adjust(self, adjustment: Adjustment, *, call: Call) -> Organisation:
        """Change some of the settings, those of the platform's front end too; all of them afterwards.

        Raises: ResourceNotFound, before the first PUT; InvalidUrl.
        """
        async with self._transaction.of(call) as uow:
            before = await uow.organisations.lock()
            if before is None:
                raise ResourceNotFound(_UNKNOWN)
            new = adjustment(before)
            for url in new.public_portal.urls or ():
                self._check_url("portalPublicUrls", url)
            await uow.organisations.put(new)
            await uow.organisations.put_public(new)
            await uow.portal_addresses.put(new.addresses)
            _record(uow, before, new, created=False, call=call)
            return uow.answer(new)

    async def of_portal(self, place: Place, portal_url: str | None) -> Organisation:
        """The settings of the organisation whose portal is found at the URL, or of the one that the headers name, at
        whose portal the URL, if there is one, must be found.

        Raises: ResourceNotFound.
        """
        address = portal_address(portal_url) if portal_url is not None else None
        organisation_id = place.organisation_id
        if organisation_id is None and address is not None:
            async with self._transaction.everywhere() as everyone:
                organisation_id = await everyone.with_portal_address(address)
        if organisation_id is None:
            raise ResourceNotFound(_NO_PORTAL)
        async with self._transaction.reading(organisation_id) as uow:
            found = await uow.organisations.get()
        if found is None or (address is not None and address not in found.addresses):
            raise ResourceNotFound(_NO_PORTAL)
        return found

    def _check_url(self, field: str, url: str | None) -> None:
        if self._production and url and not url.startswith("https://"):
            message = "The portal's URL must start with https://"
            raise InvalidUrl(message, errors=[FieldError(field, InvalidUrl.key, message)])


def _record(uow: UnitOfWork, before: Organisation | None, new: Organisation, *, created: bool, call: Call) -> None:
    if changed := _changed(before, new):
        uow.activities.record(
            NewActivity(
                ActivityType.SETTINGS_CHANGED,
                call.actor,
                call.seen,
                Subject(SubjectType.ORGANISATION, new.organisation_id),
                payload={"created": created, "changed": changed},
            )
        )


def _changed(before: Organisation | None, new: Organisation) -> list[str]:
    """The settings that differ, by the API's names; values stay out of the log, some are addresses."""
    known = _by_name(before) if before else {}
    return [name for name, value in _by_name(new).items() if known.get(name) != value]


def _by_name(organisation: Organisation) -> dict[str, Any]:
    """The settings by the names that our calls and the platform's have for them; None for what nobody has set."""
    own = {"tenant_id", "organisation_id", "public_portal", "page_notifications"}
    named = {_camel(f.name): getattr(organisation, f.name) for f in fields(Organisation) if f.name not in own}
    portal = organisation.public_portal
    return named | {
        "portalPublicUrls": portal.urls,
        "favIcon": portal.fav_icon_url,
        "contact": portal.contact if portal.contact != Contact() else None,
        "advanceChangeLimit": portal.advance_change_limit,
        "pageNotifications": organisation.page_notifications or None,
    }


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)
