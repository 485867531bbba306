"""Figures of an organisation's portal."""

from pydantic import Field

from app.domain.adoption import Adoption
from app.schemas.base import Answered


class AdoptionTotals(Answered):
    """Customers today."""

    customers: int
    invited: int = Field(description="Customers who were ever invited.")
    registered: int = Field(description="Customers with a live account.")
    active: int = Field(description="Those of them whose address is confirmed.")


class AdoptionWeek(Answered):
    """What came in one week."""

    week: str = Field(description="ISO 8601, in UTC, such as `2026-W48`.")
    invited: int = Field(description="Customers invited in it, each counted once.")
    registered: int = Field(description="Of today's live accounts those registered in it.")
    confirmed: int = Field(description="Of today's live accounts those whose address was confirmed in it.")


class Statistics(Answered):
    """How far customers have come to the portal."""

    totals: AdoptionTotals
    weeks: list[AdoptionWeek] = Field(description="Oldest first, this week last; those in which nothing came too.")

    @classmethod
    def of(cls, found: Adoption) -> "Statistics":
        """From the domain's figures."""
        totals = found.totals
        return cls(
            totals=AdoptionTotals(
                customers=totals.customers, invited=totals.invited, registered=totals.registered, active=totals.active
            ),
            weeks=[
                AdoptionWeek(week=one.name, invited=one.invited, registered=one.registered, confirmed=one.confirmed)
                for one in found.weeks
            ],
        )
