"""The mails to a customer, as employees see them."""

from typing import Any

from app.ids import new_id
from tests.journeys.mails import mails_of, newest, once, reset_mail
from tests.journeys.reading import refusal, wait_for_jobs
from tests.support.world import Customer, Utility


def test_a_mail_is_listed_with_its_delivery_and_its_link(customer: Customer) -> None:
    invitation = customer.invite()
    mail = once(customer, "successful")
    assert mail == {
        "id": invitation["communication"]["id"],
        "kind": "invitation",
        "email": customer.email,
        "language": "en-GB",
        "status": "successful",
        "automatic": False,
        "attempts": 1,
        "lastError": None,
        "createdDateTime": mail["createdDateTime"],
        "createdBy": {"type": "employee", "id": "employee-7", "name": "Eva Maes"},
        "sentDateTime": mail["sentDateTime"],
        "deliveredDateTime": None,
        "resentFrom": None,
        "links": [{"purpose": "invitation", "id": invitation["id"], "state": "pending"}],
    }
    assert mail["sentDateTime"] > mail["createdDateTime"]
    assert mails_of(customer) == [mail]


def test_mails_tell_what_became_of_their_links(customer: Customer) -> None:
    customer.invited()
    customer.active()
    kinds = [
        (mail["kind"], mail["automatic"], [link["state"] for link in mail["links"]]) for mail in mails_of(customer)
    ]
    assert kinds == [
        ("emailconfirmation", True, ["used"]),
        ("invitation", False, ["used"]),
        ("invitation", False, ["superseded"]),
    ]
    assert newest(customer, "emailconfirmation")["createdBy"] == {
        "type": "customer",
        "id": str(customer.id),
        "name": "Jan Peeters",
    }


def test_a_mail_without_a_link_is_listed_too(utility: Utility) -> None:
    utility.change_settings(confirmOnInvitation=True)
    customer = utility.customer()
    assert customer.register(customer.invited()).status_code == 201
    notice = once(customer, "successful", "accountmade")
    assert (notice["automatic"], notice["links"]) == (True, [])


def test_no_mails_is_an_empty_list(customer: Customer) -> None:
    assert mails_of(customer) == []


def _walk(customer: Customer, size: int) -> list[list[str]]:
    pages: list[list[str]] = []
    given: dict[str, Any] = {"pageSize": size}
    while True:
        answer = customer.utility.employee().get(f"{customer.path}/communications", params=given)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        pages.append([mail["id"] for mail in page["results"]])
        if not page["hasNextPage"]:
            return pages
        given["continuationToken"] = page["nextPageToken"]


def test_pages_follow_each_other_newest_first(customer: Customer) -> None:
    sent = [customer.invite()["communication"]["id"] for _ in range(5)]
    newest_first = sent[::-1]
    assert _walk(customer, 2) == [newest_first[:2], newest_first[2:4], newest_first[4:]]
    assert _walk(customer, 5) == [newest_first]


def test_one_mail_to_several_customers_stands_in_the_list_of_each_with_their_own_link(utility: Utility) -> None:
    address = f"family.{new_id()}@example.com"
    jan, eva, other = (utility.customer(email=address).active() for _ in range(3))
    shared = reset_mail(jan, eva)
    for customer in (jan, eva):
        mail = newest(customer, "passwordreset")
        assert mail["id"] == shared
        [link] = mail["links"]
        assert (link["purpose"], link["state"]) == ("passwordreset", "expired")
    assert newest(jan, "passwordreset")["links"] != newest(eva, "passwordreset")["links"]
    assert all(mail["id"] != shared for mail in mails_of(other))


def test_a_shared_mail_has_its_place_in_the_pages(utility: Utility) -> None:
    address = f"family.{new_id()}@example.com"
    jan, eva = (utility.customer(email=address).active() for _ in range(2))
    shared = [reset_mail(jan, eva) for _ in range(3)]
    listed = [mail["id"] for mail in mails_of(eva)]
    assert len(listed) == 5
    assert listed[2:] == shared[::-1], "they are two hours older than the others"
    for size in (1, 2, 3):
        assert [one for page in _walk(eva, size) for one in page] == listed


def test_an_unknown_or_foreign_customer_has_no_mails_here(utility: Utility) -> None:
    foreign = utility.world.utility().customer()
    foreign.invite()
    for customer_id in (foreign.id, new_id()):
        answer = utility.employee().get(f"/customers/{customer_id}/portal/communications")
        assert refusal(answer) == (404, "CUSTOMER_DOES_NOT_EXIST")


def test_automatic_mails_are_skipped_when_the_organisation_sends_none(utility: Utility) -> None:
    utility.change_settings(communicationEnabled=False)
    customer = utility.customer()
    assert customer.register(customer.invited()).status_code == 201
    skipped = once(customer, "skipped", "emailconfirmation")
    assert skipped["lastError"] == "Automatic communication is switched off."
    assert (skipped["automatic"], skipped["attempts"], skipped["sentDateTime"]) == (True, 1, None)
    assert utility.employee().post(f"{customer.path}/email-confirmations").status_code == 201
    asked_for = once(customer, "successful", "emailconfirmation")
    assert asked_for["automatic"] is False


def test_automatic_notices_are_skipped_too(utility: Utility) -> None:
    utility.change_settings(communicationEnabled=False, confirmOnInvitation=True)
    customer = utility.customer()
    assert customer.register(customer.invited()).status_code == 201
    assert once(customer, "skipped", "accountmade")["automatic"] is True
    wait_for_jobs(utility)
    assert len(utility.world.mailbox.to(customer.email)) == 1


def test_a_sandbox_gets_notices_and_the_list_names_whom_they_were_for(utility: Utility) -> None:
    sandbox = f"sandbox.{new_id()}@example.com"
    utility.change_settings(sandboxRecipient=sandbox, confirmOnInvitation=True)
    customer = utility.customer()
    customer.invite()
    assert customer.register(customer.mail(address=sandbox).token).status_code == 201
    assert once(customer, "successful", "accountmade")["email"] == customer.email
    assert len(utility.world.mailbox.to(sandbox)) == 2
    assert utility.world.mailbox.to(customer.email) == []
