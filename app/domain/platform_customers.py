"""A customer as the platform's existing calls show one (contract section 9)."""

from dataclasses import dataclass
from datetime import datetime

from app.domain.cards import Standing


@dataclass(frozen=True, slots=True)
class PlatformCustomer:
    """Where the customer stands, with the contracts, and how old the record is."""

    standing: Standing
    created_at: datetime
    changed_at: datetime
