"""What belongs to another customer or organisation is answered like what never was, in every operation with its id."""

import re
from collections import defaultdict
from collections.abc import Mapping

import httpx
import pytest

from app.ids import new_id
from app.permissions import Permission, Role
from app.session_tokens import read_session_token
from tests.api.expect import problem
from tests.api.test_matrix import BODIES, SESSION, TABLE, Operation, every_operation, named
from tests.journeys.batches import start
from tests.journeys.reading import invitations, without_identity
from tests.security.callers import with_password
from tests.support.world import NEW_PASSWORD, Customer, Utility, World
from tests.webhooks.partners import create

_IDS = re.compile(
    r"{(invitationId|communicationId|accountId|impersonationId|sessionId|documentId|roleId|assignmentId|batchId"
    r"|endpointId|deliveryId)}"
)
OPERATIONS = [one for one in every_operation() if _IDS.search(one.path)]


def owned(customer: Customer) -> Mapping[str, str]:
    """One of everything that has an id."""
    utility = customer.utility
    [invited] = invitations(customer)
    session = read_session_token(customer.log_in(password=NEW_PASSWORD).json()["accessToken"])
    batch = start(utility, {"customerIds": [str(customer.id)], "onlyValidate": True})
    endpoint = create(utility, "https://8.8.8.8/events").json()  # public, and with these types never called
    delivery = new_id()
    utility.world.sql.run(
        "INSERT INTO webhook_deliveries (organisation_id, id, endpoint_id, type, status)"
        " VALUES ($1, $2, $3, 'PortalInvitationSent', 'delivered')",
        utility.organisation,
        delivery,
        endpoint["id"],
    )
    return {
        "invitationId": invited["id"],
        "communicationId": invited["communication"]["id"],
        "accountId": customer.accounts()[0]["accountId"],
        "impersonationId": customer.impersonate()["id"],
        "sessionId": str(session.session_id),
        "documentId": customer.record["documents"][0]["documentId"],
        "roleId": utility.role(Permission.PORTAL_READ),
        "assignmentId": utility.assign("employee-8", Role.USER),
        "batchId": batch["id"],
        "endpointId": endpoint["id"],
        "deliveryId": str(delivery),
    }


def someone(utility: Utility) -> Customer:
    """A customer with an account, an invitation of before and a document."""
    document = {"documentId": str(new_id()), "name": "Letter", "visibility": "portal"}
    customer = utility.customer(documents=[document | {"createdDateTime": "2026-01-02T00:00:00Z"}])
    customer.invite()
    return with_password(customer)


def call(operation: Operation, customer: Customer, ids: Mapping[str, str]) -> httpx.Response:
    """As the customer's administrator, or as the customer."""
    if TABLE[operation.id] == SESSION:
        token = customer.log_in(password=NEW_PASSWORD).json()["accessToken"]
        headers = {"Authorization": f"Bearer {token}"}
    else:
        headers = customer.utility.bearer()
    path = _IDS.sub(lambda found: ids[found[1]], operation.path.replace("{customerId}", str(customer.id)))
    world = customer.utility.world
    return world.http.request(operation.method, f"{world.url}{path}", headers=headers, json=BODIES.get(operation.id))


@pytest.fixture(scope="module")
def foreign(world: World) -> tuple[Customer, list[Mapping[str, str]]]:
    """A customer, and what belongs to a neighbour and to a stranger."""
    customer, stranger = someone(world.utility()), someone(world.utility())
    return customer, [owned(someone(customer.utility)), owned(stranger)]


@pytest.mark.asvs("8.2.2", "8.4.1")
@pytest.mark.parametrize("operation", OPERATIONS, ids=named)
def test_what_belongs_to_others_is_answered_like_what_never_was(
    operation: Operation, foreign: tuple[Customer, list[Mapping[str, str]]]
) -> None:
    customer, (neighbours, strangers) = foreign
    nothing = call(operation, customer, defaultdict(lambda: str(new_id())))
    problem(nothing, 404, "RESOURCE_NOT_FOUND")
    # The neighbour's roles, batches and endpoints are the customer's own organisation's as well.
    others = (
        [strangers, neighbours] if "{customerId}" in operation.path or TABLE[operation.id] == SESSION else [strangers]
    )
    for ids in others:
        assert without_identity(call(operation, customer, ids)) == without_identity(nothing)


def test_whoever_owns_it_finds_it(world: World) -> None:
    customer = someone(world.utility())
    ids = owned(customer)
    for operation in sorted(OPERATIONS, key=lambda one: one.method == "DELETE"):
        answer = call(operation, customer, ids)
        assert answer.status_code not in (404, 422), (operation.id, answer.text)
