"""Cost follows the batch: on a million rows no step of a cycle is planned to read a mart or a history table through.

PostgreSQL's own settings; what the cycle sets for itself (`SET LOCAL`) is in force: each statement is explained in its
place in the cycle, right before it runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from psycopg2.sql import SQL, Composed

from tests.laws import shop
from tests.laws.model import DAY
from tests.laws.story import ORDERS, PATH, TRACKING, Story, put
from waybill.raw import MART_SCHEMA

_ROWS, _KEYS = 1_000_000, 10_000


class _Explained(shop.Deadly):
    """A session that notes every table that a statement of a step would read through."""

    explained = 0
    read_through: tuple[tuple[str, str], ...] = ()

    def run(self, statement: Any, parameters: Any = None, doing: str = "") -> int:
        self._explain(statement, parameters, doing)
        return super().run(statement, parameters, doing)

    def rows(self, statement: Any, parameters: Any = None, doing: str = "") -> list[dict[str, Any]]:
        self._explain(statement, parameters, doing)
        return super().rows(statement, parameters, doing)

    def _explain(self, statement: Any, parameters: Any, doing: str) -> None:
        if not isinstance(statement, Composed) or not doing.startswith("commit step"):
            return
        lines = [line for line in self.text_of(statement).splitlines() if not line.lstrip().startswith("--")]
        first = " ".join(lines).split(maxsplit=5)
        if first[0] not in ("SELECT", "INSERT", "UPDATE", "DELETE") and (first[0] != "CREATE" or first[4] != "AS"):
            return
        (found,) = super().rows(SQL("EXPLAIN (FORMAT JSON) ") + statement, parameters)
        _Explained.explained += 1
        for node in _nodes(found["QUERY PLAN"][0]["Plan"]):
            if node["Node Type"] == "Seq Scan":
                _Explained.read_through += ((doing.removeprefix("commit step "), node["Relation Name"]),)


def _nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from _nodes(child)


def _fill(story: Story, table: str, columns: str, count: int, values: str) -> None:
    story.shop.session.run(
        f"INSERT INTO {MART_SCHEMA}.{table} ({columns}, _era, _number, _order, _batch_id, _cycle)"
        f" SELECT {values}, 1, 1, 1, 1, 1 FROM generate_series(1, {count}) g"
    )


@pytest.fixture
def filled(story: Story) -> Story:
    """A million tracking rows in the mart and in one history table, orders and path events with them."""
    story.commit(*(put(table, 0, story.now) for table in (TRACKING, ORDERS)), put(PATH, (0, 0), story.now))
    story.shop.cycle()
    old = story.ago(400)
    recent = f"{story.ago(179)} + (g::bigint * {178 * DAY} / {_ROWS})"
    _fill(story, "mart_tracking", "order_id, state, update_time", _ROWS, f"g, 1, {recent}")
    _fill(story, "hist_tracking_2023_h1", "order_id, state, update_time", _ROWS, f"g + {_ROWS}, 1, {old}")
    _fill(story, "mart_orders", "order_id, status, add_time", _ROWS // 4, f"g * 4, 1, {recent}")
    _fill(story, "hist_orders_2023_h1", "order_id, status, add_time", _ROWS // 4, f"g * 4 + {_ROWS}, 1, {old}")
    _fill(story, "mart_path", "order_id, seq, code, path_time", _ROWS // 2, f"g / 2, g % 2, 1, {recent}")
    return story


def _batch(story: Story, first: int) -> None:
    """10 % new, 2 % out of history, the rest of all ages in the mart; time passes, so that about 1,000 rows age out."""
    story.pass_days(1.2)
    new, back = _KEYS // 10, _KEYS // 50
    keys = [
        *range(3 * _ROWS + first, 3 * _ROWS + first + new),
        *range(_ROWS + 4 * first + 4, _ROWS + 4 * (first + back) + 4, 4),
        *range(4 * first + 4, 4 * _ROWS // 4, 4 * (_ROWS // 4 // (_KEYS - new - back)))
    ]  # fmt: skip
    keys = keys[:_KEYS]
    for table in (TRACKING, ORDERS):
        story.commit(*(put(table, key, story.now) for key in keys))
    story.commit(*(put(PATH, (key // 4, 1), story.now) for key in keys))


def test_no_step_is_planned_to_read_a_mart_or_a_history_table_through(
    filled: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shop, "Deadly", _Explained)
    places = filled.shop.session.rows(f"SELECT table_name FROM {MART_SCHEMA}.mart_places")
    large = {*shop.MART.values(), *(row["table_name"] for row in places)}
    for number, statistics in enumerate(("never gathered", "fresh")):
        if statistics == "fresh":
            filled.shop.session.run("ANALYZE")
        _batch(filled, number * 1000)
        _Explained.explained, _Explained.read_through = 0, ()
        summary = filled.shop.cycle()
        tracking = next(m for m in summary.marts if m.mart == "mart_tracking")
        assert not tracking.marked
        assert tracking.keys >= _KEYS * 9 // 10
        assert tracking.returned >= _KEYS // 50
        assert tracking.archived > 0, "none aged out"
        through = [found for found in _Explained.read_through if found[1] in large]
        assert through == [], f"statistics {statistics}"
        assert _Explained.explained > 100
