from __future__ import annotations

import pytest

from connect.failures import explain

WRAPPED = "org.apache.kafka.connect.errors.ConnectException: Exiting WorkerSourceTask due to unrecoverable exception.\n"


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        ("Unable to connect: Communications link failure", "MySQL unreachable"),
        ("Caused by: java.net.UnknownHostException: mysql", "MySQL unreachable"),
        ("Caused by: java.sql.SQLException: Access denied for user 'd'@'h' (using password: YES)", "access denied"),
        (
            "The connector is trying to read binlog starting at SourceInfo [...], but this is no longer available on "
            "the server. Reconfigure the connector to use a snapshot mode when needed.",
            "binlog gone",
        ),
        (
            "Caused by: io.debezium.DebeziumException: Cannot replicate: the source purged required binary logs.",
            "binlog gone",
        ),
        (
            "Caused by: io.debezium.DebeziumException: The db history topic or its content is partially missing.",
            "schema history missing",
        ),
        (
            "Encountered change event for table shop.orders whose schema isn't known to this connector",
            "schema history missing",
        ),
        (
            "A slave with the same server_uuid/server_id as this slave has connected to the master",
            "server id in use",
        ),
        ("Caused by: io.apicurio.registry.rest.client.exception.RuleViolationException: no", "registry refuses"),
        ("Caused by: org.apache.kafka.common.errors.RecordTooLargeException: 20 MB", "message too large"),
        ("Caused by: org.apache.kafka.common.errors.TopicAuthorizationException: [p.t]", "not allowed in Kafka"),
        (
            "Caused by: org.apache.kafka.common.errors.InvalidReplicationFactorException: 3 larger than 1",
            "topic cannot be made",
        ),
        ("Caused by: org.apache.kafka.common.errors.ProducerFencedException: newer", "transaction timed out"),
        ("Class waybill.connect.NullKeepingAvroConverter could not be found.", "plugin missing"),
        ("Invalid value ${env:CONNECT_SOURCE_MYSQL_PORT} for configuration database.port", "variable missing"),
        ("Caused by: org.apache.kafka.common.errors.TimeoutException: 60000 ms has passed", "Kafka unreachable"),
    ],
)  # fmt: skip
def test_a_known_failure_is_told_by_its_cause(words: str, cause: str) -> None:
    assert explain(WRAPPED + words + "\n\tat io.debezium.Some.thing(Some.java:1)").cause == cause


def test_an_unknown_failure_is_told_in_its_own_words() -> None:
    why = explain("java.lang.IllegalStateException: outer\n\tat a.b\nCaused by: java.lang.Odd: the moon\n\t... 3 more")
    assert (why.cause, why.words, why.restart_helps) == ("unknown", "Odd: the moon", False)


@pytest.mark.parametrize(
    ("words", "helps"),
    [("Communications link failure", True), ("Access denied for user", False), ("purged required binary logs", False)],
)
def test_a_restart_is_offered_only_where_it_may_help(words: str, helps: bool) -> None:
    assert explain(words).restart_helps is helps
