"""How an organisation's row keeps what the platform's front end adds to its portal."""

from typing import Any

from app.domain.public_portal import (
    AdvanceChangeLimit,
    ChangeLimitType,
    Contact,
    NotificationType,
    PageNotification,
    PortalPage,
    PublicPortal,
)


def public_portal_json(portal: PublicPortal) -> dict[str, Any]:
    """As it is kept in the organisation's row."""
    contact, limit = portal.contact, portal.advance_change_limit
    return {
        "urls": portal.urls,
        "favIconUrl": portal.fav_icon_url,
        "contact": {
            "email": contact.email,
            "url": contact.url,
            "telephoneNumber": contact.telephone_number,
            "termsAndConditionsUrls": contact.terms_and_conditions_urls,
        },
        "advanceChangeLimit": limit and {"min": limit.smallest, "max": limit.largest, "type": limit.type.value},
    }


def public_portal_from_json(kept: dict[str, Any]) -> PublicPortal:
    """From the organisation's row."""
    if not kept:
        return PublicPortal()
    urls, contact, limit = kept["urls"], kept["contact"], kept["advanceChangeLimit"]
    return PublicPortal(
        urls=None if urls is None else tuple(urls),
        fav_icon_url=kept["favIconUrl"],
        contact=Contact(
            contact["email"], contact["url"], contact["telephoneNumber"], contact["termsAndConditionsUrls"]
        ),
        advance_change_limit=limit and AdvanceChangeLimit(limit["min"], limit["max"], ChangeLimitType(limit["type"])),
    )


def page_notification_json(notification: PageNotification) -> dict[str, Any]:
    """As it is kept in the organisation's row."""
    return {
        "pageIdentifier": notification.page.value,
        "notificationType": notification.type.value,
        "translatedContent": notification.content,
    }


def page_notification_from_json(kept: dict[str, Any]) -> PageNotification:
    """From the organisation's row."""
    return PageNotification(
        PortalPage(kept["pageIdentifier"]), NotificationType(kept["notificationType"]), kept["translatedContent"]
    )
