"""What `seed` and `generate` share: which MySQL, which databases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from cli.context import Context
from source.databases import Databases, Server


def database_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--database` and `--pipeline-database`."""
    command = click.option(
        "--pipeline-database", default="waybill", show_default=True, help="Database with heartbeat, signal and markers."
    )(command)
    return click.option("--database", default=None, help="Database of the orders; default: WAYBILL_MYSQL_DATABASE.")(
        command
    )


def server_of(context: Context) -> Server:
    """MySQL's address."""
    mysql = context.addresses.mysql
    return Server(mysql.host, mysql.port, mysql.user, mysql.password.get_secret_value())


def databases_of(context: Context, database: str | None, pipeline_database: str) -> Databases:
    """The names to use."""
    return Databases(database or context.addresses.mysql.database, pipeline_database)
