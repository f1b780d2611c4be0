"""Keeps children running: started, restarted with a growing pause when one dies, drained on request."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from cronsim import CronSim

from operations import state
from operations.child import Child, Spec
from operations.state import ProcessState
from stack.processes import identify
from waybill.clock import Clock

_FOR_A_PERSON = (2, 4)
"""Exit codes that no restart mends by itself: wrong settings, refused as not safe."""


@dataclass(frozen=True)
class Policy:
    """Seconds. The pause before a restart doubles from `first` to `most`, and begins anew after `healthy` of running.

    What a person has to mend is tried every `most`. `drain` is how long children may take to end.
    """

    first: float = 1
    most: float = 60
    healthy: float = 60
    drain: float = 30
    look: float = 0.2

    def pause(self, failures: int, exit_code: int) -> float:
        """Before the restart that follows the n-th failure in a row."""
        if exit_code in _FOR_A_PERSON:
            return self.most
        return min(self.first * 2.0 ** min(failures - 1, 20), self.most)


class Place:
    """One child's place: running, or waiting until it is started again."""

    def __init__(self, spec: Spec, start: Callable[[Spec], Child], policy: Policy, clock: Clock) -> None:
        self._spec, self._start, self._policy, self._clock = spec, start, policy, clock
        self.child: Child | None = None
        self._due = self._next_tick() if spec.schedule else clock.now()
        self._began = 0.0
        self._failures = 0
        self._restarts = 0
        self._exit_code: int | None = None
        self._since = clock.now()
        self._state = state.WAITING

    def look(self, say: Callable[[str], None]) -> bool:
        """Start it when it is due, notice its end. True when something changed."""
        if self.child is None:
            if self._clock.now() < self._due:
                return False
            return self._begin(say)
        code = self.child.poll()
        if code is None:
            return False
        self._ended(code, self.child, say)
        return True

    def drained(self) -> bool:
        """After a stop was asked for: has it ended?"""
        if self.child is not None and (code := self.child.poll()) is not None:
            self.child, self._exit_code, self._state, self._since = None, code, state.ENDED, self._clock.now()
        return self.child is None

    def told(self, log: str) -> ProcessState:
        """For the state file."""
        waits = self._state in (state.WAITING, state.BACKING_OFF)
        return ProcessState(
            name=self._spec.name,
            state=self._state,
            since=_iso(self._since),
            restarts=self._restarts,
            identity=identify(self.child.pid) if self.child else None,
            exit_code=self._exit_code,
            next_at=_iso(self._due) if waits else "",
            log=log,
        )

    @property
    def name(self) -> str:
        return self._spec.name

    def _begin(self, say: Callable[[str], None]) -> bool:
        self.child = self._start(self._spec)
        self._began, self._since, self._state = self._clock.monotonic(), self._clock.now(), state.RUNNING
        say(f"{self.name} started, process {self.child.pid}")
        return True

    def _ended(self, code: int, child: Child, say: Callable[[str], None]) -> None:
        self.child, self._exit_code, self._since = None, code, self._clock.now()
        if self._spec.schedule and code == 0:
            self._failures, self._state, self._due = 0, state.WAITING, self._next_tick()
            say(f"{self.name} is done; next at {_iso(self._due)}")
            return
        ran = self._clock.monotonic() - self._began
        self._failures = 1 if ran >= self._policy.healthy else self._failures + 1
        self._restarts += 1
        pause = self._policy.pause(self._failures, code)
        self._state = state.BACKING_OFF
        self._due = datetime.fromtimestamp(self._clock.now().timestamp() + pause, self._clock.now().tzinfo)
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        say(f"{self.name} ended after {ran:.0f} s with {how}; again in {pause:g} s. The end of its log:")
        for line in child.tail():
            say(f"    {line}")

    def _next_tick(self) -> datetime:
        assert self._spec.schedule is not None
        return next(CronSim(self._spec.schedule, self._clock.now()))


class Supervisor:
    """Several places looked after in turn. `changed` is told the state of all whenever one changes."""

    def __init__(
        self, specs: Sequence[Spec], start: Callable[[Spec], Child], say: Callable[[str], None],
        changed: Callable[[tuple[ProcessState, ...]], None], clock: Clock, policy: Policy | None = None,
    ) -> None:  # fmt: skip
        self._policy = policy or Policy()
        self._places = [Place(spec, start, self._policy, clock) for spec in specs]
        self._say, self._changed, self._clock = say, changed, clock

    def run(self, stopping: Callable[[], int]) -> None:
        """Until `stopping` (how often a stop was asked for) is not 0; then drain; at 2 or when late, kill."""
        self._tell()
        try:
            while not stopping():
                looked = [place.look(self._say) for place in self._places]
                if any(looked):
                    self._tell()
                self._clock.sleep(self._policy.look)
        finally:
            self._drain(stopping)

    def _drain(self, stopping: Callable[[], int]) -> None:
        running = [place for place in self._places if place.child]
        if running:
            self._say(f"draining {', '.join(p.name for p in running)}, at most {self._policy.drain:g} s")
        for place in running:
            if place.child:
                place.child.terminate()
        until = self._clock.monotonic() + self._policy.drain
        killed = False
        while [place for place in self._places if not place.drained()]:
            if not killed and (self._clock.monotonic() > until or stopping() > 1):
                killed = True
                for place in self._places:
                    if place.child:
                        self._say(f"{place.name} did not end by itself: killed; it will go on where it was")
                        place.child.kill()
            self._clock.sleep(min(self._policy.look, 0.1))
        self._tell()

    def _tell(self) -> None:
        self._changed(tuple(place.told(f"{place.name}.log") for place in self._places))


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
