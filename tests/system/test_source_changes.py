"""What changes at the source while it is written to: what passes, what stops one table, what to type then."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pymysql
import pytest
import yaml

from tests.pipeline_on_stack import PipelineOnStack, pipeline_on_stack
from tests.waiting import until
from waybill.addresses import Addresses

pytestmark = pytest.mark.timeout(900)

COLUMNS = (
    "id bigint NOT NULL PRIMARY KEY, add_time int, touched int NOT NULL DEFAULT 0, grade int, weight decimal(8,2),"
    " code varchar(10) CHARACTER SET latin1 DEFAULT 'x', state enum('new','done') NOT NULL DEFAULT 'new'"
)


class Shop:
    """Two tables, `parcel` and `other`, each with a mart, and a writer that never stops by itself."""

    def __init__(self, pipeline: PipelineOnStack) -> None:
        self.pipeline = pipeline
        self.servers = pipeline.servers
        self.parcel, self.other = f"{pipeline.orders}.parcel", f"{pipeline.orders}.other"
        self.written = 0
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def run(self, statement: str) -> None:
        """A statement at the source; P! and O! are the two tables, D! their database."""
        for mark, name in (("P!", self.parcel), ("O!", self.other), ("D!", self.pipeline.orders)):
            statement = statement.replace(mark, name)
        self.servers.mysql(statement)

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """While the block runs, rows come, change and go."""
        self._stop.clear()
        self._thread = threading.Thread(target=self._write)
        self._thread.start()
        try:
            yield
        finally:
            self._stop.set()
            self._thread.join(60)

    def _write(self) -> None:
        number = 10_000 + self.written
        while not self._stop.wait(0.03):
            number += 1
            with contextlib.suppress(pymysql.err.MySQLError):  # away for a moment, or a column without a default
                self.run(f"INSERT INTO P! (id, add_time) VALUES ({number}, 1700000000 + {number})")
                self.run(f"UPDATE P! SET touched = touched + 1 WHERE id IN ({number - 7}, {number % 40 + 1})")
                self.run(f"DELETE FROM P! WHERE id = {number - 9} AND id % 3 = 0")
                self.run(f"INSERT INTO O! (id, add_time) VALUES ({number}, 1700000000)")
                self.written += 1

    def more(self, count: int = 4) -> None:
        """Until the writer has written some more."""
        goal = self.written + count
        until(lambda: self.written >= goal, f"{goal} written", 60)

    def tables(self, code: int = 0) -> dict[str, Any]:
        found = self.pipeline.does("tables", "list", code=code)["tables"]
        return {row["table"].rpartition(".")[2]: row for row in found}

    def stopped(self) -> dict[str, Any]:
        """Wait until `parcel` is stopped; how `tables list` tells it."""
        found: dict[str, Any] = {}

        def look() -> bool:
            listed = self.pipeline.run("tables", "list", "--json")
            rows = {row["table"].rpartition(".")[2]: row for row in yaml.safe_load(listed.stdout)["tables"]}
            found.update(rows["parcel"])
            return bool(found["state"] == "stopped")

        until(look, "parcel is stopped", 90, lambda: str(found))
        return found

    def equal(self, code: int = 0) -> Any:
        self.pipeline.drain(180)
        return self.pipeline.reconcile(code=code)


@pytest.fixture(scope="module")
def shop(stack: Addresses, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    name = f"tsrc{time.time_ns() % 10**8}"
    with pipeline_on_stack(name, tmp_path_factory.mktemp("source"), stack) as pipeline:
        path: Path = pipeline.write_file()
        settings = yaml.safe_load(path.read_text())
        settings["consume"] = {"retry_stopped_seconds": 1}
        settings["tables"] = [
            {
                "source": f"{pipeline.orders}.{table}", "key": ["id"], "event_time": "add_time",
                "batch": {"seconds": 0.5}, "mart": {"name": f"mart_{table}", "order": order},
            }
            for order, table in enumerate(("parcel", "other"))
        ]  # fmt: skip
        path.write_text(yaml.safe_dump(settings, sort_keys=False))
        pipeline.seed(3)
        shop = Shop(pipeline)
        for table in ("P!", "O!"):
            shop.run(f"CREATE TABLE {table} ({COLUMNS})")
        for number in range(1, 51):
            shop.run(f"INSERT INTO P! (id, add_time, grade) VALUES ({number}, 1700000000, {number})")
        pipeline.does("schema", "apply")
        pipeline.beside("consume")
        pipeline.does("connect", "apply", seconds=150)
        pipeline.first_snapshot(180)
        yield shop
        print(pipeline.ends_of_logs())


def test_what_passes_by_itself_passes_while_rows_are_written(shop: Shop) -> None:
    pipeline, servers = shop.pipeline, shop.servers
    with shop.writing():
        shop.more()
        for statement in (
            "ALTER TABLE P! ADD COLUMN z int NOT NULL DEFAULT 7 FIRST",
            "ALTER TABLE P! ADD COLUMN (s varchar(20) NOT NULL DEFAULT 'it''s', e date DEFAULT '2020-02-29')",
            "ALTER TABLE P! ADD COLUMN n decimal(6,2) NOT NULL AFTER touched, ADD COLUMN u bigint unsigned",
            "ALTER TABLE P! ALTER COLUMN n SET DEFAULT 3, MODIFY grade bigint",
            "ALTER TABLE P! MODIFY code varchar(40) CHARACTER SET latin1 DEFAULT 'x'",
            "ALTER TABLE P! MODIFY weight decimal(12,3)",
            "ALTER TABLE P! CONVERT TO CHARACTER SET utf8mb4",
            "ALTER TABLE P! MODIFY state enum('new','done','returned for good') NOT NULL DEFAULT 'new'",
            "ALTER TABLE P! DROP COLUMN z",
            "ALTER TABLE P! ADD COLUMN z int NOT NULL DEFAULT 8",
        ):
            shop.run(statement)
            if " n decimal" not in statement:
                shop.more(2)
        # A consumer that begins in the middle, and two at once.
        pipeline.backgrounds[0].clear()
        shop.run("ALTER TABLE P! DROP COLUMN u, ADD COLUMN w varchar(5) DEFAULT 'w'")
        shop.more()
        pipeline.beside("consume")
        pipeline.beside("consume")
        shop.run("UPDATE P! SET state = 'returned for good', code = '12345678901', grade = 5000000000 WHERE id < 5")
        shop.more()
        shop.run("RENAME TABLE P! TO D!.away")
        shop.run("RENAME TABLE D!.away TO P!")
        shop.more()
        _online_change(shop)
        shop.more(8)
    shop.equal()
    columns = servers.rows(
        "SELECT column_name FROM information_schema.columns WHERE table_name = 'parcel_raw' AND column_name LIKE 'z%'"
    )
    assert sorted(columns) == [("z",), ("z__dropped_1",)]
    # Rows of the first snapshot never had an event since: they read the constants.
    old = servers.row("SELECT z, s, e, n, w, gg FROM settlement_ods.mart_parcel WHERE id = 50 AND touched = 0")
    assert [str(value) for value in old] == ["8", "it's", "2020-02-29", "0.00", "w", "5"]
    listed = shop.tables()
    assert {row["state"] for row in listed.values()} == {"running"}, listed


def _online_change(shop: Shop) -> None:
    """As the usual tools do it: a shadow table, triggers, a copy in pieces, one RENAME of both."""
    shop.run("CREATE TABLE D!._parcel_new LIKE P!")
    shop.run("ALTER TABLE D!._parcel_new ADD COLUMN gg int NOT NULL DEFAULT 5")
    shop.run(
        "CREATE TRIGGER D!.o_d AFTER DELETE ON P! FOR EACH ROW DELETE IGNORE FROM D!._parcel_new WHERE id = OLD.id"
    )
    columns = "id, add_time, touched, n, code, weight, grade, state, s, e, z, w"
    values = ", ".join(f"NEW.{name}" for name in columns.split(", "))
    for when, name in (("INSERT", "o_i"), ("UPDATE", "o_u")):
        shop.run(
            f"CREATE TRIGGER D!.{name} AFTER {when} ON P! FOR EACH ROW"
            f" REPLACE INTO D!._parcel_new ({columns}) VALUES ({values})"
        )
    for first in range(0, 50, 10):
        shop.run(
            f"INSERT IGNORE INTO D!._parcel_new ({columns}) SELECT {columns} FROM P!"
            f" WHERE id > {first} AND id <= {first + 10} LOCK IN SHARE MODE"
        )
    shop.run(f"INSERT IGNORE INTO D!._parcel_new ({columns}) SELECT {columns} FROM P! WHERE id > 50 LOCK IN SHARE MODE")
    shop.run("RENAME TABLE P! TO D!._parcel_old, D!._parcel_new TO P!")
    shop.run("DROP TABLE D!._parcel_old")


def test_a_renamed_column_stops_its_table_alone_until_it_is_taken(shop: Shop) -> None:
    pipeline, servers = shop.pipeline, shop.servers
    with shop.writing():
        shop.more()
        shop.run("ALTER TABLE P! RENAME COLUMN weight TO kilos")
        shop.more()
        found = shop.stopped()
        assert "'weight' DECIMAL(12,3) was renamed to 'kilos' DECIMAL(12,3)" in found["held_by"]
        assert "offset" in found["held_by"]
        for choice in ("--take", "--read-again"):
            assert f"waybill schema accept {shop.parcel} {choice}" in found["todo"]
        before = servers.row("SELECT count(*) FROM settlement_public.other_raw")[0]
        shop.more(8)
        until(lambda: servers.row("SELECT count(*) FROM settlement_public.other_raw")[0] > before, "others go on", 60)
        assert pipeline.does("schema", "accept", "parcel", "--take", "--reason", "t", "--dry-run")["decided"]
        taken = pipeline.does("schema", "accept", "parcel", "--take", "--reason", "release 7")
        assert taken["applied"]
        shop.more(8)
    shop.equal()
    assert pipeline.run("schema", "accept", "parcel", "--take", "--reason", "twice", "--yes").returncode == 4


def test_a_narrowed_and_a_retyped_column_stop_and_are_marked_to_be_read_again(shop: Shop) -> None:
    with shop.writing():
        shop.run("ALTER TABLE P! MODIFY kilos decimal(9,1)")
        assert "narrowed" in shop.stopped()["held_by"]
        shop.pipeline.does("schema", "accept", "parcel", "--take", "--reason", "t")
        shop.run("ALTER TABLE P! MODIFY e datetime")
        shop.more()
    until(lambda: "of another type" in shop.stopped()["held_by"], "the next change stops it", 60)
    shop.pipeline.does("schema", "accept", "parcel", "--take", "--reason", "t")
    report = shop.equal(code=1)
    assert shop.parcel in report["to_be_read_again"]
    shop.run("UPDATE P! SET touched = touched + 1")  # every row says itself again
    shop.equal()
    assert shop.tables()["parcel"]["state"] == "running"


def test_a_table_that_is_read_again_gets_rows_of_an_incremental_snapshot(shop: Shop) -> None:
    shop.run("ALTER TABLE P! CHANGE kilos pounds decimal(9,1)")
    shop.run("UPDATE P! SET touched = touched + 1 WHERE id = 1")
    shop.stopped()
    shop.pipeline.does("schema", "accept", "parcel", "--read-again", "--reason", "t")
    rows = "SELECT count(DISTINCT id) FROM settlement_public.parcel_raw WHERE _snapshot = 'incremental'"
    count = shop.servers.mysql(f"SELECT count(*) FROM {shop.parcel}")[0][0]
    until(lambda: shop.servers.row(rows)[0] == count, "every row was read again", 90)
    assert shop.servers.row("SELECT count(*) FROM information_schema.columns WHERE table_name = 'parcel_raw'"
                            " AND column_name IN ('kilos', 'pounds')") == (2,)  # fmt: skip


def test_a_paused_table_loads_nothing_and_goes_on_where_it_was(shop: Shop) -> None:
    pipeline, servers = shop.pipeline, shop.servers
    pipeline.does("tables", "pause", "other", "--reason", "maintenance")
    assert shop.tables(code=1)["other"]["state"] == "paused"
    time.sleep(2)
    count = servers.row("SELECT count(*) FROM settlement_public.other_raw")
    with shop.writing():
        shop.more(10)
    until(lambda: "paused" in pipeline.run("tables", "list").stdout, "it is told", 60)
    waiting = pipeline.commit()["waiting"]
    assert any(shop.other in line for line in waiting), waiting
    assert servers.row("SELECT count(*) FROM settlement_public.other_raw") == count
    assert "maintenance" in pipeline.run("status").stdout
    pipeline.does("tables", "resume", "other", "--reason", "done")
    pipeline.drain(120)
    assert servers.row("SELECT count(*) FROM settlement_public.other_raw") > count


def test_a_truncate_that_is_taken_marks_what_stood_before_it(shop: Shop) -> None:
    with shop.writing():
        shop.more()
        shop.run("TRUNCATE TABLE O!")
        shop.more(6)
        until(lambda: "TRUNCATE" in str(shop.pipeline.run("tables", "list", "--json").stdout), "it is told", 90)
        before = shop.servers.row("SELECT count(*) FROM settlement_ods.mart_other WHERE _deleted_at IS NULL")[0]
        assert before
        shop.pipeline.does("schema", "accept", "other", "--take", "--reason", "emptied on purpose")
        shop.more(6)
    shop.pipeline.drain(120)
    assert shop.pipeline.reconcile("--table", "other")["equal"]
    standing = shop.servers.row("SELECT count(*) FROM settlement_ods.mart_other WHERE _deleted_at IS NULL")[0]
    assert standing == shop.servers.mysql(f"SELECT count(*) FROM {shop.other}")[0][0]
