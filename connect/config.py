"""The connector's settings as Kafka Connect takes them: `mysql-source.json` with the pipeline's values filled in.

The file holds no address and no secret: those stand as `${env:NAME}`, and the Connect worker reads them from its
own environment.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from waybill.errors import SettingsError

SETTINGS_FILE = Path(__file__).with_name("mysql-source.json")

_PLACE = re.compile(r"(?<!\$)\{([a-z_]+)\}")


def connector_config(
    *,
    name: str,
    prefix: str,
    tables: Sequence[str],
    heartbeat: str,
    signal: str,
    server_id: int,
    partitions: int,
    path: Path = SETTINGS_FILE,
) -> dict[str, str]:
    """Every setting of the connector `name`, as text.

    `tables`, `heartbeat` and `signal` are `database.table`; data topics get `partitions`, the others one. The order
    of `tables` does not matter. Raises SettingsError for a table without database, or a placeholder in the file that
    has no value.
    """
    for table in (*tables, heartbeat, signal):
        if not all(part for part in table.split(".")) or table.count(".") != 1:
            raise SettingsError(f"{table!r} is not a table of the source", todo="name it database.table")
    captured = sorted({*tables, heartbeat})
    values = {
        "name": name,
        "prefix": prefix,
        "prefix_pattern": re.escape(prefix),
        "databases": ",".join(sorted({re.escape(table.split(".")[0]) for table in (*captured, signal)})),
        "tables": ",".join(re.escape(table) for table in captured),
        "heartbeat_quoted": _quoted(heartbeat),
        "heartbeat_topic_pattern": re.escape(f"{prefix}.{heartbeat}"),
        "signal": signal,
        "signal_topic_pattern": re.escape(f"{prefix}.{signal}"),
        "server_id": str(server_id),
        "partitions": str(partitions),
    }
    return {key: _filled(key, text, values) for key, text in json.loads(path.read_text()).items()}


def _quoted(table: str) -> str:
    return ".".join(f"`{part.replace('`', '``')}`" for part in table.split("."))


def _filled(key: str, text: str, values: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        if match.group(1) not in values:
            raise SettingsError(
                f"{SETTINGS_FILE.name}: {key}: there is no value for {match.group(0)}",
                todo=f"use one of {', '.join('{' + known + '}' for known in sorted(values))}",
            )
        return values[match.group(1)]

    return _PLACE.sub(value, text)
