"""Puts events into raw as the loaders leave them, without Kafka: the cycle's input, written by hand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from warehouse.session import Session
from waybill.types import SourceColumn

A = "aaaaaaaa-0000-0000-0000-000000000001"
EPOCH = datetime(2026, 11, 1, 12, 0, 0)  # noqa: DTZ001 - the warehouse's timestamps carry no zone

COLUMNS = {
    "shop.orders": (
        SourceColumn("order_id", "BIGINT", nullable=False),
        SourceColumn("status", "INT"),
        SourceColumn("add_time", "INT"),
    ),
    "shop.tracking": (
        SourceColumn("order_id", "BIGINT", nullable=False),
        SourceColumn("state", "INT"),
        SourceColumn("update_time", "INT"),
    ),
}
TIMES = {"shop.orders": "add_time", "shop.tracking": "update_time"}
RAW = {"shop.orders": "orders_raw", "shop.tracking": "tracking_raw"}


@dataclass
class Feed:
    """`now` advances a second an event, so that order of time and order of writing agree."""

    session: Session
    now: datetime = EPOCH
    batch: int = 0
    offsets: dict[str, int] = field(default_factory=dict)
    topic_id: str = "t"
    generation: int = 1
    line: str = A  # source UUID, or UUID:tag

    def _message(self, raw: str) -> dict[str, Any]:
        self.now += timedelta(seconds=1)
        offset = self.offsets.get(raw, 0)
        self.offsets[raw] = offset + 1
        return {
            "_topic": raw, "_topic_id": self.topic_id, "_partition": 0, "_offset": offset,
            "_generation": self.generation,
            "_produced_at": self.now, "_schema_id": 1, "_batch_id": self.batch,
        }  # fmt: skip

    def _insert(self, raw: str, rows: Sequence[dict[str, Any]]) -> None:
        for row in rows:
            names = ", ".join(f'"{n}"' for n in row)
            self.session.run(
                f"INSERT INTO settlement_public.{raw} ({names}) VALUES ({', '.join(['%s'] * len(row))})",
                list(row.values()),
            )

    def reset(self, raw: str, offset: int) -> None:
        """What is written next is read again: the offsets from here on, under a new generation."""
        self.generation += 1
        self.offsets[raw] = offset

    def made_again(self, *raws: str) -> None:
        """These topics are deleted and made again: their offsets begin anew."""
        self.generation += 1
        self.topic_id += "'"
        self.offsets |= dict.fromkeys(raws, 0)

    def _load(self, raw: str, make: list[dict[str, Any]]) -> None:
        """One batch: rows and their ledger line, as a load leaves them."""
        self._insert(raw, make)
        offsets = [row["_offset"] for row in make]
        self.session.run(
            f"INSERT INTO settlement_public.{raw}_ledger (batch_id, object_key, topic, topic_id, kafka_partition,"
            " generation, epoch, first_offset, next_offset, row_count, dead_letters, size_bytes, sha256)"
            " VALUES (%s, 'k', %s, %s, 0, %s, 1, %s, %s, %s, 0, 1, '')",
            (self.batch, raw, self.topic_id, self.generation, min(offsets), max(offsets) + 1, len(make)),
        )

    def rows(self, source: str, events: Sequence[tuple[str, int, int, dict[str, Any]]]) -> None:
        """One batch of (op, GTID number, order, values)."""
        self.batch += 1
        made = []
        for op, number, order, values in events:
            message, gtid = self._message(RAW[source]), f"{self.line}:{number}"
            made.append(
                message | {
                    "_op": op, "_gtid": gtid, "_gtid_number": number, "_tx_id": gtid,
                    "_tx_order": order, "_snapshot": "false", "_server_id": 1, "_binlog_file": "b.1",
                    "_binlog_pos": number, "_binlog_row": 0, "_committed_at": self.now, **values,
                }
            )  # fmt: skip
        self._load(RAW[source], made)

    def ends(self, ends: Sequence[tuple[int, dict[str, int]]]) -> None:
        """One batch of END records: (GTID number, rows by table)."""
        self.batch += 1
        made = []
        for number, counts in ends:
            message = self._message("transaction_raw")
            for source, count in (counts or {"": 0}).items():
                made.append(
                    message | {
                        "tx_id": f"{self.line}:{number}", "event_count": sum(counts.values()), "ended_at": self.now,
                        "data_collection": source, "collection_count": count,
                    }
                )  # fmt: skip
        self._load("transaction_raw", made)

    def snapshot_rows(
        self, source: str, values: Sequence[dict[str, Any]], pos: int = 100, file: str = "b.1", server: int = 1
    ) -> None:
        """One batch of first-snapshot rows of the attempt at `pos`."""
        self.batch += 1
        made = [
            self._message(RAW[source]) | {
                "_op": "r", "_snapshot": "true", "_server_id": server, "_binlog_file": file, "_binlog_pos": pos,
                "_committed_at": self.now, **row,
            }
            for row in values
        ]  # fmt: skip
        self._load(RAW[source], made)

    def read_again(self, source: str, gtids: str | None, values: Sequence[dict[str, Any]]) -> None:
        """One batch of incremental-snapshot rows, read when the connector had read these GTIDs."""
        self.batch += 1
        made = [
            self._message(RAW[source]) | {"_op": "r", "_snapshot": "incremental", "_gtid": gtids, "_server_id": 1,
                                          "_binlog_file": "b.1", "_binlog_pos": 0, "_committed_at": self.now, **row}
            for row in values
        ]  # fmt: skip
        self._load(RAW[source], made)

    def notify(self, kind: str, aggregate: str = "Initial Snapshot", **data: Any) -> None:
        """One notification, of the first snapshot or of an incremental one."""
        self.batch += 1
        message = self._message("notification_raw")
        made = message | {
            "notification_id": f"n{message['_offset']}{self.topic_id[1:]}", "aggregate_type": aggregate,
            "notification_type": kind, "additional_data": json.dumps(data), "noted_at": self.now,
        }  # fmt: skip
        self._load("notification_raw", [made])

    def first_snapshot(
        self, orders: Sequence[dict[str, Any]], tracking: Sequence[dict[str, Any]], pos: int = 100, file: str = "b.1",
        server: int = 1,
    ) -> None:  # fmt: skip
        """A whole first snapshot."""
        self.notify("STARTED")
        for source, rows in (("shop.orders", orders), ("shop.tracking", tracking)):
            if rows:
                self.snapshot_rows(source, rows, pos, file, server)
            self.notify(
                "TABLE_SCAN_COMPLETED", scanned_collection=source, total_rows_scanned=str(len(rows)), status="SUCCEEDED"
            )
        self.notify("COMPLETED")
