"""All mails in all languages as files, to be looked at before anyone gets them."""

from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from jinja2 import Environment

from app.domain.communications import MailKind
from app.domain.organisations import Branding, Organisation
from app.mail.drafts import MailDraft, MailLink
from app.mail.rendering import MailRenderer

_CULTURES = {"en": "en-GB", "nl": "nl-BE", "fr": "fr-BE", "de": "de-DE", "fi": "fi-FI"}
_NOBODY = UUID(int=0)
_PATHS = {
    MailKind.INVITATION: "register",
    MailKind.EMAIL_CONFIRMATION: "confirm-email",
    MailKind.PASSWORD_RESET: "reset-password",
}

_INDEX = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Mails</title>
<style>
body { font-family: system-ui, sans-serif; margin: 2rem; }
section { display: flex; flex-wrap: wrap; gap: 1.5rem; }
figure { margin: 0; }
iframe { width: 640px; height: 1080px; border: 1px solid #ccd3d6; }
</style>
</head>
<body>
<h1>Mails</h1>
{% for language, mails in languages.items() %}
<h2>{{ language }}</h2>
<section lang="{{ language }}">
{% for kind, subject in mails.items() %}
<figure>
<figcaption><a href="{{ language }}/{{ kind }}.html">{{ kind }}</a>
(<a href="{{ language }}/{{ kind }}.txt">text</a>): {{ subject }}</figcaption>
<iframe src="{{ language }}/{{ kind }}.html" title="{{ kind }}, {{ language }}" loading="lazy"></iframe>
</figure>
{% endfor %}
</section>
{% endfor %}
</body>
</html>
"""


def write_previews(folder: Path) -> list[Path]:
    """Render every mail in every language to `<folder>/<language>/<kind>.html` and `.txt`, with an `index.html`.

    Returns the files, the index last. The data is made up.
    """
    renderer = MailRenderer()
    written: list[Path] = []
    subjects: dict[str, dict[str, str]] = {}
    for language in renderer.languages:
        (folder / language).mkdir(parents=True, exist_ok=True)
        for kind in MailKind:
            mail = renderer.compose(sample_draft(kind, _CULTURES.get(language, language)))
            for suffix, content in (("html", mail.html), ("txt", f"{mail.subject}\n\n{mail.text}")):
                path = folder / language / f"{kind.value}.{suffix}"
                path.write_text(content, encoding="utf-8")
                written.append(path)
            subjects.setdefault(language, {})[kind.value] = mail.subject
    index = folder / "index.html"
    page = Environment(autoescape=True).from_string(_INDEX)
    index.write_text(page.render(languages=subjects), encoding="utf-8")
    return [*written, index]


def sample_draft(kind: MailKind, language: str) -> MailDraft:
    """A mail of the kind with made-up data."""
    path = _PATHS.get(kind)
    token = "V2hhdCBhIG1hZGUtdXAgdG9rZW4gbG9va3MgbGlrZQ.c2lnbmVkIGJ5IG5vYm9keSBhdCBhbGwsIGp1c3QgYSBzYW1wbGU"
    return MailDraft(
        kind=kind,
        organisation=Organisation(
            tenant_id=_NOBODY,
            organisation_id=_NOBODY,
            name="Zonneveld Warmte",
            default_language="nl-BE",
            branding=Branding(primary_color="#b4430f", secondary_color="#f2b233"),
        ),
        language=language,
        recipient="sanne.peeters@example.com",
        customer_name="Sanne Peeters",
        message_id="sample@example.com",
        communication_id=_NOBODY,
        links=(MailLink(f"https://mijn.zonneveld.example.com/{path}#token={token}", "20019188"),) if path else (),
        expires_at=datetime(2026, 3, 14, 15, 30, tzinfo=UTC) if path else None,
        account_email=None if path else "sanne.peeters@example.com",
        account_number=None if path else "20019188",
    )
