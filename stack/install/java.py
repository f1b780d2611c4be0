"""The machine's Java development kit: Kafka, Connect and s3proxy run on it, javac makes the converter."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

OLDEST = 17
VERSION = re.compile(r'^JAVA_VERSION="?(?:1\.)?(\d+)', re.MULTILINE)


def find() -> Path | None:
    """The home of a JDK 17 or newer with javac, or None. JAVA_HOME comes first, then PATH."""
    for home in _homes():
        if (home / "bin/javac").is_file() and (home / "bin/java").is_file() and major(home) >= OLDEST:
            return home
    return None


def major(home: Path) -> int:
    """The Java version from the home's `release` file; 0 where there is none."""
    release = home / "release"
    match = VERSION.search(release.read_text(errors="replace")) if release.is_file() else None
    return int(match[1]) if match else 0


def _homes() -> Iterator[Path]:
    if os.environ.get("JAVA_HOME"):
        yield Path(os.environ["JAVA_HOME"])
    on_path = shutil.which("javac")
    if on_path:
        yield Path(on_path).resolve().parent.parent
    for home in sorted(Path("/usr/lib/jvm").glob("*")):
        if not home.is_symlink():
            yield home
