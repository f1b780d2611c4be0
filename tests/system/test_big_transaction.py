"""One transaction of more than ten thousand rows of three tables, and Connect dies in its middle. Kills services."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

import pymysql
import pytest
from confluent_kafka import Consumer, KafkaError, TopicPartition

from stack import choose
from stack.layout import Layout
from stack.way import Controls
from tests.pipeline_on_stack import PipelineOnStack, stream
from tests.services import Services
from tests.waiting import until

pytestmark = [pytest.mark.kills_services, pytest.mark.timeout(900)]

TABLES = {"ecs_order_info": "order_status", "uni_tracking_info": "state", "uni_tracking_spath": "code"}
ORDERS = 900
PASSES = 3
"""How often the transaction changes every row: it is long enough to be met in its middle."""
ATTEMPTS = 5
END = KafkaError._PARTITION_EOF
SEEN = """
    SELECT (SELECT count(*) FROM settlement_ods.all_ecs_order_info WHERE order_status = {0}),
           (SELECT count(*) FROM settlement_ods.all_uni_tracking_info WHERE state = {0}),
           (SELECT count(*) FROM settlement_ods.all_uni_tracking_spath WHERE code = {0})
"""


@pytest.fixture
def services(pipeline: PipelineOnStack, way: str) -> Iterator[Services]:
    if way == "brought":
        pytest.skip("the services were brought along: they are not ours to kill")
    hands = Services(pipeline)
    yield hands
    hands.up()


def test_a_reader_sees_it_whole_or_not_at_all(pipeline: PipelineOnStack, services: Services, way: str) -> None:
    stream(pipeline, ORDERS)
    committer = pipeline.beside("commit", "--continuous", "--floor", "0.2")
    topics = [f"{pipeline.name}.{pipeline.orders}.{table}" for table in TABLES]
    for attempt in range(ATTEMPTS):
        mark = 70 + attempt
        written = _Rows(pipeline, topics)
        with written.first() as first, _reader(pipeline, mark) as seen:
            touched = _change_everything(pipeline, mark)
            assert sum(touched) >= 10_000
            until(first, "the transaction's first rows in Kafka", 60)
            _kill_connect(way)
            rows = written.count()
            services.up()
            goal = pipeline.servers.executed()
            until(
                lambda goal=goal: committer.running() and pipeline.servers.gtid_subset(goal, pipeline.servers.cut()),  # type: ignore[misc]
                "the transaction in the marts", 180, pipeline.ends_of_logs,
            )  # fmt: skip
            until(lambda touched=touched, seen=seen: touched in seen, "the reader has seen it", 30)  # type: ignore[misc]
        assert seen == {(0, 0, 0), touched}, "seen in part"
        print(f"Connect was killed with {rows} of {PASSES * sum(touched)} rows in Kafka")
        if 0 < rows < PASSES * sum(touched):
            break
    else:
        pytest.fail(f"Connect had written all of it before each of {ATTEMPTS} kills")
    committer.terminate()
    assert pipeline.reconcile()["equal"]


class _Rows:
    """Rows that come to topics from now on, whether their Kafka transaction is committed or not."""

    def __init__(self, pipeline: PipelineOnStack, topics: list[str]) -> None:
        self._settings = {
            "bootstrap.servers": pipeline.servers.addresses.kafka.bootstrap, "group.id": "test-big-transaction",
            "isolation.level": "read_uncommitted", "enable.auto.commit": False, "enable.partition.eof": True,
        }  # fmt: skip
        with contextlib.closing(Consumer(self._settings)) as consumer:
            found = consumer.list_topics(timeout=15).topics
            self._begins = [
                TopicPartition(topic, number, consumer.get_watermark_offsets(TopicPartition(topic, number), 15)[1])
                for topic in topics
                for number in found[topic].partitions
            ]

    @contextlib.contextmanager
    def first(self) -> Iterator[Callable[[], bool]]:
        """Yields what waits up to a second for a row, and says whether one came."""
        with contextlib.closing(Consumer(self._settings)) as consumer:
            consumer.assign(self._begins)
            yield lambda: any(not message.error() for message in consumer.consume(1, 1.0))

    def count(self) -> int:
        """How many came by now."""
        rows, left = 0, {(each.topic, each.partition) for each in self._begins}
        with contextlib.closing(Consumer(self._settings)) as consumer:
            consumer.assign(self._begins)
            while left:
                messages = consumer.consume(10_000, 1.0)
                rows += sum(not message.error() for message in messages)
                left -= {(m.topic(), m.partition()) for m in messages if m.error() and m.error().code() == END}
        return rows


def _kill_connect(way: str) -> None:
    """SIGKILL, without the time that a command takes to start."""
    controls = choose.way(way, Layout.here())
    assert isinstance(controls, Controls)
    controls.kill("connect")


@contextlib.contextmanager
def _reader(pipeline: PipelineOnStack, mark: int) -> Iterator[set[tuple[int, ...]]]:
    """What somebody sees who looks at the marts over and over: rows with the mark, by table."""
    seen: set[tuple[int, ...]] = set()
    done = threading.Event()

    def read() -> None:
        with pipeline.servers.warehouse() as connection, connection.cursor() as cursor:
            while not done.is_set():
                cursor.execute(SEEN.format(mark))
                seen.add(tuple(cursor.fetchone()))

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        yield seen
    finally:
        done.set()
        reader.join(30)


def _change_everything(pipeline: PipelineOnStack, mark: int) -> tuple[int, ...]:
    """One transaction that changes every row several times, at last to the mark; how many rows, by table."""
    at = pipeline.servers.addresses.plain()["mysql"]
    connection = pymysql.connect(
        host=at["host"], port=int(at["port"]), user=at["user"], password=at["password"], database=pipeline.orders
    )
    touched: tuple[int, ...] = ()
    with contextlib.closing(connection), connection.cursor() as cursor:
        for value in [100 * mark + number for number in range(1, PASSES)] + [mark]:
            touched = tuple(
                cursor.execute(f"UPDATE {table} SET {column} = {value}") for table, column in TABLES.items()
            )
        connection.commit()
    return touched
