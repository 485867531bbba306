"""No mail is lost and none comes twice: workers are killed, mail servers fail, the API answers as ever."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.settings import Settings
from tests.faults.conftest import StartWorker
from tests.faults.mail_servers import MovableSmtpServer
from tests.faults.reading import arrived, mail_activities, mail_of, until
from tests.journeys.reading import invitations, wait_for_jobs
from tests.support.world import PASSWORD, Utility

CONNECTIONS = Settings.model_fields["smtp_connections"].default  # of each worker
TAKEOVER = 90  # seconds; a killed worker's heartbeat is missed after ten


def test_a_worker_killed_while_it_sends_loses_no_mail_and_sends_none_twice(
    branch: Utility, mail_server: MovableSmtpServer, start_worker: StartWorker
) -> None:
    lost, doubled = branch.customer(), branch.customer()
    mail_server.start()
    mail_server.mailbox.hanging.set()
    mail_server.mailbox.taken_first.add(doubled.email)  # the server has it, but its 250 never reaches the worker
    first = start_worker()
    lost.invite()
    doubled.invite()
    mail_server.mailbox.wait_in_the_air([lost, doubled])
    assert mail_of(lost)["status"] == "sending"
    first.kill()
    mail_server.stop()
    mail_server.mailbox.hanging.clear()
    assert (arrived(lost), len(arrived(doubled))) == ([], 1)

    mail_server.start()
    second = start_worker()
    mail_server.mailbox.wait(lost.email, 1, TAKEOVER)
    wait_for_jobs(branch, TAKEOVER)
    for customer in (lost, doubled):
        mail = mail_of(customer)
        assert (mail["status"], mail["attempts"], mail["lastError"]) == ("successful", 2, None)
        assert [kind for kind, _ in mail_activities(customer)] == ["PortalCommunicationSent"]
    assert len(arrived(lost)) == 1
    once, again = mail_server.mailbox.to(doubled.email)
    assert once.token == again.token
    assert once.message["Message-ID"] == again.message["Message-ID"]
    assert lost.register(arrived(lost)[0]).status_code == 201
    for log in (first.output, second.output):
        assert not [secret for secret in (lost.email, doubled.email, once.token, PASSWORD) if secret in log]


def test_a_mail_committed_while_no_worker_lives_is_sent_by_the_next_one(
    branch: Utility, mail_server: MovableSmtpServer, start_worker: StartWorker
) -> None:
    mail_server.start()
    start_worker().kill()
    customer = branch.customer()
    customer.invite()
    assert mail_of(customer)["status"] == "queued"
    start_worker()
    assert customer.register(customer.mail().token).status_code == 201
    wait_for_jobs(branch)
    mails = [mail.page.rpartition("/")[2] for mail in mail_server.mailbox.to(customer.email)]
    assert mails == ["register", "confirm-email"]
    assert mail_of(customer)["attempts"] == 1


@pytest.mark.asvs("16.5.2")
def test_a_mail_waits_for_its_server_and_says_why(
    branch: Utility, mail_server: MovableSmtpServer, start_worker: StartWorker
) -> None:
    customer = branch.customer()
    start_worker()
    customer.invite()
    down = until(customer, lambda mail: mail["attempts"] >= 2 and mail["status"] == "queued")
    assert down["lastError"].startswith("The mail server cannot be reached")
    assert down["sentDateTime"] is None
    replies = mail_server.mailbox.replies
    replies[customer.email] = [f"451 4.7.1 <{customer.email}> greylisted, come back later"]
    mail_server.start()
    refused = until(customer, lambda mail: mail["status"] == "queued" and mail["lastError"] != down["lastError"])
    assert refused["lastError"].startswith("451 4.7.1")
    assert customer.email not in refused["lastError"]
    assert mail_activities(customer) == []
    replies[customer.email] = ["250 OK"]
    customer.mail()
    wait_for_jobs(branch)
    sent = mail_of(customer)
    assert (sent["status"], sent["lastError"]) == ("successful", None)
    assert sent["attempts"] > refused["attempts"] > down["attempts"]
    assert sent["sentDateTime"]
    assert len(arrived(customer)) == 1
    assert [kind for kind, _ in mail_activities(customer)] == ["PortalCommunicationSent"]


def test_of_three_invitations_queued_meanwhile_only_the_live_one_is_mailed(
    branch: Utility, mail_server: MovableSmtpServer, start_worker: StartWorker
) -> None:
    customer = branch.customer()
    start_worker()
    for _ in range(3):
        customer.invite()
        until(customer, lambda mail: mail["attempts"] >= 1)
    mail_server.start()
    token = customer.mail().token
    wait_for_jobs(branch)
    assert arrived(customer) == [token]
    statuses = [(one["status"], one["communication"]["status"]) for one in invitations(customer)]
    assert statuses == [("pending", "successful"), ("superseded", "skipped"), ("superseded", "skipped")]
    assert [kind for kind, _ in mail_activities(customer)] == ["PortalCommunicationSent"]
    assert customer.register(token).status_code == 201


def test_an_invitation_withdrawn_before_its_mail_went_is_not_mailed(
    branch: Utility, mail_server: MovableSmtpServer, start_worker: StartWorker
) -> None:
    customer = branch.customer()
    withdrawn = customer.invite()["id"]
    assert branch.employee().post(f"{customer.path}/invitations/{withdrawn}/revoke").status_code == 200
    mail_server.start()
    start_worker()
    assert until(customer, lambda mail: mail["status"] != "queued")["status"] == "skipped"
    wait_for_jobs(branch)
    assert arrived(customer) == []


def test_two_workers_send_each_of_thirty_mails_once(
    branch: Utility, mail_server: MovableSmtpServer, start_worker: StartWorker
) -> None:
    customers = [branch.customer() for _ in range(30)]
    for customer in customers[:15]:
        customer.invite()
    mail_server.start()
    workers = start_worker(), start_worker()
    for customer in customers[15:]:
        customer.invite()
    wait_for_jobs(branch, 30)
    assert [worker.stop() for worker in workers] == [0, 0]
    for customer in customers:
        assert len(arrived(customer)) == 1
        assert (mail_of(customer)["status"], mail_of(customer)["attempts"]) == ("successful", 1)


def test_of_four_workers_one_is_killed_and_the_others_take_over_what_it_held(
    branch: Utility, mail_server: MovableSmtpServer, start_worker: StartWorker
) -> None:
    mail_server.start()
    mail_server.mailbox.hanging.set()
    workers = [start_worker() for _ in range(4)]
    customers = [branch.customer() for _ in range(70)]  # more than three workers take in advance
    for customer in customers:
        customer.invite()
    mail_server.mailbox.wait_in_the_air(customers, 4 * CONNECTIONS)  # so each of them holds as many as it can
    workers[0].kill()
    mail_server.mailbox.hanging.clear()
    wait_for_jobs(branch, TAKEOVER)
    came = [mail_server.mailbox.to(customer.email) for customer in customers]
    for mails in came:
        assert len({(mail.message["Message-ID"], mail.token) for mail in mails}) == 1
    assert sum(map(len, came)) <= len(customers) + CONNECTIONS, "more came again than were in the air"
    assert {mail_of(customer)["status"] for customer in customers} == {"successful"}


def test_a_worker_told_to_stop_finishes_the_mail_in_its_hand(
    branch: Utility, mail_server: MovableSmtpServer, start_worker: StartWorker
) -> None:
    customer = branch.customer()
    mail_server.start()
    mail_server.mailbox.hanging.set()
    worker = start_worker()
    customer.invite()
    mail_server.mailbox.wait_in_the_air([customer])
    with ThreadPoolExecutor(1) as thread:
        ending = thread.submit(worker.stop)
        time.sleep(0.3)  # the signal has long arrived when the server answers
        mail_server.mailbox.hanging.clear()
        assert ending.result() == 0
    assert len(arrived(customer)) == 1
    assert (mail_of(customer)["status"], mail_of(customer)["attempts"]) == ("successful", 1)


def test_a_worker_told_to_stop_leaves_to_others_what_a_hanging_server_keeps_it_from(
    branch: Utility, mail_server: MovableSmtpServer, start_worker: StartWorker
) -> None:
    customers = [branch.customer() for _ in range(12)]
    mail_server.start()
    mail_server.mailbox.hanging.set()
    worker = start_worker(PORTAL_SMTP_TIMEOUT_SECONDS="60")
    for customer in customers:
        customer.invite()
    mail_server.mailbox.wait_in_the_air(customers, CONNECTIONS)
    assert worker.stop() == 0
    mail_server.mailbox.hanging.clear()
    start_worker()
    wait_for_jobs(branch, 30)
    for customer in customers:
        assert len({(mail.message["Message-ID"], mail.token) for mail in mail_server.mailbox.to(customer.email)}) == 1
        assert mail_of(customer)["status"] == "successful"
