"""How the API's document shows the refusals of the platform's existing calls."""

from typing import Any

from app import errors
from app.routers.openapi import CORRELATED, Refusal, concrete, refusals
from app.routers.platform.refusals import STATUS, is_refusal, refused
from app.schemas.platform_answers import Refused


def platform_refusals(*kinds: Refusal) -> dict[int | str, dict[str, Any]]:
    """The responses of an operation that refuses with these errors: those of the deed itself in the envelope."""
    known = [one for kind in (*kinds, errors.ValidationFailed) for one in concrete(kind)]
    found = refusals(errors.OrganisationHeaderInvalid, *(one for one in known if not is_refusal(one)))
    in_envelope = {
        one.key: {"summary": one.title, "value": refused(one, CORRELATED).model_dump(by_alias=True)}
        for one in known
        if is_refusal(one)
    }
    answer = found[STATUS]
    answer["model"] = Refused
    answer["description"] = "Refused; or malformed headers."
    answer["content"]["application/json"] = {"examples": in_envelope}
    return found
