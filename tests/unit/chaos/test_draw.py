"""A round follows from the seed and its number, and over some rounds every part is hit both ways."""

from __future__ import annotations

import json
from pathlib import Path

from tests.chaos.draw import KILL, PARTS, STOP, Round, draw
from tests.chaos.record import Record
from tests.chaos.rounds import Outcome


def test_a_round_can_be_repeated() -> None:
    assert draw(5, 17) == draw(5, 17)
    assert draw(5, 17) != draw(5, 18)
    assert draw(5, 17) != draw(6, 17)


def test_every_part_is_killed_and_stopped_and_some_rounds_hit_two() -> None:
    drawn = [draw(1, number) for number in range(1, 301)]
    assert {(f.part, f.how) for each in drawn for f in each.faults} == {(p, how) for p in PARTS for how in (KILL, STOP)}
    assert 20 < sum(len(each.faults) == 2 for each in drawn) < 80


def test_a_part_that_is_left_out_is_replaced() -> None:
    drawn = [draw(1, number, ["kafka"]) for number in range(1, 301)]
    assert all(each.faults for each in drawn)
    assert not [each for each in drawn if any(fault.part == "kafka" for fault in each.faults)]


def outcome(drawn: Round, *differences: str) -> Outcome:
    return Outcome(drawn, 40, 10, 12.0, 3.5, differences)


def test_rounds_add_up_over_many_calls(tmp_path: Path) -> None:
    path = tmp_path / "chaos" / "state.json"
    first = Record(path)
    first.begin(5)
    for number in (1, 2):
        first.add(outcome(draw(5, number)), "abc", "native")
    second = Record(path)
    assert (second.seed, second.next_number(5), second.next_number(6)) == (5, 3, 1)
    second.add(outcome(draw(5, 3), "lost: something"), "abd", "native")
    assert json.loads(path.read_text())["rounds"][2]["differences"] == ["lost: something"]
    assert "3 rounds, 1 with differences; 120 row events in 30 transactions compared; seeds 5" in second.report()
    assert "commits abc, abd" in second.report()
