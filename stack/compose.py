"""The container way: Docker Compose on `docker-compose.yml`, with ports, name and data of this checkout."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from stack import accounts, ports, probes
from stack.catalogue import ALL, DEBEZIUM_VERSION, MONITORING, SERVICES, Service, service
from stack.containers.engine import (
    Container,
    Project,
    engine_obstacle,
    image_is_here,
    inspect,
    pull_obstacle,
)
from stack.containers.memory import resident
from stack.install import converter
from stack.install.cache import locked
from stack.layout import Layout
from stack.progress import Progress
from stack.way import Addresses, ServiceStatus
from waybill.errors import UnreachableError, WaybillError

BUILT_FROM = (f"quay.io/debezium/connect:{DEBEZIUM_VERSION}", "maven:3.9-eclipse-temurin-17")
UP_SECONDS = 600
PROBE_SECONDS = 90.0
RECOVER_SECONDS = 120.0
HEALTHY_TRIES = 3  # of `up` that fails though nothing is unhealthy
PAUSE = 0.3
VARIABLES = {each.port.name: f"WAYBILL_PORT_{each.name.upper()}" for each in ALL}
MONITORING_PROFILE = "monitoring"

PROBES: Mapping[str, Callable[[Addresses], None]] = {
    "mysql": probes.mysql,
    "kafka": probes.kafka,
    "registry": probes.registry,
    "s3": probes.s3,
    "warehouse": probes.warehouse,
}


class ComposeWay:
    """Implements `stack.way.Way` and `stack.way.Controls` for one checkout, by default this one."""

    def __init__(self, layout: Layout | None = None) -> None:
        self.layout = layout or Layout.here()

    @property
    def project(self) -> Project:
        kept = ports.read(self.layout.ports_file)
        variables = {VARIABLES[name]: str(kept[name]) for name in VARIABLES if name in kept}
        profiles = (MONITORING_PROFILE,) if self.layout.monitoring_file.is_file() else ()
        return Project.of(self.layout.root, variables, profiles)

    def available(self) -> str | None:
        obstacle = engine_obstacle()
        if obstacle is not None:
            return obstacle
        project = self.project
        images = set(project.images().values())
        if not image_is_here(f"{project.name}-connect"):
            images |= set(BUILT_FROM)
        for image in sorted(images):
            if image_is_here(image):
                continue
            obstacle = pull_obstacle(image)
            if obstacle is not None:
                return f"the image {image} is not here and cannot be pulled ({obstacle})"
        return None

    def up(self, monitoring: bool = False) -> None:
        if monitoring:
            self.layout.monitoring_file.parent.mkdir(parents=True, exist_ok=True)
            self.layout.monitoring_file.touch()
        # The engine would make the folder that it mounts, as root.
        self.layout.targets.mkdir(parents=True, exist_ok=True)
        with Progress() as progress, self.prepared(progress) as project:
            words = ["up", "--detach", "--wait", "--wait-timeout", str(UP_SECONDS), "--remove-orphans"]
            if self.image_is_outdated():
                words.append("--build")
            with progress.part("containers", f"docker compose up, project {project.name}"):
                came = _brought_up(project, *words)
            if not came:
                raise _not_up(project)
            self.finish(progress)
            progress.say(f"stack is up after {progress.elapsed:.1f} s")

    @contextmanager
    def prepared(self, progress: Progress) -> Iterator[Project]:
        """The project with ports that are free or ours; nobody else handles the stack meanwhile."""
        with self._alone(progress):
            self._choose_ports()
            yield self.project

    def image_is_outdated(self) -> bool:
        """Whether the Connect image was never built here, or from other sources than these."""
        built = self._built_file.read_text() if self._built_file.is_file() else ""
        return built != _digest(self.layout.root / "connect")

    def finish(self, progress: Progress) -> None:
        """After the containers are healthy: probe every service as the native way does, write the addresses."""
        self._built_file.parent.mkdir(parents=True, exist_ok=True)
        self._built_file.write_text(_digest(self.layout.root / "connect"))
        addresses = accounts.addresses(ports.read(self.layout.ports_file))
        with progress.part("probes", "a query, a message, a schema, an object"):
            for each in SERVICES:
                self._probe(each.name, addresses)
        _write(self.layout.addresses_file, addresses)
        if self.project.profiles:
            kept = ports.read(self.layout.ports_file)
            for each in MONITORING:
                progress.say(f"{each.title}: http://127.0.0.1:{kept[each.port.name]}")

    def down(self, wipe: bool) -> None:
        with Progress() as progress, self._alone(progress):
            self.layout.addresses_file.unlink(missing_ok=True)
            if engine_obstacle() is not None:
                progress.say("no container engine answers, so no container runs; volumes are the engine's")
                return
            # `down` alone would leave the images' own, nameless volumes behind at every stop.
            steps = [["rm", "--stop", "--force", "--volumes"], ["down", "--remove-orphans"]]
            if wipe:
                steps[-1].append("--volumes")
            # With the profile, or its containers would be left running.
            project = replace(self.project, profiles=(MONITORING_PROFILE,))
            if any(project.show(*words) for words in steps):
                raise UnreachableError("docker compose down failed", todo="docker ps; then waybill stack down")
            self.layout.monitoring_file.unlink(missing_ok=True)
            progress.say("stack is stopped, its data are " + ("removed" if wipe else "kept"))

    def start(self, service: str) -> None:
        with Progress() as progress, self._alone(progress):
            project = self.project
            words = ["up", "--detach", "--wait", "--wait-timeout", str(UP_SECONDS), "--no-deps", "--no-recreate"]
            if not _brought_up(project, *words, service):
                raise _not_up(project)
            if service not in {each.name for each in MONITORING}:
                self._probe(service, self.addresses())

    def stop(self, service: str) -> None:
        self.project.run("stop", service)

    def kill(self, service: str) -> None:
        self.project.run("kill", service)

    def status(self) -> list[ServiceStatus]:
        if engine_obstacle() is not None:
            return [ServiceStatus(each.name, "stopped", each.version, note="no container engine") for each in SERVICES]
        found = {each.service: each for each in self.project.containers()}
        details = inspect([each.id for each in found.values()])
        kept = ports.read(self.layout.ports_file)
        monitoring = [each for each in MONITORING if each.name in found]
        return [_status(each, found.get(each.name), details, kept) for each in (*SERVICES, *monitoring)]

    def logs(self, service: str, lines: int, follow: bool) -> None:
        words = ["logs", "--no-log-prefix", "--tail", str(lines), *(["--follow"] if follow else []), service]
        if self.project.attach(*words):
            raise UnreachableError(f"there is no log of {service}", todo="waybill stack status")

    def addresses(self) -> Addresses:
        if not self.layout.addresses_file.is_file():
            raise UnreachableError("the stack of this checkout does not run", todo="waybill stack up")
        found: Addresses = json.loads(self.layout.addresses_file.read_text())
        return found

    @property
    def _built_file(self) -> Path:
        """Holds the digest of the sources that the Connect image was last built from."""
        return self.layout.state / "connect-image"

    def _choose_ports(self) -> None:
        names = [port.name for each in ALL for port in each.ports]
        kept = ports.read(self.layout.ports_file)
        running = {each.service for each in self.project.containers() if each.state == "running"}
        ours = {port.name for each in ALL if each.name in running for port in each.ports}
        chosen = ports.choose(names, kept, ours, seed=str(self.layout.root))
        if chosen != kept:
            ports.write(self.layout.ports_file, chosen)

    def _probe(self, name: str, addresses: Addresses) -> None:
        """As the native way probes: a query, a message, a schema, an object; makes the bucket and the database."""
        deadline = time.monotonic() + PROBE_SECONDS
        while True:
            try:
                if name == "connect":
                    probes.connect(addresses, converter.classes(self.layout.root))
                else:
                    PROBES[name](addresses)
                return
            except WaybillError:
                raise
            except Exception as error:
                if time.monotonic() > deadline:
                    raise UnreachableError(
                        f"{service(name).title} does not work after {PROBE_SECONDS:g} s: {error}",
                        kept="the other services stay up; the next call goes on from there",
                        todo=f"waybill stack logs {name}; then waybill stack up",
                    ) from error
                time.sleep(PAUSE)

    def _alone(self, progress: Progress) -> AbstractContextManager[None]:
        waiting = "another `waybill stack` is at work in this checkout, waiting for it"
        return locked(self.layout.state / "lock", lambda: progress.say(waiting))


def _status(
    each: Service, container: Container | None, details: Mapping[str, Any], kept: Mapping[str, int]
) -> ServiceStatus:
    if container is None:
        return ServiceStatus(each.name, "stopped", each.version)
    state: dict[str, Any] = next((found["State"] for id_, found in details.items() if id_.startswith(container.id)), {})
    if container.state != "running":
        asked = state.get("ExitCode") in (0, 143)
        note = "" if asked else f"exit code {state.get('ExitCode')}: waybill stack logs {each.name}"
        return ServiceStatus(each.name, "stopped" if asked else "dead", each.version, note=note)
    pid = int(state.get("Pid", 0))
    started = datetime.fromisoformat(str(state["StartedAt"])[:19]).replace(tzinfo=UTC) if "StartedAt" in state else None
    return ServiceStatus(
        each.name,
        "running",
        each.version,
        address=f"127.0.0.1:{kept.get(each.port.name, '?')}",
        pid=pid,
        memory=resident(pid),
        uptime=(datetime.now(UTC) - started).total_seconds() if started else 0.0,
        note="" if container.health in ("", "healthy") else container.health,
    )


def _brought_up(project: Project, *words: str) -> bool:
    """`docker compose up --wait`, again while every container runs: compose gives up at once on one that stood still
    until now and is unhealthy, though its next health check may succeed, or has by the time somebody looks."""
    until, healthy = time.monotonic() + RECOVER_SECONDS, 0
    while project.show(*words):
        found = project.containers()
        healthy += all(each.health != "unhealthy" for each in found)
        if not found or any(each.state != "running" for each in found):
            return False
        if healthy > HEALTHY_TRIES or time.monotonic() > until:
            return False
        time.sleep(2)
    return True


def _not_up(project: Project) -> UnreachableError:
    ill = [each for each in project.containers() if each.state != "running" or each.health not in ("", "healthy")]
    ends = "\n".join(
        f"the end of {each.service}'s log ({each.state}):\n"
        + project.run("logs", "--no-log-prefix", "--tail", "15", each.service)
        for each in ill
    )
    return UnreachableError(
        f"not every container got ready.\n{ends}".rstrip(),
        kept="what did start stays up; the next call goes on from there",
        todo="waybill stack logs SERVICE; then waybill stack up",
    )


def _digest(folder: Path) -> str:
    """Of what the Connect image is built from."""
    digest = hashlib.sha256()
    for path in sorted([folder / "Dockerfile", folder / "converter/pom.xml", *folder.glob("converter/src/**/*")]):
        if path.is_file():
            digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _write(path: Path, addresses: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(json.dumps(addresses, indent=2) + "\n")
    part.replace(path)
