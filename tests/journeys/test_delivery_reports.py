"""What the mail provider tells later: mails that arrived, and mails that came back."""

import json
import time
from functools import partial
from typing import Any

import pytest

from app.ids import new_id
from tests.journeys.mails import newest, once, reset_mail
from tests.journeys.reading import invitations, wait_for_jobs
from tests.journeys.test_races import at_once
from tests.journeys.test_resending import resend
from tests.support.mail_provider import report
from tests.support.world import Customer, Utility, World


def event(customer: Customer, mail_id: object, kind: str, **more: Any) -> dict[str, Any]:
    """An event as SendGrid writes it."""
    return {
        "email": customer.email,
        "timestamp": int(time.time()),
        "smtp-id": f"<{mail_id}.{customer.utility.organisation}@example.com>",
        "event": kind,
        "sg_event_id": "ZGVsaXZlcmVkLTAtMTIz",
        "sg_message_id": "14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0",
    } | more


def bounce(customer: Customer, mail_id: object, **more: Any) -> dict[str, Any]:
    """The mail came back for good."""
    reason = f"550 5.1.1 The account {customer.email} does not exist"
    return event(customer, mail_id, "bounce", type="bounce", status="5.1.1", reason=reason) | more


def invited(customer: Customer) -> str:
    """The id of an invitation's mail that the mail server has taken."""
    customer.invite()
    return str(once(customer, "successful")["id"])


def accepted(world: World, *events: Any) -> int:
    """How many events of a batch told something."""
    answer = report(world, *events)
    assert answer.status_code == 200, answer.text
    assert set(answer.json()) == {"accepted"}
    return int(answer.json()["accepted"])


def failures(customer: Customer) -> list[dict[str, Any]]:
    """What the log tells of mails that failed."""
    return [entry for entry in customer.activities() if entry["type"] == "PortalCommunicationFailed"]


def test_a_delivered_mail_says_when_it_was_first_told(world: World, customer: Customer) -> None:
    mail = invited(customer)
    delivered = event(customer, mail, "delivered", response="250 OK")
    assert accepted(world, delivered) == 1
    seen = newest(customer)
    assert seen["status"] == "successful"
    assert seen["deliveredDateTime"] > seen["sentDateTime"]
    assert accepted(world, delivered, delivered) == 2
    assert newest(customer) == seen, "a second time changes nothing"
    assert failures(customer) == []


def test_a_mail_that_came_back_has_failed_and_the_card_says_why(world: World, customer: Customer) -> None:
    mail = invited(customer)
    assert accepted(world, bounce(customer, mail)) == 1
    shown_mail = customer.card()["pendingInvitation"]["communication"]
    assert shown_mail["status"] == "failed"
    assert shown_mail["lastError"] == "The mail came back: 550 5.1.1 The account *** does not exist"
    assert shown_mail["sentDateTime"]
    assert invitations(customer)[0]["communication"] == shown_mail
    assert newest(customer)["lastError"] == shown_mail["lastError"]
    [entry] = failures(customer)
    assert (entry["actor"]["type"], entry["actor"]["id"]) == ("system", "mailprovider")
    assert entry["subject"] == {"type": "communication", "id": mail}
    assert entry["payload"] == {"kind": "invitation", "error": shown_mail["lastError"], "attempts": 1}
    assert customer.email not in json.dumps(entry)


def test_a_refusal_of_the_mail_server_and_a_later_return_look_alike_on_the_card(world: World, utility: Utility) -> None:
    refused, returned = utility.customer(), utility.customer()
    world.mailbox.replies[refused.email] = ["554 5.7.1 no such user"]
    refused.invite()
    once(refused, "failed")
    accepted(world, bounce(returned, invited(returned)))
    for customer, words in ((refused, "554 5.7.1 no such user"), (returned, "The mail came back: 550 5.1.1")):
        mail = customer.card()["pendingInvitation"]["communication"]
        assert mail["status"] == "failed"
        assert mail["lastError"].startswith(words)
        assert len(failures(customer)) == 1
    before = newest(refused)
    accepted(world, bounce(refused, before["id"]))
    assert newest(refused) == before, "what had failed already keeps its own reason"
    assert len(failures(refused)) == 1


def test_a_mail_that_came_back_is_sent_again_to_the_right_address(world: World, customer: Customer) -> None:
    mail = invited(customer)
    accepted(world, bounce(customer, mail))
    right = f"right.{customer.number}@example.com"
    customer.save(email=right)
    assert resend(customer, mail).status_code == 201
    token = customer.mail(address=right).token
    assert customer.card()["pendingInvitation"]["communication"]["status"] in ("queued", "sending", "successful")
    assert customer.register(token).status_code == 201


def test_a_dropped_mail_has_failed(world: World, customer: Customer) -> None:
    mail = invited(customer)
    accepted(world, event(customer, mail, "dropped", reason="Bounced Address", status="5.0.0"))
    assert newest(customer)["lastError"] == "The mail provider did not send the mail: Bounced Address"
    other = invited(customer)
    accepted(world, event(customer, other, "dropped"))
    assert newest(customer)["lastError"] == "The mail provider did not send the mail."


def test_a_confirmation_that_came_back_stands_on_the_card(world: World, customer: Customer) -> None:
    customer.registered()
    mail = once(customer, "successful", "emailconfirmation")["id"]
    accepted(world, bounce(customer, mail))
    assert customer.card()["pendingEmailConfirmation"]["communication"]["status"] == "failed"


def test_the_same_return_twice_is_one_failure(world: World, customer: Customer) -> None:
    mail = invited(customer)
    for _ in range(2):
        accepted(world, bounce(customer, mail), bounce(customer, mail, reason="another word"))
    assert newest(customer)["lastError"].endswith("does not exist")
    assert len(failures(customer)) == 1


def test_a_delivery_told_after_a_return_heals_nothing(world: World, customer: Customer) -> None:
    mail = invited(customer)
    accepted(world, bounce(customer, mail), event(customer, mail, "delivered"))
    accepted(world, event(customer, mail, "delivered"))
    seen = newest(customer)
    assert (seen["status"], seen["deliveredDateTime"]) == ("failed", None)


def test_a_return_after_a_delivery_still_counts(world: World, customer: Customer) -> None:
    mail = invited(customer)
    accepted(world, event(customer, mail, "delivered"), bounce(customer, mail))
    seen = newest(customer)
    assert seen["status"] == "failed"
    assert seen["deliveredDateTime"]


@pytest.mark.parametrize("kind", ["processed", "deferred", "open", "click", "spamreport", "unsubscribe", "brand-new"])
def test_other_events_are_passed_over(world: World, customer: Customer, kind: str) -> None:
    mail = invited(customer)
    before = newest(customer)
    assert accepted(world, event(customer, mail, kind, reason="whatever", status="5.0.0")) == 0
    assert newest(customer) == before


@pytest.mark.parametrize("soft", [{"type": "blocked"}, {"status": "4.2.2"}], ids=str)
def test_a_mail_that_the_provider_gave_up_is_a_failure_for_whatever_reason(
    world: World, customer: Customer, soft: dict[str, str]
) -> None:
    mail = invited(customer)
    assert accepted(world, bounce(customer, mail, **soft)) == 1
    assert newest(customer)["status"] == "failed"


def test_custom_arguments_name_the_mail_too(world: World, customer: Customer) -> None:
    mail = invited(customer)
    ids = {"organisationId": str(customer.utility.organisation), "communicationId": mail}
    named = event(customer, mail, "delivered") | ids
    del named["smtp-id"]
    assert accepted(world, named) == 1
    assert newest(customer)["deliveredDateTime"]


def test_one_odd_event_holds_up_no_other(world: World, customer: Customer) -> None:
    mail = invited(customer)
    odd: list[Any] = [
        None,
        7,
        "noise",
        [],
        {},
        {"event": "delivered"},
        {"event": ["delivered"], "smtp-id": f"<{mail}.{customer.utility.organisation}@example.com>"},
        event(customer, "noise", "delivered"),
        event(customer, mail, "delivered") | {"smtp-id": 7},
        event(customer, mail, "delivered") | {"smtp-id": "<14c5d75ce93.dfd.64b469@ismtpd-555>"},
        {"event": "delivered", "organisationId": 7, "communicationId": mail},
        bounce(customer, new_id()),
        bounce(customer, mail, reason="\x00 half \ud83d of a pair, see https://evil.example/#token=abc", status=None),
    ]
    assert accepted(world, *odd) == 2
    seen = newest(customer)
    assert seen["status"] == "failed"
    assert seen["lastError"] == "The mail came back: half ? of a pair, see …"


def test_a_long_reason_is_kept_short_and_names_nobody(world: World, customer: Customer) -> None:
    mail = invited(customer)
    accepted(world, bounce(customer, mail, reason=f"550 <{customer.email}> " + "no such user " * 40_000))
    error = newest(customer)["lastError"]
    assert len(error) <= 300
    assert customer.email not in error


def test_a_batch_may_concern_several_organisations_and_unknown_ones(world: World) -> None:
    first, second = (world.utility().customer() for _ in range(2))
    stranger = new_id()
    mails = [invited(first), invited(second)]
    assert (
        accepted(
            world,
            bounce(first, mails[0]),
            event(second, mails[1], "delivered"),
            event(first, mails[0], "delivered") | {"smtp-id": f"<{mails[0]}.{stranger}@example.com>"},
            event(first, mails[1], "delivered"),
        )
        == 4
    )
    assert newest(first)["status"] == "failed"
    assert newest(first)["deliveredDateTime"] is None
    assert newest(second)["deliveredDateTime"]


def test_a_mail_to_several_customers_fails_for_all_of_them(world: World, utility: Utility) -> None:
    address = f"family.{new_id()}@example.com"
    jan, eva = (utility.customer(email=address).active() for _ in range(2))
    shared = reset_mail(jan, eva)
    accepted(world, bounce(jan, shared))
    assert [newest(one, "passwordreset")["status"] for one in (jan, eva)] == ["failed", "failed"]
    assert [len(failures(one)) for one in (jan, eva)] == [1, 1]


def test_a_return_ends_a_mail_that_was_about_to_be_tried_again(world: World, utility: Utility) -> None:
    customer = utility.customer()
    world.mailbox.replies[customer.email] = ["452 4.2.2 mailbox full"]
    customer.invite()
    waiting = once(customer, "queued", seen=lambda mail: bool(mail["lastError"]))
    accepted(world, bounce(customer, waiting["id"]))
    wait_for_jobs(utility)
    seen = newest(customer)
    assert seen["status"] == "failed"
    assert seen["lastError"].startswith("The mail came back")
    assert len(failures(customer)) == 1
    assert world.mailbox.to(customer.email) == []


def test_a_mail_that_was_skipped_stays_so(world: World, utility: Utility) -> None:
    utility.change_settings(communicationEnabled=False)
    customer = utility.customer()
    assert customer.register(customer.invited()).status_code == 201
    skipped = once(customer, "skipped", "emailconfirmation")
    accepted(world, bounce(customer, skipped["id"]))
    assert newest(customer, "emailconfirmation") == skipped


def test_the_same_batches_at_once_have_one_outcome(world: World, utility: Utility) -> None:
    customers = [utility.customer() for _ in range(6)]
    mails = [invited(customer) for customer in customers]
    events = [bounce(customer, mail) for customer, mail in zip(customers, mails, strict=True)]
    answers = at_once([partial(report, world, *(events if odd % 2 else events[::-1])) for odd in range(8)])
    assert [answer.status_code for answer in answers] == [200] * 8
    assert [len(failures(customer)) for customer in customers] == [1] * 6
