"""What a mail says, in every kind and language."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from app.domain.communications import MailKind
from app.domain.organisations import Branding
from app.mail.drafts import MailLink
from app.mail.rendering import MailRenderer
from tests.mail.drafts import LINK, SENDER, WITHOUT_LINK, draft, organisation
from tests.mail.reading import page, part, received, urls

LANGUAGES = ("nl-BE", "fr-BE", "en-GB", "de-DE", "fi-FI")
EVERY_KIND = pytest.mark.parametrize("kind", list(MailKind))
EVERY_LANGUAGE = pytest.mark.parametrize("language", LANGUAGES)
ABOUT_AN_ACCOUNT = pytest.mark.parametrize("kind", [MailKind.ACCOUNT_MADE, MailKind.PASSWORD_CHANGED])


@pytest.fixture(scope="module")
def renderer() -> MailRenderer:
    return MailRenderer()


@EVERY_KIND
@EVERY_LANGUAGE
def test_every_mail_is_written_in_its_language_with_both_parts(
    renderer: MailRenderer, kind: MailKind, language: str
) -> None:
    message = received(renderer.render(draft(kind, language=language), sender=SENDER))
    text, source = part(message, "plain"), part(message, "html")
    assert message.get_content_type() == "multipart/alternative"
    assert [each.get_content_type() for each in message.iter_parts()] == ["text/plain", "text/html"]
    assert ("html", language) in [(tag, found.get("lang")) for tag, found in page(source).tags]
    assert message["Content-Language"] == language
    for content in (message["Subject"], text, source):
        assert "Zonneveld Warmte" in content
        assert "{{" not in content
        assert "{%" not in content


@EVERY_LANGUAGE
@pytest.mark.parametrize("kind", [kind for kind in MailKind if kind not in WITHOUT_LINK])
def test_the_text_and_the_html_part_hold_the_same_link(renderer: MailRenderer, kind: MailKind, language: str) -> None:
    message = received(renderer.render(draft(kind, language=language), sender=SENDER))
    assert LINK in part(message, "plain").splitlines()
    assert urls(part(message, "plain")) == [LINK]
    assert page(part(message, "html")).links == [LINK, LINK]  # the button, and the bare link for copying
    assert LINK in page(part(message, "html")).words


def test_a_long_link_reaches_the_receiver_whole(renderer: MailRenderer) -> None:
    long = "https://portal.example/" + "path=3D/" * 250 + "register#token=" + "t" * 104
    message = received(renderer.render(draft(links=(MailLink(long),)), sender=SENDER))
    assert long in part(message, "plain").splitlines()
    assert page(part(message, "html")).links == [long, long]


def test_no_line_on_the_wire_is_longer_than_smtp_allows(renderer: MailRenderer) -> None:
    raw = renderer.render(draft(customer_name="N" * 5000), sender=SENDER).as_bytes()
    assert raw.isascii()
    assert max(map(len, raw.splitlines())) < 998


def test_several_links_are_told_apart_by_customer_number(renderer: MailRenderer) -> None:
    links = tuple(MailLink(f"{LINK}{number}", number) for number in ("20019188", "20019189"))
    message = received(renderer.render(draft(links=links), sender=SENDER))
    lines = part(message, "plain").splitlines()
    for link in links:
        assert lines[lines.index(link.url) - 1] == f"Customer number {link.account_number}"
    source = page(part(message, "html"))
    assert source.links == [link.url for link in (*links, *links)]
    assert source.words.count("Customer number 20019189") == 2
    assert "The links are valid until" in part(message, "plain")


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_invitation_does_not_give_the_customer_number_away(renderer: MailRenderer, language: str) -> None:
    said = renderer.compose(draft(language=language))
    assert "20019188" not in said.subject + said.text + said.html


@EVERY_LANGUAGE
def test_a_reset_of_several_accounts_speaks_of_each_by_its_number(renderer: MailRenderer, language: str) -> None:
    links = tuple(MailLink(f"{LINK}{number}", number) for number in ("20019188", "20019189"))
    one = renderer.compose(draft(MailKind.PASSWORD_RESET, language=language))
    both = renderer.compose(draft(MailKind.PASSWORD_RESET, language=language, links=links))
    words, other = page(both.html).words, page(one.html).words
    for number in ("20019188", "20019189"):
        assert sum(each.endswith(f" {number}") for each in words) == 2  # on the button, and at the bare link
    assert "20019188" not in "".join(each for each in other if each != LINK)
    assert both.subject == one.subject
    # What speaks of one account or one link is said otherwise: both paragraphs before it, its validity, both after it.
    said_otherwise = set(one.text.splitlines()) - set(both.text.splitlines())
    assert len([line for line in said_otherwise if line.endswith((".", ":"))]) == 5


@EVERY_LANGUAGE
@ABOUT_AN_ACCOUNT
def test_a_notice_about_an_account_names_number_and_address(
    renderer: MailRenderer, kind: MailKind, language: str
) -> None:
    said = renderer.compose(draft(kind, language=language, account_email="other@example.com"))
    for content in (said.text, said.html):
        assert "20019188" in content
        assert "other@example.com" in content


@EVERY_LANGUAGE
@ABOUT_AN_ACCOUNT
def test_a_notice_reads_well_without_number_and_address(renderer: MailRenderer, kind: MailKind, language: str) -> None:
    said = renderer.compose(draft(kind, language=language, account_email=None, account_number=None))
    assert "None" not in said.text
    assert " ." not in said.text
    assert " ," not in said.text


@EVERY_LANGUAGE
def test_the_notice_to_the_old_address_names_no_other(renderer: MailRenderer, language: str) -> None:
    mail = draft(MailKind.EMAIL_CHANGE_REQUESTED, language=language, account_email="new@example.com")
    said = renderer.compose(mail)
    assert "new@example.com" not in said.subject + said.text + said.html


@pytest.mark.parametrize(
    ("language", "moment"),
    [
        ("nl-BE", "14 maart 2026 om 15:30 UTC"),
        ("fr-BE", "14 mars 2026 à 15:30 UTC"),
        ("en-GB", "14 March 2026 at 15:30 UTC"),
        ("de-DE", "14. März 2026, 15:30 Uhr UTC"),
        ("fi-FI", "14. maaliskuuta 2026 klo 15.30 (UTC)"),
    ],
)
def test_the_end_of_a_link_is_told_in_utc_as_the_culture_writes_it(
    renderer: MailRenderer, language: str, moment: str
) -> None:
    elsewhere = datetime(2026, 3, 14, 17, 30, tzinfo=timezone(timedelta(hours=2)))
    said = renderer.compose(draft(language=language, expires_at=elsewhere))
    assert moment in said.text
    assert moment in said.html


def test_a_link_without_an_end_says_nothing_about_it(renderer: MailRenderer) -> None:
    assert "valid until" not in renderer.compose(draft(expires_at=None)).text


@pytest.mark.parametrize(
    ("wanted", "default", "got"),
    [
        ("nl-BE", "fr-BE", "nl-BE"),
        ("nl-NL", "fr-BE", "nl-NL"),
        ("nl_BE", "fr-BE", "nl-BE"),
        ("NL-be", "fr-BE", "NL-be"),
        ("sv-SE", "fr-BE", "fr-BE"),
        ("sv-SE", "pl-PL", "en-GB"),
        ("", "", "en-GB"),
        ("../../etc", "x\r\nBcc: a@x.example", "en-GB"),
        ("nl-QQ", "fr-BE", "nl-QQ"),
    ],
)
def test_an_unknown_language_falls_back_to_the_organisations_and_then_to_english(
    renderer: MailRenderer, wanted: str, default: str, got: str
) -> None:
    mail = draft(language=wanted, organisation=organisation(default_language=default))
    assert renderer.render(mail, sender=SENDER)["Content-Language"] == got


@pytest.mark.parametrize(
    "name",
    [
        "<b>Sanne</b>",
        "Sanne & <script>alert(1)</script>",
        '" onload="x',
        "{{ 7 * 7 }}",
        "{% raw %}",
        "=cmd|' /C calc'!A0",
    ],
)
def test_markup_in_names_is_only_text(renderer: MailRenderer, name: str) -> None:
    mail = draft(customer_name=name, organisation=organisation(name=name))
    plain = renderer.compose(draft())
    said = renderer.compose(mail)
    assert [tag for tag, _ in page(said.html).tags] == [tag for tag, _ in page(plain.html).tags]
    assert f"Dear {name}," in said.text
    assert f"Dear {name}," in "".join(page(said.html).words)


def test_line_breaks_in_names_add_no_line(renderer: MailRenderer) -> None:
    name = "Sanne\r\n\r\nhttps://evil.example/\u2028Peeters\u202e\x00\ud800"
    said = renderer.compose(draft(customer_name=name, organisation=organisation(name=name)))
    assert len(said.text.splitlines()) == len(renderer.compose(draft()).text.splitlines())
    assert urls(said.text) == [LINK]


def test_a_mail_without_a_name_greets_the_customer(renderer: MailRenderer) -> None:
    assert "Dear customer," in renderer.compose(draft(customer_name=" \n ")).text


@EVERY_KIND
def test_nothing_is_loaded_from_elsewhere_but_the_logo(renderer: MailRenderer, kind: MailKind) -> None:
    logo = "https://zonneveld.example/logo.png?a=1&b=2"
    with_logo = organisation(branding=Branding(logo_url=logo))
    without, with_it = (renderer.compose(draft(kind, organisation=each)).html for each in (organisation(), with_logo))
    assert page(without).loads == []
    assert page(with_it).loads == [logo]
    assert [found["alt"] for tag, found in page(with_it).tags if tag == "img"] == ["Zonneveld Warmte"]
    assert "@import" not in without
    assert "url(" not in without


@pytest.mark.parametrize(
    "logo", ["javascript:alert(1)", "data:image/png;base64,x", "https://a.example/ b", "//a.example"]
)
def test_a_logo_that_is_no_web_address_gives_way_to_the_name(renderer: MailRenderer, logo: str) -> None:
    said = renderer.compose(draft(organisation=organisation(branding=Branding(logo_url=logo))))
    assert page(said.html).loads == []
    assert "Zonneveld Warmte" in page(said.html).words


def test_a_colour_that_is_none_never_reaches_the_mail(renderer: MailRenderer) -> None:
    branding = Branding(primary_color="red;background:url(https://evil.example)", secondary_color='#fff"><img src=x>')
    said = renderer.compose(draft(organisation=organisation(branding=branding)))
    assert said.html == renderer.compose(draft()).html


def test_the_button_wears_the_organisations_colour(renderer: MailRenderer) -> None:
    said = renderer.compose(draft(organisation=organisation(branding=Branding(primary_color="#FFD400"))))
    button = next(found for tag, found in page(said.html).tags if tag == "a")
    assert "background:#ffd400" in str(button["style"])
    assert "color:#000000" in str(button["style"])


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "https://a.example/x y", "https://a.example/\r\nx", "", "/register"]
)
def test_a_link_that_is_no_web_address_is_not_sent(renderer: MailRenderer, url: str) -> None:
    with pytest.raises(ValueError, match="link"):
        renderer.compose(draft(links=(MailLink(url),)))


def test_a_mail_that_needs_a_link_is_not_sent_without(renderer: MailRenderer) -> None:
    with pytest.raises(ValueError, match="needs a link"):
        renderer.compose(draft(links=()))
    with pytest.raises(ValueError, match="no place for links"):
        renderer.compose(draft(MailKind.ACCOUNT_MADE, links=(MailLink(LINK),)))


def test_a_repeated_mail_says_the_same(renderer: MailRenderer) -> None:
    first, second = (renderer.render(draft(), sender=SENDER) for _ in range(2))
    assert first["Message-ID"] == second["Message-ID"] == "<0198.0002@zonneveld.example>"
    assert part(first, "plain") == part(second, "plain")
    assert datetime.now(UTC) - first["Date"].datetime < timedelta(minutes=1)
