"""The native way: every service an ordinary process of this machine, in a session of its own."""

from __future__ import annotations

import json
import shutil
import signal
import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager

from stack import accounts, ports, processes
from stack.catalogue import ALL, MONITORING, SERVICES, Service
from stack.install import mysql, parts, prometheus
from stack.install.cache import locked
from stack.layout import Layout
from stack.log import follow_log, tail
from stack.progress import Progress
from stack.services import MONITORING_NATIVES, NATIVES, warehouse
from stack.services.launch import HOST, Launch, Native, Place
from stack.starter import Starter
from stack.way import Addresses, ServiceStatus
from waybill.errors import UnreachableError


class NativeWay:
    """Implements `stack.way.Way` and `stack.way.Controls` for one checkout, by default this one."""

    def __init__(self, layout: Layout | None = None) -> None:
        self.layout = layout or Layout.here()
        self.starter = Starter(self.layout)

    def available(self) -> str | None:
        if shutil.which("dpkg-deb") and shutil.which("apt-get"):
            return None
        return "MySQL comes from Debian's packages, and this machine has no apt-get and dpkg-deb"

    def up(self, monitoring: bool = False) -> None:
        with Progress() as progress, self._alone(progress):
            place = self.place(progress)
            launches = {name: native.launch(place) for name, native in NATIVES.items()}
            todo = [name for name in launches if not self.starter.runs_as(name, launches[name])]
            if todo:
                self._start_all(place, launches, todo, progress)
            _write(self.layout, place)
            if monitoring or self.layout.monitoring_file.is_file():
                self._monitor(place, progress)
            if todo:
                memory = sum(each.memory for each in self.status())
                progress.say(f"stack is up after {progress.elapsed:.1f} s, {memory} MB of memory")

    def down(self, wipe: bool) -> None:
        with Progress() as progress, self._alone(progress):
            self.layout.addresses_file.unlink(missing_ok=True)
            self.layout.monitoring_file.unlink(missing_ok=True)
            for name in MONITORING_NATIVES:
                self.stop(name)
            # Users before what they use: Connect would wait for a broker that is gone.
            for group in ends_first():
                with ThreadPoolExecutor(len(group)) as pool:
                    list(pool.map(self.stop, group))
            for identity in processes.marked(self.starter.mark):
                progress.say(f"ending process {identity.pid}, left by an interrupted start")
                processes.end(identity, signal.SIGTERM, 10)
            if wipe:
                warehouse.wipe(self.layout)
                for folder in (self.layout.data, self.layout.logs, self.layout.config, self.layout.records):
                    shutil.rmtree(folder, ignore_errors=True)
            progress.say("stack is stopped, its data are " + ("removed" if wipe else "kept"))

    def start(self, service: str) -> None:
        with Progress() as progress, self._alone(progress):
            place = self.place(progress)
            self.starter.bring_up(_native(service), _native(service).launch(place), place, progress)

    def stop(self, service: str) -> None:
        self.starter.stop(_native(service))

    def kill(self, service: str) -> None:
        self.starter.kill(service)

    def status(self) -> list[ServiceStatus]:
        kept = ports.read(self.layout.ports_file)
        monitoring = [each for each in MONITORING if self.starter.record(each.name)]
        return [self._status(each, kept.get(each.port.name)) for each in (*SERVICES, *monitoring)]

    def logs(self, service: str, lines: int, follow: bool) -> None:
        path = self.starter.log(service)
        if not path.exists():
            raise UnreachableError(f"{service} has no log yet", todo="waybill stack up")
        print(tail(path, lines))
        if follow:
            follow_log(path)

    def addresses(self) -> Addresses:
        if not self.layout.addresses_file.is_file():
            raise UnreachableError("the stack of this checkout does not run", todo="waybill stack up")
        found: Addresses = json.loads(self.layout.addresses_file.read_text())
        return found

    def place(self, progress: Progress) -> Place:
        """Programs and ports for this checkout, fetched and chosen where that was not done yet."""
        found = parts.install(self.layout, progress)
        names = [port.name for each in ALL for port in each.ports]
        ours = {port.name for each in ALL if self.starter.identity(each.name) for port in each.ports}
        kept = ports.read(self.layout.ports_file)
        chosen = ports.choose(names, kept, ours, seed=str(self.layout.root))
        if chosen != kept:
            ports.write(self.layout.ports_file, chosen)
        return Place(self.layout, found, chosen, accounts.addresses(chosen, HOST))

    def _start_all(self, place: Place, launches: dict[str, Launch], todo: list[str], progress: Progress) -> None:
        # Those with older settings end first, users before what they use, else they would wait for each other.
        for name in (name for group in ends_first() for name in group if name in todo):
            self.starter.end_outdated(NATIVES[name], launches[name], progress)
        progress.expect(*todo)
        jobs: dict[str, Future[None]] = {}

        def bring_up(name: str, needs: list[Future[None]]) -> None:
            for need in needs:
                need.result()
            self.starter.bring_up(NATIVES[name], launches[name], place, progress)

        # In the catalogue's order: what a service needs is submitted before it.
        with ThreadPoolExecutor(len(todo)) as pool:
            for each in SERVICES:
                if each.name in todo:
                    needs = [jobs[need] for need in each.needs if need in jobs]
                    jobs[each.name] = pool.submit(bring_up, each.name, needs)
            try:
                wait(jobs.values())
            except BaseException:
                # What was started goes on; the next `up` waits for it where this one gave up.
                self.starter.interrupted.set()
                raise
        for job in jobs.values():
            job.result()

    def _monitor(self, place: Place, progress: Progress) -> None:
        self.layout.monitoring_file.touch()
        for native in MONITORING_NATIVES.values():
            self.starter.bring_up(native, native.launch(place), place, progress)
        progress.say(f"Prometheus answers on http://{HOST}:{place.ports['prometheus']}; Grafana is in containers only")

    def _alone(self, progress: Progress) -> AbstractContextManager[None]:
        waiting = "another `waybill stack` is at work in this checkout, waiting for it"
        return locked(self.layout.state / "lock", lambda: progress.say(waiting))

    def _status(self, each: Service, port: int | None) -> ServiceStatus:
        record, identity = self.starter.record(each.name), self.starter.identity(each.name)
        if record is None:
            return ServiceStatus(each.name, "stopped", version=self._version(each))
        if identity is None:
            return ServiceStatus(
                each.name,
                "dead",
                version=self._version(each),
                note=f"it ended by itself: waybill stack logs {each.name}; start it again: waybill stack up",
            )
        return ServiceStatus(
            each.name,
            "running",
            version=self._version(each),
            address=f"{HOST}:{port}" if port else "",
            pid=identity.pid,
            memory=processes.memory(identity.pid),
            uptime=time.time() - record.since,
            note="" if record.ready else "has not passed its probe yet",
        )

    def _version(self, each: Service) -> str:
        if each.name == "mysql" and mysql.piece().ready(self.layout.cache):
            return mysql.version(mysql.piece().folder(self.layout.cache))
        if each.name == "warehouse":
            return warehouse.version() or each.version
        if each.name == "prometheus":
            return prometheus.version(self.layout.cache) or each.version
        return each.version


def _native(service: str) -> Native:
    found = {**NATIVES, **MONITORING_NATIVES}.get(service)
    if found is None:
        raise UnreachableError(f"{service} is in containers only", todo="waybill stack up --compose --monitoring")
    return found


def ends_first() -> list[list[str]]:
    """The services in the order in which they end: those that need others first."""
    needed = {need for each in SERVICES for need in each.needs}
    users = [each.name for each in SERVICES if each.name not in needed and each.needs]
    return [users, [each.name for each in SERVICES if each.name not in users]]


def _write(layout: Layout, place: Place) -> None:
    text = json.dumps(place.addresses, indent=2) + "\n"
    if layout.addresses_file.is_file() and layout.addresses_file.read_text() == text:
        return
    part = layout.addresses_file.with_suffix(".part")
    part.write_text(text)
    part.replace(layout.addresses_file)
