"""`waybill reconcile`: which tables against which server, and how a difference is shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from checks import report
from checks.compare import DIFFERS, EXTRA, Difference
from cli.context import Context
from cli.reconcile import _other_server, _subjects
from waybill.addresses import Mysql
from waybill.errors import SettingsError

CONTEXT = Context(pipeline_path=Path(__file__).resolve().parents[3] / "pipeline.yml")
SOURCE = Mysql(host="source", port=3306, user="waybill", password=SecretStr("s"))


def test_without_a_choice_every_mart_is_compared() -> None:
    assert [s.mart for s in _subjects(CONTEXT, ())] == [
        "mart_uni_tracking_info", "mart_ecs_order_info", "mart_uni_tracking_spath",
    ]  # fmt: skip


def test_a_table_without_a_mart_or_unknown_is_refused() -> None:
    with pytest.raises(SettingsError, match="has no mart"):
        _subjects(CONTEXT, ("heartbeat",))
    with pytest.raises(SettingsError, match="no table 'orders'"):
        _subjects(CONTEXT, ("orders",))


def test_a_replica_takes_the_source_s_account_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    same = _other_server(SOURCE, "replica", 3307, None, None)
    assert (same.host, same.port, same.user, same.password.get_secret_value()) == ("replica", 3307, "waybill", "s")
    monkeypatch.setenv("REPLICA_PASSWORD", "r")
    other = _other_server(SOURCE, "replica", None, "reader", "REPLICA_PASSWORD")
    assert (other.user, other.password.get_secret_value()) == ("reader", "r")
    with pytest.raises(SettingsError, match="that variable is not set"):
        _other_server(SOURCE, None, None, None, "NO_SUCH_VARIABLE_HERE")


def differs(mysql: str | None, mart: str | None) -> str:
    return report.lines(Difference("k.t", DIFFERS, {"order_id": "5", "traceSeq": "2"}, "note", mysql, mart))


def test_a_difference_shows_spaces_nulls_and_what_cannot_be_seen() -> None:
    assert differs(None, "") == "k.t [order_id=5, traceSeq=2] note: MySQL NULL, mart ''"
    assert differs("a", "a ") == "k.t [order_id=5, traceSeq=2] note: MySQL 'a', mart 'a '"
    assert "MySQL 'é😀', mart 'é😀\\u200b'" in differs("é😀", "é😀\u200b")


def test_of_a_long_value_the_part_around_the_difference_is_shown() -> None:
    shown = differs("x" * 60_000 + "A", "x" * 60_000 + "B")
    assert len(shown) < 300
    assert "A" in shown and "B" in shown and "60,001 characters" in shown


def test_a_missing_row_is_told_by_its_key() -> None:
    extra = Difference("k.t", EXTRA, {"order_id": "5"})
    assert report.lines(extra) == "k.t [order_id=5]: stands in the mart, not in MySQL"
