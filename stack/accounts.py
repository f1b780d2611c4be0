"""Accounts, names and addresses of the local stack, the same whichever way it is started."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Login:
    """Local accounts. They open nothing but a stack that listens on 127.0.0.1."""

    user: str
    password: str


MYSQL_ADMIN = Login("waybill", "waybill-local")
MYSQL_DEBEZIUM = Login("debezium", "debezium-local")
MYSQL_REPLICATION = Login("replica", "replica-local")
WAREHOUSE_OWNER = Login("waybill", "waybill-local")
S3_KEY = Login("waybill-local", "waybill-local-secret")

SOURCE_DATABASE = "kuaisong"
SIGNAL_DATABASE = "waybill"
WAREHOUSE_DATABASE = "waybill"
BUCKET = "waybill"
REGION = "us-east-1"

# The converter of 2.5.11 speaks the registry's v2 interface, which the 3.3.3 server still serves.
REGISTRY_API = "/apis/registry/v2"

DEBEZIUM_GRANTS = (
    "GRANT SELECT, RELOAD, SHOW DATABASES, REPLICATION SLAVE, REPLICATION CLIENT, LOCK TABLES ON *.* TO {user}",
    "GRANT FLUSH_TABLES ON *.* TO {user}",
    # Signal and heartbeat tables; tests keep theirs in schemas named waybill_<something>.
    "GRANT ALL ON `waybill`.* TO {user}",
    "GRANT ALL ON `waybill\\_%`.* TO {user}",
)
"""Statements that make Debezium's user, `{user}` being the quoted account."""


def worker_environment(*, mysql_host: str, mysql_port: int, registry_url: str, kafka_bootstrap: str) -> dict[str, str]:
    """What connector settings refer to as `${env:NAME}`: addresses as Connect sees them, and secrets.

    `registry_url` is the base, without a path.
    """
    return {
        "CONNECT_SOURCE_MYSQL_HOST": mysql_host,
        "CONNECT_SOURCE_MYSQL_PORT": str(mysql_port),
        "CONNECT_SOURCE_MYSQL_USER": MYSQL_DEBEZIUM.user,
        "CONNECT_SOURCE_MYSQL_PASSWORD": MYSQL_DEBEZIUM.password,
        "CONNECT_SOURCE_REGISTRY_URL": registry_url + REGISTRY_API,
        "CONNECT_SOURCE_KAFKA_BOOTSTRAP": kafka_bootstrap,
    }


def addresses(ports: Mapping[str, int], host: str = "127.0.0.1") -> dict[str, dict[str, object]]:
    """The addresses of a stack on `host`, in the form of `waybill stack env --json`; `ports` by port name."""

    def url(name: str) -> str:
        return f"http://{host}:{ports[name]}"

    return {
        "mysql": {
            "host": host,
            "port": ports["mysql"],
            "user": MYSQL_ADMIN.user,
            "password": MYSQL_ADMIN.password,
            "database": SOURCE_DATABASE,
        },
        "kafka": {"bootstrap": f"{host}:{ports['kafka']}"},
        "registry": {"url": url("registry")},
        "connect": {"url": url("connect")},
        "s3": {
            "url": url("s3"),
            "access_key": S3_KEY.user,
            "secret_key": S3_KEY.password,
            "bucket": BUCKET,
            "region": REGION,
        },
        "warehouse": {
            "host": host,
            "port": ports["warehouse"],
            "user": WAREHOUSE_OWNER.user,
            "password": WAREHOUSE_OWNER.password,
            "database": WAREHOUSE_DATABASE,
        },
    }
