"""`waybill reconcile`: the marts against MySQL at the cut's GTID set."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

import click
from pydantic import SecretStr

from checks import reconcile as proof
from checks import report
from checks.catalogue import Subject
from cli import ingest
from cli.context import Context, json_option, pass_context, print_json, print_table
from loaders.decisions import reconciled
from warehouse.session import Session
from waybill.addresses import Mysql
from waybill.clock import SystemClock
from waybill.errors import SettingsError
from waybill.raw import MART_SCHEMA

_EXAMPLES = """
\b
Examples:
  waybill reconcile
  waybill reconcile --table ecs_order_info --limit 100
  waybill reconcile --mysql-host replica.internal --mysql-port 3307   a replica stopped at the cut
"""


@click.command(epilog=_EXAMPLES)
@click.option("--table", "tables", multiple=True, help="Only this table; may be given several times.")
@click.option("--buckets", type=click.IntRange(1, 1_000_000), help="Groups of keys; default: about 1,000 rows each.")
@click.option(
    "--limit", type=click.IntRange(0), default=20, show_default=True, help="Differences shown; all are counted."
)
@click.option(
    "--wait", type=click.FloatRange(0), default=8, show_default=True,
    help="Seconds to wait for END records that tell what transactions beyond the cut touched.",
)  # fmt: skip
@click.option("--mysql-host", help="Compare with this server instead of the source.")
@click.option("--mysql-port", type=click.IntRange(1, 65535), help="Its port.")
@click.option("--mysql-user", help="Its user; default: the source's.")
@click.option("--mysql-password-env", metavar="NAME", help="Environment variable that holds its password.")
@json_option
@pass_context
def reconcile(
    context: Context, tables: tuple[str, ...], buckets: int | None, limit: int, wait: float,
    mysql_host: str | None, mysql_port: int | None, mysql_user: str | None, mysql_password_env: str | None,
    as_json: bool,
) -> int:  # fmt: skip
    """Prove that the marts equal MySQL at one binlog position.

    Counts, checksums and, where they differ, every key and column. Both databases make the text of each column
    by themselves, without the pipeline's code. Exit 0 equal, 1 different, 4 MySQL is not at the cut.
    """
    mysql = _other_server(context.addresses.mysql, mysql_host, mysql_port, mysql_user, mysql_password_env)
    result = proof.prove(
        mysql,
        context.addresses.warehouse,
        _subjects(context, tables),
        proof.Options(buckets=buckets or 0, limit=limit, wait_seconds=wait),
        SystemClock(),
        _say if sys.stderr.isatty() else lambda _: None,
    )
    left = _marks_left(context, result)
    _keep(context, result)
    if as_json:
        print_json({**report.plain(result), "to_be_read_again": left})
    else:
        _print(result)
        for table, why in left.items():
            click.echo(f"{table} is still to be read again: {why}")
    return 0 if result.equal and not left else 1


def _marks_left(context: Context, result: proof.Proof) -> dict[str, str]:
    """Ends the marks of tables that were found equal at or after what they are marked for; the others, with why."""
    changes = ingest.source_changes(context)
    try:
        found = {t.source: changes.proved(t.source, result.cut.gtid_set if t.equal else None) for t in result.tables}
    finally:
        changes.close()
    return {table: "; ".join(why) for table, why in found.items() if why}


def _keep(context: Context, result: proof.Proof) -> None:
    """Tables that are equal have nothing left to be reconciled of letters dropped before the cut."""
    equal = [table.source for table in result.tables if table.equal]
    if result.cut.at is not None and equal:
        # Before `waybill schema apply` made the table there are no decisions to mark.
        with suppress(SettingsError), Session(context.addresses.warehouse, "reconcile") as session:
            reconciled(session, equal, result.cut.at)


def _subjects(context: Context, tables: tuple[str, ...]) -> list[Subject]:
    entries = [context.pipeline.table(name) for name in tables] if tables else context.pipeline.marts
    without = [e.source for e in entries if not e.mart]
    if without:
        raise SettingsError(f"{without[0]} has no mart, so there is nothing to compare")
    return [Subject(e.source, MART_SCHEMA, e.mart.name) for e in entries if e.mart]


def _other_server(
    source: Mysql, host: str | None, port: int | None, user: str | None, password_env: str | None
) -> Mysql:
    changed: dict[str, object] = {
        key: value for key, value in (("host", host), ("port", port), ("user", user)) if value is not None
    }
    if password_env is not None:
        if password_env not in os.environ:
            raise SettingsError(f"--mysql-password-env {password_env}: that variable is not set")
        changed["password"] = SecretStr(os.environ[password_env])
    return source.model_copy(update=changed)


def _say(text: str) -> None:
    click.echo(text, err=True)


def _print(result: proof.Proof) -> None:
    title = f"cycle {result.cut.cycle}, cut of {result.cut.at} UTC, against {result.where}"
    header = ["table", "rows in MySQL", "rows in the mart", "checksum MySQL", "checksum mart", "verdict", "took"]
    print_table(title, header, list(report.summary(result)))
    for table in result.tables:
        for difference in table.shown:
            click.echo(report.lines(difference))
        hidden = sum(table.by_kind.values()) - len(table.shown)
        if hidden:
            click.echo(f"{table.source}: {hidden:,} more differences; --limit shows more of them")
        if table.respelled:
            click.echo(
                f"{table.source}: {table.respelled:,} rows hold numbers that the two databases spell differently,"
                " so the checksums differ; read one by one, their values are equal"
            )
    if result.note:
        click.echo(result.note)
    click.echo(f"at GTID set {result.cut.gtid_set}")
    click.echo("equal: every row and column" if result.equal else f"{result.differences:,} differences")
