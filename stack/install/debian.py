"""Packages of Debian, fetched with a private apt configuration and unpacked: the machine's own stay as they are.

Debian's own checksums hold: apt verifies the signed index, and each package against it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from stack.install import apt_sources
from stack.install.apt_sources import Source
from stack.install.commands import run
from waybill.errors import UnreachableError

TODO = "look at apt's sources and the network, and run the command again; or use containers"


def source(what: str) -> Source:
    """The machine's source of Debian. Raises UnreachableError when it has none; `what` is what comes from there."""
    found = apt_sources.debian(apt_sources.read())
    if found is None:
        raise UnreachableError(
            f"{what}, and this machine's apt sources name no Debian archive",
            todo="start the containers instead (waybill stack up --compose), or use a Debian machine",
        )
    return found


def download(apt: Path, origin: Source, suite: str, package: str, closure: bool) -> list[Path]:
    """The package of that suite as a file under `apt`, with all it depends on (`closure`) or alone."""
    for name in ("lists/partial", "archives/partial"):
        (apt / name).mkdir(parents=True)
    (apt / "status").touch()
    (apt / "sources.list").write_text(apt_sources.in_suite(origin, suite))
    options = [
        *("-o", f"Dir::State::Lists={apt}/lists", "-o", f"Dir::State::status={apt}/status"),
        *("-o", f"Dir::Cache={apt}", "-o", f"Dir::Etc::sourcelist={apt}/sources.list"),
        *("-o", "Dir::Etc::sourceparts=/dev/null", "-o", "Dir::Etc::preferencesparts=/dev/null"),
        *("-o", "Acquire::Languages=none", "-o", f"APT::Sandbox::User={os.environ.get('USER') or 'root'}"),
        *("-o", "APT::Install-Recommends=false", "-o", "Debug::NoLocking=true"),
    ]
    run(["apt-get", "-qq", *options, "update"], what=f"read Debian {suite}'s index", todo=TODO)
    # An empty status file makes apt name and fetch the whole closure, libc included.
    words = ["-y", *options, "install", "--download-only"] if closure else [*options, "download"]
    run(
        ["apt-get", "-qq", *words, package],
        what=f"download {package} {'and its libraries' if closure else ''}".strip(),
        todo=TODO,
        cwd=apt / "archives",
    )
    return sorted((apt / "archives").glob("*.deb"))


def version(packages: Iterable[Path], package: str) -> str:
    """The full version of a downloaded package, from its file's name."""
    name = next(path.name for path in packages if path.name.startswith(f"{package}_"))
    return name.split("_")[1].replace("%3a", ":")


def unpack(package: Path, folder: Path, leave_out: Iterable[str] = ()) -> None:
    """Its files into `folder`, as if that were the file system's root; none of its scripts is run."""
    archive = package.with_suffix(".tar")
    run(
        ["sh", "-c", 'dpkg-deb --fsys-tarfile "$1" >"$2"', "unpack", package, archive],
        what=f"unpack {package.name}",
        todo=TODO,
    )
    run(
        ["tar", "-xf", archive, "-C", folder, "--no-same-owner", *(f"--exclude={name}" for name in leave_out)],
        what=f"unpack {package.name}",
        todo=TODO,
    )
    archive.unlink()
