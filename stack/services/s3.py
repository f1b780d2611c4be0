"""s3proxy, its objects as files."""

from __future__ import annotations

from stack import probes
from stack.catalogue import S3
from stack.services.launch import HOST, Launch, Native, Place, properties
from stack.services.logging import LOGBACK

JAVA = ("-Xms64m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError")


def _launch(place: Place) -> Launch:
    config, log = place.config("s3proxy.properties"), place.config("logback.xml")
    settings = {
        **S3.settings,
        "s3proxy.endpoint": f"http://{HOST}:{place.ports['s3']}",
        "jclouds.filesystem.basedir": str(place.data(S3)),
    }
    return Launch(
        argv=(
            str(place.parts.java),
            *JAVA,
            f"-Dlogback.configurationFile={log.as_uri()}",
            "-cp",
            f"{place.parts.jars}/s3proxy/*",
            "org.gaul.s3proxy.Main",
            "--properties",
            str(config),
        ),
        files={config: properties(settings), log: LOGBACK},
    )


NATIVE = Native(
    service=S3,
    prepare=lambda place: place.data(S3).mkdir(parents=True, exist_ok=True),
    launch=_launch,
    probe=lambda place: probes.s3(place.addresses),
)
