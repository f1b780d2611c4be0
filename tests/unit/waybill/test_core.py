"""Names, types and addresses that every room agrees on."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from waybill.addresses import Addresses
from waybill.errors import SettingsError, WaybillError
from waybill.objects import batch_time, epoch_of, new_batch_id, object_key
from waybill.types import SourceColumn

NOW = datetime(2026, 11, 22, 13, 5, 7, 123456, UTC)


def test_object_names_sort_as_offsets_do_and_tell_their_epoch() -> None:
    def key(first: int, last: int) -> str:
        return object_key(
            "iso", "orders", NOW, "%Y-%m-%d/%H", topic="w.shop.orders", partition=3, first_offset=first,
            last_offset=last, generation=1, epoch=12,
        )  # fmt: skip

    assert key(9, 99).startswith("iso/orders/2026-11-22/13/w.shop.orders+00003+")
    assert sorted([key(100, 200), key(9, 99)]) == [key(9, 99), key(100, 200)]
    assert epoch_of(key(9, 99)) == 12
    assert epoch_of("iso/orders/somebody-elses.parquet") is None


def test_a_later_batch_has_a_greater_id_and_tells_its_time() -> None:
    later = NOW.replace(microsecond=123457)
    assert new_batch_id(later) > new_batch_id(NOW)
    assert batch_time(new_batch_id(NOW)) == NOW


@pytest.mark.parametrize(
    ("column", "postgres", "redshift"),
    [
        (SourceColumn("a", "BIGINT UNSIGNED"), "decimal(20,0)", "decimal(20,0)"),
        (SourceColumn("a", "INT UNSIGNED"), "bigint", "bigint"),
        (SourceColumn("a", "TINYINT", length=1), "smallint", "smallint"),
        (SourceColumn("a", "DECIMAL", length=10, scale=3), "decimal(10,3)", "decimal(10,3)"),
        (SourceColumn("a", "DECIMAL", length=65, scale=30), "varchar(68)", "varchar(68)"),
        (SourceColumn("a", "VARCHAR", length=40, width=160), "varchar(160)", "varchar(160)"),
        (SourceColumn("a", "TEXT", length=65535, width=65535), "varchar(65535)", "varchar(65535)"),
        (SourceColumn("a", "MEDIUMTEXT", length=16777215, width=16777215), "text", "varchar(65535)"),
        (SourceColumn("a", "JSON"), "text", "varchar(65535)"),
        (SourceColumn("a", "BIT", length=1), "boolean", "boolean"),
        (SourceColumn("a", "BIT", length=64), "decimal(20,0)", "decimal(20,0)"),
        (SourceColumn("a", "TIME", length=6), "bigint", "bigint"),
        (SourceColumn("a", "DATETIME", length=6), "timestamp", "timestamp"),
        (SourceColumn("a", "VARBINARY", length=8, width=8), "bytea", "varbyte(8)"),
    ],
)
def test_types_of_the_warehouse_hold_every_value_of_the_source(
    column: SourceColumn, postgres: str, redshift: str
) -> None:
    assert (column.postgres, column.redshift) == (postgres, redshift)


def test_a_column_that_cannot_be_carried_is_not_guessed() -> None:
    with pytest.raises(KeyError):
        _ = SourceColumn("a", "GEOMETRY").kind


def test_environment_wins_over_env_file_and_both_over_the_stack(tmp_path: Path) -> None:
    stack = tmp_path / ".waybill/stack/addresses.json"
    stack.parent.mkdir(parents=True)
    stack.write_text(json.dumps({"mysql": {"host": "127.0.0.1", "port": 1, "user": "u", "password": "local"}}))
    (tmp_path / ".env").write_text("WAYBILL_MYSQL_USER='file user'\r\n# a comment\r\nWAYBILL_MYSQL_PORT=2\r\n")
    found = Addresses.load(tmp_path, {"WAYBILL_MYSQL_PORT": "3"}).mysql
    assert (found.host, found.port, found.user) == ("127.0.0.1", 3, "file user")
    assert "local" not in repr(found)


def test_the_local_stacks_password_is_not_sent_to_another_host(tmp_path: Path) -> None:
    stack = tmp_path / ".waybill/stack/addresses.json"
    stack.parent.mkdir(parents=True)
    stack.write_text(json.dumps({"mysql": {"host": "127.0.0.1", "port": 1, "user": "u", "password": "local"}}))
    found = Addresses.load(tmp_path, {"WAYBILL_MYSQL_HOST": "elsewhere", "WAYBILL_MYSQL_USER": "me"}).mysql
    assert found.password.get_secret_value() == ""


def test_a_missing_address_names_its_variable(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="kafka is incomplete") as caught:
        _ = Addresses.load(tmp_path, {}).kafka
    assert "WAYBILL_KAFKA_BOOTSTRAP" in caught.value.todo


def test_an_error_says_what_was_not_lost_and_what_to_type() -> None:
    text = str(WaybillError("it broke", kept="the rows", todo="waybill status"))
    assert text.splitlines() == ["it broke", "  not lost: the rows", "  what to do: waybill status"]
