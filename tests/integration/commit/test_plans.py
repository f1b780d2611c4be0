"""How an engine with indexes carries out a cycle's steps on marts of a million orders: it never reads a whole one."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from benchmarks.cycle_batch import Draw, draw, load
from benchmarks.cycle_marts import Size, filled
from warehouse.session import Session
from waybill.addresses import Warehouse

_EXPLAINED = re.compile(r"(--[^\n]*\n|\s)*(CREATE TEMP TABLE \S+ AS\b|INSERT|UPDATE|DELETE|SELECT)")
_WHOLE = re.compile(r"Seq Scan on (mart_(?:tracking|orders)|hist_\w+)\b")


class Explained(Session):
    """Notes each step's plan as its statement is run, with the statistics that there are then."""

    plans: ClassVar[dict[str, list[str]]] = {}

    def run(self, statement: Any, parameters: Any = None, doing: str = "") -> int:
        self._explain(statement, parameters, doing)
        return super().run(statement, parameters, doing)

    def rows(self, statement: Any, parameters: Any = None, doing: str = "") -> list[dict[str, Any]]:
        self._explain(statement, parameters, doing)
        return super().rows(statement, parameters, doing)

    def _explain(self, statement: Any, parameters: Any, doing: str) -> None:
        if doing.startswith("commit step") and _EXPLAINED.match(text := self.text_of(statement)):
            plan = super().rows(f"EXPLAIN {text}", parameters)
            self.plans.setdefault(doing, []).extend(row["QUERY PLAN"] for row in plan)


def test_no_step_reads_a_whole_mart_or_history_table(warehouse_server: Warehouse, fresh_name: str) -> None:
    with filled(warehouse_server, Size(1_000_000), name=fresh_name) as shop:
        # The statistics are those of a mart of a hundredth of the rows; then they are fresh.
        for number in (1, 2):
            batch = Draw(10_000, number=number)
            with shop.session() as session:
                draw(shop, session, batch)
                load(shop, session, batch)
            summary = shop.committer(Explained).cycle()
            assert not any(m.marked for m in summary.marts)
            assert min(m.archived for m in summary.marts) > 0 and min(m.returned for m in summary.marts) > 0
            shop.analyze()
        whole = {doing: found for doing, plan in Explained.plans.items() if (found := _WHOLE.findall("\n".join(plan)))}
        assert len(Explained.plans) > 60
        assert not whole
