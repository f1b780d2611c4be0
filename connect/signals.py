"""Signals to Debezium through its signalling table. Source: Debezium documentation, "Sending signals"."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from contextlib import closing

import pymysql

from waybill.addresses import Mysql
from waybill.errors import SettingsError, UnreachableError


def read_again(address: Mysql, signal_table: str, tables: Sequence[str]) -> str:
    """Ask for an incremental snapshot of tables, each `database.table`; answers the signal's id.

    Each call is another snapshot. Raises `UnreachableError` when MySQL does not answer, `SettingsError` when it
    refuses the row.
    """
    number = str(uuid.uuid4())
    names = [table.replace(".", r"\.") for table in tables]
    data = json.dumps({"data-collections": names, "type": "incremental"})
    place = ".".join(f"`{part}`" for part in signal_table.split("."))
    try:
        connection = pymysql.connect(
            host=address.host, port=address.port, user=address.user, autocommit=True,
            password=address.password.get_secret_value(), charset="utf8mb4", connect_timeout=10, read_timeout=30,
        )  # fmt: skip
    except pymysql.MySQLError as error:
        raise UnreachableError(
            f"MySQL at {address.host}:{address.port} does not answer: {error}", todo="waybill stack status"
        ) from error
    try:
        with closing(connection), connection.cursor() as cursor:
            cursor.execute(f"INSERT INTO {place} (id, type, data) VALUES (%s, 'execute-snapshot', %s)", (number, data))
    except pymysql.MySQLError as error:
        raise SettingsError(
            f"MySQL refused a row in the signal table {signal_table}: {error}",
            kept="nothing was asked of the connector",
            todo="the user needs INSERT on it; waybill doctor",
        ) from error
    return number
