"""Who is calling, and where."""

from app.errors.base import PortalError


class OrganisationHeaderInvalid(PortalError):
    key = "ORGANISATION_HEADER_INVALID"
    title = "The organisation headers are missing or malformed"
    solution = "Send the headers zf-tuuid and zf-ouuid, each a UUID, of a tenant and one of its organisations."


class Unauthenticated(PortalError):
    key = "UNAUTHENTICATED"
    title = "No valid bearer token"
    solution = "Sign in again and send the new token as 'Authorization: Bearer …'."


class PermissionInvalid(PortalError):
    key = "PERMISSION_INVALID"
    title = "The permission for this is missing"
    solution = "Ask an administrator of the organisation for the permission that the detail names."


class SignatureInvalid(Unauthenticated):
    """A call whose body's signature stands for a bearer."""

    title = "The signature of the body is missing, wrong or too old"
    solution = (
        "Sign the body as it is sent, and compare the sender's key or secret with the setting that holds it here: "
        "PORTAL_MAIL_EVENTS_PUBLIC_KEY or PORTAL_PLATFORM_WEBHOOK_SECRET."
    )


class OrganisationOutOfReach(PermissionInvalid):
    title = "The bearer token does not reach into this organisation"
    solution = "Use a token that names this tenant and organisation, or have a role assigned there."


class SessionEnded(PortalError):
    key = "SESSION_ENDED"
    title = "The portal session has ended"
    solution = "Log in again."


class LoggedOutByUtility(SessionEnded):
    """An employee ended it, to have the browser forget what it keeps of the portal."""
