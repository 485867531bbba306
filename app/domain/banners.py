"""The banner that the portal shows while an employee is logged in as the customer, in the customer's language."""

from datetime import UTC
from types import MappingProxyType

from app.domain.cards import Standing
from app.domain.impersonations import AccessMode, Impersonation
from app.domain.organisations import FALLBACK_LANGUAGE

_WORDS = MappingProxyType(
    {
        "en": {
            "who": "{employee} of {organisation} is logged in as {customer}",
            "someone": "An employee",
            AccessMode.READONLY: "looking only",
            AccessMode.FULL: "with full access",
            "until": "until {time} UTC.",
        },
        "nl": {
            "who": "{employee} van {organisation} is aangemeld als {customer}",
            "someone": "Een medewerker",
            AccessMode.READONLY: "alleen om te kijken",
            AccessMode.FULL: "met volledige toegang",
            "until": "tot {time} UTC.",
        },
        "fr": {
            "who": "{employee} de {organisation} est connecté en tant que {customer}",
            "someone": "Un membre du personnel",
            AccessMode.READONLY: "en lecture seule",
            AccessMode.FULL: "avec un accès complet",
            "until": "jusqu’à {time} UTC.",
        },
        "de": {
            "who": "{employee} von {organisation} ist als {customer} angemeldet",
            "someone": "Jemand",
            AccessMode.READONLY: "nur zum Ansehen",
            AccessMode.FULL: "mit vollem Zugriff",
            "until": "bis {time} UTC.",
        },
        "fi": {
            "who": "{employee} ({organisation}) on kirjautunut asiakkaana {customer}",
            "someone": "Työntekijä",
            AccessMode.READONLY: "vain katselu",
            AccessMode.FULL: "täydet oikeudet",
            "until": "{time} UTC asti.",
        },
    }
)


def banner(standing: Standing, impersonation: Impersonation) -> str:
    """Who is logged in as whom, what they may do, and until when."""
    wanted = (standing.language, standing.organisation.default_language, FALLBACK_LANGUAGE)
    words = next(_WORDS[language[:2]] for language in wanted if language[:2] in _WORDS)
    who = words["who"].format(
        employee=impersonation.employee.name or words["someone"],
        organisation=standing.organisation.name,
        customer=f"{standing.customer.display_name} ({standing.customer.account_number})",
    )
    until = words["until"].format(time=f"{impersonation.expires_at.astimezone(UTC):%H:%M}")
    return f"{who}, {words[impersonation.access_mode]}, {until}"
