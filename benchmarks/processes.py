"""CPU seconds and memory of processes, read from /proc while something runs."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
# How the stack's processes are told apart by their command lines.
TO_RAW = {
    "broker": ("kafka.Kafka",),
    "s3": ("s3proxy.Main",),
    "warehouse": ("postgres",),
    "consumer": ("main()", "consume"),
}
FROM_MYSQL = {"mysql": ("mysqld",), "connect": ("ConnectDistributed",), "broker": ("kafka.Kafka",)}
Parts = Mapping[str, tuple[str, ...]]


@dataclass
class Watched:
    """By part: CPU seconds used while it was watched; the greatest resident memory in bytes."""

    cpu: dict[str, float] = field(default_factory=dict)
    memory: dict[str, int] = field(default_factory=dict)
    series: list[int] = field(default_factory=list)  # the consumers' memory, every second


def _part(pid: int, parts: Parts) -> str | None:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").replace("\0", " ")
    except OSError:
        return None
    for part, marks in parts.items():
        if all(mark in words for mark in marks):
            return part
    return None


def _cpu(pid: int) -> float:
    text = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(text[11]) + int(text[12])) / _TICKS


def _memory(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def watched(root: Path, parts: Parts = TO_RAW) -> Iterator[Watched]:
    """Of the processes whose command line or working folder lies in `root` or below."""
    found, ended = Watched(), threading.Event()
    first: dict[int, float] = {}
    last: dict[int, tuple[str, float]] = {}

    def look(begin: bool) -> None:
        memory: dict[str, int] = {}
        for pid in (int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit()):
            part = _part(pid, parts)
            if part is None or not _belongs(pid, root):
                continue
            try:
                used, held = _cpu(pid), _memory(pid)
            except (OSError, IndexError):
                continue
            first.setdefault(pid, used if begin else 0.0)
            last[pid] = (part, used)
            memory[part] = memory.get(part, 0) + held
        for part, held in memory.items():
            found.memory[part] = max(found.memory.get(part, 0), held)
        found.series.append(memory.get("consumer", 0))
        for part in parts:
            found.cpu[part] = sum(used - first[pid] for pid, (kind, used) in last.items() if kind == part)

    def keep_looking() -> None:
        while not ended.wait(1.0):
            look(begin=False)

    look(begin=True)
    thread = threading.Thread(target=keep_looking, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        ended.set()
        thread.join()
        look(begin=False)


def pids(root: Path, parts: Parts, part: str) -> list[int]:
    """The processes of one part that run now."""
    every = (int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit())
    return [pid for pid in every if _part(pid, parts) == part and _belongs(pid, root)]


def threads(pids: Iterable[int]) -> dict[int, tuple[str, float]]:
    """By id each thread's name, as far as the kernel keeps it (15 letters), and the CPU seconds it has used."""
    found: dict[int, tuple[str, float]] = {}
    for task in (task for pid in pids for task in Path(f"/proc/{pid}/task").iterdir()):
        try:
            name, used = (task / "comm").read_text().strip(), (task / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        found[int(task.name)] = name, (int(used[11]) + int(used[12])) / _TICKS
    return found


def busiest(before: Mapping[int, tuple[str, float]], after: Mapping[int, tuple[str, float]]) -> dict[str, float]:
    """CPU seconds between two looks by the thread's name, the most first; those of one name together."""
    found: dict[str, float] = {}
    for number, (name, used) in after.items():
        # A pool gives its threads other names as they take other work: only the id stays.
        found[name] = found.get(name, 0.0) + used - before.get(number, ("", 0.0))[1]
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def _belongs(pid: int, root: Path) -> bool:
    """PostgreSQL's children show no path: their parent does."""
    try:
        text = Path(f"/proc/{pid}/cmdline").read_bytes() + str(Path(f"/proc/{pid}/cwd").resolve()).encode()
    except OSError:
        return False
    return str(root).encode() in text
