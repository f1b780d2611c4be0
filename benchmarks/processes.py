"""CPU seconds and memory of processes, read from /proc while something runs."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
# How the stack's processes are told apart by their command lines.
PARTS = {
    "broker": ("kafka.Kafka",),
    "s3": ("s3proxy.Main",),
    "warehouse": ("postgres",),
    "consumer": ("consume", "--until-caught-up"),
}


@dataclass
class Watched:
    """By part: CPU seconds used while it was watched; the greatest resident memory in bytes."""

    cpu: dict[str, float] = field(default_factory=dict)
    memory: dict[str, int] = field(default_factory=dict)
    series: list[int] = field(default_factory=list)  # the consumers' memory, every second


def _part(pid: int) -> str | None:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").replace("\0", " ")
    except OSError:
        return None
    for part, (first, *rest) in PARTS.items():
        if first in words and all(word in words for word in rest):
            return part
    return None


def _cpu(pid: int) -> float:
    text = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(text[11]) + int(text[12])) / _TICKS


def _memory(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def watched(root: Path) -> Iterator[Watched]:
    """Of the processes whose command line or working folder lies in `root` or below."""
    found, ended = Watched(), threading.Event()
    first: dict[int, float] = {}
    last: dict[int, tuple[str, float]] = {}

    def look(begin: bool) -> None:
        memory: dict[str, int] = {}
        for pid in (int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit()):
            part = _part(pid)
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
        for part in PARTS:
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


def _belongs(pid: int, root: Path) -> bool:
    """PostgreSQL's children show no path: their parent does."""
    try:
        text = Path(f"/proc/{pid}/cmdline").read_bytes() + str(Path(f"/proc/{pid}/cwd").resolve()).encode()
    except OSError:
        return False
    return str(root).encode() in text
