"""The headers zf-tuuid and zf-ouuid: who needs them, and what is wrong with them."""

import pytest

from app.ids import new_id
from tests.api.expect import problem
from tests.support.world import Customer, Utility

_MALFORMED = ["", "noise", "0199d8a0", "{0199d8a0-0000-7000-8000-000000000001}", "0199d8a0000070008000000000000001",
              "0199d8a0-0000-7000-8000-00000000000g", "*", "0199d8a0-0000-7000-8000-000000000001, noise"]  # fmt: skip


@pytest.mark.parametrize("name", ["zf-tuuid", "zf-ouuid"])
def test_the_back_office_names_tenant_and_organisation(utility: Utility, name: str) -> None:
    headers = utility.bearer()
    del headers[name]
    url = f"{utility.world.url}/api/portal/v1/organisation/portal-settings"
    body = problem(utility.world.http.get(url, headers=headers), 400, "ORGANISATION_HEADER_INVALID")
    assert name in body["detail"]


@pytest.mark.parametrize("wrong", _MALFORMED)
@pytest.mark.parametrize("name", ["zf-tuuid", "zf-ouuid"])
def test_a_malformed_header_is_refused(utility: Utility, name: str, wrong: str) -> None:
    answer = utility.employee().get("/organisation/portal-settings", headers={name: wrong})
    problem(answer, 400, "ORGANISATION_HEADER_INVALID")
    answer = utility.portal.post("/portal/tokens/inspect", {"token": "noise"}, headers={name: wrong})
    problem(answer, 400, "ORGANISATION_HEADER_INVALID")


def test_letter_case_of_a_uuid_does_not_matter(utility: Utility) -> None:
    shouted = {name: value.upper() for name, value in utility.headers.items()}
    assert utility.employee().get("/organisation/portal-settings", headers=shouted).status_code == 200


def test_another_tenants_organisation_is_refused(utility: Utility) -> None:
    stranger = utility.world.utility()
    url = "/organisation/portal-settings"
    problem(utility.employee().get(url, headers=stranger.headers), 403, "PERMISSION_INVALID")
    only_tenant = {"zf-tuuid": str(stranger.tenant)}
    problem(utility.employee().get(url, headers=only_tenant), 403, "PERMISSION_INVALID")
    body = {"email": "nobody@example.com"}
    answer = utility.portal.post("/portal/email-confirmations/resend", body, headers=only_tenant)
    problem(answer, 400, "ORGANISATION_HEADER_INVALID")


def test_an_organisation_that_is_not_there_yet_has_nothing(utility: Utility) -> None:
    fresh = Utility(utility.world, new_id(), new_id())
    problem(fresh.employee().get("/organisation/portal-settings"), 404, "RESOURCE_NOT_FOUND")
    problem(fresh.employee().get(f"/customers/{new_id()}/portal"), 404, "CUSTOMER_DOES_NOT_EXIST")
    record = {"accountNumber": "1", "displayName": "Too early"}
    problem(fresh.employee().put(f"/customers/{new_id()}", record), 404, "RESOURCE_NOT_FOUND")
    assert fresh.employee().get("/organisation/activities").json()["results"] == []


def test_a_session_needs_no_headers_but_they_must_be_its_own(customer: Customer) -> None:
    me = customer.active().logged_in()
    assert "zf-ouuid" not in me.headers
    assert me.get("/portal/me").status_code == 200
    assert me.get("/portal/me", headers=customer.utility.headers).status_code == 200
    other = customer.utility.world.utility()
    problem(me.get("/portal/me", headers=other.headers), 401, "SESSION_ENDED")
    problem(me.get("/portal/me", headers={"zf-ouuid": "noise"}), 400, "ORGANISATION_HEADER_INVALID")
    assert me.get("/portal/me").status_code == 200, "a wrong header does not end the session"


def test_a_malformed_tenant_is_refused_for_a_session_too(customer: Customer) -> None:
    me = customer.active().logged_in()
    problem(me.get("/portal/me", headers={"zf-tuuid": "noise"}), 400, "ORGANISATION_HEADER_INVALID")


@pytest.mark.parametrize("scheme", ["", "Basic", "Bearer", "Token abc", "bearer"])
def test_whatever_is_no_bearer_is_nobody(utility: Utility, scheme: str) -> None:
    answer = utility.employee().get("/organisation/portal-settings", headers={"Authorization": scheme})
    problem(answer, 401, "UNAUTHENTICATED")


def test_the_word_bearer_may_be_written_in_any_case(utility: Utility) -> None:
    token = utility.bearer()["Authorization"].removeprefix("Bearer ")
    answer = utility.employee().get("/organisation/portal-settings", headers={"Authorization": f"bEARER {token}"})
    assert answer.status_code == 200
