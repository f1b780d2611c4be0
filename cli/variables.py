"""The environment variables that waybill reads: one list for `config env`, `.env.example` and their test."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import SecretStr

from waybill.addresses import SERVICES, variable


@dataclass(frozen=True)
class Variable:
    """`service` and `key` are '' for one that is not an address. `default` None: required."""

    name: str
    meaning: str
    default: str | None
    secret: bool = False
    service: str = ""
    key: str = ""


_MEANING = {
    "mysql.host": "the source; a replica will do if it writes a binlog",
    "mysql.port": "its port",
    "mysql.user": "user of seed, generate, schema and reconcile; Debezium has its own, in the Connect worker",
    "mysql.password": "its password",
    "mysql.database": "schema of the three tables",
    "kafka.bootstrap": "host:port, several with commas",
    "registry.url": "schema registry, base URL without a path",
    "connect.url": "Kafka Connect's REST interface",
    "s3.url": "endpoint of the object store; empty: the vendor's own",
    "s3.access_key": "access key; empty: the machine's role",
    "s3.secret_key": "secret key",
    "s3.bucket": "bucket of the Parquet objects",
    "s3.region": "its region",
    "warehouse.host": "PostgreSQL here, Redshift in production",
    "warehouse.port": "its port",
    "warehouse.user": "owner of settlement_public and settlement_ods",
    "warehouse.password": "its password",
    "warehouse.database": "its database",
}
_OTHERS = (
    Variable("WAYBILL_PIPELINE", "the pipeline file", "pipeline.yml"),
    Variable("WAYBILL_LOG_LEVEL", "DEBUG, INFO or WARNING", "INFO"),
    Variable("WAYBILL_CACHE", "where downloads of the local stack are kept", "~/.cache/waybill"),
)


def variables() -> Iterator[Variable]:
    """All of them; addresses first, service by service."""
    for service, model in SERVICES.items():
        for key, field in model.model_fields.items():
            secret = field.annotation is SecretStr
            default = None if field.is_required() else "" if secret else str(field.default)
            yield Variable(variable(service, key), _MEANING[f"{service}.{key}"], default, secret, service, key)
    yield from _OTHERS
