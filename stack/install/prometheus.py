"""Prometheus and promtool from the machine's own Debian release, unpacked into the cache, not installed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from stack.install import debian
from stack.install.cache import Piece
from stack.install.commands import run


def piece() -> Piece:
    """A folder like a file system's root with usr/bin/prometheus in it, and the file VERSION."""
    return Piece(
        name="prometheus",
        key=f"prometheus-{os.uname().machine}",
        doing="Prometheus from Debian (20 MB)",
        fill=_fill,
    )


def version(cache: Path) -> str:
    """Debian's full version of what was unpacked; '' when nothing was."""
    note = piece().folder(cache) / "VERSION"
    return note.read_text().strip() if note.is_file() else ""


def program(cache: Path, name: str = "prometheus") -> Path:
    """`prometheus` or `promtool`."""
    return piece().folder(cache) / "usr/bin" / name


def _fill(folder: Path) -> None:
    origin = debian.source("Prometheus comes from Debian")
    # The machine's own release: its libc is what the program is linked against.
    packages = debian.download(folder / "apt", origin, origin.suite, "prometheus", closure=False)
    full = debian.version(packages, "prometheus")
    for package in packages:
        debian.unpack(package, folder, leave_out=("./usr/share/doc", "./usr/share/man", "./etc"))
    shutil.rmtree(folder / "apt")
    (folder / "VERSION").write_text(full + "\n")
    run([folder / "usr/bin/prometheus", "--version"], what="run Prometheus", todo=f"remove {folder} and run again")
