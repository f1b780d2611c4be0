"""Is a service really there? Each probe uses it as its users will, and makes what they take for granted.

A probe raises whatever its driver raises while the service is not ready, and may be repeated at any pace. It
takes the addresses in the form of `stack env --json`, so both ways of the stack use the same probes.
"""

from __future__ import annotations

import http.client
import json
import urllib.request
import uuid
from collections.abc import Collection, Mapping
from typing import Any

import boto3
import botocore.config
import botocore.exceptions
import psycopg2
import psycopg2.errors
import psycopg2.sql
import pymysql
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from stack.accounts import REGISTRY_API

Addresses = Mapping[str, Mapping[str, Any]]

DEBEZIUM_CLASS = "io.debezium.connector.mysql.MySqlConnector"
PROBE_TOPIC = "stack-probe"
PROBE_SCHEMA = '{"type":"record","name":"probe","fields":[{"name":"beat","type":"long"}]}'
TIMEOUT = 5.0
"""Seconds one question may take."""


class NotReadyError(Exception):
    """The service answers, but not yet as it should."""


NOT_YET: tuple[type[Exception], ...] = (
    NotReadyError,
    OSError,
    ValueError,
    KeyError,
    http.client.HTTPException,
    KafkaException,
    pymysql.Error,
    psycopg2.Error,
    botocore.exceptions.BotoCoreError,
    botocore.exceptions.ClientError,
)
"""What a probe may raise of a service that is not ready."""


def mysql(addresses: Addresses) -> None:
    """A query, and the settings without which no change event would be right."""
    at = addresses["mysql"]
    connection = pymysql.connect(
        host=at["host"],
        port=int(at["port"]),
        user=at["user"],
        password=at["password"],
        connect_timeout=int(TIMEOUT),
        read_timeout=TIMEOUT,
    )
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT @@gtid_mode, @@binlog_format, @@binlog_row_image, @@log_bin")
        found = cursor.fetchone()
    if found != ("ON", "ROW", "FULL", 1):
        raise NotReadyError(f"MySQL runs with gtid_mode, binlog_format, binlog_row_image, log_bin = {found}")


def kafka(addresses: Addresses) -> None:
    """One message produced and the same one consumed."""
    bootstrap = addresses["kafka"]["bootstrap"]
    common = {"bootstrap.servers": bootstrap, "socket.timeout.ms": 5000, "log_level": 0}
    admin = AdminClient(common)
    if PROBE_TOPIC not in admin.list_topics(timeout=TIMEOUT).topics:
        topic = NewTopic(PROBE_TOPIC, 1, 1, config={"retention.ms": "3600000"})
        try:
            admin.create_topics([topic], request_timeout=TIMEOUT)[PROBE_TOPIC].result(TIMEOUT)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise
    sent = uuid.uuid4().bytes
    offsets: list[int] = []

    def delivered(error: KafkaError | None, message: Any) -> None:
        if error is None:
            offsets.append(message.offset())

    producer = Producer({**common, "message.timeout.ms": 5000})
    producer.produce(PROBE_TOPIC, sent, on_delivery=delivered)
    producer.flush(TIMEOUT)
    if not offsets:
        raise NotReadyError("Kafka took no message")
    consumer = Consumer({**common, "group.id": "stack-probe", "enable.auto.commit": False})
    try:
        consumer.assign([TopicPartition(PROBE_TOPIC, 0, offsets[0])])
        message = consumer.poll(TIMEOUT)
        if message is None or message.error() or message.value() != sent:
            raise NotReadyError("Kafka did not give back the message it took")
    finally:
        consumer.close()


def registry(addresses: Addresses) -> None:
    """A schema registered, and read by its id, as the Avro converter does it."""
    base = addresses["registry"]["url"] + REGISTRY_API
    made = _http(
        f"{base}/groups/stack-probe/artifacts?ifExists=RETURN",
        PROBE_SCHEMA.encode(),
        {
            "Content-Type": "application/json",
            "X-Registry-ArtifactId": "stack-probe",
            "X-Registry-ArtifactType": "AVRO",
        },
    )
    back = _http(f"{base}/ids/contentIds/{made['contentId']}")
    if back.get("name") != "probe":
        raise NotReadyError("the registry did not give back the schema it took")


def connect(addresses: Addresses, converters: Collection[str]) -> None:
    """The worker is a member of its group, and Debezium and our converters are among its plugins."""
    base = addresses["connect"]["url"]
    _http(f"{base}/connectors")
    plugins = {plugin["class"] for plugin in _http(f"{base}/connector-plugins?connectorsOnly=false")}
    lacking = sorted({DEBEZIUM_CLASS, *converters} - plugins)
    if lacking:
        raise NotReadyError(f"Connect does not know the plugin {', '.join(lacking)}")


def s3(addresses: Addresses) -> None:
    """The bucket, made if need be, and an object put, read back and removed."""
    at = addresses["s3"]
    client = boto3.client(
        "s3",
        endpoint_url=at["url"] or None,
        aws_access_key_id=at["access_key"],
        aws_secret_access_key=at["secret_key"],
        region_name=at["region"],
        config=botocore.config.Config(
            connect_timeout=TIMEOUT,
            read_timeout=TIMEOUT,
            retries={"max_attempts": 0},
            s3={"addressing_style": "path"},
        ),
    )
    try:
        client.head_bucket(Bucket=at["bucket"])
    except botocore.exceptions.ClientError:
        client.create_bucket(Bucket=at["bucket"])
    key, body = f"stack-probe-{uuid.uuid4()}", uuid.uuid4().bytes
    client.put_object(Bucket=at["bucket"], Key=key, Body=body)
    back = client.get_object(Bucket=at["bucket"], Key=key)["Body"].read()
    client.delete_object(Bucket=at["bucket"], Key=key)
    if back != body:
        raise NotReadyError("the object store did not give back what it took")


def warehouse(addresses: Addresses) -> None:
    """The database, made if need be, and a query in it."""
    at = addresses["warehouse"]
    where = {
        "host": at["host"],
        "port": at["port"],
        "user": at["user"],
        "password": at["password"],
        "connect_timeout": int(TIMEOUT),
    }
    try:
        connection = psycopg2.connect(dbname=at["database"], **where)
    except psycopg2.OperationalError as error:
        if f'database "{at["database"]}" does not exist' not in str(error):
            raise
        _create_database(str(at["database"]), where)
        connection = psycopg2.connect(dbname=at["database"], **where)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    finally:
        connection.close()


def _create_database(name: str, where: Mapping[str, Any]) -> None:
    connection = psycopg2.connect(dbname="postgres", **where)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(psycopg2.sql.SQL("CREATE DATABASE {}").format(psycopg2.sql.Identifier(name)))
    except psycopg2.errors.DuplicateDatabase:
        pass
    finally:
        connection.close()


def _http(url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> Any:
    request = urllib.request.Request(url, data=body, headers=dict(headers or {}))
    # A proxy of this shell must not be asked for a service of this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=TIMEOUT) as answer:
        return json.load(answer)


def prometheus(url: str) -> None:
    """It answers a query."""
    with urllib.request.urlopen(f"{url}/api/v1/query?query=vector(1)", timeout=TIMEOUT) as answer:
        if json.load(answer)["status"] != "success":
            raise NotReadyError("Prometheus answers no query yet")
