"""Apicurio Registry on the newer Java, its schemas in a file database."""

from __future__ import annotations

from stack import probes
from stack.catalogue import REGISTRY
from stack.services.launch import HOST, Launch, Native, Place

JAVA = ("-Xms64m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:+ExitOnOutOfMemoryError")


def _launch(place: Place) -> Launch:
    return Launch(
        argv=(
            str(place.parts.newer_java),
            *JAVA,
            "-Djava.util.logging.manager=org.jboss.logmanager.LogManager",
            "-jar",
            str(place.parts.jars / "registry/quarkus-run.jar"),
        ),
        environment={
            **REGISTRY.settings,
            # Survives a kill: the database is not closed by a hook that would not run.
            "APICURIO_DATASOURCE_URL": f"jdbc:h2:file:{place.data(REGISTRY)}/registry;DB_CLOSE_ON_EXIT=FALSE",
            "QUARKUS_HTTP_HOST": HOST,
            "QUARKUS_HTTP_PORT": str(place.ports["registry"]),
            # Else it listens on 9000, on every address of the machine.
            "QUARKUS_MANAGEMENT_HOST": HOST,
            "QUARKUS_MANAGEMENT_PORT": str(place.ports["registry-management"]),
        },
        cwd=place.data(REGISTRY),
    )


NATIVE = Native(
    service=REGISTRY,
    prepare=lambda place: place.data(REGISTRY).mkdir(parents=True, exist_ok=True),
    launch=_launch,
    probe=lambda place: probes.registry(place.addresses),
)
