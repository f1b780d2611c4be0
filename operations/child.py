"""One long-lived child process: started, listened to, ended by its own process id."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from operations.rotating_log import RotatingLog
from waybill.errors import UnreachableError

_TAIL_LINES = 12


@dataclass(frozen=True)
class Spec:
    """What to run. With a `schedule` (cron, UTC) it is run to its end at each tick, else without end."""

    name: str
    command: tuple[str, ...]
    schedule: str | None = None


class Child(Protocol):
    """A started process."""

    @property
    def pid(self) -> int: ...

    def poll(self) -> int | None:
        """Its exit code once it has ended; negative for a signal."""

    def terminate(self) -> None:
        """Ask it to drain and end (SIGTERM)."""

    def kill(self) -> None:
        """End it now (SIGKILL)."""

    def tail(self) -> Sequence[str]:
        """The last lines it wrote."""


class ChildProcess:
    """A process tied to this one; every line it writes goes to its log and, prefixed, to `echo`."""

    def __init__(self, spec: Spec, log: Path, echo: Callable[[str], None]) -> None:
        self._tail: deque[str] = deque(maxlen=_TAIL_LINES)
        self._log = RotatingLog(log)
        self._echo = echo
        self._prefix = f"{spec.name:<8}| "
        tether = [sys.executable, "-m", "operations.tether", str(os.getpid())]
        try:
            self._process = subprocess.Popen(
                [*tether, *spec.command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
                text=True,
                encoding="utf-8",
                errors="replace",
            )
        except OSError as error:
            raise UnreachableError(f"{spec.name} could not be started: {error}", todo="make setup") from error
        assert self._process.stdout is not None
        self._reader = threading.Thread(target=self._read, args=(self._process.stdout,), daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def poll(self) -> int | None:
        code = self._process.poll()
        if code is not None:
            self._reader.join(2)
        return code

    def terminate(self) -> None:
        self._process.terminate()

    def kill(self) -> None:
        self._process.kill()

    def tail(self) -> Sequence[str]:
        return tuple(self._tail)

    def _read(self, stream: IO[str]) -> None:
        for line in stream:
            text = line.rstrip("\n")
            self._tail.append(text)
            self._log.write(text)
            self._echo(self._prefix + text)
        self._log.close()
