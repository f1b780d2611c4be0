"""What a mart costs to bring up to date by the bare methods of old, on the very rows of a batch: no places, no checks.

Each is run in a transaction that is rolled back, its rows waiting in a scratch table. ON CONFLICT needs a unique index,
which the marts have not: it takes the place of the plain one meanwhile.
"""

from __future__ import annotations

from benchmarks.cycle_batch import Draw, reached, rows
from benchmarks.cycle_marts import Filled
from benchmarks.cycle_meter import measured
from benchmarks.cycle_tables import Measured
from warehouse.session import Session

_LINEAGE = "_era, _number, _order, _batch_id, _cycle"
METHODS = ("on_conflict", "delete_insert")


def make_keys_unique(filled: Filled) -> None:
    """Every mart's key index unique, for good."""
    with filled.session() as session:
        session.run("SET maintenance_work_mem = '512MB'")
        for table in filled.size.tables:
            name, mart = f"{table.mart}_by_key", f"settlement_ods.{table.mart}"
            (known,) = session.rows("SELECT indexdef FROM pg_indexes WHERE indexname = %s", (name,))
            if "UNIQUE" not in known["indexdef"]:
                session.run(f"DROP INDEX settlement_ods.{name}")
                session.run(f"CREATE UNIQUE INDEX {name} ON {mart} ({', '.join(table.key)})")


def method_costs(filled: Filled, one: Draw) -> dict[str, dict[str, float]]:
    """Seconds and CPU seconds by method, of all marts together; the rows are read before, so both find them."""
    found: dict[str, dict[str, float]] = {}
    with filled.session() as session:
        now = reached(session)
        for method in METHODS:
            session.run("CHECKPOINT")
            total = {"seconds": 0.0, "cpu": 0.0, "load": 0.0}
            with session.transaction():
                for table in filled.size.tables:
                    session.run(
                        f"CREATE TEMP TABLE news_{table.name} ON COMMIT DROP AS SELECT {table.names}, 3 AS _era,"
                        f" n AS _number, 1 AS _order, 1 AS _batch_id, 9 AS _cycle"
                        f" FROM ({rows(filled, table, one, now.newest, now.number + 1)}) r"
                    )
                    session.run(f"ANALYZE news_{table.name}")
                    read_before(session, table, f"news_{table.name}")
                    with measured(session) as cost:
                        _apply(session, table, method)
                    for key, value in cost.items():
                        total[key] = round(max(total[key], value) if key == "load" else total[key] + value, 3)
                session._connection.rollback()
                session.run("SELECT 1")
            found[method] = total
    return found


def read_before(session: Session, table: Measured, keys: str) -> None:
    """The blocks of the keys' rows, once: what is measured then finds them in memory, whoever is first."""
    matched = " AND ".join(f"m.{k} = c.{k}" for k in table.key)
    session.run("SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off")
    session.run(f"SELECT count(m._era) FROM {keys} c JOIN settlement_ods.{table.mart} m ON {matched}")
    session.run("SET LOCAL enable_seqscan = on; SET LOCAL enable_hashjoin = on; SET LOCAL enable_mergejoin = on")


def _apply(session: Session, table: Measured, method: str) -> None:
    mart, news, key = f"settlement_ods.{table.mart}", f"news_{table.name}", ", ".join(table.key)
    names = f"{table.names}, {_LINEAGE}"
    if method == "on_conflict":
        changed = ", ".join(
            f"{c.strip()} = excluded.{c.strip()}" for c in names.split(",") if c.strip() not in table.key
        )
        session.run(
            f"INSERT INTO {mart} AS m ({names}) SELECT {names} FROM {news} ORDER BY {key}"
            f" ON CONFLICT ({key}) DO UPDATE SET {changed}"
        )
        return
    session.run(f"DELETE FROM {mart} WHERE ({key}) IN (SELECT {key} FROM {news})")
    session.run(f"INSERT INTO {mart} ({names}) SELECT {names} FROM {news}")
