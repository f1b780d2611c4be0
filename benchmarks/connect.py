"""`make bench-connect`: how fast MySQL's rows get into Kafka, by snapshot and from a backlog, and by which threads.

Each variant of the connector's settings gets a pipeline of its own on the stack, in turn, as often as `--rounds`
says. Figures go to build/bench/connect.json. Example: make bench-connect ORDERS=10000 VARIANTS=untuned,tuned
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pymysql

from benchmarks.filled import ROOT
from benchmarks.processes import FROM_MYSQL, busiest, pids, threads, watched
from benchmarks.record import FOLDER
from cli.connect import wanted
from cli.context import Context
from connect.rest import ConnectRest
from consumers.kafka_topics import KafkaTopics
from tests.pipeline_on_stack import PipelineOnStack, pipeline_on_stack
from waybill.addresses import Addresses
from waybill.errors import UnreachableError

TABLES = ("ecs_order_info", "uni_tracking_info", "uni_tracking_spath")
_OURS = ("max.batch.size", "max.queue.size", "max.queue.size.in.bytes", "poll.interval.ms", "producer.override.")
# What a variant changes of connect/mysql-source.json; None takes a setting out.
VARIANTS: dict[str, dict[str, str | None]] = {"tuned": {}, "untuned": {}}


def settings(name: str, config: dict[str, str]) -> dict[str, str]:
    """The connector's settings of a variant; `key=value` pairs joined by `;` are one too."""
    if name == "untuned":
        kept = ("producer.override.max.request.size", "producer.override.transaction.timeout.ms")
        return {key: text for key, text in config.items() if key in kept or not key.startswith(_OURS)}
    changes = VARIANTS.get(name)
    if changes is None:
        changes = {key: text or None for key, _, text in (pair.partition("=") for pair in name.split(";"))}
    return {key: text for key, text in {**config, **changes}.items() if text is not None}


class Run:
    """One pipeline whose rows are watched on their way into Kafka."""

    def __init__(self, pipeline: PipelineOnStack, addresses: Addresses) -> None:
        self._pipeline, self._addresses = pipeline, addresses
        self._topics = KafkaTopics(addresses.kafka.bootstrap)
        self._names = [f"{pipeline.name}.{pipeline.orders}.{table}" for table in TABLES]

    def arrived(self, otherwise: int = 0) -> int:
        """Offsets that committed readers see in the data topics: events, and a mark a Kafka transaction.

        `otherwise` while a topic is being made.
        """
        try:
            known = self._topics.describe(self._names)
            places = [(name, number) for name, info in known.items() for number in range(info.partitions)]
            return sum(ends.stable for ends in self._topics.ends(places).values())
        except UnreachableError:
            return otherwise

    def measured(self, begin: Callable[[], None], rows: int) -> dict[str, Any]:
        """From `begin` until `rows` more stand in Kafka: their rate, from the first seen to the last."""
        before, load = self.arrived(), os.getloadavg()[0]
        with watched(ROOT, FROM_MYSQL) as seen:
            worker = pids(ROOT, FROM_MYSQL, "connect")
            earlier = threads(worker)
            began, first, last, at = time.monotonic(), 0.0, 0.0, before
            begin()
            limit = began + 1200
            # Marks count as well, so that `rows` alone does not say it is over: it has to stand still.
            while at - before < rows or time.monotonic() - last < 2:
                assert time.monotonic() < limit, f"only {at - before} of {rows} came"
                now, later = self.arrived(at), time.monotonic()
                if now > at:
                    first, last, at = first or later, later, now
                time.sleep(0.25)
            by_thread = list(busiest(earlier, threads(worker)).items())[:8]
        took = last - began
        million = {part: round(used / rows * 1e6, 1) for part, used in seen.cpu.items()}
        return {
            "rows": rows, "seconds": round(took, 2), "rows_per_second": round(rows / took),
            "seconds_to_first": round(first - began, 2), "rows_per_second_after_first": round(rows / (last - first)),
            "load_before": round(load, 1), "cpu_seconds_per_million": million,
            "connect_cpu_seconds_per_million_by_thread": {n: round(used / rows * 1e6, 1) for n, used in by_thread},
        }  # fmt: skip

    def write_backlog(self, orders: int, number: int) -> int:
        """Change every row of every order, one order a transaction; the rows changed."""
        at, changed = self._addresses.mysql, 0
        connection = pymysql.connect(
            host=at.host, port=at.port, user=at.user, password=at.password.get_secret_value(),
            database=self._pipeline.orders,
        )  # fmt: skip
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT order_id FROM ecs_order_info ORDER BY order_id LIMIT %s", (orders,))
            for (order,) in cursor.fetchall():
                for table in TABLES:
                    changed += cursor.execute(
                        f"UPDATE {table} SET last_request = %s WHERE order_id = %s", (f"bench {number}", order)
                    )
                connection.commit()
        return changed


def measure(variant: str, orders: int, passes: int, addresses: Addresses) -> dict[str, Any]:
    """A first snapshot of `orders` orders with all that belongs to them, then a backlog of `passes` changes of each."""
    name = f"bench{int(time.time()) % 100_000_000}"
    with (
        tempfile.TemporaryDirectory() as folder, pipeline_on_stack(name, Path(folder), addresses) as pipeline,
        ConnectRest(addresses.connect.url) as rest,
    ):  # fmt: skip
        rows = sum(pipeline.seed(orders)["rows"].values())
        connector, config = wanted(Context(pipeline_path=pipeline.folder / "pipeline.yml", root=pipeline.folder))
        chosen, run = settings(variant, config), Run(pipeline, addresses)

        snapshot = run.measured(lambda: rest.put_config(connector, chosen), rows)
        rest.pause(connector)
        time.sleep(2)
        changed = sum(run.write_backlog(orders, number) for number in range(passes))
        backlog = run.measured(lambda: rest.resume(connector), changed)
    return {"snapshot": snapshot, "backlog": backlog}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=10_000, help="orders in MySQL, each of about 12 rows")
    parser.add_argument("--passes", type=int, default=2, help="times that every row is changed for the backlog")
    parser.add_argument("--variants", default=",".join(VARIANTS), help="of tuned, untuned or key=value;key=value")
    parser.add_argument("--rounds", type=int, default=1, help="each variant so often, in turn")
    chosen = parser.parse_args()
    addresses, path = Addresses.load(ROOT), FOLDER / "connect.json"
    FOLDER.mkdir(parents=True, exist_ok=True)
    results: dict[str, list[Any]] = {}
    for _ in range(chosen.rounds):
        for variant in chosen.variants.split(","):
            found = measure(variant, chosen.orders, chosen.passes, addresses)
            results.setdefault(variant, []).append(found)
            path.write_text(json.dumps(results, indent=1))
            print(json.dumps({variant: found}, indent=1), flush=True)


if __name__ == "__main__":
    main()
