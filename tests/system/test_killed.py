"""Killed at any moment and started again, the pipeline ends in the same state. Runs last: it kills services."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator

import pytest

from tests.background import Background
from tests.pipeline_on_stack import PipelineOnStack
from tests.services import Services
from tests.waiting import until

pytestmark = [pytest.mark.kills_services, pytest.mark.timeout(1800)]

RAW = ("ecs_order_info_raw", "uni_tracking_info_raw", "uni_tracking_spath_raw", "transaction_raw")
LOADED, APPLIED = "settlement_public.ecs_order_info_raw_ledger", "settlement_ods.mart_uni_tracking_spath"
MIX = (
    "new_order=20,order_first=2,status=34,double_update=6,reactivate=3,correction=8,late_event=2,nulls=3,oddity=1,"
    "one_table=8,delete_path=3,delete_order=2,replace=1,change_order_id=1.5,change_trace_seq=1.5,multi_row=2,"
    "bulk=0.01,savepoint=1,rollback=1.7"
)
"""The generator's own, with hardly any bulk: after 500 rows at once it pauses, and a kill interrupts nothing."""
RECOVERS = 180
"""Seconds from a service's return until the marts have caught up with the source."""


@pytest.fixture
def services(pipeline: PipelineOnStack, way: str) -> Iterator[Services]:
    """The stack's services; all of them run again after the test."""
    if way == "brought":
        pytest.skip("the services were brought along: they are not ours to kill")
    hands = Services(pipeline)
    yield hands
    hands.up()
    assert hands.down() == [], "the stack is not whole after the test"


@pytest.fixture
def running(pipeline: PipelineOnStack) -> Background:
    """`waybill run` over a pipeline whose first snapshot is in the marts."""
    pipeline.write_file(commit={"schedule": "*/2 * * * * *"})
    pipeline.seed(400)
    pipeline.does("schema", "apply")
    supervisor = pipeline.beside("run")
    pipeline.does("connect", "apply", seconds=150)
    until(lambda: supervisor.running() and pipeline.servers.cut(), "the first snapshot's cut", 90)
    return supervisor


def test_killed_at_any_moment_it_ends_in_the_same_state(
    pipeline: PipelineOnStack, running: Background, services: Services
) -> None:
    writer = pipeline.generate(40, 0, 1, "--mix", MIX)
    _caught_up(pipeline, running, "before any kill")

    with pipeline.servers.held(LOADED):
        until(lambda: pipeline.servers.waiting_for(LOADED), "a load in its middle", 30)
        _kill_child(running, "consume")
    _caught_up(pipeline, running, "the consumer was killed in a load")

    with pipeline.servers.held(APPLIED):
        until(lambda: pipeline.servers.waiting_for(APPLIED), "a cycle in its middle", 30)
        _kill_child(running, "commit")
    _caught_up(pipeline, running, "the committer was killed in a cycle")

    running.kill()
    running = pipeline.beside("run")
    _caught_up(pipeline, running, "`waybill run` was killed and started again")

    for name in ("s3", "connect", "kafka", "warehouse", "mysql"):
        _kill(services, name)
        _caught_up(pipeline, running, f"{name} was killed")

    # A consumer that starts while no schema can be had must wait for it.
    _kill(services, "registry", lambda: _kill_child(running, "consume"))
    _caught_up(pipeline, running, "registry and consumer were killed")

    assert writer.terminate() == 0, writer.ends()
    _caught_up(pipeline, running, "the writing had stopped")
    assert running.terminate() == 0, running.ends()
    assert pipeline.reconcile()["equal"]
    for table in RAW:
        rows, places = pipeline.servers.row(
            "SELECT count(*), count(DISTINCT (_generation, _topic_id, _partition, _offset"
            f"{', data_collection' if table == 'transaction_raw' else ''})) FROM settlement_public.{table}"
        )
        assert rows == places, f"{table} holds {rows - places} rows twice"
    written = writer.answer()["transactions"]["committed"]
    assert written > 300, f"only {written} transactions were written meanwhile"


def _kill(services: Services, name: str, meanwhile: Callable[[], None] = lambda: None) -> None:
    """SIGKILL a service, and start it again after `meanwhile`."""
    began = time.monotonic()
    services.kill(name)
    meanwhile()
    services.up()
    print(f"{time.monotonic() - began:5.1f} s until {name} was back")


def _kill_child(supervisor: Background, command: str) -> None:
    """SIGKILL the child of `run` that does `command`; returns when `run` has started another."""
    found = [pid for pid, words in supervisor.children().items() if f" {command}" in words]
    assert found, f"`run` has no {command}: {supervisor.children()}"
    for pid in found:
        os.kill(pid, signal.SIGKILL)

    def again() -> bool:
        supervisor.running()
        return any(f" {command}" in words for pid, words in supervisor.children().items() if pid not in found)

    until(again, f"{command} started again by `run`", 30)


def _caught_up(pipeline: PipelineOnStack, supervisor: Background, when: str) -> None:
    """Wait until the marts hold all that MySQL has executed now."""
    goal, began = pipeline.servers.executed(), time.monotonic()

    def look() -> bool:
        supervisor.running()
        return pipeline.servers.gtid_subset(goal, pipeline.servers.cut())

    until(look, f"{goal} in the marts after {when}", RECOVERS)
    print(f"{time.monotonic() - began:5.1f} s until the marts had caught up: {when}")
