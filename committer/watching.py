"""What a cycle has to know of Kafka before it begins: where a table's partitions end, and its open dead letters.

Asked only while something waits for it: a transaction that has been short of rows for a minute, a table that was read
again. The ends are kept, so that raw can get past them while more is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from committer.marts import MartTable
from committer.reads import completed, unhandled
from warehouse.session import Session
from waybill.errors import UnreachableError
from waybill.positions import Origin

HOLE, READ = "hole ", "read again "
_PATIENCE = timedelta(minutes=1)


class TopicView(Protocol):
    """A table's topic. Every method may raise `UnreachableError`."""

    def stable_offsets(self, table: str) -> Mapping[int, int]:
        """The last stable offset of each partition of the table's topic."""

    def open_letters(self, table: str) -> Sequence[Origin]:
        """Dead letters of the table that nobody redrove or dropped, by origin, the oldest first."""


@dataclass
class Asked:
    """What was asked: dead letters by table, and what could not be asked."""

    letters: dict[str, Sequence[Origin]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @contextmanager
    def noting(self, table: str) -> Iterator[None]:
        try:
            yield
        except UnreachableError as error:
            self.notes.append(f"Kafka could not be asked about {table}: {error.what.splitlines()[0]}")


def ask(session: Session, source: TopicView, marts: Sequence[MartTable], now: datetime) -> Asked:
    """Keep the ends of the tables that something waits for. `now`: UTC without zone, warehouse clock.

    When Kafka cannot be reached, what waits for it waits on.
    """
    found = Asked()
    names = [mart.source.source for mart in marts]
    kept = {
        (row["purpose"], row["table_name"])
        for row in session.rows("SELECT DISTINCT purpose, table_name FROM settlement_ods.watched_ends")
    }
    short = session.rows("SELECT * FROM settlement_ods.short_transactions ORDER BY ended_at")
    wanted = [
        (HOLE + row["tx_id"], row["table_name"])
        for row in short
        if row["ended_at"] < now - _PATIENCE and row["table_name"] in names
    ]
    for table in {table for _, table in wanted}:
        with found.noting(table):
            found.letters[table] = source.open_letters(table)
    reads = unhandled(session, completed(session))
    wanted += [(READ + read.notification, read.table) for read in reads if read.table in names]
    for table in dict.fromkeys(table for purpose, table in wanted if (purpose, table) not in kept):
        ends: Mapping[int, int] = {}
        with found.noting(table):
            ends = source.stable_offsets(table)
        with session.transaction():
            for purpose in (p for p, t in wanted if t == table and (p, t) not in kept):
                for partition, offset in ends.items():
                    session.run(
                        "INSERT INTO settlement_ods.watched_ends VALUES (%s, %s, %s, %s, %s)",
                        (purpose, table, partition, offset, now),
                    )
    return found
