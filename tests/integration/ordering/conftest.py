"""One pipeline for all cases of this folder, in the order of their file: each leaves it proven equal to MySQL."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import yaml

from connect import signals
from connect.rest import ConnectRest
from tests.background import Background
from tests.pipeline_on_stack import PipelineOnStack, pipeline_on_stack
from tests.waiting import until
from waybill.addresses import Addresses

TABLES = ("ecs_order_info", "uni_tracking_info", "uni_tracking_spath", "steps")
STEPS = "{db}.steps"  # the cases' own table: the live writer writes the others


@dataclass
class Ordered:
    """A pipeline with its consumer beside it; `rest` is Kafka Connect."""

    pipeline: PipelineOnStack
    rest: ConnectRest
    consumer: Background | None = None

    @property
    def name(self) -> str:
        return self.pipeline.name

    def sql(self, *statements: str, at: Any = None) -> None:
        """In MySQL, each a transaction of its own; {db} is the database of orders."""
        for statement in statements:
            self.pipeline.servers.mysql(statement.replace("{db}", f"`{self.pipeline.orders}`"), at=at)

    def write(self, seconds: int, rate: int = 60) -> Background:
        """The live writer, for so long."""
        return self.pipeline.generate(rate, seconds, secrets.randbelow(10_000))

    def proven(self) -> Any:
        """Marts and MySQL are equal, whatever has happened; the cut holds all of it."""
        self.pipeline.drain(seconds=180)
        return self.pipeline.reconcile()

    def raw(self, query: str) -> Any:
        """The first value of a query on the raw table of the steps, {raw}."""
        return self.pipeline.servers.row(query.replace("{raw}", "settlement_public.steps_raw"))[0]

    def read_again(self, *tables: str) -> None:
        signals.read_again(
            self.pipeline.servers.addresses.mysql, f"{self.pipeline.beats}.signal",
            [f"{self.pipeline.orders}.{table}" for table in tables],
        )  # fmt: skip

    def stopped(self) -> None:
        """The connector, so that its offsets can be altered."""
        self.rest.stop(self.name)

        def stands() -> bool:
            found = self.rest.status(self.name)
            return found is not None and found.state == "STOPPED" and not found.tasks

        until(stands, "the connector stopped", 60)

    def set_back(self, offsets: list[dict[str, Any]]) -> None:
        """As a person does by Kafka Connect's interface."""
        url = f"{self.pipeline.servers.addresses.connect.url}/connectors/{self.name}/offsets"
        self.stopped()
        httpx.patch(url, json={"offsets": offsets}, timeout=60).raise_for_status()
        self.rest.resume(self.name)

    def consume_anew(self) -> None:
        """A consumer beside the test; the one before has ended."""
        self.consumer = self.pipeline.beside("consume")


@pytest.fixture(scope="module")
def ordered(stack: Addresses, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ordered]:
    with (
        pipeline_on_stack(f"t{secrets.token_hex(4)}", tmp_path_factory.mktemp("ordering"), stack) as pipeline,
        ConnectRest(stack.connect.url) as rest,
    ):
        made = Ordered(pipeline, rest)
        _begin(made)
        yield made


def _begin(ordered: Ordered) -> None:
    """The first snapshot is in the marts; one step stood before it."""
    pipeline = ordered.pipeline
    path = pipeline.folder / "pipeline.yml"
    settings = yaml.safe_load(path.read_text())
    mart = {"name": "mart_steps", "on_delete": "mark", "order": 2}
    settings["tables"].append(
        {"source": f"{pipeline.orders}.steps", "key": ["order_id", "place"], "event_time": "happened_at",
         "batch": {"seconds": 0.5}, "mart": mart}
    )  # fmt: skip
    path.write_text(yaml.safe_dump(settings, sort_keys=False))
    pipeline.seed(60)
    ordered.sql(
        f"CREATE TABLE {STEPS} (order_id bigint, place int, happened_at int, PRIMARY KEY (order_id, place))",
        f"INSERT INTO {STEPS} VALUES (0, 1, 1767225600)",
    )
    pipeline.does("schema", "apply")
    ordered.consume_anew()
    pipeline.does("connect", "apply", "--wait", "300", seconds=330)
    pipeline.first_snapshot()
