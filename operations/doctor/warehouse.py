"""The warehouse: version, rights, encoding, its clock, and whether waybill's tables are as wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from operations.doctor.examination import Check, Wrong
from operations.doctor.mysql import drift
from warehouse.session import Session
from waybill.addresses import Warehouse
from waybill.clock import Clock

_OLDEST = 150_000
_SCHEMAS = ("settlement_public", "settlement_ods")


def checks(
    address: Warehouse, missing: Callable[[Session], int], drift_seconds: float, clock: Clock
) -> Iterable[Check]:
    """`missing` counts what `waybill schema apply` would do."""
    with Session(address, "doctor", statement_seconds=30) as session:
        yield "reachable", lambda: f"{address.host}:{address.port}, database {address.database}"
        yield "version", lambda: _version(session)
        yield "encoding and time zone", lambda: _encoding(session)
        yield "rights", lambda: _rights(session, address.user)
        yield "schema", lambda: _schema(missing(session))
        yield "clock", lambda: drift("the warehouse", _now(session), drift_seconds, clock)


def _value(session: Session, expression: str) -> object:
    row = session.row(f"SELECT {expression} AS found", doing="asking the warehouse")
    return row["found"] if row else None


def _version(session: Session) -> str:
    number = int(str(_value(session, "current_setting('server_version_num')")))
    if number < _OLDEST:
        raise Wrong(f"PostgreSQL {number // 10_000} is too old", todo="use PostgreSQL 15 or newer")
    return f"PostgreSQL {_value(session, 'current_setting($$server_version$$)')}"


def _encoding(session: Session) -> str:
    encoding, zone = (
        _value(session, "current_setting('server_encoding')"),
        _value(session, "current_setting('TimeZone')"),
    )
    if encoding != "UTF8":
        raise Wrong(f"the database's encoding is {encoding}", todo="create the database with ENCODING 'UTF8'")
    if zone != "UTC":
        raise Wrong(f"sessions are at time zone {zone}", todo="let sessions set TimeZone: waybill needs UTC")
    return "UTF8, UTC"


def _rights(session: Session, user: str) -> str:
    if not _value(session, "has_database_privilege(current_database(), 'TEMP')"):
        raise Wrong(f"{user} may not make temporary tables", todo=f"GRANT TEMP ON DATABASE ... TO {user}")
    create = _value(session, "has_database_privilege(current_database(), 'CREATE')")
    for schema in _SCHEMAS:
        if _value(session, f"to_regnamespace('{schema}')") is None:
            if not create:
                raise Wrong(
                    f"{schema} is not there and {user} may not make it", todo=f"GRANT CREATE ON DATABASE ... TO {user}"
                )
        elif not _value(session, f"has_schema_privilege('{schema}', 'CREATE, USAGE')"):
            raise Wrong(f"{user} may not make tables in {schema}", todo=f"GRANT ALL ON SCHEMA {schema} TO {user}")
    return "as needed"


def _schema(changes: int) -> str:
    if changes:
        raise Wrong(f"{changes} changes are missing in waybill's tables", todo="waybill schema apply")
    return "up to date"


def _now(session: Session) -> datetime:
    found = _value(session, "clock_timestamp()")
    assert isinstance(found, datetime)
    return found.astimezone(UTC)
