"""`make bench-freshness`: `waybill bench freshness` under load, on a pipeline of its own with continuous cycles.

The pipeline's batches close after `--batch-seconds`; `--rate` row changes a second are written meanwhile. Figures go to
build/bench/freshness.json, every sample beside it. Example: make bench-freshness RATE=2000 SECONDS=120
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import yaml

from benchmarks.filled import ROOT
from benchmarks.record import FOLDER
from operations.freshness.declared import NAME, entry
from operations.freshness.percentiles import percentiles
from tests.pipeline_on_stack import PipelineOnStack, pipeline_on_stack
from waybill.addresses import Addresses

_TABLES = ("ecs_order_info", "uni_tracking_info", "uni_tracking_spath")
_KEPT = FOLDER / f"{NAME}.jsonl"
_UTC = "(%s::timestamptz AT TIME ZONE 'UTC')"
_WARM_SECONDS, _WAIT_SECONDS = 20.0, 180.0


def measure(chosen: argparse.Namespace, addresses: Addresses) -> dict[str, Any]:
    """What the command found, with the machine's load, the events really written and the cycles that ran meanwhile."""
    name = f"bench{int(time.time()) % 100_000_000}"
    kept = (ROOT / _KEPT).resolve()
    with tempfile.TemporaryDirectory() as folder, pipeline_on_stack(name, Path(folder), addresses) as pipeline:
        _write_file(pipeline, chosen.batch_seconds)
        pipeline.seed(chosen.orders)
        pipeline.does("schema", "apply")
        pipeline.beside("consume", "--no-metrics")
        pipeline.does("connect", "apply", seconds=300)
        pipeline.first_snapshot(300)
        pipeline.beside("commit", "--continuous", "--floor", str(chosen.floor), "--no-metrics", "--no-watch", "--json")
        load = os.getloadavg()[0]
        mix = ("--mix", chosen.mix) if chosen.mix else ()
        writer = pipeline.generate(chosen.rate, 0, 1, "--writers", str(chosen.writers), *mix)
        time.sleep(_WARM_SECONDS)
        kept.unlink(missing_ok=True)
        done = pipeline.run(
            "bench", "freshness", "--seconds", str(chosen.seconds), "--wait", str(_WAIT_SECONDS), "--keep", str(kept),
            "--json", seconds=chosen.seconds + _WAIT_SECONDS + 120,
        )  # fmt: skip
        assert done.returncode in (0, 1) and writer.running(), done.stderr + pipeline.ends_of_logs()
        samples = [json.loads(line) for line in kept.read_text().splitlines()]
        return {
            "asked_per_second": chosen.rate, **_meanwhile(pipeline, samples[0]["sent_at"], samples[-1]["sent_at"]),
            "batch_seconds": chosen.batch_seconds, "floor_seconds": chosen.floor, "mix": chosen.mix or "all kinds",
            "load_before": round(load, 1), "load_after": round(os.getloadavg()[0], 1),
            **json.loads(done.stdout), "kept": str(_KEPT),
        }  # fmt: skip


def _write_file(pipeline: PipelineOnStack, batch_seconds: float) -> None:
    """The product's own tables and the markers', batches of so many seconds."""
    path = pipeline.write_file(
        dict.fromkeys((*_TABLES, "heartbeat"), batch_seconds), commit={"lease_seconds": 60, "retry_seconds": 5}
    )
    settings = yaml.safe_load(path.read_text())
    settings["tables"] += yaml.safe_load(entry(pipeline.beats, batch_seconds, 2))
    path.write_text(yaml.safe_dump(settings, sort_keys=False))


def _meanwhile(pipeline: PipelineOnStack, first: str, last: str) -> dict[str, Any]:
    """Of the time in which markers were written: row events a second that raw has, and the cycles' seconds."""
    rows = " UNION ALL ".join(
        f"SELECT count(*) AS n FROM settlement_public.{table}_raw WHERE _op <> 'r'"
        f" AND _committed_at BETWEEN {_UTC} AND {_UTC}"
        for table in _TABLES
    )
    span = (first, last)
    events, seconds = pipeline.servers.row(
        f"SELECT sum(n), extract(epoch FROM %s::timestamptz - %s::timestamptz) FROM ({rows}) r",
        last, first, *(span * len(_TABLES)),
    )  # fmt: skip
    cycles = pipeline.servers.rows(
        "SELECT extract(epoch FROM finished_at - started_at)::float8, rows_in, status, summary"
        f" FROM settlement_ods.cycles WHERE started_at BETWEEN {_UTC} AND {_UTC}",
        *span,
    )
    steps: Counter[str] = Counter()
    for each in cycles:
        steps.update(json.loads(each[3])["seconds"])
    took = percentiles([each[0] for each in cycles])
    return {
        "events_per_second": round(float(events) / max(float(seconds), 1.0)),
        "cycles": {
            "count": len(cycles), "failed": sum(each[2] != "committed" for each in cycles),
            "rows_in": sum(each[1] for each in cycles),
            "seconds": {"p50": took.p50, "p95": took.p95, "max": took.max},
            "seconds_by_step": {step: round(spent, 2) for step, spent in steps.most_common(12)},
        },
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=2_000, help="row changes a second")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--batch-seconds", type=float, default=1.0)
    parser.add_argument("--floor", type=float, default=1.0, help="of commit --continuous; 1 is its default")
    parser.add_argument("--orders", type=int, default=5_000, help="seeded before")
    parser.add_argument("--writers", type=int, default=4)
    parser.add_argument("--mix", default="", help="of waybill generate; default: all kinds")
    chosen = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    found = measure(chosen, Addresses.load(ROOT))
    FOLDER.joinpath(f"{NAME}.json").write_text(json.dumps(found, indent=1))
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
