"""Builds what a look at the positions asks: shared by `waybill lag` and `waybill offsets`."""

from __future__ import annotations

import getpass
import socket
from collections.abc import Sequence

from cli import ingest
from cli.context import Context
from consumers.kafka_group import KafkaGroup
from consumers.registry import Registry
from consumers.source_time import SourceTimes
from operations.offsets.look import Parts
from warehouse.session import Session
from waybill.clock import SystemClock


def parts(context: Context, tables: Sequence[str]) -> Parts:
    """Of these tables, all when none is named. Raises `SettingsError` for one that is not carried."""
    where = context.addresses
    return Parts(
        ingest.streams(context.pipeline, tables), ingest.topics(context), group(context),
        SourceTimes(Registry(where.registry.url)), where.kafka.bootstrap,
        lambda: Session(where.warehouse, "offsets", statement_seconds=60), SystemClock(),
    )  # fmt: skip


def group(context: Context) -> KafkaGroup:
    """The group of this pipeline's consumers."""
    name = context.pipeline.consume.group_of(context.pipeline.source.topic_prefix)
    return KafkaGroup(context.addresses.kafka.bootstrap, name)


def who() -> str:
    """Who gives this command, as it is kept in histories."""
    return f"{getpass.getuser()}@{socket.gethostname()}"
