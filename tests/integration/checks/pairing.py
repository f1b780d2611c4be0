"""A source and its marts made by hand, equal on both sides, and hands on each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymysql

from checks.catalogue import Subject
from waybill.addresses import Mysql, Warehouse

ROOT = Path(__file__).resolve().parents[3]
THREE = {
    "ecs_order_info": ["order_id"],
    "uni_tracking_info": ["order_id"],
    "uni_tracking_spath": ["order_id", "traceSeq"],
}


@dataclass
class Pairing:
    """Equal databases on both sides, and hands on each."""

    mysql: Mysql
    warehouse: Warehouse
    source: pymysql.Connection[Any]
    mart: Any
    database: str

    def subject(self, table: str) -> Subject:
        return Subject(f"{self.database}.{table}", "settlement_ods", f"mart_{table}")

    @property
    def subjects(self) -> list[Subject]:
        return [self.subject(t) for t in (*THREE, "every_type", "by_text")]

    def damage(self, statement: str, *parameters: Any) -> None:
        """One statement in the warehouse that must touch a row."""
        with self.mart.cursor() as cursor:
            cursor.execute(statement, parameters or None)
            assert cursor.rowcount >= 1, statement

    def write(self, statement: str, *parameters: Any) -> None:
        """One transaction in MySQL."""
        with self.source.cursor() as cursor:
            cursor.execute(statement, parameters or None)
        self.source.commit()

    def executed(self) -> str:
        with self.source.cursor() as cursor:
            cursor.execute("SELECT @@GLOBAL.gtid_executed")
            return str(cursor.fetchone()[0]).replace("\n", "")  # type: ignore[index]

    def cut_here(self) -> None:
        """Set as_of to what MySQL has executed now."""
        self.damage("UPDATE settlement_ods.as_of SET gtid_set = %s, cycle = 7, consistent = true", self.executed())
