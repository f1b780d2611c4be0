"""A database with the empty tables of two small marts, to be cloned."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.conftest import fresh_database
from tests.integration.commit.feed import COLUMNS, RAW, TIMES
from warehouse.change import apply
from warehouse.schema import MartTable, RawTable, plan
from warehouse.session import Session
from waybill import raw as lineage
from waybill.addresses import Warehouse


@contextmanager
def two_marts(server: Warehouse, name: str) -> Iterator[str]:
    with fresh_database(server, name) as made:
        with Session(made, "test") as opened:
            raws = [RawTable.of_source(RAW[source], columns) for source, columns in COLUMNS.items()]
            raws.append(RawTable.of_stream(lineage.TRANSACTION_TABLE, lineage.TRANSACTION))
            raws.append(RawTable.of_stream(lineage.NOTIFICATION_TABLE, lineage.NOTIFICATION))
            marts = [
                MartTable.of_source(f"mart_{source.split('.')[1]}", columns, ["order_id"], TIMES[source])
                for source, columns in COLUMNS.items()
            ]
            apply(opened, plan(opened, raws, marts))
        yield name
