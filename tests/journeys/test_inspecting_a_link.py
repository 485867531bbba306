"""Looking at a link spends nothing, so mail scanners may."""

from datetime import timedelta

import pytest

from tests.journeys.reading import expires_in, inspect, invitations, refusal
from tests.support.world import Customer


def test_an_invitation_tells_what_it_is_for(customer: Customer) -> None:
    token = customer.invited()
    answer = inspect(customer.utility, token)
    assert answer.status_code == 200
    assert answer.json() == {
        "purpose": "invitation",
        "state": "pending",
        "email": "j***@example.com",
        "expiresDateTime": invitations(customer)[0]["expiresDateTime"],
        "accountNumberRequired": True,
    }


def test_a_confirmation_needs_no_customer_number(customer: Customer) -> None:
    looked_at = inspect(customer.utility, customer.registered()).json()
    assert looked_at["purpose"] == "emailconfirmation"
    assert looked_at["state"] == "pending"
    assert looked_at["accountNumberRequired"] is False


def test_looking_changes_nothing_but_when_it_was_viewed(customer: Customer) -> None:
    token = customer.invited()
    [before] = invitations(customer)
    inspect(customer.utility, token)
    [after] = invitations(customer)
    assert after["viewedDateTime"] is not None
    assert after | {"viewedDateTime": None, "communication": None} == before | {"communication": None}


def test_the_first_look_is_remembered_once(customer: Customer) -> None:
    token = customer.invited()
    first = inspect(customer.utility, token)
    viewed = invitations(customer)[0]["viewedDateTime"]
    for _ in range(3):
        assert inspect(customer.utility, token).content == first.content
    assert invitations(customer)[0]["viewedDateTime"] == viewed
    assert customer.log() == ["PortalInvitationSent", "PortalInvitationViewed"]
    assert customer.register(token).status_code == 201


def test_looking_at_a_confirmation_confirms_nothing(customer: Customer) -> None:
    token = customer.registered()
    log = customer.log()
    inspect(customer.utility, token)
    card = customer.card()
    assert card["portalStatus"] == "notconfirmed"
    assert card["pendingEmailConfirmation"]["viewedDateTime"] is not None
    assert customer.log() == log
    assert customer.confirm(token).status_code == 200


def test_a_dead_link_tells_its_state_and_leaves_no_trace(customer: Customer) -> None:
    first, second = customer.invited(), customer.invited()
    assert inspect(customer.utility, first).json()["state"] == "superseded"
    expires_in(customer.utility, invitations(customer)[0]["id"], timedelta(seconds=-1))
    assert inspect(customer.utility, second).json()["state"] == "expired"
    third = customer.invited()
    pending = invitations(customer)[0]["id"]
    customer.utility.employee().post(f"{customer.path}/invitations/{pending}/revoke")
    assert inspect(customer.utility, third).json()["state"] == "revoked"
    last = customer.invited()
    customer.register(last)
    assert inspect(customer.utility, last).json()["state"] == "used"
    assert [one["viewedDateTime"] for one in invitations(customer)] == [None] * 4
    assert not {"PortalTokenRefused", "PortalInvitationViewed"} & set(customer.log())


def test_another_organisation_learns_nothing(customer: Customer) -> None:
    stranger = customer.utility.world.utility()
    assert refusal(inspect(stranger, customer.invited())) == (400, "TOKEN_INVALID")
    assert invitations(customer)[0]["viewedDateTime"] is None


@pytest.mark.parametrize("page", ["registrations", "email-confirmations", "tokens/inspect"])
def test_neither_a_browsers_get_nor_a_scanners_form_spends_anything(page: str, customer: Customer) -> None:
    token = customer.invited()
    world, utility = customer.utility.world, customer.utility
    url = f"{world.url}/api/portal/v1/portal/{page}"
    for method in ("GET", "HEAD"):
        assert world.http.request(method, url, headers=utility.headers).status_code == 405
    form = {"token": token, "customerNumber": customer.number, "password": "seven warm radiators"}
    assert 400 <= world.http.post(url, data=form, headers=utility.headers).status_code < 500
    assert customer.log() == ["PortalInvitationSent"]
    assert customer.register(token).status_code == 201
