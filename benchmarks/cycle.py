"""`make bench-cycle`: what a commit cycle costs on marts of 1, 10 and 30 million orders; build/bench/cycle.json.

Example: make bench-cycle ORDERS=1000000 PARTS=flat,methods; every part of one size is measured in one run, one size on
disk at a time. Marts are filled anew unless KEEP=1.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import time
from pathlib import Path
from typing import Any

from benchmarks.cycle_batch import Draw, draw, load, reached
from benchmarks.cycle_marts import Filled, Size, filled
from benchmarks.cycle_meter import counted_cycle, timed_cycle
from benchmarks.cycle_methods import make_keys_unique, method_costs, read_before
from benchmarks.cycle_reader import Reader
from benchmarks.older_design.run import older_cycle
from benchmarks.record import FOLDER
from waybill.addresses import Addresses

# In this order: what comes before `fresh` finds stale statistics; the methods leave unique indexes.
PARTS = ("stale", "fresh", "counted", "reader", "older", "methods")
# Keys, drawn from the newest: what the two aims are set for, and the two others beside.
CASES = {"10k": (10_000, False), "100k": (100_000, False), "10k_newest": (10_000, True), "100k_newest": (100_000, True)}


class Bench:
    """One size."""

    def __init__(self, warehouse: Filled, runs: int, cases: dict[str, tuple[int, bool]]) -> None:
        self.filled, self.runs, self.cases = warehouse, runs, cases
        with warehouse.session() as session:
            # Other keys than earlier runs on the same marts have drawn.
            self._numbers = itertools.count(reached(session).batch)

    def _drawn(self, keys: int, skewed: bool) -> Draw:
        one = Draw(keys, skewed, next(self._numbers))
        with self.filled.session() as session:
            draw(self.filled, session, one)
        return one

    def _dropped(self, one: Draw) -> None:
        with self.filled.session() as session:
            session.run(f"DROP TABLE {one.keys_table}")

    def cycles(self) -> dict[str, Any]:
        """Cycles of every case in turn, so that what else the machine does falls on all alike. The first turn finds its
        rows where they are, the others in memory, as the methods do."""
        found: dict[str, Any] = {name: [] for name in self.cases}
        for turn in range(self.runs):
            for name, (keys, skewed) in self.cases.items():
                one = self._drawn(keys, skewed)
                with self.filled.session() as session:
                    load(self.filled, session, one)
                    # A page's first change after a checkpoint is dear: every measured thing begins with all of them.
                    session.run("CHECKPOINT")
                    if turn:
                        with session.transaction():
                            for table in self.filled.size.tables[:2]:
                                read_before(session, table, f"(SELECT i AS order_id FROM {one.keys_table})")
                cost = timed_cycle(self.filled)
                found[name].append(
                    {"warm": bool(turn), "seconds": cost.seconds, "cpu": cost.cpu, "load": cost.load,
                     "placing": cost.without_cut, "by_step": cost.by_step, "cpu_by_step": cost.cpu_by_step,
                     "marts": cost.marts}
                )  # fmt: skip
                print(f"  {name} {turn + 1}: {cost.seconds:.2f} s, cpu {cost.cpu:.2f} s, load {cost.load}", flush=True)
                if turn == 0:
                    print("   ", cost.marts["mart_tracking"], cost.top(), flush=True)
                self._dropped(one)
        return {name: _middle(each) for name, each in found.items()}

    def older(self) -> dict[str, Any]:
        """The older design's cycle on a batch, rolled back, then this one's on the same batch. Raw holds nothing else:
        the older one has nothing to read again, its best case.
        """
        found: dict[str, Any] = {}
        for name, (keys, skewed) in self.cases.items():
            one = self._drawn(keys, skewed)
            with self.filled.session() as session:
                for table in self.filled.size.tables:
                    session.run(f"TRUNCATE settlement_public.{table.raw}")
                load(self.filled, session, one)
                session.run("CHECKPOINT")
            before = older_cycle(self.filled)
            cost = timed_cycle(self.filled)
            found[name] = {
                "older": before,
                "cycle": {"seconds": cost.seconds, "cpu": cost.cpu, "load": cost.load},
            }
            print(f"  {name}: older {before['seconds']} s, cpu {before['cpu']} s; {found[name]['cycle']}", flush=True)
            self._dropped(one)
        return found

    def reader(self) -> dict[str, Any]:
        """A reader while nothing is committed, while batches are, and again: the median of its queries."""
        readers = {"alone": Reader(self.filled), "beside_cycles": Reader(self.filled)}
        for _ in range(self.runs):
            for keys, skewed in self.cases.values():
                one = self._drawn(keys, skewed)
                with self.filled.session() as session:
                    load(self.filled, session, one)
                with readers["beside_cycles"].reading():
                    took = timed_cycle(self.filled).seconds
                with readers["alone"].reading():
                    time.sleep(took)
                self._dropped(one)
        found = {name: each.found() for name, each in readers.items()}
        print(f"  {found}", flush=True)
        return found

    def counted(self) -> dict[str, Any]:
        found = {}
        for name, (keys, skewed) in self.cases.items():
            one = self._drawn(keys, skewed)
            with self.filled.session() as session:
                load(self.filled, session, one)
            found[name] = counted_cycle(self.filled)
            self._dropped(one)
            total = {k: sum(step[k] for step in found[name].values()) for k in ("blocks", "read", "changed")}
            print(f"  {name}: {total}", flush=True)
        return found

    def methods(self) -> dict[str, Any]:
        found: dict[str, list[dict[str, dict[str, float]]]] = {name: [] for name in self.cases}
        make_keys_unique(self.filled)
        for _ in range(self.runs):
            for name, (keys, skewed) in self.cases.items():
                one = self._drawn(keys, skewed)
                found[name].append(method_costs(self.filled, one))
                print(f"  {name}: {found[name][-1]}", flush=True)
                self._dropped(one)
        return {
            name: {method: _middle([run[method] for run in runs]) for method in runs[0]} for name, runs in found.items()
        }


def _middle(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Medians of the numbers, of warm runs if there are any, and every run."""
    warm = [run for run in runs if run.get("warm", True)] or runs
    numbers = [key for key, value in runs[0].items() if isinstance(value, float)]
    return {**{key: round(statistics.median(run[key] for run in warm), 3) for key in numbers}, "runs": runs}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", default="1000000", help="sizes, e.g. 1000000,10000000,30000000")
    parser.add_argument("--paths", action="store_true", help="with ten path rows an order")
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--cases", default=",".join(CASES))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--keep", action="store_true", help="take marts of this size as they were left, and leave them")
    parser.add_argument("--label", default="", help="kept beside the figures of other runs under this name")
    chosen = parser.parse_args()
    path = FOLDER / "cycle.json"
    FOLDER.mkdir(parents=True, exist_ok=True)
    cases = {name: CASES[name] for name in chosen.cases.split(",")}
    for orders in (int(n) for n in chosen.orders.split(",")):
        with filled(Addresses.load(Path()).warehouse, Size(orders, chosen.paths), chosen.keep) as warehouse:
            name = f"{orders}{'_paths' if chosen.paths else ''}{chosen.label and '_' + chosen.label}"
            bench = Bench(warehouse, chosen.runs, cases)
            for part in chosen.parts.split(","):
                print(f"{name}: {part}", flush=True)
                results: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
                mine = results.setdefault(name, {"filled_in_seconds": warehouse.seconds})
                if part == "fresh":
                    warehouse.analyze()
                mine[part] = {
                    "methods": bench.methods, "stale": bench.cycles, "fresh": bench.cycles, "counted": bench.counted,
                    "reader": bench.reader, "older": bench.older,
                }[part]()  # fmt: skip
                path.write_text(json.dumps(results, indent=1))
            print(f"{name}: proven, {warehouse.proven()}", flush=True)


if __name__ == "__main__":
    main()
