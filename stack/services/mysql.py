"""mysqld out of its unpacked system, with its own loader and libraries."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from stack import accounts, probes
from stack.catalogue import MYSQL
from stack.install import mysql as unpacked
from stack.install.commands import run
from stack.install.parts import Parts
from stack.services.launch import HOST, Launch, Native, Place


def program(parts: Parts) -> list[str]:
    """mysqld and the options that tell it where its own files are."""
    root = parts.mysql
    return [
        *(str(unpacked.loader(root)), "--library-path", str(unpacked.libraries(root))),
        *(str(root / "usr/sbin/mysqld"), "--no-defaults", f"--basedir={root}/usr"),
        f"--lc-messages-dir={root}/usr/share/mysql",
        f"--character-sets-dir={root}/usr/share/mysql/charsets",
        f"--plugin-dir={root}/usr/lib/mysql/plugin",
        *(["--user=root"] if os.geteuid() == 0 else []),
    ]


def server(parts: Parts, data: Path, port: int, settings: Mapping[str, str]) -> tuple[str, ...]:
    """The command of a server on `port`, with its data in `data`. It listens on no unix socket."""
    return (
        *program(parts),
        *(f"--datadir={data}", f"--port={port}", f"--bind-address={HOST}", "--socket="),
        *(f"--pid-file={data}/mysqld.pid", f"--tmpdir={data.parent}"),
        *(f"--{name}={value}" for name, value in settings.items()),
        *("--secure-file-priv=NULL", "--log-error-verbosity=2"),
    )


def account_statements() -> list[str]:
    """The accounts of a fresh server, one statement a line as an init file wants it."""
    admin, debezium, replica = (
        f"'{login.user}'@'%' IDENTIFIED BY '{login.password}'"
        for login in (accounts.MYSQL_ADMIN, accounts.MYSQL_DEBEZIUM, accounts.MYSQL_REPLICATION)
    )
    return [
        f"ALTER USER 'root'@'localhost' IDENTIFIED BY '{accounts.MYSQL_ADMIN.password}';",
        f"CREATE USER {admin};",
        f"GRANT ALL ON *.* TO '{accounts.MYSQL_ADMIN.user}'@'%' WITH GRANT OPTION;",
        f"CREATE USER {debezium};",
        *(grant.format(user=f"'{accounts.MYSQL_DEBEZIUM.user}'@'%'") + ";" for grant in accounts.DEBEZIUM_GRANTS),
        f"CREATE USER {replica};",
        f"GRANT REPLICATION SLAVE ON *.* TO '{accounts.MYSQL_REPLICATION.user}'@'%';",
    ]


def initialise(parts: Parts, data: Path) -> None:
    """Make a data folder with the accounts in it, once. Nothing of it stands in a binary log."""
    if data.exists():
        return
    part = data.with_name(data.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.parent.mkdir(parents=True, exist_ok=True)
    init = part.with_suffix(".sql")
    init.write_text("\n".join(account_statements()) + "\n")
    run(
        [
            *program(parts),
            "--initialize-insecure",
            f"--datadir={part}",
            f"--init-file={init}",
            "--mysqlx=OFF",
        ],
        what="make MySQL's data folder",
        todo="waybill stack logs mysql; then run the command again",
        limit=120,
    )
    init.unlink()
    part.rename(data)


def _prepare(place: Place) -> None:
    initialise(place.parts, place.data(MYSQL))


def _launch(place: Place) -> Launch:
    return Launch(server(place.parts, place.data(MYSQL), place.ports["mysql"], MYSQL.settings))


NATIVE = Native(
    service=MYSQL,
    prepare=_prepare,
    launch=_launch,
    probe=lambda place: probes.mysql(place.addresses),
)
