"""What `waybill run` is doing, in `.waybill/run/state.json`: written by the supervisor, read by anyone."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from stack.processes import Identity, alive
from waybill.errors import RefusedError

FOLDER = Path(".waybill/run")
RUNNING, WAITING, BACKING_OFF, ENDED = "running", "waiting for its time", "restarting", "ended"


@dataclass(frozen=True)
class ProcessState:
    """One child. Times are ISO text, UTC. `exit_code` is its last one, negative for a signal."""

    name: str
    state: str
    since: str
    restarts: int = 0
    identity: Identity | None = None
    exit_code: int | None = None
    next_at: str = ""
    log: str = ""

    @property
    def runs(self) -> bool:
        """Whether exactly this process is there now."""
        return self.identity is not None and alive(self.identity)


@dataclass(frozen=True)
class RunState:
    """The supervisor and its children."""

    identity: Identity
    since: str
    processes: tuple[ProcessState, ...] = field(default=())

    @property
    def runs(self) -> bool:
        return alive(self.identity)


def folder(root: Path) -> Path:
    """Where the state and the logs of a checkout's run are."""
    return root / FOLDER


def write(root: Path, state: RunState) -> None:
    """A reader sees the old state or the new one."""
    place = folder(root)
    place.mkdir(parents=True, exist_ok=True)
    part = place / "state.part"
    part.write_text(json.dumps(asdict(state), indent=1) + "\n", encoding="utf-8")
    part.replace(place / "state.json")


def read(root: Path) -> RunState | None:
    """The last state written, whether or not that run still lives; None when there was none."""
    try:
        found = json.loads((folder(root) / "state.json").read_text(encoding="utf-8"))
        return RunState(Identity(**found["identity"]), found["since"], tuple(map(_process, found["processes"])))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _process(found: Mapping[str, Any]) -> ProcessState:
    return ProcessState(**{**found, "identity": Identity(**found["identity"]) if found["identity"] else None})


@contextmanager
def only_one(root: Path) -> Iterator[None]:
    """Hold the checkout's run lock; the kernel frees it when this process ends, however it ends.

    Raises `RefusedError` naming the process that holds it.
    """
    place = folder(root)
    place.mkdir(parents=True, exist_ok=True)
    with (place / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            other = read(root)
            who = f"process {other.identity.pid}, since {other.since}" if other else "another process"
            raise RefusedError(
                f"waybill run is already running in this checkout: {who}",
                kept="it goes on undisturbed",
                todo=f"waybill status; to end it: kill {other.identity.pid}" if other else "waybill status",
            ) from error
        yield
