"""Every metric waybill tells, declared once: name, type, unit, meaning, labels, who tells it.

Names follow Prometheus: `waybill_`, base units, `_total` for what only grows. Where a moment is known the moment is
told (`_timestamp_seconds`, since 1970), not its age: an age is wrong as soon as nobody looks, `time() - moment` is not.
`python -m waybill.metrics_page` prints docs/metrics.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

CONSUME, COMMIT, WATCH, RUN, EVERY = "consume", "commit", "watch", "run", "every process"


@dataclass(frozen=True)
class Metric:
    """One metric. A counter begins at 0 with its process, unless its meaning says what it is read from."""

    name: str
    type: Literal["gauge", "counter"]
    unit: str
    meaning: str
    labels: tuple[str, ...] = ()
    told_by: str = WATCH


class Sample(NamedTuple):
    """One value. `labels` are the values of the metric's labels, in their order."""

    metric: Metric
    labels: tuple[str, ...]
    value: float


def _consumer(name: str, type_: Literal["gauge", "counter"], unit: str, meaning: str, *labels: str) -> Metric:
    return Metric(f"waybill_consumer_{name}", type_, unit, meaning, labels or ("table",), CONSUME)


ROWS = _consumer("rows_total", "counter", "rows", "rows loaded into raw")
BATCHES = _consumer("batches_total", "counter", "micro-batches", "micro-batches loaded, those of only dead letters too")
LOADS = _consumer("loads_total", "counter", "loads", "warehouse transactions that loaded them")
STORED_BYTES = _consumer("stored_bytes_total", "counter", "bytes", "bytes of the Parquet objects that were loaded")
DEAD_LETTERS = _consumer("dead_letters_total", "counter", "messages", "messages that went to the dead-letter topic")
STAGE_SECONDS = _consumer(
    "stage_seconds_total", "counter", "seconds",
    "time the stage worked: decode, letters (sending dead letters), write (Parquet), put (S3), read_back, load;"
    " stages may overlap", "table", "stage",
)  # fmt: skip
STAGE_CPU = _consumer(
    "stage_cpu_seconds_total", "counter", "seconds", "CPU time of the stage's own thread", "table", "stage"
)
WAIT_SECONDS = _consumer(
    "wait_seconds_total", "counter", "seconds",
    "time that batches waited in front of a stage (store, load), or that reading stood still for memory: the longest"
    " wait names the slow stage", "table", "stage",
)  # fmt: skip
QUEUE = _consumer("queue_batches", "gauge", "micro-batches", "batches that stand in front of a stage", "table", "stage")
LOOP_SECONDS = Metric(
    "waybill_consumer_loop_seconds_total", "counter", "seconds",
    "the loop's own time: poll (taking messages from Kafka), idle (none came), turn (deciding)", ("part",), CONSUME,
)  # fmt: skip
HELD_BYTES = _consumer("held_bytes", "gauge", "bytes", "bytes of messages read and not loaded yet")
MEMORY_BYTES = _consumer("memory_limit_bytes", "gauge", "bytes", "at how many held bytes reading pauses (`memory`)")
PAUSED = _consumer("paused", "gauge", "0 or 1", "1 while reading stands still because of that limit")
PARTITIONS = _consumer("partitions", "gauge", "partitions", "partitions this consumer owns")
STOPPED = _consumer("stopped", "gauge", "0 or 1", "1 while this consumer has stopped the table for a person's decision")

LAG_MESSAGES = Metric(
    "waybill_lag_messages", "gauge", "messages",
    "offsets that a committed reader can see in Kafka and raw does not have; control records count",
    ("table", "partition"),
)  # fmt: skip
LAG_SECONDS = Metric(
    "waybill_lag_seconds", "gauge", "seconds",
    "age of the next message not yet loaded, from its own timestamp in Kafka; 0 when none waits; never interpolated",
    ("table", "partition"),
)  # fmt: skip
TOPIC_LEFT = Metric(
    "waybill_topic_retention_left_seconds", "gauge", "seconds",
    "until Kafka may drop the next message not yet loaded (the whole retention when none waits); below 0 it may be"
    " dropped any moment; missing when the topic keeps its messages for ever", ("table", "partition"),
)  # fmt: skip
NEWEST_EVENT = Metric(
    "waybill_raw_newest_event_timestamp_seconds", "gauge", "seconds since 1970",
    "source commit time of the newest event in the newest loads; freshness to raw is time() minus this", ("table",),
)  # fmt: skip
LAST_LOAD = Metric(
    "waybill_raw_last_load_timestamp_seconds", "gauge", "seconds since 1970", "when the newest load was made",
    ("table",),
)  # fmt: skip
LOAD_LAG = Metric(
    "waybill_load_lag_seconds", "gauge", "seconds",
    "how long the oldest message of the newest loads took from its timestamp in Kafka into raw", ("table",),
)  # fmt: skip
TABLE_STOPPED = Metric(
    "waybill_table_stopped", "gauge", "0 or 1", "1 while the warehouse says that the table is stopped", ("table",)
)

CYCLE = Metric("waybill_cycle_number", "gauge", "cycles", "number of the last committed cycle")
CYCLE_AT = Metric(
    "waybill_cycle_committed_timestamp_seconds", "gauge", "seconds since 1970",
    "when the last cycle committed; the cycle's age is time() minus this",
)  # fmt: skip
CUT_AT = Metric(
    "waybill_cut_timestamp_seconds", "gauge", "seconds since 1970",
    "source commit time that the marts are as of; commit lag is time() minus this",
)  # fmt: skip
CONSISTENT = Metric("waybill_marts_consistent", "gauge", "0 or 1", "1 while the marts equal the source at the cut")
CYCLES = Metric(
    "waybill_cycles_total", "counter", "cycles", "tries at cycles by how they ended; read from the warehouse",
    ("status",),
)  # fmt: skip
CYCLE_SECONDS = Metric(
    "waybill_cycle_seconds_total", "counter", "seconds", "time of all cycles; read from the warehouse", ("status",)
)
CYCLE_TRANSACTIONS = Metric(
    "waybill_cycle_transactions_total", "counter", "transactions",
    "MySQL transactions that came into the cut; read from the warehouse",
)  # fmt: skip
CYCLE_ROWS = Metric(
    "waybill_cycle_rows_total", "counter", "rows",
    "rows of committed cycles: in (raw rows in the cut), applied, older (lost against the standing one); read from the"
    " warehouse", ("what",),
)  # fmt: skip
LAST_CYCLE_SECONDS = Metric("waybill_cycle_last_seconds", "gauge", "seconds", "how long the last committed cycle took")
LAST_STEP_SECONDS = Metric("waybill_cycle_last_step_seconds", "gauge", "seconds", "the same by step", ("step",))
EXCEPTIONS = Metric("waybill_open_exceptions", "gauge", "rows", "open exceptions", ("type",))

PLACED_ROWS = Metric(
    "waybill_commit_rows_total", "counter", "rows",
    "what cycles did with rows of the mart: archived (put into history), trimmed (taken out of the mart), returned"
    " (from history into it), corrected (replaced in history), removed, deleted at the source, invalid (a key is NULL)",
    ("mart", "what"), COMMIT,
)  # fmt: skip
STEP_SECONDS = Metric(
    "waybill_commit_step_seconds_total", "counter", "seconds", "time of cycles by step", ("step",), COMMIT
)
MARKED = Metric(
    "waybill_commit_marked_cycles_total", "counter", "cycles",
    "cycles that looked at every row of the mart: a rule had changed, or rows were deleted without events", ("mart",),
    COMMIT,
)  # fmt: skip
RAW_TRIMMED = Metric(
    "waybill_commit_raw_trimmed_rows_total",
    "counter",
    "rows",
    "raw rows taken out after cycles",
    ("raw_table",),
    COMMIT,
)

BINLOG_LEFT = Metric(
    "waybill_binlog_retention_left_seconds", "gauge", "seconds",
    "until MySQL may purge the binlog the connector needs next: its retention minus the age of the connector's stored"
    " position; missing when binlogs are never purged",
)  # fmt: skip
BINLOG_THERE = Metric(
    "waybill_binlog_available", "gauge", "0 or 1",
    "0 when MySQL has purged transactions that the connector has not stored as read: they can only be read again by a"
    " snapshot",
)  # fmt: skip
CONNECTOR = Metric(
    "waybill_connector_state", "gauge", "0 or 1",
    "1 for the state the connector is in (RUNNING, FAILED, PAUSED, STOPPED, UNASSIGNED, MISSING), 0 for the others",
    ("state",),
)  # fmt: skip
TASKS = Metric("waybill_connector_tasks", "gauge", "tasks", "tasks of the connector by state", ("state",))

PART_UP = Metric(
    "waybill_part_up", "gauge", "0 or 1",
    "1 when the last look at this part of the watch succeeded; while it is 0 the part's other metrics are missing",
    ("part",),
)  # fmt: skip
PART_SECONDS = Metric("waybill_part_look_seconds", "gauge", "seconds", "how long the last look took", ("part",))

PROCESS_UP = Metric(
    "waybill_process_up", "gauge", "0 or 1",
    "of each process under `waybill run`: 1 while it runs or waits for its scheduled time", ("child",), RUN,
)  # fmt: skip
PROCESS_RESTARTS = Metric(
    "waybill_process_restarts_total", "counter", "restarts", "how often it died and was started again", ("child",), RUN
)
BUILD = Metric("waybill_build_info", "gauge", "1", "always 1; the label says which version runs", ("version",), EVERY)

ALL: tuple[Metric, ...] = (
    LAG_MESSAGES, LAG_SECONDS, TOPIC_LEFT, NEWEST_EVENT, LAST_LOAD, LOAD_LAG, TABLE_STOPPED,
    ROWS, BATCHES, LOADS, STORED_BYTES, DEAD_LETTERS, STAGE_SECONDS, STAGE_CPU, WAIT_SECONDS, QUEUE, LOOP_SECONDS,
    HELD_BYTES, MEMORY_BYTES, PAUSED, PARTITIONS, STOPPED,
    CYCLE, CYCLE_AT, CUT_AT, CONSISTENT, CYCLES, CYCLE_SECONDS, CYCLE_TRANSACTIONS, CYCLE_ROWS, LAST_CYCLE_SECONDS,
    LAST_STEP_SECONDS, EXCEPTIONS, PLACED_ROWS, STEP_SECONDS, MARKED, RAW_TRIMMED,
    BINLOG_LEFT, BINLOG_THERE, CONNECTOR, TASKS,
    PART_UP, PART_SECONDS, PROCESS_UP, PROCESS_RESTARTS, BUILD,
)  # fmt: skip

NOT_OURS = {
    "process_cpu_seconds_total": "CPU time of the process",
    "process_resident_memory_bytes": "its memory",
    "process_start_time_seconds": "when it was started",
    "process_open_fds": "its open files",
    "up": "made by Prometheus: 1 when the process answered",
}
"""What else a dashboard may ask for: told by the client library for every process, or made by Prometheus."""
