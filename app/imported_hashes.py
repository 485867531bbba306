"""Password hashes of older systems: which are taken over, and whether a password fits one.

argon2 in its PHC form, bcrypt, and PBKDF2 as Django writes it. Each is verified as its own system did, until the
first login replaces it (`app/passwords.py`).
"""

import base64
import binascii
import hashlib
import hmac
import re

import bcrypt

from app.errors import FieldError, ValidationFailed

# What one login may cost: about three seconds of a core, and memory that a few logins at once can have.
MOST_ARGON2_MEMORY = 256 * 1024  # KiB
MOST_ARGON2_TIME = 10
MOST_ARGON2_LANES = 16
MOST_BCRYPT_COST = 14
MOST_PBKDF2_ITERATIONS = 2_000_000

# Salt and hash are base64 without padding; their lengths are those that the argon2 library takes.
_ARGON2 = re.compile(
    r"\$argon2(?:id|i|d)\$v=19\$m=([1-9][0-9]{0,9}),t=([1-9][0-9]{0,9}),p=([1-9][0-9]{0,9})"
    r"\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,172})"
)
# The 22nd character of the salt carries two bits only.
_BCRYPT = re.compile(r"\$2[aby]\$([0-9]{2})\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{31}")
_PBKDF2 = re.compile(r"pbkdf2_sha256\$([1-9][0-9]{0,9})\$([!-#%-~]{1,128})\$([A-Za-z0-9+/]{43}=)")

_BCRYPT_BYTES = 72


def check_imported_hash(digest: str) -> None:
    """Raises: ValidationFailed, for what is no such hash and for one that would take too long; never repeats it."""
    if fault := _fault(digest):
        raise ValidationFailed(errors=[FieldError("passwordHash", ValidationFailed.key, fault)])


def _fault(digest: str) -> str | None:
    if found := _ARGON2.fullmatch(digest):
        memory, time, lanes = (int(number) for number in found.groups()[:3])
        if memory > MOST_ARGON2_MEMORY or time > MOST_ARGON2_TIME or lanes > MOST_ARGON2_LANES:
            return (
                f"The hash is too expensive: at most {MOST_ARGON2_MEMORY} KiB, {MOST_ARGON2_TIME} passes "
                f"and {MOST_ARGON2_LANES} lanes"
            )
        if memory < 8 * lanes or not all(_decodes(part) for part in found.groups()[3:]):
            return _NO_HASH
        return None
    if found := _BCRYPT.fullmatch(digest):
        cost = int(found[1])
        if cost > MOST_BCRYPT_COST:
            return f"The hash is too expensive: a cost of at most {MOST_BCRYPT_COST}"
        return None if cost >= 4 else _NO_HASH
    if found := _PBKDF2.fullmatch(digest):
        if int(found[1]) > MOST_PBKDF2_ITERATIONS:
            return f"The hash is too expensive: at most {MOST_PBKDF2_ITERATIONS} iterations"
        return None if _decodes(found[3].rstrip("=")) else _NO_HASH
    return _NO_HASH


_NO_HASH = "This is not an argon2, bcrypt or Django PBKDF2 hash: $argon2id$…, $2b$… or pbkdf2_sha256$…"


def _decodes(text: str) -> bool:
    """Whether this is base64 without padding, written in the one way that bytes are written."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        return False
    return base64.b64encode(raw).decode().rstrip("=") == text


def is_argon2(digest: str) -> bool:
    """Whether the argon2 library can read this hash by itself."""
    return digest.startswith("$argon2")


def fits_imported(password: str, digest: str) -> bool:
    """Whether the password fits a bcrypt or PBKDF2 hash; whatever is neither fits none."""
    if _BCRYPT.fullmatch(digest):
        # bcrypt knows 72 bytes. The systems that made these hashes cut the rest off, this library refuses it.
        return bcrypt.checkpw(password.encode()[:_BCRYPT_BYTES], digest.encode())
    if found := _PBKDF2.fullmatch(digest):
        made = hashlib.pbkdf2_hmac("sha256", password.encode(), found[2].encode(), int(found[1]))
        return hmac.compare_digest(made, base64.b64decode(found[3]))
    return False
