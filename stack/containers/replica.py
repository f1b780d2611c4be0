"""A replica of the stack's MySQL in a container of its own, for proofs (see `stack.replica`)."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymysql

from stack import accounts, ports
from stack.catalogue import MYSQL
from stack.containers.engine import Project
from stack.layout import Layout
from stack.replica import SETTINGS, follow, run_until
from waybill.errors import UnreachableError

INIT = Path("stack/containers/mysql-accounts.sql")


@dataclass(frozen=True)
class ComposeReplica:
    """Implements `stack.replica.Replica`. Make one with `compose_replica`."""

    port: int

    def address(self) -> dict[str, Any]:
        return {
            "host": "127.0.0.1",
            "port": self.port,
            "user": accounts.MYSQL_ADMIN.user,
            "password": accounts.MYSQL_ADMIN.password,
            "database": accounts.SOURCE_DATABASE,
        }

    def until(self, gtid_set: str, within: float = 300.0) -> None:
        run_until(self.address(), gtid_set, within)


@contextmanager
def compose_replica(
    layout: Layout | None = None, name: str = "replica", server_id: int = 223355
) -> Iterator[ComposeReplica]:
    """A fresh, empty replica of the compose stack's MySQL, in the stack's network; removed in the end.

    It has applied nothing before the first `until`. Two at a time need different names and server ids.
    """
    layout = layout or Layout.here()
    project = Project.of(layout.root, {})
    container = f"{project.name}-{name}"
    port = ports.choose([name], {}, (), seed=f"{layout.root} {name}")[name]
    settings = {**SETTINGS, "server-id": str(server_id)}
    _remove(container)
    try:
        _docker(
            *("run", "--detach", "--init", "--name", container, "--network", project.network),
            *("--publish", f"127.0.0.1:{port}:3306", "--memory", "1g"),
            *("--env", f"MYSQL_ROOT_PASSWORD={accounts.MYSQL_ADMIN.password}", "--env", "MYSQL_ROOT_HOST=localhost"),
            *(
                "--mount",
                f'type=bind,"source={layout.root / INIT}",target=/docker-entrypoint-initdb.d/accounts.sql,readonly',
            ),
            *(MYSQL.image, *(f"--{key}={value}" for key, value in settings.items())),
        )
        replica = ComposeReplica(port)
        _wait(replica, container)
        # As the replica sees it: by its name in the network, at the port inside.
        follow(replica.address(), {"host": "mysql", "port": MYSQL.port.container})
        yield replica
    finally:
        _remove(container)


def _docker(*words: str) -> None:
    done = subprocess.run(("docker", *words), capture_output=True, text=True, check=False)
    if done.returncode:
        raise UnreachableError(f"docker {words[0]} failed: {done.stderr.strip()[-1000:]}", todo="waybill stack status")


def _remove(container: str) -> None:
    subprocess.run(("docker", "rm", "--force", "--volumes", container), capture_output=True, check=False)


def _wait(replica: ComposeReplica, container: str) -> None:
    at: Mapping[str, Any] = replica.address()
    limit = time.monotonic() + MYSQL.ready_within
    while True:
        try:
            pymysql.connect(
                host=at["host"], port=at["port"], user=at["user"], password=at["password"], connect_timeout=5
            ).close()
            return
        except pymysql.Error as error:
            if time.monotonic() > limit:
                end = subprocess.run(
                    ("docker", "logs", "--tail", "20", container), capture_output=True, text=True, check=False
                )
                raise UnreachableError(
                    f"the replica does not answer: {error}. The end of its log:\n{end.stderr}{end.stdout}",
                    todo=f"docker logs {container}",
                ) from error
            time.sleep(0.2)
