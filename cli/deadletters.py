"""`waybill deadletters`: bad messages, and what is decided about them."""

from __future__ import annotations

import base64
import getpass
import json
import socket
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import click

from cli import ingest
from cli.context import Context, dry_run_option, json_option, pass_context, print_json, print_table, yes_option
from consumers.bucket import S3Bucket
from consumers.dead_letters.letters import Letters
from consumers.dead_letters.trial import Opened, Trial
from consumers.decoder import FastavroDecoder
from consumers.decoding import Decoding
from consumers.native_decoder import NativeDecoder
from consumers.registry import Registry
from consumers.storing import Storing
from loaders.aside import AsideStore
from loaders.postgres import Postgres
from loaders.read_back import S3Objects
from operations.dead_letters import decide
from operations.dead_letters.desk import OPEN, STATES, Desk, Entry
from operations.dead_letters.redrive import Redrive, Report
from warehouse.session import Session
from waybill.clock import SystemClock
from waybill.errors import RefusedError, SettingsError

_MANY = 10**9
_SHOWN_BYTES = 64 * 1024
reason_option = click.option("--reason", required=True, metavar="TEXT", help="Why; it is kept with the decision.")
_CHOICE = (
    click.option("--table", "tables", multiple=True, help="Only of this table (source, table or raw name)."),
    click.option("--error", metavar="TEXT", help="Only those whose error holds this text."),
    click.option("--since", metavar="TIME", help="Only messages written at or after this time (ISO, UTC)."),
    click.option("--before", metavar="TIME", help="Only messages written before this time (ISO, UTC)."),
)


def choice_options(command: Any) -> Any:
    """The filters that several commands share."""
    for option in reversed(_CHOICE):
        command = option(command)
    return command


@click.group()
def deadletters() -> None:
    """Bad messages that were set aside: see them, redrive them, drop them.

    A letter is called by its origin, TOPIC/PARTITION/OFFSET; a table's name may stand for its topic.
    """


@contextmanager
def desk_of(context: Context) -> Iterator[Desk]:
    """The letters beside their decisions."""
    where, pipeline = context.addresses, context.pipeline
    store = AsideStore(
        lambda: Session(where.warehouse, "dead letters", pipeline.sync.query_seconds),
        S3Objects(ingest.bucket_client(where.s3), where.s3.bucket), Postgres(), SystemClock(),
    )  # fmt: skip
    topic = pipeline.consume.dead_letter_topic(pipeline.source.topic_prefix)
    try:
        yield Desk(Letters(where.kafka.bootstrap, topic), store, ingest.streams(pipeline))
    finally:
        store.close()


def _trial(context: Context) -> Trial:
    schemas = Registry(context.addresses.registry.url)
    return Trial(Decoding(schemas, NativeDecoder(FastavroDecoder()), _MANY), schemas)


@deadletters.command(name="list")
@choice_options
@click.option("--state", type=click.Choice(STATES), help="Only those in this state.")
@click.option("-n", "--last", default=50, show_default=True, type=click.IntRange(0), help="How many are shown.")
@json_option
@pass_context
def list_(
    context: Context, tables: tuple[str, ...], error: str | None, since: str | None, before: str | None,
    state: str | None, last: int, as_json: bool,
) -> int:  # fmt: skip
    """Letters and how they stand; exit 1 when some are open. Example: waybill deadletters list --state open"""
    with desk_of(context) as desk:
        chosen = _chosen(context, desk.entries(), tables, error, since, before)
    chosen = [entry for entry in chosen if state in (None, entry.state)]
    counts = Counter(entry.state for entry in chosen)
    shown = chosen[len(chosen) - min(last, len(chosen)) :]
    if as_json:
        print_json({"letters": len(chosen), "states": counts, "shown": [_plain(entry) for entry in shown]})
    else:
        rows = [
            [
                str(e.letter.origin), e.table, e.message_at, e.state, e.letter.value_size, e.letter.error[:120],
            ]
            for e in shown
        ]  # fmt: skip
        print_table("Dead letters", ["letter", "table", "written (UTC)", "state", "bytes", "error"], rows)
        every = ", ".join(f"{number:,} {name}" for name, number in counts.items())
        click.echo(f"{len(chosen):,} letters{': ' + every if every else ''}" + _hidden(len(chosen) - len(shown)))
    return 1 if counts[OPEN] else 0


@deadletters.command()
@click.argument("letter")
@json_option
@pass_context
def show(context: Context, letter: str, as_json: bool) -> None:
    """One letter: where it came from, its bytes, what can be read of it, why it is refused now.

    Example: waybill deadletters show waybill.kuaisong.ecs_order_info/2/1045
    """
    trial = _trial(context)
    with desk_of(context) as desk:
        entries = desk.named(letter)
        for whole in desk.letters.whole({entry.letter.origin for entry in entries}.__contains__):
            entry = next(one for one in entries if one.letter.origin == whole.origin)
            opened = trial.opened(whole)
            if entry.stream is None:
                now = "its topic is in no table of the pipeline file"
            else:
                now = trial.verdict(entry.stream, whole).error
            found = _plain(entry) | {
                "refused_now": now,
                "row_key": opened.row_key,
                "key": _part(whole.key, opened, "key"),
                "value": _part(whole.value, opened, "value"),
            }
            if as_json:
                print_json(found)
            else:
                _print_letter(found)


@deadletters.command()
@click.argument("letters", nargs=-1)
@choice_options
@click.option("--all", "every", is_flag=True, help="Every open letter that the filters leave.")
@click.option("--reason", default="", metavar="TEXT", help="Why; it is kept with the decision.")
@dry_run_option
@json_option
@pass_context
def redrive(
    context: Context, letters: tuple[str, ...], tables: tuple[str, ...], error: str | None, since: str | None,
    before: str | None, every: bool, reason: str, dry_run: bool, as_json: bool,
) -> int:  # fmt: skip
    """Decode letters as the decoder is now, and load the good ones under their own topic, partition and offset.

    One that is still bad stays and is named (exit 1). Doing it again does nothing; nothing is written to Kafka.
    Example: waybill deadletters redrive --all --table ecs_order_info --reason 'decoder mended'
    """
    where, pipeline, clock = context.addresses, context.pipeline, SystemClock()
    bucket = S3Bucket(ingest.bucket_client(where.s3), where.s3.bucket)
    with desk_of(context) as desk:
        chosen = _wanted(context, desk, letters, every, tables, error, since, before)
        work = Redrive(
            desk, _trial(context), Storing(bucket, pipeline.storage, clock), bucket, pipeline.storage, _who(), reason
        )
        report = work.run(chosen, dry_run, lambda done: _progress(f"{done:,} letters decoded"))
    _told(report, dry_run, as_json)
    return 1 if report.still_bad else 0


@deadletters.command()
@click.argument("letters", nargs=-1)
@choice_options
@click.option("--all", "every", is_flag=True, help="Every open letter that the filters leave.")
@reason_option
@yes_option
@dry_run_option
@json_option
@pass_context
def drop(
    context: Context, letters: tuple[str, ...], tables: tuple[str, ...], error: str | None, since: str | None,
    before: str | None, every: bool, reason: str, yes: bool, dry_run: bool, as_json: bool,
) -> int:  # fmt: skip
    """Give letters up: their events will not be loaded. The letters stay in Kafka, the decision is kept.

    The key of each, or where it is not certain its table, is marked to be reconciled.
    Example: waybill deadletters drop waybill.kuaisong.ecs_order_info/2/1045 --reason 'test message'
    """
    with desk_of(context) as desk:
        chosen = [
            entry
            for entry in _wanted(context, desk, letters, every, tables, error, since, before)
            if entry.state == OPEN
        ]
        made = decide.drops(desk, _trial(context), chosen, _who(), reason)
        if made and not dry_run:
            _ask(f"Drop {len(made)} letters of {', '.join(sorted({d.table for d in made}))}?", yes, as_json)
            decide.record(desk, made)
    found = [
        {"letter": str(d.origin), "table": d.table, "row_key": d.row_key, "to_reconcile": d.to_reconcile} for d in made
    ]
    if as_json:
        print_json({"dropped": 0 if dry_run else len(made), "dry_run": dry_run, "letters": found})
    else:
        print_table("Would be dropped" if dry_run else "Dropped", ["letter", "table", "row", "to reconcile"], [
            list(one.values()) for one in found
        ])  # fmt: skip
        click.echo(f"{len(made):,} letters; then: waybill reconcile" if made else "none of them is open")
    return 0


@deadletters.command(name="set-aside")
@click.argument("message")
@reason_option
@yes_option
@dry_run_option
@json_option
@pass_context
def set_aside(context: Context, message: str, reason: str, yes: bool, dry_run: bool, as_json: bool) -> None:
    """Let the consumer set one message aside whose schema id the registry does not know.

    Only for a damaged message: when the registry lost its schemas, give them back instead. Refused (exit 4) when the
    position has passed it or the registry knows the id.
    Example: waybill deadletters set-aside waybill.kuaisong.ecs_order_info/2/1045 --reason 'bytes of another system'
    """
    with desk_of(context) as desk:
        schemas = Registry(context.addresses.registry.url)
        made, unknown = decide.setting_aside(desk, schemas, context.addresses.kafka.bootstrap, message, _who(), reason)
        if not dry_run:
            _ask(f"{unknown}. Set {made.origin} aside?", yes, as_json)
            decide.record(desk, [made])
    if as_json:
        print_json({"message": str(made.origin), "table": made.table, "why": unknown, "dry_run": dry_run})
    else:
        click.echo(
            f"{unknown}; {made.origin} {'would be' if dry_run else 'is'} set aside when the consumer next comes to it"
        )


def _wanted(
    context: Context, desk: Desk, letters: Sequence[str], every: bool, tables: Sequence[str], error: str | None,
    since: str | None, before: str | None,
) -> list[Entry]:  # fmt: skip
    """The letters that are named, or all that the filters leave."""
    if bool(letters) == every:
        raise SettingsError("name letters (TOPIC/PARTITION/OFFSET), or say --all, with filters if you like")
    found = [entry for name in letters for entry in desk.named(name)] if letters else desk.entries()
    return _chosen(context, found, tables, error, since, before)


def _chosen(
    context: Context, entries: list[Entry], tables: Sequence[str], error: str | None, since: str | None,
    before: str | None,
) -> list[Entry]:  # fmt: skip
    names = {stream.name for stream in ingest.streams(context.pipeline, tables)} if tables else None
    first, end = _time("--since", since), _time("--before", before)
    return [
        entry
        for entry in entries
        if (names is None or entry.table in names)
        and (error is None or error in entry.letter.error)
        and (first is None or entry.message_at >= first)
        and (end is None or entry.message_at < end)
    ]


def _time(option: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise SettingsError(f"{option} {text!r} is no ISO time, such as 2026-11-23T04:00") from error
    return found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found


def _who() -> str:
    return f"{getpass.getuser()}@{socket.gethostname()}"


def _ask(question: str, yes: bool, as_json: bool) -> None:
    if yes:
        return
    if as_json or not sys.stdin.isatty():
        raise RefusedError(question, kept="nothing was decided", todo="add --yes")
    click.confirm(question, abort=True, err=True)


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        click.echo(text, err=True)


def _hidden(number: int) -> str:
    return f"; {number:,} older ones are not shown (-n)" if number else ""


def _plain(entry: Entry) -> dict[str, Any]:
    letter, decision = entry.letter, entry.decision
    return {
        "letter": str(letter.origin), "table": entry.table, "topic": letter.origin.topic,
        "topic_id": letter.origin.topic_id, "partition": letter.origin.partition, "offset": letter.origin.offset,
        "generation": letter.generation, "written_at": entry.message_at, "first_seen": letter.first_seen,
        "copies": letter.copies, "key_bytes": letter.key_size, "value_bytes": letter.value_size,
        "error": letter.error, "state": entry.state,
        "decision": None if decision is None else {
            "decision": decision.decision, "by": decision.by, "reason": decision.reason, "at": decision.at,
            "row_key": decision.row_key, "to_reconcile": decision.to_reconcile, "batch_id": decision.batch_id,
            "reconciled_at": decision.reconciled_at,
        },
    }  # fmt: skip


def _part(data: bytes | None, opened: Opened, name: str) -> dict[str, Any] | None:
    """A key or value: its bytes as hexadecimal digits (the first 64 KiB), and what of it can be read."""
    if data is None:
        return None
    read = opened.key if name == "key" else opened.value
    return {
        "bytes": len(data),
        "hex": data[:_SHOWN_BYTES].hex(),
        "schema_id": int.from_bytes(data[1:5], "big") if len(data) >= 5 and data[0] == 0 else None,
        "readable": None if read is None else json.loads(json.dumps(read.found, default=_bytes)),
        "read_bytes": None if read is None else read.bytes,
        "problem": None if read is None else read.problem,
    }


def _bytes(value: Any) -> str:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else repr(value)


def _print_letter(found: dict[str, Any]) -> None:
    for name, value in found.items():
        if name in ("key", "value") and value is not None:
            click.echo(f"{name}: {value['bytes']:,} bytes, schema id {value['schema_id']}")
            click.echo(f"  {value['hex']}{'...' if value['bytes'] > _SHOWN_BYTES else ''}")
            readable = json.dumps(value["readable"], ensure_ascii=False, indent=1)
            click.echo(f"  readable: {readable}")
            click.echo(f"  {value['problem'] or 'all of it can be read'}")
        elif name == "refused_now":
            click.echo(f"refused now: {value or 'no; waybill deadletters redrive ' + found['letter']}")
        else:
            click.echo(f"{name.replace('_', ' ')}: {'' if value is None else value}")


def _told(report: Report, dry_run: bool, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "redriven": sum(report.redriven.values()), "tables": report.redriven, "dry_run": dry_run,
                "still_bad": {str(origin): text for origin, text in report.still_bad.items()}, "left": report.left,
            }
        )  # fmt: skip
        return
    for table, number in report.redriven.items():
        click.echo(f"{table}: {number:,} letters {'would be' if dry_run else 'were'} loaded")
    for origin, text in report.still_bad.items():
        click.echo(f"still bad: {origin}: {text}")
    for state, number in report.left.items():
        click.echo(f"left as they are: {number:,} {state}")
    if not (report.redriven or report.still_bad or report.left):
        click.echo("there is no such letter")
