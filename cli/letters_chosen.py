"""Which dead letters a command means: by name, or by the filters that all of them share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import click

from cli import ingest
from cli.context import Context
from consumers.dead_letters.letters import Letters
from consumers.dead_letters.trial import Trial
from consumers.decoder import FastavroDecoder
from consumers.decoding import Decoding
from consumers.native_decoder import NativeDecoder
from consumers.registry import Registry
from loaders.aside import AsideStore
from loaders.postgres import Postgres
from loaders.read_back import S3Objects
from operations.dead_letters.desk import Desk, Entry
from warehouse.session import Session
from waybill.clock import SystemClock
from waybill.errors import SettingsError

_MANY = 10**9
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


def trial_of(context: Context) -> Trial:
    schemas = Registry(context.addresses.registry.url)
    return Trial(Decoding(schemas, NativeDecoder(FastavroDecoder()), _MANY), schemas)


def wanted(
    context: Context, desk: Desk, letters: Sequence[str], every: bool, tables: Sequence[str], error: str | None,
    since: str | None, before: str | None,
) -> list[Entry]:  # fmt: skip
    """The letters that are named, or all that the filters leave."""
    if bool(letters) == every:
        raise SettingsError("name letters (TOPIC/PARTITION/OFFSET), or say --all, with filters if you like")
    found = [entry for name in letters for entry in desk.named(name)] if letters else desk.entries()
    return matching(context, found, tables, error, since, before)


def matching(
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
