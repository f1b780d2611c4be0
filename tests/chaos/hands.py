"""Hands on the running parts: hit one, and bring it back, whichever way the stack runs."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Iterable, Iterator

from stack import choose
from stack.layout import Layout
from stack.processes import alive, identify, send
from stack.way import Controls
from tests.background import Background, descendants
from tests.chaos.draw import CONSUMER, KILL, LOADER, STOP, Fault
from tests.pipeline_on_stack import PipelineOnStack
from tests.waiting import until

IN_A_LOAD = (
    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'waybill loader' AND datname = current_database()"
    " AND backend_xid IS NOT NULL"
)
BACK = 90
"""Seconds within which `waybill run` must have started a killed consumer again."""

Undo = Callable[[], None]


class Hands:
    """`running` is the pipeline's `waybill run`, which starts a killed consumer again by itself."""

    def __init__(self, pipeline: PipelineOnStack, running: Background, way: str) -> None:
        self._pipeline, self._running = pipeline, running
        self._compose = way == choose.COMPOSE
        self._way = choose.way(way, Layout.here())
        assert isinstance(self._way, Controls)
        self._controls: Controls = self._way

    def hit(self, fault: Fault) -> Undo:
        """Do it; returns what ends a SIGSTOP (of a kill: nothing, `up` brings it back)."""
        if fault.part == LOADER:
            return self._hit_loader(fault)
        if fault.part == CONSUMER:
            return self._hit_processes(fault.how, [self.consumer()])
        if fault.how == KILL:
            self._controls.kill(fault.part)
            return _nothing
        if self._compose:
            return self._pause_container(fault.part)
        (pid,) = [each.pid for each in self._way.status() if each.name == fault.part]
        # PostgreSQL's children too: a stopped parent alone would let them go on.
        return self._hit_processes(STOP, [pid, *descendants(pid)])

    def up(self) -> None:
        """Start whatever does not run; returns when the whole stack works and there is a consumer.

        What the stack says meanwhile is in `stack-up.log` of the pipeline's folder.
        """
        with (self._pipeline.folder / "stack-up.log").open("a") as log, contextlib.redirect_stderr(log):
            self._way.up()
        self.consumer()

    def consumer(self) -> int:
        """Process id of `run`'s consumer; waits until there is one."""
        found: list[int] = []

        def look() -> bool:
            self._running.running()
            found[:] = [pid for pid, words in self._running.children().items() if words.endswith(" consume")]
            return bool(found)

        until(look, "a consumer started by `waybill run`", BACK, self._running.ends)
        return found[0]

    def _hit_loader(self, fault: Fault) -> Undo:
        """Hit the consumer while a load's transaction of its is open."""
        pid = self.consumer()
        ledger = f"settlement_public.{fault.table}_raw_ledger"
        if fault.held:
            # COPY is done, the ledger row waits for the lock: whatever is hit now is in the middle of a load.
            with self._pipeline.servers.held(ledger):
                until(lambda: self._pipeline.servers.waiting_for(ledger), f"a load of {fault.table} in its middle", 90)
                return self._hit_processes(fault.how, [pid])
        with self._pipeline.servers.warehouse() as connection, connection.cursor() as cursor:

            def loading() -> bool:
                cursor.execute(IN_A_LOAD)
                return bool(cursor.fetchone()[0])

            until(loading, "a load's transaction", 90)
            return self._hit_processes(fault.how, [pid])

    def _hit_processes(self, how: str, pids: Iterable[int]) -> Undo:
        # By identity: PostgreSQL's processes change their command line as they work.
        known = [identity for identity in map(identify, pids) if identity is not None]
        for each in known:
            send(each, signal.SIGKILL if how == KILL else signal.SIGSTOP)
        if how == KILL:
            until(lambda: not any(map(alive, known)), f"the end of {known}", 20)
            return _nothing

        def go_on() -> None:
            for each in known:
                send(each, signal.SIGCONT)

        return go_on

    def _pause_container(self, service: str) -> Undo:
        from stack.containers.engine import Project

        (name,) = [each.name for each in Project.of(Layout.here().root, {}).containers() if each.service == service]
        _docker("pause", name)
        return lambda: _docker("unpause", name)


@contextlib.contextmanager
def paused(process: Background) -> Iterator[None]:
    """A process that stands still while the block runs."""
    os.kill(process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process.pid, signal.SIGCONT)


def _nothing() -> None:
    return


def _docker(*words: str) -> None:
    subprocess.run(("docker", *words), check=True, capture_output=True)
