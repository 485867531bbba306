"""The chain of seals by itself: what a seal says cannot be said otherwise under the same name."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from app.domain.seals import COVERED, Moment, Place, Seal, SealedEntry, SealKind, pack, unpack
from app.ids import new_id
from app.seal_keys import SealSigner, SealVerifier

NOW = datetime(2026, 11, 23, 12, 0, 0, 123456, UTC)
ORGANISATION = UUID("0199d8a0-0000-7000-8000-000000000002")
FIRST = Seal.before_all(ORGANISATION)
_FIELDS = [field.name for field in fields(Seal) if field.name != "signature"]


def entries(count: int = 3) -> list[SealedEntry]:
    rows = [dict.fromkeys(COVERED) | {"id": new_id(), "occurred_at": NOW + timedelta(hours=n)} for n in range(count)]
    return [SealedEntry.of(row) for row in rows]


def sealed(listed: list[SealedEntry], after: Seal = FIRST, oldest: int = 800) -> Seal:
    return after.with_entries(listed, Place.first_of(oldest), Moment(oldest, oldest + 5, NOW))


def test_a_list_is_read_as_it_was_written() -> None:
    listed = entries()
    assert unpack(pack(listed)) == listed
    assert unpack(pack([])) == []


@pytest.mark.parametrize("column", COVERED)
def test_every_column_of_an_entry_is_in_its_digest(column: str) -> None:
    row = dict.fromkeys(COVERED) | {"id": new_id(), "occurred_at": NOW, "payload": "{}"}
    other = {"id": new_id(), "occurred_at": NOW + timedelta(microseconds=1)}
    assert SealedEntry.of(row).digest != SealedEntry.of(row | {column: other.get(column, "null")}).digest


@pytest.mark.parametrize("field", _FIELDS)
def test_all_that_a_seal_says_is_in_its_name_and_under_its_signature(field: str) -> None:
    seal = sealed(entries())
    other = replace(seal, **{field: "otherwise"})
    signer = SealSigner(["a secret"])
    assert other.digest() != seal.digest()
    assert signer.verifier.genuine(seal.content(), signer.sign(seal.content()))
    assert not signer.verifier.genuine(other.content(), signer.sign(seal.content()))


def test_a_seal_follows_no_other_than_the_one_before() -> None:
    one = sealed(entries())
    two = sealed(entries(), one)
    three = sealed([], two)
    assert one.follows(FIRST)
    assert two.follows(one)
    assert three.follows(two)
    assert not three.follows(one)
    assert not two.follows(replace(one, entries=2))
    assert not two.follows(sealed(entries()))
    assert not one.follows(Seal.before_all(new_id()))


def test_a_seal_tells_what_its_list_spans_and_how_far_the_log_has_come() -> None:
    listed = entries()
    one = sealed(listed)
    assert (one.entries, one.first_at, one.last_at) == (3, NOW, NOW + timedelta(hours=2))
    assert (one.begins, one.ends) == (Place.first_of(0), Place.first_of(800))
    two = sealed(listed[:1], one)
    assert two.begins == one.ends
    assert (two.last_at, two.newest_at) == (NOW, NOW + timedelta(hours=2))


def test_an_entry_of_a_transaction_that_began_after_a_seal_cannot_be_older_than_it() -> None:
    seal = sealed(entries())  # no transaction from 805 on had begun
    hour, second = timedelta(hours=1), timedelta(seconds=1)
    assert seal.contradicts(805, NOW - hour)
    assert not seal.contradicts(804, NOW - hour), "it ran already"
    assert not seal.contradicts(805, NOW - second), "clocks are set"
    assert not FIRST.contradicts(805, NOW - hour)


def test_the_place_after_a_transactions_last_possible_entry_is_the_next_transactions_first() -> None:
    assert Place(7, UUID(int=2**128 - 1)).next == Place.first_of(8)
    assert Place(7, UUID(int=4)).next == Place(7, UUID(int=5))
    assert Place(7, UUID(int=2**128 - 1)) < Place.first_of(8) < Place.first_of(8).next


def test_retention_never_seems_to_have_removed_less_than_before() -> None:
    year, month = NOW - timedelta(days=365), NOW - timedelta(days=30)
    one = sealed(entries()).with_removal(entries(), month, NOW)
    two = one.with_removal([], year, NOW)
    assert (one.kind, one.ends, one.removed_before) == (SealKind.REMOVAL, Place.first_of(800), month)
    assert two.removed_before == month
    assert two.keeps(month)
    assert not two.keeps(month - timedelta(microseconds=1))


def test_where_the_transactions_numbers_begin_anew_the_order_does() -> None:
    seal = sealed(entries(), oldest=10_000)
    elsewhere = Moment(40, 41, NOW + timedelta(days=1))
    assert seal.outlived(elsewhere)
    assert not seal.outlived(Moment(10_000, 10_001, NOW))
    restart = seal.restarted(elsewhere)
    assert (restart.kind, restart.ends, restart.since) == (SealKind.RESTART, Place.first_of(0), seal.newest_at)
    assert not restart.covers(NOW + timedelta(hours=2)), "that has its seal from before"
    assert restart.covers(NOW + timedelta(hours=2, microseconds=1))


def test_the_first_key_signs_and_all_of_them_verify() -> None:
    old, both = SealSigner(["an old key"]), SealSigner(["a new key", "an old key"])
    new = SealSigner(["a new key"])
    assert both.sign(b"x") == new.sign(b"x")
    assert both.verifier.genuine(b"x", old.sign(b"x"))
    assert not new.verifier.genuine(b"x", old.sign(b"x"))


def test_an_auditor_needs_no_secret() -> None:
    signer = SealSigner(["a secret"])
    verifier = SealVerifier.reading(signer.verifier.public_keys)
    assert verifier.genuine(b"x", signer.sign(b"x"))
    assert not verifier.genuine(b"x", signer.sign(b"y"))


@pytest.mark.parametrize("noise", ["", "noise", "AAAA", "é", "A" * 43])
def test_what_is_no_key_is_refused(noise: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        SealVerifier.reading([noise])
