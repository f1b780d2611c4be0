"""Resolving by hand: a note that is kept. It moves nothing; what a cycle found, the next one looks at again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg2.sql import SQL, Placeholder

from committer.cycle import LOCK
from committer.marts import MartTable
from operations.exceptions.rows import Row, by_id, key_of
from warehouse.session import Session
from warehouse.statements import columns, table
from waybill.errors import ConflictError, UnreachableError
from waybill.raw import MART_SCHEMA

_FUTURE = "FUTURE_TIMESTAMP"


@dataclass(frozen=True)
class Resolved:
    """`rechecked`: the next cycle looks at the row, and opens a new exception while the cause stands. `before`: it was
    resolved already, and stays as it was."""

    row: Row
    rechecked: bool = False
    before: bool = False


def resolve(
    session: Session, marts: Sequence[MartTable], ids: Sequence[int], note: str, dry_run: bool = False,
    lock_seconds: float = 60,
) -> list[Resolved]:  # fmt: skip
    """All of `ids` or none, in one transaction under the cycle's lock.

    Raises `SettingsError` for an id that there is not, `UnreachableError` while a cycle runs for longer than
    `lock_seconds`.
    """
    if dry_run:
        with session.transaction():
            return [_one(session, marts, row, note, True) for row in by_id(session, ids)]
    try:
        with session.transaction(lock=LOCK, lock_seconds=lock_seconds):
            return [_one(session, marts, row, note, False) for row in by_id(session, ids)]
    except ConflictError as error:
        raise UnreachableError(
            f"a cycle is running for longer than {lock_seconds:.0f} s: {error.what}", kept="nothing was changed",
            todo="again when it is done: waybill cycles list",
        ) from error  # fmt: skip


def _one(session: Session, marts: Sequence[MartTable], row: Row, note: str, dry_run: bool) -> Resolved:
    if row.resolved_at is not None:
        return Resolved(row, before=True)
    mart = next((m for m in marts if m.source.source == row.table_name), None)
    key = None
    if mart is not None and row.exception_type in (mart.mart.gap_exception, _FUTURE):
        key = key_of(session, mart, row.row_key)
    if dry_run:
        return Resolved(row, key is not None)
    session.run(
        "UPDATE settlement_ods.order_tracking_exceptions"
        " SET resolved_at = timezone('UTC', clock_timestamp()), resolution_notes = %s WHERE exception_id = %s",
        (note, row.exception_id),
        doing=f"resolving exception {row.exception_id}",
    )
    if mart is not None and key is not None:
        session.run(
            SQL("INSERT INTO {} ({}) VALUES ({})").format(
                table(MART_SCHEMA, f"{mart.mart.name}_recheck"),
                columns(mart.key),
                SQL(", ").join([Placeholder()] * len(mart.key)),
            ),
            key,
            doing=f"keeping {row.row_key} for the next cycle",
        )
    return Resolved(row, key is not None)
