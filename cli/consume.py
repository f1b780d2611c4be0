"""`waybill consume`: Kafka to Parquet to raw."""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Callable
from typing import Any, TypeVar

import click

from cli import ingest
from cli.config import refuse_misfit
from cli.context import Context, json_option, pass_context, print_json, print_table
from cli.serving import Serving, metrics_options, serve
from consumers import process
from consumers.loop import Loop
from consumers.tally import slowest
from operations.metrics.consumer import ConsumerMetrics
from waybill.errors import StaleOwner, UnreachableError
from waybill.stopwatch import Stopwatch

log = logging.getLogger(__name__)

_T = TypeVar("_T")
_WAIT_SECONDS = 3.0
_MOST_FENCED = 20


@click.command()
@click.option("--table", "tables", multiple=True, help="Only this table (source, table or raw name). May be repeated.")
@click.option("--until-caught-up", is_flag=True, help="End when all that stands in Kafka now is loaded.")
@click.option("--member", help="Static id within the consumer group; default: one per consumer of this checkout.")
@metrics_options
@json_option
@pass_context
def consume(
    context: Context, tables: tuple[str, ...], until_caught_up: bool, member: str | None, metrics_host: str,
    metrics_port: int, no_metrics: bool, as_json: bool,
) -> int:  # fmt: skip
    """Carry events from Kafka into the raw tables, until it is stopped.

    May be killed at any moment: it goes on where the warehouse stands. Metrics are served while it runs, but not
    with --until-caught-up. Example: waybill consume --until-caught-up
    """
    began = time.monotonic()
    stopping: list[bool] = []

    def stop(_signal: int, _frame: Any) -> None:
        stopping.append(True)
        if running:
            running[0].finished.set()

    running: list[Loop] = []
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    refuse_misfit(context)
    process.prepare()
    chosen = ingest.to_consume(context.pipeline, tables)
    slot = ingest.Slot(context.root) if member is None and not until_caught_up else None
    if slot is not None:
        member = slot.member
    serving = Serving(metrics_host, metrics_port, on=not (no_metrics or until_caught_up))
    fenced = 0
    with serve(context, "consume", serving, [ConsumerMetrics(lambda: running[0] if running else None)]):
        while True:
            loop = _patiently(lambda: ingest.loop(context, chosen, member), stopping)
            if loop is None:
                return 0
            running[:] = [loop]
            try:
                if not stopping:
                    loop.run(until_caught_up)
                return _report(loop, time.monotonic() - began, as_json)
            except StaleOwner as error:
                # When a broker dies while this member joins again, Kafka may take its earlier self for another. Nobody
                # else can have the name: it goes with the slot's lock.
                fenced += 1
                if slot is None or fenced > _MOST_FENCED:
                    raise
                log.warning("joins its group anew: %s", error.what)


def _patiently(build: Callable[[], _T], stopping: list[bool]) -> _T | None:
    """Wait for the services to answer. Wrong settings end at once; None when told to stop."""
    while not stopping:
        try:
            return build()
        except UnreachableError as error:
            log.warning("waits to begin: %s", error)
            time.sleep(_WAIT_SECONDS)
    return None


def _times(loop: Loop, slow: str) -> str:
    """Where the time went, in one line."""
    total = Stopwatch(time.monotonic)
    for carried in loop.carried.values():
        total.add(carried.tally.work)
    stages = {"poll": loop.budget.poll, **total.spent}
    said = ", ".join(f"{stage} {spent.wall:.1f}" for stage, spent in stages.items())
    return f"seconds of work by stage: {said}{f'; most was waited for {slow}' if slow else ''}"


def _report(loop: Loop, seconds: float, as_json: bool) -> int:
    """What was done; 4 when a table is stopped."""
    done = [
        {
            "table": carried.stream.name, **carried.tally.shown(),
            "stopped": str(carried.stopped) if carried.stopped else None,
        }
        for carried in loop.carried.values()
    ]  # fmt: skip
    slow = slowest({carried.stream.name: carried.tally for carried in loop.carried.values()})
    log.info("%s", _times(loop, slow))
    stopped = [one["stopped"] for one in done if one["stopped"]]
    if as_json:
        print_json({"seconds": round(seconds, 3), "loop": loop.budget.shown(), "slowest": slow, "tables": done})
    else:
        header = ["table", "rows", "batches", "loads", "dead letters", "bytes"]
        rows = [
            [one["table"], one["rows"], one["batches"], one["loads"], one["dead_letters"], one["bytes"]] for one in done
        ]
        print_table(f"Loaded in {seconds:.1f} s", header, rows)
        for text in stopped:
            click.echo(text)
    return 4 if stopped else 0
