"""The generator against a real MySQL."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from source import seeding, writers
from source.databases import ORDER_TABLES, Databases, Server
from source.generator import Generator
from source.kinds import KINDS
from source.rows import Plan
from source.session import Outcome
from source.summary import Summary
from tests.integration.source.conftest import NOW, ROOT, one, rows_of
from tests.integration.source.cutting_proxy import CuttingProxy

BROKEN = (
    "SELECT COUNT(*) FROM ecs_order_info e JOIN uni_tracking_info u ON u.order_id = e.order_id "
    "WHERE e.order_status <> u.state"
)


@pytest.fixture
def seeded(mysql: Server, databases: Databases) -> Databases:
    seeding.seed(mysql.connect, databases, Plan(400, 3, NOW))
    return databases


def counts(mysql: Server, databases: Databases) -> list[int]:
    return [one(mysql, databases.orders, f"SELECT COUNT(*) FROM {table}") for table in ORDER_TABLES]


def growth(summary: Summary) -> list[int]:
    return [summary.changes[table, "insert"] - summary.changes[table, "delete"] for table in ORDER_TABLES]


def test_status_equals_state_after_every_transaction_and_every_row_is_counted(mysql: Server, seeded: Databases) -> None:
    before = counts(mysql, seeded)
    generator = Generator(mysql.connect, seeded, 5)
    kinds = set()
    for _ in range(400):
        kinds.add(generator.step().kind)
    generator.close()
    assert one(mysql, seeded.orders, BROKEN) == 0
    assert [a - b for a, b in zip(counts(mysql, seeded), before, strict=True)] == growth(generator.summary)
    assert len(kinds) > 15
    assert generator.summary.rolled_back > 0


def test_each_kind_alone_finds_work_and_keeps_the_invariant(mysql: Server, seeded: Databases) -> None:
    for kind in KINDS:
        before = counts(mysql, seeded)
        generator = Generator(mysql.connect, seeded, 5, mix={kind: 1})
        for _ in range(6):
            step = generator.step()
            assert step.kind == kind
            assert step.row_changes > 0
            assert one(mysql, seeded.orders, BROKEN) == 0, kind
        generator.close()
        assert [a - b for a, b in zip(counts(mysql, seeded), before, strict=True)] == growth(generator.summary), kind


def test_a_bulk_transaction_has_about_five_hundred_rows(mysql: Server, seeded: Databases) -> None:
    generator = Generator(mysql.connect, seeded, 5, mix={"bulk": 1})
    assert max(generator.step().row_changes for _ in range(4)) > 400
    generator.close()


def test_a_rollback_leaves_nothing(mysql: Server, seeded: Databases) -> None:
    before = [rows_of(mysql, seeded.orders, table) for table in ORDER_TABLES]
    generator = Generator(mysql.connect, seeded, 5, mix={"rollback": 1e9, "status": 1, "delete_order": 1, "bulk": 1})
    assert not any(generator.step().committed for _ in range(12))
    generator.close()
    assert before == [rows_of(mysql, seeded.orders, table) for table in ORDER_TABLES]


def test_same_seed_same_tables_and_same_clock_write_the_same_rows(mysql: Server, seeded: Databases) -> None:
    found = []
    for _ in range(2):
        seeding.seed(mysql.connect, seeded, Plan(200, 3, NOW), force=True)
        ticks = itertools.count(NOW)
        generator = Generator(mysql.connect, seeded, 8, clock=lambda ticks=ticks: next(ticks), run_id="x")  # type: ignore[misc]
        for _ in range(150):
            generator.step()
        generator.close()
        found.append([rows_of(mysql, seeded.orders, table, without=("modified_at",)) for table in ORDER_TABLES])
    assert found[0] == found[1]


def test_several_writers_keep_out_of_each_others_way(mysql: Server, seeded: Databases) -> None:
    before = counts(mysql, seeded)
    summary = writers.run(mysql.connect, seeded, rate=0, seconds=3, seed=4, writers=4)
    assert summary.committed > 20
    assert summary.retried == 0
    assert one(mysql, seeded.orders, BROKEN) == 0
    assert [a - b for a, b in zip(counts(mysql, seeded), before, strict=True)] == growth(summary)


def test_the_rate_is_kept_by_the_clock(mysql: Server, seeded: Databases) -> None:
    summary = writers.run(mysql.connect, seeded, rate=30, seconds=4, seed=4, mix={"new_order": 1})
    assert 105 <= summary.row_changes <= 126


def test_reactivated_orders_get_their_new_event_now(mysql: Server, seeded: Databases) -> None:
    generator = Generator(mysql.connect, seeded, 5, mix={"reactivate": 1}, clock=lambda: NOW + 7)
    for _ in range(5):
        generator.step()
    generator.close()
    for table, column in (("uni_tracking_info", "update_time"), ("uni_tracking_spath", "pathTime")):
        assert one(mysql, seeded.orders, f"SELECT COUNT(*) FROM {table} WHERE {column} = {NOW + 7}") >= 4


def test_commits_without_an_answer_are_looked_up_and_none_is_believed_wrongly(mysql: Server, seeded: Databases) -> None:
    proxy = CuttingProxy(mysql.host, mysql.port, share=0.3)
    through = Server("127.0.0.1", proxy.port, mysql.user, mysql.password, encrypted=False)
    before = counts(mysql, seeded)
    generator = Generator(through.connect, seeded, 6)
    for _ in range(120):
        generator.step()
    generator.close()
    proxy.close()
    summary = generator.summary
    assert proxy.unsent > 5
    assert proxy.unanswered > 5
    assert summary.outcomes[Outcome.FOUND_COMMITTED] == proxy.unanswered
    assert summary.outcomes[Outcome.FOUND_LOST] == proxy.unsent
    assert [a - b for a, b in zip(counts(mysql, seeded), before, strict=True)] == growth(summary)
    assert one(mysql, seeded.orders, BROKEN) == 0


def test_a_stop_ends_the_wait_for_a_mysql_that_is_away(mysql: Server, seeded: Databases) -> None:
    stop = threading.Event()
    proxy = CuttingProxy(mysql.host, mysql.port, share=1.0)
    through = Server("127.0.0.1", proxy.port, mysql.user, mysql.password, encrypted=False)
    generator = Generator(through.connect, seeded, 6, stop=stop, patience=0.0)
    proxy.close()
    threading.Timer(1.0, stop.set).start()
    begin = time.monotonic()
    generator.run(0, 60)
    assert time.monotonic() - begin < 20
    assert sum(generator.summary.outcomes.values()) == generator.summary.outcomes[Outcome.UNKNOWN] == 1


def test_sigterm_ends_generate_with_its_summary(
    mysql: Server, seeded: Databases, waybill_command: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    env = {
        **os.environ, "WAYBILL_MYSQL_HOST": mysql.host, "WAYBILL_MYSQL_PORT": str(mysql.port),
        "WAYBILL_MYSQL_USER": mysql.user, "WAYBILL_MYSQL_PASSWORD": mysql.password,
    }  # fmt: skip
    words = ["--rate", "50", "--database", seeded.orders, "--pipeline-database", seeded.pipeline, "--json"]
    before = counts(mysql, seeded)
    process = subprocess.Popen(
        [sys.executable, "-c", "from cli.main import main; main()", "generate", *words],
        cwd=Path(ROOT), env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while counts(mysql, seeded) == before and time.monotonic() < deadline:
        time.sleep(0.2)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    summary = json.loads(out)
    assert summary["transactions"]["committed"] > 0
    grown = [table.get("insert", 0) - table.get("delete", 0) for table in map(summary["tables"].get, ORDER_TABLES)]
    assert [a - b for a, b in zip(counts(mysql, seeded), before, strict=True)] == grown
    refused = waybill_command("generate", "--mix", "holiday=1", env=env)
    assert refused.returncode == 2
    assert "new_order" in refused.stderr
