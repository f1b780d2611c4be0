"""Whose partition it is: decided before a row is copied."""

from __future__ import annotations

from dataclasses import replace

import pytest

from loaders.positions import chains, stale
from waybill.errors import WaybillError
from waybill.objects import StoredBatch
from waybill.positions import Position

BATCH = StoredBatch(1, "parcel_raw", "k", "t", "id", 0, 1, 7, 10, 20, 10, 0, 100, "sha")
POSITION = Position("t", "id", 0, 1, 7, 10, "me")


def test_batches_that_follow_each_other_are_one_chain_a_partition() -> None:
    second, other = replace(BATCH, batch_id=2, first_offset=20, next_offset=25), replace(BATCH, batch_id=3, partition=1)
    assert chains([BATCH, other, second]) == {("t", 0): [BATCH, second], ("t", 1): [other]}


@pytest.mark.parametrize("second", [replace(BATCH, first_offset=21), replace(BATCH, first_offset=20, epoch=8)])
def test_a_gap_or_a_change_of_owner_between_batches_is_refused(second: StoredBatch) -> None:
    with pytest.raises(WaybillError, match="do not follow"):
        chains([BATCH, second])


@pytest.mark.parametrize(
    "position",
    [
        replace(POSITION, epoch=8),
        replace(POSITION, next_offset=20),
        replace(POSITION, next_offset=0),
        replace(POSITION, generation=2),
        replace(POSITION, topic_id="other"),
        replace(POSITION, partition=1),
    ],
)
def test_a_batch_whose_position_stands_elsewhere_is_stale(position: Position) -> None:
    assert list(stale({("t", 0): [BATCH]}, [position])) == [("t", 0)]


def test_a_batch_that_begins_where_its_owner_stands_is_not_stale() -> None:
    assert stale({("t", 0): [BATCH]}, [POSITION]) == {}
