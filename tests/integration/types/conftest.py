"""One pipeline that carries the tables of every type, shared by this folder's tests."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pymysql
import pytest
import yaml

from tests.integration.types.every_type import COLUMNS, inserts, table
from tests.pipeline_on_stack import PipelineOnStack, pipeline_on_stack
from tests.waiting import until
from waybill.addresses import Addresses

EVERY, BULK = "every_type", "bulk_type"
SNAPSHOT, STREAM = 1, 101  # the first ids of what the snapshot and what the stream brings
ZONES = {SNAPSHOT: "+08:00", STREAM: "-11:00"}
SERVER_ZONE = "+05:30"


def written(pipeline: PipelineOnStack, zone: str, statements: Sequence[str]) -> None:
    """Each a transaction of its own, in a session of that time zone that allows zero dates."""
    at = pipeline.servers.addresses.mysql
    connection = pymysql.connect(
        host=at.host, port=at.port, user=at.user, password=at.password.get_secret_value(), autocommit=True,
        database=pipeline.orders, charset="utf8mb4",
        init_command=f"SET SESSION sql_mode = 'NO_ENGINE_SUBSTITUTION,STRICT_TRANS_TABLES', time_zone = '{zone}'",
    )  # fmt: skip
    with connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@contextmanager
def server_zone(pipeline: PipelineOnStack, zone: str) -> Iterator[None]:
    """MySQL's own time zone, as every new session finds it."""
    (before,) = pipeline.servers.mysql("SELECT @@GLOBAL.time_zone")[0]
    pipeline.servers.mysql(f"SET GLOBAL time_zone = '{zone}'")
    try:
        yield
    finally:
        pipeline.servers.mysql("SET GLOBAL time_zone = %s", before)


@pytest.fixture(scope="package")
def carried(stack: Addresses, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PipelineOnStack]:
    """Every type has come to raw by the first snapshot and by the stream; no consumer runs."""
    with pipeline_on_stack(f"t{secrets.token_hex(4)}", tmp_path_factory.mktemp("types"), stack) as pipeline:
        _declare(pipeline)
        pipeline.seed(20)
        written(
            pipeline, ZONES[SNAPSHOT],
            [table(EVERY, COLUMNS), table(BULK, COLUMNS), *inserts(EVERY, COLUMNS, SNAPSHOT)],
        )  # fmt: skip
        pipeline.does("schema", "apply")
        with server_zone(pipeline, SERVER_ZONE):
            pipeline.does("connect", "apply", "--wait", "300", seconds=330)
            loaded(pipeline, SNAPSHOT)
            written(pipeline, ZONES[STREAM], inserts(EVERY, COLUMNS, STREAM))
            loaded(pipeline, STREAM)
        yield pipeline


def _declare(pipeline: PipelineOnStack) -> None:
    path = pipeline.folder / "pipeline.yml"
    settings = yaml.safe_load(path.read_text())
    mart = {"name": "mart_every_type", "on_delete": "mark", "order": 2}
    settings["tables"] += [
        {"source": f"{pipeline.orders}.{EVERY}", "key": ["id"], "event_time": "happened_at", "mart": mart},
        {"source": f"{pipeline.orders}.{BULK}", "key": ["id"]},
    ]
    path.write_text(yaml.safe_dump(settings, sort_keys=False))


def loaded(pipeline: PipelineOnStack, first: int, op: str = "") -> None:
    """The rows from that id on are in raw, as events of that kind when one is named."""
    last = len(inserts(EVERY, COLUMNS, first)) + first - 1

    kind = f"\"_op\" = '{op}'" if op else "true"

    def there() -> bool:
        pipeline.does("consume", "--until-caught-up", seconds=240)
        found = pipeline.servers.row(f"SELECT count(*) FROM settlement_public.{EVERY}_raw WHERE id = {last} AND {kind}")
        return bool(found[0])

    until(there, f"row {last} of {EVERY} in raw", 300, pipeline.ends_of_logs)
