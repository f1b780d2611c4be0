"""The Connect worker, distributed, with Debezium and our converter in its plugin path."""

from __future__ import annotations

from stack import probes
from stack.accounts import worker_environment
from stack.catalogue import CONNECT
from stack.services.kafka import java
from stack.services.launch import HOST, Launch, Native, Place, nothing_to_prepare, properties
from stack.services.logging import LOG4J_QUIET

HEAP = ("-Xms128m", "-Xmx768m", "-XX:+UseParallelGC")


def _launch(place: Place) -> Launch:
    config = place.config("connect.properties")
    bootstrap = str(place.addresses["kafka"]["bootstrap"])
    settings = {
        **CONNECT.settings,
        "bootstrap.servers": bootstrap,
        "listeners": f"http://{HOST}:{place.ports['connect']}",
        "rest.advertised.host.name": HOST,
        "plugin.path": str(place.parts.plugins),
    }
    return Launch(
        argv=(*java(place, *HEAP, "org.apache.kafka.connect.cli.ConnectDistributed"), str(config)),
        environment=worker_environment(
            mysql_host=HOST,
            mysql_port=place.ports["mysql"],
            registry_url=str(place.addresses["registry"]["url"]),
            kafka_bootstrap=bootstrap,
        ),
        files={config: properties(settings), place.config("log4j2.properties"): LOG4J_QUIET},
    )


NATIVE = Native(
    service=CONNECT,
    prepare=nothing_to_prepare,
    launch=_launch,
    probe=lambda place: probes.connect(place.addresses, place.parts.converters),
)
