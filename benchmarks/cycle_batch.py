"""One batch: keys drawn from mart, history and the future, and the raw rows, ledger lines and END records of them."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.cycle_marts import KEPT, NEWEST, A, Filled
from benchmarks.cycle_tables import ORDERS, PATH, TRACKING, Measured
from warehouse.session import Session

_TRANSACTION = 10  # orders in one transaction
_LOADED = 20_000  # rows in one micro-batch
_NEWEST = 200_000


@dataclass(frozen=True)
class Draw:
    """`keys` orders: a tenth new, a fiftieth out of history, the rest updated; T moves so far that a hundredth ages
    out. `skewed`: nine of ten updated ones are among the newest 200,000 orders, else all are equally likely."""

    keys: int
    skewed: bool = False
    number: int = 1

    @property
    def keys_table(self) -> str:
        return f"public.bench_keys_{self.number}"


def draw(filled: Filled, session: Session, one: Draw) -> None:
    """Write the keys of a batch to its table: order `n` (0 on) of the batch is order `i` of the shop."""
    size = filled.size
    newest = session.row("SELECT max(order_id) AS last FROM settlement_ods.mart_orders")
    last = int(newest["last"]) if newest else 0
    fresh, back = one.keys // 10, one.keys // 50
    updated = one.keys - fresh - back
    # The oldest of the mart age out while it is measured: they are left out.
    low, top = size.archived + size.orders // 20, last
    near = updated * 9 // 10 if one.skewed else 0
    session.run(f"DROP TABLE IF EXISTS {one.keys_table}")
    session.run("SELECT setseed(%s)", (one.number * 7919 % 2001 / 1000 - 1,))
    session.run(
        f"CREATE TABLE {one.keys_table} AS SELECT row_number() OVER (ORDER BY random()) - 1 AS n, i, kind FROM ("
        f" SELECT {last} + g AS i, 'new' AS kind FROM generate_series(1, {fresh}) g"
        f" UNION ALL ({_some(1, size.archived, back, 'back')})"
        f" UNION ALL ({_some(max(low, top - _NEWEST), top, near, 'updated')})"
        f" UNION ALL ({_some(low, max(low, top - _NEWEST) - 1 if one.skewed else top, updated - near, 'updated')})) x"
    )
    session.run(f"ANALYZE {one.keys_table}")


def _some(low: int, high: int, count: int, kind: str) -> str:
    """Distinct ids of [low, high], drawn."""
    return (
        f"SELECT i, '{kind}' FROM (SELECT DISTINCT {low} + floor(random() * {high - low + 1})::bigint AS i"
        f" FROM generate_series(1, {count * 2 + 100})) d ORDER BY random() LIMIT {count}"
    )


def moves_by(filled: Filled, one: Draw) -> int:
    """Seconds by which T moves, so that a hundredth of the batch's number ages out."""
    return max(1, one.keys // 100 * KEPT // filled.size.orders)


def rows(filled: Filled, table: Measured, one: Draw, newest: int, number: int) -> str:
    """A query of the batch's rows of one table: n, at (its commit, seconds) and the columns."""
    moved = moves_by(filled, one)
    at = f"{newest} + 1 + n * {moved - 1} / {one.keys}"
    made = f"{newest} + 1 + n * {moved - 1} / {one.keys}" if table is not ORDERS else "added"
    return (
        f"SELECT n, kind, at, {table.values('made')} FROM ("
        f" SELECT n, i, kind, k, v, at, CASE WHEN kind = 'new' THEN at ELSE {made} END AS made FROM ("
        f" SELECT n, i, kind, {number} + n / {_TRANSACTION} AS v, {number} + n / {_TRANSACTION} AS k,"
        f" {at} AS at, least({filled.size.added}, {NEWEST}) AS added FROM {one.keys_table} OFFSET 0) x OFFSET 0) y"
    )


@dataclass(frozen=True)
class Reached:
    """Where the warehouse stands: T, the last GTID number, the last batch."""

    newest: int
    number: int
    batch: int


def reached(session: Session) -> Reached:
    row = session.row(
        "SELECT (SELECT newest_event FROM settlement_ods.mart_rules WHERE mart = 'mart_tracking') AS newest,"
        " (SELECT max(last_number) FROM settlement_ods.eras WHERE source_uuid <> '') AS number,"
        " (SELECT coalesce(max(batch_id), 100) FROM settlement_public.transaction_raw_ledger) AS batch"
    )
    assert row is not None
    return Reached(int(row["newest"]), int(row["number"]), int(row["batch"]))


def load(filled: Filled, session: Session, one: Draw) -> None:
    """The batch into raw, in micro-batches, as loads leave it."""
    now = reached(session)
    number, batch = now.number + 1, now.batch + 1
    offset = number * _TRANSACTION
    message = f"'t', 't', 0, {offset} + n, 1, to_timestamp(at) AT TIME ZONE 'UTC', 1, {batch} + n / {_LOADED}"
    names = "_topic, _topic_id, _partition, _offset, _generation, _produced_at, _schema_id, _batch_id"
    for table in filled.size.tables:
        session.run(
            f"INSERT INTO settlement_public.{table.raw} ({names}, _op, _gtid, _gtid_number, _tx_id, _tx_order,"
            f" _snapshot, _server_id, _binlog_file, _binlog_pos, _binlog_row, _committed_at, {table.names})"
            f" SELECT {message}, CASE WHEN kind = 'new' OR '{table.name}' = '{PATH.name}' THEN 'c' ELSE 'u' END,"
            f" '{A}:' || v, v, '{A}:' || v, n % {_TRANSACTION} + 1, 'false', 1, 'b.1', offset_of, 0,"
            f" to_timestamp(at) AT TIME ZONE 'UTC', {table.names} FROM ("
            f" SELECT *, {number} + n / {_TRANSACTION} AS v, n AS offset_of"
            f" FROM ({rows(filled, table, one, now.newest, number)}) r) s"
            f" ORDER BY n"
        )
        _ledger(session, table.raw, batch, offset, one.keys)
        session.run(f"VACUUM (ANALYZE) settlement_public.{table.raw}")
    # A transaction's END comes after its rows, so its batch is the last.
    last = batch + (one.keys - 1) // _LOADED
    session.run(
        f"INSERT INTO settlement_public.transaction_raw ({names}, tx_id, event_count, ended_at, data_collection,"
        f" collection_count) SELECT 't', 't', 0, {number} + g, 1, to_timestamp(at) AT TIME ZONE 'UTC', 1, {last},"
        f" '{A}:' || {number} + g, {len(filled.size.tables) * _TRANSACTION}, to_timestamp(at) AT TIME ZONE 'UTC', c,"
        f" {_TRANSACTION}"
        f" FROM (SELECT g, {now.newest} + (g + 1) * {moves_by(filled, one)} * {_TRANSACTION} / {one.keys} AS at"
        f" FROM generate_series(0, {one.keys // _TRANSACTION - 1}) g) x"
        f" CROSS JOIN unnest(ARRAY[{', '.join(repr(t.source) for t in filled.size.tables)}]) c"
    )
    _ledger(session, "transaction_raw", last, number, one.keys // _TRANSACTION, whole=True)


def _ledger(session: Session, raw: str, batch: int, offset: int, count: int, whole: bool = False) -> None:
    """One line a micro-batch; `whole`: all in one."""
    loaded = count if whole else _LOADED
    session.run(
        f"INSERT INTO settlement_public.{raw}_ledger (batch_id, object_key, topic, topic_id, kafka_partition,"
        f" generation, epoch, first_offset, next_offset, row_count, dead_letters, size_bytes, sha256)"
        f" SELECT {batch} + g, 'k', 't', 't', 0, 1, 1, {offset} + g * {loaded},"
        f" {offset} + least({count}, (g + 1) * {loaded}), least({count}, (g + 1) * {loaded}) - g * {loaded}, 0, 1, ''"
        f" FROM generate_series(0, {(count - 1) // loaded}) g"
    )


__all__ = ["ORDERS", "TRACKING", "Draw", "draw", "load", "reached", "rows"]
