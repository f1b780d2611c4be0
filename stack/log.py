"""Reading a service's log file: its end, and what is added while one looks."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

CHUNK = 1 << 16


def tail(path: Path, lines: int) -> str:
    """The last `lines` lines; empty when there is no file. Reads from the end, however long the file is."""
    try:
        with path.open("rb") as handle:
            handle.seek(0, 2)
            position, read = handle.tell(), b""
            while position > 0 and read.count(b"\n") <= lines:
                step = min(CHUNK, position)
                position -= step
                handle.seek(position)
                read = handle.read(step) + read
    except FileNotFoundError:
        return ""
    return "\n".join(read.decode(errors="replace").splitlines()[-lines:]) if lines > 0 else ""


def follow_log(path: Path, every: float = 0.3) -> None:
    """Print what is written to the file from now on, until interrupted; a file begun anew is read anew."""
    handle = path.open("rb")
    handle.seek(0, 2)
    while True:
        added = handle.read()
        if added:
            sys.stdout.write(added.decode(errors="replace"))
            sys.stdout.flush()
            continue
        time.sleep(every)
        try:
            here = path.stat()
        except FileNotFoundError:
            continue
        if here.st_ino != _inode(handle.fileno()) or here.st_size < handle.tell():
            handle.close()
            handle = path.open("rb")


def _inode(descriptor: int) -> int:
    return os.fstat(descriptor).st_ino
