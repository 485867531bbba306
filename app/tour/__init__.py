"""The tour."""

from app.tour.stage import Guide, Tour, TourFailed

__all__ = ["Guide", "Tour", "TourFailed"]
