"""Names and addresses that come from outside, made fit for a mail."""

import re
from binascii import b2a_qp
from email.header import Header
from email.headerregistry import Address, HeaderRegistry, UniqueAddressHeader
from email.message import EmailMessage
from email.policy import SMTP, Policy
from functools import lru_cache
from typing import Any, cast

COMMUNICATION = "X-Portal-Communication-Id"
LONGEST_NAME = 200  # characters; no header line comes near the 998 octets of RFC 5322, section 2.1.1

# Control characters, line and paragraph separators, lone surrogates, and what turns the direction of writing.
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]+")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")
_WORD = r'[^\s@,;:<>()\[\]\\".]+'
_ADDRESS = re.compile(rf"({_WORD}(?:\.{_WORD})*)@({_WORD}(?:\.{_WORD})*)")


def fit(name: str) -> str:
    """The name on one line, without anything that a header or a mail program could take for more than a name."""
    plain = " ".join(_UNFIT.sub(" ", name).split())
    # An encoded word (RFC 2047) would be decoded, and a URL made into a link of the mail.
    return plain.replace("=?", "= ?").replace("://", ": //")[:LONGEST_NAME].strip()


def one_line(text: str) -> str:
    """The text without control characters and line breaks; its spaces stay as they are."""
    return _UNFIT.sub(" ", text).strip()


def one_address(address: str, display_name: str = "") -> Address:
    """Exactly one mailbox. An international domain is turned into its ASCII form.

    Raises: ValueError, for anything but one plain address.
    """
    found = _ADDRESS.fullmatch(address)
    if found is None or _UNFIT.search(address):
        raise ValueError("not one e-mail address")
    try:
        domain = found[2] if found[2].isascii() else found[2].encode("idna").decode("ascii")
    except UnicodeError as error:
        raise ValueError("not one e-mail address") from error
    return Address(display_name=display_name, username=found[1], domain=domain)


class _SenderHeader(UniqueAddressHeader):
    """The From header.

    Before its releases of 2025 the standard library drops the quotes of a long display name when it folds the line
    (python/cpython#80222), so that `<b> …` in a name becomes the address. Here a name that needs more than plain
    words is quoted on one line, or encoded as a whole.
    """

    def fold(self, *, policy: "Policy[Any]") -> str:
        sender = self.addresses[0]
        name = sender.display_name
        if not name.isascii():
            name = Header(name, "utf-8", header_name="From").encode(linesep=policy.linesep)
        elif not _ATOMS.fullmatch(name):
            name = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
        line = f"From: {name} <{sender.addr_spec}>" if name else f"From: {sender.addr_spec}"
        if name and len(line.rsplit("\n", 1)[-1]) > 78:
            line = f"From: {name}{policy.linesep} <{sender.addr_spec}>"
        return line + policy.linesep


class _Headers(HeaderRegistry):
    """The standard library makes a new class for every header of every mail; here each name has one."""

    def __init__(self) -> None:
        super().__init__()
        self.map_to_type("from", cast(Any, _SenderHeader))
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        key = name.lower()
        if key not in self._made:
            self._made[key] = super().__getitem__(name)
        return self._made[key]


MAIL_POLICY = SMTP.clone(header_factory=_Headers())

# A boundary with `=_` in it cannot occur in quoted-printable content (RFC 2045, section 6.7).
_ALTERNATIVE = MAIL_POLICY.header_factory("Content-Type", 'multipart/alternative; boundary="=_portal_alternative"')
_FIXED = MAIL_POLICY.header_factory("MIME-Version", "1.0")
_ENCODING = MAIL_POLICY.header_factory("Content-Transfer-Encoding", "quoted-printable")
_TYPES = {
    subtype: MAIL_POLICY.header_factory("Content-Type", f'text/{subtype}; charset="utf-8"')
    for subtype in ("plain", "html")
}


def set_alternatives(message: EmailMessage, text: str, html: str) -> None:
    """Give a message its two forms, the plain one first.

    Quoted-printable carries lines of any length through every server and decodes to exactly what it was. The headers
    that never change are parsed once: left to the standard library they cost ten times as much as the templates.
    """
    message["MIME-Version"] = _FIXED
    message["Content-Type"] = _ALTERNATIVE
    for subtype, content in (("plain", text), ("html", html)):
        part = EmailMessage(MAIL_POLICY)
        part["Content-Type"] = _TYPES[subtype]
        part["Content-Transfer-Encoding"] = _ENCODING
        part.set_payload(b2a_qp(content.encode(), istext=True).decode("ascii"))
        message.attach(part)


@lru_cache(maxsize=1024)
def sender_header(address: str, name: str) -> Any:
    """The From header of an organisation.

    Raises: ValueError, for an address that is not exactly one.
    """
    return MAIL_POLICY.header_factory("From", one_address(address, fit(name)))
