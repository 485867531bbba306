"""The invitation's mail: in the customer's language, with a link to the organisation's own portal."""

import pytest

from tests.journeys.reading import invitations, newest_mail, refusal, wait_for_jobs
from tests.support.world import Customer, Utility

LANGUAGES = {
    "nl-BE": ("Uw uitnodiging voor het klantenportaal van Zonneveld Warmte", "Maak uw account"),
    "fr-BE": ("Zonneveld Warmte\N{NO-BREAK SPACE}: votre invitation à l’espace client", "Créez votre compte"),
    "de-DE": ("Ihre Einladung zum Kundenportal von Zonneveld Warmte", "Legen Sie Ihr Konto"),
    "fi-FI": ("Zonneveld Warmte: kutsu asiakasportaaliin", "Luokaa tili"),
    "en-GB": ("Your invitation to the customer portal of Zonneveld Warmte", "Create your portal account"),
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_invitation_speaks_the_customers_language(language: str, utility: Utility) -> None:
    customer = utility.customer(language=language)
    assert customer.invite()["language"] == language
    mail = customer.mail()
    subject, heading = LANGUAGES[language]
    assert mail.subject == subject
    assert heading in mail.html
    assert f'lang="{language[:2]}' in mail.html


@pytest.mark.parametrize("language", LANGUAGES)
def test_text_and_html_hold_the_same_link(language: str, utility: Utility) -> None:
    customer = utility.customer(language=language)
    customer.invite()
    mail = customer.mail()
    link = f"{mail.page}#token={mail.token}"
    assert mail.page == "https://portal.example.com/register"
    assert f'href="{link}"' in mail.html
    assert mail.html.count("#token=") == mail.html.count(f"#token={mail.token}")
    assert mail.text.count("#token=") == 1


def test_a_language_given_with_the_invitation_wins_for_this_mail_alone(utility: Utility) -> None:
    customer = utility.customer(language="nl-BE")
    assert customer.invite(language="fr-BE")["language"] == "fr-BE"
    assert customer.mail().subject == LANGUAGES["fr-BE"][0]
    assert customer.invite()["language"] == "nl-BE"
    assert customer.mail(2).subject == LANGUAGES["nl-BE"][0]


def test_a_customer_without_a_language_is_written_to_in_the_organisations(utility: Utility) -> None:
    utility.change_settings(defaultLanguage="fi-FI")
    customer = utility.customer(language=None)
    customer.invite()
    assert customer.mail().subject == LANGUAGES["fi-FI"][0]


def test_the_link_leads_to_the_organisations_portal_whatever_the_request_says(utility: Utility) -> None:
    utility.change_settings(portalUrl="https://www.zonneveld.example/klanten/")
    customer = utility.customer()
    elsewhere = dict.fromkeys(("Host", "X-Forwarded-Host", "X-Forwarded-Server"), "evil.example")
    elsewhere |= {
        "Origin": "https://evil.example",
        "Referer": "https://evil.example/",
        "Forwarded": "host=evil.example",
    }
    answer = utility.employee().post(f"{customer.path}/invitations", headers=elsewhere)
    assert answer.status_code == 201
    mail = customer.mail()
    assert mail.page == "https://www.zonneveld.example/klanten/register"
    assert "evil.example" not in mail.text + mail.html


def test_an_address_given_with_the_invitation_becomes_the_customers(customer: Customer) -> None:
    address = f"new.{customer.number}@example.com"
    assert customer.invite(email=address)["email"] == address
    assert customer.mail(address=address).page.endswith("/register")
    assert customer.card()["contactEmail"] == address
    assert "PortalContactEmailChanged" in customer.log()
    customer.invite()
    customer.mail(2, address)
    wait_for_jobs(customer.utility)
    assert customer.utility.world.mailbox.to(customer.email) == []


def test_the_address_that_is_known_already_is_no_change(customer: Customer) -> None:
    customer.invite(email=customer.email)
    assert customer.log() == ["PortalInvitationSent"]


def test_what_is_no_address_is_refused_and_nothing_is_sent(customer: Customer) -> None:
    answer = customer.utility.employee().post(f"{customer.path}/invitations", {"email": "jan at example"})
    assert refusal(answer) == (422, "FIELD_NOT_AN_EMAILADRESS")
    assert customer.card()["contactEmail"] == customer.email
    assert invitations(customer) == []
    assert customer.log() == []


def test_the_card_and_the_list_show_the_invitation_and_its_mail(customer: Customer) -> None:
    sent = customer.invite()
    customer.mail()
    wait_for_jobs(customer.utility)
    [listed] = invitations(customer)
    assert customer.card()["pendingInvitation"] == listed
    assert listed["id"] == sent["id"]
    assert listed["status"] == "pending"
    assert listed["email"] == customer.email
    assert listed["createdBy"] == {"type": "employee", "id": "employee-7", "name": "Eva Maes"}
    assert listed["viewedDateTime"] is None
    assert listed["endedDateTime"] is None
    assert listed["communication"]["status"] == "successful"
    assert listed["communication"]["attempts"] == 1
    assert listed["communication"]["lastError"] is None
    assert listed["communication"]["sentDateTime"]


def test_a_sandbox_recipient_gets_every_mail(utility: Utility) -> None:
    customer = utility.customer()
    sandbox = f"sandbox.{customer.number}@example.com"
    utility.change_settings(sandboxRecipient=sandbox)
    customer.invite()
    assert customer.register(customer.mail(address=sandbox).token).status_code == 201
    assert newest_mail(utility, sandbox, "confirm-email")
    assert utility.world.mailbox.to(customer.email) == []


def test_a_mail_names_the_organisation_as_its_sender(utility: Utility) -> None:
    utility.change_settings(sender={"name": "Zonneveld Klantendienst", "email": "klanten@zonneveld.example"})
    customer = utility.customer()
    customer.invite()
    sender = customer.mail().message["From"].addresses[0]
    assert (sender.display_name, sender.addr_spec) == ("Zonneveld Klantendienst", "klanten@zonneveld.example")
