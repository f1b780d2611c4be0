"""Continuous cycles: one as soon as something was loaded, none while nothing is."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime

from committer.commit import Committer
from committer.news import News
from committer.schedule import continuously
from tests.integration.commit.feed import Feed
from waybill.errors import UnreachableError


@dataclass
class Clock:
    second: float = 0

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return self.second

    def sleep(self, seconds: float) -> None:
        self.second += seconds


def test_a_load_is_news_once_and_a_minute_of_silence_too(feed: Feed, committer: Committer) -> None:
    clock = Clock()
    news = News(committer.open_session, committer.marts, clock)
    assert [news.came(), news.came()] == [True, False]
    feed.rows("shop.orders", [("u", 11, 1, {"order_id": 1, "status": 1, "add_time": 1})])
    assert [news.came(), news.came()] == [True, False]
    feed.ends([(11, {"shop.orders": 1})])
    assert [news.came(), news.came()] == [True, False]
    clock.second = 59
    assert not news.came()
    clock.second = 61
    assert [news.came(), news.came()] == [True, False]


def test_a_warehouse_that_is_away_is_for_the_cycle_to_tell_of(committer: Committer) -> None:
    def away(name: str) -> object:
        raise UnreachableError("away")

    assert News(away, committer.marts, Clock()).came()  # type: ignore[arg-type]


def test_without_news_no_cycle_runs(committer: Committer) -> None:
    stop, cycles, asked = threading.Event(), [], []

    def news() -> bool:
        asked.append(1)
        if len(asked) == 6:
            stop.set()
        return len(asked) in (2, 4)

    continuously(0, news, lambda: cycles.append(1), lambda summary: None, Clock(), stop)  # type: ignore[arg-type,return-value,func-returns-value]
    assert len(cycles) == 2
