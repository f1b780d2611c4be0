"""Packages of the machine: which are missing, and installing them with apt without starting any service."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stack.catalogue import OLDEST_POSTGRESQL
from stack.install import java
from stack.install.cache import locked
from stack.install.commands import run
from waybill.errors import UnreachableError

JDKS = (
    "openjdk-17-jdk-headless",
    "openjdk-21-jdk-headless",
    "openjdk-25-jdk-headless",
    "default-jdk-headless",
)
POLICY = Path("/usr/sbin/policy-rc.d")
POLICY_TEXT = "#!/bin/sh\n# waybill's set-up: no service starts while its packages are installed\nexit 101\n"
CLUSTERS = Path("/etc/postgresql-common/createcluster.d/waybill-setup.conf")
CLUSTERS_TEXT = "create_main_cluster = false\n"


def postgresql() -> Path | None:
    """The folder with the programs of the newest PostgreSQL of the machine, 15 or newer, or None."""
    found = [
        (int(home.name), home / "bin")
        for home in Path("/usr/lib/postgresql").glob("*")
        if home.name.isdigit() and (home / "bin/initdb").is_file() and (home / "bin/postgres").is_file()
    ]
    newest = max(found, default=(0, Path()))
    return newest[1] if newest[0] >= OLDEST_POSTGRESQL else None


def missing() -> list[str]:
    """What the native way needs of the machine and does not find, as words for a person."""
    wanted = {
        "a JDK 17 or newer": java.find() is not None,
        "maven": shutil.which("mvn") is not None,
        f"postgresql {OLDEST_POSTGRESQL} or newer": postgresql() is not None,
    }
    return [name for name, there in wanted.items() if not there]


def install_missing() -> None:
    """Install with apt what `missing` names. Nothing when all is there.

    Raises UnreachableError with the command to type where apt, or the right to use it, is missing.
    """
    wanted = missing()
    if not wanted:
        return
    by_hand = "install it, then run the command again; or start the stack in containers"
    if shutil.which("apt-get") is None:
        raise UnreachableError(f"{', '.join(wanted)}: missing, and there is no apt-get here", todo=by_hand)
    root = _as_root(wanted)
    lock = Path("/tmp") / f"waybill-apt-{os.getuid()}.lock"
    with locked(lock), _no_services(root):
        run([*root, "apt-get", "-qq", "update"], what="read apt's index", todo=by_hand)
        packages = [_package(name) for name in wanted]
        run(
            [
                *(*root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-y", "install"),
                *("-o", "Dpkg::Use-Pty=0", "-o", "DPkg::Lock::Timeout=300", "--no-install-recommends"),
                *packages,
            ],
            what=f"install {' '.join(packages)}",
            todo=by_hand,
            limit=1800,
        )
    still = missing()
    if still:
        raise UnreachableError(f"after installing {' '.join(packages)} {', '.join(still)} is missing", todo=by_hand)


def _package(name: str) -> str:
    if name == "maven":
        return "maven"
    if name.startswith("postgresql"):
        return "postgresql"
    for package in JDKS:
        shown = run(["apt-cache", "policy", package], what="ask apt", todo="install a JDK 17 or newer")
        if "Candidate:" in shown and "Candidate: (none)" not in shown:
            return package
    return JDKS[-1]


def _as_root(wanted: list[str]) -> list[str]:
    if os.geteuid() == 0:
        return []
    try:
        run(["sudo", "-n", "true"], what="become root without a password", todo="")
    except UnreachableError as error:
        raise UnreachableError(
            f"{', '.join(wanted)}: missing, and installing it needs root or sudo without a password",
            todo="sudo apt-get install --no-install-recommends default-jdk-headless maven postgresql",
        ) from error
    return ["sudo", "-n"]


@contextmanager
def _no_services(root: list[str]) -> Iterator[None]:
    """Guards against daemons started, and clusters made, by the packages' own scripts; taken away after."""
    made: list[Path] = []
    for path, text in ((POLICY, POLICY_TEXT), (CLUSTERS, CLUSTERS_TEXT)):
        # A guard of an interrupted set-up has our text: it is taken over and taken away.
        if not path.exists() or path.read_text(errors="replace") == text:
            script = 'mkdir -p "$(dirname "$1")" && printf %s "$2" >"$1" && chmod 755 "$1"'
            run([*root, "sh", "-c", script, "guard", path, text], what=f"write {path}", todo="")
            made.append(path)
    try:
        yield
    finally:
        for path in made:
            run([*root, "rm", "-f", path], what=f"remove {path}", todo=f"rm {path}")
