"""Many customers invited by one call: each gets what the single invitation gives, and a result."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from app.ids import new_id
from tests.journeys.batches import BATCHES, ask, cancel, counts, crowd, finished, look, results, start
from tests.journeys.reading import invitations, refusal, wait_for_jobs
from tests.journeys.test_races import at_once
from tests.support.world import Customer, Utility


def _ids(*customers: Customer) -> list[str]:
    return [str(customer.id) for customer in customers]


def _everything(utility: Utility) -> dict[str, Any]:
    """How many rows there are of all that an invitation leaves behind."""
    sql = utility.world.sql
    return {
        table: sql.value(f"SELECT count(*) FROM {table} WHERE organisation_id = $1", utility.organisation)
        for table in ("tokens", "communications", "activities")
    }


def test_everybody_gets_an_invitation_and_a_result(utility: Utility) -> None:
    new, settled, silent = utility.customer(), utility.customer().active(), utility.customer(email=None)
    nobody = str(new_id())
    batch = start(utility, {"customerIds": [*_ids(new, settled, silent), nobody]})
    assert batch["onlyValidate"] is False
    assert batch["counts"]["requested"] == 4
    ended = finished(utility, batch["id"])
    assert ended["status"] == "finished"
    assert ended["finishedDateTime"] >= ended["createdDateTime"] == batch["createdDateTime"]
    assert ended["counts"] == counts(invited=1, skipped=1, failed=2)
    assert results(utility, batch["id"]) == [
        {"customerId": str(new.id), "accountNumber": new.number, "outcome": "invited", "key": None},
        {
            "customerId": str(settled.id),
            "accountNumber": settled.number,
            "outcome": "skipped",
            "key": "USER_ALREADY_EXISTS",
        },
        {
            "customerId": str(silent.id),
            "accountNumber": silent.number,
            "outcome": "failed",
            "key": "USER_HAS_NO_EMAIL_ADDRESS",
        },
        {"customerId": nobody, "accountNumber": None, "outcome": "failed", "key": "CUSTOMER_DOES_NOT_EXIST"},
    ]
    assert new.register(new.mail().token).status_code == 201


def test_customers_can_be_named_by_their_numbers(utility: Utility) -> None:
    one, other = utility.customer(), utility.customer()
    stranger = utility.world.utility().customer()
    batch = start(utility, {"accountNumbers": [one.number, stranger.number, f" {other.number} ", one.number]})
    assert batch["counts"] == counts(requested=3, failed=1, pending=2)
    finished(utility, batch["id"])
    assert [(one["customerId"], one["accountNumber"], one["key"]) for one in results(utility, batch["id"])] == [
        (str(one.id), one.number, None),
        (None, stranger.number, "CUSTOMER_DOES_NOT_EXIST"),
        (str(other.id), other.number, None),
    ]
    assert stranger.log() == []


def test_the_invitations_are_the_deed_of_whoever_started_the_batch(utility: Utility) -> None:
    customer = utility.customer()
    before = customer.invite()["id"]
    noor = utility.employee(subject="employee-9", name="Noor Jansen")
    answer = ask(utility, {"customerIds": _ids(customer)}, noor, **{"X-Correlation-Id": "spring-letter"})
    finished(utility, answer.json()["id"])
    newest, older = invitations(customer)
    assert (newest["status"], older["id"], older["status"]) == ("pending", before, "superseded")
    assert newest["createdBy"] == {"type": "employee", "id": "employee-9", "name": "Noor Jansen"}
    told = [entry for entry in customer.activities() if entry["correlationId"] == "spring-letter"]
    by_employee = {entry["type"]: entry for entry in told if entry["actor"]["id"] == "employee-9"}
    assert set(by_employee) == {"PortalInvitationSent", "PortalInvitationSuperseded"}
    assert {entry["ipAddress"] for entry in by_employee.values()} == {"127.0.0.1"}


def test_the_organisations_log_tells_when_a_batch_began_and_ended(utility: Utility) -> None:
    batch = start(utility, {"customerIds": _ids(utility.customer(), utility.customer(email=None))})
    finished(utility, batch["id"])
    [began], [ended] = utility.log("PortalInvitationBatchStarted"), utility.log("PortalInvitationBatchFinished")
    assert began["subject"] == ended["subject"] == {"type": "invitationbatch", "id": batch["id"]}
    assert began["actor"] == {"type": "employee", "id": "employee-7", "name": "Eva Maes"}
    assert ended["actor"]["type"] == "system"
    assert began["payload"] == {"status": "running", "counts": counts(pending=2)}
    assert ended["payload"] == {"status": "finished", "counts": counts(invited=1, failed=1)}
    assert began["correlationId"] == ended["correlationId"]


def test_the_mails_are_written_in_the_batchs_language_or_the_customers(utility: Utility) -> None:
    one, other = utility.customer(language="fr-BE"), utility.customer(language="de-DE")
    finished(utility, start(utility, {"customerIds": _ids(one)})["id"])
    finished(utility, start(utility, {"customerIds": _ids(other), "language": "nl-BE"})["id"])
    assert [invitations(customer)[0]["language"] for customer in (one, other)] == ["fr-BE", "nl-BE"]


def test_a_batch_larger_than_several_slices_comes_to_its_end(utility: Utility) -> None:
    ids = crowd(utility, 250)
    batch = start(utility, {"filter": {}})
    assert finished(utility, batch["id"], 120)["counts"] == counts(invited=250)
    found = results(utility, batch["id"])
    assert [UUID(one["customerId"]) for one in found] == ids
    assert results(utility, batch["id"], "&outcome=failed") == []
    assert results(utility, batch["id"], "&outcome=invited") == found
    wait_for_jobs(utility, 120)
    mails = [mail.to for mail in utility.world.mailbox.mails if str(utility.organisation)[-12:] in mail.to]
    assert (len(mails), len(set(mails))) == (250, 250)


def test_results_can_be_had_as_one_file(utility: Utility) -> None:
    crowd(utility, 250)
    batch = start(utility, {"filter": {}, "onlyValidate": True})
    finished(utility, batch["id"])
    path = f"{BATCHES}/{batch['id']}/results"
    lines = utility.employee().get(path, headers={"Accept": "text/csv"}).text.splitlines()
    assert lines[0] == "customerId,accountNumber,outcome,key"
    assert len(lines) == 251
    assert lines[250].endswith(",C-250,invited,")


# --- the dry run ----------------------------------------------------------------------------------------------------


def test_a_dry_run_tells_what_would_become_of_each_and_changes_nothing(utility: Utility) -> None:
    new, settled, silent = utility.customer(), utility.customer().active(), utility.customer(email=None)
    wait_for_jobs(utility)
    before = _everything(utility)
    batch = start(utility, {"customerIds": [*_ids(new, settled, silent), str(new_id())], "onlyValidate": True})
    ended = finished(utility, batch["id"])
    assert ended["onlyValidate"] is True
    assert ended["counts"] == counts(invited=1, skipped=1, failed=2)
    assert [one["key"] for one in results(utility, batch["id"])] == [
        None,
        "USER_ALREADY_EXISTS",
        "USER_HAS_NO_EMAIL_ADDRESS",
        "CUSTOMER_DOES_NOT_EXIST",
    ]
    wait_for_jobs(utility)
    assert _everything(utility) == before
    assert invitations(new) == []


# --- the filter -----------------------------------------------------------------------------------------------------


@pytest.fixture
def street(utility: Utility) -> dict[str, Customer]:
    """Customers who differ in what a filter looks at."""
    made = {
        "new": utility.customer(displayName="Anna Claes", language="nl-BE"),
        "invited": utility.customer(displayName="Bert 100% Wouters", language=None),
        "long ago": utility.customer(displayName="Chloé Dubois", language="fr-BE"),
        "waiting": utility.customer(displayName="Daan Smet"),
        "active": utility.customer(displayName="Emma Nys").active(),
    }
    made["waiting"].registered()
    made["invited"].invite()
    made["long ago"].invite()
    sql = utility.world.sql
    sql.run(
        "UPDATE tokens SET created_at = created_at - $2::interval WHERE customer_id = $1", made["long ago"].id, _MONTH
    )
    return made


_MONTH = timedelta(days=30)


def _last_week(utility: Utility) -> str:
    moment = utility.world.sql.value("SELECT now() - interval '7 days'")
    return str(moment.isoformat().replace("+00:00", "Z"))


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, ["new", "invited", "long ago", "waiting", "active"]),
        ({"portalStatus": "noaccount"}, ["new", "invited", "long ago"]),
        ({"portalStatus": "notconfirmed"}, ["waiting"]),
        ({"portalStatus": "active"}, ["active"]),
        ({"invited": False}, ["new"]),
        ({"invited": True, "portalStatus": "noaccount"}, ["invited", "long ago"]),
        ({"language": "nl-BE"}, ["new", "invited"]),
        ({"q": "DUBOIS"}, ["long ago"]),
        ({"q": "100% w"}, ["invited"]),
        ({"q": "_"}, []),
        ({"q": "wouters", "language": "fr-BE"}, []),
    ],
    ids=str,
)
def test_a_filter_chooses_customers(
    wanted: dict[str, Any], found: list[str], street: dict[str, Customer], utility: Utility
) -> None:
    utility.change_settings(defaultLanguage="nl-BE")
    stranger = utility.world.utility()
    stranger.customer(displayName="Chloé Dubois")
    batch = start(utility, {"filter": wanted, "onlyValidate": True})
    finished(utility, batch["id"])
    assert [one["customerId"] for one in results(utility, batch["id"])] == [str(street[name].id) for name in found]


def test_a_filter_finds_who_was_last_invited_before(street: dict[str, Customer], utility: Utility) -> None:
    batch = start(utility, {"filter": {"invitedBefore": _last_week(utility)}, "onlyValidate": True})
    assert [one["customerId"] for one in results(utility, batch["id"])] == [str(street["long ago"].id)]
    street["long ago"].invite()
    again = start(utility, {"filter": {"invitedBefore": _last_week(utility)}, "onlyValidate": True})
    assert again["status"] == "finished", "nobody is left to look at"
    assert again["counts"] == counts()


def test_a_filter_finds_account_numbers_and_addresses(street: dict[str, Customer], utility: Utility) -> None:
    for q in (street["new"].number, street["new"].email.upper()):
        batch = start(utility, {"filter": {"q": q}, "onlyValidate": True})
        assert [one["customerId"] for one in results(utility, batch["id"])] == [str(street["new"].id)]


# --- cancelling -----------------------------------------------------------------------------------------------------


def test_cancelling_twice_is_as_once_and_an_ended_batch_stays_as_it_is(utility: Utility) -> None:
    batch = start(utility, {"customerIds": _ids(utility.customer())})
    ended = finished(utility, batch["id"])
    assert cancel(utility, batch["id"]) == ended
    assert cancel(utility, batch["id"]) == ended
    assert len(utility.log("PortalInvitationBatchFinished")) == 1


# --- what changes on the way ----------------------------------------------------------------------------------------


def test_with_communication_off_the_mails_are_skipped(utility: Utility) -> None:
    utility.change_settings(communicationEnabled=False)
    customer = utility.customer()
    batch = start(utility, {"customerIds": _ids(customer)})
    assert finished(utility, batch["id"])["counts"] == counts(invited=1)
    wait_for_jobs(utility)
    [invitation] = invitations(customer)
    assert invitation["communication"]["status"] == "skipped"
    assert utility.world.mailbox.to(customer.email) == []


@pytest.mark.parametrize(
    ("settings", "key"),
    [({"portalEnabled": False}, "PORTAL_NOT_ENABLED"), ({"portalUrl": None}, "PORTAL_URL_MISSING")],
)
def test_a_portal_that_is_off_refuses_a_batch(settings: dict[str, Any], key: str, utility: Utility) -> None:
    customer = utility.customer()
    utility.change_settings(**settings)
    for dry in (False, True):
        assert refusal(ask(utility, {"customerIds": _ids(customer), "onlyValidate": dry})) == (409, key)
    assert utility.log("PortalInvitationBatchStarted") == []


# --- several at once ------------------------------------------------------------------------------------------------


def test_two_batches_at_once_leave_each_customer_one_living_invitation(utility: Utility) -> None:
    customers = [utility.customer() for _ in range(12)]
    bodies = [{"customerIds": _ids(*customers)}, {"customerIds": _ids(*reversed(customers))}]
    answers = at_once([lambda body=body: ask(utility, body) for body in bodies])
    for answer in answers:
        assert answer.status_code == 201, answer.text
        assert finished(utility, answer.json()["id"])["counts"] == counts(invited=12)
    for customer in customers:
        assert sorted(one["status"] for one in invitations(customer)) == ["pending", "superseded"]


def test_the_same_request_twice_at_once_is_one_batch(utility: Utility) -> None:
    body, key = {"customerIds": _ids(utility.customer())}, {"Idempotency-Key": "spring"}
    answers = at_once([lambda: ask(utility, body, **key)] * 8)
    started = {answer.json()["id"] for answer in answers if answer.status_code == 201}
    assert len(started) == 1
    others = [answer for answer in answers if answer.status_code != 201]
    assert {refusal(answer) for answer in others} <= {(409, "IDEMPOTENCY_IN_PROGRESS")}
    again = ask(utility, body, **key)
    assert (again.json()["id"], again.headers["idempotency-replayed"]) == (*started, "true")
    assert len(utility.log("PortalInvitationBatchStarted")) == 1


def test_another_organisations_batch_does_not_exist(utility: Utility) -> None:
    batch = start(utility, {"customerIds": _ids(utility.customer())})
    finished(utility, batch["id"])
    stranger = utility.world.utility().employee()
    path = f"{BATCHES}/{batch['id']}"
    for answer in (
        stranger.get(path),
        stranger.get(f"{path}/results"),
        stranger.get(f"{path}/results", headers={"Accept": "text/csv"}),
        stranger.get(f"{path}/events"),
        stranger.post(f"{path}/cancel"),
    ):
        assert refusal(answer) == (404, "RESOURCE_NOT_FOUND")
    assert look(utility, batch["id"])["status"] == "finished"
