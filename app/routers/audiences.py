"""Whom each operation is for: a tag names its main reader, and lists everyone who uses its operations."""

from dataclasses import dataclass
from enum import StrEnum


class Audience(StrEnum):
    """A kind of reader of the document; `label` begins the names of the tags that are theirs first."""

    label: str

    BACK_OFFICE = "backoffice", "Back office"
    PORTAL = "portal", "Portal"
    PARTNERS = "partners", "Partners"
    PLATFORM = "platform", "Platform"
    OPERATORS = "operators", "Operations"

    def __new__(cls, value: str, label: str) -> "Audience":
        """A member with its label."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.label = label
        return member


@dataclass(frozen=True, slots=True)
class Tag:
    """A group of operations."""

    name: str
    description: str
    audiences: frozenset[Audience]

    def document(self) -> dict[str, str]:
        """As the OpenAPI document has it."""
        return {"name": self.name, "description": self.description}


_BACK_OFFICE = frozenset({Audience.BACK_OFFICE})
_BOTH = frozenset({Audience.BACK_OFFICE, Audience.PARTNERS})
_PORTAL = frozenset({Audience.PORTAL})
_PARTNERS = frozenset({Audience.PARTNERS})
_PLATFORM = frozenset({Audience.PLATFORM})
_OPERATORS = frozenset({Audience.OPERATORS})

# In reading order: that of the document and of the explorer.
TAGS = (
    Tag("Back office: card", "The customer-portal card, with the buttons that work for the caller.", _BOTH),
    Tag("Back office: invitations", "One-time registration links; the newest alone is valid.", _BOTH),
    Tag("Back office: password resets", "One-time links to choose a new password.", _BACK_OFFICE),
    Tag("Back office: e-mail confirmations", "One-time links that prove the account's address.", _BACK_OFFICE),
    Tag("Back office: account reset", "Deletes the account so that the customer can register again.", _BACK_OFFICE),
    Tag(
        "Back office: accounts", "Every account known for a customer, duplicates and older systems' too.", _BACK_OFFICE
    ),
    Tag(
        "Back office: communications",
        "The mails to a customer: what became of each, and sending one again.",
        _BACK_OFFICE,
    ),
    Tag("Back office: sessions", "Logs the customer out everywhere.", _BACK_OFFICE),
    Tag(
        "Back office: impersonation",
        "An employee logged in to the portal as the customer, for 15 minutes.",
        _BACK_OFFICE,
    ),
    Tag(
        "Back office: documents",
        "The documents that the portal shows, and which the customer opened.",
        _BACK_OFFICE,
    ),
    Tag("Back office: activities", "The append-only log of portal actions and events.", _BOTH),
    Tag("Back office: diagnosis", "Why the portal does not work for a customer, and what solves it.", _BACK_OFFICE),
    Tag("Back office: adoption", "Who has an account across all customers, and how many have one.", _BOTH),
    Tag("Back office: organisation", "What an organisation decides about its portal.", _BACK_OFFICE),
    Tag("Back office: access", "Roles, and who has which one in the organisation.", _BACK_OFFICE),
    Tag("Portal: links", "What a link out of a mail is good for.", _PORTAL),
    Tag("Portal: registration", "From the invitation to a confirmed account.", _PORTAL),
    Tag("Portal: passwords", "A forgotten password, and choosing a new one.", _PORTAL),
    Tag("Portal: sessions", "Logging in and out.", _PORTAL),
    Tag("Portal: impersonation", "An employee handed over, and shown to the customer.", _PORTAL),
    Tag("Portal: me", "Who is logged in, and what they may change.", _PORTAL),
    Tag("Portal: documents", "What the customer may read.", _PORTAL),
    Tag("Portal: errors", "Telling of a page that failed.", _PORTAL),
    Tag("Partners: customers", "Customers' records, kept in step with the billing system.", _BOTH),
    Tag("Partners: invitation batches", "Many customers invited by one call, a result for each.", _BOTH),
    Tag(
        "Partners: webhooks",
        "Activities told to partners' systems, signed by the Standard Webhooks specification.",
        _PARTNERS | _BACK_OFFICE,
    ),
    Tag("Partners: sessions", "Who a portal session is, for other services of the platform.", _PARTNERS),
    Tag("Platform: customers", "The calls that the billing platform has made all along.", _PLATFORM),
    Tag("Platform: portal settings", "What a portal looks like, for the platform and its portal.", _PLATFORM),
    Tag("Platform: events", "What the billing platform tells of customers, by its webhooks.", _PLATFORM),
    Tag("Operations: mail provider", "What became of the mails that the provider took.", _OPERATORS),
    Tag("Operations: health", "Whether the service lives, can work, and how it does.", _OPERATORS),
    Tag("Operations: mailbox", "The mails captured while no mail server is set.", _OPERATORS),
)

AUDIENCES = {tag.name: tag.audiences for tag in TAGS}
