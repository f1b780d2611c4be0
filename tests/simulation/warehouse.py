"""The warehouse in memory: the loaders' own code and SQL, on SQLite instead of PostgreSQL.

A transaction runs as a whole at a moment that is drawn, as the lock that it takes first makes it on the real engine;
what becomes of its COMMIT is drawn too.
"""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
from psycopg2.sql import SQL, Composable, Composed, Identifier

from consumers.messages import Place
from loaders.raw_store import RawStore
from tests.simulation.bucket import Bucket
from tests.simulation.tasks import Switch
from waybill.errors import CommitUnknown, ConflictError, StoppedTable, UnreachableError
from waybill.objects import StoredBatch
from waybill.positions import Loaded, Position
from waybill.raw import ledger_table, positions_table

_CARRIED = ("_topic", "_topic_id", "_partition", "_generation", "_offset", "_batch_id", "order_id")
_TABLES = {
    "{}": ", ".join(_CARRIED),
    positions_table("{}"): "topic, topic_id, kafka_partition, generation, epoch, next_offset, owner, updated_at",
    ledger_table("{}"): "batch_id, object_key, topic, topic_id, kafka_partition, generation, epoch, first_offset,"
    " next_offset, row_count, dead_letters, size_bytes, sha256",
}


class Database:
    """All that is stored, for every session. Emptied, it serves the next run."""

    def __init__(self, raws: Sequence[str]) -> None:
        self.raws = raws
        self.connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self.connection.create_function("clock_timestamp", 0, lambda: 0)
        self.connection.create_function("timezone", 2, lambda zone, moment: moment)
        for schema in ("settlement_public", "information_schema"):
            self.connection.execute(f"ATTACH ':memory:' AS {schema}")
        self.connection.execute(
            "CREATE TABLE information_schema.columns (table_schema, table_name, column_name, ordinal_position)"
        )
        self._create("table_states", "table_name, state, reason, kept, todo, changed_by")
        for raw in raws:
            for name, columns in _TABLES.items():
                self._create(name.format(raw), columns)

    def _create(self, name: str, columns: str) -> None:
        self.connection.execute(f"CREATE TABLE settlement_public.{name} ({columns})")

    def empty(self, columns: Sequence[str]) -> None:
        """As after `waybill schema apply`; `columns` are those that the raw tables have."""
        self.connection.execute("DELETE FROM information_schema.columns")
        self.connection.execute("DELETE FROM settlement_public.table_states")
        for raw in self.raws:
            for name in _TABLES:
                self.connection.execute(f"DELETE FROM settlement_public.{name.format(raw)}")
            self.connection.executemany(
                "INSERT INTO information_schema.columns VALUES ('settlement_public', ?, ?, ?)",
                [(raw, column, number) for number, column in enumerate(columns)],
            )

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        return self.connection.execute(statement, values).fetchall()


class Session:
    """As `warehouse.session.Session`."""

    def __init__(self, database: Database, switch: Switch, seen: Counter[str]) -> None:
        self._connection, self._switch, self._seen = database.connection, switch, seen
        self.closed = False

    def close(self) -> None:
        self.closed = True

    def run(self, statement: Any, parameters: Any = None, doing: str = "") -> int:
        return self._execute(statement, parameters).rowcount

    def rows(self, statement: Any, parameters: Any = None, doing: str = "") -> list[dict[str, Any]]:
        cursor = self._execute(statement, parameters)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def row(self, statement: Any, parameters: Any = None, doing: str = "") -> dict[str, Any] | None:
        found = self.rows(statement, parameters, doing)
        return found[0] if found else None

    def _execute(self, statement: Any, parameters: Any) -> sqlite3.Cursor:
        assert not self.closed
        text = text_of(statement)
        if isinstance(parameters, dict):
            return self._connection.execute(re.sub(r"%\((\w+)\)s", r":\1", text), parameters)
        values: list[Any] = []
        for value in parameters or ():
            values += value if isinstance(value, tuple) else [value]
            marks = f"({', '.join('?' * len(value))})" if isinstance(value, tuple) else "?"
            text = text.replace("%s", marks, 1)
        return self._connection.execute(text, values)

    @contextmanager
    def transaction(self, lock: Any = None, lock_seconds: float | None = None) -> Iterator[None]:
        outcome = self._switch.point("commit")
        if outcome == "fail":
            self.close()
            self._seen["warehouse away"] += 1
            raise UnreachableError("the warehouse does not answer")
        assert lock is not None
        self._connection.execute("BEGIN")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        if outcome == "odd":
            self._seen["conflict"] += 1
            self._connection.execute("ROLLBACK")
            raise ConflictError("another transaction won")
        self._connection.execute("ROLLBACK" if outcome == "unknown" else "COMMIT")
        if outcome in ("lost", "unknown"):
            self.close()
            self._seen["COMMIT took effect, answer lost" if outcome == "lost" else "COMMIT lost"] += 1
            raise CommitUnknown("the connection broke during COMMIT")


def text_of(statement: Any) -> str:
    """A composed statement as text."""
    match statement:
        case str():
            return statement
        case SQL():
            return statement.string
        case Identifier():
            return ".".join(f'"{part}"' for part in statement.strings)
        case Composed():
            return "".join(map(text_of, statement.seq))
    raise TypeError(statement)


class Copying:
    """As the engines of `loaders`; of the columns it keeps those that the law needs."""

    def lock(self, table: Composable) -> Composable:
        return table

    def copy(self, session: Session, table: Composable, objects: Sequence[pa.Table], doing: str) -> int:
        rows = [tuple(row.values()) for found in objects for row in found.select(_CARRIED).to_pylist()]
        marks = ", ".join("?" * len(_CARRIED))
        session._connection.executemany(f"INSERT INTO {text_of(table)} VALUES ({marks})", rows)
        return len(rows)


class Sleeping:
    """A clock whose sleeper waits until the simulation goes on with it."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch

    def sleep(self, seconds: float) -> None:
        self._switch.point("sleep")


class Warehouse:
    """What a consumer calls: `RawStore`, with a session of its own for every call."""

    def __init__(self, database: Database, bucket: Bucket, switch: Switch, seen: Counter[str]) -> None:
        self._database, self._bucket, self._switch, self._seen = database, bucket, switch, seen

    def _store(self) -> RawStore:
        def connect() -> Any:
            return Session(self._database, self._switch, self._seen)

        return RawStore(connect, self._bucket, Copying(), Sleeping(self._switch))  # type: ignore[arg-type]

    def check(self, raw: str) -> None:
        self._store().check(raw)

    def positions(self, raw: str) -> list[Position]:
        if self._switch.point("ask warehouse") != "ok":
            raise UnreachableError("the warehouse does not answer")
        return self._store().positions(raw)

    def claim(self, raw: str, places: Sequence[Position], owner: str, least_epoch: int) -> list[Position]:
        return self._store().claim(raw, places, owner, least_epoch)

    def read_back(self, batch: StoredBatch) -> pa.Table:
        found = self._store().read_back(batch)
        self._seen["read back ahead"] += 1
        return found

    def load(self, raw: str, batches: Sequence[StoredBatch], tables: Mapping[int, pa.Table]) -> Loaded:
        found = self._store().load(raw, batches, tables)
        self._seen["stale owner refused"] += bool(found.stale)
        return found

    def state(self, table: str, raw: str, stopped: StoppedTable | None, by: str, held: Mapping[Place, int]) -> bool:
        recorded = self._store().state(table, raw, stopped, by, held)
        self._seen["late state refused"] += not recorded
        return recorded
