"""The arithmetic of moves: what is skipped, what is read again, which gaps stay open."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from consumers.ports import Ends
from operations.offsets.coverage import gaps, segments, without
from operations.offsets.history import Change, Skipped
from operations.offsets.plan import Move, move, refusals, stays
from operations.offsets.standing import Standing
from operations.offsets.targets import parse, resolve
from waybill.errors import SettingsError

PLACE = ("t", 0)
AT = datetime(2026, 11, 24)  # noqa: DTZ001 - the warehouse's timestamps carry no zone


def standing(offset: int, generation: int = 1, topic_id: str = "x") -> Standing:
    return Standing("t", topic_id, 0, generation, 5, offset, "me", 1.0)


def change(start: int | None, end: int, generation: int, old: str = "x", new: str = "x") -> Change:
    return Change(
        "reset", "db.t", "t_raw", "t", 0, old if start is not None else "", start, generation - 1, new, end,
        generation, "end", 0, 0, "me", "why", AT,
    )  # fmt: skip


def skip(first: int, end: int | None, generation: int, **more: Any) -> Skipped:
    return Skipped("db.t", "t_raw", "t", "x", 0, first, end, generation, "why", "me", AT, "", "", more.get("at"))


def moved(
    now: Standing | None, to: int, *changes: Change, low: int = 0, stable: int = 100, topic_id: str = "x"
) -> Move:
    return move("db.t", "t_raw", PLACE, now, topic_id, Ends(low, stable), to, changes, now.generation if now else 0)


def test_back_is_read_again_and_skips_nothing() -> None:
    one = moved(standing(60), 20)
    assert (one.again, one.skipped, one.generation, one.skips) == ((20, 60), (), 2, False)


def test_forward_skips_what_lies_between() -> None:
    assert moved(standing(60), 100).skipped == ((60, 100),)
    assert moved(None, 100).skipped == ((0, 100),)
    assert moved(None, 30, low=30).skipped == ((0, 30),)
    assert not moved(None, 0).skips


def test_forward_over_what_an_older_generation_has_loaded_skips_only_the_rest() -> None:
    again = change(80, 20, 2)
    assert moved(standing(40, 2), 80, again).skipped == ()
    assert moved(standing(40, 2), 95, again).skipped == ((80, 95),)


def test_a_topic_made_again_loses_all_that_the_old_one_had_left() -> None:
    one = moved(standing(60), 0, topic_id="y")
    assert (one.lost_from, one.skipped, one.again, one.skips) == (60, (), None, True)
    assert moved(standing(60), 10, topic_id="y").skipped == ((0, 10),)


def test_what_stands_there_already_is_not_moved() -> None:
    assert stays(moved(standing(60), 60))
    assert not stays(moved(standing(60), 60, topic_id="y"))
    assert not stays(moved(None, 0))


@pytest.mark.parametrize(
    ("one", "said", "count"),
    [
        (moved(standing(60), 20), {}, 0),
        (moved(standing(60), 20), {"seeding": True}, 1),
        (moved(standing(60), 90), {}, 1),
        (moved(standing(60), 90), {"skip": True}, 0),
        (moved(standing(60), 20), {"owners": {PLACE: "me"}}, 1),
        (moved(standing(60), 20), {"owners": {PLACE: "me"}, "while_owned": True}, 0),
        (moved(standing(60), 90), {"owners": {PLACE: "me"}}, 2),
    ],
)
def test_what_is_not_safe_is_refused_unless_it_is_said(one: Move, said: dict[str, Any], count: int) -> None:
    given = {"owners": {}, "seeding": False, "skip": False, "while_owned": False, **said}
    assert len(refusals([one], given.pop("owners"), **given)) == count


def test_spans_are_taken_out_of_a_span() -> None:
    assert without((0, 10), []) == [(0, 10)]
    assert without((0, 10), [(3, 5), (5, 7)]) == [(0, 3), (7, 10)]
    assert without((0, 10), [(0, 4), (2, 20)]) == []
    assert without((0, 10), [(10, 20)]) == [(0, 10)]


def test_each_generation_loaded_from_where_it_was_set_to_where_it_was_taken_away() -> None:
    found = segments([change(80, 20, 2), change(40, 95, 3)], standing(99, 3))
    assert [(s.generation, s.first, s.next_offset) for s in found] == [(1, 0, 80), (2, 20, 40), (3, 95, 99)]


def test_a_gap_stays_until_a_newer_generation_has_read_it_or_it_is_accepted() -> None:
    span, jump = skip(60, 100, 2), change(60, 100, 2)
    open_at = lambda now, *more: [(g.first_offset, g.next_offset) for g in gaps([span], [jump, *more], [now])]  # noqa: E731
    assert open_at(standing(120, 2)) == [(60, 100)]
    back = change(120, 60, 3)
    assert open_at(standing(60, 3), back) == [(60, 100)]
    assert open_at(standing(75, 3), back) == [(75, 100)]
    assert open_at(standing(100, 3), back) == []
    assert gaps([skip(60, 100, 2, at=AT)], [jump], [standing(120, 2)]) == []


def test_a_gap_of_a_topic_that_is_gone_can_only_be_accepted() -> None:
    lost, anew = skip(60, None, 2), change(60, 0, 2, new="y")
    assert [(g.first_offset, g.next_offset) for g in gaps([lost], [anew], [standing(900, 2, "y")])] == [(60, None)]


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-11-24T02:00:00Z", datetime(2026, 11, 24, 2, tzinfo=UTC)),
        ("2026-11-24T02:00", datetime(2026, 11, 24, 2, tzinfo=UTC)),
        ("2026-11-24T02:00:00+02:00", datetime(2026, 11, 24, 0, tzinfo=UTC)),
    ],
)
def test_a_time_without_a_zone_is_utc(text: str, time: datetime) -> None:
    assert parse(text).time == time


class NoTopics:
    """Knows the time of offset 70 of partition 0 and of nothing else."""

    def at_time(self, places: Any, moment: datetime) -> dict[tuple[str, int], int]:
        return {("t", 0): 70}


def test_targets_become_offsets_of_each_partition() -> None:
    ends = {("t", 0): Ends(10, 100), ("t", 1): Ends(0, 30)}
    found = {text: resolve(parse(text), NoTopics(), ends) for text in ("now", "end", "beginning", "2026-11-24")}  # type: ignore[arg-type]
    assert found["now"] == found["end"] == {("t", 0): 100, ("t", 1): 30}
    assert found["beginning"] == {("t", 0): 10, ("t", 1): 0}
    assert found["2026-11-24"] == {("t", 0): 70, ("t", 1): 30}
    with pytest.raises(SettingsError, match="one partition"):
        resolve(parse("20"), NoTopics(), ends)  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="no offset 101"):
        resolve(parse("101"), NoTopics(), {("t", 0): Ends(10, 100)})  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="neither"):
        parse("yesterday")
