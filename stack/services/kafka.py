"""The Kafka broker: one node, broker and controller in one process."""

from __future__ import annotations

import base64
import uuid

from stack import probes
from stack.catalogue import KAFKA
from stack.install.commands import run
from stack.processes import MARK
from stack.services.launch import HOST, Launch, Native, Place, properties
from stack.services.logging import LOG4J_QUIET

HEAP = ("-Xms128m", "-Xmx512m", "-XX:+UseSerialGC")
JAVA = ("-XX:+ExitOnOutOfMemoryError", "-Djava.awt.headless=true")


def java(place: Place, *words: str) -> tuple[str, ...]:
    """A Java command on Kafka's class path; broker and Connect share it."""
    log = place.config("log4j2.properties")
    return (
        str(place.parts.java),
        *words[:-1],
        *JAVA,
        f"-Dlog4j2.configurationFile={log.as_uri()}",
        "-cp",
        f"{place.parts.jars}/kafka/*",
        words[-1],
    )


def _settings(place: Place) -> dict[str, object]:
    client, controller = place.ports["kafka"], place.ports["kafka-controller"]
    return {
        **KAFKA.settings,
        "listeners": f"PLAINTEXT://{HOST}:{client},CONTROLLER://{HOST}:{controller}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{client}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "controller.listener.names": "CONTROLLER",
        "controller.quorum.voters": f"1@{HOST}:{controller}",
        "inter.broker.listener.name": "PLAINTEXT",
        "log.dirs": str(place.data(KAFKA)),
    }


def _launch(place: Place) -> Launch:
    config = place.config("kafka.properties")
    return Launch(
        argv=(*java(place, *HEAP, "kafka.Kafka"), str(config)),
        files={config: properties(_settings(place)), place.config("log4j2.properties"): LOG4J_QUIET},
    )


def _prepare(place: Place) -> None:
    launch = _launch(place)
    launch.write_files()
    if (place.data(KAFKA) / "meta.properties").exists():
        _fence(place, launch)
        return
    run(
        [
            *java(place, "-Xmx128m", "-XX:TieredStopAtLevel=1", "kafka.tools.StorageTool"),
            *("format", "--ignore-formatted", "--cluster-id", _cluster_id()),
            *("--config", place.config("kafka.properties")),
        ],
        what="format Kafka's storage",
        todo="waybill stack down --wipe, then run the command again",
        limit=60,
    )


def _fence(place: Place, launch: Launch) -> None:
    """Says in the metadata of a broker that was killed that it leads nothing: the script tells why."""
    script, port = place.layout.root / "stack/fence-killed-broker.sh", place.ports["kafka-controller"]
    run(
        [
            *(script, place.data(KAFKA), str(port)),
            *java(place, "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "kafka.Kafka"),
        ],
        what="fence the broker that was killed",
        todo="waybill stack up again, or, to begin with empty data, waybill stack down --wipe first",
        env={**launch.full_environment(), MARK: str(place.layout.root)},
        limit=200,
    )


def _cluster_id() -> str:
    """A random UUID as Kafka writes it; never one that looks like an option."""
    while (text := base64.urlsafe_b64encode(uuid.uuid4().bytes).decode()[:22]).startswith("-"):
        pass
    return text


NATIVE = Native(
    service=KAFKA,
    prepare=_prepare,
    launch=_launch,
    probe=lambda place: probes.kafka(place.addresses),
)
