"""Commands that run beside a test: their output in a file, their processes known by id, none left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

STOP_SECONDS = 45
"""How long a command may take to end after SIGTERM. `waybill run` drains its children in that time."""


def end_of(path: Path, lines: int = 25) -> str:
    """The last lines of a log."""
    if not path.exists():
        return "(there is none)"
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])


class Background:
    """A command that was started; `name` is what its files are called in `folder`."""

    def __init__(self, name: str, argv: Sequence[str], env: Mapping[str, str], folder: Path) -> None:
        self.name = name
        self.out, self.log = folder / f"{name}.out", folder / f"{name}.log"
        with self.out.open("wb") as out, self.log.open("wb") as log:
            self._process = subprocess.Popen(
                argv, env=env, cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=log, start_new_session=True
            )
        self.pid = self._process.pid

    @property
    def code(self) -> int | None:
        """Its exit code, None while it runs."""
        return self._process.poll()

    def running(self) -> bool:
        """True; fails the test with the end of its log when the command has ended by itself."""
        assert self.code is None, f"`{self.name}` ended with exit code {self.code}:\n{self.ends()}"
        return True

    def wait(self, seconds: float) -> int:
        """Wait for its end; returns the exit code. Fails the test when it still runs after `seconds`."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"`{self.name}` still runs after {seconds:g} s:\n{self.ends()}") from None

    def terminate(self, seconds: float = STOP_SECONDS) -> int:
        """SIGTERM, as a person or a service manager ends it; returns the exit code."""
        if self.code is None:
            self._process.send_signal(signal.SIGTERM)
        return self.wait(seconds)

    def kill(self) -> None:
        """SIGKILL it and nothing else; returns once it is gone."""
        self._process.kill()
        self._process.wait()

    def children(self) -> dict[int, str]:
        """Its living child processes and theirs: process id -> command line."""
        return descendants(self.pid)

    def answer(self) -> Any:
        """What it printed with `--json`: the last object on its stdout."""
        lines = [line for line in self.out.read_text().splitlines() if line.startswith("{")]
        assert lines, f"`{self.name}` printed no object:\n{self.ends()}"
        return json.loads(lines[-1])

    def ends(self) -> str:
        """The ends of its log and of its output."""
        return f"--- end of {self.name}'s log\n{end_of(self.log)}\n--- end of its output\n{end_of(self.out, 8)}"

    def clear(self) -> None:
        """End it, and every process it started, whatever state they are in."""
        left = self.children()
        if self.code is None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()
        for pid, words in left.items():
            if command_line(pid) == words:
                os.kill(pid, signal.SIGKILL)


def descendants(pid: int) -> dict[int, str]:
    """Living processes that descend from `pid`: process id -> command line."""
    found: dict[int, str] = {}
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
    except OSError:
        return found
    for thread in threads:
        try:
            ids = (thread / "children").read_text().split()
        except OSError:
            continue
        for child in map(int, ids):
            found[child] = command_line(child)
            found.update(descendants(child))
    return {child: words for child, words in found.items() if words}


def command_line(pid: int) -> str:
    """The words of a process; '' when it is gone or only its unreaped remains are there."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""
