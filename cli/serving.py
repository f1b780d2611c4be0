"""`/metrics` of the long-lived commands: their options, and what each of them tells."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from cli import ingest
from cli.context import Context
from connect.rest import ConnectRest
from consumers.lag import PartitionLag
from consumers.lag import lag as lag_of
from consumers.next_messages import NextMessages
from consumers.topic_retention import retention
from operations.metrics.exposition import Collector, Exposition
from operations.metrics.of_kafka import KafkaLook
from operations.metrics.of_source import binlog, connector
from operations.metrics.of_warehouse import Marts, OnSession, loads
from operations.metrics.targets import Target
from operations.metrics.watch import Part, Watch
from warehouse.session import Session
from waybill.clock import SystemClock

_F = TypeVar("_F", bound=Callable[..., Any])
_HOST = "127.0.0.1"
_STATEMENT_SECONDS = 20.0
_REQUEST_SECONDS = 10.0


@dataclass(frozen=True)
class Serving:
    """Where metrics are served; `on` False: nowhere."""

    host: str = _HOST
    port: int = 0
    on: bool = True

    def for_children(self) -> list[str]:
        """The options of processes that serve beside this one: each on a free port of its own."""
        if not self.on:
            return ["--no-metrics"]
        return [] if self.host == _HOST else ["--metrics-host", self.host]


def metrics_options(function: _F) -> _F:
    """`--metrics-host`, `--metrics-port`, `--no-metrics`."""
    for option in (
        click.option("--no-metrics", is_flag=True, help="Serve no metrics."),
        click.option(
            "--metrics-port", type=click.IntRange(0, 65535), default=0, show_default=True,
            help="Serve /metrics there; 0: a free port, written to .waybill/run/metrics/ for Prometheus.",
        ),
        click.option("--metrics-host", default=_HOST, show_default=True, help="Address to serve /metrics on."),
    ):  # fmt: skip
        function = option(function)
    return function


@contextmanager
def serve(
    context: Context, kind: str, serving: Serving, collectors: Sequence[Collector], watch: bool = False
) -> Iterator[None]:
    """Serve the metrics of this process inside `with`; `watch` adds what the services say.

    Raises `SettingsError` when the port is taken.
    """
    if not serving.on:
        yield
        return
    with ExitStack() as stack:
        looking = [stack.enter_context(Watch(_parts(context), SystemClock()))] if watch else []
        target = Target(context.root, kind, context.pipeline.source.topic_prefix)
        stack.enter_context(Exposition([*collectors, *looking], serving.host, serving.port, target))
        yield


def _parts(context: Context) -> list[Part]:
    where, pipeline, clock = context.addresses, context.pipeline, SystemClock()
    streams, kafka = ingest.streams(pipeline), where.kafka.bootstrap
    store, topics, reader = ingest.raw_store(context), ingest.topics(context), NextMessages(kafka)

    def lag() -> list[PartitionLag]:
        return lag_of(streams, topics, store)

    def session() -> Session:
        return Session(where.warehouse, "metrics", statement_seconds=_STATEMENT_SECONDS)

    def rest() -> ConnectRest:
        return ConnectRest(where.connect.url, seconds=_REQUEST_SECONDS)

    name = pipeline.source.connector
    return [
        Part("lag", KafkaLook(lag, reader.times, lambda names: retention(kafka, names), clock), clock),
        Part("loads", OnSession(session, loads(streams)), clock),
        Part("marts", OnSession(session, Marts()), clock),
        Part("connector", lambda: connector(rest, name), clock),
        Part("binlog", lambda: binlog(rest, name, where.mysql, clock), clock),
    ]
