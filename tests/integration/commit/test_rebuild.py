"""T never falls, not even when the row that set it is repaired; rebuilding the places sets it right."""

from __future__ import annotations

from datetime import UTC

from committer.commit import Committer
from tests.integration.commit.conftest import standing
from tests.integration.commit.feed import EPOCH, Feed
from warehouse.session import Session

NOW = int(EPOCH.replace(tzinfo=UTC).timestamp())
DAY = 86_400


def _tracking(number: int, time: int) -> dict[str, int]:
    return {"order_id": number, "state": number, "update_time": time}


def test_a_repaired_row_leaves_t_and_rebuilding_the_places_brings_back_what_it_had_sent_away(
    feed: Feed, committer: Committer, session: Session
) -> None:
    feed.first_snapshot([], [_tracking(1, NOW - 300 * DAY), _tracking(2, NOW - 200 * DAY)])
    committer.cycle()
    assert standing(session, "mart_tracking") == {1: 1, 2: 2}
    feed.rows("shop.tracking", [("u", 11, 1, _tracking(3, NOW))])  # wrongly decoded: it was of 190 days ago
    feed.ends([(11, {"shop.tracking": 1})])
    committer.cycle()
    assert standing(session, "mart_tracking") == {3: 3}
    feed.rows("shop.tracking", [("u", 11, 1, _tracking(3, NOW - 190 * DAY))])
    committer.cycle()
    assert standing(session, "mart_tracking") == {}, "T does not fall"
    summary = committer.cycle(rebuild=True)
    assert standing(session, "mart_tracking") == {1: 1, 2: 2, 3: 3}
    assert all("places are rebuilt" in mart.marked for mart in summary.marts)
    again = committer.cycle()
    assert not any(mart.marked or mart.looked_at for mart in again.marts)
