"""The project's own classes in Connect, compiled here, and the plugin path they make with those of others.

Two plugins, each with a class loader of its own: the converter beside the Avro converter that it wraps, and
Debezium with what it loads of ours by class name.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import zipfile
from pathlib import Path

from stack.install import java
from stack.install.cache import Piece
from stack.install.commands import run
from waybill.errors import UnreachableError

SERVICES = "META-INF/services/org.apache.kafka.connect.storage.Converter"
FOLDER = "waybill-converter"
LOADED_BY_DEBEZIUM = ("ExactFloat", "Json", "Year", "ZeroDatesAsNull")
DEBEZIUM = "debezium-connector-mysql"
# The oldest Java that runs Kafka 4: the same jar serves the native stack and the container image.
RELEASE = "17"


def sources(root: Path) -> Path:
    """The folder of the converter's sources in a checkout."""
    return root / "connect" / "converter" / "src" / "main"


def classes(root: Path) -> list[str]:
    """Names of the converter classes that Connect must list."""
    lines = (sources(root) / "resources" / SERVICES).read_text().splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def piece(root: Path, jars: Path) -> Piece:
    """The whole plugin path.

    `jars` is the finished piece from Maven; the key is the hash of the sources and of that piece's name.
    """
    base = sources(root)
    files = sorted(path for path in base.rglob("*") if path.is_file()) if base.is_dir() else []
    if not any(path.suffix == ".java" for path in files):
        raise UnreachableError(f"the converter's sources are not in {base}", todo="restore connect/converter from git")
    digest = hashlib.sha256(jars.name.encode() + Path(__file__).read_bytes())
    for path in files:
        digest.update(str(path.relative_to(base)).encode() + b"\0" + path.read_bytes() + b"\0")
    return Piece(
        name="converter",
        key=f"converter-{digest.hexdigest()[:16]}",
        doing="compiling the converter that keeps NULLs",
        fill=lambda folder: _fill(folder, base, jars),
    )


def _fill(folder: Path, base: Path, jars: Path) -> None:
    home = java.find()
    if home is None:
        raise UnreachableError("there is no javac of Java 17 or newer", todo="make setup")
    compiled = folder / "classes"
    compiled.mkdir()
    class_path = os.pathsep.join(f"{jars}/{name}/*" for name in ("kafka", "converter", f"debezium/{DEBEZIUM}"))
    run(
        [
            *(home / "bin/javac", "--release", RELEASE, "-encoding", "UTF-8", "-nowarn"),
            *("-cp", class_path, "-d", compiled),
            *sorted(base.glob("java/**/*.java")),
        ],
        what="compile the converter",
        todo="mend connect/converter, or restore it from git",
    )
    for name, theirs in ((FOLDER, jars / "converter"), (DEBEZIUM, jars / "debezium" / DEBEZIUM)):
        (folder / name).mkdir()
        for jar in theirs.glob("*.jar"):
            _link(jar, folder / name / jar.name)
    _jar(folder / FOLDER / f"{FOLDER}.jar", compiled, base / "resources")
    # Only what Debezium itself loads: a converter found by its class loader could not find the Avro converter.
    _jar(folder / DEBEZIUM / f"{FOLDER}.jar", compiled, only=LOADED_BY_DEBEZIUM)
    shutil.rmtree(compiled)


def _jar(target: Path, *tops: Path, only: str | tuple[str, ...] = "") -> None:
    with zipfile.ZipFile(target, "w") as archive:
        for top in tops:
            for path in sorted(top.rglob("*")):
                if path.is_file() and path.name.startswith(only):
                    # A fixed date: the same sources make the same jar.
                    archive.writestr(zipfile.ZipInfo(str(path.relative_to(top))), path.read_bytes())


def _link(source: Path, target: Path) -> None:
    try:
        target.hardlink_to(source)
    except OSError:
        shutil.copyfile(source, target)
