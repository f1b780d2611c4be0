"""`make bench-latency`: from the commit in MySQL until the row is visible in raw, with a trickle of writes.

A pipeline of its own on the stack with batches of `--batch-seconds`; somebody looks at the raw table ten times a
second. Figures go to build/bench/latency.json. Example: make bench-latency MINUTES=3
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.filled import RAW, ROOT
from benchmarks.record import FOLDER
from tests.pipeline_on_stack import PipelineOnStack, pipeline_on_stack
from tests.waiting import until
from waybill.addresses import Addresses

_TABLES = (RAW, "uni_tracking_info_raw", "uni_tracking_spath_raw")
_NEW = " UNION ALL ".join(
    f"SELECT '{name}', _partition, _offset, _committed_at FROM settlement_public.{name}"
    f" WHERE _op <> 'r' AND _loaded_at > timezone('UTC', now()) - interval '20 seconds'"
    for name in _TABLES
)
_LOOK_SECONDS = 0.1
_WARM_SECONDS = 15.0


def measure(rate: int, seconds: float, batch_seconds: float, addresses: Addresses) -> dict[str, Any]:
    """Percentiles of the latency in seconds; looking adds up to a tenth of a second, which is left in."""
    name = f"bench{int(time.time()) % 100_000_000}"
    with tempfile.TemporaryDirectory() as folder, pipeline_on_stack(name, Path(folder), addresses) as pipeline:
        pipeline.write_file(dict.fromkeys((t.removesuffix("_raw") for t in _TABLES), batch_seconds))
        pipeline.seed(500)
        pipeline.does("schema", "apply")
        pipeline.beside("consume", "--no-metrics")
        pipeline.does("connect", "apply", seconds=300)
        load = os.getloadavg()[0]
        pipeline.generate(rate, int(seconds) + 600)
        # The snapshot is over when the first change arrives; then everything has to be warm.
        until(lambda: bool(pipeline.servers.rows(_NEW)), "the first change in raw", 300)
        time.sleep(_WARM_SECONDS)
        found = sorted(_looked(pipeline, seconds))
    assert found, "nothing arrived"
    return {
        "rows": len(found), "writes_per_second": rate, "batch_seconds": batch_seconds,
        "seconds": {
            **{f"p{p}": round(found[min(len(found) - 1, len(found) * p // 100)], 2) for p in (50, 95, 99)},
            "max": round(found[-1], 2),
        },
        "load_before": round(load, 1), "load_after": os.getloadavg()[0],
    }  # fmt: skip


def _looked(pipeline: PipelineOnStack, seconds: float) -> list[float]:
    """The latency of each row that became visible meanwhile. MySQL's clock is this machine's."""
    seen: set[tuple[Any, ...]] = set()
    found: list[float] = []
    with pipeline.servers.warehouse() as connection, connection.cursor() as cursor:
        began = time.monotonic()
        first = True
        while time.monotonic() - began < seconds:
            cursor.execute(_NEW)
            rows, now = cursor.fetchall(), datetime.now(UTC).replace(tzinfo=None)
            for table, partition, offset, committed in rows:
                if (table, partition, offset) not in seen:
                    seen.add((table, partition, offset))
                    if not first:
                        found.append((now - committed).total_seconds())
            first = False
            time.sleep(_LOOK_SECONDS)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=20, help="row changes a second")
    parser.add_argument("--minutes", type=float, default=3)
    parser.add_argument("--batch-seconds", type=float, default=1.0)
    chosen = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    found = measure(chosen.rate, chosen.minutes * 60, chosen.batch_seconds, Addresses.load(ROOT))
    FOLDER.joinpath("latency.json").write_text(json.dumps(found, indent=1))
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
