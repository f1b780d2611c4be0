"""A standing table follows its source: columns added with their constant, renamed, widened. Short, one transaction.

The caller opens the transaction, with a lock time-out, and repeats it when it had to wait too long. What is done
already is not done again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from psycopg2.sql import SQL, Composable, Identifier, Literal

from warehouse import history
from warehouse.session import Session
from warehouse.statements import table
from waybill.raw import MART_SCHEMA
from waybill.source_changes import constants
from waybill.source_changes.plan import Add, Rename, Step, Widen

_RANK = {"smallint": 1, "integer": 2, "bigint": 3}


def follow(session: Session, schema: str, name: str, steps: Iterable[Step]) -> None:
    """Apply steps to one table, inside the caller's transaction; to a mart with all its history and its view.

    Nothing happens to a table that is not there.

    Raises `ConflictError` when somebody holds the table for longer than the transaction's lock time-out.
    """
    wanted = list(steps)
    if schema != MART_SCHEMA:
        _follow(session, schema, name, wanted)
        return
    # A column of another type or name can only change while no view shows it.
    view = history.ViewAside(session, name)
    if wanted:
        view.drop()
    for one in (name, *history.followers(session, name)):
        _follow(session, schema, one, wanted)
    for one in history.side_tables(name):
        _follow(session, schema, one, [step for step in wanted if not isinstance(step, Add)])
    if wanted:
        view.put_back([column for column in _present(session, schema, name) if not column.startswith("_")])


def _follow(session: Session, schema: str, name: str, steps: Iterable[Step]) -> None:
    for step in steps:
        present = _present(session, schema, name)
        if not present:
            return
        for statement in _statements(table(schema, name), step, present):
            session.run(statement, doing=f"changing {schema}.{name} as its source was")


def _present(session: Session, schema: str, name: str) -> dict[str, dict[str, Any]]:
    found = session.rows(
        "SELECT column_name, data_type, character_maximum_length, numeric_precision, numeric_scale"
        " FROM information_schema.columns WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position",
        (schema, name),
    )
    return {row["column_name"]: row for row in found}


def _statements(subject: Composable, step: Step, present: dict[str, dict[str, Any]]) -> list[Composable]:
    match step:
        case Add(name, column, default) if name not in present:
            constant = constants.value(column, default)
            added = SQL("ALTER TABLE {} ADD COLUMN {} {}").format(subject, Identifier(name), SQL(column.postgres))
            if constant is not None:
                added += SQL(" DEFAULT {}").format(Literal(constant))
            return [added, *_comment(subject, name, column.comment)]
        case Rename(before, after) if before in present and after not in present:
            names = subject, Identifier(before), Identifier(after)
            return [SQL("ALTER TABLE {} RENAME COLUMN {} TO {}").format(*names)]
        case Widen(name, column) if name in present:
            wanted = wider(present[name], column.postgres)
            changed = SQL("ALTER TABLE {} ALTER COLUMN {} TYPE {}")
            made = [changed.format(subject, Identifier(name), SQL(wanted))] if wanted else []
            return [*made, *_comment(subject, name, column.comment)]
        case _:
            return []


def _comment(subject: Composable, name: str, text: str) -> list[Composable]:
    return [SQL("COMMENT ON COLUMN {}.{} IS {}").format(subject, Identifier(name), Literal(text))] if text else []


def wider(present: dict[str, Any], wanted: str) -> str:
    """The type that holds what the column holds and what `wanted` holds; '' when the column does already."""
    kind = present["data_type"]
    numbers = [int(n) for n in re.findall(r"\d+", wanted)]
    if kind == "text":
        return ""
    if kind == "character varying":
        return "" if wanted.startswith("varchar") and numbers[0] <= present["character_maximum_length"] else wanted
    if kind in _RANK:
        return "" if _RANK.get(wanted, 9) <= _RANK[kind] else wanted
    if kind == "numeric" and wanted.startswith("decimal"):
        precision, scale = present["numeric_precision"], present["numeric_scale"]
        whole, fraction = max(precision - scale, numbers[0] - numbers[1]), max(scale, numbers[1])
        return "" if (whole + fraction, fraction) == (precision, scale) else f"decimal({whole + fraction},{fraction})"
    return wanted if (kind, wanted) == ("real", "double precision") or wanted == "text" else ""
