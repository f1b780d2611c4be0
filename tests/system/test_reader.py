"""A reader sees the cycle before or the cycle after, never one in the making."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import psycopg2.extensions
import pytest

from tests.pipeline_on_stack import PipelineOnStack
from tests.waiting import until

READS = 4000
CYCLES = 8

# The generator writes both in one transaction, so at every binlog position they are equal.
BROKEN = """
    SELECT count(*), count(*) FILTER (WHERE e.order_status IS DISTINCT FROM u.state),
           (SELECT cycle FROM settlement_ods.as_of)
    FROM settlement_ods.all_ecs_order_info e
    JOIN settlement_ods.all_uni_tracking_info u ON u.order_id = e.order_id
"""
STATUSES = "SELECT order_id, order_status FROM settlement_ods.all_ecs_order_info"
STATES = "SELECT order_id, state FROM settlement_ods.all_uni_tracking_info"


@dataclass
class Reader:
    """Reads without pause in a thread: mostly one statement, every tenth time two of one snapshot."""

    pipeline: PipelineOnStack
    reads: int = 0
    fewest: int = 10**9
    broken: list[str] = field(default_factory=list)
    cycles: set[int] = field(default_factory=set)
    failure: BaseException | None = None
    _stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Reader:
        self._thread = threading.Thread(target=self._guarded, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(30)

    def _guarded(self) -> None:
        try:
            self._read()
        except BaseException as error:  # noqa: BLE001 - handed to the test, which raises it
            self.failure = error

    def _read(self) -> None:
        with self.pipeline.servers.warehouse() as connection:
            while not self._stop.is_set():
                if self.reads % 10:
                    self._in_one_statement(connection)
                else:
                    self._in_one_snapshot(connection)
                self.reads += 1

    def _in_one_statement(self, connection: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(BROKEN)
            pairs, broken, cycle = cursor.fetchone()
        self._note(pairs, broken, cycle, "one statement")

    def _in_one_snapshot(self, connection: Any) -> None:
        connection.autocommit = False
        connection.set_isolation_level(psycopg2.extensions.ISOLATION_LEVEL_REPEATABLE_READ)
        with connection.cursor() as cursor:
            cursor.execute(STATUSES)
            statuses = dict(cursor.fetchall())
            cursor.execute(STATES)
            states = dict(cursor.fetchall())
            cursor.execute("SELECT cycle FROM settlement_ods.as_of")
            (cycle,) = cursor.fetchone()
        connection.rollback()
        connection.autocommit = True
        both = statuses.keys() & states.keys()
        self._note(len(both), sum(statuses[k] != states[k] for k in both), cycle, "one snapshot")

    def _note(self, pairs: int, broken: int, cycle: int, how: str) -> None:
        self.fewest = min(self.fewest, pairs)
        self.cycles.add(cycle)
        if broken:
            self.broken.append(f"read {self.reads}, {how}, as of cycle {cycle}: {broken} of {pairs} orders")


@pytest.fixture
def writing(streaming: PipelineOnStack) -> Iterator[PipelineOnStack]:
    """The pipeline while the generator writes, mostly states, and cycles run one after another."""
    mix = "status=6,double_update=2,new_order=2,reactivate=1,bulk=0.3,delete_order=0.2"
    streaming.generate(120, 0, 1, "--mix", mix)
    streaming.beside("commit", "--continuous", "--floor", "0.2", "--json")
    yield streaming


@pytest.mark.timeout(900)
def test_a_reader_never_sees_an_order_and_its_tracking_row_disagree(writing: PipelineOnStack) -> None:
    with Reader(writing) as reader:
        until(
            lambda: reader.failure or reader.broken or (reader.reads >= READS and len(reader.cycles) >= CYCLES),
            f"{READS} reads over {CYCLES} cycles",
            90,
            lambda: f"{reader.reads} reads over cycles {sorted(reader.cycles)}",
        )
    assert reader.failure is None, repr(reader.failure)
    assert reader.broken == []
    assert reader.fewest > 300, "too few pairs to say anything"
    assert all(each.running() for each in writing.backgrounds)
    print(f"{reader.reads} reads over {len(reader.cycles)} cycles, none broken")
