"""Link tokens: written in one way only, for one purpose only, by a key of the ring only."""

import base64
import string
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import URLSafeSerializer, URLSafeTimedSerializer

from app.errors import TokenInvalid
from app.tokens import Link, Purpose, TokenSigner

OLD, NEW = "the-old-key-0123456789-0123456789-abc", "the-new-key-0123456789-0123456789-def"
ORGANISATION = UUID("01a204a2-49b2-7636-b9b8-18115729f25c")
ROW = UUID("01a204a3-4a2e-7604-871e-b4a5a458189c")
SIGNER = TokenSigner([NEW])
TOKEN = SIGNER.sign(Purpose.INVITATION, ORGANISATION, ROW)

_ALPHABET = string.ascii_letters + string.digits + "-_"


def _refused(token: str, signer: TokenSigner = SIGNER, purpose: Purpose = Purpose.INVITATION) -> None:
    with pytest.raises(TokenInvalid) as refusal:
        signer.read(purpose, token)
    assert refusal.value.detail == TokenInvalid().detail, "one and the same answer"
    with pytest.raises(TokenInvalid):
        signer.read_any(token)


@given(st.sampled_from(Purpose), st.uuids(), st.uuids())
def test_a_token_says_its_row(purpose: Purpose, organisation: UUID, row: UUID) -> None:
    token = SIGNER.sign(purpose, organisation, row)
    assert SIGNER.read(purpose, token) == SIGNER.read_any(token) == Link(purpose, organisation, row)


def test_a_token_is_the_same_at_each_call_and_safe_in_a_fragment() -> None:
    assert SIGNER.sign(Purpose.INVITATION, ORGANISATION, ROW) == TOKEN
    assert len(TOKEN) <= 104
    assert set(TOKEN) <= set(_ALPHABET + ".")


@pytest.mark.parametrize("purpose", Purpose)
@pytest.mark.parametrize("other", Purpose)
@pytest.mark.asvs("9.2.2")
def test_a_token_of_one_purpose_is_noise_for_every_other(purpose: Purpose, other: Purpose) -> None:
    token = SIGNER.sign(purpose, ORGANISATION, ROW)
    if purpose is other:
        assert SIGNER.read(other, token).token_id == ROW
    else:
        with pytest.raises(TokenInvalid):
            SIGNER.read(other, token)


def test_every_changed_character_is_noticed() -> None:
    for place, character in enumerate(TOKEN):
        for other in (_ALPHABET[(_ALPHABET + ".").index(character) - 1], ".", "=", "A", "\u00e9"):
            if other != character:
                _refused(TOKEN[:place] + other + TOKEN[place + 1 :])


@pytest.mark.parametrize("added", ["\u00e9", "\u00e9\u00e9", "=", "==", " ", "\n\n\n\n", "*", "."])
def test_what_decoders_pass_over_is_noticed(added: str) -> None:
    """Ids of zeros make a token short enough for something behind it."""
    token = SIGNER.sign(Purpose.INVITATION, UUID(int=0), UUID(int=0))
    assert len(token + added) < len(TOKEN), "it is not refused for its length"
    _refused(token + added)


def test_the_last_characters_spare_bits_are_noticed() -> None:
    """Base64 can write the same bytes in several ways; only one of them is the token."""
    alike = 0
    content, _, signature = TOKEN.rpartition(".")
    for other in _ALPHABET:
        written = signature[:-1] + other
        if written != signature and base64.urlsafe_b64decode(written + "=") == base64.urlsafe_b64decode(
            signature + "="
        ):
            alike += 1
            _refused(f"{content}.{written}")
    assert alike > 0, "there is another way to write it"


@pytest.mark.parametrize(
    "sloppy",
    [
        TOKEN + "=",
        TOKEN + "==",
        TOKEN + "A",
        " " + TOKEN,
        TOKEN + " ",
        TOKEN + "\n",
        TOKEN + "\x00",
        "\ufeff" + TOKEN,
        TOKEN[:20] + "\n" + TOKEN[20:],
        TOKEN.replace(".", "=."),
        TOKEN.replace(".", ".."),
        TOKEN.replace("-", "+").replace("_", "/") if set("-_") & set(TOKEN) else TOKEN + "/",
        TOKEN.swapcase(),
        TOKEN[:-1],
        TOKEN[1:],
        "." + TOKEN,
        TOKEN + "." + TOKEN,
        TOKEN.rpartition(".")[0],
        TOKEN.rpartition(".")[0] + ".",
        TOKEN.rpartition(".")[2],
        "",
        ".",
        "\ud800",
    ],
    ids=ascii,
)
def test_a_token_is_written_in_one_way_only(sloppy: str) -> None:
    _refused(sloppy)


@given(st.text(max_size=300))
def test_noise_is_refused_like_damage(noise: str) -> None:
    _refused(noise)


@given(st.binary(max_size=64))
def test_content_of_another_shape_is_noise_even_when_well_signed(raw: bytes) -> None:
    """Whoever signs something else with the same key makes no link with it."""
    serializer: URLSafeSerializer = SIGNER._rings[Purpose.INVITATION][0]
    content = base64.urlsafe_b64encode(raw).decode().rstrip("=")
    if len(raw) != 32:
        _refused(str(serializer.dumps(content)))
    for other in (len(raw), [content], {"a": content}, None, True):
        _refused(str(serializer.dumps(other)))


def test_the_first_key_signs_and_all_verify() -> None:
    both = TokenSigner([NEW, OLD])
    assert both.sign(Purpose.INVITATION, ORGANISATION, ROW) == TOKEN
    old = TokenSigner([OLD]).sign(Purpose.INVITATION, ORGANISATION, ROW)
    assert old != TOKEN
    for token in (TOKEN, old):
        assert both.read(Purpose.INVITATION, token).token_id == ROW
        assert TokenSigner([OLD, NEW]).read(Purpose.INVITATION, token).token_id == ROW


def test_a_removed_key_opens_nothing_any_more() -> None:
    old = TokenSigner([OLD]).sign(Purpose.INVITATION, ORGANISATION, ROW)
    _refused(old, TokenSigner([NEW]))
    _refused(TOKEN, TokenSigner([OLD]))


def test_signers_of_other_shapes_with_the_same_key_make_no_tokens() -> None:
    content = base64.urlsafe_b64encode(ORGANISATION.bytes + ROW.bytes).decode().rstrip("=")
    for forger in (
        URLSafeSerializer(NEW),
        URLSafeSerializer(NEW, salt="portal-access.invitation"),
        URLSafeTimedSerializer(NEW, salt="portal-access.invitation"),
    ):
        _refused(str(forger.dumps(content)))


def test_a_ring_without_keys_signs_nothing() -> None:
    with pytest.raises(ValueError, match="key"):
        TokenSigner([])
