"""Long-lived processes by their identity: process id, start time and boot. A recycled id is never touched.

Each started process is recorded in a file; a further mark in its environment finds those whose record was
lost when the starter was killed at the wrong moment.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from waybill.errors import UnreachableError

MARK = "WAYBILL_STACK_PROCESS"
POLL = 0.05
KILL = signal.SIGKILL
BOOT = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class Identity:
    """One process of one boot. `started` is in clock ticks since the boot, as the kernel tells it."""

    pid: int
    started: int
    boot: str


@dataclass(frozen=True)
class Record:
    """What is known of a started process.

    `fingerprint` tells whether it was started as it would be now, `since` is epoch seconds, `ready` whether
    it has passed its probe once.
    """

    identity: Identity
    fingerprint: str
    since: float
    ready: bool = False


def identify(pid: int) -> Identity | None:
    """The identity of a running process; None when there is none, or only its unreaped remains."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
        boot = BOOT.read_text().strip()
    except OSError:
        return None
    # The name in parentheses may hold anything, spaces and parentheses too.
    fields = stat[stat.rindex(")") + 2 :].split()
    # The first thread may be gone while others still hold ports and files: not before they are is it over.
    if fields[0] in ("Z", "X") and not _other_threads(pid):
        _reap(pid)
        return None
    return Identity(pid, int(fields[19]), boot)


def alive(identity: Identity) -> bool:
    """Whether exactly this process still runs."""
    return identify(identity.pid) == identity


def start(argv: Sequence[str], *, env: Mapping[str, str], cwd: Path, log: Path, mark: str) -> int:
    """Start a process in a session of its own and return its id: it outlives us and no Ctrl-C reaches it.

    Its output goes to `log`; the one before is kept as `<log>.1`. Raises UnreachableError when the program
    cannot be executed.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists():
        log.replace(log.with_name(log.name + ".1"))
    with log.open("wb") as out:
        try:
            process = subprocess.Popen(
                list(argv),
                env={**env, MARK: mark},
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise UnreachableError(f"could not execute {argv[0]}: {error}", todo="make setup") from error
    # Its end is watched through its identity; told so, Popen does not warn about a child left behind.
    process.returncode = 0
    return process.pid


def save(path: Path, record: Record) -> None:
    """Keep what is known of a process; a reader sees the old record or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(json.dumps(asdict(record)) + "\n")
    part.replace(path)


def load(path: Path) -> Record | None:
    """The record in a file; None when there is none or it is torn."""
    try:
        found = json.loads(path.read_text())
        return Record(Identity(**found["identity"]), found["fingerprint"], found["since"], found["ready"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def send(identity: Identity, number: signal.Signals) -> bool:
    """Signal exactly this process; False when it is gone."""
    if not alive(identity):
        return False
    try:
        os.kill(identity.pid, number)
    except ProcessLookupError:
        return False
    return True


def end(identity: Identity, number: signal.Signals, within: float) -> bool:
    """Signal a process and wait for its end; SIGKILL after `within` seconds. True if it went by itself."""
    if not send(identity, number) or wait_end(identity, within):
        return True
    send(identity, signal.SIGKILL)
    wait_end(identity, 10)
    return False


def wait_end(identity: Identity, within: float) -> bool:
    """True once the process is gone, False when it still runs after `within` seconds."""
    limit = time.monotonic() + within
    while alive(identity):
        if time.monotonic() > limit:
            return False
        time.sleep(POLL)
    return True


def marked(mark: str) -> list[Identity]:
    """Every running process that was started with this mark, or by such a one. Only our own can be read."""
    wanted = f"{MARK}={mark}".encode()
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        try:
            environment = (folder / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if wanted in environment and (identity := identify(int(folder.name))) is not None:
            found.append(identity)
    return found


def end_helpers() -> None:
    """SIGTERM the programs that this process itself runs just now; services, in sessions of their own, stay."""
    for pid in _descendants(os.getpid()):
        with contextlib.suppress(OSError):
            if os.getsid(pid) == os.getsid(0):
                os.kill(pid, signal.SIGTERM)


def working_in(folder: Path) -> list[int]:
    """Ids of the running processes whose current folder this is."""
    found = []
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdigit() and (process / "cwd").readlink() == folder.resolve():
                found.append(int(process.name))
        except OSError:
            continue
    return found


def memory(pid: int) -> int:
    """Resident MB of a process and its descendants; pages they share are shared out if the kernel tells."""
    return sum(_resident(each) for each in (pid, *_descendants(pid))) // 1024


def _resident(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    except OSError:
        pass
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
    except OSError:
        pass
    return 0


def _descendants(pid: int) -> list[int]:
    try:
        children = [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
    return children + [each for child in children for each in _descendants(child)]


def _other_threads(pid: int) -> bool:
    try:
        return len(list(Path(f"/proc/{pid}/task").iterdir())) > 1
    except OSError:
        return False


def _reap(pid: int) -> None:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
