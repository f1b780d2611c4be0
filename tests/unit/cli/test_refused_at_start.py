"""What does not fit the source is refused before anything long-lived starts; a source that is away is not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cli import config
from cli.context import Context
from connect.source_tables import SourceTable
from waybill.errors import SettingsError, UnreachableError
from waybill.types import SourceColumn


def _answers(monkeypatch: pytest.MonkeyPatch, read: Callable[..., dict[str, SourceTable]]) -> Context:
    monkeypatch.setenv("WAYBILL_MYSQL_HOST", "127.0.0.1")
    monkeypatch.setenv("WAYBILL_MYSQL_USER", "nobody")
    monkeypatch.setattr(config.source_tables, "read", read)
    return Context()


def test_a_key_column_that_does_not_exist_is_named_with_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    found = SourceTable("kuaisong.ecs_order_info", (SourceColumn("id", "BIGINT"),), ("id",))
    context = _answers(monkeypatch, lambda *_: {"kuaisong.ecs_order_info": found})
    with pytest.raises(SettingsError, match=r"tables\[1\]\.key\[0\].*no column 'order_id'; it has id"):
        config.refuse_misfit(context)


def test_a_table_that_is_gone_does_not_keep_its_events_from_being_carried(monkeypatch: pytest.MonkeyPatch) -> None:
    config.refuse_misfit(_answers(monkeypatch, lambda *_: {}))


def test_a_source_that_does_not_answer_is_no_reason_not_to_start(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> dict[str, SourceTable]:
        raise UnreachableError("MySQL does not answer")

    config.refuse_misfit(_answers(monkeypatch, away))
