"""Organisations and their portal settings."""

from datetime import timedelta

from sqlalchemy import bindparam, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from app.database import Connection, Statement
from app.domain.organisations import Organisation
from app.errors import ResourceNotFound
from app.models import organisations
from app.repositories.public_portals import page_notification_json, public_portal_json
from app.repositories.rows import ORGANISATION, ORGANISATION_COLUMNS, organisation

_GET = Statement(select(*ORGANISATION_COLUMNS).where(organisations.c.organisation_id == ORGANISATION))

_LOCK = Statement(
    select(*ORGANISATION_COLUMNS).where(organisations.c.organisation_id == ORGANISATION).with_for_update(key_share=True)
)

_KEPT = ("organisation_id", "tenant_id", "created_at", "updated_at", "public_portal", "page_notifications")
_SETTINGS = [column.name for column in organisations.c if column.name not in _KEPT]
_insert = insert(organisations).values(
    organisation_id=ORGANISATION,
    tenant_id=bindparam("tenant_id"),
    **{name: bindparam(name) for name in _SETTINGS},
)
_PUT = Statement(
    _insert.on_conflict_do_update(
        index_elements=["organisation_id"],
        set_={name: _insert.excluded[name] for name in _SETTINGS} | {"updated_at": func.now()},
        where=organisations.c.tenant_id == _insert.excluded.tenant_id,
    ).returning(text("(xmax = 0) AS created"))
)

_PUT_PUBLIC = Statement(
    update(organisations)
    .where(organisations.c.organisation_id == ORGANISATION)
    .values(
        public_portal=bindparam("public_portal"),
        page_notifications=bindparam("page_notifications"),
        updated_at=func.now(),
    )
)


class Organisations:
    """The organisation that the connection works in."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def get(self) -> Organisation | None:
        """The organisation's settings, if it has any yet."""
        row = await self._connection.row(_GET)
        return organisation(row) if row else None

    async def lock(self) -> Organisation | None:
        """The same; nobody else changes them until the transaction ends."""
        row = await self._connection.row(_LOCK)
        return organisation(row) if row else None

    async def put(self, new: Organisation) -> bool:
        """Create or replace the settings; True when they were created.

        Raises: ResourceNotFound, when the organisation belongs to another tenant.
        """
        row = await self._connection.row(
            _PUT,
            tenant_id=new.tenant_id,
            name=new.name,
            portal_enabled=new.portal_enabled,
            portal_url=new.portal_url,
            default_language=new.default_language,
            feature_documents=new.features.documents,
            feature_invoices=new.features.invoices,
            feature_advance_payment_adjustable=new.features.advance_payment_adjustable,
            feature_edit_contact_details=new.features.edit_contact_details,
            invitation_seconds=_seconds(new.token_lifetimes.invitation),
            email_confirmation_seconds=_seconds(new.token_lifetimes.email_confirmation),
            password_reset_seconds=_seconds(new.token_lifetimes.password_reset),
            confirm_on_invitation=new.confirm_on_invitation,
            impersonation_enabled=new.impersonation_enabled,
            show_access_log=new.show_access_log,
            notify_after_impersonation=new.notify_after_impersonation,
            retention_days=new.retention_days,
            sender_name=new.sender.name,
            sender_email=new.sender.email,
            primary_color=new.branding.primary_color,
            secondary_color=new.branding.secondary_color,
            logo_url=new.branding.logo_url,
            communication_enabled=new.communication_enabled,
            sandbox_recipient=new.sandbox_recipient,
        )
        if row is None:
            raise ResourceNotFound
        return bool(row["created"])

    async def put_public(self, new: Organisation) -> None:
        """Replace what the platform's front end keeps with the portal; `put` leaves that alone."""
        await self._connection.row(
            _PUT_PUBLIC,
            public_portal=public_portal_json(new.public_portal),
            page_notifications=[page_notification_json(one) for one in new.page_notifications],
        )


def _seconds(lifetime: timedelta) -> int:
    return int(lifetime.total_seconds())
