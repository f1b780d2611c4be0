"""`make bench-ingest`: how fast a filled topic gets into raw, against what the machine could do in the same run.

Figures go to build/bench/ingest.json. Example: make bench-ingest EVENTS=200000 CASES=main,fastavro
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.alone import ceiling
from benchmarks.filled import RAW, ROOT, Filled, filled
from benchmarks.forge import Forge
from benchmarks.processes import watched
from benchmarks.record import FOLDER, recorded
from waybill.addresses import Addresses

_COMMAND = "from cli.main import main; main()"
_FASTAVRO = f"from cli import ingest; ingest.NativeDecoder = lambda reference: reference; {_COMMAND}"
# Partitions, consumer processes, columns (0: as recorded), decoder.
CASES: dict[str, tuple[int, int, int, str]] = {
    "main": (3, 1, 0, "native"),
    "fastavro": (3, 1, 0, "fastavro"),
    "partitions_1": (1, 1, 0, "native"),
    "partitions_12": (12, 1, 0, "native"),
    "processes_2": (3, 2, 0, "native"),
    "columns_10": (3, 1, 10, "native"),
    "columns_200": (3, 1, 200, "native"),
}
_SAMPLE = 100_000


def consume(topic: Filled, processes: int, decoder: str, seconds: float) -> dict[str, Any]:
    """Run the product's command until it has caught up; what it printed, and what was seen from outside."""
    code = _FASTAVRO if decoder == "fastavro" else _COMMAND
    command = [sys.executable, "-c", code, "consume", "--until-caught-up", "--json"]
    load = os.getloadavg()[0]
    with watched(ROOT) as seen:
        began = time.time()
        started = [
            subprocess.Popen(command, env=topic.environment, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            for _ in range(processes)
        ]
        printed = [process.communicate(timeout=seconds) for process in started]
        took = time.time() - began
    for process, (_, said) in zip(started, printed, strict=True):
        assert process.returncode == 0, said.decode()[-3000:]
    (row,) = topic.rows(
        f'SELECT count(*) AS n, count(DISTINCT order_id) AS orders, extract(epoch FROM max("_loaded_at")) AS at'
        f" FROM settlement_public.{RAW}"
    )
    assert row["n"] == row["orders"], row
    (ends,) = topic.rows("SELECT count(*) AS n FROM settlement_public.transaction_raw")
    to_last = float(row["at"]) - began
    rows = int(row["n"])
    return {
        "rows": rows, "end_rows": int(ends["n"]), "seconds": round(took, 2), "seconds_to_last_row": round(to_last, 2),
        "rows_per_second": round(rows / to_last), "load_before": round(load, 1), "load_after": os.getloadavg()[0],
        "cpu_seconds_per_million": {part: round(used / rows * 1e6, 2) for part, used in seen.cpu.items()},
        "memory_peak_bytes": seen.memory, "consumer_memory_by_second": seen.series,
        "consumers": [json.loads(out) for out, _ in printed],
    }  # fmt: skip


def measure(case: str, events: int, addresses: Addresses, seconds: float) -> dict[str, Any]:
    """One case on a topic, tables and a database of its own."""
    partitions, processes, columns, decoder = CASES[case]
    forge = Forge(recorded(addresses), columns)
    name = f"bench{int(time.time() * 10) % 10**9}"
    with (
        tempfile.TemporaryDirectory() as folder,
        filled(addresses, Path(folder) / name, name, forge, events, partitions) as topic,
    ):
        alone = ceiling(topic, min(events, _SAMPLE)) if case == "main" else {}
        found = consume(topic, processes, decoder, seconds)
    found |= {"partitions": partitions, "processes": processes, "columns": columns or len(forge.fields)}
    if alone:
        summed = alone["consume"] + alone["decode"] + alone["copy"]
        found["alone_cpu_seconds_per_million"] = alone
        found["ceiling_rows_per_second"] = round(2e6 / summed)
        found["ratio_to_ceiling"] = round(found["rows_per_second"] / found["ceiling_rows_per_second"], 3)
        used = sum(found["cpu_seconds_per_million"].values())
        # What two free cores would do at the CPU seconds a row that were really spent: steadier on a busy machine.
        found["rows_per_second_by_cpu"] = round(2e6 / used)
        found["ratio_to_ceiling_by_cpu"] = round(summed / used, 3)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=200_000, help="row events in the topic; reported: 2000000")
    parser.add_argument("--cases", default=",".join(CASES), help=f"of {', '.join(CASES)}")
    parser.add_argument("--seconds", type=float, default=3600, help="time limit of one case")
    chosen = parser.parse_args()
    addresses, path = Addresses.load(ROOT), FOLDER / "ingest.json"
    results: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    for case in chosen.cases.split(","):
        found = measure(case, chosen.events, addresses, chosen.seconds)
        results[case] = found
        path.write_text(json.dumps(results, indent=1))
        shown = {key: value for key, value in found.items() if key not in ("consumers", "consumer_memory_by_second")}
        print(json.dumps({case: shown}, indent=1))


if __name__ == "__main__":
    main()
