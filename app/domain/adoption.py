"""How far customers have come to the portal."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Totals:
    """Customers today: all of them, those ever invited, those with a live account, those whose account is active."""

    customers: int
    invited: int
    registered: int
    active: int


@dataclass(frozen=True, slots=True)
class Week:
    """What came in one week (ISO 8601, in UTC): customers invited, and of today's live accounts those registered and
    those confirmed."""

    monday: date
    invited: int
    registered: int
    confirmed: int

    @property
    def name(self) -> str:
        """As ISO 8601 writes it: 2026-W48."""
        year, week, _ = self.monday.isocalendar()
        return f"{year}-W{week:02}"


@dataclass(frozen=True, slots=True)
class Adoption:
    """Totals, and the weeks up to this one, oldest first."""

    totals: Totals
    weeks: Sequence[Week]
