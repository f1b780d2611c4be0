"""Tables that cycles go on without: decided by a person, kept until taken back, shown to every reader."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from warehouse.session import Session
from waybill.errors import SettingsError

OUT, RETURNING = "out", "returning"


@dataclass(frozen=True)
class Out:
    """One such table. `returning`: taken back, its rows have to arrive before it is applied."""

    table: str
    returning: bool
    why: str

    def __str__(self) -> str:
        return f"{self.table} ({self.why})"


def read(session: Session) -> list[Out]:
    """Those that are out or returning."""
    found = session.rows("SELECT * FROM settlement_ods.tables_out ORDER BY table_name")
    return [
        Out(
            r["table_name"],
            r["state"] == RETURNING,
            f"{r['decided_by']}, {r['since']:%Y-%m-%d %H:%M} UTC: {r['reason']}",
        )
        for r in found
    ]


def leave_out(session: Session, table: str, marts: Sequence[str], reason: str, by: str) -> None:
    """Later cycles go on without `table`. Raises `SettingsError` when it has no mart or would be the last one."""
    if table not in marts:
        raise SettingsError(f"{table} has no mart, so it never holds the cut; those that have: {', '.join(marts)}")
    if not reason.strip():
        raise SettingsError("--without needs a --reason: it is kept and shown to every reader of the marts")
    left = set(marts) - {one.table for one in read(session)} - {table}
    if not left:
        raise SettingsError(f"without {table} no mart would be left to commit", kept="nothing was changed")
    with session.transaction():
        session.run("DELETE FROM settlement_ods.tables_out WHERE table_name = %s", (table,))
        session.run(
            "INSERT INTO settlement_ods.tables_out (table_name, state, reason, decided_by) VALUES (%s, %s, %s, %s)",
            (table, OUT, reason, by),
        )


def take_back(session: Session, table: str) -> None:
    """Later cycles wait for what `table` owes, apply it, and are consistent again.

    Raises `SettingsError` when it is not out.
    """
    if not session.run("UPDATE settlement_ods.tables_out SET state = %s WHERE table_name = %s", (RETURNING, table)):
        names = ", ".join(one.table for one in read(session)) or "none"
        raise SettingsError(f"the cycles do not go on without {table}; those that are out: {names}")


def is_back(session: Session, table: str) -> None:
    """In the cycle that has applied what it owed."""
    session.run("DELETE FROM settlement_ods.owed_rows WHERE table_name = %s", (table,))
    session.run("DELETE FROM settlement_ods.tables_out WHERE table_name = %s AND state = %s", (table, RETURNING))
