"""The cache of downloads: finished pieces, each a folder that appears whole or not at all."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

Fill = Callable[[Path], None]


@dataclass(frozen=True)
class Piece:
    """Something fetched once. `key` names its folder and changes whenever its content should."""

    name: str
    key: str
    doing: str
    fill: Fill

    def folder(self, cache: Path) -> Path:
        return cache / self.key

    def ready(self, cache: Path) -> bool:
        return self.folder(cache).is_dir()


@contextmanager
def locked(path: Path, on_wait: Callable[[], None] | None = None) -> Iterator[None]:
    """Hold an exclusive lock on a file; a second process waits, `on_wait` being called before it does.

    The lock goes with the process.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if on_wait is not None:
                on_wait()
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def ensure(piece: Piece, cache: Path) -> Path:
    """The finished folder of a piece, filled if it was not there.

    Filled beside its place and renamed, so an interrupted call leaves nothing that looks finished. Two
    processes that want the same piece: the second waits and finds it.
    """
    target = piece.folder(cache)
    if piece.ready(cache):
        return target
    with locked(cache / "locks" / f"{piece.key}.lock"):
        if piece.ready(cache):
            return target
        # Under the lock nobody else fills this piece: what lies there was left by an interrupted call.
        part = cache / "part" / piece.key
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        piece.fill(part)
        part.replace(target)
    return target
