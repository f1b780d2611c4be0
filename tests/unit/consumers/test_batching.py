"""A micro-batch closes on rows, bytes or seconds, and batches follow each other without a gap."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from consumers.batching import Batcher
from consumers.messages import Message, Messages
from consumers.settings import Batching


def add(batcher: Batcher, *offsets: int, size: int = 10, now: float = 0.0) -> None:
    for offset in offsets:
        batcher.add(Message(offset, 0, None, b"x" * size), now)


def test_it_closes_on_rows() -> None:
    batcher = Batcher(Batching(rows=3, seconds=60), 0, 0.0)
    add(batcher, 0, 1, 2, 3)
    assert [(b.first_offset, b.next_offset) for b in batcher.closed] == [(0, 3)]


def test_it_closes_on_bytes() -> None:
    batcher = Batcher(Batching(rows=100, bytes=1024, seconds=60), 0, 0.0)
    add(batcher, 0, 1, 2, size=400)
    assert [(b.first_offset, b.next_offset, b.size) for b in batcher.closed] == [(0, 3, 1200)]


def test_it_is_due_when_its_oldest_message_is_old_enough() -> None:
    batcher = Batcher(Batching(seconds=5), 0, 0.0)
    assert not batcher.due(100.0)
    add(batcher, 0, now=100.0)
    add(batcher, 1, now=104.0)
    assert (batcher.due(104.9), batcher.due(105.0)) == (False, True)


def test_control_records_at_the_end_belong_to_the_batch_before_them() -> None:
    batcher = Batcher(Batching(), 5, 0.0)
    add(batcher, 5)
    batcher.reached_end(7)
    batcher.close(1.0)
    (batch,) = batcher.closed
    assert (batch.first_offset, batch.next_offset, len(batch.messages)) == (5, 7, 1)


def test_control_records_alone_move_the_position_too() -> None:
    batcher = Batcher(Batching(seconds=5), 5, 0.0)
    batcher.reached_end(6)
    assert batcher.due(5.0)
    batcher.close(5.0)
    assert [(b.first_offset, b.next_offset, len(b.messages)) for b in batcher.closed] == [(5, 6, 0)]


def test_a_message_that_was_delivered_already_is_left_out() -> None:
    batcher = Batcher(Batching(), 5, 0.0)
    add(batcher, 3, 5, 5, 6)
    batcher.close(0.0)
    assert batcher.closed[0].messages.offsets == [5, 6]


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 3), st.booleans()), max_size=60), st.integers(1, 7))
def test_batches_cover_every_offset_once_whatever_comes(steps: list[tuple[int, int, bool]], rows: int) -> None:
    batcher = Batcher(Batching(rows=rows, seconds=60), 10, 0.0)
    offset, sent = 10, []
    for gap, controls, close in steps:
        offset += gap
        sent.append(offset - 1)
        add(batcher, offset - 1)
        if controls:
            offset += controls
            batcher.reached_end(offset)
        if close:
            batcher.close(0.0)
    batcher.close(0.0)
    borders = [(batch.first_offset, batch.next_offset) for batch in batcher.closed]
    assert [first for first, _ in borders] == [10, *(last for _, last in borders)][: len(borders)]
    assert [offset for batch in batcher.closed for offset in batch.messages.offsets] == sent
    assert batcher.next_offset == offset


@given(st.lists(st.integers(1, 9), max_size=20), st.integers(1, 12), st.integers(0, 5))
def test_messages_taken_together_make_the_same_batches_as_one_by_one(runs: list[int], rows: int, start: int) -> None:
    policy = Batching(rows=rows, bytes=1024, seconds=60)
    together, single = Batcher(policy, start, 0.0), Batcher(policy, start, 0.0)
    offset = 0
    for length in runs:
        messages = [Message(offset + i, 0, b"k", b"x" * 50 * ((offset + i) % 4)) for i in range(length)]
        together.take(Messages.of(messages), 0.0)
        for message in messages:
            single.add(message, 0.0)
        offset += length
    assert list(together.closed) == list(single.closed)
    assert (together.size, together.next_offset) == (single.size, single.next_offset)
