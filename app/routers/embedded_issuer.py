"""What the embedded issuer publishes: where its keys are, and the keys. With a real issuer there is none of it."""

from typing import Any

from fastapi import APIRouter, FastAPI, Request

from app.bearers import ALGORITHM, EmbeddedIssuer

_DISCOVERY = "/.well-known/openid-configuration"
_KEYS = "/.well-known/jwks.json"

router = APIRouter(include_in_schema=False)


def add_embedded_issuer(app: FastAPI, issuer: EmbeddedIssuer) -> None:
    """Publish the issuer's keys, so that other services can believe its tokens too."""
    app.state.embedded_issuer = issuer
    app.include_router(router)


@router.get(_DISCOVERY, operation_id="getIssuer")
async def get_issuer(request: Request) -> dict[str, Any]:
    """OpenID Connect Discovery, as far as there is something to discover: tokens come from the command line."""
    issuer: EmbeddedIssuer = request.app.state.embedded_issuer
    return {
        "issuer": issuer.name,
        "jwks_uri": f"{issuer.name.rstrip('/')}{_KEYS}",
        "response_types_supported": [],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [ALGORITHM],
    }


@router.get(_KEYS, operation_id="getIssuerKeys")
async def get_issuer_keys(request: Request) -> dict[str, Any]:
    """The public keys, the signing one first."""
    issuer: EmbeddedIssuer = request.app.state.embedded_issuer
    return dict(issuer.keys.as_dict(private=False))
