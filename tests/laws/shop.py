"""A small shop in a warehouse: three marts, one of which follows another, and raw rows written as loads leave them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import psycopg2
from psycopg2.extras import execute_values

from committer.commit import Committer
from committer.marts import MartTable
from committer.settings import Commit, History, Mart
from committer.summary import Summary
from loaders.postgres import Postgres
from operations.trim.one_table import Subject
from operations.trim.trimmer import Trimmer
from tests.conftest import fresh_database
from tests.laws.model import Event, Rules
from tests.laws.standing import COLUMNS, KEYS, MART, NOTE, TIMES, Standing
from warehouse.change import apply
from warehouse.evolution import follow
from warehouse.schema import MartTable as WantedMart
from warehouse.schema import RawTable, plan
from warehouse.session import Session
from waybill import raw as lineage
from waybill.addresses import Warehouse
from waybill.clock import SystemClock
from waybill.errors import UnreachableError
from waybill.gtid import GtidSet
from waybill.half_years import HalfYear
from waybill.positions import Origin
from waybill.raw import MART_SCHEMA, RAW_SCHEMA
from waybill.source_changes.plan import Add
from waybill.tables import Table
from waybill.types import SourceColumn

A = "aaaaaaaa-0000-0000-0000-000000000001"
TEMPLATE_FIRST = "2023h1"
RAW = {name: f"{name.split('.')[1]}_raw" for name in COLUMNS}


class Killed(UnreachableError):
    """The committer died at this statement."""


@dataclass
class Deadly(Session):
    """A session that dies before its n-th statement of a cycle."""

    def __init__(self, address: Warehouse, name: str, left: Callable[[], bool]) -> None:
        super().__init__(address, name)
        self._left = left

    def run(self, statement: Any, parameters: Any = None, doing: str = "") -> int:
        self._count()
        return super().run(statement, parameters, doing)

    def rows(self, statement: Any, parameters: Any = None, doing: str = "") -> list[dict[str, Any]]:
        self._count()
        return super().rows(statement, parameters, doing)

    def _count(self) -> None:
        if self.name == "commit" and not self.closed and self._left():
            self.close()
            raise Killed("killed")


@dataclass
class Clock:
    """Simulated time for the half-years that are made ahead; the rest is real."""

    second: int

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.second, UTC)

    def monotonic(self) -> float:
        return datetime.now(UTC).timestamp()

    def sleep(self, seconds: float) -> None:
        return None


@dataclass
class Source:
    """MySQL and Kafka as a cycle asks them."""

    end: int = 0
    ends: dict[int, int] = field(default_factory=lambda: {0: 0})
    letters: list[Origin] = field(default_factory=list)

    def now(self) -> datetime:
        return datetime.now(UTC)

    def stored_gtid_set(self) -> GtidSet:
        return GtidSet.parse(f"{A}:1-10")

    def transaction_topic_end(self) -> int:
        return self.end

    def stable_offsets(self, table: str) -> dict[int, int]:
        return self.ends

    def open_letters(self, table: str) -> list[Origin]:
        return self.letters


@contextmanager
def template(server: Warehouse, name: str) -> Iterator[str]:
    """A database with the shop's empty tables, to be cloned."""
    with fresh_database(server, name) as made:
        with Session(made, "laws") as session:
            raws = [RawTable.of_source(RAW[t], columns) for t, columns in COLUMNS.items()]
            raws.append(RawTable.of_stream(lineage.TRANSACTION_TABLE, lineage.TRANSACTION))
            raws.append(RawTable.of_stream(lineage.NOTIFICATION_TABLE, lineage.NOTIFICATION))
            first = HalfYear.parse(TEMPLATE_FIRST)
            marts = [
                WantedMart.of_source(
                    MART[t], columns, KEYS[t], TIMES[t], half_years=tuple(first.through(HalfYear(2024, 2)))
                )
                for t, columns in COLUMNS.items()
            ]
            apply(session, plan(session, raws, marts))
        yield name


class Shop(Standing):
    """One history's warehouse. Every method that writes does it as a load would: rows with their ledger line."""

    def __init__(self, server: Warehouse, template_name: str, name: str, began: int) -> None:
        self._server, self._name = server, name
        self._admin(f'CREATE DATABASE "{name}" TEMPLATE "{template_name}"')
        self.address = server.model_copy(update={"database": name})
        self.clock, self.source = Clock(began), Source()
        super().__init__(Session(self.address, "laws"))
        self.rules: dict[str, Rules] = {}
        self.first = TEMPLATE_FIRST
        self._batches = itertools.count(1)
        self._offsets: dict[str, int] = {}
        self._generation = 1
        self._kill_at: int | None = None

    def _admin(self, statement: str) -> None:
        connection = psycopg2.connect(
            host=self._server.host, port=self._server.port, user=self._server.user,
            password=self._server.password.get_secret_value(), dbname=self._server.database,
        )  # fmt: skip
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
        connection.close()

    def close(self) -> None:
        self.session.close()
        self._admin(f'DROP DATABASE IF EXISTS "{self._name}" WITH (FORCE)')

    # What loads leave in raw.

    def snapshot(self) -> None:
        """An empty first snapshot, taken at A:1-10."""
        for kind, data in (
            ("STARTED", "{}"),
            *(("TABLE_SCAN_COMPLETED", f'{{"scanned_collection": "{t}", "total_rows_scanned": "0"}}') for t in COLUMNS),
            ("COMPLETED", "{}"),
        ):
            batch = next(self._batches)
            row = self._message("notification_raw", batch) | {
                "notification_id": f"n{batch}", "aggregate_type": "Initial Snapshot", "notification_type": kind,
                "additional_data": data, "noted_at": self.clock.now().replace(tzinfo=None),
            }  # fmt: skip
            self._load("notification_raw", batch, [row])

    def notify(self, kind: str, table: str) -> None:
        """What Debezium says of an incremental snapshot of one table."""
        batch = next(self._batches)
        name = "data_collections" if kind == "STARTED" else "scanned_collection"
        row = self._message("notification_raw", batch) | {
            "notification_id": f"n{batch}", "aggregate_type": "Incremental Snapshot", "notification_type": kind,
            "additional_data": f'{{"{name}": "{table}", "status": "SUCCEEDED"}}',
            "noted_at": self.clock.now().replace(tzinfo=None),
        }  # fmt: skip
        self._load("notification_raw", batch, [row])

    def load(self, table: str, events: Sequence[Event]) -> int:
        """One batch of row events; answers its number."""
        batch = next(self._batches)
        made = []
        for event in events:
            _, number, order = event.position
            read = order == 2**63 - 1
            made.append(
                self._message(RAW[table], batch) | {
                    "_op": event.op, "_snapshot": "incremental" if read else "false",
                    "_gtid": f"{A}:1-{number}" if read else f"{A}:{number}",
                    "_gtid_number": None if read else number, "_tx_id": None if read else f"{A}:{number}",
                    "_tx_order": None if read else order, "_server_id": 1, "_binlog_file": "b.1",
                    "_binlog_pos": number, "_binlog_row": 0,
                    "_committed_at": datetime.fromtimestamp(event.committed, UTC).replace(tzinfo=None),
                    **event.values, **({NOTE: event.values.get(NOTE, 7)} if self.noted else {}),
                }
            )  # fmt: skip
        self._load(RAW[table], batch, made)
        return batch

    def end(self, number: int, counts: Mapping[str, int], committed: int) -> None:
        """The END record of one transaction."""
        batch = next(self._batches)
        message = self._message("transaction_raw", batch)
        at = datetime.fromtimestamp(committed, UTC).replace(tzinfo=None)
        self._load(
            "transaction_raw", batch,
            [
                message | {"tx_id": f"{A}:{number}", "event_count": sum(counts.values()), "ended_at": at,
                           "data_collection": table, "collection_count": count}
                for table, count in (counts or {"": 0}).items()
            ],
        )  # fmt: skip

    def _message(self, raw: str, batch: int) -> dict[str, Any]:
        offset = self._offsets.get(raw, 0)
        self._offsets[raw] = offset + 1
        return {
            "_topic": raw, "_topic_id": "t", "_partition": 0, "_offset": offset, "_generation": self._generation,
            "_produced_at": self.clock.now().replace(tzinfo=None), "_schema_id": 1, "_batch_id": batch,
        }  # fmt: skip

    def _load(self, raw: str, batch: int, rows: Sequence[Mapping[str, Any]]) -> None:
        names = list(dict.fromkeys(name for row in rows for name in row))
        columns = ", ".join(f'"{name}"' for name in names)
        offsets = [row["_offset"] for row in rows]
        with self.session._connection.cursor() as cursor:
            execute_values(
                cursor, f"INSERT INTO {RAW_SCHEMA}.{raw} ({columns}) VALUES %s",
                [[row.get(name) for name in names] for row in rows],
            )  # fmt: skip
            cursor.execute(
                f"INSERT INTO {RAW_SCHEMA}.{raw}_ledger (batch_id, object_key, topic, topic_id, kafka_partition,"
                " generation, epoch, first_offset, next_offset, row_count, dead_letters, size_bytes, sha256)"
                " VALUES (%s, 'k', %s, 't', 0, %s, 1, %s, %s, %s, 0, 1, '')",
                (batch, raw, self._generation, min(offsets), max(offsets) + 1, len(rows)),
            )

    def trim(self) -> int:
        """A pass of the trimmer that keeps no row for its age; how many went. END records stay an hour at least."""
        subjects = [Subject(raw, 0.0, True) for raw in RAW.values()]
        trimmer = Trimmer(lambda name: Session(self.address, name), Postgres(), subjects, "notes", SystemClock())
        return sum(done.rows for done in trimmer.trim())

    # What a person changes.

    def add_column(self) -> None:
        """A column with a constant default comes to raw, mart, history and view."""
        step = Add(NOTE, SourceColumn(NOTE, "INT"), "7")
        for table in COLUMNS:
            for schema, name in ((MART_SCHEMA, MART[table]), (RAW_SCHEMA, RAW[table])):
                with self.session.transaction():
                    follow(self.session, schema, name, [step])
        self.noted = True

    # Cycles.

    def cycle(self, kill_at: int | None = None) -> Summary:
        """One cycle under the settings as they are. `kill_at`: the statement before which the committer dies."""
        left = itertools.count(1)
        marts = [
            MartTable(
                Table(source=t, key=list(KEYS[t]), event_time=TIMES[t], raw=RAW[t]),
                Mart(
                    name=MART[t], on_delete=rule.on_delete, retention_days=rule.retention // 86_400,
                    follows=MART[rule.follows] if rule.follows else None, gap_exception=rule.gap,
                ),
                (),
            )
            for t, rule in self.rules.items()
        ]  # fmt: skip

        def session(name: str) -> Session:
            return Deadly(self.address, name, lambda: kill_at is not None and next(left) >= kill_at)

        settings = Commit(retries=0, drift_seconds=1e12, lease_seconds=60)
        history = History(first_half_year=self.first)
        return Committer(session, marts, settings, self.source, self.clock, history).cycle()

    def apply_all_again(self) -> None:
        """Forget what was applied: the next cycle applies every row of raw once more."""
        self.session.run(f"DELETE FROM {MART_SCHEMA}.applied_batches WHERE raw_table <> 'transaction_raw'")

    # What stands.

    def as_of(self) -> dict[str, Any]:
        found = self.session.row(f"SELECT cycle, cut_at, gtid_set FROM {MART_SCHEMA}.as_of")
        assert found is not None
        return found
