from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from connect.config import SETTINGS_FILE, connector_config
from waybill.errors import SettingsError

PLAIN: dict[str, Any] = {
    "name": "w", "prefix": "p", "tables": ["shop.orders", "shop.lines"], "heartbeat": "ops.heartbeat",
    "signal": "ops.signal", "server_id": 7, "partitions": 3,
}  # fmt: skip


def test_no_placeholder_is_left_and_no_value_is_anything_but_text() -> None:
    config = connector_config(**PLAIN)
    assert all(isinstance(value, str) for value in config.values())
    assert not [value for value in config.values() if re.search(r"(?<!\$)\{[a-z_]+\}", value)]


def test_the_file_holds_no_address_and_no_secret() -> None:
    settings: dict[str, str] = json.loads(SETTINGS_FILE.read_text())
    for key, value in settings.items():
        if re.search(r"hostname|\.port$|\.user$|password|url$|bootstrap", key):
            assert value.startswith("${env:CONNECT_SOURCE_"), key


def test_both_converters_are_set_alike() -> None:
    config = connector_config(**PLAIN)
    keys, values = (
        {key.removeprefix(part): value for key, value in config.items() if key.startswith(part)}
        for part in ("key.converter", "value.converter")
    )
    assert keys == values


def test_the_heartbeat_table_is_captured_and_names_are_not_patterns() -> None:
    config = connector_config(**{**PLAIN, "tables": ["shop.a.b".replace(".b", "_b"), "shop.x$1"]})
    patterns = config["table.include.list"].split(",")
    for table in ("shop.a_b", "shop.x$1", "ops.heartbeat"):
        assert [p for p in patterns if re.fullmatch(p, table)]
    assert not [p for p in patterns if re.fullmatch(p, "shopxa_b")]
    assert re.fullmatch(config["database.include.list"].split(",")[0], "ops")


def test_the_order_of_tables_changes_nothing() -> None:
    assert connector_config(**PLAIN) == connector_config(**{**PLAIN, "tables": PLAIN["tables"][::-1]})


def test_every_topic_falls_into_the_group_meant_for_it() -> None:
    config = connector_config(**PLAIN)

    def partitions(topic: str) -> str:
        for group in config["topic.creation.groups"].split(","):
            if any(re.fullmatch(p, topic) for p in config[f"topic.creation.{group}.include"].split(",")):
                return config[f"topic.creation.{group}.partitions"]
        return config["topic.creation.default.partitions"]

    assert partitions("p.shop.orders") == "3"
    for single in ("p", "p.transaction", "p.notification", "__debezium-heartbeat.p", "p.ops.heartbeat", "p.ops.signal"):
        assert partitions(single) == "1", single


def test_the_transaction_topic_is_kept_as_long_as_the_data() -> None:
    config = connector_config(**PLAIN)
    assert int(config["topic.creation.transactions.retention.ms"]) >= int(config["topic.creation.default.retention.ms"])


def test_a_table_without_database_is_refused() -> None:
    with pytest.raises(SettingsError, match="'orders' is not a table"):
        connector_config(**{**PLAIN, "tables": ["orders"]})


def test_a_placeholder_without_value_is_named(tmp_path: Path) -> None:
    file = tmp_path / "s.json"
    file.write_text(json.dumps({"some.key": "{oops}"}))
    with pytest.raises(SettingsError, match=r"some\.key: there is no value for \{oops\}"):
        connector_config(**PLAIN, path=file)
