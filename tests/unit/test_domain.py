"""Small rules: cursors come back as they went, addresses are masked, activities have the contract's names."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.accounts import masked
from app.domain.activities import ActivityType
from app.domain.paging import Cursor, Page
from app.errors import ValidationFailed

_zones = st.sampled_from([UTC, timezone(timedelta(hours=-3)), timezone(timedelta(hours=5, minutes=45))])
_moments = st.integers(0, 4_000_000_000_000_000).flatmap(
    lambda micros: _zones.map(
        lambda zone: (datetime.fromtimestamp(0, UTC) + timedelta(microseconds=micros)).astimezone(zone)
    )
)

# Contract section 7.
_TYPES = """
PortalInvitationSent, PortalInvitationSuperseded, PortalInvitationViewed, PortalInvitationRevoked,
PortalAccountRegistered, PortalRegistrationRefused, PortalEmailConfirmationSent, PortalEmailConfirmed,
PortalPasswordResetSent, PortalPasswordResetRequested, PortalPasswordResetCompleted, PortalTokenRefused,
PortalLoginSucceeded, PortalLoginFailed, PortalLoggedOut, PortalSessionsEnded, PortalAccountReset,
PortalAccountReactivated, PortalEmailChanged, PortalPasswordChanged, PortalImpersonationStarted,
PortalImpersonationRefused, PortalImpersonationRedeemed, PortalImpersonationEnded, PortalDocumentViewed,
PortalCommunicationSent, PortalCommunicationFailed, PortalCommunicationResent, PortalPasswordResetSuperseded,
PortalEmailConfirmationSuperseded, PortalEmailChangeRequested, PortalContactEmailChanged, PortalAccountImported,
PortalAccountRetired, PortalErrorReported, PortalSettingsChanged, PortalInvitationBatchStarted,
PortalInvitationBatchFinished, PortalAccessChanged
"""


@given(_moments, st.uuids())
def test_a_cursor_comes_back_as_it_went(at: datetime, row: UUID) -> None:
    cursor = Cursor(at, row)
    text = cursor.encode()
    assert Cursor.decode(text) == cursor
    assert len(text) <= 200
    assert text.isascii()
    assert not set(text) & set("=+/ ")


@given(st.text(max_size=120))
def test_noise_is_no_cursor(noise: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        Cursor.decode(noise)
    assert [error.field for error in refused.value.errors] == ["continuationToken"]


@pytest.mark.parametrize(("rows", "more"), [(0, False), (2, False), (3, False), (4, True)])
def test_one_row_too_many_tells_that_there_is_more(rows: int, more: bool) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    page = Page.of(list(range(rows)), 3, lambda row: Cursor(at, UUID(int=row)))
    assert list(page.results) == list(range(min(rows, 3)))
    assert (page.next == Cursor(at, UUID(int=2))) if more else page.next is None


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("jan@example.com", "j***@example.com"),
        ("j@example.com", "j***@example.com"),
        ("Jan.Peeters+portal@mail.example.com", "J***@mail.example.com"),
        ('"a@b"@example.com', '"***@example.com'),
    ],
)
def test_an_address_is_masked_but_its_owner_knows_it(address: str, shown: str) -> None:
    assert masked(address) == shown


@given(st.text("abcdefghijklmnopqrstuvwxyz.", min_size=2, max_size=60))
def test_the_length_of_an_address_is_masked_too(local: str) -> None:
    assert masked(f"{local}@example.com") == f"{local[0]}***@example.com"


def test_activities_have_the_contracts_names() -> None:
    assert {kind.value for kind in ActivityType} == set(_TYPES.replace(",", " ").split())
