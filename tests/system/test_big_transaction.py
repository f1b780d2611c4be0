"""One transaction over all three tables, ten thousand rows, and Connect dies right after its COMMIT. Kills services."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator

import pymysql
import pytest

from tests.pipeline_on_stack import PipelineOnStack, stream
from tests.services import Services
from tests.waiting import until

pytestmark = [pytest.mark.kills_services, pytest.mark.timeout(900)]

ORDERS, MARK = 900, 77
SEEN = f"""
    SELECT (SELECT count(*) FROM settlement_ods.all_ecs_order_info WHERE order_status = {MARK}),
           (SELECT count(*) FROM settlement_ods.all_uni_tracking_info WHERE state = {MARK}),
           (SELECT count(*) FROM settlement_ods.all_uni_tracking_spath WHERE code = {MARK})
"""


@pytest.fixture
def services(pipeline: PipelineOnStack, way: str) -> Iterator[Services]:
    if way == "brought":
        pytest.skip("the services were brought along: they are not ours to kill")
    hands = Services(pipeline)
    yield hands
    hands.up()


def test_a_reader_sees_it_whole_or_not_at_all(pipeline: PipelineOnStack, services: Services) -> None:
    stream(pipeline, ORDERS)
    committer = pipeline.beside("commit", "--continuous", "--floor", "0.2")
    seen: set[tuple[int, ...]] = set()
    done = threading.Event()

    def read() -> None:
        with pipeline.servers.warehouse() as connection, connection.cursor() as cursor:
            while not done.is_set():
                cursor.execute(SEEN)
                seen.add(tuple(cursor.fetchone()))

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    touched = _mark_everything(pipeline)
    assert sum(touched) >= 10_000
    time.sleep(0.3)
    services.kill("connect")
    services.up()
    goal = pipeline.servers.executed()
    until(
        lambda: committer.running() and pipeline.servers.gtid_subset(goal, pipeline.servers.cut()),
        "the transaction in the marts",
        180,
    )
    until(lambda: touched in seen, "the reader has seen it", 30)
    done.set()
    reader.join(30)
    assert seen == {(0, 0, 0), touched}, "seen in part"
    committer.terminate()
    assert pipeline.reconcile()["equal"]


def _mark_everything(pipeline: PipelineOnStack) -> tuple[int, ...]:
    """One transaction; the rows that it changed, by table."""
    at = pipeline.servers.addresses.plain()["mysql"]
    connection = pymysql.connect(
        host=at["host"], port=int(at["port"]), user=at["user"], password=at["password"], database=pipeline.orders
    )
    with contextlib.closing(connection), connection.cursor() as cursor:
        touched = (
            cursor.execute(f"UPDATE ecs_order_info SET order_status = {MARK}"),
            cursor.execute(f"UPDATE uni_tracking_info SET state = {MARK}"),
            cursor.execute(f"UPDATE uni_tracking_spath SET code = {MARK}"),
        )
        connection.commit()
    return touched
