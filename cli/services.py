"""The services as `waybill status` asks them, each with what is safe while it is away."""

from __future__ import annotations

import httpx

from checks.mysql import MysqlSession
from cli import ingest
from cli.context import Context
from consumers.bucket import S3Bucket
from consumers.registry import CCOMPAT
from operations.parts import SECONDS, Part
from warehouse.session import Session
from waybill.errors import UnreachableError

_BINLOG = "changes wait in MySQL's binlog and are read from there when it is back"
_KAFKA = "events wait in Kafka, where the consumers go on by themselves; the marts stay at their last cut"


def parts(context: Context) -> list[Part]:
    """All six, in the order in which an event meets them."""
    where = context.addresses
    mysql, s3, warehouse = where.mysql, where.s3, where.warehouse
    return [
        Part(
            "MySQL", f"{mysql.host}:{mysql.port}", lambda: MysqlSession(mysql, int(SECONDS)).close(),
            "what it committed is in its binlog, what was read of it goes on; the connector connects again by itself",
            "waybill stack status; waybill stack logs mysql",
        ),
        Part(
            "Kafka Connect", where.connect.url, lambda: _get(where.connect.url, "/"),
            f"{_BINLOG}; `waybill doctor` says how long MySQL keeps it",
            "waybill stack status; waybill stack logs connect",
        ),
        Part(
            "the schema registry", where.registry.url, lambda: _get(where.registry.url, f"{CCOMPAT}/schemas/types"),
            "events of known schemas go on, those of new ones wait, none is skipped",
            "waybill stack status; waybill stack logs registry",
        ),
        Part(
            "Kafka", where.kafka.bootstrap, lambda: ingest.topics(context).answers(SECONDS),
            f"{_BINLOG}; consumers go on from their positions in the warehouse",
            "waybill stack status; waybill stack logs kafka",
        ),
        Part(
            "S3", s3.url or "AWS", lambda: S3Bucket(ingest.bucket_client(s3), s3.bucket).check(),
            _KAFKA, "waybill stack status; waybill stack logs s3",
        ),
        Part(
            "the warehouse", f"{warehouse.host}:{warehouse.port}", lambda: Session(warehouse, "status").close(),
            _KAFKA, "waybill stack status; waybill stack logs warehouse",
        ),
    ]  # fmt: skip


def _get(base: str, path: str) -> None:
    try:
        answer = httpx.get(base.rstrip("/") + path, timeout=SECONDS)
    except httpx.HTTPError as error:
        raise UnreachableError(str(error) or type(error).__name__) from error
    if answer.status_code != httpx.codes.OK:
        raise UnreachableError(f"{path} answers {answer.status_code}")
