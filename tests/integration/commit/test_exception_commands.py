"""`waybill exceptions`, `check` and `raw trim` as they are typed: what they print, and with which exit code."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from tests.integration.commit.test_exceptions import NOW, ORDERS, PATH, TRACKING, _move_by_hand, _put, shop
from tests.laws.model import DAY
from tests.laws.shop import Shop

__all__ = ["shop"]
Type = Callable[..., CompletedProcess[str]]
PIPELINE = """
history: {first_half_year: 2023h1}
tables:
  - {source: shop.tracking, key: [order_id], event_time: update_time, mart: {name: mart_tracking}}
  - source: shop.orders
    key: [order_id]
    event_time: add_time
    mart: {name: mart_orders, follows: mart_tracking, gap_exception: ARCHIVE_ROUTING_GAP_ECS}
  - source: shop.path
    key: [order_id, seq]
    event_time: path_time
    mart: {name: mart_path, gap_exception: ARCHIVE_ROUTING_GAP_UTS}
"""


@pytest.fixture
def type_(shop: Shop, tmp_path: Path, waybill_command: Type) -> Type:
    file = tmp_path / "pipeline.yml"
    file.write_text(PIPELINE)
    where = shop.address
    env = {
        "WAYBILL_WAREHOUSE_HOST": where.host, "WAYBILL_WAREHOUSE_PORT": str(where.port),
        "WAYBILL_WAREHOUSE_USER": where.user, "WAYBILL_WAREHOUSE_PASSWORD": where.password.get_secret_value(),
        "WAYBILL_WAREHOUSE_DATABASE": where.database,
    }  # fmt: skip
    return lambda *words: waybill_command("--pipeline", str(file), *words, env=env)


def _json(done: CompletedProcess[str]) -> Any:
    return json.loads(done.stdout)


def test_exceptions_are_listed_shown_resolved_and_open_again(shop: Shop, type_: Type) -> None:
    _put(shop, 11, (TRACKING, 1, NOW), (TRACKING, 2, None), (PATH, 1, NOW), (PATH, 2, None))
    listed = type_("exceptions", "list", "--json")
    assert (listed.returncode, _json(listed)["open"]) == (1, 2)
    table = type_("exceptions", "list", "--table", "path")
    assert table.returncode == 1 and "ARCHIVE_ROUTING_GAP_UTS" in table.stdout and "1 open" in table.stdout
    ids = [str(row["exception_id"]) for row in _json(listed)["exceptions"]]
    shown = type_("exceptions", "show", ids[0])
    assert shown.returncode == 0 and "stands in        mart_path" in shown.stdout
    assert type_("exceptions", "resolve", ids[0], "--note", " ").returncode == 2
    assert type_("exceptions", "resolve", "999", "--note", "n").returncode == 2
    dry = type_("exceptions", "resolve", *ids, "--note", "seen", "--dry-run")
    assert dry.returncode == 0 and "would be resolved; the next cycle looks at the row again" in dry.stdout
    done = type_("exceptions", "resolve", *ids, "--note", "seen", "--json")
    assert done.returncode == 0 and [e["rechecked"] for e in _json(done)["exceptions"]] == [True, True]
    assert type_("exceptions", "list").returncode == 0
    shop.cycle()
    again = type_("exceptions", "list", "--all", "--json")
    assert (again.returncode, len(_json(again)["exceptions"])) == (1, 4)


def test_restoring_is_refused_with_4_where_history_is_right_and_done_where_the_mart_is(shop: Shop, type_: Type) -> None:
    _put(
        shop, 11, (TRACKING, 1, NOW), (ORDERS, 1, NOW - 10 * DAY), (TRACKING, 2, NOW - 300 * DAY), (ORDERS, 2, NOW)
    )  # fmt: skip
    refused = type_("exceptions", "restore", "2")
    assert refused.returncode == 4 and "the row that it follows stands in hist_tracking_2023_h1" in refused.stderr
    assert type_("exceptions", "restore", "3").returncode == 2
    _move_by_hand(shop, 1, "2024_h1")
    dry = type_("exceptions", "restore", "1", "--dry-run")
    assert (dry.returncode, dry.stdout) == (0, "1 would come from hist_orders_2024_h1 into mart_orders\n")
    done = type_("exceptions", "restore", "1", "--note", "was moved by hand")
    assert (done.returncode, done.stdout) == (0, "1 came from hist_orders_2024_h1 into mart_orders\n")
    assert type_("exceptions", "restore", "1").stdout == "1 stands in mart_orders already\n"


def test_check_answers_0_or_1_and_names_what_it_found(shop: Shop, type_: Type) -> None:
    assert type_("check").returncode == 4, "no cycle yet"
    _put(shop, 11, (TRACKING, 1, NOW), (ORDERS, 1, NOW))
    well = type_("check", "conservation")
    assert well.returncode == 0 and "conservation ok: every key stands once" in well.stdout
    shop.session.run("DELETE FROM settlement_ods.mart_orders")
    ill = type_("check", "--json")
    assert ill.returncode == 1 and _json(ill)["checks"][0]["findings"][0]["table"] == "shop.orders"
    assert "0 rows stand there, the totals say 1" in type_("check").stdout
    assert type_("check", "nonsense").returncode == 2


def test_raw_is_trimmed_by_command(shop: Shop, type_: Type) -> None:
    _put(shop, 11, (TRACKING, 1, NOW), (ORDERS, 1, NOW))
    for raw in ("tracking_raw", "orders_raw", "transaction_raw"):
        shop.session.run(f"UPDATE settlement_public.{raw}_ledger SET loaded_at = loaded_at - interval '2 days'")
    dry = type_("raw", "trim", "--dry-run", "--json")
    assert {t["raw"]: t["rows"] for t in _json(dry)["tables"]} == {
        "tracking_raw": 1, "orders_raw": 1, "path_raw": 0, "transaction_raw": 0,
    }  # fmt: skip
    done = type_("raw", "trim")
    assert done.returncode == 0 and "Trimmed" in done.stdout
    assert shop.session.row("SELECT count(*) AS n FROM settlement_public.orders_raw") == {"n": 0}
    listed = type_("cycles", "list", "--json")
    assert listed.returncode == 0 and _json(listed)["cycles"][0]["marts"]
    shown = type_("cycles", "show", "1")
    assert "a marked cycle" in shown.stdout and "Seconds by step" in shown.stdout
