"""waybill's tables in the warehouse: `ddl/`, in order, recorded, applied in place on a live system.

A file `NNN_name.sql` is applied once; `NNN_name.each_raw.sql` to every raw table; `NNN_name.each_mart.sql` to
every mart; `NNN_name.each_half_year.sql` makes history tables (`warehouse.history`). What is recorded is not applied
again. A table begins with the columns that MySQL gives it; later ones come by `warehouse.evolution`, with the
statements that made them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from psycopg2.sql import SQL, Composable, Identifier, Literal

from warehouse import history
from warehouse.change import Change
from warehouse.session import Session
from warehouse.statements import ROOT, columns, split, table
from waybill import raw as lineage
from waybill.errors import RefusedError
from waybill.half_years import HalfYear
from waybill.raw import MART_SCHEMA, RAW_SCHEMA, RawColumn
from waybill.types import SourceColumn


@dataclass(frozen=True)
class Wanted:
    """One column as it should be."""

    name: str
    type: str
    comment: str = ""
    required: bool = False


@dataclass(frozen=True)
class Described:
    """A source table's columns as MySQL's catalogue had them, and the GTID set executed by then."""

    table: str
    executed: str
    columns: tuple[SourceColumn, ...]


@dataclass(frozen=True)
class RawTable:
    """A raw table that should exist, with its ledger and positions."""

    name: str
    columns: tuple[Wanted, ...]
    described: Described | None = None

    @classmethod
    def of_source(cls, name: str, source: Sequence[SourceColumn], table: str = "", executed: str = "") -> RawTable:
        """The raw table of the MySQL table `table`, as it was when MySQL had executed these GTIDs.

        From then on its columns follow the source's statements, not MySQL's catalogue.
        """
        own = (*lineage.MESSAGE, *lineage.EVENT)
        described = Described(table, executed, tuple(source)) if table else None
        return cls(name, (*map(_own, own), *(_of_source(c) for c in source)), described)

    @classmethod
    def of_stream(cls, name: str, own: Sequence[RawColumn]) -> RawTable:
        """The raw table of one of Debezium's own topics."""
        return cls(name, tuple(map(_own, (*lineage.MESSAGE, *own))))


@dataclass(frozen=True)
class MartTable:
    """A mart that should exist, with history tables for these half-years that `readers` may read."""

    name: str
    columns: tuple[Wanted, ...]
    key: tuple[str, ...]
    event_time: str
    table: str = ""
    half_years: tuple[HalfYear, ...] = ()
    readers: tuple[str, ...] = ()

    @classmethod
    def of_source(
        cls, name: str, source: Iterable[SourceColumn], key: Sequence[str], event_time: str, table: str = "",
        half_years: Iterable[HalfYear] = (), readers: Iterable[str] = (),
    ) -> MartTable:  # fmt: skip
        """`key` and `event_time` in the source's spelling."""
        names = tuple(k.lower() for k in key)
        wanted = tuple(_of_source(c, required=c.warehouse_name in names) for c in source)
        return cls(name, wanted, names, event_time.lower(), table, tuple(half_years), tuple(readers))


def _own(column: RawColumn) -> Wanted:
    return Wanted(column.name, column.type, column.comment)


def _of_source(column: SourceColumn, required: bool = False) -> Wanted:
    return Wanted(column.warehouse_name, column.postgres, column.comment, required)


def _definitions(wanted: Iterable[Wanted]) -> Composable:
    return SQL(",\n    ").join(
        SQL("{} {}{}").format(Identifier(c.name), SQL(c.type), SQL(" NOT NULL" if c.required else "")) for c in wanted
    )


def _names(subject: RawTable | MartTable | None) -> Mapping[str, Composable]:
    if subject is None:
        return {}
    if isinstance(subject, RawTable):
        ledger, positions = lineage.ledger_table(subject.name), lineage.positions_table(subject.name)
        return {
            "raw": table(RAW_SCHEMA, subject.name),
            "ledger": table(RAW_SCHEMA, ledger),
            "positions": table(RAW_SCHEMA, positions),
            "columns": _definitions(subject.columns),
            "raw_batch_index": Identifier(f"{subject.name}_by_batch"),
            **{f"ledger_{by}_index": Identifier(f"{ledger}_by_{by}") for by in ("batch", "load", "topic", "letters")},
        }
    return {
        "mart": table(MART_SCHEMA, subject.name),
        "columns": _definitions(subject.columns),
        "key": columns(subject.key),
        "key_columns": _definitions(c for c in subject.columns if c.name in subject.key),
        "event_time": Identifier(subject.event_time),
        "mart_key_index": Identifier(f"{subject.name}_by_key"),
        "mart_time_index": Identifier(f"{subject.name}_by_time"),
        **{part: table(MART_SCHEMA, f"{subject.name}_{part}") for part in ("removed", "alone", "recheck")},
        **{f"{part}_key_index": Identifier(f"{subject.name}_{part}_by_key") for part in ("removed", "alone")},
        "alone_time_index": Identifier(f"{subject.name}_alone_by_time"),
    }


def _steps() -> Iterator[tuple[str, str]]:
    """(file name without .sql, scope): scope is '', 'each_raw', 'each_mart' or 'each_half_year'."""
    for path in sorted((ROOT / "ddl").glob("[0-9]*.sql")):
        step, _, scope = path.name.removesuffix(".sql").partition(".")
        yield step, scope


def _comments(schema: str, name: str, wanted: Iterable[Wanted]) -> Iterator[Composable]:
    for c in wanted:
        if c.comment:
            yield SQL("COMMENT ON COLUMN {}.{} IS {}").format(
                table(schema, name), Identifier(c.name), Literal(c.comment)
            )


def plan(session: Session, raws: Sequence[RawTable], marts: Sequence[MartTable]) -> list[Change]:
    """What is missing, in the order to apply it. Raises `RefusedError` when the schema is newer than the program."""
    applied = _applied(session)
    newer = sorted({step for step, _ in applied} - {step for step, _ in _steps()})
    if newer:
        raise RefusedError(
            f"the warehouse was upgraded by a newer waybill (it knows {newer[-1]}, this one does not)",
            kept="nothing was changed",
            todo="run the newer waybill",
        )
    changes: list[Change] = []
    for step, scope in _steps():
        if scope == "each_half_year":
            continue
        text = (ROOT / "ddl" / (f"{step}.{scope}.sql" if scope else f"{step}.sql")).read_text(encoding="utf-8")
        subjects: Sequence[RawTable | MartTable | None]
        subjects = raws if scope == "each_raw" else marts if scope == "each_mart" else [None]
        for subject in subjects:
            name = subject.name if subject else ""
            if (step, name) in applied:
                continue
            made = [SQL(s).format(**_names(subject)) for s in split(text)]
            if subject is not None and "{columns}" in text:
                made += _comments(RAW_SCHEMA if scope == "each_raw" else MART_SCHEMA, name, subject.columns)
            changes.append(Change(step, name, f"apply {step}", tuple(made), hashlib.sha256(text.encode()).hexdigest()))
    known = _described(session)
    for raw in raws:
        if raw.described and raw.described.table not in known:
            changes += _missing_columns(session, RAW_SCHEMA, raw)
            changes.append(_description(raw.name, raw.described))
        elif not raw.described:
            changes += _missing_columns(session, RAW_SCHEMA, raw)
    for mart in marts:
        # Once its source is described, a mart follows the source's statements together with raw.
        if mart.table not in known:
            changes += _missing_columns(session, MART_SCHEMA, mart)
    for mart in marts:
        own = own_columns(session, mart.name) or [c.name for c in mart.columns]
        changes += history.missing(session, mart.name, mart.key, own, mart.half_years, mart.readers)
    return changes


def _described(session: Session) -> set[str]:
    """The source tables whose columns are recorded."""
    if session.row("SELECT to_regclass('settlement_public.source_columns') AS found") == {"found": None}:
        return set()
    return {
        row["table_name"] for row in session.rows("SELECT DISTINCT table_name FROM settlement_public.source_columns")
    }


def _description(raw: str, one: Described) -> Change:
    """The record of the shape that a raw table begins with."""
    began = SQL(
        "INSERT INTO settlement_public.source_changes (table_name, change_id, kind, version, topic_id, change_offset,"
        " gtid, ddl, what, state, must_read, read_how, decided_by, reason)"
        " SELECT {}, coalesce(max(change_id), 0) + 1, 'begin', 0, '', -1, {}, '', '', 'applied', '', '', '', ''"
        " FROM settlement_public.source_changes"
    ).format(Literal(one.table), Literal(one.executed))
    columns = [
        SQL(
            "INSERT INTO settlement_public.source_columns (table_name, column_name, warehouse_name, place,"
            " source_type, length, scale, nullable, width, added_version) VALUES ({})"
        ).format(
            SQL(", ").join(
                map(
                    Literal,
                    (
                        one.table, c.name, c.warehouse_name, place, c.type, c.length, c.scale, c.nullable, c.width, 0,
                    ),
                )
            )
        )
        for place, c in enumerate(one.columns)
    ]  # fmt: skip
    return Change("describe", raw, f"record the columns of {one.table}", (began, *columns))


def _applied(session: Session) -> set[tuple[str, str]]:
    if session.row("SELECT to_regclass('settlement_public.schema_versions') AS found") != {"found": None}:
        found = session.rows("SELECT step, subject FROM settlement_public.schema_versions")
        return {(row["step"], row["subject"]) for row in found}
    return set()


def present_columns(session: Session, schema: str, name: str) -> list[str]:
    """Names of a table's columns in their order; empty when there is no such table."""
    found = session.rows(
        "SELECT column_name FROM information_schema.columns"
        " WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position",
        (schema, name),
    )
    return [row["column_name"] for row in found]


def own_columns(session: Session, mart: str) -> list[str]:
    """The source's columns that a mart has."""
    return [name for name in present_columns(session, MART_SCHEMA, mart) if not name.startswith("_")]


def _missing_columns(session: Session, schema: str, wanted: RawTable | MartTable) -> list[Change]:
    present = present_columns(session, schema, wanted.name)
    if not present:
        return []
    missing = [c for c in wanted.columns if c.name not in present]
    return [
        Change(
            "column", wanted.name, f"add {wanted.name}.{c.name} {c.type}",
            (
                SQL("ALTER TABLE {} ADD COLUMN {} {}").format(
                    table(schema, wanted.name), Identifier(c.name), SQL(c.type)
                ),
                *_comments(schema, wanted.name, [c]),
            ),
        )
        for c in missing
    ]  # fmt: skip
