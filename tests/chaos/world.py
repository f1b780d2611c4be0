"""A running pipeline with a writer, and the truth about it: what rounds are done on."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from tests.background import Background
from tests.chaos import comparison
from tests.chaos.events import Transaction
from tests.chaos.hands import Hands, paused
from tests.chaos.raw import Raw, Window
from tests.chaos.truth import Truth, Unreadable
from tests.pipeline_on_stack import PipelineOnStack
from tests.waiting import until

RATE = 40
"""Row changes a second."""
ORDERS = 400
MIX = (
    "new_order=20,order_first=2,status=34,double_update=6,reactivate=3,correction=8,late_event=2,nulls=3,oddity=1,"
    "one_table=8,delete_path=3,delete_order=2,replace=1,change_order_id=1.5,change_trace_seq=1.5,multi_row=2,"
    "savepoint=1,rollback=1.7"
)
"""The generator's own mix without `bulk`, after whose 500 row changes it would pause for seconds."""
RECOVERS = 240
"""Seconds from the moment that everything runs again until raw has caught up; the machine may be slow."""
CARRIED = ("ecs_order_info", "uni_tracking_info", "uni_tracking_spath")
SCHEDULE = "*/10 * * * * *"


class World:
    """`check` compares what was committed at the source since its last call, and the window before once more."""

    def __init__(self, pipeline: PipelineOnStack, running: Background, writer: Background, way: str) -> None:
        self.pipeline, self.running, self.writer = pipeline, running, writer
        self.hands = Hands(pipeline, running, way)
        tables = {f"{pipeline.orders}.{table}": f"{table}_raw" for table in CARRIED}
        tables[f"{pipeline.beats}.heartbeat"] = "heartbeat_raw"
        self._raw = Raw(pipeline.servers, tables)
        self._tables = tuple(tables)
        file, position = pipeline.servers.mysql("SHOW BINARY LOG STATUS")[0][:2]
        self._truth = Truth(pipeline.servers.addresses.plain()["mysql"], str(file), int(position), tables)
        self._first: int | None = None
        self._before: list[Transaction] = []
        self._counted: dict[str, int] = dict.fromkeys(tables, 0)
        self.last: list[Transaction] = []
        """What was committed since the check before the latest."""

    def read_truth(self) -> int:
        """Read on in the binlog; returns how many row events there were. It ends the window that `check` compares."""
        self._before, self.last = self.last, []

        def look() -> bool:
            try:
                self.last += self._truth.more()
            except Unreadable as error:
                # A server that answers may still be rolling its log over: seen right after a crash.
                print(error)
                return False
            return bool(self.last)

        until(look, "transactions in the binlog", 60)
        if self._first is None:
            self._first = self.last[0].number
        for transaction in self.last:
            for table, count in transaction.counts().items():
                self._counted[table] += count
        return sum(len(transaction.events) for transaction in self.last)

    def caught_up(self, seconds: float = RECOVERS) -> bool:
        """Wait until raw holds as many rows and ENDs as the truth; False when it does not within the time."""

        def look() -> bool:
            self.running.running()
            self.writer.running()
            ends = self._raw.ends(self._latest)
            if not all(transaction.number in ends for transaction in self.last if transaction.events):
                return False
            counted = self._raw.counted(self._whole)
            return all(counted[table] >= count for table, count in self._counted.items())

        try:
            until(look, "raw caught up", seconds)
        except AssertionError as error:
            if "not within" not in str(error):
                raise
            return False
        return True

    def check(self) -> list[str]:
        """What differs between raw and the truth."""
        both = [*self._before, *self.last]
        window = Window(both[0].number - 1, both[-1].number)
        found = comparison.ends_against_truth(both, self._raw.ends(window))
        for table in self._tables:
            events = [event for transaction in both for event in transaction.events if event.table == table]
            columns, key = self._truth.columns.get(table), self._truth.keys.get(table)
            if columns and key:
                found += comparison.rows_against_truth(table, events, self._raw.rows(table, columns, key, window))
        counted = self._raw.counted(self._whole)
        found += [
            f"{table}: raw holds {counted[table]} events since the begin, the binlog {count}"
            for table, count in self._counted.items()
            if counted[table] != count
        ]
        found += [
            f"{table}: {count} rows at a place that another has" for table, count in self._raw.twice().items() if count
        ]
        return found

    def proven(self) -> None:
        """The marts equal MySQL, as `waybill reconcile` says, while the writer stands still."""
        with paused(self.writer):
            goal = self.pipeline.servers.executed()
            until(
                lambda: self.running.running() and self.pipeline.servers.gtid_subset(goal, self.pipeline.servers.cut()),
                f"{goal} in the marts", RECOVERS,
            )  # fmt: skip
            assert self.pipeline.reconcile()["equal"]

    @property
    def _latest(self) -> Window:
        return Window(self.last[0].number - 1, self.last[-1].number)

    @property
    def _whole(self) -> Window:
        assert self._first is not None
        return Window(self._first - 1, self.last[-1].number)


@contextlib.contextmanager
def world(pipeline: PipelineOnStack, way: str, seed: int) -> Iterator[World]:
    """Seed it, run it, take the first snapshot into the marts, let a writer write."""
    pipeline.write_file(commit={"schedule": SCHEDULE})
    pipeline.seed(ORDERS)
    pipeline.does("schema", "apply")
    running = pipeline.beside("run")
    pipeline.does("connect", "apply", seconds=240)
    until(lambda: running.running() and pipeline.servers.cut(), "the first snapshot in the marts", 240, running.ends)
    writer = pipeline.generate(RATE, 0, seed % 2**31, "--mix", MIX)
    try:
        yield World(pipeline, running, writer, way)
    finally:
        if writer.code is None:
            writer.terminate()
        if running.code is None:
            running.terminate()
