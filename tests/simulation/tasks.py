"""Tasks that go on only when the simulation says so, and no further than their next call to a service.

Each task runs on a thread of its own, but never two at a time: whoever resumes one waits until it stands in front of a
call again, or has ended. So a task can be stopped, killed or overtaken between any two calls, and a seed draws a run.
"""

from __future__ import annotations

import threading

from consumers.ports import Done, Task


class Killed(BaseException):
    """The process of the task is gone: nothing after the call it stands in happens."""


class Switch:
    """Where services ask what is to become of a call. On the loop's own thread every call is answered."""

    def __init__(self) -> None:
        self.running: Scheduled | None = None

    def point(self, call: str) -> str:
        """The task that makes this call waits until it is resumed; answers what is to become of the call.

        `ok`; `fail`: no answer and no effect; `lost`: the effect, and no answer; `odd`: what else this call may meet.
        """
        return self.running.wait(call) if self.running is not None else "ok"


class Scheduled:
    """One task; `at` is the call it stands in front of, '' before it began. `hung`: no answer for now."""

    def __init__(self, switch: Switch, task: Task) -> None:
        self.task = task
        self.at = ""
        self.hung = False
        self.done: Done | None = None
        self._switch = switch
        self._said = "ok"
        self._go, self._back = threading.Lock(), threading.Lock()
        self._go.acquire()
        self._back.acquire()
        self._thread: threading.Thread | None = None

    @property
    def begun(self) -> bool:
        """Does it stand in front of a call?"""
        return self._thread is not None and self.done is None

    def stands_at(self, meant: str) -> bool:
        """Is the call it stands in front of the one that is meant: `put`, `load commit`; '' is any?"""
        return not meant or meant in (self.at, f"{self.task.name.split()[0]} {self.at}")

    def begin(self) -> None:
        """Up to its first call."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()
            self._turn()

    def resume(self, outcome: str) -> None:
        """Its call gets this outcome; it goes on up to the next."""
        self.begin()
        if self.done is None:
            self._said = outcome
            self._turn()

    def finish(self) -> None:
        """All its calls are answered."""
        while self.done is None:
            self.resume("ok")

    def kill(self) -> None:
        """It does nothing more."""
        if self.begun:
            self._said = "killed"
            self._turn()

    def wait(self, call: str) -> str:
        """On the task's own thread: stand in front of a call."""
        self.at = call
        self._back.release()
        self._go.acquire()
        if self._said == "killed":
            raise Killed
        return self._said

    def _turn(self) -> None:
        self._switch.running = self
        self._go.release()
        self._back.acquire()
        self._switch.running = None
        if self.done is not None and self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        self._go.acquire()
        try:
            self.done = Done(self.task, self.task.run())
        except BaseException as error:  # noqa: BLE001 (the loop judges it)
            self.done = Done(self.task, None, error)
        self._back.release()


class Drawn:
    """Workers whose tasks wait until the simulation resumes them."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self.tasks: list[Scheduled] = []

    def submit(self, task: Task) -> None:
        self.tasks.append(Scheduled(self._switch, task))

    def finished(self) -> list[Done]:
        found = [one.done for one in self.tasks if one.done is not None]
        self.tasks = [one for one in self.tasks if one.done is None]
        return found

    def close(self, seconds: float) -> None:
        return

    @property
    def waiting(self) -> list[Scheduled]:
        """Those that can be resumed."""
        return [one for one in self.tasks if one.done is None and not one.hung]
