"""Runs the older design's cycle in one transaction and rolls it back: seconds and CPU seconds, in all and by step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from psycopg2.sql import SQL

from benchmarks.cycle_marts import Filled
from benchmarks.cycle_meter import measured
from benchmarks.cycle_tables import ORDERS, TRACKING
from warehouse.statements import split

_STEPS = sorted(Path(__file__).parent.glob("[0-9]*.sql"))


def older_cycle(filled: Filled) -> dict[str, Any]:
    """Of what raw holds. May assume that the batch is loaded and not applied; leaves everything as it was."""
    names = {"tracking_columns": SQL(TRACKING.names), "orders_columns": SQL(ORDERS.names)}
    steps: dict[str, dict[str, float]] = {}
    with filled.session() as session, measured(session) as found, session.transaction():
        # Enough to hash its NOT IN, else it would not end.
        session.run("SET LOCAL work_mem = '1GB'")
        for path in _STEPS:
            with measured(session) as step:
                for statement in split(path.read_text()):
                    rows = session.run(SQL(statement).format(**names))
            step["rows"] = rows
            steps[path.stem] = step
            print(f"    {path.stem}: {step}", flush=True)
        session._connection.rollback()
        session.run("SELECT 1")
    return {**found, "by_step": steps}
