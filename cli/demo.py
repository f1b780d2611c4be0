"""`waybill demo`: the main job from end to end on the local stack, proven at the end."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import pymysql
from psycopg2.sql import SQL

from cli.context import Context, pass_context, print_table
from cli.stages import LOGS, STOP_SECONDS, Stages, background, still_runs
from committer.commit import Committer
from committer.cycle import snapshot_waits
from committer.summary import Summary
from operations import state
from warehouse.session import Session
from warehouse.statements import table
from waybill.addresses import Addresses, Mysql
from waybill.errors import RefusedError, WaybillError
from waybill.gtid import GtidSet
from waybill.raw import RAW_SCHEMA, ledger_table

_SNAPSHOT_SECONDS = 900
_DRAIN_SECONDS = 180
# The data begin this long ago, so that rows age, come back and leave while one looks on.
_BACK = timedelta(days=243)


@contextmanager
def _consumer(root: Path) -> Iterator[subprocess.Popen[bytes] | None]:
    """A consumer for the length of the demo; None where `waybill run` has one already."""
    running = state.read(root)
    if running is not None and running.runs:
        click.echo(f"      waybill run (process {running.identity.pid}) consumes already")
        yield None
        return
    with background("consume", log="consume") as process:
        yield process


def _cycle(committer: Committer) -> Summary:
    """One cycle; where another committer is at it, the next free moment."""
    deadline = time.monotonic() + STOP_SECONDS
    while True:
        try:
            return committer.cycle()
        except RefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)


def _mysql(address: Mysql) -> pymysql.Connection:
    return pymysql.connect(
        host=address.host, port=address.port, user=address.user, password=address.password.get_secret_value()
    )


def _since(address: Mysql) -> list[str]:
    """The generator's times begin where the data end, when that is a while ago."""
    with closing(_mysql(address)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT MAX(update_time) FROM kuaisong.uni_tracking_info WHERE update_time <= UNIX_TIMESTAMP()")
        row = cursor.fetchone()
    newest = datetime.fromtimestamp(int(row[0]), UTC) if row and row[0] else datetime.now(UTC)
    return ["--from", f"{newest:%Y-%m-%dT%H:%M:%SZ}"] if datetime.now(UTC) - newest > timedelta(days=1) else []


def _executed(address: Mysql) -> GtidSet:
    with closing(_mysql(address)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT @@global.gtid_executed")
        row = cursor.fetchone()
    return GtidSet.parse(str(row[0]) if row else "")


def _say(summary: Summary, until: str = "") -> None:
    seconds = sum(summary.seconds.values())
    cut = f"{summary.cut_at:%H:%M:%S}" if summary.cut_at else "none yet"
    wait = f"; waits: {summary.waiting[0]}" if summary.waiting else ""
    click.echo(
        f"      cycle {summary.cycle}: {summary.transactions:,} transactions, {summary.rows_applied:,} rows applied,"
        f" cut at {cut}, {seconds:.2f} s{wait}{until}"
    )


def _await_snapshot(context: Context, committer: Committer, consume: subprocess.Popen[bytes] | None) -> Summary:
    """Wait for the first snapshot, saying how much of it has arrived, then one cycle applies it."""
    deadline = time.monotonic() + _SNAPSHOT_SECONDS
    marts = context.pipeline.marts
    total = _rows_at_source(context.addresses.mysql, [entry.source for entry in marts])
    said = -1
    with Session(context.addresses.warehouse, "demo") as session:
        while not _has_cut(session):
            still_runs(consume, "consume")
            if snapshot_waits(session):
                summary = _cycle(committer)
                _say(summary)
                if summary.gtid_set:
                    return summary
            loaded = _rows_in_raw(session, [entry.raw for entry in marts])
            if loaded != said:
                said = loaded
                click.echo(f"      {loaded:,} of {total:,} rows are in raw")
            if time.monotonic() > deadline:
                raise WaybillError(
                    f"the first snapshot did not arrive within {_SNAPSHOT_SECONDS} s: {loaded:,} of {total:,} rows",
                    kept="what is in raw; `make demo` again goes on from here",
                    todo="waybill status",
                )
            time.sleep(2)
    click.echo("      the first snapshot is in the marts already")
    return _cycle(committer)


def _has_cut(session: Session) -> bool:
    row = session.row("SELECT gtid_set FROM settlement_ods.as_of")
    return bool(row and row["gtid_set"])


def _rows_in_raw(session: Session, raws: Sequence[str]) -> int:
    """By the ledgers."""
    total = 0
    for raw in raws:
        ledger = table(RAW_SCHEMA, ledger_table(raw))
        row = session.row(SQL("SELECT coalesce(sum(row_count), 0) AS n FROM {}").format(ledger))
        total += int(row["n"]) if row else 0
    return total


def _rows_at_source(address: Mysql, tables: Sequence[str]) -> int:
    with closing(_mysql(address)) as connection, connection.cursor() as cursor:
        total = 0
        for name in tables:
            cursor.execute("SELECT count(*) FROM {}".format(".".join(f"`{part}`" for part in name.split("."))))
            row = cursor.fetchone()
            total += int(row[0]) if row else 0
    return total


def _drain(committer: Committer, consume: subprocess.Popen[bytes] | None, goal: GtidSet) -> list[Summary]:
    """Cycles until the cut holds everything that MySQL had executed when the writing stopped."""
    deadline = time.monotonic() + _DRAIN_SECONDS
    done: list[Summary] = []
    while True:
        still_runs(consume, "consume")
        summary = _cycle(committer)
        done.append(summary)
        left = (goal - GtidSet.parse(summary.gtid_set)).count()
        _say(summary, f"; {left:,} transactions to go" if left else "; all of MySQL is in the marts")
        if not left:
            return done
        if time.monotonic() > deadline:
            raise WaybillError(
                f"{left:,} transactions did not reach the marts in {_DRAIN_SECONDS} s", todo="waybill status"
            )
        time.sleep(1)


@click.command()
@click.option("--orders", default=50_000, show_default=True, envvar="ORDERS", help="Orders to seed.")
@click.option("--rate", default=100, show_default=True, help="What the generator writes a second.")
@click.option("--seconds", default=15, show_default=True, help="How long it writes while cycles run.")
@click.option("--pause", default=2.0, show_default=True, help="Seconds between the cycles meanwhile.")
@pass_context
def demo(context: Context, orders: int, rate: int, seconds: int, pause: float) -> None:
    """Seed MySQL, stream, load, commit while it is written to, and prove that the marts equal it.

    Can be interrupted and run again at any point; on a running stack it goes on with its data.

    Example: waybill demo --orders 5000
    """
    began = time.monotonic()
    stages = Stages()
    with stages.stage("Start the stack: MySQL, Kafka, registry, Connect, S3, warehouse"):
        stages.run("stack", "up")
    context.__dict__.pop("addresses", None)
    addresses = context.addresses
    with stages.stage(f"Seed MySQL with {orders:,} orders as of eight months ago, their tracking rows and path events"):
        stages.run("seed", "--orders", str(orders), "--now", f"{datetime.now(UTC) - _BACK:%Y-%m-%dT%H:%M:%SZ}")
    with stages.stage("Make raw tables, ledgers and marts"):
        stages.run("schema", "apply")
    with _consumer(context.root) as consume:
        with stages.stage("Start the connector; the consumer above writes Parquet and loads it"):
            stages.run("connect", "apply")
        with stages.stage("First snapshot: Debezium, Kafka, Parquet on S3, COPY, the first cycle"):
            from cli.commit import build

            committer = build(context)
            first = _await_snapshot(context, committer, consume)
        cycles: list[Summary] = []
        with (
            stages.stage(f"Commit cycles while the generator writes for {seconds} s what happened since then"),
            background(
                "generate",
                "--rate",
                str(rate),
                "--seconds",
                str(seconds),
                *_since(addresses.mysql),
                "--json",
                log="generate",
            ) as generate,
        ):
            while generate.poll() is None:
                still_runs(consume, "consume")
                cycles.append(_cycle(committer))
                _say(cycles[-1])
                time.sleep(pause)
            if generate.returncode:
                still_runs(generate, "generate")
        with stages.stage("The writing has stopped: cycles until the marts hold all of it"):
            cycles += _drain(committer, consume, _executed(addresses.mysql))
        with stages.stage("Prove that the three marts, with their history, equal MySQL at that binlog position"):
            stages.run("reconcile")
    with stages.stage("What was done"):
        _report(context, addresses, stages, [first, *cycles])
    click.secho(f"\nProven: marts and history equal MySQL at {cycles[-1].gtid_set}", fg="green", bold=True)
    click.echo(
        f"{time.monotonic() - began:.0f} s in all. The stack stays up; `make down` stops it, `make clean` removes it."
    )


def _written() -> str:
    """The generator's own summary, one line."""
    path = LOGS / "generate.log"
    for line in reversed(path.read_text(errors="replace").splitlines() if path.exists() else []):
        if line.startswith("{"):
            found = json.loads(line)
            return ", ".join(f"{k} {v:,}" for k, v in found.items() if isinstance(v, int))
    return "see .waybill/run/generate.log"


def _say_places(cycles: Sequence[Summary]) -> None:
    """What became of rows that aged, came back or could not be placed."""
    names = {
        "archived": "put into a half-year's history",
        "trimmed": "taken out of the mart once they stood there",
        "returned": "back from history into the mart",
        "corrected": "replaced in history",
        "gaps": "kept in the mart: no half-year for their event time",
        "future": "kept in the mart: dated in the future",
    }
    rows = [
        [
            name,
            *(
                sum(getattr(m, name) for s in cycles for m in s.marts if m.mart == mart.mart)
                for mart in cycles[-1].marts
            ),
            what,
        ]
        for name, what in names.items()
    ]
    print_table("Rows that did not simply stay", ["", *(m.mart for m in cycles[-1].marts), "what that is"], rows)


def _report(context: Context, addresses: Addresses, stages: Stages, cycles: Sequence[Summary]) -> None:
    print_table("Stages", ["stage", "seconds"], [[title, round(took, 1)] for title, took in stages.seconds])
    click.echo(f"\nThe generator wrote: {_written()}")
    done = [s for s in cycles if s.gtid_set]
    click.echo(
        f"{len(done)} cycles applied {sum(s.rows_applied for s in done):,} rows of"
        f" {sum(s.transactions for s in done):,} transactions; {sum(s.rows_older for s in done):,} lost to newer ones"
    )
    _say_places(done)
    warehouse = addresses.warehouse
    click.echo(
        f"\nWhere to look\n"
        f"  psql -h {warehouse.host} -p {warehouse.port} -U {warehouse.user} {warehouse.database}"
        f"     password: waybill stack env\n"
        f"     SELECT * FROM settlement_ods.as_of;  SELECT count(*) FROM settlement_ods.all_ecs_order_info;\n"
        f"  .waybill/stack/   data and logs of every service      .waybill/run/   logs of the background commands\n"
        f"\nWhat to type next (in {os.path.relpath('.venv/bin')})\n"
        f"  waybill status            where everything stands       waybill cycles list     what the cycles did\n"
        f"  waybill run               consumers and committer, for as long as you like\n"
        f"  waybill generate --rate 50 --seconds 60                 waybill commit --once   waybill reconcile"
    )
