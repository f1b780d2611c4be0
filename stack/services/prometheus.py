"""Prometheus: scrapes every waybill process of this checkout, found by the files they write."""

from __future__ import annotations

from pathlib import Path

from stack import probes
from stack.catalogue import PROMETHEUS
from stack.install import prometheus
from stack.install.cache import ensure
from stack.services.launch import HOST, Launch, Native, Place

FILES = Path(__file__).resolve().parent.parent / "monitoring" / "prometheus"
TARGETS = "/etc/waybill/targets/"
"""What prometheus.yml calls the targets' folder; in the container it is mounted there."""


def _prepare(place: Place) -> None:
    ensure(prometheus.piece(), place.layout.cache)
    place.layout.targets.mkdir(parents=True, exist_ok=True)
    place.data(PROMETHEUS).mkdir(parents=True, exist_ok=True)


def _launch(place: Place) -> Launch:
    config, rules = place.config("prometheus.yml"), place.config("rules.yml")
    text = (FILES / "prometheus.yml").read_text()
    return Launch(
        argv=(
            str(prometheus.program(place.layout.cache)),
            f"--config.file={config}",
            f"--storage.tsdb.path={place.data(PROMETHEUS)}",
            f"--web.listen-address={HOST}:{place.ports['prometheus']}",
            *(f"--{name}={value}" for name, value in PROMETHEUS.settings.items()),
        ),
        files={
            config: text.replace(TARGETS, f"{place.layout.targets}/"),
            rules: (FILES / "rules.yml").read_text(),
        },
    )


NATIVE = Native(
    service=PROMETHEUS,
    prepare=_prepare,
    launch=_launch,
    probe=lambda place: probes.prometheus(f"http://{HOST}:{place.ports['prometheus']}"),
)
