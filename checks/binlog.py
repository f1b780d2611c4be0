"""Which tables a transaction touched, by MySQL's own binlog: for those of which no END record tells."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from checks.mysql import MysqlSession
from waybill.errors import WaybillError
from waybill.gtid import Gtid, GtidSet

_GTID = re.compile(r"GTID_NEXT\s*=\s*'([^']+)'")
_TABLE = re.compile(r"\((.+)\)\s*$")
_MOST_BYTES = 256 * 2**20


def touched(mysql: MysqlSession, gtids: GtidSet, tables: Collection[str]) -> dict[Gtid, frozenset[str]]:
    """For each of these transactions that the binlog still holds: which of `tables` (database.table) it touched.

    A statement (DDL, TRUNCATE) touches a table that its text names. What is not in the answer is not known:
    the user may not read the binlog (REPLICATION SLAVE), it was purged, or there are more than 256 MiB to read.
    """
    found: dict[Gtid, frozenset[str]] = {}
    size = 0
    try:
        for file in reversed(mysql.rows("SHOW BINARY LOGS")):
            older = _before(mysql, str(file["Log_name"]))
            wanted = _without(gtids, found)
            if wanted - older:
                size += int(file["File_size"])
                if size > _MOST_BYTES:
                    break
                for gtid, names in _transactions(mysql, str(file["Log_name"]), tables):
                    if gtid in wanted:
                        found[gtid] = names
            left = _without(wanted, found)
            if left - older == left:
                break
    except WaybillError:
        return found
    return found


def _without(gtids: GtidSet, found: Collection[Gtid]) -> GtidSet:
    return gtids - GtidSet.parse(",".join(map(str, found)))


def _before(mysql: MysqlSession, file: str) -> GtidSet:
    """What stands in older files."""
    for event in mysql.rows("SHOW BINLOG EVENTS IN %s LIMIT 3", (file,)):
        if event["Event_type"] == "Previous_gtids":
            return GtidSet.parse(str(event["Info"]))
    return GtidSet()


def _transactions(mysql: MysqlSession, file: str, tables: Collection[str]) -> Iterator[tuple[Gtid, frozenset[str]]]:
    """Every transaction of a file whose events can be read, compressed ones are left out."""
    gtid: Gtid | None = None
    names: set[str] = set()
    readable = True
    for _, _, kind, _, _, info in mysql.stream(f"SHOW BINLOG EVENTS IN '{file}'", "reading the binlog"):
        begins = _GTID.search(info)
        if begins:
            if gtid and readable:
                yield gtid, frozenset(names)
            gtid, names, readable = Gtid.parse(begins.group(1)), set(), True
        elif kind == "Transaction_payload":
            readable = False
        elif kind == "Table_map":
            table = _TABLE.search(info)
            names.update(t for t in tables if table and t == table.group(1))
        elif kind == "Query":
            names.update(t for t in tables if re.search(rf"\b{re.escape(t.partition('.')[2])}\b", info))
    if gtid and readable:
        yield gtid, frozenset(names)
