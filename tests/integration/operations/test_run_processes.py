"""`operations.run` with real processes: one run a checkout, nothing left behind, whatever is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from operations import state
from operations.rotating_log import RotatingLog
from operations.state import RunState

CHILD = "import time, signal, sys; signal.signal(signal.SIGTERM, lambda *_: exit(0)); print('hello'); time.sleep(600)"
STUBBORN = "import time, signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('hello'); time.sleep(600)"
SUPERVISOR = """
import sys
import operations.run
from pathlib import Path
from operations.child import Spec
from operations.run import run
from operations.supervisor import Policy
from waybill.clock import SystemClock
from waybill.errors import WaybillError
command = (sys.executable, "-c", sys.argv[2])
try:
    operations.run.LEFTOVER_SECONDS = 1.0
    run(Path(sys.argv[1]), [Spec("one", command), Spec("two", command)], print, SystemClock(),
        Policy(first=0.1, drain=1, look=0.05))
except WaybillError as error:
    print(error)
    sys.exit(error.exit_code)
"""


def eventually(ready: Callable[[], bool], seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < until
        time.sleep(0.05)


class Runs:
    """Supervisors of one folder; those still alive are ended after the test."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.started: list[subprocess.Popen[str]] = []

    def start(self, child: str = CHILD) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", SUPERVISOR, str(self.root), child],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
        self.started.append(process)
        return process

    def running(self) -> RunState:
        """Both children are there and said hello."""
        logs = [state.folder(self.root) / f"{name}.log" for name in ("one", "two")]

        def up() -> bool:
            found = state.read(self.root)
            return bool(
                found and found.runs and len(found.processes) == 2 and all(p.runs for p in found.processes)
                and all("hello" in log.read_text() for log in logs)
            )  # fmt: skip

        eventually(up)
        found = state.read(self.root)
        assert found
        return found


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Runs]:
    made = Runs(tmp_path / "a checkout")
    yield made
    for process in made.started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_a_second_run_is_refused_and_names_the_first(runs: Runs) -> None:
    first = runs.start()
    runs.running()
    second = runs.start()
    said, _ = second.communicate(timeout=20)
    assert second.returncode == 4
    assert f"process {first.pid}" in said
    assert first.poll() is None


def test_sigterm_drains_every_child(runs: Runs) -> None:
    process = runs.start()
    before = runs.running()
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "everything has ended" in said and "killed" not in said
    assert not any(p.runs for p in before.processes)


def test_a_child_that_ignores_sigterm_is_killed_after_its_limit(runs: Runs) -> None:
    process = runs.start(STUBBORN)
    before = runs.running()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert not any(p.runs for p in before.processes)


def test_a_killed_child_comes_back_and_its_restart_is_counted(runs: Runs) -> None:
    runs.start()
    before = runs.running()
    assert before.processes[0].identity
    os.kill(before.processes[0].identity.pid, signal.SIGKILL)

    def back() -> bool:
        found = state.read(runs.root)
        return bool(found and found.processes[0].restarts == 1 and found.processes[0].runs)

    eventually(back)
    after = state.read(runs.root)
    assert after and after.processes[0].exit_code == -9
    assert after.processes[1].identity == before.processes[1].identity


def test_children_end_when_their_supervisor_is_killed(runs: Runs) -> None:
    process = runs.start()
    before = runs.running()
    process.kill()
    process.wait()
    eventually(lambda: not any(p.runs for p in before.processes))
    stale = state.read(runs.root)
    assert stale and not stale.runs


def test_the_next_run_ends_what_a_killed_one_left(runs: Runs) -> None:
    process = runs.start(STUBBORN)
    before = runs.running()
    process.kill()
    process.wait()
    assert all(p.runs for p in before.processes)
    runs.start()
    eventually(lambda: not any(p.runs for p in before.processes), 60)
    assert runs.running().identity != before.identity


def test_a_log_keeps_its_size(tmp_path: Path) -> None:
    log = RotatingLog(tmp_path / "a.log", most_bytes=100, kept=2)
    for number in range(100):
        log.write(f"line {number}")
    log.close()
    files = sorted(p.name for p in tmp_path.iterdir())
    assert files == ["a.log", "a.log.1", "a.log.2"]
    assert all(p.stat().st_size < 130 for p in tmp_path.iterdir())
    assert (tmp_path / "a.log").read_text().endswith("line 99\n")
