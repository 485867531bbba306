"""What a call asks for in its path and query."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Header, Path, Query

from app.domain.activities import ActivityFilter, ActivityType
from app.domain.callers import ActorType
from app.domain.paging import DEFAULT_PAGE_SIZE, MAXIMUM_PAGE_SIZE, Cursor, PageRequest
from app.schemas.base import Moment

# Of the sample organisation, for who tries the operations.
WITH_ACCOUNT = "Amélie Dubois"
SAMPLES = {
    "Jan Peeters": {"summary": "Jan Peeters, without an account", "value": "0199d8a0-0000-7000-8000-000000000010"},
    WITH_ACCOUNT: {"summary": "Amélie Dubois, with an account", "value": "0199d8a0-0000-7000-8000-000000000011"},
    "Emma Clarke": {"summary": "Emma Clarke, without an address", "value": "0199d8a0-0000-7000-8000-000000000014"},
}

CustomerId = Annotated[
    UUID, Path(alias="customerId", description="The customer's id in the billing system.", openapi_examples=SAMPLES)
]


async def page_request(
    page_size: Annotated[
        int, Query(alias="pageSize", ge=1, le=MAXIMUM_PAGE_SIZE, description="Most results of a page.")
    ] = DEFAULT_PAGE_SIZE,
    continuation_token: Annotated[
        str | None,
        Query(alias="continuationToken", max_length=200, description="`nextPageToken` of the page before."),
    ] = None,
    continuation_header: Annotated[
        str | None, Header(alias="continuationToken", max_length=200, description="The same as a header.")
    ] = None,
) -> PageRequest:
    """Which page is asked for.

    Raises: ValidationFailed.
    """
    token = continuation_token or continuation_header
    return PageRequest(page_size, Cursor.decode(token) if token else None)


Paging = Annotated[PageRequest, Depends(page_request)]


async def activity_filter(
    types: Annotated[list[ActivityType] | None, Query(alias="type", max_length=50, description="Repeatable.")] = None,
    from_at: Annotated[Moment | None, Query(alias="fromDateTime", description="Inclusive.")] = None,
    to_at: Annotated[Moment | None, Query(alias="toDateTime", description="Exclusive.")] = None,
    actor_type: Annotated[ActorType | None, Query(alias="actorType", description="Who did it.")] = None,
    impersonated: Annotated[bool | None, Query(description="Only during an impersonation, or only outside.")] = None,
) -> ActivityFilter:
    """Which activities are asked for."""
    return ActivityFilter(
        types=tuple(kind.value for kind in types) if types else None,
        from_at=from_at,
        to_at=to_at,
        actor_type=actor_type.value if actor_type else None,
        impersonated=impersonated,
    )


ActivityFiltering = Annotated[ActivityFilter, Depends(activity_filter)]
