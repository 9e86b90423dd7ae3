"""What is remembered across chunks, against a plain computation."""

from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.landing import seen
from pipeline.landing.keys import version_key
from pipeline.landing.seen import KnownVersions, PairCounts, SeenRows, group

# Few values, so that they repeat, and equal first halves of unequal hashes occur.
CHUNKS = st.lists(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), max_size=30), max_size=12)


def halves(rows: list[tuple[int, int]]) -> tuple[seen.Hashes, seen.Hashes]:
    array = np.array(rows, dtype=np.uint64).reshape(-1, 2)
    return array[:, 0].copy(), array[:, 1].copy()


@settings(max_examples=200, deadline=None)
@given(CHUNKS)
def test_repeats_are_found_within_and_across_chunks(chunks: list[list[tuple[int, int]]]) -> None:
    known: set[tuple[int, int]] = set()
    rows = SeenRows()
    for chunk in chunks:
        expected = []
        for row in chunk:
            expected.append(row in known)
            known.add(row)
        if any(expected):
            assert rows.repeats(*halves(chunk)).tolist() == expected
        else:
            rows.add_new(*halves(chunk))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(st.integers(0, 8), max_size=30), max_size=12))
def test_occurrences_count_on_across_chunks(chunks: list[list[int]]) -> None:
    counts: Counter[int] = Counter()
    pairs = PairCounts()
    for chunk in chunks:
        expected = []
        for pair in chunk:
            counts[pair] += 1
            expected.append(counts[pair])
        assert pairs.occurrences(np.array(chunk, dtype=np.uint64)).tolist() == expected


@settings(max_examples=200, deadline=None)
@given(CHUNKS)
def test_versions_keep_their_keys(chunks: list[list[tuple[int, int]]]) -> None:
    keys: dict[tuple[int, int], int] = {}
    versions = KnownVersions()
    for chunk in chunks:
        first, second = halves(chunk)
        groups = group(first, second)
        firsts, seconds = first[groups.firsts], second[groups.firsts]
        known, found = versions.find(firsts, seconds)
        pairs = list(zip(firsts.tolist(), seconds.tolist(), strict=True))
        assert known.tolist() == [pair in keys for pair in pairs]
        assert found.tolist() == [keys.get(pair, 0) for pair in pairs]
        new = np.arange(len(keys) + 1, len(keys) + 1 + int((~known).sum()), dtype=np.int64)
        versions.add(firsts[~known], seconds[~known], new)
        keys |= dict(zip([pair for pair in pairs if pair not in keys], new.tolist(), strict=True))
        assert [pairs[at] for at in groups.inverse.tolist()] == chunk


def test_a_row_costs_at_most_32_bytes() -> None:
    rng = np.random.default_rng(1)
    rows, pairs = SeenRows(), PairCounts()
    for _ in range(20):
        rows.repeats(
            rng.integers(0, 2**63, 10_000, dtype=np.uint64), rng.integers(0, 2**63, 10_000, dtype=np.uint64)
        )
        pairs.occurrences(rng.integers(0, 2**63, 10_000, dtype=np.uint64))
    runs = [*rows._runs.runs, *pairs._runs.runs]
    assert sum(column.nbytes for run in runs for column in run) == 200_000 * 28
    assert len(runs) < 12


def test_version_keys_are_the_same_for_ever() -> None:
    assert version_key(["P123", "UltraBoost Running Shoes", "Shoes"]) == -6232706125242270886
    assert version_key(["C456", "John Smith", None, "x"]) != version_key(["C456", "John Smith", "", "x"])
    assert version_key(["ab", "c"]) != version_key(["a", "bc"])
