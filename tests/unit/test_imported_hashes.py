"""Hashes of older systems: accepted within bounds, verified as their own system did, made anew by a login."""

import asyncio
from collections.abc import Iterator

import bcrypt
import pytest

from app.errors import ValidationFailed
from app.imported_hashes import check_imported_hash
from app.passwords import Passwords

GOOD = "seven warm radiators"
BCRYPT = "$2b$04$nmoOr.hGj.jc42AmHMcKI.JBesRxAG9NoONUqrOwm4M8DULOMFzHG"
PBKDF2 = "pbkdf2_sha256$1000$lPFgsQ7CfDZbRsdaQiRFRw$gMv+nWz9bQf2T8Sc4dSMJ9cHGfCZ1EfgoovVq+s93XE="
ARGON2 = "$argon2id$v=19$m=1024,t=1,p=2$bk4rxnAbkPzjj0U0mfJhYw$HbIFHxNJlewSBHG746JXT69WS3IQL96WLS1h3JBjXnY"

# As other programs wrote them: Django's test suite, the reference implementation of argon2, crypt_blowfish's tests.
WRITTEN_ELSEWHERE = [
    ("lètmein", "pbkdf2_sha256$10000$seasalt$CWWFdHOWwPnki7HvkcqN9iA2T3KLW1cf2uZ5kvArtVY="),
    ("password", "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"),
    ("U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
    ("U*U", "$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
]
OWN = [BCRYPT, BCRYPT.replace("$2b$", "$2a$"), BCRYPT.replace("$2b$", "$2y$"), PBKDF2, ARGON2]


def short(text: object) -> str:
    """Enough of a hash to name a test by."""
    return str(text)[:32]


@pytest.fixture(scope="module")
def passwords() -> Iterator[Passwords]:
    made = Passwords()
    yield made
    made.close()


@pytest.mark.parametrize(("password", "digest"), [*((GOOD, one) for one in OWN), *WRITTEN_ELSEWHERE], ids=short)
def test_a_hash_of_an_older_system_is_accepted_verified_and_made_anew(
    passwords: Passwords, password: str, digest: str
) -> None:
    check_imported_hash(digest)
    assert asyncio.run(passwords.verify(password, digest))
    for wrong in (password[:-1], password + " ", password.swapcase(), ""):
        assert not asyncio.run(passwords.verify(wrong, digest))
    ours = asyncio.run(passwords.rehash(password, digest))
    assert ours is not None
    assert ours.startswith("$argon2id$")
    assert asyncio.run(passwords.verify(password, ours))
    assert asyncio.run(passwords.rehash(password, ours)) is None


def test_bcrypt_knows_72_bytes_and_the_hash_that_takes_its_place_knows_all(passwords: Passwords) -> None:
    longer = GOOD.ljust(71, "x") + "é and more"  # its 72nd byte is half a letter
    digest = bcrypt.hashpw(longer.encode()[:72], bcrypt.gensalt(4)).decode()
    assert asyncio.run(passwords.verify(longer, digest))
    assert asyncio.run(passwords.verify(longer + "!", digest)), "as the older system saw it"
    assert not asyncio.run(passwords.verify(GOOD.ljust(72, "x"), digest))
    ours = asyncio.run(passwords.rehash(longer, digest))
    assert asyncio.run(passwords.verify(longer, ours))
    assert not asyncio.run(passwords.verify(longer + "!", ours))


@pytest.mark.parametrize("digest", OWN, ids=short)
def test_an_endless_password_costs_no_hash(passwords: Passwords, digest: str) -> None:
    assert not asyncio.run(passwords.verify("x" * 1_000_000, digest))


@pytest.mark.parametrize(
    ("digest", "words"),
    [
        (BCRYPT.replace("$04$", "$15$"), "cost of at most 14"),
        (BCRYPT.replace("$04$", "$31$"), "cost of at most 14"),
        (PBKDF2.replace("$1000$", "$2000001$"), "at most 2000000 iterations"),
        (PBKDF2.replace("$1000$", "$9999999999$"), "at most 2000000 iterations"),
        (ARGON2.replace("m=1024", "m=262145"), "262144 KiB"),
        (ARGON2.replace("t=1", "t=11"), "10 passes"),
        (ARGON2.replace("p=2", "p=17"), "16 lanes"),
    ],
    ids=short,
)
def test_a_hash_that_would_take_minutes_is_refused(digest: str, words: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        check_imported_hash(digest)
    assert words in refused.value.errors[0].message


@pytest.mark.parametrize(
    "digest",
    [
        BCRYPT.replace("$04$", "$14$"),
        PBKDF2.replace("$1000$", "$2000000$"),
        ARGON2.replace("m=1024,t=1,p=2", "m=262144,t=10,p=16"),
    ],
    ids=short,
)
def test_a_hash_at_the_bound_is_accepted(digest: str) -> None:
    check_imported_hash(digest)


@pytest.mark.parametrize(
    "noise",
    [
        "",
        GOOD,
        "5f4dcc3b5aa765d61d8327deb882cf99",
        "sha1$salt$0beec7b5ea3f0fdbc95d0dd47f3c5bc275da8a33",
        PBKDF2.replace("sha256", "sha1"),
        PBKDF2.replace("$1000$", "$0$"),
        PBKDF2.replace("$1000$", "$-1$"),
        PBKDF2.replace("$1000$", "$01000$"),
        PBKDF2.replace("lPFgsQ7CfDZbRsdaQiRFRw", ""),
        PBKDF2.replace("lPFgsQ7CfDZbRsdaQiRFRw", "a b"),
        PBKDF2[:-1],
        PBKDF2 + "\n",
        BCRYPT.replace("$2b$", "$2x$"),
        BCRYPT.replace("$04$", "$03$"),
        BCRYPT[:-1],
        BCRYPT + "x",
        BCRYPT[:28] + "/" + BCRYPT[29:],
        ARGON2.replace("v=19", "v=16"),
        ARGON2.replace("m=1024", "m=8"),
        ARGON2.replace("m=1024", "m=0"),
        ARGON2.replace("m=1024", "m=01024"),
        ARGON2.replace("p=2", "p=2,keyid=AAAA"),
        ARGON2[:-1],
        "$argon2id$v=19$m=19456,t=2,p=1$",
        "٣" * 40,
    ],
    ids=ascii,
)
def test_what_is_no_such_hash_is_refused_without_repeating_it(noise: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        check_imported_hash(noise)
    [error] = refused.value.errors
    assert error.field == "passwordHash"
    assert not noise or noise not in f"{refused.value!r} {error} {refused.value.detail}"
