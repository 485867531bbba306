"""A forged link gets one answer, whatever is wrong with it, and leaves no trace."""

from uuid import UUID

import httpx
import pytest

from app.ids import new_id
from app.tokens import Purpose, TokenSigner
from tests.journeys.reading import inspect, invitations, refusal, without_identity
from tests.support.service import SECRET
from tests.support.world import Client, Customer, Utility

NOISE = "no link at all"
OTHER_KEY = "another-secret-of-the-tests-9876543210-zyxwvuts"


def changed(token: str, position: int) -> str:
    """The token with another character in this place."""
    return token[:position] + ("A" if token[position] != "A" else "B") + token[position + 1 :]


def forgeries(token: str) -> list[str]:
    """What someone might make of a genuine token."""
    last = len(token) - 1
    dot = token.index(".")
    positions = [0, 1, 2, 7, 20, 40, dot - 1, dot, dot + 1, 60, 75, 90, last - 1, last]
    content, signature = token.split(".")
    return [
        *(changed(token, position) for position in positions),
        *(token[:length] for length in (1, dot, dot + 1, last)),
        *(f"{token}{more}" for more in ("=", "A", ".", " ", "\n", "%3D", "é")),
        f" {token}",
        f".{signature}",
        f"{signature}.{content}",
        f"{content}.{content}.{signature}",
        token.swapcase(),
        token.replace(".", "\u2024"),
        "x" * 104,
        "🔗" * 26,
        "null",
        "' OR 1=1 --",
    ]


def everywhere(utility: Utility, token: str) -> list[httpx.Response]:
    """Every page that takes a link."""
    portal: Client = utility.portal
    registration = {"token": token, "customerNumber": "1", "password": "seven warm radiators"}
    return [
        portal.post("/portal/registrations", registration),
        portal.post("/portal/email-confirmations", {"token": token}),
        inspect(utility, token),
    ]


def signed(purpose: Purpose, utility: Utility, token_id: UUID, key: str = SECRET) -> str:
    """A token made with a key that someone knows."""
    return TokenSigner([key]).sign(purpose, utility.organisation, token_id)


def noise(utility: Utility) -> bytes:
    """The answer to what never was a link."""
    answers = everywhere(utility, NOISE)
    assert {refusal(answer) for answer in answers} == {(400, "TOKEN_INVALID")}
    bodies = {without_identity(answer) for answer in answers}
    assert len(bodies) == 1
    return bodies.pop()


def assert_noise(utility: Utility, answers: list[httpx.Response]) -> None:
    """Each answer is that to noise, byte for byte."""
    expected = noise(utility)
    for answer in answers:
        assert without_identity(answer) == expected, answer.text


def test_any_changed_character_makes_noise_of_an_invitation(customer: Customer) -> None:
    token = customer.invited()
    for forged in forgeries(token):
        assert_noise(customer.utility, everywhere(customer.utility, forged))
    assert customer.log() == ["PortalInvitationSent"]
    assert customer.register(token).status_code == 201


def test_any_changed_character_makes_noise_of_a_confirmation(customer: Customer) -> None:
    token = customer.registered()
    log = customer.log()
    for forged in forgeries(token):
        assert_noise(customer.utility, everywhere(customer.utility, forged))
    assert customer.log() == log
    assert customer.confirm(token).status_code == 200


@pytest.mark.parametrize("token", ["", " ", "x" * 513, "x" * 60_000])
def test_nothing_and_too_much_are_noise_too(token: str, utility: Utility) -> None:
    assert_noise(utility, everywhere(utility, token))


@pytest.mark.asvs("9.2.2")
def test_a_link_is_noise_for_every_other_purpose(customer: Customer) -> None:
    invitation = customer.invited()
    assert_noise(customer.utility, [customer.confirm(invitation)])
    assert customer.register(invitation).status_code == 201
    confirmation = customer.mail(2).token
    log = customer.log()
    assert_noise(customer.utility, [customer.register(confirmation)])
    for purpose in Purpose:
        row = UUID(invitations(customer)[0]["id"])
        if purpose is not Purpose.INVITATION:
            assert_noise(customer.utility, everywhere(customer.utility, signed(purpose, customer.utility, row)))
    assert customer.log() == log


def test_a_link_of_another_key_is_noise(customer: Customer) -> None:
    row = UUID(customer.invite()["id"])
    genuine, forged = (signed(Purpose.INVITATION, customer.utility, row, key) for key in (SECRET, OTHER_KEY))
    assert_noise(customer.utility, everywhere(customer.utility, forged))
    assert genuine == customer.mail().token


@pytest.mark.parametrize("purpose", Purpose)
def test_a_link_to_nothing_is_noise(purpose: Purpose, utility: Utility) -> None:
    assert_noise(utility, everywhere(utility, signed(purpose, utility, new_id())))


def test_a_link_is_noise_for_every_other_organisation(customer: Customer) -> None:
    world = customer.utility.world
    another_tenants, a_sister = world.utility(), Utility(world, customer.utility.tenant, new_id())
    a_sister.change_settings()
    invitation = customer.invited()
    for stranger in (another_tenants, a_sister):
        assert_noise(stranger, everywhere(stranger, invitation))
        forged = signed(Purpose.INVITATION, stranger, UUID(invitations(customer)[0]["id"]))
        assert_noise(stranger, everywhere(stranger, forged))
    assert customer.register(invitation).status_code == 201
    confirmation = customer.mail(2).token
    for stranger in (another_tenants, a_sister):
        assert_noise(stranger, everywhere(stranger, confirmation))
    assert "PortalTokenRefused" not in customer.log()
    assert customer.confirm(confirmation).status_code == 200


def test_a_dead_link_that_is_changed_is_noise_not_dead(customer: Customer) -> None:
    token = customer.invited()
    assert customer.register(token).status_code == 201
    log = customer.log()
    assert_noise(customer.utility, everywhere(customer.utility, changed(token, 30)))
    assert customer.log() == log


def test_headers_of_a_tenant_that_does_not_own_the_organisation_are_refused(customer: Customer) -> None:
    headers = customer.utility.headers | {"zf-tuuid": str(new_id())}
    stranger = Client(customer.utility.world, headers)
    answer = stranger.post("/portal/tokens/inspect", {"token": customer.invited()})
    assert refusal(answer) == (400, "ORGANISATION_HEADER_INVALID")
