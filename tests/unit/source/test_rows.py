"""The seeded rows, without a database."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from source.databases import ORDER_TABLES, PIPELINE_TABLES, SCHEMA, columns
from source.edges import EDGES, LONG, LONGEST
from source.rows import SPAN, Plan, Rows
from source.tsv import field

NOW = 1_790_000_000
ROOT = Path(__file__).resolve().parents[3]
Line = dict[str, str]


@cache
def seeded(orders: int = 3000, seed: int = 1, now: int = NOW) -> tuple[list[Line], list[Line], list[Line]]:
    tables: tuple[list[Line], list[Line], list[Line]] = ([], [], [])
    for block in Rows(Plan(orders, seed, now), block=700):
        for found, table, lines in zip(tables, ORDER_TABLES, (block.order, block.tracking, block.path), strict=True):
            found.extend(dict(zip(columns(table), line.split("\t"), strict=True)) for line in lines)
    return tables


def digest(orders: int, seed: int, now: int, block: int) -> str:
    found = hashlib.sha256()
    lines: tuple[list[str], list[str], list[str]] = ([], [], [])
    for made in Rows(Plan(orders, seed, now), block):
        for all_lines, some in zip(lines, (made.order, made.tracking, made.path), strict=True):
            all_lines.extend(some)
    for some in lines:
        found.update("\n".join(some).encode())
    return found.hexdigest()


def test_same_seed_and_now_give_the_same_bytes_in_another_process_and_another_block_size() -> None:
    script = "from tests.unit.source.test_rows import digest; print(digest(800, 5, 1790000000, 5000))"
    env = {**os.environ, "PYTHONHASHSEED": "4711", "PYTHONPATH": str(ROOT)}
    other = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=env, capture_output=True, text=True, check=True
    )
    assert other.stdout.strip() == digest(800, 5, NOW, 300)


def test_another_seed_or_another_now_gives_other_rows() -> None:
    assert len({digest(200, 1, NOW, 100), digest(200, 2, NOW, 100), digest(200, 1, NOW + 1, 100)}) == 3


def test_status_of_an_order_equals_the_state_of_its_tracking_row() -> None:
    orders, tracking, _ = seeded()
    state = {row["order_id"]: row["state"] for row in tracking}
    both = [row for row in orders if row["order_id"] in state]
    assert len(both) > 2900
    assert all(row["order_status"] == state[row["order_id"]] for row in both)


def test_state_is_the_code_of_the_last_path_event() -> None:
    _, tracking, path = seeded()
    last = {row["order_id"]: row["code"] for row in path}
    assert all(last.get(row["order_id"], row["state"]) == row["state"] for row in tracking)


def test_path_events_are_numbered_from_one_and_their_times_do_not_go_back() -> None:
    _, _, path = seeded()
    seen: dict[str, tuple[int, int]] = {}
    edge_times = {str(edge.path["pathTime"]) for edge in EDGES if edge.path.get("pathTime") is not None}
    for row in path:
        number, at = seen.get(row["order_id"], (0, -(2**31)))
        assert int(row["traceSeq"]) == number + 1
        if row["pathTime"] == "\\N" or row["pathTime"] in edge_times:
            seen[row["order_id"]] = (number + 1, at)
            continue
        assert int(row["pathTime"]) >= at
        seen[row["order_id"]] = (number + 1, int(row["pathTime"]))


def test_there_are_about_ten_path_events_an_order_and_not_always_the_same_number() -> None:
    orders, _, path = seeded()
    counts = Counter(row["order_id"] for row in path)
    assert 9 < len(path) / len(orders) < 12
    assert len(set(counts.values())) > 15


def test_orders_are_of_all_ages_up_to_fourteen_months() -> None:
    orders, _, _ = seeded()
    times = [int(row["add_time"]) for row in orders if row["add_time"] != "\\N"]
    ages = sorted(NOW - at for at in times if 0 < NOW - at < 2 * SPAN)
    months = Counter(age // (30 * 86_400) for age in ages)
    assert set(range(14)) <= set(months)
    assert ages[0] < 86_400
    assert ages[-1] <= SPAN + 86_400
    assert months[0] > 2 * months[12]


def test_some_orders_came_back_after_months() -> None:
    _, _, path = seeded()
    previous: dict[str, int] = {}
    gaps = 0
    for row in path:
        if row["pathTime"] == "\\N":
            continue
        at = int(row["pathTime"])
        gaps += at - previous.get(row["order_id"], at) > 80 * 86_400
        previous[row["order_id"]] = at
    assert gaps > 10


def test_a_few_partners_send_most() -> None:
    orders, _, _ = seeded()
    counts = Counter(row["partner_id"] for row in orders).most_common()
    assert len(counts) > 100
    assert sum(n for _, n in counts[:10]) > 0.4 * len(orders)


def test_some_rows_have_no_partner_in_another_table() -> None:
    ids = [{row["order_id"] for row in rows} for rows in seeded()]
    orders, tracking, path = ids
    assert orders - tracking - path
    assert (orders & path) - tracking
    assert (orders & tracking) - path
    assert tracking - orders
    assert path - orders - tracking


def test_every_edge_is_there_also_in_a_small_seed() -> None:
    for orders in (60, 3000):
        ecs, uti, path = seeded(orders)
        for edge in EDGES:
            for values, rows in ((edge.order, ecs), (edge.tracking, uti), (edge.path, path)):
                wanted = {name: field(value) for name, value in values.items()}
                assert any(wanted.items() <= row.items() for row in rows), edge.name
            if edge.order_id is not None:
                assert sum(row["order_id"] == str(edge.order_id) for row in ecs) == 1


def test_long_texts_are_as_long_as_they_say() -> None:
    assert 60 * 1024 - 4 < len(LONG.encode()) <= 60 * 1024
    assert len(LONGEST.encode()) == 65_535


@pytest.mark.parametrize("table", [*ORDER_TABLES, *PIPELINE_TABLES])
def test_every_column_has_a_comment(table: str) -> None:
    text = (SCHEMA / f"{table}.sql").read_text(encoding="utf-8")
    lines = [
        line for line in text.splitlines() if line.startswith("  ") and line.split()[0].strip("`") in columns(table)
    ]
    assert len(lines) == len(columns(table))
    assert all(" COMMENT '" in line for line in lines)


def test_tables_have_the_columns_a_carrier_has() -> None:
    assert 33 <= len(columns("ecs_order_info")) <= 40
    assert columns("ecs_order_info")[0] == "order_id"
    assert {"id", "order_id", "update_time"} <= set(columns("uni_tracking_info"))
    assert {"id", "order_id", "traceSeq", "pathTime"} <= set(columns("uni_tracking_spath"))
