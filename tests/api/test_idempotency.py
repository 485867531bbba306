"""Doing a thing once, however often it is asked for with the same Idempotency-Key."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from app.ids import new_id
from tests.api.expect import fields, problem
from tests.support.world import Customer, Utility


def _invite(customer: Customer, key: str, body: Any = None, **employee: Any) -> httpx.Response:
    client = customer.utility.employee(**employee)
    return client.post(f"{customer.path}/invitations", body, headers={"Idempotency-Key": key})


def _fresh(answer: httpx.Response) -> str:
    assert answer.status_code == 201, answer.text
    assert "idempotency-replayed" not in answer.headers
    return str(answer.json()["id"])


def _replayed(answer: httpx.Response) -> str:
    assert answer.status_code == 201, answer.text
    assert answer.headers["idempotency-replayed"] == "true"
    return str(answer.json()["id"])


def test_the_same_key_and_body_give_the_first_answer_again(customer: Customer) -> None:
    first = _invite(customer, "order-1", {"language": "nl-BE"})
    again = [_invite(customer, "order-1", {"language": "nl-BE"}) for _ in range(3)]
    assert {_replayed(answer) for answer in again} == {_fresh(first)}
    assert [answer.json() for answer in again] == [first.json()] * 3
    assert customer.log() == ["PortalInvitationSent"]
    customer.mail()
    assert customer.card()["pendingInvitation"]["id"] == first.json()["id"]


def test_the_first_answer_comes_again_byte_by_byte(customer: Customer) -> None:
    first = _invite(customer, "order-1")
    again = _invite(customer, "order-1")
    assert again.content == first.content
    assert again.headers["content-type"] == first.headers["content-type"]


def test_a_replay_sends_no_second_mail(customer: Customer) -> None:
    _fresh(_invite(customer, "order-1"))
    customer.mail()  # a mail that has not gone when its link is superseded is skipped
    _replayed(_invite(customer, "order-1"))
    _fresh(_invite(customer, "order-2"))
    customer.mail(2)
    sent = "SELECT count(*) FROM communications WHERE organisation_id = $1"
    assert customer.utility.world.sql.value(sent, customer.utility.organisation) == 2
    assert len(customer.utility.world.mailbox.to(customer.email)) == 2


def test_a_replay_has_a_correlation_id_of_its_own(customer: Customer) -> None:
    _fresh(_invite(customer, "order-1"))
    again = _invite(customer, "order-1")
    assert again.headers["x-correlation-id"]


@pytest.mark.parametrize("body", [{"language": "fr-BE"}, {}, {"email": "jan.other@example.com"}])
def test_the_same_key_with_another_body_is_refused(customer: Customer, body: dict[str, str]) -> None:
    _fresh(_invite(customer, "order-1", {"language": "nl-BE"}))
    problem(_invite(customer, "order-1", body), 422, "IDEMPOTENCY_KEY_REUSED")
    assert customer.log() == ["PortalInvitationSent"]


def test_the_same_key_for_another_customer_or_deed_is_refused(customer: Customer) -> None:
    invitation = _fresh(_invite(customer, "order-1"))
    other = customer.utility.customer()
    problem(_invite(other, "order-1"), 422, "IDEMPOTENCY_KEY_REUSED")
    url = f"{customer.path}/invitations/{invitation}/revoke"
    answer = customer.utility.employee().post(url, headers={"Idempotency-Key": "order-1"})
    problem(answer, 422, "IDEMPOTENCY_KEY_REUSED")
    assert other.log() == []
    assert customer.card()["pendingInvitation"]["id"] == invitation


def test_twenty_at_once_are_one_deed(customer: Customer) -> None:
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: _invite(customer, "order-1"), range(20)))
    done = [answer for answer in answers if answer.status_code == 201]
    for answer in answers:
        if answer.status_code != 201:
            problem(answer, 409, "IDEMPOTENCY_IN_PROGRESS")
    assert done
    assert len({answer.json()["id"] for answer in done}) == 1
    assert sum("idempotency-replayed" not in answer.headers for answer in done) == 1
    assert customer.log() == ["PortalInvitationSent"]
    assert _replayed(_invite(customer, "order-1")) == done[0].json()["id"]


def test_another_callers_same_key_is_another_key(customer: Customer) -> None:
    mine = _fresh(_invite(customer, "order-1"))
    assert _fresh(_invite(customer, "order-1", subject="employee-8")) != mine
    assert _fresh(_invite(customer, "order-1", subject="employee-7", application=True)) != mine
    assert _replayed(_invite(customer, "order-1")) == mine


def test_another_organisations_same_key_is_another_key(customer: Customer) -> None:
    sister = Utility(customer.utility.world, customer.utility.tenant, new_id())
    sister.change_settings()
    theirs = sister.customer()
    mine = _fresh(_invite(customer, "order-1"))
    assert _fresh(_invite(theirs, "order-1")) != mine
    twin = Customer(sister, customer.id, customer.record)
    assert twin.save().status_code == 201
    problem(_invite(twin, "order-1"), 422, "IDEMPOTENCY_KEY_REUSED")
    assert _replayed(_invite(customer, "order-1")) == mine


def test_a_key_that_was_refused_may_be_tried_again(utility: Utility) -> None:
    customer = utility.customer(email=None)
    problem(_invite(customer, "order-1"), 409, "USER_HAS_NO_EMAIL_ADDRESS")
    assert customer.save(email="jan.late@example.com").status_code == 200
    _fresh(_invite(customer, "order-1"))


def test_a_key_that_failed_its_validation_or_permission_is_free(customer: Customer) -> None:
    problem(_invite(customer, "order-1", {"language": "noise"}), 422, "VALIDATION_FAILED")
    nobody = customer.utility.employee(None)
    answer = nobody.post(f"{customer.path}/invitations", headers={"Idempotency-Key": "order-1"})
    problem(answer, 403, "PERMISSION_INVALID")
    _fresh(_invite(customer, "order-1"))


def test_a_replay_needs_the_permission_still(customer: Customer) -> None:
    _fresh(_invite(customer, "order-1"))
    answer = customer.utility.employee(None).post(
        f"{customer.path}/invitations", headers={"Idempotency-Key": "order-1"}
    )
    problem(answer, 403, "PERMISSION_INVALID")


def _age(customer: Customer, by: str) -> None:
    changed = customer.utility.world.sql.run(
        "UPDATE idempotency_answers SET created_at = created_at - $2::text::interval WHERE organisation_id = $1",
        customer.utility.organisation,
        by,
    )
    assert changed == "UPDATE 1"


def test_a_key_is_kept_for_a_day(customer: Customer) -> None:
    first = _fresh(_invite(customer, "order-1"))
    _age(customer, "23 hours 59 minutes")
    assert _replayed(_invite(customer, "order-1")) == first
    _age(customer, "2 minutes")
    second = _fresh(_invite(customer, "order-1"))
    assert second != first
    assert _replayed(_invite(customer, "order-1")) == second


def test_after_a_day_the_key_is_free_for_another_body(customer: Customer) -> None:
    _fresh(_invite(customer, "order-1", {"language": "nl-BE"}))
    _age(customer, "25 hours")
    _fresh(_invite(customer, "order-1", {"language": "fr-BE"}))


@pytest.mark.parametrize(("length", "accepted"), [(1, True), (255, True), (256, False), (0, False), (4000, False)])
def test_a_key_has_1_to_255_characters(customer: Customer, length: int, accepted: bool) -> None:
    answer = _invite(customer, "k" * length)
    if accepted:
        _fresh(answer)
    else:
        assert fields(problem(answer, 422, "VALIDATION_FAILED")) == {"Idempotency-Key"}
        assert customer.log() == []


def test_every_post_of_the_back_office_takes_a_key(customer: Customer) -> None:
    invitation = _fresh(_invite(customer, "invite"))
    headers = {"Idempotency-Key": "revoke"}
    url = f"{customer.path}/invitations/{invitation}/revoke"
    first, again = (customer.utility.employee().post(url, headers=headers) for _ in range(2))
    assert (first.status_code, again.status_code) == (200, 200)
    assert (first.json(), again.headers["idempotency-replayed"]) == (again.json(), "true")
    customer.registered()
    headers, url = {"Idempotency-Key": "confirm"}, f"{customer.path}/email-confirmations"
    first, again = (customer.utility.employee().post(url, headers=headers) for _ in range(2))
    assert _fresh(first) == _replayed(again)
    assert customer.log().count("PortalEmailConfirmationSent") == 2


def test_nothing_readable_of_key_or_body_is_kept(customer: Customer) -> None:
    key = "a-very-recognisable-key-20019188"
    _fresh(_invite(customer, key, {"language": "nl-BE"}))
    rows = customer.utility.world.sql.rows(
        "SELECT * FROM idempotency_answers WHERE organisation_id = $1", customer.utility.organisation
    )
    assert len(rows) == 1
    assert len(rows[0]["key_digest"]) == len(rows[0]["request_digest"]) == 32
    kept = repr(rows[0])
    for readable in (key, repr(key.encode())[2:-1], customer.path, '{"language"', "Bearer"):
        assert readable not in kept
    token = customer.mail().token
    assert token not in kept
    assert "#token=" not in kept
