"""Marts and history tables of a given size, filled as if long used: the database `bench_cycle`, one size at a time.

`N` orders have their tracking row in the mart (180 days before NEWEST, evenly), a fifth as many lie in history (two
years, evenly). A tracking row is up to three days younger than its order; a path has its events six hours apart.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import psycopg2

from benchmarks.cycle_tables import FIRST_HALF_YEAR, ORDERS, PATH, TRACKING, Measured
from committer.commit import Committer
from committer.settings import Commit, History
from committer.summary import Summary
from tests.laws.shop import A, Clock, Source
from warehouse.change import apply
from warehouse.schema import RawTable, plan
from warehouse.session import Session
from waybill import raw as lineage
from waybill.addresses import Warehouse
from waybill.half_years import HalfYear

DATABASE = "bench_cycle"
NEWEST = int(datetime(2024, 12, 1, tzinfo=UTC).timestamp())
KEPT = 180 * 86_400
BEGAN = HalfYear.parse(FIRST_HALF_YEAR).first_second
PATH_ROWS = 10
_JITTER = 3 * 86_400
_DENSE = NEWEST - KEPT - _JITTER  # from here on orders come as often as in the last 180 days


@dataclass(frozen=True)
class Size:
    """`orders` in the mart; `paths`: with path events of them."""

    orders: int
    paths: bool = False

    @property
    def archived(self) -> int:
        return self.orders // 5

    @property
    def last_id(self) -> int:
        return self.archived + self.orders * (KEPT + _JITTER) // KEPT

    @property
    def tables(self) -> tuple[Measured, ...]:
        return (TRACKING, ORDERS, PATH) if self.paths else (TRACKING, ORDERS)

    @property
    def added(self) -> str:
        """When order `i` was added, as an expression."""
        return (
            f"CASE WHEN i <= {self.archived} THEN {BEGAN} + (i - 1) * {_DENSE - BEGAN} / {self.archived}"
            f" ELSE {_DENSE} + (i - {self.archived} - 1) * {KEPT} / {self.orders} END"
        )

    def time(self, table: Measured) -> str:
        """The event time of a row as first built, as an expression of `i`, `k` and `added`."""
        if table is TRACKING:
            return f"least({NEWEST}, added + i * 7919 % {_JITTER})"
        return f"least({NEWEST}, added + k * 21600)" if table is PATH else "added"

    def first_id(self, second: int) -> int:
        """The first order added at this second or later, roughly: never a later one."""
        if second <= _DENSE:
            return max(1, (second - BEGAN) * self.archived // (_DENSE - BEGAN) - 1)
        return self.archived + (second - _DENSE) * self.orders // KEPT - 1


class Filled:
    """The filled database."""

    def __init__(self, server: Warehouse, size: Size, name: str = DATABASE) -> None:
        self.size = size
        self.address = server.model_copy(update={"database": name})
        self.clock = Clock(NEWEST)
        self.seconds: dict[str, float] = {}

    def session(self, name: str = "bench") -> Session:
        return Session(self.address, name, statement_seconds=7200)

    def committer(self, session: type[Session] = Session) -> Committer:
        """The real one; only clocks and source are made up."""
        return Committer(
            lambda name: session(self.address, name), [t.declared() for t in self.size.tables],
            Commit(retries=0, drift_seconds=1e12, step_seconds=3600, cycle_seconds=3600), Source(), self.clock,
            History(first_half_year=FIRST_HALF_YEAR),
        )  # fmt: skip

    def cycle(self) -> Summary:
        return self.committer().cycle()

    def make(self) -> None:
        """Tables, an empty first snapshot with its cycle, then the rows of that snapshot, and what the cycle keeps."""
        with self.session() as session:
            raws = [t.wanted_raw() for t in self.size.tables]
            raws.append(RawTable.of_stream(lineage.TRANSACTION_TABLE, lineage.TRANSACTION))
            raws.append(RawTable.of_stream(lineage.NOTIFICATION_TABLE, lineage.NOTIFICATION))
            until = HalfYear.of(self.clock.now()).next
            apply(session, plan(session, raws, [t.wanted_mart(until) for t in self.size.tables]))
            self._snapshot(session)
            self.cycle()
            for table in self.size.tables:
                began = time.monotonic()
                self._fill(session, table)
                session.run(
                    "UPDATE settlement_ods.mart_rules SET newest_event = %s, cut_at = %s WHERE mart = %s",
                    (NEWEST, self.clock.now().replace(tzinfo=None), table.mart),
                )
                self.seconds[table.name] = round(time.monotonic() - began, 1)
                print(f"{table.name}: filled in {self.seconds[table.name]} s", flush=True)
            session.run("UPDATE settlement_ods.as_of SET cut_at = %s", (self.clock.now().replace(tzinfo=None),))

    def _snapshot(self, session: Session) -> None:
        scans = [f'{{"scanned_collection": "{t.source}", "total_rows_scanned": "0"}}' for t in self.size.tables]
        for offset, (kind, data) in enumerate(
            [("STARTED", "{}"), *(("TABLE_SCAN_COMPLETED", data) for data in scans), ("COMPLETED", "{}")]
        ):
            session.run(
                "INSERT INTO settlement_public.notification_raw (_topic, _topic_id, _partition, _offset, _generation,"
                " _produced_at, _schema_id, _batch_id, notification_id, aggregate_type, notification_type,"
                " additional_data, noted_at) VALUES ('n', 't', 0, %s, 1, '2024-01-01', 1, %s, %s, 'Initial Snapshot',"
                " %s, %s, '2024-01-01')",
                (offset, offset + 1, f"n{offset}", kind, data),
            )

    def _fill(self, session: Session, table: Measured) -> None:
        """Rows, then indexes. The statistics are those of a table of a hundredth of the rows: stale."""
        places = session.rows("SELECT * FROM settlement_ods.mart_places WHERE mart = %s", (table.mart,))
        indexes = session.rows(
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'settlement_ods' AND tablename = ANY (%s)",
            ([table.mart, *(p["table_name"] for p in places)],),
        )
        for index in indexes:
            session.run(f"DROP INDEX settlement_ods.{index['indexname']}")
        border = NEWEST - KEPT
        for name in (table.mart, *(p["table_name"] for p in places)):
            session.run(f"ALTER TABLE settlement_ods.{name} SET (autovacuum_enabled = false)")
        first = self.size.last_id - self.size.orders // 100
        count = self._insert(session, table, table.mart, "", border, 2**62, first, self.size.last_id)
        session.run(f"ANALYZE settlement_ods.{table.mart}")
        begin = self.size.first_id(border - _JITTER)
        count += self._insert(session, table, table.mart, "", border, 2**62, begin, first - 1)
        self._total(session, table, "", count)
        for p in places:
            low, high = int(p["first_second"]), min(int(p["next_second"]), border)
            if low < high:
                ids = self.size.first_id(low - _JITTER), self.size.first_id(high) + 10
                at = p["table_name"]
                self._total(session, table, p["place"], self._insert(session, table, at, p["place"], low, high, *ids))
        session.run("SET maintenance_work_mem = '512MB'")
        for index in indexes:
            session.run(str(index["indexdef"]))
        for name in (table.mart, *(p["table_name"] for p in places)):
            session.run(f"VACUUM settlement_ods.{name}")

    def _insert(
        self, session: Session, table: Measured, name: str, place: str, low: int, high: int, first: int, last: int
    ) -> int:
        """The rows of orders `first` to `last` whose event time is in [low, high) and which stand in this place."""
        last = min(last, self.size.last_id)
        rows, within = "", f"at >= {low} AND at < {high}"
        if table is PATH:
            rows = f" CROSS JOIN generate_series(1, {PATH_ROWS}) k"
        elif table is ORDERS:
            leads = f"{self.size.time(TRACKING)} >= {NEWEST - KEPT}"
            within = f"NOT ({leads}) AND {within}" if place else leads
        k = "k" if table is PATH else "0 AS k"
        return session.run(
            f"INSERT INTO settlement_ods.{name} ({table.names}, _era, _number, _order, _batch_id, _cycle,"
            f" _committed_at) SELECT {table.values('at')}, 2, 0, 0, 1, 1, to_timestamp(at) AT TIME ZONE 'UTC' FROM ("
            f" SELECT i, k, 0 AS v, added, {self.size.time(table)} AS at FROM ("
            f" SELECT i, {k}, {self.size.added} AS added FROM generate_series({first}::bigint, {last}::bigint) i{rows}"
            f" OFFSET 0) x OFFSET 0) y WHERE {within}"
        )

    def _total(self, session: Session, table: Measured, place: str, count: int) -> None:
        session.run("INSERT INTO settlement_ods.mart_totals VALUES (%s, %s, %s)", (table.mart, place, count))

    def analyze(self) -> None:
        """Statistics fresh."""
        with self.session() as session:
            for name in self.tables_of(session):
                session.run(f"ANALYZE settlement_ods.{name}")

    def tables_of(self, session: Session) -> Sequence[str]:
        """Marts and history tables."""
        found = session.rows("SELECT table_name FROM settlement_ods.mart_places ORDER BY table_name")
        return [*(t.mart for t in self.size.tables), *(row["table_name"] for row in found)]

    def proven(self) -> dict[str, int]:
        """The rows of every place, counted and compared with the totals that the cycles carried."""
        with self.session() as session:
            carried = session.rows("SELECT * FROM settlement_ods.mart_totals WHERE place <> 'removed'")
            names = {
                (r["mart"], r["place"]): r["table_name"]
                for r in session.rows("SELECT * FROM settlement_ods.mart_places")
            }
            found: dict[str, int] = {}
            for row in carried:
                name = names.get((row["mart"], row["place"]), row["mart"])
                (counted,) = session.rows(f"SELECT count(*) AS n FROM settlement_ods.{name}")
                assert counted["n"] == row["row_count"], (name, counted, row)
                found[name] = int(counted["n"])
        return found


@contextmanager
def filled(server: Warehouse, size: Size, keep: bool = False, name: str = DATABASE) -> Iterator[Filled]:
    """Made anew, or taken as it was left with `keep`; dropped at the end without it."""

    def run(statement: str) -> None:
        connection = psycopg2.connect(
            host=server.host, port=server.port, user=server.user, password=server.password.get_secret_value(),
            dbname=server.database,
        )  # fmt: skip
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
        connection.close()

    found = Filled(server, size, name)
    if not (keep and _made(found)):
        run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        run(f"CREATE DATABASE {name}")
        found.make()
        with found.session() as session:
            session.run("CREATE TABLE public.bench_size AS SELECT %s AS orders, %s AS paths", (size.orders, size.paths))
    try:
        yield found
    finally:
        if not keep:
            run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _made(wanted: Filled) -> bool:
    try:
        with wanted.session() as session:
            row = session.row("SELECT orders, paths FROM public.bench_size")
            return row == {"orders": wanted.size.orders, "paths": wanted.size.paths}
    except Exception:  # noqa: BLE001 - no such database, or one that was left half made
        return False


__all__ = ["A", "Filled", "Size", "filled"]
