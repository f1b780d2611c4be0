"""Bringing the connector to its settings and seeing it run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from connect.changes import Change, changes
from connect.failures import Explanation, explain
from connect.rest import ConnectRest, Status
from waybill.clock import Clock, SystemClock
from waybill.errors import RefusedError, SettingsError, UnreachableError, WaybillError

KEPT = "offsets and events in Kafka; the connector goes on where it was"


@dataclass(frozen=True)
class Patience:
    """How long to wait for a connector to run. Seconds, except `restarts`.

    `settled`: how long it has to run without a break before it counts as running. A failed task is restarted up to
    `restarts` times, when that may help, `between` apart.
    """

    total: float = 120.0
    settled: float = 2.0
    step: float = 0.5
    restarts: int = 3
    between: float = 5.0


@dataclass(frozen=True)
class Applied:
    """What apply did. `written` is False when the settings were right already or it was a dry run."""

    changes: list[Change] = field(default_factory=list)
    written: bool = False
    created: bool = False
    restarts: int = 0
    seconds: float = 0.0


def apply(
    rest: ConnectRest,
    name: str,
    config: Mapping[str, str],
    *,
    dry_run: bool = False,
    patience: Patience | None = None,
    clock: Clock | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> Applied:
    """Write the settings if they differ, and return once connector and task run; a second call changes nothing.

    Raises SettingsError or UnreachableError when Connect refuses the settings (it asks MySQL about some of them),
    RefusedError when somebody has paused it, WaybillError with the cause in a sentence when its task fails for good.
    """
    clock = clock or SystemClock()
    begun = clock.monotonic()
    stored = rest.config(name)
    differing = changes(stored, config)
    if dry_run:
        return Applied(differing, created=stored is None)
    if differing or stored is None:
        try:
            rest.put_config(name, config)
        except (SettingsError, UnreachableError) as error:
            raise _refused(error) from error
        say(f"{name}: settings written, waiting until it runs")
    restarts = wait_until_running(rest, name, patience or Patience(), clock, say)
    return Applied(
        changes=differing,
        written=bool(differing) or stored is None,
        created=stored is None,
        restarts=restarts,
        seconds=clock.monotonic() - begun,
    )


def wait_until_running(
    rest: ConnectRest, name: str, patience: Patience, clock: Clock, say: Callable[[str], None] = lambda line: None
) -> int:
    """Return once it has run for `patience.settled` without a break; answers how often it was restarted for that."""
    deadline = clock.monotonic() + patience.total
    restarts = 0
    running_since: float | None = None
    status: Status | None = None
    while clock.monotonic() < deadline:
        status = rest.status(name)
        now = clock.monotonic()
        if status is not None and status.runs:
            running_since = now if running_since is None else running_since
            if now - running_since >= patience.settled:
                return restarts
        else:
            running_since = None
        if status is not None and status.state in ("PAUSED", "STOPPED"):
            raise RefusedError(
                f"{name} is {status.state.lower()}: somebody wanted it so, and its settings do not change that",
                kept=KEPT,
                todo="waybill connect resume",
            )
        if status is not None and status.failure is not None:
            why = explain(status.failure)
            if not why.restart_helps or restarts >= patience.restarts:
                raise failed(name, why)
            say(f"{name}: {why.sentence}; restarting it in {patience.between:g} s")
            clock.sleep(patience.between)
            rest.restart(name, only_failed=True)
            restarts += 1
        clock.sleep(patience.step)
    raise UnreachableError(
        f"{name} does not run after {patience.total:g} s: it is {_in_words(status)}",
        kept=KEPT,
        todo="waybill connect status; waybill stack logs connect",
    )


def mend(rest: ConnectRest, name: str) -> str | None:
    """Restart what has failed, when its cause may have passed; for a supervisor to call now and then.

    Answers what it did in a sentence, None when nothing had failed. Raises the explained WaybillError when a restart
    would not help, UnreachableError when Connect does not answer.
    """
    status = rest.status(name)
    if status is None or status.failure is None:
        return None
    why = explain(status.failure)
    if not why.restart_helps:
        raise failed(name, why)
    rest.restart(name, only_failed=True)
    return f"{name} had failed ({why.sentence}) and was restarted"


def failed(name: str, why: Explanation) -> WaybillError:
    """The error that tells a failed task."""
    return WaybillError(f"{name} has failed: {why.sentence} ({why.words})", kept=KEPT, todo=why.todo)


def _refused(error: SettingsError | UnreachableError) -> WaybillError:
    why = explain(error.what)
    if why.cause == "unknown":
        return error
    kind = UnreachableError if why.restart_helps or isinstance(error, UnreachableError) else SettingsError
    return kind(f"{error.what}\n  which means: {why.sentence}", kept="nothing was changed", todo=why.todo)


def _in_words(status: Status | None) -> str:
    if status is None:
        return "not known to Connect yet"
    tasks = ", ".join(f"task {task.number} {task.state.lower()}" for task in status.tasks) or "without a task"
    return f"{status.state.lower()}, {tasks}"
