"""A changed setting is one marked cycle, or refused; a fourth mart and reader roles work by being named."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from cli.pipeline import load
from committer import ahead
from committer.commit import Committer
from committer.marts import MartTable
from tests.laws.model import DAY
from tests.laws.shop import Clock, Source
from tests.laws.standing import KEYS, MART
from tests.laws.story import ORDERS, PATH, TRACKING, Story, delete, put
from warehouse.change import apply
from warehouse.schema import MartTable as WantedMart
from warehouse.schema import RawTable, plan
from warehouse.session import Session
from waybill.addresses import Warehouse
from waybill.errors import SettingsError
from waybill.raw import MART_SCHEMA, RAW_SCHEMA
from waybill.types import SourceColumn

_A = "aaaaaaaa-0000-0000-0000-000000000001"


def _marked(story: Story) -> dict[str, str]:
    return {m.mart: m.marked for m in story.cycle().marts if m.marked}


def _of_all_ages(story: Story) -> None:
    for number, days in enumerate((0, 100, 200, 300, 900), 1):
        changes = [put(table, number, story.ago(days)) for table in (TRACKING, ORDERS)]
        story.commit(*changes, put(PATH, (number, 1), story.ago(days)))
    story.cycle()
    assert _marked(story) == {}


@pytest.mark.parametrize("days", [30, 250, 400])
def test_a_changed_retention_is_one_marked_cycle_that_also_brings_rows_back(story: Story, days: int) -> None:
    _of_all_ages(story)
    story.rule(TRACKING, retention=days * DAY)
    marked = _marked(story)
    assert list(marked) == ["mart_tracking"]
    assert marked["mart_tracking"].startswith("retention_seconds from 15552000 to")
    assert [story.place(TRACKING, n) == "" for n in (1, 2, 3, 4)] == [days > age for age in (0, 100, 200, 300)]
    assert [story.place(ORDERS, n) == "" for n in (1, 2, 3, 4)] == [days > age for age in (0, 100, 200, 300)]
    assert _marked(story) == {}


@pytest.mark.parametrize(
    ("old", "new"), [("mark", "remove"), ("mark", "ignore"), ("ignore", "mark"), ("ignore", "remove")]
)
def test_another_rule_for_deletes_is_one_marked_cycle(story: Story, old: str, new: str) -> None:
    for table in KEYS:
        story.rule(table, on_delete=old)
    _of_all_ages(story)
    story.commit(*(delete(table, n) for table in (TRACKING, ORDERS) for n in (1, 3)))
    story.commit(*(delete(PATH, (n, 1)) for n in (1, 3)))
    story.cycle()
    for table in KEYS:
        story.rule(table, on_delete=new)
    assert set(_marked(story).values()) == {f"on_delete from {old} to {new}"}
    gone = {table: row for table in (TRACKING, ORDERS) for row in [story.place(table, 1), story.place(table, 3)]}
    assert set(gone.values()) == {"removed"} if new == "remove" else "removed" not in gone.values()
    before = {table: story.shop.stands(table) for table in KEYS}
    assert _marked(story) == {}
    assert {table: story.shop.stands(table) for table in KEYS} == before


def test_a_lowered_first_half_year_is_one_marked_cycle_that_resolves_the_gaps(story: Story) -> None:
    _of_all_ages(story)
    story.commit(put(TRACKING, 6, story.ago(900)), put(ORDERS, 6, None))
    story.cycle()
    assert [(key, kind) for _, key, kind in story.shop.exceptions()] == [
        ("5/1", "ARCHIVE_ROUTING_GAP_UTS"), ("5", "ARCHIVE_ROUTING_GAP"), ("6", "ARCHIVE_ROUTING_GAP"),
    ]  # fmt: skip
    story.shop.first = "2021h1"
    assert set(_marked(story)) == set(MART.values())
    assert (story.place(TRACKING, 5), story.place(ORDERS, 5)) == ("2021_h2", "2021_h2")
    assert story.shop.exceptions() == [(ORDERS, "6", "ARCHIVE_ROUTING_GAP_ECS")], "its order has left, its time is NULL"
    assert _marked(story) == {}
    notes = story.shop.session.rows(
        f"SELECT DISTINCT resolution_notes AS n FROM {MART_SCHEMA}.order_tracking_exceptions"
        " WHERE resolved_at IS NOT NULL"
    )
    assert [row["n"].startswith("its cause is gone (cycle ") for row in notes] == [True]


@pytest.mark.parametrize("change", ["first half-year", "remove to mark", "remove to ignore"])
def test_what_has_no_way_back_is_refused_before_anything_is_changed(story: Story, change: str) -> None:
    story.rule(PATH, on_delete="remove")
    _of_all_ages(story)
    before, as_of = {table: story.shop.stands(table) for table in KEYS}, story.shop.as_of()
    if change == "first half-year":
        story.shop.first = "2023h2"
    else:
        story.rule(PATH, on_delete=change.split()[-1])
    story.commit(put(TRACKING, 7, story.now))
    with pytest.raises(SettingsError, match=r"raised from 2023_h1 to 2023_h2|changed from remove to") as refused:
        story.shop.cycle()
    assert refused.value.exit_code == 2
    assert ({table: story.shop.stands(table) for table in KEYS}, story.shop.as_of()) == (before, as_of)


def test_a_mart_that_stops_following_goes_by_its_own_time(story: Story) -> None:
    story.commit(put(TRACKING, 1, story.ago(300)), put(ORDERS, 1, story.ago(10)))
    story.commit(put(TRACKING, 9, story.now), put(ORDERS, 9, story.now))
    story.cycle()
    assert story.place(ORDERS, 1) != ""
    story.rule(ORDERS, follows="")
    assert _marked(story) == {"mart_orders": "follows from mart_tracking to nothing"}
    assert story.place(ORDERS, 1) == ""


@pytest.mark.parametrize("on_delete", ["mark", "remove", "ignore"])
def test_a_truncate_that_was_taken_deletes_what_was_placed_before_it(story: Story, on_delete: str) -> None:
    """In one marked cycle, by `on_delete`; it has no END and is reached with the transaction behind it."""
    for table in KEYS:
        story.rule(table, on_delete=on_delete)
    _of_all_ages(story)
    story.number += 1
    story.shop.session.run(
        f"INSERT INTO {RAW_SCHEMA}.source_changes (table_name, change_id, kind, topic_id, change_offset, gtid,"
        " changed_at, ddl, what, state, must_read, read_how, decided_by, reason)"
        f" SELECT t, 1, 'truncate', '', 0, %s || ':' || %s, to_timestamp(%s), '', '', s, '', '', '', ''"
        " FROM (VALUES (%s, 'take'), (%s, 'open')) x(t, s)",
        ("aaaaaaaa-0000-0000-0000-000000000001", story.number, story.now, TRACKING, ORDERS),
    )  # fmt: skip
    assert _marked(story) == {}
    story.wipes[TRACKING] = [((1, story.number, 0), story.now)]
    story.commit(put(TRACKING, 2, story.now), put(TRACKING, 8, story.now))
    assert _marked(story) == {"mart_tracking": "rows of it were deleted without events"}
    stands = story.shop.stands(TRACKING)
    assert sorted(key for (key,), (row,) in stands.items() if row.gone is None and row.place != "removed") == [2, 8]
    assert _marked(story) == {}


def _truncated(story: Story, table: str, gtid: str, kind: str = "truncate", change: int = 1) -> None:
    """A change of this table that a person took."""
    story.shop.session.run(
        f"INSERT INTO {RAW_SCHEMA}.source_changes (table_name, change_id, kind, topic_id, change_offset, gtid,"
        " changed_at, ddl, what, state, must_read, read_how, decided_by, reason)"
        " VALUES (%s, %s, %s, '', 0, %s, to_timestamp(%s), '', '', 'take', '', '', '', '')",
        (table, change, kind, gtid, story.now),
    )


def test_only_a_truncate_of_a_line_in_the_cut_is_reached(story: Story) -> None:
    """Another line or tag has numbers of its own; another kind of change deletes nothing."""
    story.commit(put(TRACKING, 1, story.now), put(TRACKING, 9, story.now))
    story.cycle()
    _truncated(story, TRACKING, "bbbbbbbb-0000-0000-0000-000000000002:11")
    _truncated(story, TRACKING, f"{_A}:night:11", change=2)
    _truncated(story, TRACKING, f"{_A}:11", "rename", change=3)
    assert _marked(story) == {}
    story.shop.session.run(f"INSERT INTO {MART_SCHEMA}.eras VALUES (9, %s, 'night', 1, 11)", (_A,))
    assert story.shop.cycle().marts[0].marked
    found = story.shop.session.rows(f"SELECT why, era, number FROM {MART_SCHEMA}.wipes")
    assert found == [{"why": f"TRUNCATE {_A}:night:11", "era": 9, "number": 11}]


def test_of_two_truncates_the_first_behind_a_row_deleted_it(story: Story) -> None:
    story.commit(put(TRACKING, 1, story.now))
    for table in (PATH, TRACKING):
        story.shop.session.run(
            f"INSERT INTO {MART_SCHEMA}.wipes VALUES ('shop.other', %s, 1, 1, 0, now(), 0)",
            (f"TRUNCATE {_A}:{12 if table == TRACKING else 14}",),
        )
    for change in (1, 2):
        story.number += 1
        _truncated(story, TRACKING, f"{_A}:{story.number}", change=change)
        story.wipes.setdefault(TRACKING, []).append(((1, story.number, 0), story.now))
        story.pass_days(1)
        story.commit(put(TRACKING, 10 * change, story.now))
        story.cycle()
    gone = {key: row.gone for (key,), (row,) in story.shop.stands(TRACKING).items()}
    assert gone == {1: story.wipes[TRACKING][0][1], 10: story.wipes[TRACKING][1][1], 20: None}


def test_a_truncate_of_the_mart_that_comes_last_marks_that_one_alone(story: Story) -> None:
    story.commit(put(TRACKING, 1, story.now), put(PATH, (1, 1), story.now))
    story.cycle()
    story.number += 1
    _truncated(story, PATH, f"{_A}:{story.number}")
    story.wipes[PATH] = [((1, story.number, 0), story.now)]
    story.commit(put(TRACKING, 9, story.now))
    assert list(_marked(story)) == ["mart_path"]
    assert _marked(story) == {}


def test_two_truncates_reached_in_one_cycle_delete_by_the_first(story: Story) -> None:
    story.commit(put(TRACKING, 1, story.now))
    for change in (2, 1):
        story.pass_days(1)
        story.number += 1
        _truncated(story, TRACKING, f"{_A}:{story.number}", change=change)
        story.wipes.setdefault(TRACKING, []).append(((1, story.number, 0), story.now))
    story.commit(put(TRACKING, 9, story.now))
    story.cycle()
    assert story.shop.stands(TRACKING)[(1,)][0].gone == story.wipes[TRACKING][0][1]


def test_a_wipe_goes_to_the_very_row_of_a_transaction(story: Story) -> None:
    """Era, number, place in the transaction: behind any of them a row is untouched, whatever the others say."""
    first = story.commit(*(put(TRACKING, key, story.now) for key in (1, 2, 3)))
    story.commit(*(put(TRACKING, key, story.now) for key in (11, 12, 13)))
    story.commit(*(put(TRACKING, key, story.now) for key in (21, 22, 23)))
    story.cycle()
    session, number = story.shop.session, first[0].position[1] + 1
    session.run(
        f"INSERT INTO {MART_SCHEMA}.wipes SELECT %s, 'by hand', max(era), %s, 2, now(), 99 FROM {MART_SCHEMA}.eras",
        (TRACKING, number),
    )
    session.run(f"INSERT INTO {MART_SCHEMA}.eras SELECT max(era) + 1, 'b', '', 1, 99 FROM {MART_SCHEMA}.eras")
    story.commit(put(TRACKING, 31, story.now))
    session.run(f"UPDATE {RAW_SCHEMA}.tracking_raw SET _gtid = 'b:1', _gtid_number = 1 WHERE order_id = 31")
    story.shop.cycle()
    stands = story.shop.stands(TRACKING)
    assert sorted(key for (key,), (row,) in stands.items() if row.gone is not None) == [1, 2, 3, 11]


@pytest.mark.parametrize("on_delete", ["mark", "ignore"])
def test_a_marked_cycle_writes_no_row_that_it_does_not_change(story: Story, on_delete: str) -> None:
    for table in KEYS:
        story.rule(table, on_delete=on_delete)
    story.commit(*(put(table, key, story.now) for table in (TRACKING, ORDERS) for key in (1, 2)))
    story.commit(delete(TRACKING, 1), delete(ORDERS, 1))
    story.cycle()

    def written() -> list[dict[str, int]]:
        return story.shop.session.rows(f"SELECT order_id, _cycle FROM {MART_SCHEMA}.mart_tracking ORDER BY 1")

    before = written()
    story.rule(TRACKING, retention=170 * DAY)
    assert list(_marked(story)) == ["mart_tracking"]
    assert written() == before


_PIPELINE = """
history: {first_half_year: 2023h1, readers: [%(reader)s]}
tables:
  - {source: shop.tracking, key: [order_id], event_time: update_time, mart: {name: mart_tracking}}
  - {source: shop.labels, key: [Label, part], event_time: printedAt,
     mart: {name: mart_labels, on_delete: remove, retention_days: 30}}
"""
_LABELS = (
    SourceColumn("Label", "VARCHAR", length=20, nullable=False), SourceColumn("part", "INT", nullable=False),
    SourceColumn("printedAt", "INT"), SourceColumn("text", "VARCHAR", length=40),
)  # fmt: skip


@pytest.fixture
def reader(warehouse_server: Warehouse) -> Iterator[str]:
    """A role that may log in and nothing else."""
    name = f"reader_{secrets.token_hex(4)}"
    with Session(warehouse_server, "test") as session:
        session.run(f"CREATE ROLE {name} LOGIN PASSWORD 'reader'")
        try:
            yield name
        finally:
            session.run(f"DROP ROLE {name}")


def test_a_further_mart_with_its_own_history_and_readers_works_by_declaration_alone(
    reader: str, story: Story, tmp_path: Path
) -> None:
    """Another raw table, a key of other types and letters, its own retention and rule for deletes."""
    story.cycle()
    shop, session = story.shop, story.shop.session
    (tmp_path / "pipeline.yml").write_text(_PIPELINE % {"reader": reader})
    pipeline = load(tmp_path / "pipeline.yml")
    entry = pipeline.table("shop.labels")
    assert entry.mart
    wanted = WantedMart.of_source(
        entry.mart.name, _LABELS, entry.key, entry.event_time or "",
        half_years=ahead.half_years(pipeline.history, shop.clock.now()), readers=pipeline.history.readers,
    )  # fmt: skip
    apply(session, plan(session, [RawTable.of_source(entry.raw, _LABELS)], [wanted]))
    committer = Committer(
        lambda name: Session(shop.address, name), [MartTable(e, e.mart, ()) for e in pipeline.marts if e.mart],
        pipeline.commit.model_copy(update={"drift_seconds": 1e12}), Source(), Clock(story.now), pipeline.history,
    )  # fmt: skip

    def labels(number: int, *rows: tuple[str, str, int, int | None]) -> None:
        """(op, label, part, printed at), in one transaction."""
        batch = next(shop._batches)
        shop._load(
            entry.raw, batch,
            [
                shop._message(entry.raw, batch) | {
                    "_op": op, "_snapshot": "false", "_gtid": f"{_A}:{number}", "_gtid_number": number,
                    "_tx_id": f"{_A}:{number}", "_tx_order": order, "_server_id": 1, "_binlog_file": "b.1",
                    "_binlog_pos": number, "_binlog_row": 0, "_committed_at": shop.clock.now().replace(tzinfo=None),
                    "label": label, "part": part, "printedat": printed, "text": f"{label}-{number}",
                }
                for order, (op, label, part, printed) in enumerate(rows, 1)
            ],
        )  # fmt: skip
        shop.end(number, {"shop.labels": len(rows)}, story.now)

    def stands() -> dict[str, list[str]]:
        places = session.rows(f"SELECT place, table_name FROM {MART_SCHEMA}.mart_places WHERE mart = 'mart_labels'")
        found = {}
        for place in [{"place": "", "table_name": "mart_labels"}, *places]:
            rows = session.rows(f"SELECT text FROM {MART_SCHEMA}.{place['table_name']} ORDER BY text")
            if rows:
                found[place["place"]] = [row["text"] for row in rows]
        return found

    labels(
        11,
        ("c", "A/1", 1, story.now),
        ("c", "A/1", 2, story.ago(40)),
        ("c", "B'é", 1, story.ago(400)),
        ("c", "C", 1, None),
    )
    committer.cycle()
    assert stands() == {"": ["A/1-11", "C-11"], "2024_h1": ["A/1-11"], "2023_h1": ["B'é-11"]}
    gap = session.rows(f"SELECT row_key, order_id, exception_type FROM {MART_SCHEMA}.order_tracking_exceptions")
    assert gap == [{"row_key": "C/1", "order_id": None, "exception_type": "ARCHIVE_ROUTING_GAP"}]
    labels(12, ("u", "B'é", 1, story.now), ("d", "A/1", 2, story.ago(40)), ("u", "C", 1, story.ago(90)))
    committer.cycle()
    assert stands() == {"": ["A/1-11", "B'é-12"], "2023_h2": ["C-12"]}
    assert session.rows(f"SELECT label, part FROM {MART_SCHEMA}.mart_labels_removed") == [{"label": "A/1", "part": 2}]
    _reads(shop.address, reader, session)


def _reads(address: Warehouse, reader: str, session: Session) -> None:
    """The role reads marts, history, views and as_of; and nothing else, also of tables that came later."""
    connection = psycopg2.connect(
        host=address.host, port=address.port, dbname=address.database, user=reader, password="reader"
    )
    connection.autocommit = True
    history = [
        r["table_name"]
        for r in session.rows(f"SELECT table_name FROM {MART_SCHEMA}.mart_places WHERE mart = 'mart_labels'")
    ]
    with connection.cursor() as cursor:
        for name in ("mart_labels", "mart_tracking", "all_labels", "all_tracking", "as_of", *history):
            cursor.execute(f"SELECT count(*) FROM {MART_SCHEMA}.{name}")
        for name in (f"{MART_SCHEMA}.mart_labels_removed", f"{RAW_SCHEMA}.labels_raw", f"{MART_SCHEMA}.cycles"):
            with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                cursor.execute(f"SELECT count(*) FROM {name}")
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute(f"DELETE FROM {MART_SCHEMA}.mart_labels")
    connection.close()


def test_a_reader_role_that_is_not_there_is_named(story: Story) -> None:
    session = story.shop.session
    wanted = WantedMart.of_source(
        "mart_tracking", [SourceColumn("order_id", "BIGINT")], ["order_id"], "update_time", readers=["nobody_here"]
    )
    with pytest.raises(SettingsError, match="the role 'nobody_here', which the warehouse does not have"):
        plan(session, [], [wanted])
