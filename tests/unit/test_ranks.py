"""The rank test behind `make soak`, against numbers worked out elsewhere."""

import random

import pytest

from tests.soak.ranks import probability_of_one_kind


def test_equal_samples_are_of_one_kind() -> None:
    assert probability_of_one_kind([1, 2, 3, 4], [1, 2, 3, 4]) == pytest.approx(1)
    assert probability_of_one_kind([5.0] * 30, [5.0] * 30) == 1


def test_a_sample_worked_by_hand() -> None:
    """No ties: U = 0, mean 12.5, variance 25 * 11 / 12; z = (12.5 - 0.5) / sqrt(22.9167) = 2.5067."""
    assert probability_of_one_kind([1, 2, 3, 4, 5], [6, 7, 8, 9, 10]) == pytest.approx(0.01219, abs=1e-5)


def test_ties_by_hand() -> None:
    """Ranks 1, 3, 3 and 3, 5.5, 5.5: U = 1, variance 9/12 * (7 - 30/30) = 4.5; z = (4.5 - 1 - 0.5) / 2.1213."""
    assert probability_of_one_kind([1, 2, 2], [2, 3, 3]) == pytest.approx(0.15730, abs=1e-5)


def test_it_is_the_same_both_ways() -> None:
    one, other = [1.0, 4.0, 4.0, 9.0], [2.0, 3.0, 4.0, 11.0]
    assert probability_of_one_kind(one, other) == probability_of_one_kind(other, one)


def test_a_tenth_of_a_deviation_hides_and_half_of_one_does_not() -> None:
    source = random.Random(7)
    plain = [source.gauss(0, 1) for _ in range(500)]
    assert probability_of_one_kind(plain, [source.gauss(0, 1) for _ in range(500)]) > 0.01
    assert probability_of_one_kind(plain, [source.gauss(0.5, 1) for _ in range(500)]) < 1e-6


def test_one_slow_answer_decides_nothing() -> None:
    source = random.Random(8)
    one, other = ([source.gauss(0, 1) for _ in range(500)] for _ in range(2))
    assert probability_of_one_kind([*one, 1e9], other) == pytest.approx(probability_of_one_kind(one, other), abs=0.05)
