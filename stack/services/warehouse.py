"""PostgreSQL of the machine, with data of its own; as root it gets another user, because it refuses to."""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from stack import probes, processes
from stack.accounts import WAREHOUSE_OWNER
from stack.catalogue import WAREHOUSE
from stack.install import machine
from stack.install.commands import run
from stack.layout import Layout
from stack.services.launch import HOST, Launch, Native, Place
from waybill.errors import RefusedError, UnreachableError

TODO = "waybill stack logs warehouse; then run the command again"


def other_user() -> pwd.struct_passwd | None:
    """The user PostgreSQL runs as; None when we are not root and it runs as ourselves."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise UnreachableError("there is no user postgres or nobody to run PostgreSQL as", todo="adduser postgres")


def as_user(user: pwd.struct_passwd | None) -> tuple[str, ...]:
    """The beginning of a command that runs as that user, in the same process."""
    if user is None:
        return ()
    return ("setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--")


def data_folder(layout: Layout) -> Path:
    """PostgreSQL's folder: in the checkout, or under /var/tmp where its user cannot reach the checkout.

    Decided once and written down; `stack down --wipe` removes both.
    """
    note = _note(layout)
    if note.is_file():
        return Path(note.read_text().strip())
    user = other_user()
    layout.data.mkdir(parents=True, exist_ok=True)
    folder = layout.data / WAREHOUSE.name
    if user is not None and not _reaches(user, layout.data):
        told = hashlib.sha256(str(layout.root).encode()).hexdigest()[:12]
        folder = Path("/var/tmp") / f"waybill-{told}" / WAREHOUSE.name
    note.parent.mkdir(parents=True, exist_ok=True)
    note.write_text(f"{folder}\n")
    return folder


def wipe(layout: Layout) -> None:
    """Remove the data that lies outside the checkout, if any."""
    note = _note(layout)
    if not note.is_file():
        return
    folder = Path(note.read_text().strip())
    if layout.data not in folder.parents and folder.parent.name.startswith("waybill-"):
        shutil.rmtree(folder.parent, ignore_errors=True)
    note.unlink()


def version() -> str:
    """The major of the machine's PostgreSQL, empty when there is none."""
    programs = machine.postgresql()
    return programs.parent.name if programs else ""


def _note(layout: Layout) -> Path:
    return layout.state / "warehouse-data"


def _reaches(user: pwd.struct_passwd, folder: Path) -> bool:
    return subprocess.run([*as_user(user), "test", "-x", str(folder)], check=False).returncode == 0


def _prepare(place: Place) -> None:
    data = data_folder(place.layout)
    if (data / "PG_VERSION").exists():
        _check_major(data, place.parts.postgresql)
        _forget_killed(data)
        return
    user = other_user()
    data.parent.mkdir(parents=True, exist_ok=True)
    if user is not None and place.layout.data not in data.parents:
        if data.parent.stat().st_uid not in (os.geteuid(), user.pw_uid) or data.parent.is_symlink():
            raise RefusedError(f"{data.parent} belongs to somebody else", todo=f"look into it, remove {data.parent}")
        data.parent.chmod(0o755)
    # initdb makes its folder inside one that its user owns; both are then moved into place.
    nursery = Path(tempfile.mkdtemp(prefix="initdb-", dir=data.parent))
    try:
        password = nursery / "password"
        password.write_text(WAREHOUSE_OWNER.password + "\n")
        if user is not None:
            for path in (nursery, password):
                os.chown(path, user.pw_uid, user.pw_gid)
        run(
            [
                *(*as_user(user), str(place.parts.postgresql / "initdb"), "--pgdata", str(nursery / "data")),
                *("--username", WAREHOUSE_OWNER.user, "--pwfile", str(password), "--auth=scram-sha-256"),
                *("--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions"),
            ],
            what="make PostgreSQL's data folder",
            todo=TODO,
            cwd=Path("/"),
            limit=120,
        )
        (nursery / "data").rename(data)
    finally:
        shutil.rmtree(nursery, ignore_errors=True)


def _forget_killed(data: Path, within: float = 10.0) -> None:
    """After a SIGKILL: wait for the server's children to go, then remove its lock file.

    PostgreSQL takes the lock for held while the killed process has not been reaped, or when another one has its
    id meanwhile. Every process of a server works in its data folder; while one is left the lock stays.
    """
    until = time.monotonic() + within
    while processes.working_in(data):
        if time.monotonic() > until:
            return
        time.sleep(0.1)
    (data / "postmaster.pid").unlink(missing_ok=True)


def _check_major(data: Path, programs: Path) -> None:
    written, here = (data / "PG_VERSION").read_text().strip(), programs.parent.name
    if written != here:
        raise RefusedError(
            f"the warehouse's data were written by PostgreSQL {written}, this machine has {here} now",
            kept=f"the data are untouched in {data}",
            todo=f"install postgresql-{written}, or begin anew: waybill stack down --wipe",
        )


def _launch(place: Place) -> Launch:
    settings = {
        **WAREHOUSE.settings,
        "listen_addresses": HOST,
        "port": str(place.ports["warehouse"]),
        # No unix socket: its path would be too long in some checkouts.
        "unix_socket_directories": "",
        "logging_collector": "off",
    }
    return Launch(
        argv=(
            *as_user(other_user()),
            *(str(place.parts.postgresql / "postgres"), "-D", str(data_folder(place.layout))),
            *(word for name, value in settings.items() for word in ("-c", f"{name}={value}")),
        ),
    )


NATIVE = Native(
    service=WAREHOUSE,
    prepare=_prepare,
    launch=_launch,
    probe=lambda place: probes.warehouse(place.addresses),
    # Smart shutdown, PostgreSQL's answer to SIGTERM, would wait for every client to go.
    stop_signal=signal.SIGINT,
    # Backends of a killed postmaster hold its shared memory until they notice.
    passing=("pre-existing shared memory block",),
)
