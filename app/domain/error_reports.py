"""What the portal's own error reports may tell: never a secret out of an address or a message."""

import re

# What follows # or ? may be a link's token; and so may be what looks like one, or like a session's.
_BEHIND = re.compile(r"(?:[?#]|%3f|%23).*", re.IGNORECASE | re.DOTALL)
# The look behind lets a long word be tried once, not once for each of its letters.
_SECRET = re.compile(r"(?:[?#]|%3f|%23)\S+|zfp_[\w-]+|(?<![\w-])[\w-]{16,}(?:\.[\w-]{16,})+", re.IGNORECASE)


def page_without_secrets(page: str) -> str:
    """The page's address up to its query and fragment."""
    kept = _BEHIND.sub("", page)
    return message_without_secrets(kept) if kept or not page else "/"


def message_without_secrets(message: str) -> str:
    """The message, with an ellipsis for all that may be a secret."""
    return _SECRET.sub("…", message)
