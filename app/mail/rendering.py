"""Mails from drafts: one layout, the words of a language, the colours of an organisation.

Everything that can be done once is done once. When the renderer is made MJML becomes HTML; a language's templates for
a kind of mail are compiled with the first of them, for most processes send few of the 120. Another one then costs well
under a millisecond.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from functools import lru_cache
from pathlib import Path

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time
from jinja2 import DictLoader, Environment, StrictUndefined, Template, select_autoescape
from mjml import mjml2html

from app.domain.communications import MailKind
from app.mail.catalogue import COMMON, TEMPLATES, Texts, choose_language, primary, read_catalogue
from app.mail.colours import palette
from app.mail.drafts import MailDraft, MailLink
from app.mail.headers import COMMUNICATION, MAIL_POLICY, fit, one_address, one_line, sender_header, set_alternatives


@dataclass(frozen=True, slots=True)
class RenderedMail:
    """What a mail says, in its two forms, and the culture it says it in."""

    subject: str
    text: str
    html: str
    culture: str


@dataclass(frozen=True, slots=True)
class _Letter:
    """The compiled templates of one kind of mail in one language."""

    subject: Template
    text: Template
    html: Template
    has_button: bool


class MailRenderer:
    """Turns drafts into mails. Make it once: it keeps what it has compiled."""

    def __init__(self, folder: Path = TEMPLATES) -> None:
        """Read all texts.

        Raises: CatalogueError, for a text that is missing or cannot be used.
        """
        # `fonts` is empty, for MJML would have a mail load its default font from somebody else's server.
        sources = {
            "layout.html": mjml2html((folder / "layout.mjml").read_text(encoding="utf-8"), fonts={}),
            "layout.txt": (folder / "layout.txt").read_text(encoding="utf-8"),
        }
        catalogue = read_catalogue(folder)
        for language, texts in catalogue.items():
            for kind in MailKind:
                phrases: Texts = {"button": "", **texts[COMMON], **texts[kind.value]}
                sources[f"{language}/{kind.value}.html"] = _child("layout.html", _html_safe(phrases))
                sources[f"{language}/{kind.value}.txt"] = _child("layout.txt", phrases)
                sources[f"{language}/{kind.value}.subject"] = str(phrases["subject"])
        self._templates = Environment(
            loader=DictLoader(sources),
            autoescape=select_autoescape(("html",), default=False),  # what is not HTML has nothing to escape
            undefined=StrictUndefined,
            trim_blocks=True,
            keep_trailing_newline=True,
            auto_reload=False,
            cache_size=len(sources),
        )
        self.languages = tuple(catalogue)
        self._with_button = {
            (language, kind)
            for language, texts in catalogue.items()
            for kind in MailKind
            if "button" in texts[kind.value]
        }

    def render(self, draft: MailDraft, *, sender: str) -> EmailMessage:
        """The mail, ready to be sent. `sender` is the address of organisations that have none of their own.

        Raises: ValueError, for a recipient or sender that is not exactly one address, a link that is not an http
        or https URL without white space, and links that the mail has no place for, or none where it needs one.
        """
        organisation = draft.organisation
        said = self.compose(draft)
        message = EmailMessage(MAIL_POLICY)
        message["From"] = sender_header(
            organisation.sender.email or sender, organisation.sender.name or organisation.name
        )
        message["To"] = one_address(draft.recipient)
        message["Subject"] = said.subject
        message["Date"] = format_datetime(datetime.now(UTC))
        message["Message-ID"] = f"<{draft.message_id}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday reply, please
        message["Content-Language"] = said.culture
        message[COMMUNICATION] = str(draft.communication_id)
        set_alternatives(message, said.text, said.html)
        return message

    def compose(self, draft: MailDraft) -> RenderedMail:
        """What the mail says, without its headers.

        Raises: ValueError, as `render` does for links.
        """
        language, culture = choose_language(self.languages, draft.language, draft.organisation.default_language)
        letter = self._letter(language, draft.kind)
        _check_links(draft.kind, draft.links, letter.has_button)
        day, time = _moment(draft.expires_at, culture)
        branding = draft.organisation.branding
        words: dict[str, object] = {
            "lang": culture,
            "organisation": fit(draft.organisation.name),
            "name": fit(draft.customer_name),
            "recipient": fit(draft.recipient),
            "links": [MailLink(link.url, fit(link.account_number or "")) for link in draft.links],
            "several": len(draft.links) > 1,
            "day": day,
            "time": time,
            "account_number": fit(draft.account_number or ""),
            "account_email": fit(draft.account_email or ""),
            "colours": palette(branding),
            "logo_url": branding.logo_url if branding.logo_url and _is_web_address(branding.logo_url) else None,
        }
        subject = one_line(letter.subject.render(words))
        words["subject"] = subject
        return RenderedMail(
            subject=subject,
            text=letter.text.render(words),
            html=letter.html.render(words),
            culture=culture,
        )

    def _letter(self, language: str, kind: MailKind) -> _Letter:
        subject, text, html = (
            self._templates.get_template(f"{language}/{kind.value}.{form}") for form in ("subject", "txt", "html")
        )
        return _Letter(subject, text, html, has_button=(language, kind) in self._with_button)


def _child(layout: str, phrases: Texts) -> str:
    """A template that fills the layout with phrases: what a child sets at its top, its parent sees."""
    lines = [f"{{% extends '{layout}' %}}"]
    for key, phrase in phrases.items():
        if isinstance(phrase, list):
            names = [f"{key}_{number}" for number in range(len(phrase))]
            lines += [f"{{% set {name} %}}{part}{{% endset %}}" for name, part in zip(names, phrase, strict=True)]
            lines.append(f"{{% set {key} = [{', '.join(names)}] %}}")
        elif key == "link_label":  # the only phrase said once per link
            lines.append(f"{{% macro link_label(account_number) %}}{phrase}{{% endmacro %}}")
        elif key != "subject":  # given from outside, for the header needs it too
            lines.append(f"{{% set {key} %}}{phrase}{{% endset %}}")
    return "".join(lines)


def _html_safe(phrases: Texts) -> Texts:
    """The phrases with their own `&` and `<` escaped; placeholders hold neither."""

    def escaped(phrase: str) -> str:
        return phrase.replace("&", "&amp;").replace("<", "&lt;")

    return {
        key: escaped(phrase) if isinstance(phrase, str) else [escaped(part) for part in phrase]
        for key, phrase in phrases.items()
    }


def _check_links(kind: MailKind, links: tuple[MailLink, ...], has_button: bool) -> None:
    if bool(links) is not has_button:
        raise ValueError(f"a mail of kind {kind.value} {'needs a link' if has_button else 'has no place for links'}")
    if not all(_is_web_address(link.url) for link in links):
        raise ValueError("a link is not an http or https URL without white space")


def _is_web_address(url: str) -> bool:
    return url.startswith(("https://", "http://")) and url == one_line(url) and len(url.split()) == 1


def _moment(moment: datetime | None, culture: str) -> tuple[str, str]:
    """Day and time of day in UTC, as the culture writes them."""
    if moment is None:
        return "", ""
    locale = _locale(culture)
    utc = moment.astimezone(UTC)
    return format_date(utc, "long", locale), format_time(utc, "short", tzinfo=UTC, locale=locale)


@lru_cache(maxsize=256)
def _locale(culture: str) -> Locale:
    for candidate in (culture, primary(culture)):
        try:
            return Locale.parse(candidate, sep="-")
        except (UnknownLocaleError, ValueError):
            continue
    return Locale("en", "GB")
