"""The laws' bounds to the second: what is due, what lies in the future, what T counts, where a half-year begins."""

from __future__ import annotations

import pytest

from tests.laws.history import BEGAN
from tests.laws.model import DAY, HOUR
from tests.laws.story import ORDERS, PATH, TRACKING, Change, Story, delete, put
from waybill.half_years import HalfYear


def test_a_row_is_due_a_second_behind_the_bound_also_when_it_gets_there_by_ageing(story: Story) -> None:
    edge = story.ago(180)
    for n, second in enumerate((edge - 1, edge, edge + 1), 1):
        story.commit(*(put(table, key, second) for table, key in ((TRACKING, n), (ORDERS, 10 + n), (PATH, (n, 1)))))
    story.commit(put(TRACKING, 9, story.now), put(ORDERS, 9, story.now), put(PATH, (9, 1), story.now))
    story.cycle()
    for seconds in range(3):
        places = [
            [story.place(t, k) != "" for t, k in ((TRACKING, n), (ORDERS, 10 + n), (PATH, (n, 1)))] for n in (1, 2, 3)
        ]
        assert places == [[n <= seconds] * 3 for n in range(3)]
        story.pass_days(1 / DAY)
        story.commit(put(TRACKING, 9, story.now), put(ORDERS, 9, story.now), put(PATH, (9, 1), story.now))
        story.cycle()


@pytest.mark.parametrize(("late", "archived"), [(0, True), (1, False)])
def test_t_counts_an_event_up_to_an_hour_after_its_commit(story: Story, late: int, archived: bool) -> None:
    story.commit(put(TRACKING, 1, story.now + HOUR - 180 * DAY - 1), put(TRACKING, 9, story.now + HOUR + late))
    story.commit(put(PATH, (9, 1), story.now))
    story.cycle()
    assert (story.place(TRACKING, 1) != "") == archived


@pytest.mark.parametrize("change", [delete(TRACKING, 5, BEGAN), put(TRACKING, None, BEGAN)], ids=["delete", "no key"])
def test_t_counts_neither_a_delete_nor_a_row_without_a_key(story: Story, change: Change) -> None:
    story.commit(put(TRACKING, 1, story.ago(300)), put(TRACKING, 9, story.ago(150)), change)
    story.shop.cycle()
    assert story.place(TRACKING, 1) == ""


def test_a_row_lies_in_the_future_up_to_the_very_second(story: Story) -> None:
    for n, seconds in enumerate((0, 1, 2), 1):
        story.commit(put(TRACKING, n, story.now + HOUR + seconds), put(ORDERS, 10 + n, story.now + HOUR + seconds))
    for future in (["2", "3"], ["3"], []):
        story.cycle()
        assert [key for table, key, _ in story.shop.exceptions() if table == TRACKING] == future
        story.pass_days(1 / DAY)
        story.commit(put(PATH, (9, 1), story.now))


def test_a_half_year_holds_its_first_second_and_not_the_next_ones(story: Story) -> None:
    begins = HalfYear.parse("2023h2").first_second
    story.commit(*(put(PATH, (1, n), begins + n) for n in (0, 1)), put(PATH, (2, 1), begins - 1))
    story.commit(put(PATH, (9, 1), story.now))
    story.cycle()
    assert [story.place(PATH, key) for key in ((1, 0), (1, 1), (2, 1))] == ["2023_h2", "2023_h2", "2023_h1"]


def test_the_first_event_that_counts_makes_rows_without_a_time_due(story: Story) -> None:
    """Before it nothing leaves, and a NULL is no gap yet."""
    story.commit(put(TRACKING, 1, None), put(PATH, (1, 1), None), put(ORDERS, 2, None))
    story.cycle()
    assert story.shop.exceptions() == []
    story.commit(put(TRACKING, 9, story.now), put(PATH, (9, 1), story.now), put(ORDERS, 9, story.now))
    story.cycle()
    assert [(table, key) for table, key, _ in story.shop.exceptions()] == [
        (ORDERS, "2"),
        (PATH, "1/1"),
        (TRACKING, "1"),
    ]


def test_a_cycle_looks_at_what_came_or_aged_and_at_nothing_else(story: Story) -> None:
    """Its cost follows the batch: rows of every age, under a gap or in the future, are left alone; so are they when the
    first event comes that counts."""
    story.commit(
        *(put(table, key, story.now + 9 * DAY) for table, key in ((TRACKING, 60), (ORDERS, 80), (PATH, (60, 1))))
    )
    story.cycle()
    for n, time in enumerate((story.now, story.ago(100), story.ago(170), story.ago(900), None, story.now + 9 * DAY), 1):
        story.commit(*(put(table, key, time) for table, key in ((TRACKING, n), (ORDERS, 20 + n), (PATH, (n, 1)))))
    assert [m.looked_at for m in story.cycle().marts] == [6, 6, 6]
    story.commit(put(TRACKING, 50, story.now), put(PATH, (50, 1), story.now))
    assert [m.looked_at for m in story.cycle().marts] == [1, 0, 1]
    story.pass_days(11)
    story.commit(put(TRACKING, 50, story.now), put(ORDERS, 50, story.now), put(PATH, (50, 1), story.now))
    assert [m.looked_at for m in story.cycle().marts] == [4, 4, 4], "one aged, two are in the future no more"


def test_a_row_that_ages_in_the_cycle_that_brings_news_of_it_is_looked_at_once(story: Story) -> None:
    story.commit(put(TRACKING, 1, story.ago(179)), put(TRACKING, 9, story.now))
    story.cycle()
    story.pass_days(2)
    story.commit(put(TRACKING, 1, story.now), put(TRACKING, 9, story.now))
    assert [m.looked_at for m in story.cycle().marts] == [2, 0, 0]


def test_t_counts_a_version_that_is_replaced_in_the_cycle_that_brings_it(story: Story) -> None:
    story.commit(*(put(table, key, story.ago(190)) for table, key in ((TRACKING, 1), (PATH, (1, 1)))))
    story.commit(*(put(table, key, story.now) for table, key in ((TRACKING, 9), (PATH, (9, 1)))))
    story.commit(*(put(table, key, story.ago(100)) for table, key in ((TRACKING, 9), (PATH, (9, 1)))))
    story.cycle()
    assert (story.place(TRACKING, 1), story.place(PATH, (1, 1))) == ("2023_h2", "2023_h2")
