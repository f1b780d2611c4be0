"""GTID sets behave as sets, for any sets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waybill.gtid import Gtid, GtidSet

LINES = [("aaaaaaaa-0000-0000-0000-000000000001", ""), ("aaaaaaaa-0000-0000-0000-000000000001", "blue"),
         ("bbbbbbbb-0000-0000-0000-000000000002", "")]  # fmt: skip
gtids = st.builds(lambda line, n: Gtid(*line, n), st.sampled_from(LINES), st.integers(1, 40))
groups = st.frozensets(gtids, max_size=60)


def _members(found: GtidSet) -> frozenset[Gtid]:
    return frozenset(
        Gtid(*line, n) for line, spans in found.lines() for first, last in spans for n in range(first, last + 1)
    )


@given(groups, groups)
def test_union_difference_and_order_are_those_of_sets(a: frozenset[Gtid], b: frozenset[Gtid]) -> None:
    left, right = GtidSet.of(a), GtidSet.of(b)
    assert _members(left | right) == a | b
    assert _members(left - right) == a - b
    assert (left <= right) == (a <= b)
    assert left.count() == len(a)


@given(groups)
def test_text_and_back_is_the_same_set(a: frozenset[Gtid]) -> None:
    assert GtidSet.parse(str(GtidSet.of(a))) == GtidSet.of(a)


@given(groups, gtids)
def test_membership_is_that_of_sets(a: frozenset[Gtid], one: Gtid) -> None:
    assert (one in GtidSet.of(a)) == (one in a)


@pytest.mark.parametrize(
    "text", ["x:1", "aaaaaaaa-0000-0000-0000-000000000001", "aaaaaaaa-0000-0000-0000-000000000001:0", ""]
)
def test_what_is_no_gtid_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a GTID"):
        Gtid.parse(text)
