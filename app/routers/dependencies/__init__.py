"""What a router asks for: the services, and the call with its caller.

Each kind of call is one dependency, so that a request resolves it once and the application can be asked which
operation admits whom.
"""

from app.routers.dependencies.backoffice import (
    LONGEST_IDEMPOTENCY_KEY,
    BackOffice,
    EndingImpersonation,
    StartingImpersonation,
)
from app.routers.dependencies.guards import (
    CountedByAddress,
    MailEvents,
    PlatformWebhook,
    SignedByMailProvider,
    SignedByPlatform,
)
from app.routers.dependencies.platform import (
    AnyPortal,
    FindingPortal,
    PlatformCustomerId,
    SendingForPlatform,
    StartingPlatformImpersonation,
)
from app.routers.dependencies.portal import (
    Anonymous,
    AnonymousVisit,
    AnyVisit,
    ChangingVisit,
    Leaving,
    LeavingVisit,
    LoggedIn,
    LoggingOut,
    LookingVisit,
    OpenVisit,
    OwnersVisit,
    Visit,
    Visiting,
)
from app.routers.dependencies.queries import ActivityFiltering, CustomerId, Paging, activity_filter, page_request
from app.routers.dependencies.services import Service, Services, services
from app.routers.dependencies.streams import EventStreams

__all__ = [
    "LONGEST_IDEMPOTENCY_KEY",
    "ActivityFiltering",
    "Anonymous",
    "AnonymousVisit",
    "AnyPortal",
    "AnyVisit",
    "BackOffice",
    "ChangingVisit",
    "CountedByAddress",
    "CustomerId",
    "EndingImpersonation",
    "EventStreams",
    "FindingPortal",
    "Leaving",
    "LeavingVisit",
    "LoggedIn",
    "LoggingOut",
    "LookingVisit",
    "MailEvents",
    "OpenVisit",
    "OwnersVisit",
    "Paging",
    "PlatformCustomerId",
    "PlatformWebhook",
    "SendingForPlatform",
    "Service",
    "Services",
    "SignedByMailProvider",
    "SignedByPlatform",
    "StartingImpersonation",
    "StartingPlatformImpersonation",
    "Visit",
    "Visiting",
    "activity_filter",
    "page_request",
    "services",
]
