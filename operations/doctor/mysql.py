"""The source: binlog, GTIDs, grants, and what the binlog would not carry."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial

from checks.mysql import MysqlSession
from operations.doctor.examination import Check, Note, Wrong
from waybill.addresses import Mysql
from waybill.clock import Clock
from waybill.errors import WaybillError

_MUST = {
    "log_bin": "ON",
    "binlog_format": "ROW",
    "binlog_row_image": "FULL",
    "binlog_row_metadata": "FULL",
    "binlog_row_value_options": "",
    "gtid_mode": "ON",
    "enforce_gtid_consistency": "ON",
    "binlog_order_commits": "ON",
}
_WHY = {
    "binlog_row_value_options": "partial JSON row images cannot be carried",
    "binlog_order_commits": "else transactions become visible in another order than the binlog's",
}
_LEAST_RETENTION = 3 * 86_400
_GLOBAL = ("SELECT", "RELOAD", "SHOW DATABASES", "REPLICATION SLAVE", "REPLICATION CLIENT", "LOCK TABLES")
_OWN = ("SELECT", "INSERT", "UPDATE", "DELETE")


def checks(
    address: Mysql, tables: Sequence[str], own: Sequence[str], debezium: str, drift_seconds: float, clock: Clock
) -> Iterable[Check]:
    """`tables` are captured (database.table), `own` are the heartbeat's and then the signal's,
    `debezium` its user.
    """
    with MysqlSession(address, connect_seconds=5) as session:
        settings = {
            str(r["Variable_name"]).lower(): str(r["Value"]) for r in session.rows("SHOW GLOBAL VARIABLES WHERE 1")
        }
        yield "reachable", lambda: f"{session.where}, version {settings['version']}"
        for name, value in _MUST.items():
            yield name, partial(_setting, settings, name, value)
        yield "binlog retention", lambda: _retention(settings)
        yield "commit order of a replica", lambda: _replica_order(session, settings)
        yield f"grants of {debezium}", lambda: _grants(session, debezium, own)
        yield "engine", lambda: _engines(session, tables)
        yield "foreign-key cascades", lambda: _cascades(session, settings, tables)
        yield "XA transactions", lambda: _xa(session)
        yield "blocking snapshots", lambda: _blocking(session, own[-1])
        yield "clock", lambda: drift("MySQL", _now(session), drift_seconds, clock)


def drift(name: str, theirs: datetime, most_seconds: float, clock: Clock) -> str:
    """How far a server's clock is from this machine's. Raises `Wrong` beyond `most_seconds`."""
    seconds = (theirs - clock.now()).total_seconds()
    if abs(seconds) > most_seconds:
        raise Wrong(
            f"{name}'s clock is {seconds:+.1f} s off this machine's, at most {most_seconds:g} s are allowed",
            todo="set the clocks by NTP; until then commit cycles fail",
        )
    return f"{seconds:+.1f} s from this machine's"


def _setting(settings: Mapping[str, str], name: str, wanted: str) -> str:
    found = settings.get(name)
    if found is None:
        return "not a setting of this version"
    if found.upper() != wanted:
        why = f": {_WHY[name]}" if name in _WHY else ""
        raise Wrong(f"{name} is {found or 'empty'}, needed is {wanted or 'empty'}{why}", todo=_set(name, wanted))
    return wanted or "empty"


def _set(name: str, value: str) -> str:
    if name in ("log_bin", "gtid_mode", "enforce_gtid_consistency"):
        return f"start mysqld with --{name.replace('_', '-')}={value}"
    return f"in MySQL: SET PERSIST {name} = '{value}'"


def _retention(settings: Mapping[str, str]) -> str:
    seconds = int(settings.get("binlog_expire_logs_seconds", "0"))
    if settings.get("binlog_expire_logs_auto_purge", "ON") == "OFF" or seconds == 0:
        return "binlogs are never purged by age"
    if seconds < _LEAST_RETENTION:
        raise Wrong(
            f"binlogs are kept {seconds / 3600:.0f} hours: a longer outage of the connector needs a new snapshot",
            todo="in MySQL: SET PERSIST binlog_expire_logs_seconds = 604800",
        )
    return f"{seconds / 86_400:g} days"


def _replica_order(session: MysqlSession, settings: Mapping[str, str]) -> str:
    if not session.rows("SHOW REPLICA STATUS"):
        return "it is no replica"
    if settings.get("replica_preserve_commit_order", "ON") != "ON":
        raise Wrong(
            "replica_preserve_commit_order is OFF: transactions would come in another order than they happened",
            todo="in MySQL: STOP REPLICA; SET PERSIST replica_preserve_commit_order = ON; START REPLICA",
        )
    if settings.get("log_replica_updates", "ON") != "ON":
        raise Wrong(
            "log_replica_updates is OFF: what it replicates is not in its binlog",
            todo="start mysqld with --log-replica-updates=ON",
        )
    return "preserved"


def _grants(session: MysqlSession, user: str, own: Sequence[str]) -> str:
    like = f"'{user}'@%"
    try:
        rows = session.rows(
            "SELECT PRIVILEGE_TYPE AS p FROM information_schema.USER_PRIVILEGES WHERE GRANTEE LIKE %s", (like,)
        )
        schemas = session.rows(
            "SELECT TABLE_SCHEMA AS s, PRIVILEGE_TYPE AS p FROM information_schema.SCHEMA_PRIVILEGES"
            " WHERE GRANTEE LIKE %s",
            (like,),
        )
    except WaybillError as error:
        raise Note(f"this account may not read them ({error.what})") from error
    if not rows:
        raise Note(
            f"this account sees no user {user}",
            todo="waybill doctor --debezium-user NAME, the user in Connect's environment",
        )
    have = {str(r["p"]) for r in rows}
    missing = [p for p in _GLOBAL if p not in have]
    if missing:
        raise Wrong(f"{user} lacks {', '.join(missing)}", todo=f"in MySQL: GRANT {', '.join(missing)} ON *.* TO {user}")
    for schema in sorted({table.partition(".")[0] for table in own}):
        allowed = have | {str(r["p"]) for r in schemas if _matches(str(r["s"]), schema)}
        lacks = [p for p in _OWN if p not in allowed]
        if lacks:
            raise Wrong(
                f"{user} may not {', '.join(lacks)} in {schema}, where heartbeat and signals are",
                todo=f"in MySQL: GRANT ALL ON `{schema}`.* TO {user}",
            )
    return "as needed"


def _matches(pattern: str, schema: str) -> bool:
    """Grants name schemas by a LIKE pattern."""
    parts = re.findall(r"\\.|.", pattern)
    made = "".join({"%": ".*", "_": "."}.get(p, re.escape(p.removeprefix("\\"))) for p in parts)
    return re.fullmatch(made, schema) is not None


def _listed(tables: Iterable[str]) -> tuple[str, list[str]]:
    names = sorted(tables)
    return ", ".join(["%s"] * len(names)), names


def _engines(session: MysqlSession, tables: Sequence[str]) -> str:
    marks, names = _listed(tables)
    rows = session.rows(
        "SELECT CONCAT(TABLE_SCHEMA, '.', TABLE_NAME) AS t, ENGINE AS e FROM information_schema.TABLES"
        f" WHERE CONCAT(TABLE_SCHEMA, '.', TABLE_NAME) IN ({marks})",
        names,
    )
    other = [f"{r['t']} ({r['e']})" for r in rows if r["e"] != "InnoDB"]
    if other:
        raise Wrong(
            f"not InnoDB, so no snapshot of it is consistent: {', '.join(other)}",
            todo="ALTER TABLE ... ENGINE = InnoDB",
        )
    return "InnoDB"


def _cascades(session: MysqlSession, settings: Mapping[str, str], tables: Sequence[str]) -> str:
    if settings.get("innodb_native_foreign_keys", "").upper() == "OFF":
        return "this version writes them to the binlog"
    marks, names = _listed(tables)
    rows = session.rows(
        "SELECT CONSTRAINT_NAME AS c, CONCAT(CONSTRAINT_SCHEMA, '.', TABLE_NAME) AS t"
        " FROM information_schema.REFERENTIAL_CONSTRAINTS"
        f" WHERE CONCAT(CONSTRAINT_SCHEMA, '.', TABLE_NAME) IN ({marks})"
        " AND (DELETE_RULE IN ('CASCADE', 'SET NULL') OR UPDATE_RULE IN ('CASCADE', 'SET NULL'))",
        names,
    )
    if rows:
        named = ", ".join(f"{r['c']} of {r['t']}" for r in rows)
        raise Wrong(
            f"{named} changes rows without writing them to the binlog",
            todo="change the constraint to RESTRICT and let the application delete",
        )
    return "none"


def _xa(session: MysqlSession) -> str:
    try:
        prepared = session.rows("XA RECOVER")
    except WaybillError as error:
        raise Note("whether any are prepared cannot be seen (XA_RECOVER_ADMIN)") from error
    if prepared:
        raise Wrong(f"{len(prepared)} prepared: their rows come without an END record", todo="commit or roll them back")
    return "none prepared"


def _blocking(session: MysqlSession, signal: str) -> str:
    """A blocking snapshot's rows have no place in the order: they bear no GTID and no mark of their own."""
    place = ".".join("`" + part.replace("`", "``") + "`" for part in signal.split("."))
    try:
        rows = session.rows(
            f"SELECT id FROM {place} WHERE type = 'execute-snapshot' AND data LIKE %s ORDER BY id", ("%blocking%",)
        )
    except WaybillError as error:
        raise Note(f"{signal} cannot be read") from error
    if rows:
        raise Wrong(
            f"{signal} asks for one (row {rows[0]['id']}): its rows have no place in the order, so the cut stops",
            todo="delete the row; a table is read again by an incremental snapshot. If the blocking one ran already:"
            " waybill connect delete --offsets, waybill connect apply (a new first snapshot)",
        )
    return "none asked for"


def _now(session: MysqlSession) -> datetime:
    found = session.value("SELECT UTC_TIMESTAMP(6)")
    assert isinstance(found, datetime)
    return found.replace(tzinfo=UTC)
