"""What the older design got wrong (spec section 7), each case by name. Every cycle is compared with the laws' model."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.laws.story import ORDERS, PATH, TRACKING, Story, counts, delete, put, read
from waybill.half_years import HalfYear

NEWEST = "2024_h2"  # of the template's history tables


def _archived(story: Story, days: float = 400) -> Story:
    """Order 1, its tracking row and a path event are in history; order 9 keeps T at now."""
    old = story.ago(days)
    story.commit(put(TRACKING, 1, old), put(ORDERS, 1, old), put(PATH, (1, 1), old))
    story.commit(*(put(table, key, story.now) for table, key in ((TRACKING, 9), (ORDERS, 9), (PATH, (9, 1)))))
    story.cycle()
    assert {story.place(TRACKING, 1), story.place(ORDERS, 1), story.place(PATH, (1, 1))} == {"2023_h1"}
    return story


@pytest.mark.parametrize("days", [200, 400])
def test_an_order_that_comes_back_leaves_every_history_table_and_its_order_row_returns(
    story: Story, days: float
) -> None:
    """Not only the newest table is looked up, and no person moves the order's row."""
    old = story.ago(days)
    story.commit(put(TRACKING, 1, old), put(ORDERS, 1, story.ago(410)), put(PATH, (1, 1), old))
    story.commit(put(TRACKING, 9, story.now), put(PATH, (9, 1), story.now))
    story.cycle()
    assert story.place(TRACKING, 1) not in ("", NEWEST)
    assert story.place(ORDERS, 1) == "2023_h1"
    story.commit(put(TRACKING, 1, story.now))
    assert counts(story.cycle(), TRACKING).returned == 1
    assert (story.place(TRACKING, 1), story.place(ORDERS, 1)) == ("", "")
    assert story.place(PATH, (1, 1)) not in ("", NEWEST), "path rows stay where pathTime puts them"


def test_an_order_that_went_away_and_came_back_many_times_stands_once(story: Story) -> None:
    _archived(story)
    for _ in range(3):
        story.commit(put(TRACKING, 1, story.now))
        story.cycle()
        assert story.place(TRACKING, 1) == story.place(ORDERS, 1) == ""
        story.pass_days(190)
        story.commit(put(TRACKING, 9, story.now))
        story.cycle()
        assert story.place(TRACKING, 1) not in ("", "removed")


@pytest.mark.parametrize(("days", "place"), [(400, "2023_h1"), (200, "2023_h2"), (1, "")])
def test_a_late_correction_replaces_the_archived_version(story: Story, days: int, place: str) -> None:
    """An "insert if absent" guard loses it. Corrected to another time it moves to where it belongs now."""
    _archived(story)
    story.commit(put(TRACKING, 1, story.ago(days), 777), put(PATH, (1, 1), story.ago(days), 888))
    summary = story.cycle()
    assert (story.place(TRACKING, 1), story.value(TRACKING, 1)) == (place, 777)
    assert (story.place(PATH, (1, 1)), story.value(PATH, (1, 1))) == (place, 888)
    assert (counts(summary, PATH).corrected, counts(summary, PATH).returned) == ((1, 0) if place else (0, 1))


def test_the_path_events_of_one_order_age_out_over_many_cycles(story: Story) -> None:
    """A guard on order_id alone archives the first and loses the rest."""
    story.commit(*(put(PATH, (1, n), story.ago(120 - 20 * n)) for n in range(1, 6)))
    story.cycle()
    archived = []
    for n in range(8):
        story.pass_days(20)
        story.commit(put(PATH, (9, n), story.now))
        story.cycle()
        archived.append(sum(story.place(PATH, (1, seq)) != "" for seq in range(1, 6)))
    assert archived == [0, 0, 0, 0, 1, 2, 3, 4]


def test_path_events_of_one_order_that_age_in_one_cycle_leave_together(story: Story) -> None:
    story.commit(*(put(PATH, (1, n), story.ago(179 - n)) for n in range(3)), put(PATH, (9, 0), story.now))
    story.cycle()
    story.pass_days(5)
    story.commit(put(PATH, (9, 1), story.now))
    story.cycle()
    assert [story.place(PATH, (1, seq)) for seq in range(3)] == ["2023_h2"] * 3


def test_of_an_orders_path_events_at_one_position_only_the_one_that_aged_leaves(story: Story) -> None:
    """Rows of one reading share position and batch: only the whole key tells them apart."""
    story.commit(put(PATH, (9, 1), story.now))
    ages = {1: 175, 2: 100, 3: 10}
    story.load([read(PATH, (1, seq), story.number, story.ago(days)) for seq, days in ages.items()])
    story.cycle()
    story.pass_days(20)
    story.commit(put(PATH, (9, 1), story.now))
    story.cycle()
    assert [story.place(PATH, (1, seq)) for seq in ages] == ["2023_h2", "", ""]
    story.commit(put(PATH, (1, 2), story.ago(120), 222))
    story.cycle()
    assert story.value(PATH, (1, 2)) == 222


def test_an_order_updated_months_after_its_creation_stands_once(story: Story) -> None:
    """A delete limited to a recent window leaves the old version beside the new one."""
    story.commit(put(TRACKING, 1, story.now), put(ORDERS, 1, story.now, 100))
    story.cycle()
    created = story.now
    story.pass_days(170)
    story.commit(put(ORDERS, 1, created, 200))
    story.cycle()
    assert (story.place(ORDERS, 1), story.value(ORDERS, 1)) == ("", 200)


@pytest.mark.parametrize("when", ["null", "before the first half-year"])
def test_an_order_whose_half_year_is_unknown_is_not_trimmed_but_named_until_it_is_corrected(
    story: Story, when: str
) -> None:
    unknown = None if when == "null" else story.ago(900)
    story.commit(put(TRACKING, 1, story.ago(400)), put(ORDERS, 1, unknown), put(TRACKING, 9, story.now))
    story.cycle()
    assert (story.place(TRACKING, 1), story.place(ORDERS, 1)) == ("2023_h1", "")
    assert story.shop.exceptions() == [(ORDERS, "1", "ARCHIVE_ROUTING_GAP_ECS")]
    story.cycle()
    story.commit(put(ORDERS, 1, story.ago(200)))
    story.cycle()
    assert (story.place(ORDERS, 1), story.shop.exceptions()) == ("2023_h2", [])


def test_the_same_check_guards_tracking_and_path_rows(story: Story) -> None:
    story.commit(put(TRACKING, 1, None), put(PATH, (1, 1), story.ago(900)))
    story.commit(put(TRACKING, 9, story.now), put(PATH, (9, 1), story.now))
    story.cycle()
    assert story.place(TRACKING, 1) == story.place(PATH, (1, 1)) == ""
    assert story.shop.exceptions() == [
        (PATH, "1/1", "ARCHIVE_ROUTING_GAP_UTS"), (TRACKING, "1", "ARCHIVE_ROUTING_GAP"),
    ]  # fmt: skip


def test_an_order_that_comes_a_moment_before_its_tracking_row_is_not_archived(story: Story) -> None:
    story.commit(put(TRACKING, 9, story.now), put(ORDERS, 9, story.now))
    story.commit(put(ORDERS, 1, story.now))
    assert counts(story.cycle(), ORDERS).archived == 0
    assert story.place(ORDERS, 1) == ""
    story.commit(put(TRACKING, 1, story.now))
    story.cycle()
    story.pass_days(200)
    story.commit(put(ORDERS, 9, story.now), put(TRACKING, 1, story.now))
    story.cycle()
    assert (story.place(ORDERS, 1), story.place(ORDERS, 9)) == ("", NEWEST), "it is its tracking row that counts"


def test_an_order_without_tracking_leaves_by_its_own_time(story: Story) -> None:
    story.commit(put(ORDERS, 1, story.ago(170)), put(ORDERS, 9, story.now))
    story.cycle()
    assert story.place(ORDERS, 1) == ""
    story.pass_days(11)
    story.commit(put(ORDERS, 9, story.now))
    story.cycle()
    assert story.place(ORDERS, 1) == "2023_h2"


@pytest.mark.parametrize("one_batch", [True, False])
def test_of_two_updates_in_one_second_the_later_in_the_binlog_wins(story: Story, one_batch: bool) -> None:
    same = story.ago(3)
    made = story.commit(put(TRACKING, 1, same, 1), put(TRACKING, 1, same, 2), put(TRACKING, 1, same, 3), load=False)
    if one_batch:
        story.load(made[::-1])
    else:
        for event in made[::-1]:
            story.load([event])
    story.cycle()
    assert story.value(TRACKING, 1) == 3
    late = story.commit(put(TRACKING, 1, same, 5), put(TRACKING, 1, same, 4))
    story.cycle()
    story.load(late[:1])
    story.cycle()
    assert story.value(TRACKING, 1) == 4


def test_a_null_key_switches_no_delete_off(story: Story) -> None:
    """No `NOT IN` over a nullable column: rows without a key stand aside, everything else moves as ever."""
    _archived(story)
    story.commit(put(TRACKING, None, story.now), put(ORDERS, None, None), put(PATH, (None, 1), story.now))
    story.commit(put(PATH, (1, None), None), put(TRACKING, 1, story.now), delete(ORDERS, 9))
    story.shop.rules[ORDERS] = story.shop.rules[ORDERS].__class__(180 * 86_400, "remove", TRACKING)
    invalid = 0
    for _ in range(2):
        summary = story.shop.cycle()
        invalid += sum(m.invalid for m in summary.marts)
    assert invalid == 4
    wanted = {"shop.tracking": ("", ""), "shop.orders": ("", "removed"), "shop.path": ("2023_h1", "")}
    story.cut_at = story.now
    for table, places in wanted.items():
        stands = story.shop.stands(table)
        keys = sorted(stands)
        assert [[row.place for row in stands[key]] for key in keys] == [[place] for place in places]
    assert [kind for _, _, kind in story.shop.exceptions()] == ["INVALID_ROW"] * 4


@pytest.mark.parametrize("how", ["corrected", "deleted"])
def test_the_newest_row_corrected_to_an_earlier_time_or_deleted_brings_no_other_back(story: Story, how: str) -> None:
    story.commit(put(TRACKING, 1, story.ago(200)), put(ORDERS, 1, story.ago(200)), put(TRACKING, 9, story.now))
    story.commit(put(PATH, (1, 1), story.ago(200)), put(PATH, (9, 1), story.now))
    story.cycle()
    archived = story.place(TRACKING, 1), story.place(ORDERS, 1), story.place(PATH, (1, 1))
    assert archived == ("2023_h2", "2023_h2", "2023_h2")
    if how == "deleted":
        story.rule(PATH, on_delete="remove")
        story.commit(delete(TRACKING, 9), delete(PATH, (9, 1)))
    else:
        story.commit(put(TRACKING, 9, story.ago(100)), put(PATH, (9, 1), story.ago(100)))
    summary = story.cycle()
    assert not any(m.returned for m in summary.marts)
    story.commit(put(TRACKING, 2, story.ago(185)), put(PATH, (2, 1), story.ago(185)))
    story.cycle()
    assert (story.place(TRACKING, 2), story.place(PATH, (2, 1))) == ("2023_h2", "2023_h2"), "T never falls"


def test_a_row_dated_in_the_future_moves_no_bound_and_stands_until_its_time_has_come(story: Story) -> None:
    story.commit(put(TRACKING, 1, story.ago(100)), put(TRACKING, 2, story.now + 300 * 86_400))
    story.cycle()
    assert (story.place(TRACKING, 1), story.shop.exceptions()) == ("", [(TRACKING, "2", "FUTURE_TIMESTAMP")])
    story.pass_days(301)
    story.commit(put(PATH, (9, 1), story.now))
    story.cycle()
    assert (story.place(TRACKING, 1), story.shop.exceptions()) == ("", [])


def test_a_row_that_arrives_already_old_goes_to_history_in_the_same_cycle(story: Story) -> None:
    story.commit(put(TRACKING, 9, story.now), put(PATH, (9, 1), story.now))
    story.cycle()
    first = HalfYear.parse("2023_h1").first_second
    story.commit(put(TRACKING, 1, first), put(PATH, (1, 1), HalfYear.parse("2023_h2").first_second - 1))
    summary = story.cycle()
    assert (story.place(TRACKING, 1), story.place(PATH, (1, 1))) == ("2023_h1", "2023_h1")
    assert (counts(summary, TRACKING).archived, counts(summary, TRACKING).trimmed) == (1, 0)


def test_an_order_dated_in_the_future_does_not_follow_its_order_out(story: Story) -> None:
    """Whether its half-year has a table or not; removed, it is no exception any more."""
    story.rule(ORDERS, on_delete="remove")
    far = story.now + 900 * 86_400
    story.commit(put(TRACKING, 9, story.now))
    for key, time in ((1, far), (2, story.now + 9 * 86_400), (3, None)):
        story.commit(put(TRACKING, key, story.ago(300)), put(ORDERS, key, time))
    story.cycle()
    future = [(ORDERS, "1", "FUTURE_TIMESTAMP"), (ORDERS, "2", "FUTURE_TIMESTAMP")]
    assert story.shop.exceptions() == [*future, (ORDERS, "3", "ARCHIVE_ROUTING_GAP_ECS")]
    story.commit(delete(ORDERS, 1), delete(ORDERS, 3))
    story.cycle()
    assert story.shop.exceptions() == future[1:]


def test_a_cut_applied_again_applies_nothing(story: Story) -> None:
    _archived(story)
    story.commit(delete(TRACKING, 9), put(TRACKING, 2, story.now))
    story.cycle()
    story.shop.apply_all_again()
    summary = story.cycle()
    assert [(m.rows_in > 0, m.applied, m.looked_at > 0) for m in summary.marts] == [(True, 0, True)] * 3


def test_a_late_row_has_its_place_in_its_transaction(story: Story) -> None:
    """Behind the one that stands, or before it."""
    [made] = story.commit(put(TRACKING, 1, story.now, 1))
    story.cycle()
    for place, value, wins in ((3, 333, True), (2, 222, False), (4, 444, True)):
        values = {**made.values, "state": value}
        story.load([replace(made, position=(*made.position[:2], place), values=values)])
        story.cycle()
        assert (story.value(TRACKING, 1) == value) == wins


@pytest.mark.parametrize("on_delete", ["mark", "ignore"])
def test_what_was_deleted_ages_with_its_mark(story: Story, on_delete: str) -> None:
    """Put in with it when it was never seen, kept when it moves with news or by itself."""
    for table in (TRACKING, PATH):
        story.rule(table, on_delete=on_delete)
    story.commit(put(TRACKING, 1, story.ago(170)), put(PATH, (1, 1), story.ago(170)))
    story.cycle()
    story.commit(delete(TRACKING, 1), delete(PATH, (1, 1)), delete(TRACKING, 2, story.ago(170)))
    story.commit(put(TRACKING, 9, story.now), put(PATH, (9, 1), story.now))
    story.cycle()
    story.pass_days(20)
    story.commit(put(TRACKING, 9, story.now), put(PATH, (9, 1), story.now), delete(TRACKING, 3, story.ago(300)))
    story.cycle()
    assert (story.place(TRACKING, 1), story.place(TRACKING, 3), story.place(PATH, (1, 1))) == (
        "2023_h2", "2023_h1", "2023_h2",
    )  # fmt: skip
    story.commit(put(TRACKING, 1, story.now))
    story.cycle()
    assert story.shop.stands(TRACKING)[(1,)][0].gone is None, "a later insert clears the mark"


def test_rows_that_age_leave_with_those_that_are_corrected_while_others_are_replaced(story: Story) -> None:
    story.commit(put(TRACKING, 1, story.ago(175)), put(TRACKING, 2, story.now), put(TRACKING, 3, story.now))
    story.commit(put(TRACKING, 9, story.now), put(TRACKING, 4, story.ago(300)), put(TRACKING, 5, story.ago(300)))
    story.cycle()
    story.pass_days(10)
    story.commit(put(TRACKING, 2, story.ago(185), 222), put(TRACKING, 3, story.now, 333), put(TRACKING, 9, story.now))
    story.commit(put(TRACKING, 4, story.now, 444), put(TRACKING, 5, story.ago(301), 555))
    summary = story.cycle()
    assert [story.place(TRACKING, n) for n in (1, 2, 3, 4, 5)] == ["2023_h2", "2023_h2", "", "", "2023_h1"]
    assert counts(summary, TRACKING).archived == 2


def test_an_archived_row_is_found_wherever_it_lies_in_its_table(story: Story) -> None:
    """Put in first or last, of the least key or the greatest."""
    for key in (5, 1, 7):
        story.commit(put(TRACKING, key, story.ago(300)), put(ORDERS, key, story.ago(10)))
        story.commit(put(TRACKING, 9, story.now), put(ORDERS, 9, story.now))
        story.cycle()
    assert {story.place(TRACKING, key) for key in (1, 5, 7)} == {"2023_h1"}
    for key in (5, 7, 1):
        story.commit(put(TRACKING, key, story.ago(301), 700 + key), put(ORDERS, key, story.ago(11)))
        story.cycle()
        assert (story.place(TRACKING, key), story.value(TRACKING, key)) == ("2023_h1", 700 + key)
        assert story.place(ORDERS, key) == "2024_h1"
