"""`portal-access invite`: many customers out of a file, by the API, as any partner could do it."""

from app.inviting.command import invite
from app.inviting.service import InvitingFailed

__all__ = ["InvitingFailed", "invite"]
