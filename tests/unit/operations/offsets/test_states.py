"""One word for a partition, by rules over two looks (docs/offsets.md)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from operations.offsets.states import Look, State, judge, needs_second

ALLOWED = 35.0
FINE = Look(
    low=0, stable=100, position=90, generation=1, same_topic=True, age=1.0, idle=1.0, member="a", stopped="",
    reads_again_to=None,
)  # fmt: skip
LATE = replace(FINE, age=90.0, position=50)


@pytest.mark.parametrize(
    ("first", "second", "state"),
    [
        (FINE, FINE, State.OK),
        # Lag without a message is control records; they wait for nobody.
        (FINE, replace(FINE, age=None), State.OK),
        # A quiet partition whose consumer is away is no trouble.
        (FINE, replace(FINE, age=None, member=""), State.OK),
        # A message that has not waited long is no trouble either, also while the position stands.
        (FINE, replace(FINE, age=ALLOWED, idle=900.0), State.OK),
        (LATE, replace(LATE, member=""), State.STOP),
        (LATE, replace(LATE, position=None, idle=float("inf"), member=""), State.STOP),
        (LATE, replace(LATE, idle=ALLOWED + 1), State.STALL),
        # It stands between the looks, but moved a moment ago: a load takes its time.
        (LATE, replace(LATE, idle=3.0), State.OK),
        (LATE, replace(LATE, position=60), State.OK),
        (LATE, replace(LATE, position=60, stable=111), State.WARN),
        (LATE, replace(LATE, position=40), State.REWIND),
        (LATE, replace(LATE, generation=2), State.REWIND),
        (LATE, replace(LATE, position=101), State.REWIND),
        (LATE, replace(LATE, position=60, reads_again_to=95), State.REWIND),
        # To read again and to stand is to stand.
        (LATE, replace(LATE, idle=ALLOWED + 1, reads_again_to=95), State.STALL),
        (LATE, replace(LATE, same_topic=False), State.ERR),
        (LATE, replace(LATE, low=51), State.ERR),
        (LATE, replace(LATE, low=1, position=None), State.ERR),
        (FINE, replace(FINE, stopped="TRUNCATE at the source"), State.ERR),
    ],
)
def test_the_state_of_a_partition(first: Look, second: Look, state: State) -> None:
    assert judge(first, second, ALLOWED)[0] is state


def test_everything_but_ok_says_why() -> None:
    for second in (
        replace(LATE, member=""),
        replace(LATE, idle=99.0),
        replace(LATE, low=51),
        replace(LATE, stable=200),
    ):
        state, why = judge(LATE, second, ALLOWED)
        assert state is not State.OK
        assert why


def test_a_second_look_is_taken_only_where_one_cannot_tell() -> None:
    assert needs_second(LATE, ALLOWED)
    assert needs_second(replace(LATE, idle=99.0), ALLOWED)
    assert not needs_second(FINE, ALLOWED)
    assert not needs_second(replace(LATE, member=""), ALLOWED)
    assert not needs_second(replace(LATE, stopped="why"), ALLOWED)
