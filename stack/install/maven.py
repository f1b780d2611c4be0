"""Kafka, Connect, s3proxy, Debezium, the registry and the Avro converter, from Maven, against a lock."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

from stack.install import lockfile
from stack.install.cache import Piece, locked
from stack.install.commands import run

POMS = Path(__file__).parent / "maven"
LOCK = Path(__file__).parent / "maven.lock"
PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
CLASS_PATHS = ("kafka", "s3proxy")
TODO = "look at the machine's Maven settings and network, and run the command again: it goes on where it was"

# An archive's beginning -> the folder it is unpacked to.
ARCHIVES = {
    "io.debezium.debezium-connector-mysql-": "debezium",
    "io.apicurio.apicurio-registry-app-": "registry",
    "io.apicurio.apicurio-registry-distro-connect-converter-": "converter",
}


def piece(cache: Path) -> Piece:
    """All that comes from Maven: folders kafka, s3proxy, debezium, registry, converter."""
    digest = hashlib.sha256()
    for path in [LOCK, *sorted(POMS.rglob("pom.xml"))]:
        digest.update(path.read_bytes())
    return Piece(
        name="jars",
        key=f"maven-{digest.hexdigest()[:16]}",
        doing="Kafka, Connect, Debezium, registry and s3proxy from Maven (300 MB)",
        fill=lambda folder: _fill(folder, cache),
    )


def _fill(folder: Path, cache: Path) -> None:
    fetched = folder / "fetched"
    fetch(fetched, cache)
    lockfile.verify(fetched, lockfile.parse(LOCK.read_text(), LOCK.name))
    for name in CLASS_PATHS:
        (fetched / name).rename(folder / name)
    for archive in (fetched / "archives").iterdir():
        name = next(to for beginning, to in ARCHIVES.items() if archive.name.startswith(beginning))
        target = folder / name
        target.mkdir()
        run(["tar", "-xzf", archive, "-C", target], what=f"unpack {archive.name}", todo=TODO)
    # An old Connect converter that would shadow the worker's own.
    for old in (folder / "converter").glob("connect-json-*.jar"):
        old.unlink()
    shutil.rmtree(fetched)
    # What it held is in the finished piece now; only an interrupted call needs it.
    shutil.rmtree(_repository(cache), ignore_errors=True)


def fetch(target: Path, cache: Path) -> None:
    """Maven's files as they come: kafka/*.jar, s3proxy/*.jar, archives/*.tar.gz below `target`.

    Maven reads the machine's own settings. Its local repository is one of ours: two Mavens do not bear one.
    """
    work = target.parent / "poms"
    with locked(cache / "locks" / "maven-repository.lock"):
        shutil.rmtree(work, ignore_errors=True)
        shutil.copytree(POMS, work)
        run(
            [
                *("mvn", "-B", "-ntp", "-T", "3", f"-Dmaven.repo.local={_repository(cache)}"),
                *(PLUGIN, "-DincludeScope=runtime", "-Dmdep.prependGroupId=true"),
            ],
            what="get the jars from Maven",
            todo=TODO,
            cwd=work,
            env={**os.environ, "MAVEN_OPTS": f"{os.environ.get('MAVEN_OPTS', '')} -XX:TieredStopAtLevel=1"},
        )
    target.mkdir(parents=True, exist_ok=True)
    for module in (*CLASS_PATHS, "archives"):
        (work / module / "target" / "dependency").rename(target / module)
    shutil.rmtree(work)


def _repository(cache: Path) -> Path:
    return cache / "part" / "maven-repository"
