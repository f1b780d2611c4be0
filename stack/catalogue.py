"""What the local stack is made of: one description of each service, read by the native and the compose way.

Plain data. A setting stands here when both ways need the same value; addresses, folders and memory flags are
each way's own. Where a number comes from: docs/adr and the trial runs it names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from stack.accounts import S3_KEY

NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Port:
    """A port a service listens on. `container` is its number inside the public image."""

    name: str
    container: int


@dataclass(frozen=True)
class Service:
    """One service. Times are seconds, memory is MB.

    `settings` are the service's own: mysqld options, broker properties, worker properties, environment
    variables of the registry, PostgreSQL parameters, s3proxy properties. `ready_within` counts from the start
    of the process to a passed probe, first start included; `stop_within` is how long it may take to end
    before it is killed.
    Both allow for a machine that has ten times as much to do as it can.
    """

    name: str
    title: str
    version: str
    image: str
    ports: tuple[Port, ...]
    settings: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    needs: tuple[str, ...] = ()
    data: str = ""
    ready_within: float = 60.0
    stop_within: float = 20.0
    memory: int = 256

    @property
    def port(self) -> Port:
        """The port its users talk to: the first."""
        return self.ports[0]


DEBEZIUM_VERSION = "3.6.1.Final"
CONVERTER_VERSION = "2.5.11.Final"

MYSQL = Service(
    name="mysql",
    title="MySQL, the source",
    version="9.7",
    image="mysql:9.7",
    ports=(Port("mysql", 3306),),
    settings=MappingProxyType(
        {
            "server-id": "223344",
            "log-bin": "binlog",
            "binlog-format": "ROW",
            "binlog-row-image": "FULL",
            "binlog-row-metadata": "FULL",
            "binlog-expire-logs-seconds": "604800",
            "gtid-mode": "ON",
            "enforce-gtid-consistency": "ON",
            "character-set-server": "utf8mb4",
            "default-time-zone": "+00:00",
            "local-infile": "ON",
            "mysqlx": "OFF",
            "performance-schema": "OFF",
            "innodb-buffer-pool-size": "256M",
            "innodb-redo-log-capacity": "512M",
            # A killed mysqld loses nothing with these; a machine that loses power may.
            "innodb-flush-log-at-trx-commit": "2",
            "sync-binlog": "0",
            "max-connections": "200",
        }
    ),
    data="/var/lib/mysql",
    ready_within=150,
    memory=700,
)

KAFKA = Service(
    name="kafka",
    title="Kafka broker (KRaft)",
    version="4.3.1",
    image="apache/kafka:4.3.1",
    ports=(Port("kafka", 9092), Port("kafka-controller", 9093)),
    settings=MappingProxyType(
        {
            "process.roles": "broker,controller",
            "node.id": "1",
            "auto.create.topics.enable": "false",
            "offsets.topic.num.partitions": "4",
            "offsets.topic.replication.factor": "1",
            "transaction.state.log.num.partitions": "4",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "share.coordinator.state.topic.num.partitions": "1",
            "share.coordinator.state.topic.replication.factor": "1",
            "share.coordinator.state.topic.min.isr": "1",
            "group.initial.rebalance.delay.ms": "0",
            # After a kill nobody waits for the old session: stack/fence-killed-broker.sh ends it. So it can be long
            # enough that a busy machine does not fence a broker that lives, with the same danger to its transactions.
            "broker.session.timeout.ms": "18000",
            "broker.heartbeat.interval.ms": "500",
            "log.retention.hours": "168",
            "log.segment.bytes": "268435456",
        }
    ),
    data="/var/lib/kafka/data",
    ready_within=120,
    memory=600,
)

REGISTRY = Service(
    name="registry",
    title="Apicurio schema registry",
    version="3.3.3",
    image="quay.io/apicurio/apicurio-registry:3.3.3",
    ports=(Port("registry", 8080), Port("registry-management", 9000)),
    settings=MappingProxyType(
        {
            # A file database: without one the ids that stand in Kafka would be lost at a restart.
            "APICURIO_STORAGE_KIND": "sql",
            "APICURIO_STORAGE_SQL_KIND": "h2",
            "QUARKUS_OTEL_SDK_DISABLED": "true",
        }
    ),
    data="/var/lib/registry",
    ready_within=150,
    memory=350,
)

CONNECT = Service(
    name="connect",
    title="Kafka Connect with Debezium",
    version="4.3.1",
    image=f"quay.io/debezium/connect:{DEBEZIUM_VERSION}",
    ports=(Port("connect", 8083),),
    settings=MappingProxyType(
        {
            "group.id": "waybill-connect",
            "config.storage.topic": "connect-configs",
            "offset.storage.topic": "connect-offsets",
            "status.storage.topic": "connect-status",
            "config.storage.replication.factor": "1",
            "offset.storage.replication.factor": "1",
            "status.storage.replication.factor": "1",
            "offset.storage.partitions": "1",
            "status.storage.partitions": "1",
            "key.converter": "org.apache.kafka.connect.json.JsonConverter",
            "value.converter": "org.apache.kafka.connect.json.JsonConverter",
            "exactly.once.source.support": "enabled",
            # 2.7 s to start instead of 11 to 22: plugins are found by service files, not by a scan.
            "plugin.discovery": "service_load",
            "scheduled.rebalance.max.delay.ms": "0",
            "session.timeout.ms": "10000",
            "config.providers": "env",
            "config.providers.env.class": "org.apache.kafka.common.config.provider.EnvVarConfigProvider",
        }
    ),
    needs=("kafka",),
    ready_within=150,
    memory=900,
)

S3 = Service(
    name="s3",
    title="s3proxy, the object store",
    version="4.1.0",
    image="andrewgaul/s3proxy:s3proxy-4.1.0",
    ports=(Port("s3", 80),),
    settings=MappingProxyType(
        {
            "s3proxy.authorization": "aws-v2-or-v4",
            "s3proxy.identity": S3_KEY.user,
            "s3proxy.credential": S3_KEY.password,
            "jclouds.provider": "filesystem-nio2",
        }
    ),
    data="/data",
    ready_within=120,
    memory=420,
)

WAREHOUSE = Service(
    name="warehouse",
    title="PostgreSQL, the stand-in warehouse",
    # Natively Debian's, 15 or newer; both must pass the same tests.
    version="17",
    image="postgres:17",
    ports=(Port("warehouse", 5432),),
    settings=MappingProxyType(
        {
            "timezone": "UTC",
            "max_connections": "100",
            "shared_buffers": "128MB",
            "max_wal_size": "2GB",
            "checkpoint_timeout": "15min",
            "random_page_cost": "1.1",
        }
    ),
    data="/var/lib/postgresql/data",
    ready_within=120,
    memory=200,
)

PROMETHEUS = Service(
    name="prometheus",
    title="Prometheus, which keeps the metrics",
    # Natively Debian's.
    version="3.5.0",
    image="prom/prometheus:v3.5.0",
    ports=(Port("prometheus", 9090),),
    settings=MappingProxyType({"storage.tsdb.retention.time": "7d"}),
    data="/prometheus",
    ready_within=120,
    memory=120,
)

GRAFANA = Service(
    name="grafana",
    title="Grafana, which draws them",
    version="12.2.0",
    image="grafana/grafana:12.2.0",
    ports=(Port("grafana", 3000),),
    needs=("prometheus",),
    ready_within=120,
    memory=200,
)

MONITORING: tuple[Service, ...] = (PROMETHEUS, GRAFANA)
"""Started on request only, beside the services; Grafana in containers only, natively there is none to be had."""

SERVICES: tuple[Service, ...] = (MYSQL, KAFKA, REGISTRY, CONNECT, S3, WAREHOUSE)
"""What the pipeline needs; a service stands after those it needs."""

ALL: tuple[Service, ...] = (*SERVICES, *MONITORING)

OLDEST_POSTGRESQL = 15
MYSQL_SERIES = "9.7"


def service(name: str) -> Service:
    """The service of that name. KeyError names those there are."""
    for found in ALL:
        if found.name == name:
            return found
    raise KeyError(f"there is no service {name}; there are {', '.join(s.name for s in ALL)}")
