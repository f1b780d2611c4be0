"""What a statement at the source means: read, compared, applied to a table's history."""

from __future__ import annotations

from datetime import datetime

import pytest

from waybill.source_changes import constants
from waybill.source_changes.compare import What, differences, signature
from waybill.source_changes.history import Entry, History, Moment, Version
from waybill.source_changes.plan import Add, Rename, Widen, next_version, why_read_again
from waybill.source_changes.statement import Statement, read
from waybill.types import SourceColumn

ID = SourceColumn("id", "BIGINT", nullable=False)
A = SourceColumn("a", "INT")
NAME = SourceColumn("name", "VARCHAR", 10, width=40)


def history(*columns: SourceColumn) -> History:
    entries = tuple(Entry(c, c.warehouse_name, place, None, 0) for place, c in enumerate(columns))
    return History("shop.parcel", entries, (Version(0, Moment()),))


def became(before: SourceColumn, after: SourceColumn) -> What | None:
    found = differences([before], [after], Statement())
    return found[0].what if found else None


def test_the_clauses_of_an_alter_are_read_whatever_is_written_in_them() -> None:
    found = read(
        "ALTER TABLE `p` /* ADD COLUMN no int */ ADD COLUMN z int NOT NULL DEFAULT -7 COMMENT 'DEFAULT, ADD x' FIRST,"
        " add s varchar(20) DEFAULT 'it''s, \\'so\\'' AFTER z, ADD (m date, `odd, name` decimal(8,2) DEFAULT 1.50),"
        " ADD e datetime DEFAULT CURRENT_TIMESTAMP, ADD x int DEFAULT (a+1), ADD g int AS (a+1) STORED,"
        " ADD n int AUTO_INCREMENT UNIQUE, ADD h int CHECK (h > DEFAULT(a)),"
        " ADD INDEX i (a), DROP COLUMN d, DROP INDEX j, DROP PRIMARY KEY,"
        " RENAME COLUMN a TO aa, CHANGE b c bigint, CHANGE q Q int, RENAME INDEX o TO r, MODIFY w int -- DROP v",
        "shop",
    )
    assert found.table == "shop.p"
    assert found.constants == {"z": "-7", "s": "it's, 'so'", "odd, name": "1.50"}
    assert found.computed == {"e", "x", "g", "n"}
    assert found.added == {"z", "s", "m", "odd, name", "e", "x", "g", "n", "h"}
    assert found.dropped == {"d"}
    assert found.renamed_columns == {"a": "aa", "b": "c"}
    assert not found.renamed_tables


@pytest.mark.parametrize(
    ("ddl", "renames"),
    [
        ("RENAME TABLE a TO `o`.b, o.b TO c", [("shop.a", "o.b"), ("o.b", "shop.c")]),
        ("ALTER TABLE a RENAME TO b", [("shop.a", "shop.b")]),
        ("ALTER TABLE x.a RENAME AS `b`, ADD COLUMN z int", [("x.a", "shop.b")]),
    ],
)
def test_a_table_that_is_renamed_is_seen(ddl: str, renames: list[tuple[str, str]]) -> None:
    assert read(ddl, "shop").renamed_tables == renames


def test_a_partition_that_goes_without_row_events_is_seen() -> None:
    assert read("ALTER TABLE p DROP PARTITION p1, p2", "shop").lost_partitions == "DROP PARTITION"
    assert read("ALTER TABLE p EXCHANGE PARTITION p1 WITH TABLE q", "shop").lost_partitions == "EXCHANGE PARTITION"
    assert not read("ALTER TABLE p ADD PARTITION (PARTITION p3 VALUES LESS THAN (9))", "shop").lost_partitions
    assert read("ALTER TABLE p TRUNCATE PARTITION ALL", "shop").dropped == set()


@pytest.mark.parametrize(
    ("before", "after", "what"),
    [
        (A, SourceColumn("a", "BIGINT"), What.WIDENED),
        (SourceColumn("a", "INT UNSIGNED"), SourceColumn("a", "BIGINT UNSIGNED"), What.WIDENED),
        (A, SourceColumn("a", "BIGINT UNSIGNED"), What.RETYPED),
        (A, SourceColumn("a", "SMALLINT"), What.NARROWED),
        (SourceColumn("a", "BIGINT UNSIGNED"), SourceColumn("a", "BIGINT"), What.NARROWED),
        (A, SourceColumn("a", "INTEGER", 10), None),
        (SourceColumn("a", "DECIMAL", 8, 2), SourceColumn("a", "DECIMAL", 10, 3), What.WIDENED),
        (SourceColumn("a", "DECIMAL", 8, 2), SourceColumn("a", "DECIMAL", 8, 3), What.NARROWED),
        (NAME, SourceColumn("name", "VARCHAR", 11, width=44), What.WIDENED),
        (NAME, SourceColumn("name", "VARCHAR", 9, width=36), What.NARROWED),
        (NAME, SourceColumn("name", "VARCHAR", 10, width=30), What.DESCRIBED),
        (NAME, SourceColumn("name", "TEXT", width=65_535), What.WIDENED),
        (SourceColumn("a", "TEXT"), NAME, What.NARROWED),
        (SourceColumn("a", "DATETIME", 6), SourceColumn("a", "DATETIME"), What.NARROWED),
        (SourceColumn("a", "DATETIME"), SourceColumn("a", "TIMESTAMP"), What.RETYPED),
        (A, NAME, What.RETYPED),
        (A, SourceColumn("a", "INT", comment="other"), What.DESCRIBED),
        (SourceColumn("a", "ENUM", 1, width=4), SourceColumn("a", "ENUM", 1, width=12), What.DESCRIBED),
        (SourceColumn("a", "FLOAT"), SourceColumn("a", "DOUBLE"), What.WIDENED),
    ],
)
def test_a_column_is_known_by_what_became_of_it(before: SourceColumn, after: SourceColumn, what: What | None) -> None:
    assert became(before, SourceColumn(before.name, *_rest(after))) is what


def _rest(column: SourceColumn) -> tuple[object, ...]:
    return (column.type, column.length, column.scale, column.nullable, column.width, column.comment)


def test_only_the_statement_tells_a_rename_from_a_drop_and_an_add() -> None:
    now = [ID, SourceColumn("b", "INT")]
    told = differences([ID, A], now, read("ALTER TABLE p RENAME COLUMN a TO b", "shop"))
    assert [(d.what, d.passes) for d in told] == [(What.RENAMED, False)]
    other = differences([ID, A], now, read("ALTER TABLE p DROP a, ADD b int", "shop"))
    assert [d.what for d in other] == [What.DROPPED, What.ADDED]
    assert all(d.passes for d in other)
    assert What.PERHAPS_RENAMED in {d.what for d in differences([ID, A], now, None)}


def test_a_column_dropped_and_added_in_one_statement_is_a_new_one() -> None:
    statement = read("ALTER TABLE p DROP COLUMN a, ADD COLUMN a int DEFAULT 3", "shop")
    found = differences([ID, A], [ID, A], statement)
    assert [d.what for d in found] == [What.MADE_ANEW]
    made, steps = next_version(history(ID, A), found, [ID, A], statement.constants, Moment())
    assert steps == [Rename("a", "a__dropped_1"), Add("a", A, "3")]
    assert [(e.warehouse_name, e.added, e.dropped) for e in made.entries if e.column.name == "a"] == [
        ("a__dropped_1", 0, 1),
        ("a", 1, None),
    ]


def test_an_added_column_has_its_constant_before_and_null_after_it_was_dropped() -> None:
    z = SourceColumn("z", "INT")
    added, _ = next_version(
        history(ID, A), differences([ID, A], [z, ID, A], Statement()), [z, ID, A], {"z": "7"}, Moment()
    )
    dropped, steps = next_version(added, differences([z, ID, A], [ID, A], Statement()), [ID, A], {}, Moment())
    assert steps == []
    assert [v.number for v in dropped.matching(signature([ID, A]))] == [0, 2]
    (before,) = dropped.defaults(0).values()
    assert before is not None and before.default == "7"
    assert dropped.defaults(1) == {}
    assert dropped.defaults(2) == {"z": None}


def test_a_renamed_column_keeps_its_place_in_the_warehouse_under_the_new_name() -> None:
    b = SourceColumn("b", "BIGINT")
    found = differences([ID, A], [ID, b], read("ALTER TABLE p CHANGE a b bigint", "shop"))
    made, steps = next_version(history(ID, A), found, [ID, b], {}, Moment())
    assert steps == [Rename("a", "b"), Widen("b", b)]
    assert {e.warehouse_name for e in made.at(0)} == {"id", "b"}
    again, steps = next_version(history(ID, A), found, [ID, b], {}, Moment(), follow_renames=False)
    assert steps == [Add("b", b, None)]
    assert {e.warehouse_name for e in again.at(0)} == {"id", "a"}


def test_what_mysql_changes_without_row_events_is_to_be_read_again() -> None:
    statement = read("ALTER TABLE p ADD c datetime DEFAULT CURRENT_TIMESTAMP, ADD d int DEFAULT 5", "shop")
    c, d = SourceColumn("c", "DATETIME"), SourceColumn("d", "INT")
    (why,) = why_read_again(differences([ID], [ID, c, d], statement), statement.computed)
    assert "'c'" in why
    assert why_read_again(differences([NAME], [SourceColumn("name", "VARCHAR", 5)], Statement()), set())


@pytest.mark.parametrize(
    ("column", "text", "value"),
    [
        (A, "7", 7),
        (SourceColumn("a", "DECIMAL", 8, 2), "1.5", "1.50"),
        (SourceColumn("a", "DATETIME"), "2020-01-02 03:04:05", datetime(2020, 1, 2, 3, 4, 5)),  # noqa: DTZ001
        (SourceColumn("a", "DATETIME"), "0000-00-00 00:00:00", None),
        (SourceColumn("a", "TIME"), "-01:00:00.5", -3_600_500_000),
        (SourceColumn("a", "BIT", 1), "1", True),
        (NAME, "it's", "it's"),
        (NAME, None, None),
    ],
)
def test_a_constant_becomes_the_value_that_an_event_would_carry(
    column: SourceColumn, text: str | None, value: object
) -> None:
    found = constants.value(column, text)
    assert (str(found) if isinstance(value, str) else found) == value


def test_a_not_null_column_without_default_has_the_implicit_value_of_its_type() -> None:
    assert constants.implicit(SourceColumn("a", "INT", nullable=False)) == "0"
    assert constants.implicit(SourceColumn("a", "VARCHAR", 3, nullable=False)) == ""
    assert constants.implicit(SourceColumn("a", "ENUM", nullable=False), ["x", "y"]) == "x"
    assert constants.implicit(SourceColumn("a", "DATE", nullable=False)) is None
    assert constants.implicit(A) is None


def test_an_event_is_before_or_after_a_statement_by_gtid_or_else_by_time() -> None:
    at = datetime(2026, 1, 1)  # noqa: DTZ001
    uuid = "3e11fa47-71ca-11e1-9e33-c80aa9429562"
    moment = Moment(f"{uuid}:10", at)
    assert moment.reached_by(f"{uuid}:10", None)
    assert not moment.reached_by(f"{uuid}:9", at.replace(year=2027))
    assert moment.reached_by("4e11fa47-71ca-11e1-9e33-c80aa9429562:3", at.replace(year=2027))
    assert not moment.reached_by(None, at.replace(year=2025))
    assert not moment.reached_by(None, None)
