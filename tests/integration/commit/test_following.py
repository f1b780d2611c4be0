"""What follows another row is looked at when that one moves, comes or goes, and only then."""

from __future__ import annotations

import pytest

from committer import out
from tests.laws.standing import KEYS
from tests.laws.story import ORDERS, PATH, TRACKING, Story, counts, delete, put


@pytest.fixture
def begun(story: Story) -> Story:
    """Order 9 keeps T at now; order 1 was archived with its tracking row, though its own time is recent."""
    story.rule(TRACKING, on_delete="remove")
    story.commit(put(TRACKING, 1, story.ago(300)), put(ORDERS, 1, story.ago(10)))
    story.commit(put(TRACKING, 9, story.now), put(ORDERS, 9, story.now))
    story.cycle()
    assert (story.place(TRACKING, 1), story.place(ORDERS, 1)) == ("2023_h1", "2024_h1")
    return story


def test_a_row_whose_archived_leader_is_removed_goes_by_its_own_time_and_back_with_the_next_one(begun: Story) -> None:
    begun.commit(delete(TRACKING, 1))
    begun.cycle()
    assert (begun.place(TRACKING, 1), begun.place(ORDERS, 1)) == ("removed", "")
    begun.commit(put(TRACKING, 1, begun.ago(300)))
    begun.cycle()
    assert (begun.place(TRACKING, 1), begun.place(ORDERS, 1)) == ("2023_h1", "2024_h1")
    begun.commit(put(TRACKING, 1, begun.now))
    begun.cycle()
    begun.commit(delete(TRACKING, 1))
    begun.cycle()
    assert begun.place(ORDERS, 1) == ""
    begun.commit(put(TRACKING, 1, begun.now), put(ORDERS, 2, begun.now))
    assert counts(begun.cycle(), ORDERS).looked_at == 2, "its leader came back into the mart"


def test_a_row_leaves_when_its_leader_arrives_already_old(begun: Story) -> None:
    begun.commit(put(ORDERS, 2, begun.now))
    begun.cycle()
    assert begun.place(ORDERS, 2) == ""
    begun.commit(put(TRACKING, 2, begun.ago(300)))
    begun.cycle()
    assert begun.place(ORDERS, 2) == "2024_h1"


def test_a_row_that_ages_in_the_cycle_in_which_its_leader_comes_is_looked_at_once(begun: Story) -> None:
    begun.commit(put(ORDERS, 2, begun.ago(179)), put(ORDERS, 3, begun.ago(179)))
    begun.cycle()
    begun.pass_days(2)
    begun.commit(put(TRACKING, 2, begun.now), put(ORDERS, 9, begun.now))
    assert counts(begun.cycle(), ORDERS).looked_at == 3
    assert (begun.place(ORDERS, 2), begun.place(ORDERS, 3)) == ("", "2023_h2")


def test_a_row_does_not_age_while_its_leader_stands_in_the_mart(begun: Story) -> None:
    """It is not even looked at; nor is one in history, and one in the mart whose leader is gone is."""
    begun.commit(put(TRACKING, 2, begun.now), put(ORDERS, 2, begun.ago(179)), put(ORDERS, 3, begun.ago(181)))
    begun.cycle()
    assert (begun.place(ORDERS, 2), begun.place(ORDERS, 3)) == ("", "2023_h2")
    begun.pass_days(2)
    begun.commit(put(ORDERS, 9, begun.now))
    assert counts(begun.cycle(), ORDERS).looked_at == 1
    begun.pass_days(200)
    begun.commit(put(PATH, (9, 1), begun.now))
    assert counts(begun.cycle(), ORDERS).looked_at == 0


def test_what_is_alone_in_the_mart_no_more_does_not_age(begun: Story) -> None:
    """One has a leader now, one is removed."""
    begun.rule(ORDERS, on_delete="remove")
    begun.commit(put(ORDERS, 2, begun.ago(179)), put(ORDERS, 3, begun.ago(179)))
    begun.cycle()
    begun.commit(put(TRACKING, 2, begun.now), delete(ORDERS, 3))
    begun.cycle()
    begun.pass_days(2)
    begun.commit(put(ORDERS, 9, begun.now))
    assert counts(begun.cycle(), ORDERS).looked_at == 1


def test_a_leader_that_stays_where_it_stands_has_nothing_looked_at(begun: Story) -> None:
    begun.commit(put(TRACKING, 9, begun.now), put(TRACKING, 1, begun.ago(301)))
    summary = begun.cycle()
    assert (counts(summary, TRACKING).looked_at, counts(summary, ORDERS).looked_at) == (2, 0)


def test_what_moved_while_the_follower_was_out_is_looked_at_once_when_it_is_back(begun: Story) -> None:
    marts = list(KEYS)
    out.leave_out(begun.shop.session, ORDERS, marts, "its consumer is being mended", "me")
    begun.commit(put(TRACKING, 1, begun.now))
    begun.shop.cycle()
    assert begun.place(ORDERS, 1) == "2024_h1"
    begun.shop.cycle()
    out.take_back(begun.shop.session, ORDERS)
    assert counts(begun.cycle(), ORDERS).looked_at == 1
    assert begun.place(ORDERS, 1) == ""
    assert counts(begun.cycle(), ORDERS).looked_at == 0, "the list is used up"


def test_nothing_of_a_leader_moves_while_it_is_out(begun: Story) -> None:
    out.leave_out(begun.shop.session, TRACKING, list(KEYS), "broken", "me")
    begun.commit(put(ORDERS, 3, begun.now))
    assert counts(begun.shop.cycle(), ORDERS).looked_at == 1


def test_an_older_event_brings_no_removed_row_back(begun: Story) -> None:
    """Nor does it take the key off the list, so that one between the two would."""
    [older] = begun.commit(put(TRACKING, 1, begun.now))
    [between] = begun.commit(put(TRACKING, 1, begun.now), load=False)
    begun.load([between])
    begun.commit(delete(TRACKING, 1))
    begun.cycle()
    for event in (older, between):
        begun.load([event])
        begun.cycle()
        assert (begun.place(TRACKING, 1), begun.place(ORDERS, 1)) == ("removed", "")


def test_a_leader_that_is_marked_as_deleted_stands_where_it_stands(story: Story) -> None:
    story.commit(put(TRACKING, 1, story.now), put(ORDERS, 1, story.ago(300)), put(TRACKING, 9, story.now))
    story.commit(put(ORDERS, 9, story.now))
    story.cycle()
    story.commit(delete(TRACKING, 1))
    story.commit(put(ORDERS, 1, story.ago(300), 77))
    story.cycle()
    assert (story.place(ORDERS, 1), story.value(ORDERS, 1)) == ("", 77)


def test_a_removed_key_that_comes_back_takes_no_other_off_the_list(begun: Story) -> None:
    """And one that was never seen is removed too."""
    begun.commit(put(TRACKING, 2, begun.now), put(TRACKING, 3, begun.now))
    begun.cycle()
    begun.commit(delete(TRACKING, 2), delete(TRACKING, 3), delete(TRACKING, 4, begun.now))
    begun.cycle()
    begun.commit(put(TRACKING, 2, begun.now))
    begun.cycle()
    assert [begun.place(TRACKING, key) for key in (2, 3, 4)] == ["", "removed", "removed"]


def test_rows_without_a_time_that_follow_another_are_not_looked_at_when_the_first_event_counts(story: Story) -> None:
    """They stand where their leader does, whatever is due."""
    story.commit(put(TRACKING, 1, story.now), put(ORDERS, 1, None))
    story.cycle()
    story.commit(put(ORDERS, 9, story.now))
    assert counts(story.cycle(), ORDERS).looked_at == 1


def test_a_removed_key_stands_in_the_way_of_no_other(begun: Story) -> None:
    begun.commit(put(TRACKING, 2, begun.now))
    begun.cycle()
    begun.commit(delete(TRACKING, 2))
    begun.cycle()
    begun.commit(put(TRACKING, 3, begun.now), put(TRACKING, 9, begun.now))
    begun.cycle()
    assert [begun.place(TRACKING, key) for key in (2, 3, 9)] == ["removed", "", ""]
