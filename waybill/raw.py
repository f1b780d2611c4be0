"""The columns that every raw row carries beside the source's own: where it came from and what orders it.

Spec section 4, last points. Their order here is their order in the Parquet objects and in the raw tables, in
front of the source's columns. `_loaded_at` is not in the objects: the warehouse sets it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RawColumn:
    """A column of waybill's own. `type` holds on PostgreSQL and Redshift alike."""

    name: str
    type: str
    comment: str


# What a message of any topic carries.
MESSAGE = (
    RawColumn("_topic", "varchar(249)", "Kafka topic"),
    RawColumn("_topic_id", "varchar(36)", "Kafka topic id: another one means the topic was made anew"),
    RawColumn("_partition", "integer", "Kafka partition"),
    RawColumn("_offset", "bigint", "Kafka offset"),
    RawColumn("_generation", "integer", "counts the resets of the position; from 1"),
    RawColumn("_produced_at", "timestamp", "Kafka record time, UTC"),
    RawColumn("_schema_id", "integer", "id in the schema registry"),
    RawColumn("_batch_id", "bigint", "micro-batch that brought the row: later ones are greater"),
)

# What a row event carries besides.
EVENT = (
    RawColumn("_op", "varchar(1)", "c insert, u update, d delete (the image before), r snapshot"),
    RawColumn("_gtid", "varchar(65535)", "GTID; of an incremental snapshot its GTID set; of a first one NULL"),
    RawColumn("_gtid_number", "bigint", "number of the GTID; NULL in snapshots"),
    RawColumn("_tx_id", "varchar(128)", "transaction id; NULL in snapshots"),
    RawColumn("_tx_order", "bigint", "data_collection_order: place among the transaction's events of the table"),
    RawColumn("_tx_total_order", "bigint", "total_order: place among all events of the transaction"),
    RawColumn("_snapshot", "varchar(32)", "'false', 'incremental', or Debezium's mark of a first snapshot row"),
    RawColumn("_server_id", "bigint", "MySQL server id"),
    RawColumn("_binlog_file", "varchar(255)", "binlog file"),
    RawColumn("_binlog_pos", "bigint", "offset of the event in it, bytes"),
    RawColumn("_binlog_row", "integer", "row within the event"),
    RawColumn("_committed_at", "timestamp", "commit time at the source (of a snapshot row: when it was read), UTC"),
)

LOADED_AT = RawColumn("_loaded_at", "timestamp", "load time, warehouse clock, UTC")

# The END records of the transaction topic, one row a data collection (one with '' when it names none).
TRANSACTION = (
    RawColumn("tx_id", "varchar(128)", "transaction id"),
    RawColumn("event_count", "bigint", "row events of all captured tables"),
    RawColumn("ended_at", "timestamp", "commit time at the source, UTC"),
    RawColumn("data_collection", "varchar(255)", "database.table, '' when the transaction touched none"),
    RawColumn("collection_count", "bigint", "row events of that table"),
)

# Debezium's notifications (snapshots begun, scanned, completed).
NOTIFICATION = (
    RawColumn("notification_id", "varchar(64)", "id of the notification"),
    RawColumn("aggregate_type", "varchar(128)", "e.g. Initial Snapshot"),
    RawColumn("notification_type", "varchar(128)", "e.g. STARTED, TABLE_SCAN_COMPLETED, COMPLETED"),
    RawColumn("additional_data", "varchar(65535)", "JSON text, keys in order"),
    RawColumn("noted_at", "timestamp", "time of the notification, UTC"),
)

# The schema-change topic, one row a table that a statement touched (one with '' when it names none).
SCHEMA_CHANGE = (
    RawColumn("ddl", "varchar(65535)", "the statement; cut at 65,535 bytes"),
    RawColumn("database_name", "varchar(255)", "database it was run in"),
    RawColumn("table_name", "varchar(255)", "database.table after it, '' when it names none"),
    RawColumn("change_type", "varchar(16)", "CREATE, ALTER, DROP or ''"),
    RawColumn("table_columns", "varchar(65535)", "JSON: the table's columns after it; NULL when it is gone"),
    RawColumn("statement_gtid", "varchar(128)", "its GTID; NULL in snapshots"),
    RawColumn("snapshot", "boolean", "the shape as a first snapshot found it, no statement"),
    RawColumn("binlog_file", "varchar(255)", "binlog file"),
    RawColumn("binlog_pos", "bigint", "offset of the statement in it, bytes"),
    RawColumn("changed_at", "timestamp", "commit time at the source, UTC"),
)

TRANSACTION_TABLE = "transaction_raw"
NOTIFICATION_TABLE = "notification_raw"
SCHEMA_CHANGE_TABLE = "schema_change_raw"

RAW_SCHEMA = "settlement_public"
MART_SCHEMA = "settlement_ods"


def ledger_table(raw: str) -> str:
    """Name of the ledger that belongs to a raw table."""
    return f"{raw}_ledger"


def positions_table(raw: str) -> str:
    """Name of the table of positions that belongs to a raw table."""
    return f"{raw}_positions"
