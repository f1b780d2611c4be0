"""Everything long-lived in one process group: consumers and committer under one supervisor."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

from operations import state
from operations.child import ChildProcess, Spec
from operations.state import ProcessState, RunState
from operations.supervisor import Policy, Supervisor
from stack.processes import end, identify
from waybill.clock import Clock

LEFTOVER_SECONDS = 20.0


def run(root: Path, specs: Sequence[Spec], say: Callable[[str], None], clock: Clock, policy: Policy) -> None:
    """Run until SIGTERM or SIGINT; then the children drain. A second signal kills them.

    Raises `RefusedError` when this checkout has a run already. Children of a run that was killed are ended
    first, by their own identity.
    """
    with state.only_one(root):
        _end_leftovers(root, say)
        own = identify(os.getpid())
        assert own is not None
        since = clock.now().isoformat(timespec="seconds")

        def changed(processes: tuple[ProcessState, ...]) -> None:
            state.write(root, RunState(own, since, processes))

        stopping = _Stopping()
        supervisor = Supervisor(
            specs,
            lambda spec: ChildProcess(spec, state.folder(root) / f"{spec.name}.log", say),
            say,
            changed,
            clock,
            policy,
        )
        say(f"waybill run, process {own.pid}; logs in {state.folder(root)}; Ctrl-C drains and ends it")
        supervisor.run(stopping.count)
        say("everything has ended")


def stop(root: Path, say: Callable[[str], None], within: float) -> None:
    """End this checkout's run, if there is one, and what a killed one left. Returns when nothing of it runs."""
    before = state.read(root)
    if before is not None and before.runs:
        say(f"ending waybill run, process {before.identity.pid}")
        end(before.identity, signal.SIGTERM, within)
    _end_leftovers(root, say)


class _Stopping:
    """Counts the requests to stop."""

    def __init__(self) -> None:
        self._count = 0
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._asked)

    def count(self) -> int:
        return self._count

    def _asked(self, number: int, frame: FrameType | None) -> None:
        self._count += 1


def _end_leftovers(root: Path, say: Callable[[str], None]) -> None:
    before = state.read(root)
    for process in before.processes if before else ():
        if process.identity and process.runs:
            say(f"ending {process.name}, process {process.identity.pid}, left over from a run that was killed")
            end(process.identity, signal.SIGTERM, LEFTOVER_SECONDS)
