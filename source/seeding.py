"""`seed`: make the databases, fill them once, know whether that was done, and to the end."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from source import databases as db
from source.databases import ORDER_TABLES, Connect, Databases, quoted, session
from source.loading import Loader
from source.rows import Plan, Rows
from waybill.errors import RefusedError

_BEGUN, _DONE = "seed begun", "seeded"


@dataclass(frozen=True)
class Found:
    """What stands in the orders database. `note` is what the last seed wrote about itself, if it was ours."""

    rows: bool
    note: str = ""

    @property
    def complete(self) -> bool:
        """A seed ran to its end here."""
        return self.note.startswith(_DONE)

    @property
    def interrupted(self) -> bool:
        """A seed began here and did not end."""
        return self.note.startswith(_BEGUN)


@dataclass(frozen=True)
class Report:
    """What a seed did. `rows` by table; `seconds` of wall clock."""

    seeded: bool
    note: str
    rows: dict[str, int]
    seconds: float

    @property
    def rows_per_second(self) -> int:
        return round(sum(self.rows.values()) / self.seconds) if self.seconds else 0


def marker(databases: Databases) -> int:
    """Id of the heartbeat row in which a seed keeps its note: negative, one for each orders database."""
    return -(zlib.crc32(databases.orders.encode()) & 0x3FFF_FFFF) - 1


def find(connect: Connect, databases: Databases) -> Found:
    """Look, change nothing."""
    present = db.tables_of(connect, databases.orders)
    rows = False
    for table in ORDER_TABLES:
        if table in present:
            with session(connect, databases.orders) as cursor:
                rows = rows or db.first_row(cursor, f"SELECT 1 FROM {quoted(table)} LIMIT 1") is not None
    if "heartbeat" not in db.tables_of(connect, databases.pipeline):
        return Found(rows)
    with session(connect, databases.pipeline) as cursor:
        row = db.first_row(cursor, "SELECT note FROM heartbeat WHERE id = %s", (marker(databases),))
    return Found(rows, str(row[0]) if row else "")


def seed(
    connect: Connect,
    databases: Databases,
    plan: Plan,
    *,
    force: bool = False,
    connections: int = 3,
    progress: Callable[[int], None] = lambda rows: None,
) -> Report:
    """Seed by `plan`, or write no row if a seed ran to its end here before; tables that lack are made.

    An interrupted seed is dropped and begun again. `force` drops and seeds whatever stands there. Rows that no
    seed of ours wrote are refused with `RefusedError`.
    """
    begin = time.monotonic()
    found = find(connect, databases)
    if found.complete and found.rows and not force:
        # A table of the pipeline that came with a later version.
        db.create(connect, databases)
        return Report(False, found.note, dict.fromkeys(ORDER_TABLES, 0), time.monotonic() - begin)
    if found.rows and not found.interrupted and not force:
        raise RefusedError(
            f"{databases.orders} holds rows that no seed wrote",
            kept="nothing was changed",
            todo="waybill seed --force drops the three tables and seeds them anew; or name another --database",
        )
    db.create(connect, databases)
    _note(connect, databases, f"{_BEGUN} {databases.orders} {plan}")
    if found.rows:
        db.drop_orders(connect, databases)
        db.create(connect, databases)
    loader = Loader(connect, databases, connections)
    loader.load(Rows(plan), progress)
    note = f"{_DONE} {databases.orders} {plan}"
    _note(connect, databases, note)
    return Report(True, note, loader.rows, time.monotonic() - begin)


def _note(connect: Connect, databases: Databases, note: str) -> None:
    with session(connect, databases.pipeline) as cursor:
        cursor.execute(
            "INSERT INTO heartbeat (id, beat_at, note) VALUES (%s, NOW(6), %s) "
            "ON DUPLICATE KEY UPDATE beat_at = VALUES(beat_at), note = VALUES(note)",
            (marker(databases), note),
        )
