"""The tables that a mart needs besides itself: one a half-year, made ahead of time, and a view over all of them.

The half-years' tables and the view change in one short transaction, so that a reader of the view sees one row a key at
every moment, also on the first day of a half-year.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from psycopg2.sql import SQL, Composable, Identifier, Literal

from warehouse.change import Change
from warehouse.session import Session
from warehouse.statements import columns, split, table, text_of
from waybill.errors import SettingsError
from waybill.half_years import HalfYear
from waybill.raw import MART_SCHEMA

_DDL = "ddl/040_history.each_half_year.sql"
# Every reader needs to know what the marts are as of.
_AS_OF = "as_of"


def subject(mart: str) -> str:
    """The name without `mart_`."""
    return mart.removeprefix("mart_")


def table_name(mart: str, half_year: HalfYear) -> str:
    """`hist_<name>_YYYY_hN`."""
    return f"hist_{subject(mart)}_{half_year}"


def view_name(mart: str) -> str:
    """`all_<name>`: every row that is not deleted, whatever its age."""
    return f"all_{subject(mart)}"


def side_tables(mart: str) -> tuple[str, ...]:
    """What a mart keeps of keys alone."""
    return tuple(f"{mart}_{part}" for part in ("removed", "alone", "recheck"))


def missing(
    session: Session,
    mart: str,
    key: Sequence[str],
    own_columns: Sequence[str],
    half_years: Iterable[HalfYear],
    readers: Sequence[str],
) -> list[Change]:
    """What is to be made for one mart; the schema's tables of lifecycle may be missing still.

    Raises `SettingsError` for a reader role that there is not.
    """
    present = _places(session, mart)
    new = [h for h in half_years if str(h) not in present]
    _refuse_unknown(session, readers)
    if not new:
        return _missing_grants(session, mart, [*present.values()], readers)
    made: list[Composable] = []
    tables = dict(present)
    for half_year in new:
        name = tables[str(half_year)] = table_name(mart, half_year)
        names = {
            "history": table(MART_SCHEMA, name), "mart": table(MART_SCHEMA, mart),
            "history_key_index": Identifier(f"{name}_by_key"), "key": columns(key),
        }  # fmt: skip
        made += [SQL(statement).format(**names) for statement in split(text_of(_DDL))]
        made.append(
            SQL("INSERT INTO settlement_ods.mart_places VALUES ({}, {}, {}, {}, {})").format(
                Literal(mart), Literal(str(half_year)), Literal(name), Literal(half_year.first_second),
                Literal(half_year.next.first_second),
            )
        )  # fmt: skip
    made.append(_view(mart, own_columns, tables.values()))
    made += _grants([mart, *tables.values(), view_name(mart), _AS_OF], readers)
    what = f"make {', '.join(table_name(mart, h) for h in new)} and {view_name(mart)} over all"
    return [Change("040_history", mart, what, tuple(made))]


def followers(session: Session, mart: str) -> list[str]:
    """The history tables that there are of a mart: they have its columns."""
    return list(_places(session, mart).values())


class ViewAside:
    """The all-time view taken away while its tables change, and put back with the rights that it had."""

    def __init__(self, session: Session, mart: str) -> None:
        self._session, self._mart = session, mart
        found = session.row("SELECT to_regclass(%s) IS NOT NULL AS there", (f'{MART_SCHEMA}."{view_name(mart)}"',))
        self._there = bool(found and found["there"])
        self._readers = [
            row["grantee"]
            for row in session.rows(
                "SELECT DISTINCT grantee FROM information_schema.role_table_grants WHERE table_schema = %s"
                " AND table_name = %s AND privilege_type = 'SELECT' AND grantee <> grantor",
                (MART_SCHEMA, view_name(mart)),
            )
        ]

    def drop(self) -> None:
        if self._there:
            self._session.run(SQL("DROP VIEW {}").format(table(MART_SCHEMA, view_name(self._mart))))

    def put_back(self, own_columns: Sequence[str]) -> None:
        if self._there:
            for statement in (
                _view(self._mart, own_columns, followers(self._session, self._mart)),
                *_grants([view_name(self._mart)], self._readers),
            ):
                self._session.run(statement)


def _view(mart: str, own_columns: Sequence[str], tables: Iterable[str]) -> Composable:
    """Columns that came later stand last, so that the view can be replaced in place."""
    parts = [
        SQL("SELECT {} FROM {} WHERE _deleted_at IS NULL").format(columns(own_columns), table(MART_SCHEMA, name))
        for name in (mart, *sorted(tables))
    ]
    return SQL("CREATE OR REPLACE VIEW {} AS {}").format(
        table(MART_SCHEMA, view_name(mart)), SQL(" UNION ALL ").join(parts)
    )


def _places(session: Session, mart: str) -> dict[str, str]:
    """Half-year -> history table."""
    if session.row("SELECT to_regclass('settlement_ods.mart_places') AS found") == {"found": None}:
        return {}
    found = session.rows("SELECT place, table_name FROM settlement_ods.mart_places WHERE mart = %s", (mart,))
    return {row["place"]: row["table_name"] for row in found}


def _grants(tables: Iterable[str], readers: Iterable[str]) -> list[Composable]:
    names = list(tables)
    made: list[Composable] = []
    for role in readers:
        made.append(SQL("GRANT USAGE ON SCHEMA {} TO {}").format(Identifier(MART_SCHEMA), Identifier(role)))
        made += [SQL("GRANT SELECT ON {} TO {}").format(table(MART_SCHEMA, name), Identifier(role)) for name in names]
    return made


def _missing_grants(session: Session, mart: str, tables: Sequence[str], readers: Sequence[str]) -> list[Change]:
    wanted = [mart, *tables, view_name(mart), _AS_OF]
    changes = []
    for role in readers:
        lacking = [
            name
            for name in wanted
            if session.row(
                "SELECT has_table_privilege(%s, %s, 'SELECT') AND has_schema_privilege(%s, %s, 'USAGE') AS may",
                (role, f'{MART_SCHEMA}."{name}"', role, MART_SCHEMA),
            )
            == {"may": False}
        ]
        if lacking:
            what = f"let {role} read {', '.join(lacking)}"
            changes.append(Change("grant", mart, what, tuple(_grants(lacking, [role]))))
    return changes


def _refuse_unknown(session: Session, readers: Sequence[str]) -> None:
    for role in readers:
        if session.row("SELECT 1 AS there FROM pg_roles WHERE rolname = %s", (role,)) is None:
            raise SettingsError(
                f"history.readers names the role {role!r}, which the warehouse does not have",
                kept="nothing was changed", todo=f'CREATE ROLE "{role}" in the warehouse, or take it out of the file',
            )  # fmt: skip
