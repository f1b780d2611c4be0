"""The truth: what MySQL itself wrote down, followed with its own `mysqlbinlog`. Debezium has no part in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from stack.install import mysql as unpacked
from stack.layout import Layout
from tests.chaos.binlog_text import BinlogText
from tests.chaos.events import Transaction
from tests.chaos.forms import Column

SECONDS = 120


class Unreadable(RuntimeError):
    """The binlog cannot be read just now."""


def program() -> list[str] | None:
    """How mysqlbinlog is called: out of the MySQL of `make setup`, else the machine's; None when there is none."""
    folder = unpacked.piece().folder(Layout.here().cache)
    path = folder / "usr/bin/mysqlbinlog"
    if path.is_file():
        return [str(unpacked.loader(folder)), "--library-path", str(unpacked.libraries(folder)), str(path)]
    found = shutil.which("mysqlbinlog")
    return [found] if found else None


class Truth:
    """Follows the binlog of the server at `address` from where it stands now, for the tables in `carried`."""

    def __init__(self, address: Mapping[str, Any], file: str, position: int, carried: Collection[str]) -> None:
        self._address = address
        self._carried = carried
        self.file, self.position = file, position
        self.columns: dict[str, list[Column]] = {}
        self.keys: dict[str, list[str]] = {}

    def more(self) -> list[Transaction]:
        """What was committed since the last call. Raises `Unreadable` when the server or the program fails."""
        words = program()
        if words is None:
            raise Unreadable("there is no mysqlbinlog: make setup brings it with MySQL")
        with tempfile.TemporaryFile("w+b") as out:
            done = subprocess.run(
                [*words, *self._options(), self.file],
                env={"PATH": os.environ.get("PATH", ""), "MYSQL_PWD": str(self._address["password"]), "TZ": "UTC"},
                stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.PIPE, check=False, timeout=SECONDS,
                cwd=Path("/"),
            )  # fmt: skip
            if done.returncode:
                raise Unreadable(f"mysqlbinlog from {self.file}:{self.position}: {done.stderr.decode()[-1000:]}")
            out.seek(0)
            text = BinlogText(self.file, self.position, self._carried)
            found = list(text.read(line.decode("utf-8", "surrogateescape") for line in out))
        self.file, self.position = text.file, text.position
        self.columns.update(text.columns())
        self.keys.update(text.keys())
        return found

    def _options(self) -> list[str]:
        at = self._address
        return [
            *("--no-defaults", "--read-from-remote-server", f"--host={at['host']}", f"--port={at['port']}"),
            *(f"--user={at['user']}", "--base64-output=DECODE-ROWS", "-vv", "--print-table-metadata"),
            *("--to-last-log", f"--start-position={self.position}"),
        ]
