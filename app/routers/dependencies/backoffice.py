"""Calls of employees and applications."""

import hashlib
import hmac
from contextlib import suppress
from typing import Any
from uuid import UUID

from fastapi import Request
from pydantic import BaseModel

from app.domain.callers import Bearer, Call, Caller
from app.domain.idempotency import Answer, Once
from app.errors import CustomerDoesNotExist, FieldError, PermissionInvalid, ValidationFailed
from app.permissions import Permission
from app.routers.dependencies.calls import bearer_of, organisation_header, seen_of_call
from app.routers.dependencies.services import Services
from app.throttles import Throttled

LONGEST_IDEMPOTENCY_KEY = 255


class BackOffice:
    """A call of an employee or application that has the permission.

    `answer` and `status` say how the operation answers; with them it takes an Idempotency-Key. `counted` limits how
    often one caller may call.
    """

    otherwise = ""  # what admits a caller without it, for the document
    headers_optional = False  # whether the bearer may say which organisation it works in

    def __init__(
        self,
        permission: Permission,
        *,
        answer: type[BaseModel] | None = None,
        status: int = 200,
        counted: bool = True,
    ) -> None:
        self.permission = permission
        self.answer = answer
        self.status = status
        self.counted = counted

    async def __call__(self, request: Request) -> Call:
        """Raises: Unauthenticated, OrganisationHeaderInvalid, TooManyRequests, PermissionInvalid, ValidationFailed."""
        wired: Services = request.app.state.services
        bearer = await wired.access.bearer(bearer_of(request))
        tenant_id, organisation_id = self.place(request, bearer)
        if self.counted:
            await wired.throttles.hit(Throttled.BACK_OFFICE, organisation_id, bearer.actor.type, bearer.actor.id)
        caller = await wired.access.caller(bearer, tenant_id, organisation_id)
        await self.admit(request, caller)
        once = await self._once(request, caller, wired.idempotency_secret) if self.answer else None
        return Call(caller, seen_of_call(request), once)

    def place(self, request: Request, _bearer: Bearer) -> tuple[UUID, UUID]:
        """The tenant and the organisation that the call works in.

        Raises: OrganisationHeaderInvalid.
        """
        return organisation_header(request, "zf-tuuid"), organisation_header(request, "zf-ouuid")

    async def admit(self, _request: Request, caller: Caller) -> None:
        """Raises: PermissionInvalid."""
        caller.require(self.permission)

    async def _once(self, request: Request, caller: Caller, secret: bytes) -> Once | None:
        key = request.headers.get("idempotency-key")
        if key is None:
            return None
        if not 1 <= len(key) <= LONGEST_IDEMPOTENCY_KEY:
            message = f"1 to {LONGEST_IDEMPOTENCY_KEY} characters"
            raise ValidationFailed(errors=[FieldError("Idempotency-Key", "VALIDATION_FAILED", message)])
        scope = f"{caller.organisation_id}\n{caller.actor.type.value}\n{caller.actor.id}\n{key}"
        place = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        what = f"{request.method}\n{place}\n".encode() + await request.body()
        return Once(
            key_digest=hmac.digest(secret, scope.encode(), hashlib.sha256),
            request_digest=hmac.digest(secret, what, hashlib.sha256),
            render=self._render,
        )

    def _render(self, result: Any) -> Answer:
        schema: Any = self.answer
        return Answer(self.status, schema.of(result).model_dump_json(by_alias=True))


class StartingImpersonation(BackOffice):
    """A call that logs in as a customer. Who tries without the permission is remembered in the customer's log."""

    customer_parameter = "customerId"  # of the path

    async def admit(self, request: Request, caller: Caller) -> None:
        """Remember a refusal, if there is such a customer.

        Raises: PermissionInvalid.
        """
        if not caller.may(self.permission):
            wired: Services = request.app.state.services
            with suppress(ValueError, CustomerDoesNotExist):
                customer_id = UUID(request.path_params[self.customer_parameter])
                call = Call(caller, seen_of_call(request))
                await wired.impersonations.remember_refusal(customer_id, PermissionInvalid(), call=call)
        caller.require(self.permission)


class EndingImpersonation(BackOffice):
    """A call that ends an impersonation. Who started it needs no permission any more, which the service judges."""

    otherwise = ", or to have started it"

    async def admit(self, _request: Request, _caller: Caller) -> None:
        """Whoever works in the organisation may have started it."""
