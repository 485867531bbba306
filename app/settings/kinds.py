"""What a setting's text can be: each kind reads it, and says what is wrong with it."""

from ipaddress import ip_network
from typing import Annotated
from urllib.parse import urlsplit

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, BeforeValidator
from pydantic_settings import NoDecode

from app.event_signatures import public_key
from app.permissions import Role

MINIMUM_SECRET_LENGTH = 32


def _split(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _strong(keys: tuple[str, ...]) -> tuple[str, ...]:
    for key in keys:
        if len(key) < MINIMUM_SECRET_LENGTH or len(set(key)) < 10:
            raise ValueError(f"each key needs {MINIMUM_SECRET_LENGTH} characters or more, made at random")
    return keys


def _networks(networks: tuple[str, ...]) -> tuple[str, ...]:
    for network in networks:
        try:
            ip_network(network, strict=False)
        except ValueError:
            raise ValueError(f"{network!r} is neither an address nor a CIDR such as 10.0.0.0/8") from None
    return networks


def _origins(origins: tuple[str, ...]) -> tuple[str, ...]:
    for origin in origins:
        parts = urlsplit(origin)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path or parts.query:
            raise ValueError(f"{origin!r} is not an origin such as https://portal.example.com")
    return origins


def _named(names: tuple[str, ...]) -> tuple[str, ...]:
    if not names:
        raise ValueError("name at least one claim")
    return names


def _mapped(value: object) -> object:
    if not isinstance(value, str):
        return value
    pairs = [part.rpartition("=") for part in value.split(",") if part.strip()]
    for theirs, _, ours in pairs:
        if not theirs.strip() or ours.strip() not in set(Role):
            raise ValueError("each part is a role of the issuer's and one of ours: Portal.Admin=administrator")
    return tuple((theirs.strip(), Role(ours.strip())) for theirs, _, ours in pairs)


def _email_address(value: str) -> str:
    try:
        return validate_email(value, check_deliverability=False).normalized
    except EmailNotValidError:
        raise ValueError("is not an e-mail address") from None


def _web_address(value: str) -> str:
    if urlsplit(value).scheme not in ("http", "https") or not urlsplit(value).hostname:
        raise ValueError("is not an https URL")
    return value


def _counter_url(value: str) -> str:
    if urlsplit(value).scheme not in ("redis", "rediss", "valkey", "valkeys") or not urlsplit(value).hostname:
        raise ValueError("must be a redis:// or valkey:// address such as redis://host:6379/0")
    return value


def _event_key(value: str) -> str:
    public_key(value)
    return value


def _smtp_url(value: str) -> str:
    if not value.startswith(("smtp://", "smtps://")):
        raise ValueError("must start with smtp:// or smtps://")
    return value


_Texts = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]

SecretKeys = Annotated[_Texts, AfterValidator(_strong)]
Networks = Annotated[_Texts, AfterValidator(_networks)]
Origins = Annotated[_Texts, AfterValidator(_origins)]
ClaimPaths = Annotated[_Texts, AfterValidator(_named)]
RoleMapping = Annotated[tuple[tuple[str, Role], ...], NoDecode, BeforeValidator(_mapped)]
EmailAddress = Annotated[str, AfterValidator(_email_address)]
WebAddress = Annotated[str, AfterValidator(_web_address)]
CounterUrl = Annotated[str, AfterValidator(_counter_url)]
EventKey = Annotated[str, AfterValidator(_event_key)]
SmtpUrl = Annotated[str, AfterValidator(_smtp_url)]
