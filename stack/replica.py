"""A second MySQL that follows the first by GTID and can be stopped at an exact binlog position.

For proofs: what stood in the source at the GTID set of a commit cycle can be read from a replica stopped there.
"""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pymysql
import pymysql.cursors

from stack import accounts, ports, processes
from stack.catalogue import MYSQL
from stack.install import parts
from stack.layout import Layout
from stack.log import tail
from stack.progress import Progress
from stack.services import mysql
from stack.services.launch import HOST, Launch
from waybill.errors import UnreachableError

SETTINGS: Mapping[str, str] = {
    # What the binlog of the first says is applied as it is; a log of its own is of no use.
    **{name: value for name, value in MYSQL.settings.items() if not name.startswith(("log-bin", "binlog-"))},
    "skip-log-bin": "ON",
    "log-replica-updates": "OFF",
    "innodb-buffer-pool-size": "128M",
    "innodb-redo-log-capacity": "128M",
    "innodb-flush-log-at-trx-commit": "0",
    "skip-replica-start": "ON",
}


class Replica(Protocol):
    """A replica of the stack's MySQL, whichever way it runs."""

    def address(self) -> dict[str, Any]:
        """host, port, user, password and database, as under `mysql` in `stack env --json`."""

    def until(self, gtid_set: str, within: float = 300.0) -> None:
        """Apply all of `gtid_set` and nothing that stands in the binlog after it; returns when that is done.

        May be called again with a later set. Raises UnreachableError with MySQL's own words when replication
        fails or takes longer than `within` seconds.
        """


@dataclass(frozen=True)
class NativeReplica:
    """A replica as a process of this machine. Make one with `native_replica`."""

    port: int

    def address(self) -> dict[str, Any]:
        return {
            "host": HOST,
            "port": self.port,
            "user": accounts.MYSQL_ADMIN.user,
            "password": accounts.MYSQL_ADMIN.password,
            "database": accounts.SOURCE_DATABASE,
        }

    def until(self, gtid_set: str, within: float = 300.0) -> None:
        run_until(self.address(), gtid_set, within)


@contextmanager
def native_replica(
    primary: Mapping[str, Any], layout: Layout | None = None, name: str = "replica", server_id: int = 223355,
    log_bin: str = "",
) -> Iterator[NativeReplica]:  # fmt: skip
    """A fresh, empty replica of `primary` (as under `mysql` in `stack env --json`), deleted in the end.

    It has applied nothing before the first `until`. The primary must still have its binlog from the beginning.
    Two at a time need different names and server ids. With `log_bin` it writes a binlog of that name, so that it can
    take the primary's place.
    """
    layout = layout or Layout.here()
    with Progress() as progress:
        programs = parts.install(layout, progress)
    folder = layout.state / "replicas" / name
    record = layout.records / f"{name}.json"
    _end(record)
    shutil.rmtree(folder, ignore_errors=True)
    try:
        data = folder / "mysql"
        mysql.initialise(programs, data)
        port = ports.choose([name], {}, (), seed=f"{layout.root} {name}")[name]
        settings = {**MYSQL.settings, "log-bin": log_bin, "skip-replica-start": "ON"} if log_bin else SETTINGS
        argv = mysql.server(programs, data, port, {**settings, "server-id": str(server_id)})
        launch = Launch(argv)
        pid = processes.start(
            launch.argv,
            env=launch.full_environment(),
            cwd=launch.cwd,
            log=layout.logs / f"{name}.log",
            mark=str(layout.root),
        )
        identity = processes.identify(pid)
        if identity is not None:
            processes.save(record, processes.Record(identity, launch.fingerprint(), time.time()))
        replica = NativeReplica(port)
        _wait(replica, identity, layout.logs / f"{name}.log")
        follow(replica.address(), primary)
        yield replica
    finally:
        _end(record)
        shutil.rmtree(folder, ignore_errors=True)


def follow(replica: Mapping[str, Any], primary: Mapping[str, Any], host: str | None = None) -> None:
    """Tell a replica whom it follows, by auto-position; `host` and port are the primary's as it sees it."""
    with _connect(replica) as connection, connection.cursor() as cursor:
        cursor.execute(
            "CHANGE REPLICATION SOURCE TO SOURCE_HOST = %s, SOURCE_PORT = %s, SOURCE_USER = %s,"
            " SOURCE_PASSWORD = %s, SOURCE_AUTO_POSITION = 1, GET_SOURCE_PUBLIC_KEY = 1,"
            " SOURCE_CONNECT_RETRY = 1",
            (
                host or primary["host"],
                int(primary["port"]),
                accounts.MYSQL_REPLICATION.user,
                accounts.MYSQL_REPLICATION.password,
            ),
        )


def run_until(replica: Mapping[str, Any], gtid_set: str, within: float) -> None:
    """`Replica.until` for a server that has been told whom it follows."""
    wanted = re.sub(r"\s", "", gtid_set)
    limit = time.monotonic() + within
    with _connect(replica) as connection, connection.cursor(pymysql.cursors.DictCursor) as cursor:
        cursor.execute("STOP REPLICA")
        cursor.execute("START REPLICA UNTIL SQL_AFTER_GTIDS = %s", (wanted,))
        while True:
            cursor.execute("SHOW REPLICA STATUS")
            status = cursor.fetchone() or {}
            error = status.get("Last_SQL_Error") or status.get("Last_IO_Error")
            if error:
                raise UnreachableError(f"the replica stopped: {error}", todo="look at the primary's binlog")
            if status.get("Replica_SQL_Running") == "No":
                break
            if time.monotonic() > limit:
                raise UnreachableError(
                    f"the replica did not reach {wanted} within {within:.0f} s;"
                    f" it has {status.get('Executed_Gtid_Set')}",
                    todo="is every transaction of the set in the primary's binlog?",
                )
            time.sleep(0.1)
        cursor.execute("STOP REPLICA")
        cursor.execute("SELECT GTID_SUBSET(%s, @@global.gtid_executed) AS reached", (wanted,))
        if not (cursor.fetchone() or {}).get("reached"):
            raise UnreachableError(f"the replica ended before {wanted}", todo="waybill stack logs mysql")


def _connect(at: Mapping[str, Any]) -> pymysql.Connection[Any]:
    return pymysql.connect(
        host=at["host"], port=int(at["port"]), user=at["user"], password=at["password"], connect_timeout=5
    )


def _wait(replica: NativeReplica, identity: processes.Identity | None, log: Path) -> None:
    limit = time.monotonic() + MYSQL.ready_within
    while True:
        try:
            _connect(replica.address()).close()
            return
        except pymysql.Error as error:
            if identity is None or not processes.alive(identity) or time.monotonic() > limit:
                raise UnreachableError(
                    f"the replica does not answer: {error}. The end of {log}:\n{tail(log, 20)}",
                    todo="look at the log, then run it again",
                ) from error
        time.sleep(0.1)


def _end(record: Path) -> None:
    found = processes.load(record)
    if found is not None:
        # Nothing in it is kept: there is no reason to let it flush.
        processes.end(found.identity, processes.KILL, 10)
    record.unlink(missing_ok=True)
