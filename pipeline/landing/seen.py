"""What must be remembered of earlier rows of a batch: sorted runs of 64-bit hashes.

A row costs 16 bytes for finding duplicates and at most 12 for counting its (order, product)
pair. Runs are merged when they are of similar size, up to a limit that bounds the room a
merge takes.
"""

from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]
_Columns = tuple[npt.NDArray[np.generic], ...]

_MERGED_ROWS = 1_000_000


class _Runs:
    """Columns of equal length, sorted by the first, in a few runs."""

    def __init__(self) -> None:
        self.runs: list[_Columns] = []

    def add(self, columns: _Columns) -> None:
        """Take in columns that are sorted by the first one."""
        if len(columns[0]) == 0:
            return
        self.runs.append(columns)
        while len(self.runs) > 1 and self._last_two_fit():
            older, newer = self.runs[-2:]
            joined = tuple(np.concatenate(pair) for pair in zip(older, newer, strict=True))
            order = np.argsort(joined[0], kind="stable")
            self.runs[-2:] = [tuple(column[order] for column in joined)]

    def _last_two_fit(self) -> bool:
        older, newer = len(self.runs[-2][0]), len(self.runs[-1][0])
        return older <= 2 * newer and older + newer <= _MERGED_ROWS


def _find(run: _Columns, first: Hashes, second: Hashes | None) -> tuple[Flags, npt.NDArray[np.intp]]:
    """Which hashes the run has, and where."""
    firsts = run[0]
    at = np.searchsorted(firsts, first)
    inside = np.minimum(at, len(firsts) - 1)
    found = firsts[inside] == first
    if second is None:
        return found, inside
    unequal = found & (run[1][inside] != second)
    while unequal.any():  # another row with the same first half: look at its neighbour
        inside[unequal] += 1
        stepped = np.minimum(inside, len(firsts) - 1)
        still = (inside < len(firsts)) & (firsts[stepped] == first)
        inside = stepped
        found &= ~unequal | still
        unequal &= found & (run[1][inside] != second)
    return found, inside


@dataclass(frozen=True)
class Groups:
    """Equal 128-bit hashes of one chunk: sorted, the first of each, and which each row is in."""

    firsts: npt.NDArray[np.intp]
    inverse: npt.NDArray[np.intp]


def group(first: Hashes, second: Hashes) -> Groups:
    """Group equal hashes: the groups in the order of the hashes, and of each its earliest row."""
    order = np.argsort(first)
    same_first = first[order][1:] == first[order][:-1]
    starts = np.ones(len(order), dtype=np.bool_)
    starts[1:] = ~same_first | (second[order][1:] != second[order][:-1])
    if (starts[1:] & same_first).any():  # equal first halves of unequal rows: sort by both
        order = np.lexsort((second, first))
        starts[1:] = (first[order][1:] != first[order][:-1]) | (second[order][1:] != second[order][:-1])
    inverse = np.empty(len(order), dtype=np.intp)
    inverse[order] = np.cumsum(starts) - 1
    firsts = order if starts.all() else np.minimum.reduceat(order, np.flatnonzero(starts))
    return Groups(firsts, inverse)


class SeenRows:
    """The rows of a batch so far, by 128 bits of hash.

    They are sorted when a row comes that may equal one of them: in many files none does.
    """

    def __init__(self) -> None:
        self._runs = _Runs()
        self._unsorted: list[tuple[Hashes, Hashes]] = []

    def add_new(self, first: Hashes, second: Hashes) -> None:
        """Remember rows that surely equal no earlier one, nor each other."""
        self._unsorted.append((first, second))

    def repeats(self, first: Hashes, second: Hashes) -> Flags:
        """Which rows equal an earlier row of this chunk or of an earlier one; remembers them all."""
        for columns in self._unsorted:
            order = np.argsort(columns[0])
            self._runs.add(tuple(column[order] for column in columns))
        self._unsorted.clear()
        groups = group(first, second)
        firsts, seconds = first[groups.firsts], second[groups.firsts]
        known = np.zeros(len(firsts), dtype=np.bool_)
        for run in self._runs.runs:
            known |= _find(run, firsts, seconds)[0]
        self._runs.add((firsts[~known], seconds[~known]))
        repeated = np.ones(len(first), dtype=np.bool_)
        repeated[groups.firsts[~known]] = False
        return repeated


class PairCounts:
    """How often each (order, product) pair has come up in a batch, by 64 bits of hash."""

    def __init__(self) -> None:
        self._runs = _Runs()

    def occurrences(self, pairs: Hashes) -> npt.NDArray[np.int32]:
        """The 1-based number of each pair's appearance, counting earlier chunks; remembers them."""
        order = np.argsort(pairs)
        ordered = pairs[order]
        starts = np.ones(len(order), dtype=np.bool_)
        starts[1:] = ordered[1:] != ordered[:-1]
        if not starts.all():  # appearances of one pair are numbered in the order of the rows
            shared = ~starts
            shared[:-1] |= ~starts[1:]
            members = order[shared]
            order[shared] = members[np.lexsort((members, pairs[members]))]
        start_at = np.flatnonzero(starts)
        sizes = np.diff(start_at, append=len(order)).astype(np.int32)
        distinct = ordered[start_at]
        before = self._counts_before(distinct, sizes)
        within = np.arange(len(order), dtype=np.int32) - np.repeat(start_at, sizes).astype(np.int32)
        numbers = np.empty(len(order), dtype=np.int32)
        numbers[order] = within + 1 + np.repeat(before, sizes)
        return numbers

    def _counts_before(self, distinct: Hashes, sizes: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        before = np.zeros(len(distinct), dtype=np.int32)
        known = np.zeros(len(distinct), dtype=np.bool_)
        for run in self._runs.runs:
            found, at = _find(run, distinct, None)
            counts = cast(npt.NDArray[np.int32], run[1])
            before[found] = counts[at[found]]
            counts[at[found]] += sizes[found]
            known |= found
        self._runs.add((distinct[~known], sizes[~known]))
        return before


class KnownVersions:
    """The product (or customer) versions of a batch so far: 128 bits of hash, and the key of each."""

    def __init__(self) -> None:
        self._runs = _Runs()

    def find(self, first: Hashes, second: Hashes) -> tuple[Flags, npt.NDArray[np.int64]]:
        """Which versions are known, and their keys (0 where not)."""
        known = np.zeros(len(first), dtype=np.bool_)
        keys = np.zeros(len(first), dtype=np.int64)
        for run in self._runs.runs:
            found, at = _find(run, first, second)
            keys[found] = run[2][at[found]]
            known |= found
        return known, keys

    def add(self, first: Hashes, second: Hashes, keys: npt.NDArray[np.int64]) -> None:
        """Remember versions that are not known yet."""
        order = np.argsort(first, kind="stable")
        self._runs.add((first[order], second[order], keys[order]))
