"""Session tokens: opaque, random, and written in one way only."""

import base64
import hashlib
import string
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import Unauthenticated
from app.session_tokens import new_session_token, read_session_token

ORGANISATION = UUID("0199d8a0-0000-7000-8000-000000000002")
SESSION = UUID("0199d8a0-0000-7000-8000-000000000003")
TOKEN, KEY = new_session_token(ORGANISATION, SESSION)


def _refused(token: str) -> None:
    with pytest.raises(Unauthenticated):
        read_session_token(token)


@given(st.uuids(), st.uuids())
def test_a_token_says_its_session(organisation: UUID, session: UUID) -> None:
    token, key = new_session_token(organisation, session)
    assert read_session_token(token) == key
    assert (key.organisation_id, key.session_id) == (organisation, session)


def test_two_tokens_of_one_session_have_different_secrets() -> None:
    made = {new_session_token(ORGANISATION, SESSION)[0] for _ in range(100)}
    assert len(made) == 100


@pytest.mark.asvs("7.2.3")
def test_what_is_kept_is_a_digest_of_256_random_bits() -> None:
    raw = base64.urlsafe_b64decode(TOKEN.removeprefix("zfp_") + "==")
    assert raw[:32] == ORGANISATION.bytes + SESSION.bytes
    assert len(raw[32:]) == 32
    assert hashlib.sha256(raw[32:]).digest() == KEY.secret_digest
    assert raw[32:] not in KEY.secret_digest


def test_a_changed_character_is_another_secret_or_no_token() -> None:
    for place in range(len(TOKEN)):
        for other in ("A", "B", "=", "\u00e9", "+", " "):
            if TOKEN[place] == other:
                continue
            changed = TOKEN[:place] + other + TOKEN[place + 1 :]
            try:
                assert read_session_token(changed) != KEY
            except Unauthenticated:
                continue


def test_a_token_is_written_in_one_way_only() -> None:
    body = TOKEN.removeprefix("zfp_")
    for sloppy in (
        TOKEN + "=",
        TOKEN + "==",
        " " + TOKEN,
        TOKEN + "\n",
        body,
        "zfp_" + TOKEN,
        "ZFP_" + body,
        "zfp_",
        "",
    ):
        _refused(sloppy)
    alike = 0
    raw = base64.urlsafe_b64decode(body + "==")
    for other in string.ascii_letters + string.digits + "-_":
        written = body[:-1] + other
        if written != body and base64.urlsafe_b64decode(written + "==") == raw:
            alike += 1
            _refused("zfp_" + written)
    assert alike > 0, "there is another way to write it"


@given(st.text(max_size=200))
def test_noise_is_nobody(noise: str) -> None:
    _refused(noise)
    _refused("zfp_" + noise)
