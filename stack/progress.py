"""Progress of parallel work, as lines on stderr: what began, what ended, what is left, elapsed seconds."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType

EVERY = 5.0
"""Seconds between two lines about what is still going on."""


class Progress:
    """Says what several parts of a job are doing. Use as a context manager; any thread may speak.

    Lines go to stderr at once, so that they are seen in a log too. Nothing is repeated faster than every
    five seconds.
    """

    def __init__(self, write: Callable[[str], None] | None = None) -> None:
        self._write = write or _to_stderr
        self._began = time.monotonic()
        self._open: dict[str, float] = {}
        self._waiting: list[str] = []
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._ticker = threading.Thread(target=self._tick, daemon=True)

    def __enter__(self) -> Progress:
        self._ticker.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._ticker.join()

    @property
    def elapsed(self) -> float:
        """Seconds since this progress was made."""
        return time.monotonic() - self._began

    def say(self, text: str) -> None:
        """One line, with the elapsed seconds before it."""
        with self._lock:
            self._write(f"[{self.elapsed:6.1f} s] {text}")

    def expect(self, *parts: str) -> None:
        """Parts that will begin later, so that 'left' is right from the first line."""
        with self._lock:
            self._waiting.extend(parts)

    @contextmanager
    def part(self, name: str, doing: str = "") -> Iterator[None]:
        """A part of the job from begin to end; `doing` is said at the begin."""
        with self._lock:
            if name in self._waiting:
                self._waiting.remove(name)
            self._open[name] = time.monotonic()
        if doing:
            self.say(f"{name}: {doing}")
        try:
            yield
        except BaseException:
            self._close(name, "failed")
            raise
        self._close(name, "ready")

    def _close(self, name: str, how: str) -> None:
        with self._lock:
            took = time.monotonic() - self._open.pop(name)
        self.say(f"{name}: {how} after {took:.1f} s{self._left()}")

    def _left(self) -> str:
        with self._lock:
            left = [*self._open, *self._waiting]
        return f"; left: {', '.join(left)}" if left else ""

    def _tick(self) -> None:
        while not self._stop.wait(EVERY):
            with self._lock:
                now = time.monotonic()
                doing = [f"{name} ({now - since:.0f} s)" for name, since in self._open.items()]
                waiting = f"; then: {', '.join(self._waiting)}" if self._waiting else ""
            if doing:
                self.say(f"still working on {', '.join(doing)}{waiting}")


def _to_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
