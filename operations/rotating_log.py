"""A log file that never grows without bound."""

from __future__ import annotations

from pathlib import Path

MOST_BYTES = 10 * 2**20
KEPT = 3


class RotatingLog:
    """Lines appended to `path`; beyond `most_bytes` it becomes `path.1`, that `path.2`, and the oldest goes."""

    def __init__(self, path: Path, most_bytes: int = MOST_BYTES, kept: int = KEPT) -> None:
        self._path, self._most, self._kept = path, most_bytes, kept
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a", encoding="utf-8", errors="replace", buffering=1)
        self._size = path.stat().st_size

    def write(self, line: str) -> None:
        """One line. A full disk loses lines of the log, never the process that wrote them."""
        try:
            if self._size > self._most:
                self._rotate()
            self._file.write(line + "\n")
            self._size += len(line) + 1
        except OSError:
            return

    def close(self) -> None:
        self._file.close()

    def _rotate(self) -> None:
        self._file.close()
        for number in range(self._kept, 0, -1):
            older = self._path.with_name(f"{self._path.name}.{number}")
            newer = self._path if number == 1 else self._path.with_name(f"{self._path.name}.{number - 1}")
            if newer.exists():
                newer.replace(older)
        self._file = self._path.open("w", encoding="utf-8", errors="replace", buffering=1)
        self._size = 0
