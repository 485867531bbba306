"""What stands before a call beside its caller: a limit, a signature."""

from typing import Annotated

from fastapi import Depends, Request

from app.errors import ResourceNotFound
from app.event_signatures import SIGNATURE_HEADER, TIMESTAMP_HEADER, EventSignatures
from app.platform.signatures import SIGNATURE_HEADER as PLATFORM_SIGNATURE_HEADER
from app.platform.signatures import PlatformSignatures
from app.routers.dependencies.services import Services
from app.throttles import Throttled, address_key


class CountedByAddress:
    """Lets each client address make so many calls of a kind, before anything else is looked at."""

    def __init__(self, kind: Throttled) -> None:
        self.kind = kind

    async def __call__(self, request: Request) -> None:
        """Raises: TooManyRequests."""
        wired: Services = request.app.state.services
        await wired.throttles.hit(self.kind, address_key(request.client.host if request.client else None))


class SignedByMailProvider:
    """A call of the mail provider: its signature under the body stands for a bearer."""

    async def __call__(self, request: Request) -> bytes:
        """The body.

        Raises: ResourceNotFound, while no key of a provider is set; SignatureInvalid, PayloadTooLarge.
        """
        signatures: EventSignatures | None = request.app.state.services.event_signatures
        if signatures is None:
            raise ResourceNotFound
        body = await request.body()
        signatures.check(request.headers.get(SIGNATURE_HEADER), request.headers.get(TIMESTAMP_HEADER), body)
        return body


class SignedByPlatform:
    """A call of the platform: its signature under the body stands for a bearer."""

    async def __call__(self, request: Request) -> bytes:
        """The body.

        Raises: ResourceNotFound, while no secret is set; SignatureInvalid, PayloadTooLarge.
        """
        signatures: PlatformSignatures | None = request.app.state.services.platform_signatures
        if signatures is None:
            raise ResourceNotFound
        body = await request.body()
        signatures.check(request.headers.get(PLATFORM_SIGNATURE_HEADER), body)
        return body


MailEvents = Annotated[bytes, Depends(SignedByMailProvider())]
PlatformWebhook = Annotated[bytes, Depends(SignedByPlatform())]
