"""Resident memory of a container, from this machine's own process table."""

from __future__ import annotations

import os
from pathlib import Path

PAGE = os.sysconf("SC_PAGE_SIZE")


def resident(pid: int) -> int:
    """MB held by the process and all it started; 0 where the engine's processes cannot be seen from here."""
    if pid <= 0 or not Path(f"/proc/{pid}").is_dir():
        return 0
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            parent = _parent(folder)
            if parent is not None:
                children.setdefault(parent, []).append(int(folder.name))
    total, todo = 0, [pid]
    while todo:
        one = todo.pop()
        total += _pages(one)
        todo += children.get(one, [])
    return total * PAGE // 2**20


def _parent(folder: Path) -> int | None:
    try:
        stat = (folder / "stat").read_text()
    except OSError:
        return None
    return int(stat[stat.rindex(")") + 2 :].split()[1])


def _pages(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0
