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
from stack.install import apt_sources
from stack.install.cache import Piece
from stack.install.commands import run
from waybill.errors import RefusedError, UnreachableError

PACKAGE = "mysql-server-core"
SUITE = "sid"
TODO = "look at apt's sources and the network, and run the command again; or use containers"
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
    source = apt_sources.debian(apt_sources.read())
    if source is None:
        raise UnreachableError(
            "MySQL comes from Debian sid, and this machine's apt sources name no Debian archive",
            todo="start the containers instead (waybill stack up --compose), or use a Debian machine",
        )
    apt = folder / "apt"
    for name in ("lists/partial", "archives/partial"):
        (apt / name).mkdir(parents=True)
    (apt / "status").touch()
    (apt / "sources.list").write_text(apt_sources.in_suite(source, SUITE))
    options = [
        *("-o", f"Dir::State::Lists={apt}/lists", "-o", f"Dir::State::status={apt}/status"),
        *("-o", f"Dir::Cache={apt}", "-o", f"Dir::Etc::sourcelist={apt}/sources.list"),
        *("-o", "Dir::Etc::sourceparts=/dev/null", "-o", "Dir::Etc::preferencesparts=/dev/null"),
        *("-o", "Acquire::Languages=none", "-o", f"APT::Sandbox::User={os.environ.get('USER') or 'root'}"),
        *("-o", "APT::Install-Recommends=false", "-o", "Debug::NoLocking=true"),
    ]
    run(["apt-get", "-qq", *options, "update"], what=f"read Debian {SUITE}'s index", todo=TODO)
    # An empty status file makes apt name and fetch the whole closure, libc included.
    run(
        ["apt-get", "-qq", "-y", *options, "install", "--download-only", PACKAGE],
        what=f"download {PACKAGE} and its libraries",
        todo=TODO,
    )
    packages = sorted((apt / "archives").glob("*.deb"))
    full = next(path.name.split("_")[1] for path in packages if path.name.startswith(f"{PACKAGE}_"))
    full = full.replace("%3a", ":")
    _check_series(full)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda package: _unpack(package, folder), packages))
    shutil.rmtree(apt)
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
    if package.name.startswith(("perl", "libperl")):
        return
    archive = package.with_suffix(".tar")
    run(
        ["sh", "-c", 'dpkg-deb --fsys-tarfile "$1" >"$2"', "unpack", package, archive],
        what=f"unpack {package.name}",
        todo=TODO,
    )
    run(
        [
            "tar",
            "-xf",
            archive,
            "-C",
            folder,
            "--no-same-owner",
            *(f"--exclude={name}" for name in LEAVE_OUT),
        ],
        what=f"unpack {package.name}",
        todo=TODO,
    )
    archive.unlink()
