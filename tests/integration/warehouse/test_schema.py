"""waybill's tables are made in order, recorded, upgraded in place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from warehouse.change import apply
from warehouse.schema import MartTable, RawTable, Wanted, plan, present_columns
from warehouse.session import Session
from warehouse.statements import ROOT
from waybill.addresses import Warehouse
from waybill.errors import ConflictError, RefusedError
from waybill.raw import MART_SCHEMA, RAW_SCHEMA
from waybill.types import SourceColumn

COLUMNS = (
    SourceColumn("order_id", "BIGINT", nullable=False, comment="the order's number"),
    SourceColumn("pathTime", "INT"),
)
RAWS = [RawTable.of_source("path_raw", COLUMNS)]
MARTS = [MartTable.of_source("mart_path", COLUMNS, ["order_id"], "pathTime")]


@pytest.fixture
def session(warehouse: Warehouse) -> Iterator[Session]:
    with Session(warehouse, "test") as opened:
        yield opened


def test_applying_again_does_nothing(session: Session) -> None:
    apply(session, plan(session, RAWS, MARTS))
    assert plan(session, RAWS, MARTS) == []
    assert present_columns(session, MART_SCHEMA, "mart_path")[:2] == ["order_id", "pathtime"]
    required = session.row(
        "SELECT is_nullable FROM information_schema.columns WHERE table_name = 'mart_path' AND column_name = 'order_id'"
    )
    assert required == {"is_nullable": "NO"}


def test_comments_of_the_source_are_carried(session: Session) -> None:
    apply(session, plan(session, RAWS, MARTS))
    for name in ("settlement_public.path_raw", "settlement_ods.mart_path"):
        row = session.row(
            "SELECT col_description(%s::regclass, attnum) AS comment FROM pg_attribute"
            " WHERE attrelid = %s::regclass AND attname = 'order_id'",
            (name, name),
        )
        assert row == {"comment": "the order's number"}


def test_a_new_column_at_the_source_is_added_to_raw_and_mart(session: Session) -> None:
    apply(session, plan(session, RAWS, MARTS))
    more = (*COLUMNS, SourceColumn("note", "VARCHAR", length=10, width=40))
    changes = plan(
        session,
        [RawTable.of_source("path_raw", more)],
        [MartTable.of_source("mart_path", more, ["order_id"], "pathTime")],
    )
    assert [c.what for c in changes] == ["add path_raw.note varchar(40)", "add mart_path.note varchar(40)"]
    apply(session, changes)
    assert "note" in present_columns(session, RAW_SCHEMA, "path_raw")


def test_a_schema_newer_than_the_program_is_refused(session: Session) -> None:
    apply(session, plan(session, RAWS, MARTS))
    session.run("INSERT INTO settlement_public.schema_versions (step, subject, sha256) VALUES ('999_future', '', '')")
    with pytest.raises(RefusedError, match="newer waybill"):
        plan(session, RAWS, MARTS)


def test_a_step_that_waits_for_a_reader_gives_up_and_can_be_repeated(session: Session, warehouse: Warehouse) -> None:
    apply(session, plan(session, RAWS, MARTS))
    wanted = [replace(RAWS[0], columns=(*RAWS[0].columns, Wanted("late", "integer")))]
    with Session(warehouse, "reader") as reader, reader.transaction():
        reader.rows("SELECT * FROM settlement_public.path_raw")
        with pytest.raises(ConflictError):
            apply(session, plan(session, wanted, MARTS))
    apply(session, plan(session, wanted, MARTS))
    assert "late" in present_columns(session, RAW_SCHEMA, "path_raw")


def test_no_constraint_exists_that_redshift_does_not_enforce(session: Session) -> None:
    apply(session, plan(session, RAWS, MARTS))
    found = session.rows(
        "SELECT conname FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace"
        " WHERE n.nspname IN ('settlement_public', 'settlement_ods')"
    )
    assert found == []
    unique = session.rows(
        "SELECT 1 FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
        " WHERE i.indisunique AND relname LIKE '%%path%%'"
    )
    assert unique == []


def test_ddl_files_are_numbered_and_each_number_stands_once() -> None:
    numbers = [re.match(r"(\d{3})_", path.name) for path in sorted((ROOT / "ddl").glob("*.sql"))]
    assert all(numbers)
    assert len({n.group(1) for n in numbers if n}) == len(numbers)
