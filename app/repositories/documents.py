"""Documents that the portal shows, out of the customer's record, and the customer's views of them.

The views stand beside the record, which each PUT replaces: a document that leaves and comes back keeps them.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, any_, bindparam, column, func, literal, or_, select, true, tuple_
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP, distinct_on, insert
from sqlalchemy.types import Integer, Text, Uuid

from app.database import Connection, Row, Statement
from app.domain.customers import Document, DocumentVisibility
from app.domain.documents import SHOWN_IN_PORTAL, PortalDocument
from app.domain.paging import Cursor, Page, PageRequest
from app.models import customers, document_views
from app.repositories.rows import ORGANISATION

_CUSTOMER = bindparam("customer_id", type_=Uuid())
_DOCUMENT = bindparam("document_id", type_=Uuid())
_WHEN = TIMESTAMP(timezone=True)

_listed = (
    func.jsonb_to_recordset(customers.c.documents)
    .table_valued(
        column("documentId", Uuid()),
        column("name", Text()),
        column("visibility", Text()),
        column("createdDateTime", _WHEN),
        name="listed",
    )
    .render_derived(with_types=True)
    .lateral()
)
# A record may list a document twice; it is one document.
_shown = (
    select(
        customers.c.organisation_id,
        customers.c.id.label("customer_id"),
        _listed.c.documentId.label("document_id"),
        _listed.c.name,
        _listed.c.visibility,
        _listed.c.createdDateTime.label("created_at"),
    )
    .ext(distinct_on(_listed.c.documentId))
    .select_from(customers.join(_listed, true()))
    .where(
        customers.c.organisation_id == ORGANISATION,
        customers.c.id == _CUSTOMER,
        _listed.c.visibility == any_(literal([one.value for one in SHOWN_IN_PORTAL], ARRAY(Text()))),
    )
    .order_by(_listed.c.documentId, _listed.c.createdDateTime.desc())
    .subquery("shown")
)


def _documents(*conditions: ColumnElement[bool]) -> Any:
    return (
        select(
            _shown.c.document_id,
            _shown.c.name,
            _shown.c.visibility,
            _shown.c.created_at,
            document_views.c.first_viewed_at,
            document_views.c.last_viewed_at,
            document_views.c.view_count,
        )
        .select_from(
            _shown.outerjoin(
                document_views,
                (document_views.c.organisation_id == _shown.c.organisation_id)
                & (document_views.c.customer_id == _shown.c.customer_id)
                & (document_views.c.document_id == _shown.c.document_id),
            )
        )
        .where(*conditions)
    )


_PAGE = Statement(
    _documents(
        or_(
            bindparam("after_at", type_=_WHEN).is_(None),
            tuple_(_shown.c.created_at, _shown.c.document_id)
            < tuple_(bindparam("after_at", type_=_WHEN), bindparam("after_id", type_=Uuid())),
        )
    )
    .order_by(_shown.c.created_at.desc(), _shown.c.document_id.desc())
    .limit(bindparam("most", type_=Integer()))
)
_GET = Statement(_documents(_shown.c.document_id == _DOCUMENT))

_insert = insert(document_views).from_select(
    ["organisation_id", "customer_id", "document_id"],
    select(_shown.c.organisation_id, _shown.c.customer_id, _shown.c.document_id).where(
        _shown.c.document_id == _DOCUMENT
    ),
)
_COUNT_VIEW = Statement(
    _insert.on_conflict_do_update(
        constraint="pk_document_views",
        set_={
            # Of two views at once the one that began earlier may be written later.
            "last_viewed_at": func.greatest(document_views.c.last_viewed_at, func.now()),
            "view_count": document_views.c.view_count + 1,
        },
    )
)


class Documents:
    """The documents that the portal shows to customers of one organisation."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def page(self, customer_id: UUID, request: PageRequest) -> Page[PortalDocument]:
        """What the portal shows to the customer, newest first."""
        rows = await self._connection.rows(
            _PAGE,
            customer_id=customer_id,
            after_at=request.after.at if request.after else None,
            after_id=request.after.id if request.after else None,
            most=request.size + 1,
        )
        found = [_portal_document(row) for row in rows]
        return Page.of(found, request.size, lambda one: Cursor(one.document.created_at, one.document.document_id))

    async def get(self, customer_id: UUID, document_id: UUID) -> PortalDocument | None:
        """One of them; None for one that is unknown or not for the portal."""
        row = await self._connection.row(_GET, customer_id=customer_id, document_id=document_id)
        return _portal_document(row) if row else None

    async def count_view(self, customer_id: UUID, document_id: UUID) -> None:
        """The customer has opened the document; one that the portal does not show is not counted."""
        await self._connection.row(_COUNT_VIEW, customer_id=customer_id, document_id=document_id)


def _portal_document(row: Row) -> PortalDocument:
    return PortalDocument(
        Document(row["document_id"], row["name"], DocumentVisibility(row["visibility"]), row["created_at"]),
        first_viewed_at=row["first_viewed_at"],
        last_viewed_at=row["last_viewed_at"],
        view_count=row["view_count"] or 0,
    )
