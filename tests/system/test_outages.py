"""Every outage of the spec's section 13: what the screen says while it lasts, and that nothing is lost or repeated.

One pipeline lives through all of them while a generator writes. `test_killed.py` kills in the middle of things and
`test_lost.py` takes data away; two consumers for one partition are in tests/integration/ingest/test_commands.py.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from consumers.reading_back import MOST_READ
from stack import choose
from stack.layout import Layout
from tests.background import Background
from tests.chaos.draw import KILL, STOP, Fault
from tests.chaos.hands import Hands
from tests.pipeline_on_stack import PipelineOnStack, pipeline_on_stack
from tests.waiting import until
from waybill.addresses import Addresses

pytestmark = [pytest.mark.kills_services, pytest.mark.timeout(900)]

RAW = ("ecs_order_info_raw", "uni_tracking_info_raw", "uni_tracking_spath_raw", "transaction_raw")
RECOVERS = 120
"""Seconds from a part's return until the marts have caught up with the source."""


@dataclass(frozen=True)
class Living:
    """A pipeline under `waybill run` that somebody writes to."""

    pipeline: PipelineOnStack
    running: Background
    writer: Background
    hands: Hands
    way: str

    def log(self, child: str) -> Path:
        return self.pipeline.folder / ".waybill" / "run" / f"{child}.log"

    def caught_up(self, when: str) -> None:
        """The marts hold all that MySQL has executed now."""
        servers = self.pipeline.servers
        goal = servers.executed()
        until(
            lambda: self.running.running() and servers.gtid_subset(goal, servers.cut()), f"{goal} in the marts {when}",
            RECOVERS, self.pipeline.ends_of_logs,
        )  # fmt: skip


@dataclass(frozen=True)
class Outage:
    """One part, how it is hit, and what has to be read meanwhile: by `status` (name and what is kept), by `lag` (its
    name, '' when lag can be told without it), in the log of `child` ('' for nothing)."""

    part: str
    how: str
    named: str
    kept: str
    lag: str = ""
    child: str = "consume"
    said: str = ""


OUTAGES = [
    Outage("connect", KILL, "Kafka Connect", "changes wait in MySQL's binlog"),
    Outage("registry", STOP, "the schema registry", "none is skipped"),
    Outage("s3", KILL, "S3", "events wait in Kafka", said="Could not connect to the endpoint"),
    Outage("warehouse", STOP, "the warehouse", "events wait in Kafka", "the warehouse",
           said="no answer for 1"),
    Outage("kafka", STOP, "Kafka", "changes wait in MySQL's binlog", "Kafka", said="Kafka does not answer"),
    Outage("mysql", STOP, "MySQL", "what it committed is in its binlog", child="commit",
           said="MySQL's clock could not be read"),
]  # fmt: skip


@pytest.fixture(scope="module")
def living(stack: Addresses, way: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Living]:
    if way == "brought":
        pytest.skip("the services were brought along: they are not ours to stop")
    name = f"t{os.urandom(4).hex()}"
    with pipeline_on_stack(name, tmp_path_factory.mktemp("outages"), stack) as pipeline:
        pipeline.write_file(commit={"schedule": "*/2 * * * * *"}, consume={"retry_stopped_seconds": 10})
        pipeline.seed(60)
        pipeline.does("schema", "apply")
        running = pipeline.beside("run")
        pipeline.does("connect", "apply", seconds=150)
        until(lambda: running.running() and pipeline.servers.cut(), "the first snapshot's cut", 90)
        writer = pipeline.generate(20, 0, 1)
        made = Living(pipeline, running, writer, Hands(pipeline, running, way), way)
        made.caught_up("before any outage")
        yield made
        assert pipeline.run("stack", "up", seconds=240).returncode == 0


@pytest.mark.parametrize("outage", OUTAGES, ids=lambda outage: f"{outage.part}-{outage.how}")
def test_an_outage_is_named_with_what_is_not_lost_while_it_lasts(living: Living, outage: Outage) -> None:
    begins = {child: living.log(child).stat().st_size for child in ("consume", "commit")}
    undo = living.hands.hit(Fault(outage.part, outage.how, 0, 0))
    try:
        with ThreadPoolExecutor(3) as screens:
            status, lag, doctor = (
                screens.submit(_screen, living.pipeline, word) for word in ("status", "lag", "doctor")
            )
            if outage.said:
                look = living.log(outage.child)
                until(
                    lambda: outage.said in _since(look, begins[outage.child]), f"{outage.said!r} in {look.name}", 40,
                    lambda: _since(look, begins[outage.child])[-2000:],
                )  # fmt: skip
            _status_names(outage, *status.result())
            _lag_names(outage, *lag.result())
            _doctor_names(outage, *doctor.result())
    finally:
        undo()
        living.hands.up()
    living.caught_up(f"after the outage of {outage.part}")
    code, found, _ = _screen(living.pipeline, "status")
    assert (code, found["needs"]) == (0, []), f"the screen is not clean after the outage of {outage.part}"


def test_objects_that_are_missing_or_changed_are_named_and_read_again(living: Living) -> None:
    missing, changed = "ecs_order_info", "uni_tracking_info"
    bucket = _Bucket(living.pipeline)
    with ExitStack() as held:
        for table in (missing, changed):
            held.enter_context(living.pipeline.servers.held(f"settlement_public.{table}_raw_ledger"))
        for table in (missing, changed):
            ledger = f"settlement_public.{table}_raw_ledger"
            until(lambda name=ledger: living.pipeline.servers.waiting_for(name), f"a load of {table}", 60)
        before = {table: bucket.keys(table) for table in (missing, changed)}
        # Some are read back ahead of their load, while they are there still.
        until(
            lambda: all(len(bucket.keys(t) - before[t]) > MOST_READ for t in before), "objects nobody has read yet", 90
        )
        for key in bucket.keys(missing) - before[missing]:
            bucket.client.delete_object(Bucket=bucket.name, Key=key)
        for key in bucket.keys(changed) - before[changed]:
            bucket.client.put_object(Bucket=bucket.name, Key=key, Body=b"of somebody else")
    wanted = {missing: "is not in the bucket", changed: "is not what was written"}
    seen: dict[str, dict[str, str]] = {}

    def told() -> bool:
        _, found, _ = _screen(living.pipeline, "status")
        for need in found["needs"]:
            for table, words in wanted.items():
                if f"{table} is stopped" in need["what"] and words in need["what"]:
                    seen[table] = need
        return seen.keys() == wanted.keys()

    until(told, "both tables told as stopped", 60, living.pipeline.ends_of_logs)
    assert all("its events are in Kafka" in need["kept"] for need in seen.values()), seen
    living.caught_up("after objects were missing")


def test_a_full_disk_is_named_rolled_back_and_gone_on_from(living: Living, tmp_path: Path) -> None:
    table = "uni_tracking_spath_raw"
    begin = living.log("consume").stat().st_size
    with _on_a_small_disk(living, table, tmp_path) as fill:
        fill()
        said = "the warehouse's disk is full"
        until(
            lambda: said in _since(living.log("consume"), begin), said, 60,
            lambda: _since(living.log("consume"), begin)[-2000:],
        )  # fmt: skip
        assert "rolled back, nothing was changed; it is tried again" in _since(living.log("consume"), begin)
        lag = _screen(living.pipeline, "lag")[1]["partitions"]
        assert any(p["lag"] for p in lag if p["table"].endswith("uni_tracking_spath")), lag
        fill(empty=True)
        living.caught_up("after the disk was full")


def test_after_all_of_them_everything_is_loaded_once(living: Living) -> None:
    assert living.writer.terminate() == 0, living.writer.ends()
    living.caught_up("after the writing had stopped")
    assert living.running.terminate() == 0, living.running.ends()
    assert living.pipeline.reconcile()["equal"]
    for table in RAW:
        rows, places = living.pipeline.servers.row(
            "SELECT count(*), count(DISTINCT (_generation, _topic_id, _partition, _offset"
            f"{', data_collection' if table == 'transaction_raw' else ''})) FROM settlement_public.{table}"
        )
        assert rows == places, f"{table} holds {rows - places} rows twice"
    assert living.writer.answer()["transactions"]["committed"] > 50


def _screen(pipeline: PipelineOnStack, word: str) -> tuple[int, Any, str]:
    """Exit code, the object printed (empty when none was) and stderr of a command that a person looks at."""
    done = pipeline.run(word, "--json", seconds=100)
    return done.returncode, json.loads(done.stdout) if done.stdout.strip() else {}, done.stderr


def _status_names(outage: Outage, code: int, found: Any, said: str) -> None:
    assert code == 1, (code, said)
    needs = [need for need in found["needs"] if need["what"].startswith(f"{outage.named} at ")]
    assert len(needs) == 1, found["needs"]
    assert "does not answer" in needs[0]["what"]
    assert outage.kept in needs[0]["kept"] and needs[0]["todo"], needs


def _lag_names(outage: Outage, code: int, found: Any, said: str) -> None:
    if outage.lag:
        assert code == 3 and f"{outage.lag} does not answer" in said, (code, said)
    else:
        assert code == 0 and found["partitions"], (code, said)


def _doctor_names(outage: Outage, code: int, found: Any, said: str) -> None:
    assert code == 3, (code, said)
    down = [f for f in found["findings"] if f["service"] == outage.part and f["state"] == "unreachable"]
    assert down and all(f["what"] and f["todo"] for f in down), found["findings"]
    others = {f["service"] for f in found["findings"] if f["state"] == "ok"}
    assert others, "the other parts were not looked at"


def _since(path: Path, begin: int) -> str:
    """What a log says since it had that many bytes; all of it when it was begun anew."""
    data = path.read_bytes()
    return data[begin if len(data) >= begin else 0 :].decode(errors="replace")


class _Bucket:
    """The objects of one pipeline."""

    def __init__(self, pipeline: PipelineOnStack) -> None:
        at = pipeline.servers.addresses.s3
        self.name, self._pipeline = at.bucket, pipeline
        self.client: Any = boto3.client(
            "s3", endpoint_url=at.url or None, aws_access_key_id=at.access_key, region_name=at.region,
            aws_secret_access_key=at.secret_key.get_secret_value(), config=Config(s3={"addressing_style": "path"}),
        )  # fmt: skip

    def keys(self, table: str) -> set[str]:
        prefix = f"tests/{self._pipeline.name}/{table}_raw/"
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix)
        return {found["Key"] for page in pages for found in page.get("Contents", ())}


@contextmanager
def _on_a_small_disk(living: Living, table: str, folder: Path) -> Iterator[Callable[..., None]]:
    """A raw table in a tablespace of a few MB; yields what fills and empties its disk. Needs root, natively."""
    if living.way != choose.NATIVE or os.geteuid() != 0:
        pytest.skip("a small disk can be mounted by root, on the native stack only")
    (pid,) = [each.pid for each in choose.way(living.way, Layout.here()).status() if each.name == "warehouse"]
    user = Path(f"/proc/{pid}").stat()
    disk = Path("/var/tmp") / living.pipeline.name
    disk.mkdir()
    mounted = subprocess.run(("mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(disk)), capture_output=True)
    if mounted.returncode != 0:
        disk.rmdir()
        pytest.skip(f"nothing can be mounted here: {mounted.stderr.decode()}")
    space, ballast = disk / "space", disk / "ballast"
    space.mkdir()
    os.chown(space, user.st_uid, user.st_gid)

    def fill(empty: bool = False) -> None:
        if empty:
            ballast.unlink()
            return
        with suppress(OSError), ballast.open("wb", buffering=0) as file:
            while file.write(bytes(4096)):
                pass

    def move(to: str) -> None:
        with living.pipeline.servers.warehouse() as connection, connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE settlement_public.{table} SET TABLESPACE {to}")

    try:
        with living.pipeline.servers.warehouse() as connection, connection.cursor() as cursor:
            cursor.execute(f"CREATE TABLESPACE {living.pipeline.name} LOCATION '{space}'")
        move(living.pipeline.name)
        yield fill
    finally:
        ballast.unlink(missing_ok=True)
        move("pg_default")
        with living.pipeline.servers.warehouse() as connection, connection.cursor() as cursor:
            cursor.execute(f"DROP TABLESPACE {living.pipeline.name}")
        subprocess.run(("umount", str(disk)), check=True)
        disk.rmdir()
