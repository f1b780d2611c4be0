"""`waybill status`: one screen of where everything stands."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from cli import ingest
from cli.context import Context, json_option, pass_context, print_json, print_table
from cli.letters_chosen import desk_of
from cli.services import parts
from consumers.lag import PartitionLag
from consumers.lag import lag as lag_of
from operations import state
from operations.cut import Cut, read_cut
from operations.dead_letters.counts import LetterCounts, count
from operations.needs import words
from operations.offsets.coverage import Gap
from operations.offsets.open_gaps import open_gaps
from operations.status import Sources, Status, gather
from operations.status import connector as read_connector
from warehouse.session import Session
from waybill.clock import utc_now


@click.command()
@json_option
@pass_context
def status(context: Context, as_json: bool) -> int:
    """Where everything stands: processes, connector, lag, last cycle, the cut's age, what is stopped.

    Exit 0 all is well, 1 something needs a person. Example: waybill status
    """
    found = gather(_sources(context), utc_now())
    if as_json:
        print_json(_plain(found))
    else:
        _print(found)
    return 1 if found.needs else 0


def _sources(context: Context) -> Sources:
    def lag() -> list[PartitionLag]:
        store = ingest.raw_store(context)
        try:
            return lag_of(ingest.streams(context.pipeline), ingest.topics(context), store)
        finally:
            store.close()

    def cut() -> Cut:
        with Session(context.addresses.warehouse, "status", statement_seconds=30) as session:
            return read_cut(session, utc_now())

    def gaps() -> list[Gap]:
        with Session(context.addresses.warehouse, "status", statement_seconds=30) as session:
            return open_gaps(session)

    def letters() -> LetterCounts:
        with desk_of(context) as desk:
            return count(desk, [entry.source for entry in context.pipeline.marts])

    return Sources(
        run=state.read(context.root),
        connector=lambda: read_connector(context.addresses.connect.url, context.pipeline.source.connector),
        lag=lag,
        cut=cut,
        schedule=context.pipeline.commit.schedule,
        gaps=gaps,
        letters=letters,
        parts=parts(context),
    )


def _plain(found: Status) -> dict[str, Any]:
    run = found.run
    return {
        "ok": not found.needs,
        "run": None if run is None else {"running": run.runs, "since": run.since, "pid": run.identity.pid},
        "processes": [asdict(p) | {"running": p.runs} for p in run.processes] if run else [],
        "connector": found.connector,
        "lag": None if found.lag is None else {t.table: t.messages for t in found.lag},
        "cut": None if found.cut is None else asdict(found.cut),
        "dead_letters": None if found.letters is None else asdict(found.letters),
        "needs": [asdict(n) for n in found.needs],
    }


def _print(found: Status) -> None:
    _print_processes(found)
    if found.lag is not None:
        print_table("\nLag in messages", ["table", "partitions", "lag", "note"], [
            [t.table, t.partitions, "?" if t.messages is None else t.messages, "; ".join(t.notes)] for t in found.lag
        ])  # fmt: skip
    if found.cut is not None:
        _print_cut(found.cut)
    click.echo()
    if not found.needs:
        click.echo(click.style("all is well", fg="green"))
    for need in found.needs:
        kept = f"\n  not lost: {need.kept}" if need.kept else ""
        click.echo(f"{click.style('needs a look:', fg='red')} {need.what}{kept}\n  what to do: {need.todo}")


def _print_processes(found: Status) -> None:
    rows: list[list[Any]] = []
    run = found.run
    if run is not None and run.runs:
        rows.append(["run", "running", str(run.identity.pid), run.since, "", ""])
        rows += [
            [p.name, p.state if p.runs or not p.identity else "ended", str(p.identity.pid) if p.identity else "",
             p.since, p.restarts, f"next at {p.next_at}" if p.next_at else ""]
            for p in run.processes
        ]  # fmt: skip
    else:
        rows.append(["run", "not running here", "", "", "", "waybill run starts consumers and committer"])
    if found.connector is not None:
        tasks = ", ".join(f"task {t.lower()}" for t in found.connector["tasks"])
        rows.append(["connector", found.connector["state"].lower(), "", "", "", tasks])
    print_table("Processes", ["name", "state", "process", "since (UTC)", "restarts", "note"], rows)


def _print_cut(cut: Cut) -> None:
    last = cut.last
    at = "none yet" if cut.age is None else f"{words(cut.age)} ago (cycle {cut.cycle}, {cut.cut_at} UTC)"
    rows = [
        ["cut", at],
        ["GTID set", cut.gtid_set or "-"],
        ["consistent", "yes" if cut.consistent else "no" + (f", without {cut.tables_out}" if cut.tables_out else "")],
        ["open exceptions", str(cut.open_exceptions)],
    ]
    if last:
        what = (
            f"{last['status']} at {last['finished_at']:%Y-%m-%d %H:%M:%S} UTC, {last['transactions']:,} transactions, "
        )
        rows.insert(1, ["last cycle", what + f"{last['rows_applied']:,} rows applied"])
        if last["waiting_for"]:
            rows.insert(2, ["the cut waits", last["waiting_for"]])
    click.echo(click.style("\nMarts", italic=True))
    for name, text in rows:
        click.echo(f"{name:<16} {text}")
