"""Everything the native way needs, fetched at once, and where it ended up."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from stack import processes
from stack.install import converter, java, jre, machine, maven, mysql
from stack.install.cache import Piece, ensure
from stack.layout import Layout
from stack.progress import Progress
from waybill.errors import UnreachableError


@dataclass(frozen=True)
class Parts:
    """Folders and programs of a finished set-up.

    `jars` holds kafka, s3proxy, registry; `mysql` is an unpacked system; `plugins` is Connect's plugin path;
    `java` runs Kafka, `newer_java` the registry; `postgresql` is a folder.
    """

    jars: Path
    mysql: Path
    plugins: Path
    converters: tuple[str, ...]
    java: Path
    newer_java: Path
    postgresql: Path


def pieces(layout: Layout) -> list[Piece]:
    """The downloads."""
    return [maven.piece(layout.cache), mysql.piece(), jre.piece()]


def ready(layout: Layout) -> bool:
    """Whether a stack could be started with nothing fetched, compiled or installed."""
    if machine.missing() or not all(piece.ready(layout.cache) for piece in pieces(layout)):
        return False
    jars = maven.piece(layout.cache).folder(layout.cache)
    return converter.piece(layout.root, jars).ready(layout.cache)


def install(layout: Layout, progress: Progress) -> Parts:
    """Fetch and install what is missing, in parallel; quick when nothing is. May be interrupted and repeated.

    Raises UnreachableError or RefusedError saying which part failed and what to type.
    """
    if not ready(layout):
        _fetch(layout, progress)
    jars = maven.piece(layout.cache).folder(layout.cache)
    home, programs = java.find(), machine.postgresql()
    if home is None or programs is None:
        raise UnreachableError("a package of the machine vanished during the set-up", todo="make setup")
    return Parts(
        jars=jars,
        mysql=mysql.piece().folder(layout.cache),
        plugins=converter.piece(layout.root, jars).folder(layout.cache),
        converters=tuple(converter.classes(layout.root)),
        java=home / "bin/java",
        newer_java=jre.java(jre.piece().folder(layout.cache)),
        postgresql=programs,
    )


def _fetch(layout: Layout, progress: Progress) -> None:
    layout.cache.mkdir(parents=True, exist_ok=True)
    wanted = [piece for piece in pieces(layout) if not piece.ready(layout.cache)]
    lacking = machine.missing()
    names = [piece.name for piece in wanted]
    progress.expect(*(["machine packages"] if lacking else []), *names, "converter")
    progress.say(f"set-up: {len(names)} downloads into {layout.cache}")

    def packages() -> None:
        if lacking:
            with progress.part("machine packages", f"installing {', '.join(lacking)} with apt"):
                machine.install_missing()

    def fetch(piece: Piece) -> None:
        with progress.part(piece.name, piece.doing):
            ensure(piece, layout.cache)

    # Maven must be there before it can be asked, all else need not wait.
    def first_packages(piece: Piece) -> Callable[[], None]:
        def job() -> None:
            if piece.name == "jars":
                packages()
            fetch(piece)

        return job

    jobs = [first_packages(piece) for piece in wanted]
    if "jars" not in names:
        jobs.append(packages)
    with ThreadPoolExecutor(len(jobs)) as pool:
        running = [pool.submit(job) for job in jobs]
        try:
            wait(running)
        except BaseException:
            # Interrupted: apt, mvn and pip would else go on to their end.
            processes.end_helpers()
            raise
    errors = [error for job in running if (error := job.exception()) is not None]
    if errors:
        raise errors[0]
    jars = maven.piece(layout.cache).folder(layout.cache)
    fetch(converter.piece(layout.root, jars))
    progress.say(f"mysql: version {mysql.version(mysql.piece().folder(layout.cache))} of Debian sid")
    _sweep(layout)


def _sweep(layout: Layout) -> None:
    """Folders of interrupted calls that nobody fills now are removed once all is whole."""
    part = layout.cache / "part"
    if part.is_dir() and not any(part.iterdir()):
        shutil.rmtree(part, ignore_errors=True)
