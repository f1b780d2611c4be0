"""MySQL from Debian sid, unpacked into the cache: nothing of the machine's packages is touched.

Debian's own checksums hold: apt verifies the signed index of sid, and each package against it. What is pinned
is the package's name and the tested series; the exact version is printed and kept in the file VERSION.
"""

from __future__ import annotations

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from stack.catalogue import MYSQL_SERIES
from stack.install import debian
from stack.install.cache import Piece
from stack.install.commands import run
from waybill.errors import RefusedError

PACKAGE = "mysql-server-core"
SUITE = "sid"
# Weight that mysqld does not load: perl comes with the server's scripts.
LEAVE_OUT = (
    "./usr/share/doc",
    "./usr/share/man",
    "./usr/share/locale",
    "./usr/share/perl*",
    "./usr/share/info",
)


def architecture() -> str:
    """Debian's name of this machine's architecture."""
    return run(["dpkg", "--print-architecture"], what="ask dpkg", todo="use containers here").strip()


def piece() -> Piece:
    """A folder like a file system's root with mysqld in it, and the file VERSION."""
    return Piece(
        name="mysql",
        key=f"mysql-{MYSQL_SERIES}-{os.uname().machine}",
        doing=f"MySQL {MYSQL_SERIES} from Debian {SUITE} (60 MB)",
        fill=_fill,
    )


def version(folder: Path) -> str:
    """Debian's full version of what was unpacked."""
    return (folder / "VERSION").read_text().strip()


def libraries(folder: Path) -> Path:
    """The unpacked system's library folder, where its own dynamic loader is too."""
    return next(folder.glob("usr/lib/*-linux-gnu*"))


def loader(folder: Path) -> Path:
    """The unpacked system's dynamic loader: mysqld needs a newer libc than the machine may have."""
    return next(libraries(folder).glob("ld-linux*.so.*"))


def _fill(folder: Path) -> None:
    origin = debian.source("MySQL comes from Debian sid")
    packages = debian.download(folder / "apt", origin, SUITE, PACKAGE, closure=True)
    full = debian.version(packages, PACKAGE)
    _check_series(full)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda package: _unpack(package, folder), packages))
    shutil.rmtree(folder / "apt")
    (folder / "VERSION").write_text(full + "\n")
    mysqld = (loader(folder), "--library-path", libraries(folder), folder / "usr/sbin/mysqld")
    run([*mysqld, "--no-defaults", "--version"], what="run mysqld", todo=f"remove {folder} and run again")


def _check_series(full: str) -> None:
    wanted = os.environ.get("WAYBILL_MYSQL_SERIES", MYSQL_SERIES)
    if full.split(":")[-1].startswith(f"{wanted}."):
        return
    series = ".".join(full.split(":")[-1].split(".")[:2])
    raise RefusedError(
        f"Debian {SUITE} has MySQL {full} now; waybill is tested with {MYSQL_SERIES}",
        kept="nothing was installed",
        todo=f"try it (WAYBILL_MYSQL_SERIES={series} make setup), or use containers",
    )


def _unpack(package: Path, folder: Path) -> None:
    if not package.name.startswith(("perl", "libperl")):
        debian.unpack(package, folder, LEAVE_OUT)
