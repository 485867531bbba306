"""Passwords: length in characters, nothing common, nothing of the context, and never more hashes than there is room."""

import asyncio
import time
from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher, extract_parameters

from app.errors import PasswordTooCommon, PasswordTooLong, PasswordTooShort, PortalError, TemporarilyUnavailable
from app.passwords import Passwords, check_length

GOOD = "seven warm radiators"
CONTEXT = ("Jan Peeters", "20019188", "Zonneveld Warmte", "jan.peeters@mailbox.example")


@pytest.fixture(scope="module")
def passwords() -> Iterator[Passwords]:
    made = Passwords()
    yield made
    made.close()


def _hash(passwords: Passwords, password: str, context: tuple[str, ...] = ()) -> str:
    return asyncio.run(passwords.hash(password, context))


def _refused(passwords: Passwords, password: str, kind: type[PortalError], context: tuple[str, ...] = ()) -> None:
    with pytest.raises(kind):
        _hash(passwords, password, context)


@pytest.mark.parametrize("character", ["x", "é", "李", "😀", "\u0301"], ids=ascii)
@pytest.mark.asvs("6.2.1", "6.2.9")
def test_length_counts_characters_not_bytes(character: str) -> None:
    check_length(character * 12)
    check_length(character * 256)
    with pytest.raises(PasswordTooShort):
        check_length(character * 11)
    with pytest.raises(PasswordTooLong):
        check_length(character * 257)


def test_what_is_hashed_is_verified_whole(passwords: Passwords) -> None:
    longest = (GOOD + " 李").ljust(256, "é")
    digest = _hash(passwords, longest)
    assert asyncio.run(passwords.verify(longest, digest))
    assert not asyncio.run(passwords.verify(longest[:-1], digest)), "nothing is cut off"
    assert not asyncio.run(passwords.verify(longest[:-1] + "x", digest))
    assert not asyncio.run(passwords.verify(longest + "x", digest))


@pytest.mark.asvs("6.2.5", "6.2.8")
def test_a_password_is_taken_as_it_is(passwords: Passwords) -> None:
    digest = _hash(passwords, "  Seven Warm Radiators  ")
    for other in ("Seven Warm Radiators", "  seven warm radiators  ", "  Seven Warm Radiators"):
        assert not asyncio.run(passwords.verify(other, digest))


@pytest.mark.parametrize(
    "common",
    [
        "passwordpassword",
        "password1234",
        "123456789012",
        "1234567890123456",
        "qwertyuiop123",
        "qwertyuiopasdfgh",
        "aaaaaaaaaaaaaaaa",
        "abcabcabcabc",
        "iloveyouiloveyou",
        "Password1234",
        "p4ssw0rdp4ssw0rd",
    ],
)
@pytest.mark.asvs("6.2.4")
def test_a_common_password_is_refused(passwords: Passwords, common: str) -> None:
    _refused(passwords, common, PasswordTooCommon)


@pytest.mark.parametrize(
    "guessable",
    [
        "zonneveld warmte",
        "ZonneveldWarmte",
        "Zonneveld2026",
        "Zonneveld Warmte 1",
        "peeters20019188",
        "Jan Peeters 1",
        "JanPeeters20019188",
        "2001918820019188",
        "20019188-2026",
        "jan.peeters@mailbox.example",
        "Mailbox.Example1",
        "peeterspeeters",
        "warmtewarmte1",
    ],
)
@pytest.mark.asvs("6.2.11")
def test_words_of_the_context_are_refused(passwords: Passwords, guessable: str) -> None:
    _refused(passwords, guessable, PasswordTooCommon, CONTEXT)


@pytest.mark.parametrize(
    "fine",
    [
        GOOD,
        "purple monkey dishwasher lamp",
        "Jan walks home by the old canal",
        "vijf groene kanaries zwemmen",
        "ÄÖÜ flöten im wald",
    ],
)
@pytest.mark.asvs("6.2.5")
def test_a_passphrase_is_fine(passwords: Passwords, fine: str) -> None:
    assert _hash(passwords, fine, CONTEXT).startswith("$argon2id$")


def test_an_empty_context_word_refuses_nothing(passwords: Passwords) -> None:
    assert _hash(passwords, GOOD, ("", " ", "@", "."))


def test_a_megabyte_is_refused_at_once(passwords: Passwords) -> None:
    started = time.perf_counter()
    _refused(passwords, "x" * 1_000_000, PasswordTooLong, CONTEXT)
    assert not asyncio.run(passwords.verify("x" * 1_000_000, _hash(passwords, GOOD)))
    assert time.perf_counter() - started < 10  # without a limit it takes minutes


def test_a_password_of_256_characters_is_judged_fast(passwords: Passwords) -> None:
    started = time.perf_counter()
    for password in ("ab" * 128, "qwerty" * 42, "1a" * 128):
        try:
            _hash(passwords, password, CONTEXT)
        except PasswordTooCommon:
            continue
    assert time.perf_counter() - started < 10


def test_hashes_are_argon2id_as_strong_as_owasp_asks(passwords: Passwords) -> None:
    first, second = _hash(passwords, GOOD), _hash(passwords, GOOD)
    assert first != second, "each has its own salt"
    found = extract_parameters(first)
    assert found.type.name == "ID"
    assert (found.memory_cost, found.time_cost, found.parallelism) >= (19 * 1024, 2, 1)
    assert found.salt_len >= 16
    assert GOOD not in first


def test_a_hash_of_lower_parameters_is_made_anew_after_login(passwords: Passwords) -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1).hash(GOOD)
    assert asyncio.run(passwords.verify(GOOD, weak))
    stronger = asyncio.run(passwords.rehash(GOOD, weak))
    assert stronger is not None
    assert asyncio.run(passwords.verify(GOOD, stronger))
    assert asyncio.run(passwords.rehash(GOOD, stronger)) is None


def test_nobody_has_no_password_and_takes_as_long(passwords: Passwords) -> None:
    assert not asyncio.run(passwords.verify(GOOD, None))
    assert not asyncio.run(passwords.verify("nobody's password, verified when there is no account", None))


@pytest.mark.parametrize("damaged", ["", "noise", "$argon2id$v=19$m=19456,t=2,p=1$", "$2b$12$abc", "plain text"])
def test_a_damaged_hash_fits_no_password(passwords: Passwords, damaged: str) -> None:
    assert not asyncio.run(passwords.verify(GOOD, damaged))


def test_whoever_finds_no_place_in_the_queue_is_told_to_come_back() -> None:
    passwords = Passwords(concurrency=1, queue=1)

    async def crowd() -> list[object]:
        return list(await asyncio.gather(*(passwords.hash(GOOD) for _ in range(6)), return_exceptions=True))

    answers = asyncio.run(crowd())
    assert sum(isinstance(answer, str) for answer in answers) == 2
    assert sum(isinstance(answer, TemporarilyUnavailable) for answer in answers) == 4
    assert isinstance(asyncio.run(passwords.hash(GOOD)), str), "the places are free again"
    passwords.close()


def test_several_hashes_for_one_password_take_as_many_places() -> None:
    passwords = Passwords(concurrency=1, queue=3)
    digest = _hash(passwords, GOOD)
    hashes = [digest, None, "$argon2id$noise", digest]

    async def crowd() -> list[object]:
        calls = (passwords.verify_each(GOOD, hashes), passwords.verify(GOOD, digest))
        return list(await asyncio.gather(*calls, return_exceptions=True))

    several, one = asyncio.run(crowd())
    assert several == [True, False, False, True]
    assert isinstance(one, TemporarilyUnavailable)
    assert asyncio.run(passwords.verify_each(GOOD, hashes * 2)) == [True, False, False, True] * 2, "alone, they fit in"
    passwords.close()


def test_nobody_waits_for_a_turn_without_end() -> None:
    passwords = Passwords(concurrency=1, queue=100, longest_wait=0.05)

    async def crowd() -> list[object]:
        return list(await asyncio.gather(*(passwords.hash(GOOD) for _ in range(40)), return_exceptions=True))

    answers = asyncio.run(crowd())
    assert {type(answer) for answer in answers} == {str, TemporarilyUnavailable}
    assert isinstance(asyncio.run(passwords.hash(GOOD)), str), "the turn is free again"
    passwords.close()


def test_a_refused_password_gives_its_place_back() -> None:
    passwords = Passwords(concurrency=1, queue=0)
    for _ in range(3):
        _refused(passwords, "passwordpassword", PasswordTooCommon)
    assert _hash(passwords, GOOD)
    passwords.close()


def test_a_refusal_never_repeats_the_password(passwords: Passwords) -> None:
    with pytest.raises(PasswordTooCommon) as refused:
        _hash(passwords, "passwordpassword")
    assert "passwordpassword" not in f"{refused.value!r} {refused.value.errors!r} {refused.value.detail}"
