"""`waybill commit`: the commit cycle, once, by schedule or continuously."""

from __future__ import annotations

import signal
import threading
from collections.abc import Sequence
from dataclasses import asdict

import click

from cli.context import Context, by_whom, json_option, pass_context, print_json
from cli.letters_chosen import desk_of
from cli.mart_counts import print_counts
from cli.raw import trimmer
from cli.serving import Serving, metrics_options, serve
from committer import out, steps
from committer.commit import Committer
from committer.marts import MartTable, standing, targets
from committer.news import News
from committer.schedule import by_cron, continuously
from committer.source import Source
from committer.summary import Summary
from connect.offsets import stored_gtid_set
from operations.dead_letters.desk import OPEN
from operations.metrics.cycles import CycleMetrics
from operations.trim.trimmer import AfterCycles
from warehouse.session import Session
from waybill.clock import SystemClock
from waybill.errors import SettingsError
from waybill.gtid import GtidSet
from waybill.positions import Origin
from waybill.raw import MART_SCHEMA


def marts(context: Context, session: Session) -> list[MartTable]:
    """The declared marts with the columns and history tables they have in the warehouse."""
    found = standing(session, [MartTable(e, e.mart, ()) for e in context.pipeline.marts if e.mart])
    for mart in found:
        if not mart.columns:
            raise SettingsError(f"{MART_SCHEMA}.{mart.mart.name} is not there", todo="waybill schema apply")
    return found


def open_letters(context: Context, table: str) -> list[Origin]:
    """A table's dead letters that nobody redrove or dropped. Raises `UnreachableError`, `SettingsError`."""
    with desk_of(context) as desk:
        return [entry.letter.origin for entry in desk.entries() if entry.table == table and entry.state == OPEN]


def build(context: Context) -> Committer:
    """The committer of this pipeline on these addresses."""
    addresses, pipeline = context.addresses, context.pipeline

    def open_session(name: str) -> Session:
        return Session(addresses.warehouse, name, pipeline.commit.step_seconds)

    source = Source(
        mysql=lambda: addresses.mysql,
        kafka=lambda: addresses.kafka,
        transaction_topic=pipeline.source.transaction_topic,
        stored=lambda: stored_gtid_set(addresses.connect.url, pipeline.source.connector),
        topic_of=lambda name: pipeline.table(name).topic(pipeline.source.topic_prefix),
        letters=lambda name: open_letters(context, name),
    )
    with open_session("commit settings") as session:
        declared = marts(context, session)
    return Committer(open_session, declared, pipeline.commit, source, SystemClock(), pipeline.history)


def print_summary(summary: Summary) -> None:
    """For a person: one table a cycle, then what holds the cut."""
    seconds = sum(summary.seconds.values())
    print_counts(
        f"cycle {summary.cycle} {summary.status}: {summary.transactions:,} transactions, cut at {summary.cut_at} UTC,"
        f" {seconds:.2f} s",
        [asdict(m) for m in summary.marts],
    )
    click.echo(f"GTID set {summary.gtid_set or '(nothing yet)'}")
    for line in summary.waiting:
        click.echo(f"the cut waits: {line}")
    for line in summary.notes:
        click.echo(f"note: {line}")


def print_steps(context: Context, declared: Sequence[MartTable]) -> None:
    """The effective SQL of a cycle, step by step; parameters stay %(named)s."""
    with Session(context.addresses.warehouse, "explain") as session:
        for step in steps.ALL:
            for mart in declared if step.scope else [None]:
                for place in targets(step.scope, mart) if mart else [None]:
                    name = place.table if place else mart.mart.name if mart else ""
                    click.echo(f"\n-- {step.file}{' for ' + name if name else ''}")
                    for statement in steps.effective(step, mart, place):
                        click.echo(session.text_of(statement) + ";")


def gtid_set(text: str) -> GtidSet:
    """Raises `SettingsError` for what is not a GTID set."""
    try:
        return GtidSet.parse(text)
    except ValueError as error:
        raise SettingsError(f"--until: {error}; e.g. 3e11fa47-71ca-11e1-9e33-c80aa9429562:1-57") from error


@click.command()
@click.option("--once", is_flag=True, help="One cycle, then exit (the default).")
@click.option("--schedule", is_flag=True, help="At the ticks of commit.schedule, for ever.")
@click.option("--continuous", is_flag=True, help="A cycle as soon as something was loaded, for ever.")
@click.option(
    "--floor", default=1.0, show_default=True, help="With --continuous: seconds from one cycle's begin to the next's."
)
@click.option("--without", default="", metavar="TABLE", help="Go on without this table from now on; needs --reason.")
@click.option("--with", "back", default="", metavar="TABLE", help="Take a table back that cycles went on without.")
@click.option("--reason", default="", metavar="TEXT", help="Why; kept, and shown to readers as not consistent.")
@click.option("--until", default="", metavar="GTID_SET", help="End the cut exactly there.")
@click.option("--rebuild-places", is_flag=True, help="Look at every row once, with the newest event time found anew.")
@click.option("--explain", is_flag=True, help="Print the cycle's SQL; change nothing.")
@click.option(
    "--watch/--no-watch",
    default=True,
    show_default=True,
    help="Serve lag, cut and retention as metrics too; `waybill run` serves them itself.",
)
@metrics_options
@json_option
@pass_context
def commit(
    context: Context,
    once: bool,
    schedule: bool,
    continuous: bool,
    floor: float,
    without: str,
    back: str,
    reason: str,
    until: str,
    rebuild_places: bool,
    explain: bool,
    watch: bool,
    metrics_host: str,
    metrics_port: int,
    no_metrics: bool,
    as_json: bool,
) -> int:
    """Apply what has arrived in raw to the marts, in one transaction.

    With --schedule and --continuous it serves metrics while it runs, and trims raw after its cycles (waybill raw trim).
    Example: waybill commit --once
    """
    if once + schedule + continuous + explain > 1:
        raise SettingsError("--once, --schedule, --continuous and --explain exclude each other")
    if rebuild_places and (schedule or continuous):
        raise SettingsError("--rebuild-places is for one cycle: leave out --schedule and --continuous")
    bound = gtid_set(until) if until else None
    committer = build(context)
    if explain:
        print_steps(context, committer.marts)
        return 0
    with committer.open_session("commit settings") as session:
        if without:
            names = [mart.source.source for mart in committer.marts]
            out.leave_out(session, context.pipeline.table(without).source, names, reason, by_whom())
        if back:
            out.take_back(session, context.pipeline.table(back).source)

    def show(summary: Summary) -> None:
        if as_json:
            print_json(summary.plain())
        else:
            print_summary(summary)

    trim = AfterCycles(trimmer(context), committer.clock)
    if not (schedule or continuous):
        show(committer.cycle(bound, rebuild_places))
        trim()
        return 0
    told = CycleMetrics(mart.mart.name for mart in committer.marts)

    def report(summary: Summary) -> None:
        show(summary)
        told.add(summary)
        trim()

    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    with serve(context, "commit", Serving(metrics_host, metrics_port, not no_metrics), [told, trim], watch):
        if schedule:
            by_cron(context.pipeline.commit.schedule, lambda: committer.cycle(bound), report, committer.clock, stop)
        else:
            news = News(committer.open_session, committer.marts, committer.clock)
            continuously(floor, news.came, lambda: committer.cycle(bound), report, committer.clock, stop)
    return 0
