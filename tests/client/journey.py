"""A partner's program: a customer's whole journey, written against the generated client and nothing else."""

from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

from portal_access_client import AuthenticatedClient
from portal_access_client.api.back_office_account_reset import reset_account
from portal_access_client.api.back_office_activities import list_activities
from portal_access_client.api.back_office_card import get_card
from portal_access_client.api.back_office_invitations import send_invitation
from portal_access_client.api.partners_customers import put_customer
from portal_access_client.api.partners_sessions import introspect_session
from portal_access_client.api.portal_links import inspect_token
from portal_access_client.api.portal_me import get_me
from portal_access_client.api.portal_registration import confirm_email, register
from portal_access_client.api.portal_sessions import log_in, log_out
from portal_access_client.models import (
    Action,
    ActivityType,
    CardBody,
    ContractBody,
    ContractStatus,
    CustomerBody,
    CustomerRecord,
    InspectionBody,
    IntrospectionBody,
    IntrospectSessionBody,
    LinkBody,
    LoggedInBody,
    LoginGiven,
    Me,
    PageBodyActivityBody,
    PortalStatus,
    Problem,
    RegisteredBody,
    RegistrationGiven,
    ResetAccount,
    SendInvitation,
    TokenGiven,
    TokenState,
)

T = TypeVar("T")

PASSWORD = "seven warm radiators"


def expect(kind: type[T], answer: object) -> T:
    """The answer, which is of this kind."""
    assert isinstance(answer, kind), answer
    return answer


def play(
    url: str, bearer: str, tenant: str, organisation: str, customer_id: UUID, mailed_token: Callable[[str], str]
) -> None:
    """From the record to the reset. `mailed_token` waits for the mail to an address and takes the token out of it."""
    headers = {"zf-tuuid": tenant, "zf-ouuid": organisation}
    # Before login the organisation's header is what lets a call in, so it stands where else the token does.
    with (
        AuthenticatedClient(url, token=bearer, headers=headers, raise_on_unexpected_status=True) as application,
        AuthenticatedClient(
            url,
            token=organisation,
            prefix="",
            auth_header_name="zf-ouuid",
            headers={"zf-tuuid": tenant},
            raise_on_unexpected_status=True,
        ) as portal,
    ):
        session = become_active(application, portal, customer_id, mailed_token)
        with AuthenticatedClient(url, token=session, raise_on_unexpected_status=True) as customer:
            be_reset(application, customer, customer_id, session)


def become_active(
    application: AuthenticatedClient, portal: AuthenticatedClient, customer_id: UUID, mailed_token: Callable[[str], str]
) -> str:
    """From the record to the first login; the session's token."""
    email = f"{customer_id}@example.com"
    contract = ContractBody(customer_id, "C-1", ContractStatus.SIGNED, invoice_count=2)
    number = f"P-{customer_id.hex[-12:]}"
    record = CustomerRecord(number, "Jan Peeters", email=email, language="en-GB", contracts=[contract])
    known = expect(CustomerBody, put_customer.sync(customer_id, client=application, body=record))
    assert known.contracts[0].status is ContractStatus.SIGNED

    card = expect(CardBody, get_card.sync(customer_id, client=application))
    assert card.portal_status is PortalStatus.NOACCOUNT
    assert [one.action for one in card.actions if one.allowed] == [Action.SENDINVITATION]

    def invite() -> LinkBody | Problem | None:
        given = SendInvitation(language="nl-BE")
        return send_invitation.sync(customer_id, client=application, body=given, idempotency_key="once")

    invitation = expect(LinkBody, invite())
    assert invitation.status is TokenState.PENDING
    assert expect(LinkBody, invite()).id == invitation.id, "the same key is the same invitation"
    token = mailed_token(email)
    seen = expect(InspectionBody, inspect_token.sync(client=portal, body=TokenGiven(token)))
    assert (seen.state, seen.account_number_required) == (TokenState.PENDING, True)

    wrong = RegistrationGiven(token, "wrong", PASSWORD)
    refused = register.sync_detailed(client=portal, body=wrong)
    problem = expect(Problem, refused.parsed)
    assert (refused.status_code, problem.status, problem.key) == (422, 422, "CUSTOMER_NUMBER_MISMATCH")
    assert problem.solution
    assert problem.correlation_id == refused.headers["X-Correlation-Id"]

    registered = expect(RegisteredBody, register.sync(client=portal, body=RegistrationGiven(token, number, PASSWORD)))
    assert registered.portal_status is PortalStatus.NOTCONFIRMED
    assert not isinstance(confirm_email.sync(client=portal, body=TokenGiven(mailed_token(email))), Problem)

    session = expect(LoggedInBody, log_in.sync(client=portal, body=LoginGiven(email, PASSWORD)))
    assert session.customer_id == customer_id
    return session.access_token


def be_reset(
    application: AuthenticatedClient, customer: AuthenticatedClient, customer_id: UUID, access_token: str
) -> None:
    """What the session, the card and the log tell of an active customer, until the account is reset."""
    me = expect(Me, get_me.sync(client=customer))
    assert (me.customer.customer_id, me.impersonation) == (customer_id, None)
    asked = IntrospectSessionBody(access_token)
    assert expect(IntrospectionBody, introspect_session.sync(client=application, body=asked)).sub == customer_id

    card = expect(CardBody, get_card.sync(customer_id, client=application))
    assert (card.portal_status, card.email) == (PortalStatus.ACTIVE, me.account.email)
    logins = [ActivityType.PORTALLOGINSUCCEEDED]
    log = expect(PageBodyActivityBody, list_activities.sync(customer_id, client=application, type_=logins))
    assert [(one.type_, one.actor.name) for one in log.results] == [(logins[0], "Jan Peeters")]

    again = expect(CardBody, reset_account.sync(customer_id, client=application, body=ResetAccount(reason="Moved")))
    assert again.portal_status is PortalStatus.NOACCOUNT
    assert expect(Problem, get_me.sync(client=customer)).key == "SESSION_ENDED"
    assert log_out.sync_detailed(client=customer).status_code == 204
