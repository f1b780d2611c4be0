"""`waybill lag`: what is in Kafka and not yet loaded, for a person who looks or keeps looking."""

from __future__ import annotations

import time
from contextlib import nullcontext
from dataclasses import asdict

import click

from cli.context import Context, json_option, pass_context, print_json, print_table, table_of
from cli.looking import parts
from operations.needs import words
from operations.offsets.look import Facts, PartitionView, Parts, follow, show
from waybill.errors import UnreachableError


@click.command()
@click.option("--table", "tables", multiple=True, help="Only this table. May be repeated.")
@click.option("--watch", is_flag=True, help="Look again and again, until Ctrl-C.")
@click.option("--interval", type=click.FloatRange(0.5), default=2.0, show_default=True, help="Seconds between looks.")
@json_option
@pass_context
def lag(context: Context, tables: tuple[str, ...], watch: bool, interval: float, as_json: bool) -> None:
    """Lag in messages and seconds by table and partition, and how it goes. Example: waybill lag --watch

    An offset counts as a message: control records of transactions take some. Seconds are the age of the next message
    that is not loaded. The states are explained in docs/offsets.md. With --watch --json: one object a line.
    """
    asked = parts(context, tables)
    if not watch:
        _say(show(asked, interval, points=False), as_json)
        return
    try:
        _keep_looking(asked, interval, as_json)
    except KeyboardInterrupt:
        return


def _keep_looking(asked: Parts, interval: float, as_json: bool) -> None:
    """On a terminal one screen that is drawn anew, else one table or object after another."""
    from rich.console import Console, Group
    from rich.live import Live

    console = Console()
    live = Live(console=console, screen=True, auto_refresh=False) if console.is_terminal and not as_json else None
    before: Facts | None = None
    views: list[PartitionView] = []
    with live or nullcontext():
        while True:
            trouble = ""
            try:
                views, before = follow(asked, before)
            except UnreachableError as error:
                trouble = str(error)
            if live is not None:
                live.update(Group(table_of(_title(views), _HEADER, _rows(views)), trouble), refresh=True)
            elif trouble:
                click.echo(trouble, err=True)
            else:
                _say(views, as_json)
            time.sleep(interval)


_HEADER = ["table", "partition", "state", "lag", "oldest waits", "position", "last stable", "epoch", "owner", "note"]


def _title(views: list[PartitionView]) -> str:
    return f"Lag: {sum(v.lag or 0 for v in views):,} messages"


def _rows(views: list[PartitionView]) -> list[list[object]]:
    return [
        [v.table, v.partition, v.state, v.lag, None if v.lag_seconds is None else words(v.lag_seconds), v.position,
         v.last_stable, v.epoch, v.owner, v.note]
        for v in views
    ]  # fmt: skip


def _say(views: list[PartitionView], as_json: bool) -> None:
    if as_json:
        left = ("low", "committed", "kafka", "high")
        plain = [{k: v for k, v in asdict(view).items() if k not in left} for view in views]
        seconds = max((v.lag_seconds or 0.0 for v in views), default=0.0)
        print_json({"lag": sum(v.lag or 0 for v in views), "lag_seconds": seconds, "partitions": plain})
        return
    print_table(_title(views), _HEADER, _rows(views))
