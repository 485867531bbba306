"""Mail servers that say no for good, or once too often: the mail has failed, and employees see it."""

from tests.faults.reading import arrived, mail_activities, mail_of, until
from tests.journeys.reading import wait_for_jobs
from tests.support.world import Utility


def test_a_final_refusal_fails_at_once_and_stands_in_the_log(utility: Utility) -> None:
    customer = utility.customer()
    utility.world.mailbox.replies[customer.email] = [f"550 5.1.1 <{customer.email}> no such user"]
    path, headers = f"{customer.path}/invitations", {"X-Correlation-Id": "card-7"}
    assert utility.employee().post(path, headers=headers).status_code == 201
    failed = until(customer, lambda mail: mail["status"] == "failed")
    assert failed["attempts"] == 1
    assert failed["lastError"].startswith("550 5.1.1")
    assert failed["sentDateTime"] is None
    assert mail_activities(customer) == [("PortalCommunicationFailed", "card-7")]
    [entry] = [one for one in customer.activities() if one["type"] == "PortalCommunicationFailed"]
    assert entry["actor"]["type"] == "system"
    assert entry["subject"] == {"type": "communication", "id": failed["id"]}
    assert customer.email not in str(entry["payload"]) + failed["lastError"]
    assert customer.card()["pendingInvitation"]["communication"] == failed
    assert arrived(customer) == []


def test_a_mail_that_no_try_delivers_has_failed(utility: Utility) -> None:
    customer, neighbour = utility.customer(), utility.customer()
    utility.world.mailbox.replies[customer.email] = ["452 4.2.2 mailbox full"]
    customer.invite()
    neighbour.invite()
    neighbour.mail()
    failed = until(customer, lambda mail: mail["status"] == "failed")
    assert failed["attempts"] == 3
    assert failed["lastError"] == "452 4.2.2 mailbox full"
    assert [kind for kind, _ in mail_activities(customer)] == ["PortalCommunicationFailed"]
    wait_for_jobs(utility)
    assert mail_of(neighbour)["status"] == "successful"
    utility.world.mailbox.replies[customer.email] = ["250 OK"]
    customer.invite()
    assert customer.register(customer.mail().token).status_code == 201
