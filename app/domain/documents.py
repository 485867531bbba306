"""Documents as the portal shows them, and whether the customer has opened them."""

from dataclasses import dataclass
from datetime import datetime

from app.domain.customers import Document, DocumentVisibility
from app.domain.organisations import Organisation
from app.errors import FeatureNotEnabled, PortalError

SHOWN_IN_PORTAL = (DocumentVisibility.PORTAL, DocumentVisibility.PORTAL_AND_MOVE_IN)


@dataclass(frozen=True, slots=True)
class PortalDocument:
    """A document that the portal shows, and the customer's own views of it."""

    document: Document
    first_viewed_at: datetime | None
    last_viewed_at: datetime | None
    view_count: int

    @property
    def viewed(self) -> bool:
        """Whether the customer has opened it."""
        return self.view_count > 0


def documents_refusal(organisation: Organisation) -> PortalError | None:
    """Why the portal shows no documents now."""
    if organisation.features.documents:
        return None
    return FeatureNotEnabled("Documents are switched off for this organisation's portal.")
