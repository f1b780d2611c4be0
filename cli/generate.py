"""`waybill generate`: keep writing to MySQL as a carrier would."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType

import click

from cli.context import Context, dry_run_option, json_option, pass_context, print_json, print_table
from cli.source_options import database_options, databases_of, server_of
from source import seeding, writers
from source.generator import checked_mix
from source.kinds import default_mix
from source.moment import parse_moment
from source.pace import travelling
from source.summary import Summary
from waybill.errors import SettingsError


def parse_mix(ctx: click.Context, param: click.Parameter, value: str | None) -> dict[str, float] | None:
    """`kind=weight,kind=weight`; a kind without a weight has 1."""
    if value is None:
        return None
    mix: dict[str, float] = {}
    for part in value.split(","):
        kind, _, weight = part.strip().partition("=")
        try:
            mix[kind] = float(weight) if weight else 1.0
        except ValueError as error:
            raise click.BadParameter(f"{part!r} is not KIND=WEIGHT; kinds: {', '.join(default_mix())}") from error
    return mix


@click.command()
@click.option(
    "--rate",
    type=click.FloatRange(min=0),
    default=50.0,
    show_default=True,
    help="Row changes a second, over all writers; 0: as fast as it goes.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=0),
    default=0.0,
    show_default=True,
    help="How long; 0: until Ctrl-C or SIGTERM.",
)
@click.option("--seed", "number", type=int, default=1, show_default=True, help="Same seed and tables: same choices.")
@click.option(
    "--mix",
    callback=parse_mix,
    default=None,
    metavar="KIND=WEIGHT,...",
    help="Only these kinds of transactions, by weight.",
)
@click.option(
    "--writers",
    "count",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Connections that write, each to orders of its own.",
)
@click.option(
    "--from", "start", default=None, metavar="TIME", help="Event times begin here and reach now after --seconds."
)
@database_options
@dry_run_option
@json_option
@pass_context
def generate(
    context: Context, rate: float, seconds: float, number: int, mix: dict[str, float] | None, count: int,
    start: str | None, database: str | None, pipeline_database: str, dry_run: bool, as_json: bool,
) -> None:  # fmt: skip
    """Write transactions: new orders, scans, late corrections, deletes, orders that come back, changed keys.

    --rate counts row changes (rows inserted, updated, deleted by committed transactions). Every transaction
    keeps ecs_order_info.order_status equal to uni_tracking_info.state. MySQL may restart meanwhile.

    \b
    Kinds for --mix:
      new_order order_first status double_update reactivate correction late_event nulls oddity one_table
      delete_path delete_order replace change_order_id change_trace_seq multi_row bulk savepoint rollback

    \b
    Examples:
      waybill generate --rate 200 --seconds 60
      waybill generate --rate 0 --seconds 10 --writers 4 --json
      waybill generate --mix status=9,delete_order=1 --rate 20
      waybill generate --from 2026-03-31T00:00:00Z --seconds 120 --rate 500
    """
    chosen = checked_mix(mix)
    clock = _clock(start, seconds)
    connect = server_of(context).connect
    databases = databases_of(context, database, pipeline_database)
    found = seeding.find(connect, databases)
    if not found.rows:
        raise SettingsError(f"{databases.orders} has no orders to write about", todo="waybill seed")
    if dry_run:
        plan = {"dry_run": True, "database": databases.orders, "rate": rate, "seconds": seconds, "mix": chosen}
        if as_json:
            print_json(plan)
        else:
            limit = f"{seconds:g} s" if seconds else "until stopped"
            click.echo(f"Would write to {databases.orders} at {rate:g} row changes/s, {limit}, with {count} writers.")
        return
    stop = threading.Event()

    def handle(number: int, frame: FrameType | None) -> None:
        stop.set()

    for which in (signal.SIGTERM, signal.SIGINT):
        signal.signal(which, handle)
    summary = writers.run(
        connect, databases, rate=rate, seconds=seconds, seed=number, writers=count, mix=chosen, clock=clock, stop=stop,
        progress=_progress(seconds),
    )  # fmt: skip
    if as_json:
        print_json({"database": databases.orders, **summary.plain()})
    else:
        _show(summary, databases.orders)


def _clock(start: str | None, seconds: float) -> Callable[[], float]:
    if start is None:
        return time.time
    if not seconds:
        raise SettingsError("--from needs --seconds: how long the way from there to now takes")
    begin = parse_moment(start, int(time.time()))
    if begin > time.time():
        raise SettingsError(f"--from {start} lies ahead of now")
    return travelling(begin, seconds)


def _progress(seconds: float) -> Callable[[Summary], None]:
    """A line that is written over, on a terminal only."""
    if not sys.stderr.isatty():
        return lambda summary: None

    def show(summary: Summary) -> None:
        left = f", {max(0, seconds - summary.seconds):.0f} s left" if seconds else ""
        click.echo(
            f"\r{summary.row_changes:,} row changes, {summary.committed:,} transactions, "
            f"{summary.row_changes / max(summary.seconds, 0.001):,.0f}/s{left}   ",
            err=True, nl=False,
        )  # fmt: skip

    return show


def _show(summary: Summary, database: str) -> None:
    if sys.stderr.isatty():
        click.echo("", err=True)
    plain = summary.plain()
    rows = [
        (table, *(summary.changes[table, what] for what in ("insert", "update", "delete")))
        for table in sorted({table for table, _ in summary.changes})
    ]
    click.echo(
        f"{database}: {summary.row_changes:,} row changes in {summary.committed:,} transactions, "
        f"{summary.seconds:.1f} s, {plain['row_changes_per_second']}/s; {summary.rolled_back} rolled back, "
        f"{summary.retried} repeated, {summary.reconnects} reconnects"
    )
    print_table("", ("table", "inserted", "updated", "deleted"), rows)
    print_table("", ("kind", "transactions"), sorted(summary.kinds.items(), key=lambda item: -item[1]))
