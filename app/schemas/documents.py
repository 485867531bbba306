"""Documents in the portal, as the customer and the back office see them."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from app.domain.customers import DocumentVisibility
from app.domain.documents import PortalDocument
from app.schemas.base import Answered


class MyDocumentBody(Answered):
    """A document of the customer."""

    document_id: UUID
    name: str
    visibility: DocumentVisibility
    created_date_time: datetime
    viewed: bool = Field(description="Whether the customer has opened it.")

    @classmethod
    def of(cls, one: PortalDocument) -> "MyDocumentBody":
        """From the domain's document."""
        return cls(
            document_id=one.document.document_id,
            name=one.document.name,
            visibility=one.document.visibility,
            created_date_time=one.document.created_at,
            viewed=one.viewed,
        )


class DocumentViewsBody(MyDocumentBody):
    """A document, and the customer's own views of it; an employee's during an impersonation are not counted."""

    first_viewed_date_time: datetime | None
    last_viewed_date_time: datetime | None
    view_count: int

    @classmethod
    def of(cls, one: PortalDocument) -> "DocumentViewsBody":
        """From the domain's document."""
        return cls(
            document_id=one.document.document_id,
            name=one.document.name,
            visibility=one.document.visibility,
            created_date_time=one.document.created_at,
            viewed=one.viewed,
            first_viewed_date_time=one.first_viewed_at,
            last_viewed_date_time=one.last_viewed_at,
            view_count=one.view_count,
        )
