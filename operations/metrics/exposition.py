"""`/metrics` of one process: collectors asked at every scrape, served on a port of its own."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Protocol

from prometheus_client import CollectorRegistry, ProcessCollector, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.core import Metric as Family
from prometheus_client.registry import Collector as ClientCollector

from operations.metrics.targets import Target
from waybill import __version__
from waybill.errors import SettingsError
from waybill.metrics import BUILD, Metric, Sample

log = logging.getLogger(__name__)


class Collector(Protocol):
    """Something that tells samples. Asked on the server's thread: it must not wait for anything."""

    def samples(self) -> Iterable[Sample]:
        """What is known now."""


class Build:
    """Which version runs."""

    def samples(self) -> Iterable[Sample]:
        return [Sample(BUILD, (__version__,), 1)]


class Told(ClientCollector):
    """waybill's collectors as one of the client library's. One that fails is left out and said in the log once."""

    def __init__(self, collectors: Sequence[Collector]) -> None:
        self._collectors = collectors
        self._failed: set[int] = set()

    def describe(self) -> Iterable[Family]:
        """Nothing beforehand: the library would else collect at registration."""
        return []

    def collect(self) -> Iterator[Family]:
        families: dict[str, GaugeMetricFamily | CounterMetricFamily] = {}
        for number, collector in enumerate(self._collectors):
            try:
                found = list(collector.samples())
            except Exception:  # a scrape must never end in an error page
                if number not in self._failed:
                    self._failed.add(number)
                    log.exception("metrics of %s cannot be told", type(collector).__name__)
                continue
            for sample in found:
                family = families.setdefault(sample.metric.name, _family(sample.metric))
                family.add_metric(sample.labels, sample.value)
        yield from families.values()


def _family(metric: Metric) -> GaugeMetricFamily | CounterMetricFamily:
    if metric.type == "counter":
        return CounterMetricFamily(metric.name, metric.meaning, labels=metric.labels)
    return GaugeMetricFamily(metric.name, metric.meaning, labels=metric.labels)


class Exposition(AbstractContextManager["Exposition"]):
    """Serves `/metrics` inside `with`, and says where in the target's file for as long as it does.

    `port` 0 takes a free one. Raises `SettingsError` when the address cannot be listened on.
    """

    def __init__(self, collectors: Sequence[Collector], host: str, port: int, target: Target) -> None:
        registry = CollectorRegistry()
        registry.register(Told([Build(), *collectors]))
        ProcessCollector(registry=registry)
        try:
            self._server, self._thread = start_http_server(port, host, registry)
        except OSError as error:
            raise SettingsError(
                f"metrics cannot be served on {host}:{port}: {error.strerror or error}",
                kept="nothing was started", todo="--metrics-port 0 takes a free port",
            ) from error  # fmt: skip
        self.host, self.port = host, self._server.server_port
        self._target = target
        target.write(self.host, self.port)
        log.info("metrics of %s on http://%s:%d/metrics", target.process, self.host, self.port)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._target.remove()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
