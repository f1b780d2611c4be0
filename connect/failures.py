"""Why a connector or its task failed, in one sentence: the causes that are known, by what the stack trace says.

Ordered: the first that fits is told. A cause may be repeated by Debezium in other words further down in the trace,
so the particular stands before the general.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Cause:
    """`restart_helps` says that the same attempt may succeed a little later, with nothing mended by a person."""

    name: str
    pattern: re.Pattern[str]
    sentence: str
    todo: str
    restart_helps: bool = False


def _cause(name: str, pattern: str, sentence: str, todo: str, *, restart_helps: bool = False) -> Cause:
    return Cause(name, re.compile(pattern, re.IGNORECASE | re.DOTALL), sentence, todo, restart_helps)


CAUSES = (
    _cause(
        "access denied",
        r"access denied|should support SHOW BINARY LOG STATUS|"
        r"is not allowed to connect to this MySQL|SHA2.*public key retrieval",
        "MySQL refuses the connector's user: the password is wrong or a privilege is missing",
        "grant it SELECT, RELOAD, SHOW DATABASES, REPLICATION SLAVE, REPLICATION CLIENT, LOCK TABLES, FLUSH_TABLES and "
        "all on the schema of the heartbeat and signal tables; the password is in the Connect worker's environment",
    ),
    _cause(
        "binlog gone",
        r"no longer available on the (?:MySQL )?server|purged required binary logs|purged binary logs|"
        r"could not find first log file name|position > file size|log event entry exceeded|"
        r"some of the GTIDs needed .* purged|no longer contains",
        "the binlog that the connector must read next is no longer on the MySQL server",
        "changes made since then are in MySQL but will not come as events: take a new first snapshot "
        "(waybill connect delete --offsets, then waybill connect apply) and reconcile",
    ),
    _cause(
        "server id in use",
        r"same server_uuid/server_id|same server_uuid or server_id",
        "another client reads the binlog with the connector's server id",
        "give the connector a server_id of its own in the pipeline file (source.server_id), then waybill connect apply",
    ),
    _cause(
        "binlog settings",
        r"binlog_format|binlog_row_image|not configured to use a ROW|GTID_MODE|gtid.mode is not|log_bin",
        "MySQL does not write the binlog as needed (ROW, full row image, GTID)",
        "set binlog_format=ROW, binlog_row_image=FULL, gtid_mode=ON on the MySQL server",
    ),
    _cause(
        "schema history missing",
        r"(?:history topic|schema history|database history|db history).{0,80}(?:missing|partially|empty)|"
        r"whose schema isn't known|schema is not known to this connector",
        "the topic with the history of the tables' schemas is missing or incomplete",
        "take a new first snapshot: waybill connect delete --offsets, then waybill connect apply",
    ),
    _cause(
        "registry refuses",
        r"io\.apicurio\.|schema registry",
        "the schema registry refuses a schema, or could not be asked",
        "waybill stack logs registry; look for a compatibility rule on the topic's schema",
        restart_helps=True,
    ),
    _cause(
        "message too large",
        r"RecordTooLargeException|MessageSizeTooLarge",
        "a row is larger than a Kafka message may be",
        "raise max.message.bytes of the topic and producer.override.max.request.size, then waybill connect restart",
    ),
    _cause(
        "not allowed in Kafka",
        r"(?:Topic|Cluster|Group|TransactionalId)AuthorizationException|SaslAuthenticationException",
        "Kafka does not allow the connector what it needs",
        "allow the Connect worker to create, describe and write the topics of the prefix, and its transactional ids",
    ),
    _cause(
        "topic cannot be made",
        r"InvalidReplicationFactorException|InvalidPartitionsException|InvalidTopicException|PolicyViolationException|"
        r"Creating topic .* failed|Task failed to create new topic",
        "Kafka refuses to create a topic",
        "look at replication factor, partitions and name in connect/mysql-source.json",
    ),
    _cause(
        "transaction timed out",
        r"ProducerFencedException|InvalidProducerEpochException|InvalidTxnStateException|InvalidProducerIdMapping|"
        r"newer producer with the same transactionalId",
        "the task's Kafka transaction was ended by the broker or by a newer task",
        "waybill connect restart; nothing was written twice",
        restart_helps=True,
    ),
    _cause(
        "plugin missing",
        r"(?:class|converter|type) waybill\.connect\.\S+ could not be found|Failed to find any class that implements|"
        r"ClassNotFoundException|NoClassDefFoundError|Unable to find class",
        "the Connect worker does not have a plugin that the settings name",
        "build the worker anew: waybill stack down, then waybill stack up",
    ),
    _cause(
        "variable missing",
        r"\$\{env:[^}]+\}|Could not read properties|config provider",
        "the Connect worker's environment lacks a variable that the settings refer to",
        "start the worker with the CONNECT_SOURCE_* variables set",
    ),
    _cause(
        "MySQL unreachable",
        r"communications link failure|unable to connect: |UnknownHostException|connection refused|"
        r"Failed to (?:connect|authenticate).*MySQL|Failed to establish connection with the database|"
        r"connection validation timed out|No route to host|connect timed out|EOFException|"
        r"server has gone away|Connection reset|unexpected end of stream|BinaryLogClient",
        "MySQL does not answer the connector",
        "waybill stack status; the connector goes on where it was once MySQL answers",
        restart_helps=True,
    ),
    _cause(
        "Kafka unreachable",
        r"TimeoutException|DisconnectException|NotEnoughReplicas|Failed to update metadata|no available brokers|"
        r"RetriableException|Tolerance exceeded",
        "Kafka did not answer the connector in time",
        "waybill stack status; waybill connect restart",
        restart_helps=True,
    ),
)

UNKNOWN_TODO = "waybill stack logs connect; once the cause is mended: waybill connect restart"


@dataclass(frozen=True)
class Explanation:
    """A failure for a person: the cause's name, one sentence, the trace's own words, what to type."""

    cause: str
    sentence: str
    words: str
    todo: str
    restart_helps: bool


def explain(trace: str) -> Explanation:
    """The first known cause that the trace speaks of; one of no known cause is told in the trace's own words."""
    words = _last_words(trace)
    for cause in CAUSES:
        if cause.pattern.search(trace):
            return Explanation(cause.name, cause.sentence, words, cause.todo, cause.restart_helps)
    return Explanation("unknown", "it failed for a reason that waybill does not know", words, UNKNOWN_TODO, False)


def _last_words(trace: str) -> str:
    """The message of the innermost exception, without its class's package."""
    lines = [line for line in trace.splitlines() if line.strip() and not line.lstrip().startswith(("at ", "... "))]
    if not lines:
        return "no stack trace"
    last = lines[-1].strip().removeprefix("Caused by: ")
    return re.sub(r"^(?:[a-z_0-9]+\.)+", "", last)[:300]
