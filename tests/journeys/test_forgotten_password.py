"""A forgotten password: whoever has an account gets a mail, and nobody learns who that is."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest

from app.domain.callers import Seen
from app.ids import new_id
from app.main import Parts, running
from app.repositories.unit_of_work import Transactions
from tests.journeys.reading import links_to, newest_mail, refusal, wait_for_jobs
from tests.support.mail import Mail
from tests.support.world import NEW_PASSWORD, Customer, Utility


def forget(utility: Utility, address: Any) -> bytes:
    """The portal's "Forgot password"; its answer."""
    answer = utility.portal.post("/portal/password-resets", {"email": address})
    assert answer.status_code == 202, answer.text
    return answer.content


def resets_to(utility: Utility, address: str) -> list[Mail]:
    """All reset mails that the address has got, once there is nothing left to do."""
    wait_for_jobs(utility)
    return [mail for mail in utility.world.mailbox.to(address) if "/reset-password#token=" in mail.text]


def with_one_address(utility: Utility, count: int) -> list[Customer]:
    """Customers with a confirmed account each, all of the first one's address."""
    first = utility.customer().active()
    more = [utility.customer() for _ in range(count - 1)]
    for customer in more:
        answer = customer.register(customer.invited(), email=first.email)
        assert answer.status_code == 201, answer.text
        before = len(links_to(utility, first.email, "confirm-email"))
        wait_for_jobs(utility)
        tokens = links_to(utility, first.email, "confirm-email")[before - 1 :]
        assert customer.confirm(tokens[-1]).status_code == 200
    return [first, *more]


def doing(utility: Utility, work: Callable[[Parts], Awaitable[object]]) -> None:
    """Do something with the parts of the service, as a worker does."""

    async def whole() -> None:
        async with running(utility.world.settings) as parts:
            await work(parts)

    asyncio.run(whole())


# --- one account -----------------------------------------------------------------------------------------------


def test_a_customer_forgets_the_password_and_chooses_another(active: Customer) -> None:
    assert forget(active.utility, active.email.upper()) == b'{"accepted":true}'
    token = newest_mail(active.utility, active.email, "reset-password").token
    assert active.choose_password(token).status_code == 200
    assert active.log_in(password=NEW_PASSWORD).status_code == 201
    assert active.log()[-4:] == [
        "PortalPasswordResetRequested",
        "PortalPasswordResetSent",
        "PortalPasswordResetCompleted",
        "PortalLoginSucceeded",
    ]
    requested = next(one for one in active.activities() if one["type"] == "PortalPasswordResetRequested")
    assert requested["actor"] == {"type": "customer", "id": str(active.id), "name": "Jan Peeters"}
    assert active.email not in str(active.activities())


def test_the_mail_is_one_that_was_asked_for(active: Customer) -> None:
    active.utility.change_settings(communicationEnabled=False)
    forget(active.utility, active.email)
    assert newest_mail(active.utility, active.email, "reset-password").tokens
    assert active.card()["pendingPasswordReset"]["createdBy"]["type"] == "customer"


def test_whoever_has_no_confirmed_account_gets_nothing_and_the_same_answer(utility: Utility) -> None:
    invited, unconfirmed, known = utility.customer(), utility.customer(), utility.customer().active()
    invited.invite()
    unconfirmed.registered()
    unknown = f"nobody.{invited.number}@example.com"
    addresses = [invited.email, unconfirmed.email, unknown, known.email]
    assert len({forget(utility, address) for address in addresses}) == 1
    assert [len(resets_to(utility, address)) for address in addresses] == [0, 0, 0, 1]
    for customer in (invited, unconfirmed):
        assert not [kind for kind in customer.log() if "PasswordReset" in kind]


@pytest.mark.parametrize("settings", [{"portalEnabled": False}, {"portalUrl": None}])
def test_without_a_portal_nothing_is_sent_and_nobody_is_told(settings: dict[str, Any], active: Customer) -> None:
    active.utility.change_settings(**settings)
    assert forget(active.utility, active.email) == forget(active.utility, "nobody@example.com")
    assert resets_to(active.utility, active.email) == []


def test_another_utilitys_account_is_not_mailed(active: Customer) -> None:
    stranger = active.utility.world.utility()
    forget(stranger, active.email)
    wait_for_jobs(stranger)
    assert resets_to(active.utility, active.email) == []
    assert "PortalPasswordResetRequested" not in active.log()


def test_five_mails_an_hour_are_enough_and_nobody_is_told(active: Customer) -> None:
    assert len({forget(active.utility, active.email) for _ in range(8)}) == 1
    assert len(resets_to(active.utility, active.email)) <= 5, "of links that follow each other fast the last is mailed"
    assert active.log().count("PortalPasswordResetSent") == 5
    assert active.log().count("PortalPasswordResetRequested") == 5
    last = resets_to(active.utility, active.email)[-1].token
    assert active.send_reset().status_code == 201, "an employee still can"
    assert refusal(active.choose_password(last)) == (410, "TOKEN_SUPERSEDED")
    active.utility.world.sql.run(
        "UPDATE tokens SET created_at = created_at - interval '61 minutes' WHERE customer_id = $1", active.id
    )
    forget(active.utility, active.email)
    wait_for_jobs(active.utility)
    assert active.log().count("PortalPasswordResetRequested") == 6


def test_what_employees_send_does_not_count_against_the_customer(active: Customer) -> None:
    for _ in range(6):
        active.send_reset()
    forget(active.utility, active.email)
    wait_for_jobs(active.utility)
    assert active.log().count("PortalPasswordResetRequested") == 1


# --- the mail goes to the stored address -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "{email},thief@example.net",
        "{email};thief@example.net",
        "{email} thief@example.net",
        "{email}\r\nBcc: thief@example.net",
        "{email}\nthief@example.net",
        "Jan <{email}>",
        "{email}\u0000",
        ["{email}", "thief@example.net"],
        {"email": "{email}"},
        None,
        7,
    ],
)
def test_what_is_not_exactly_one_address_is_refused(address: Any, active: Customer) -> None:
    given = address
    if isinstance(address, str):
        given = address.replace("{email}", active.email)
    elif isinstance(address, list):
        given = [one.replace("{email}", active.email) for one in address]
    answer = active.utility.portal.post("/portal/password-resets", {"email": given})
    assert answer.status_code == 422
    wait_for_jobs(active.utility)
    assert "PortalPasswordResetRequested" not in active.log()


def test_a_repeated_key_is_refused(active: Customer) -> None:
    body = f'{{"email": "{active.email}", "email": "thief@example.net"}}'
    answer = active.utility.world.http.post(
        f"{active.utility.world.url}/api/portal/v1/portal/password-resets",
        content=body,
        headers=active.utility.headers | {"Content-Type": "application/json"},
    )
    assert refusal(answer) == (422, "VALIDATION_FAILED")


@pytest.mark.parametrize("similar", ["J\u0430n", "\uff4aan", "Jan\u200b", "\u0130an", "jan+tag"])
def test_an_address_that_only_looks_alike_is_another_one(similar: str, active: Customer) -> None:
    address = active.email.replace("jan", similar, 1)
    assert active.utility.portal.post("/portal/password-resets", {"email": address}).status_code in (202, 422)
    wait_for_jobs(active.utility)
    assert "PortalPasswordResetRequested" not in active.log()


def test_the_mail_goes_to_the_address_as_it_is_stored(active: Customer) -> None:
    forget(active.utility, active.email.upper())
    [mail] = resets_to(active.utility, active.email)
    assert mail.to == active.email
    assert str(mail.message["To"]) == active.email


# --- several accounts of one address ---------------------------------------------------------------------------


def test_several_accounts_of_one_address_get_one_mail_with_a_link_for_each(utility: Utility) -> None:
    one, other = with_one_address(utility, 2)
    neighbour = utility.customer().active()
    assert other.log_in(email=one.email, customerNumber=other.number).status_code == 201
    forget(utility, one.email)
    [mail] = resets_to(utility, one.email)
    assert mail.text.index(other.number) < mail.text.index(one.number), "the most recently active first"
    latest, older = mail.tokens
    assert other.choose_password(latest).status_code == 200
    assert other.log_in(email=one.email, customerNumber=other.number, password=NEW_PASSWORD).status_code == 201
    assert one.log_in(customerNumber=one.number).status_code == 201, "the other account keeps its password"
    assert one.choose_password(older, password="ten warm windmills").status_code == 200
    assert one.log_in(customerNumber=one.number, password="ten warm windmills").status_code == 201
    for customer in (one, other):
        assert customer.number in mail.html
        assert customer.log().count("PortalPasswordResetRequested") == 1
        assert customer.log().count("PortalPasswordResetSent") == 1
    assert resets_to(utility, neighbour.email) == []


def test_every_customer_of_the_mail_learns_that_it_was_sent(utility: Utility) -> None:
    customers = with_one_address(utility, 3)
    forget(utility, customers[0].email)
    wait_for_jobs(utility)
    mails = {customer.card()["pendingPasswordReset"]["communication"]["id"] for customer in customers}
    assert len(mails) == 1
    for customer in customers:
        about = [
            entry["customerId"]
            for entry in customer.activities()
            if entry["type"] == "PortalCommunicationSent" and entry["subject"]["id"] in mails
        ]
        assert about == [str(customer.id)]
        assert customer.card()["pendingPasswordReset"]["communication"]["status"] == "successful"


def test_every_customer_of_the_mail_learns_that_it_failed(utility: Utility) -> None:
    customers = with_one_address(utility, 2)
    utility.world.mailbox.replies[customers[0].email] = ["550 5.1.1 no such mailbox"]
    forget(utility, customers[0].email)
    wait_for_jobs(utility)
    for customer in customers:
        failed = [entry for entry in customer.activities() if entry["type"] == "PortalCommunicationFailed"]
        assert [entry["payload"]["kind"] for entry in failed] == ["passwordreset"]


def test_an_account_that_has_had_enough_is_left_out_of_the_mail(utility: Utility) -> None:
    one, other = with_one_address(utility, 2)
    for _ in range(5):
        forget(utility, one.email)
    wait_for_jobs(utility)
    utility.world.sql.run(
        "UPDATE tokens SET created_at = created_at - interval '61 minutes' WHERE customer_id = $1", other.id
    )
    before = len(resets_to(utility, one.email))
    forget(utility, one.email)
    mail = resets_to(utility, one.email)[before]
    assert len(mail.tokens) == 1
    assert other.choose_password(mail.token).status_code == 200


def test_a_link_that_died_before_the_mail_went_is_left_out(utility: Utility) -> None:
    one, other = with_one_address(utility, 2)
    forget(utility, one.email)
    [whole] = resets_to(utility, one.email)
    mail_id = UUID(other.card()["pendingPasswordReset"]["communication"]["id"])
    assert one.send_reset().status_code == 201
    wait_for_jobs(utility)
    utility.world.sql.run("UPDATE communications SET status = 'queued' WHERE id = $1", mail_id)

    async def deliver(parts: Parts) -> None:
        async with Transactions(parts.database)(utility.organisation) as uow:
            uow.jobs.deliver_mail(mail_id)

    doing(utility, deliver)
    again = resets_to(utility, one.email)[-1]
    assert again.tokens == whole.tokens[:1]
    assert again.message["Message-ID"] == whole.message["Message-ID"]


def test_at_most_ten_accounts_are_mailed(utility: Utility) -> None:
    customers = [utility.customer().active() for _ in range(12)]
    address = customers[0].email
    utility.world.sql.run(
        "UPDATE accounts SET email = $2 WHERE customer_id = ANY($1)", [one.id for one in customers], address
    )
    forget(utility, address)
    [mail] = resets_to(utility, address)
    assert len(mail.tokens) == 10
    for oldest in customers[:2]:
        assert oldest.card()["pendingPasswordReset"] is None


# --- the job, done twice or at once ------------------------------------------------------------------------------


async def _sent_asked(parts: Parts, utility: Utility, request: UUID, address: str) -> None:
    await parts.services.password_resets.send_asked(utility.organisation, request, address, seen=Seen("twice"))


async def _sent_again(parts: Parts, utility: Utility, request: UUID, address: str) -> None:
    await parts.services.email_confirmations.send_again(utility.organisation, request, address, seen=Seen("twice"))


def test_a_job_done_twice_mails_once(utility: Utility) -> None:
    customers = with_one_address(utility, 2)
    request, address = new_id(), customers[0].email

    async def twice(parts: Parts) -> None:
        await _sent_asked(parts, utility, request, address)
        await _sent_asked(parts, utility, request, address)
        await asyncio.gather(*(_sent_asked(parts, utility, request, address) for _ in range(4)))

    doing(utility, twice)
    assert len(resets_to(utility, address)) == 1
    for customer in customers:
        assert customer.log().count("PortalPasswordResetRequested") == 1
        assert customer.log().count("PortalPasswordResetSent") == 1


def test_one_job_done_several_times_at_once_mails_once(utility: Utility) -> None:
    customers = with_one_address(utility, 3)
    request, address = new_id(), customers[0].email
    doing(
        utility,
        lambda parts: asyncio.gather(*(_sent_asked(parts, utility, request, address) for _ in range(8))),
    )
    assert len(resets_to(utility, address)) == 1


def test_many_requests_at_once_keep_the_bounds_and_wait_for_each_other(utility: Utility) -> None:
    customers = with_one_address(utility, 3)
    address = customers[0].email
    doing(
        utility,
        lambda parts: asyncio.gather(*(_sent_asked(parts, utility, new_id(), address) for _ in range(12))),
    )
    wait_for_jobs(utility)
    for customer in customers:
        assert customer.log().count("PortalPasswordResetSent") == 5
        assert customer.log().count("PortalPasswordResetSuperseded") == 4


def test_a_resent_confirmation_done_twice_mails_once(utility: Utility) -> None:
    customers = [utility.customer() for _ in range(2)]
    for customer in customers:
        customer.registered()
    address = customers[0].email
    utility.world.sql.run("UPDATE accounts SET email = $2 WHERE customer_id = $1", customers[1].id, address)
    wait_for_jobs(utility)
    before = len(links_to(utility, address, "confirm-email"))
    request = new_id()

    async def twice(parts: Parts) -> None:
        await _sent_again(parts, utility, request, address)
        await asyncio.gather(*(_sent_again(parts, utility, request, address) for _ in range(4)))

    doing(utility, twice)
    wait_for_jobs(utility)
    assert len(links_to(utility, address, "confirm-email")) - before == 2
    for customer in customers:
        assert customer.log().count("PortalEmailConfirmationSent") == 2
