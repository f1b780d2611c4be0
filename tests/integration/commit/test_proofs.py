"""What a cycle proves of itself, and what a reader sees meanwhile."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest

from committer import steps
from committer.marts import MartTable, Place
from committer.steps import Runner, Step
from tests.laws.standing import KEYS
from tests.laws.story import ORDERS, PATH, TRACKING, Story, delete, put, read
from warehouse.session import Session
from waybill.errors import WaybillError
from waybill.half_years import HalfYear
from waybill.raw import MART_SCHEMA


@pytest.fixture
def three(story: Story) -> Story:
    """Orders 1 to 3: 3 is in history."""
    for number, days in ((1, 0), (2, 10), (3, 300)):
        story.commit(put(TRACKING, number, story.ago(days)), put(ORDERS, number, story.ago(days)))
        story.commit(put(PATH, (number, 1), story.ago(days)))
    story.cycle()
    return story


def _copy(story: Story, table: str, to: str, where: str) -> None:
    story.shop.session.run(f"INSERT INTO {MART_SCHEMA}.{to} SELECT * FROM {MART_SCHEMA}.{table} WHERE {where}")


def _refused(story: Story, match: str) -> WaybillError:
    """The cycle fails and leaves everything as it was."""
    before, as_of = {table: story.shop.stands(table) for table in KEYS}, story.shop.as_of()
    with pytest.raises(WaybillError, match=match) as refused:
        story.shop.cycle()
    assert ({table: story.shop.stands(table) for table in KEYS}, story.shop.as_of()) == (before, as_of)
    failed = story.shop.session.row(f"SELECT count(*) AS n FROM {MART_SCHEMA}.cycles WHERE status = 'failed'")
    assert failed == {"n": 1}
    return refused.value


@pytest.mark.parametrize(("to", "other"), [("hist_tracking_2023_h1", "2023_h1"), ("mart_tracking", "")])
def test_a_key_damaged_by_hand_into_two_places_stops_the_cycle_with_its_name(three: Story, to: str, other: str) -> None:
    _copy(three, "mart_tracking", to, "order_id = 2")
    three.commit(put(TRACKING, 1, three.now), put(TRACKING, 2, three.now))
    error = _refused(three, r"240_twice of mart_tracking: 1 or more keys stand twice before the cycle")
    assert f"'order_id': 2, 'rows_found': 2, 'one_place': '', 'another_place': '{other}'" in error.what
    assert "waybill check conservation" in error.todo


def test_a_key_damaged_into_mart_and_removed_stops_the_cycle_too(three: Story) -> None:
    three.shop.session.run(
        f"INSERT INTO {MART_SCHEMA}.mart_path_removed SELECT order_id, seq, 1, 1, 1, 1, NULL, 1"
        f" FROM {MART_SCHEMA}.mart_path WHERE order_id = 2"
    )
    three.commit(put(PATH, (2, 1), three.now))
    assert "'order_id': 2, 'seq': 1" in _refused(three, "240_twice of mart_path").what


def test_damage_to_keys_that_a_cycle_does_not_touch_does_not_stop_it(three: Story) -> None:
    _copy(three, "mart_tracking", "hist_tracking_2023_h1", "order_id = 2")
    three.commit(put(TRACKING, 1, three.now))
    assert three.shop.cycle().status == "committed"


def _after(monkeypatch: pytest.MonkeyPatch, step: Step, statement: str) -> None:
    """Somebody's statement, inside the cycle, right after this step."""
    original = Runner.run

    def run(self: Runner, what: Step, mart: MartTable | None = None, place: Place | None = None, **values: Any) -> int:
        count = original(self, what, mart, place, **values)
        if what is step and mart and mart.mart.name == "mart_tracking":
            self.session.run(statement)
        return count

    monkeypatch.setattr(Runner, "run", run)


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("DELETE FROM {s}.mart_tracking WHERE order_id = 1", 0),
        ("INSERT INTO {s}.mart_tracking SELECT * FROM {s}.mart_tracking WHERE order_id = 1", 2),
        ("INSERT INTO {s}.hist_tracking_2023_h2 SELECT * FROM {s}.mart_tracking WHERE order_id = 1", 2),
        ("INSERT INTO {s}.mart_tracking_removed VALUES (1, 1, 1, 1, 1, NULL, 1)", 2),
        ("WITH gone AS (DELETE FROM {s}.mart_tracking WHERE order_id = 1 RETURNING *)"
         " INSERT INTO {s}.hist_tracking_2023_h2 SELECT * FROM gone", 1),
    ],
)  # fmt: skip
def test_a_row_that_does_not_stand_once_where_it_should_rolls_the_cycle_back(
    three: Story, monkeypatch: pytest.MonkeyPatch, statement: str, found: int
) -> None:
    _after(monkeypatch, steps.REMOVED, statement.format(s=MART_SCHEMA))
    three.commit(put(TRACKING, 1, three.now), put(TRACKING, 2, three.now))
    error = _refused(three, "350_conserved of mart_tracking: 1 or more keys do not stand exactly once")
    assert f"'order_id': 1, 'stood_in': '', 'should_stand_in': '', 'rows_found': {found}" in error.what


@pytest.mark.parametrize("moves", ["by itself", "with news", "new", "beside another of its position"])
def test_nothing_is_trimmed_before_it_has_arrived(three: Story, monkeypatch: pytest.MonkeyPatch, moves: str) -> None:
    _after(monkeypatch, steps.INSERT, f"DELETE FROM {MART_SCHEMA}.hist_tracking_2024_h1 WHERE order_id = 2")
    if moves == "by itself":
        three.pass_days(175)
        three.commit(put(TRACKING, 1, three.now))
    elif moves == "new":
        _after(monkeypatch, steps.INSERT, f"DELETE FROM {MART_SCHEMA}.hist_tracking_2023_h2 WHERE order_id = 5")
        three.commit(put(TRACKING, 5, three.ago(190)))
        _refused(three, "300_arrived of hist_tracking_2023_h2: 1 or more keys did not arrive")
        return
    elif moves == "beside another of its position":
        _after(monkeypatch, steps.INSERT, f"DELETE FROM {MART_SCHEMA}.hist_tracking_2023_h2 WHERE order_id = 2")
        three.load([read(TRACKING, (n,), three.number, three.ago(190)) for n in (2, 5)])
    else:
        three.commit(put(TRACKING, 2, three.ago(190)), put(TRACKING, 4, HalfYear.parse("2024h1").first_second))
        _after(monkeypatch, steps.INSERT, f"DELETE FROM {MART_SCHEMA}.hist_tracking_2023_h2 WHERE order_id = 2")
    error = _refused(three, r"300_arrived of hist_tracking_202\d_h\d: 1 or more keys did not arrive in hist_tracking")
    assert "'order_id': 2, 'stood_in': ''" in error.what


_POSITION = ["_era", "_number", "_order", "_batch_id"]


def _another_version(table: str, column: str, key: int) -> str:
    return f"UPDATE {MART_SCHEMA}.{table} SET {column} = {column} + 1 WHERE order_id = {key}"


@pytest.mark.parametrize("column", _POSITION)
def test_only_the_version_that_was_judged_is_taken_out(
    three: Story, monkeypatch: pytest.MonkeyPatch, column: str
) -> None:
    """A delete by key alone would take out what nobody has looked at."""
    _after(monkeypatch, steps.VERDICT, _another_version("hist_tracking_2023_h1", column, 3))
    three.commit(put(TRACKING, 3, three.now))
    error = _refused(three, "350_conserved of mart_tracking")
    found = "'rows_found': 2, 'one_place': '', 'right_versions': 1"
    assert f"'order_id': 3, 'stood_in': '2023_h1', 'should_stand_in': '', {found}" in error.what


@pytest.mark.parametrize("column", _POSITION)
def test_only_the_version_that_was_judged_is_replaced(
    three: Story, monkeypatch: pytest.MonkeyPatch, column: str
) -> None:
    _after(monkeypatch, steps.VERDICT, _another_version("mart_tracking", column, 1))
    three.commit(put(TRACKING, 1, three.now), put(TRACKING, 2, three.now))
    _refused(three, "288_replace of mart_tracking: 1 of 2 rows were replaced")


@pytest.mark.parametrize("column", _POSITION)
def test_another_version_than_the_one_put_in_has_not_arrived(
    three: Story, monkeypatch: pytest.MonkeyPatch, column: str
) -> None:
    _after(monkeypatch, steps.INSERT, _another_version("mart_tracking", column, 3))
    three.commit(put(TRACKING, 3, three.now))
    assert "'order_id': 3" in _refused(three, "300_arrived of mart_tracking: 1 or more keys did not arrive").what


@pytest.mark.parametrize("place", ["mart_tracking", "mart_tracking_removed"])
@pytest.mark.parametrize("column", _POSITION)
def test_another_version_than_the_one_that_won_does_not_stand_for_it(
    three: Story, monkeypatch: pytest.MonkeyPatch, column: str, place: str
) -> None:
    three.rule(TRACKING, on_delete="remove")
    three.cycle()
    _after(monkeypatch, steps.REMOVED, _another_version(place, column, 1))
    three.commit(delete(TRACKING, 1) if place.endswith("removed") else put(TRACKING, 1, three.now))
    where = "removed" if place.endswith("removed") else ""
    what = _refused(three, "350_conserved of mart_tracking").what
    assert f"'rows_found': 1, 'one_place': '{where}', 'right_versions': 0" in what


def test_as_of_tells_the_cut_of_what_a_reader_sees(three: Story) -> None:
    """One row; it changes together with the marts, and never before or after them."""
    session = three.shop.session
    wrong: list[object] = []
    stop = threading.Event()

    def read() -> None:
        with Session(three.shop.address, "reader") as reader:
            while not stop.is_set():
                with reader.transaction():
                    seen = reader.rows(f"SELECT gtid_set FROM {MART_SCHEMA}.as_of")
                    states = reader.rows(f"SELECT state FROM {MART_SCHEMA}.all_tracking WHERE order_id = 1")
                number = int(seen[0]["gtid_set"].rpartition("-")[2])
                if len(seen) != 1 or len(states) != 1 or (number > begun and states[0]["state"] != number):
                    wrong.append((seen, states))

    begun = three.number
    thread = threading.Thread(target=read)
    thread.start()
    for _ in range(6):
        three.commit(put(TRACKING, 1, three.now, three.number + 1))
        three.cycle()
    stop.set()
    thread.join()
    assert wrong == []
    row = session.row(f"SELECT cut_at, gtid_set, consistent, tables_out FROM {MART_SCHEMA}.as_of")
    at = datetime.fromtimestamp(three.cut_at, UTC).replace(tzinfo=None)
    gtids = f"aaaaaaaa-0000-0000-0000-000000000001:1-{three.number}"
    assert row == {"cut_at": at, "gtid_set": gtids, "consistent": True, "tables_out": ""}


def test_a_reader_of_the_all_time_views_sees_one_row_a_key_while_half_years_begin(three: Story) -> None:
    """Before, on and after the first day of a half-year, and while the table of the one after it is made."""
    wrong: list[Any] = []
    reads = Counter[str]()
    stop = threading.Event()

    def read(table: str) -> None:
        keys = ", ".join(KEYS[table])
        with Session(three.shop.address, "reader") as reader:
            while not stop.is_set():
                found = reader.rows(f"SELECT {keys} FROM {MART_SCHEMA}.all_{table.split('.')[1]} ORDER BY {keys}")
                reads[table] += 1
                if [tuple(row.values()) for row in found] != wanted[table]:
                    wrong.append((table, found))

    wanted = {table: sorted(three.shop.stands(table)) for table in KEYS}
    threads = [threading.Thread(target=read, args=(table,)) for table in KEYS]
    for thread in threads:
        thread.start()
    borders = [HalfYear.parse(text).first_second for text in ("2024h2", "2025h1", "2025h2")]
    made = []
    for border in borders:
        for second in (border - 1, border, border + 1):
            three.now = three.shop.clock.second = second
            key = 1 + second % 3
            three.commit(put(TRACKING, key, second), put(ORDERS, key, second), put(PATH, (key, 1), second))
            made += three.cycle().notes
    stop.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert min(reads.values()) > 5
    assert [note for note in made if "hist_tracking" in note] == [
        f"make hist_tracking_{h} and all_tracking over all" for h in ("2025_h1", "2025_h2", "2026_h1")
    ]
