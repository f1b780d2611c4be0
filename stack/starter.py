"""Starting, watching and ending the processes of one checkout's stack."""

from __future__ import annotations

import signal
import socket
import threading
import time
from dataclasses import replace
from pathlib import Path

from stack import processes
from stack.catalogue import service
from stack.layout import Layout
from stack.log import tail
from stack.probes import NOT_YET
from stack.processes import Identity, Record
from stack.progress import Progress
from stack.services.launch import HOST, Launch, Native, Place
from waybill.errors import UnreachableError

POLL = 0.1
LINES = 20


class Starter:
    """Knows the records of a checkout's processes; every method may be called from another process again."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.mark = str(layout.root)
        self.interrupted = threading.Event()
        """Once set, whoever waits for a service gives up at once."""

    def log(self, name: str) -> Path:
        return self.layout.logs / f"{name}.log"

    def record(self, name: str) -> Record | None:
        return processes.load(self._path(name))

    def identity(self, name: str) -> Identity | None:
        """The running process of a service, or None."""
        record = self.record(name)
        return record.identity if record and processes.alive(record.identity) else None

    def runs_as(self, name: str, launch: Launch) -> bool:
        """Whether the service runs, has been ready, and was started as it would be now."""
        record = self.record(name)
        return (
            record is not None
            and record.ready
            and record.fingerprint == launch.fingerprint()
            and processes.alive(record.identity)
        )

    def bring_up(self, native: Native, launch: Launch, place: Place, progress: Progress) -> None:
        """Start a service unless it runs, and return once it has passed its probe.

        A process that was started otherwise than it would be now is ended first. Raises UnreachableError with
        the end of the log when the service ends, or is not ready in time; then it is left running, and the
        next call goes on waiting.
        """
        name = native.service.name
        if self.runs_as(name, launch):
            return
        self.end_outdated(native, launch, progress)
        identity = self.identity(name)
        with progress.part(name, f"starting {native.service.title}"):
            if identity is None:
                native.prepare(place)
                identity = self._spawn(native, launch)
            self._wait(native, launch, place, identity)
            self._note(name, launch, ready=True)

    def end_outdated(self, native: Native, launch: Launch, progress: Progress) -> None:
        """End a service that runs otherwise than it would be started now."""
        record = self.record(native.service.name)
        if record and record.fingerprint != launch.fingerprint() and processes.alive(record.identity):
            progress.say(f"{native.service.name}: runs with older settings, ending it")
            self.stop(native)

    def stop(self, native: Native) -> None:
        """End a service in its own way, and forget it; SIGKILL when it takes too long."""
        name = native.service.name
        identity = self.identity(name)
        if identity is not None:
            processes.end(identity, native.stop_signal, native.service.stop_within)
        self._path(name).unlink(missing_ok=True)

    def kill(self, name: str) -> None:
        """SIGKILL a service and wait until it is gone. Its record stays: `status` calls it dead."""
        identity = self.identity(name)
        if identity is None:
            raise UnreachableError(f"{name} does not run", todo="waybill stack status")
        processes.send(identity, signal.SIGKILL)
        processes.wait_end(identity, 10)

    def _spawn(self, native: Native, launch: Launch) -> Identity:
        name = native.service.name
        launch.write_files()
        pid = processes.start(
            launch.argv,
            env=launch.full_environment(),
            cwd=launch.cwd,
            log=self.log(name),
            mark=self.mark,
        )
        identity = processes.identify(pid)
        if identity is None:
            raise self._failed(name, "ended at once")
        processes.save(self._path(name), Record(identity, launch.fingerprint(), time.time()))
        return identity

    def _wait(self, native: Native, launch: Launch, place: Place, identity: Identity) -> None:
        name, limit = native.service.name, native.service.ready_within
        until = time.monotonic() + limit
        last: Exception | None = None
        while time.monotonic() < until:
            if self.interrupted.is_set():
                raise UnreachableError(f"{name}: the start was interrupted", todo="waybill stack up")
            if not processes.alive(identity):
                if not any(words in tail(self.log(name), LINES) for words in native.passing):
                    raise self._failed(name, "ended while it was starting")
                time.sleep(POLL * 5)
                identity = self._spawn(native, launch)
            # Drivers wait long after a refused connection: they are asked once somebody listens.
            if _listens(place.ports[native.service.port.name]):
                try:
                    native.probe(place)
                    return
                except NOT_YET as error:
                    last = error
            time.sleep(POLL)
        raise self._failed(name, f"was not ready after {limit:.0f} s; last answer: {last or 'none'}") from last

    def _note(self, name: str, launch: Launch, ready: bool) -> None:
        record = self.record(name)
        if record is not None:
            processes.save(self._path(name), replace(record, ready=ready))

    def _failed(self, name: str, how: str) -> UnreachableError:
        end = "\n".join(f"    {line}" for line in tail(self.log(name), LINES).splitlines())
        return UnreachableError(
            f"{service(name).title} ({name}) {how}. The end of {self.log(name)}:\n{end}",
            kept="its data and the other services are as they were",
            todo=f"waybill stack logs {name}; then waybill stack up again, or, to begin with empty data,"
            " waybill stack down --wipe first",
        )

    def _path(self, name: str) -> Path:
        return self.layout.records / f"{name}.json"


def _listens(port: int) -> bool:
    try:
        with socket.create_connection((HOST, port), timeout=1):
            return True
    except OSError:
        return False
