"""Whether two samples of times could be of one kind: the rank test of Mann and Whitney (1947).

Ranks instead of means, because times have long tails: one slow answer must not decide.
"""

from collections import Counter
from collections.abc import Sequence
from math import erfc, sqrt


def probability_of_one_kind(one: Sequence[float], other: Sequence[float]) -> float:
    """Two-sided p by the normal approximation, corrected for ties and continuity; exact enough from 20 samples on."""
    pooled = sorted([*one, *other])
    rank = _midranks(pooled)
    many, more = len(one), len(other)
    both = many + more
    u = sum(rank[value] for value in one) - many * (many + 1) / 2
    ties = sum(count**3 - count for count in Counter(pooled).values())
    variance = many * more / 12 * (both + 1 - ties / (both * (both - 1)))
    if variance == 0:
        return 1.0  # all are the same
    z = max(abs(u - many * more / 2) - 0.5, 0) / sqrt(variance)
    return erfc(z / sqrt(2))


def _midranks(pooled: Sequence[float]) -> dict[float, float]:
    """The rank of each value from 1 on; equal ones share the middle of theirs."""
    ranks: dict[float, float] = {}
    before = 0
    for value, count in sorted(Counter(pooled).items()):
        ranks[value] = before + (count + 1) / 2
        before += count
    return ranks
